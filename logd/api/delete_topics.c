/* delete_topics.c -- DeleteTopics. */
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"

/* Since then topics may be named by their ids; before 3 a client does not know TOPIC_DELETION_DISABLED. */
enum { TOPIC_ID_VERSION = 6, DISABLED_VERSION = 3 };

/* One topic that is to go, however it was named. */
struct victim {
	struct span name; /* null: by its id */
	const uint8_t *id; /* NULL: by its name */
	struct topic *topic; /* NULL: there is none */
	bool twice;
};

static bool
is_zero(const uint8_t id[16])
{
	static const uint8_t zero[16];

	return memcmp(id, zero, sizeof zero) == 0;
}

static struct victim
find(const struct api *api, struct span name, const uint8_t *id)
{
	struct victim v = { .name = name, .id = id };

	if (name.p != NULL && id == NULL)
		v.topic = topics_find(api, name);
	if (name.p == NULL && id != NULL)
		v.topic = topics_find_id(api, id);
	return v;
}

/* All that the request names, in either of its forms. */
static struct victim *
find_all(struct request *r, size_t n)
{
	const struct wire_delete_topics_request *q = r->message;
	struct victim *all = request_array(r, n, sizeof *all);

	for (size_t i = 0; i < n; i++)
		all[i] = r->version < TOPIC_ID_VERSION ? find(r->api, q->topic_names[i], NULL) :
		    find(r->api, q->topics[i].name,
			is_zero(q->topics[i].topic_id) ? NULL : q->topics[i].topic_id);
	return all;
}

/* A topic counts as one whether by name or by id. */
static void
mark_duplicates(struct request *r, struct victim *all, size_t n)
{
	struct span *keys = request_array(r, n, sizeof *keys);
	bool *twice;

	for (size_t i = 0; i < n; i++)
		keys[i] = all[i].topic != NULL ? span_of(all[i].topic->id, sizeof all[i].topic->id) :
		    all[i].id != NULL ? span_of(all[i].id, 16) : all[i].name;
	twice = named_twice(r, keys, n);
	for (size_t i = 0; i < n; i++)
		all[i].twice = twice[i];
}

static enum kafka_error
check(const struct request *r, const struct victim *v, const char **why)
{
	if (!r->api->config.delete_topic_enable) {
		*why = "Deleting topics is switched off on this broker: delete.topic.enable is false.";
		return r->version < DISABLED_VERSION ? KAFKA_INVALID_REQUEST : KAFKA_TOPIC_DELETION_DISABLED;
	}
	if ((v->name.p != NULL) == (v->id != NULL)) {
		*why = "A topic is named by its name or by its id: by one of them, not by both.";
		return KAFKA_INVALID_REQUEST;
	}
	if (v->twice) {
		*why = "The request names this topic more than once.";
		return KAFKA_INVALID_REQUEST;
	}
	if (v->topic == NULL) {
		*why = v->id != NULL ? "There is no topic of this id." : "There is no topic of this name.";
		return v->id != NULL ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	}
	return KAFKA_NONE;
}

static void
delete(struct pending *p, const struct victim *v, struct wire_delete_topics_response_topic *to)
{
	struct request *r = p->request;
	const char *why = NULL;
	enum kafka_error error = check(r, v, &why);
	struct append *a;

	wire_delete_topics_response_topic_default(to);
	pending_outcome(r, error, why, &to->error_code, &to->error_message);
	to->name = v->name;
	if (v->id != NULL)
		memcpy(to->topic_id, v->id, sizeof to->topic_id);
	if (error != KAFKA_NONE)
		return;
	/* Copied: the topic is gone when the answer is sent. */
	to->name = request_copy(r, v->topic->name);
	memcpy(to->topic_id, v->topic->id, sizeof to->topic_id);
	a = pending_append(p, &to->error_code, &to->error_message);
	pending_begun(a, topics_delete(r->api, v->topic, a));
}

/* timeout_ms is not needed: the topics are gone at once, and only one write is waited for. */
void
delete_topics_run(struct request *r)
{
	const struct wire_delete_topics_request *q = r->message;
	size_t n = r->version < TOPIC_ID_VERSION ? q->n_topic_names : q->n_topics;
	struct wire_delete_topics_response *response;
	struct victim *all;
	struct pending *p;

	if (pending_refused(r, n))
		return;
	all = find_all(r, n);
	mark_duplicates(r, all, n);
	response = request_alloc(r, sizeof *response);
	wire_delete_topics_response_default(response);
	response->n_responses = n;
	response->responses = request_array(r, n, sizeof *response->responses);
	p = pending_begin(r, response);
	for (size_t i = 0; i < n; i++)
		delete(p, &all[i], &response->responses[i]);
	pending_release(p);
}
