/* offset_commit.c -- OffsetCommit, OffsetDelete: what changes committed offsets. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "api/topics.h"
#include "base/must.h"

enum { GROUP_NOT_FOUND_VERSION = 9 };

/* ---- OffsetCommit ---- */

static struct span
key_of(struct request *r, const uint8_t topic[16], int32_t partition)
{
	const struct wire_offset_commit_request *q = r->message;

	return offsets_key(request_alloc(r, OFFSETS_KEY_MAX), q->group_id, topic, partition);
}

static void
commit_topic(struct offsets_batch *b, const struct wire_offset_commit_request_topic *from,
    struct wire_offset_commit_response_topic *to, enum kafka_error refused)
{
	struct request *r = b->pending->request;
	const struct wire_offset_commit_request *q = r->message;
	struct topic *t = topics_find(r->api, from->name);

	wire_offset_commit_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		const struct wire_offset_commit_request_partition *asked = &from->partitions[i];
		struct offsets_commit what = { .offset = asked->committed_offset,
			.leader_epoch = asked->committed_leader_epoch, .metadata = asked->committed_metadata,
			.retention_ms = q->retention_time_ms };

		to->partitions[i].partition_index = asked->partition_index;
		offsets_batch_add(b, t, asked->partition_index, &what, refused, &to->partitions[i].error_code);
	}
}

void
offset_commit_run(struct request *r)
{
	const struct wire_offset_commit_request *q = r->message;
	struct group_commit check = { .group_id = q->group_id, .member_id = q->member_id,
		.instance_id = q->group_instance_id, .generation = q->generation_id_or_member_epoch,
		.group_not_found_known = r->version >= GROUP_NOT_FOUND_VERSION };
	enum kafka_error refused =
	    (enum kafka_error)groups_commit_check(r->api->groups, &check, request_now_ms(r));
	struct wire_offset_commit_response *response = request_alloc(r, sizeof *response);
	struct offsets_batch *b;
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	wire_offset_commit_response_default(response);
	response->n_topics = q->n_topics;
	response->topics = request_array(r, q->n_topics, sizeof *response->topics);
	b = offsets_batch_begin(r, response, n, key_of);
	for (size_t i = 0; i < q->n_topics; i++)
		commit_topic(b, &q->topics[i], &response->topics[i], refused);
	if (offsets_batch_put(b))
		groups_note_offsets(r->api->groups, q->group_id, true, request_now_ms(r));
	group_calls_after(r->api);
	pending_release(b->pending);
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
