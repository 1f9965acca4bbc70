/* offset_commit.c -- OffsetCommit, OffsetDelete: what changes committed offsets. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "api/topics.h"
#include "base/must.h"

enum { GROUP_NOT_FOUND_VERSION = 9 };

/* ---- OffsetCommit ---- */

struct commit {
	struct request *request;
	struct wire_offset_commit_response response;
	struct append append;
	struct state_entry *entries;
	size_t n_entries;
};

static void
finish_commit(struct commit *c)
{
	for (size_t i = 0; i < c->response.n_topics && c->append.error != STORE_OK; i++)
		for (size_t k = 0; k < c->response.topics[i].n_partitions; k++)
			if (c->response.topics[i].partitions[k].error_code == KAFKA_NONE)
				c->response.topics[i].partitions[k].error_code = (int16_t)offsets_commit_error(c->append.error);
	request_reply(c->request, &c->response);
}

static void
committed(struct append *a)
{
	struct commit *c = a->user;
	struct request *r = c->request;

	finish_commit(c);
	request_release(r);
}

static enum kafka_error
commit_one(struct commit *c, const struct topic *t,
    const struct wire_offset_commit_request_partition *asked)
{
	struct request *r = c->request;
	const struct wire_offset_commit_request *q = r->message;
	struct offsets_commit what = { .offset = asked->committed_offset,
		.leader_epoch = asked->committed_leader_epoch, .metadata = asked->committed_metadata,
		.retention_ms = q->retention_time_ms };
	uint8_t *key;

	if (topic_partition(t, asked->partition_index) == NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (asked->committed_metadata.n > (size_t)r->api->config.offset_metadata_max_bytes)
		return KAFKA_OFFSET_METADATA_TOO_LARGE;
	key = request_alloc(r, OFFSETS_KEY_MAX);
	c->entries[c->n_entries++] = (struct state_entry){
		offsets_key(key, q->group_id, t->id, asked->partition_index), offsets_value(r, &what) };
	return KAFKA_NONE;
}

static void
commit_topic(struct commit *c, const struct wire_offset_commit_request_topic *from,
    struct wire_offset_commit_response_topic *to, enum group_error refused)
{
	struct topic *t = topics_find(c->request->api, from->name);

	wire_offset_commit_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(c->request, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		to->partitions[i].partition_index = from->partitions[i].partition_index;
		to->partitions[i].error_code = refused != GROUP_OK ? (int16_t)refused :
		    (int16_t)commit_one(c, t, &from->partitions[i]);
	}
}

void
offset_commit_run(struct request *r)
{
	const struct wire_offset_commit_request *q = r->message;
	struct group_commit check = { .group_id = q->group_id, .member_id = q->member_id,
		.instance_id = q->group_instance_id, .generation = q->generation_id_or_member_epoch,
		.group_not_found_known = r->version >= GROUP_NOT_FOUND_VERSION };
	enum group_error refused = groups_commit_check(r->api->groups, &check, request_now_ms(r));
	struct commit *c = request_alloc(r, sizeof *c);
	bool over = true;
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	c->request = r;
	c->entries = request_array(r, n, sizeof *c->entries);
	wire_offset_commit_response_default(&c->response);
	c->response.n_topics = q->n_topics;
	c->response.topics = request_array(r, q->n_topics, sizeof *c->response.topics);
	for (size_t i = 0; i < q->n_topics; i++)
		commit_topic(c, &q->topics[i], &c->response.topics[i], refused);
	c->append = (struct append){ .done = committed, .user = c };
	if (c->n_entries > 0) {
		over = state_put(r->api->store, STATE_OFFSETS, c->entries, c->n_entries,
		    request_wall_ms(r), &c->append);
		if (c->append.error == STORE_OK)
			groups_note_offsets(r->api->groups, q->group_id, true, request_now_ms(r));
	}
	group_calls_after(r->api);
	if (over)
		finish_commit(c);
	else
		request_hold(r);
}

/* ---- OffsetDelete ---- */

struct deletion {
	struct request *request;
	struct wire_offset_delete_response response;
	struct state_entry *entries;
	size_t n_entries;
};

/* What is named again is answered again, but deleted once. */
static void
delete_topic(struct deletion *d, const struct wire_offset_delete_request_topic *from,
    struct wire_offset_delete_response_topic *to, enum group_error refused, struct named *named)
{
	struct request *r = d->request;
	const struct wire_offset_delete_request *q = r->message;
	struct topic *t = topics_find(r->api, from->name);

	wire_offset_delete_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		int32_t number = from->partitions[i].partition_index;

		to->partitions[i].partition_index = number;
		if (topic_partition(t, number) == NULL)
			to->partitions[i].error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
		else if (refused != GROUP_OK)
			to->partitions[i].error_code = (int16_t)refused;
		else if (!named_partition_before(named, t, number))
			d->entries[d->n_entries++].key = offsets_key(request_alloc(r, OFFSETS_KEY_MAX),
			    q->group_id, t->id, number);
	}
}

void
offset_delete_run(struct request *r)
{
	const struct wire_offset_delete_request *q = r->message;
	struct deletion *d = request_alloc(r, sizeof *d);
	enum group_error refused;
	struct pending *p;
	struct named named;
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	named_init(&named, r);
	d->request = r;
	d->entries = request_array(r, n, sizeof *d->entries);
	wire_offset_delete_response_default(&d->response);
	d->response.topics = request_array(r, q->n_topics, sizeof *d->response.topics);
	for (size_t i = 0; i < q->n_topics; i++) {
		refused = groups_offset_delete_check(r->api->groups, q->group_id, q->topics[i].name);
		if (refused != GROUP_OK && refused != GROUP_SUBSCRIBED_TO_TOPIC) {
			/* The request as a whole is refused. */
			d->response.error_code = (int16_t)refused;
			d->response.n_topics = 0;
			d->n_entries = 0;
			break;
		}
		delete_topic(d, &q->topics[i], &d->response.topics[d->response.n_topics++], refused, &named);
	}
	named_done(&named);
	p = pending_begin(r, &d->response);
	if (offsets_delete(p, d->entries, d->n_entries, &d->response.error_code) && d->n_entries > 0)
		offsets_note(r->api, q->group_id);
	group_calls_after(r->api);
	pending_release(p);
}
