/* txn_offset_commit.c -- TxnOffsetCommit: offsets that count when their transaction is committed. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"
#include "api/txn_calls.h"
#include "api/txn_offsets.h"
#include "base/must.h"

/*
 * The first version that says which member of the group it is (KIP-447); by which the
 * group joins the transaction (KIP-890).
 */
enum { MEMBER_VERSION = 3, JOINING_VERSION = 5 };

struct txn_commit {
	struct request *request;
	struct wire_txn_offset_commit_response response;
	struct append append;
	struct state_entry *entries;
	bool *first; /* of each entry: whether it is the transaction's first of its partition */
	size_t n_entries;
};

static void
finish(struct txn_commit *c)
{
	for (size_t i = 0; i < c->response.n_topics && c->append.error != STORE_OK; i++)
		for (size_t k = 0; k < c->response.topics[i].n_partitions; k++)
			if (c->response.topics[i].partitions[k].error_code == KAFKA_NONE)
				c->response.topics[i].partitions[k].error_code =
				    (int16_t)offsets_commit_error(c->append.error);
	request_reply(c->request, &c->response);
}

static void
committed(struct append *a)
{
	struct txn_commit *c = a->user;
	struct request *r = c->request;

	finish(c);
	request_release(r);
}

static enum kafka_error
commit_one(struct txn_commit *c, const struct topic *t,
    const struct wire_txn_offset_commit_request_partition *asked)
{
	struct request *r = c->request;
	const struct wire_txn_offset_commit_request *q = r->message;
	struct offsets_commit what = { .offset = asked->committed_offset,
		.leader_epoch = asked->committed_leader_epoch, .metadata = asked->committed_metadata,
		.retention_ms = -1 };
	uint8_t *key;

	if (topic_partition(t, asked->partition_index) == NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (asked->committed_metadata.n > (size_t)r->api->config.offset_metadata_max_bytes)
		return KAFKA_OFFSET_METADATA_TOO_LARGE;
	key = request_alloc(r, TXN_OFFSETS_KEY_MAX);
	c->entries[c->n_entries++] = (struct state_entry){
		txn_offsets_key(key, q->producer_id, q->group_id, t->id, asked->partition_index),
		offsets_value(r, &what) };
	return KAFKA_NONE;
}

static void
commit_topic(struct txn_commit *c, const struct wire_txn_offset_commit_request_topic *from,
    struct wire_txn_offset_commit_response_topic *to, enum kafka_error refused)
{
	struct topic *t = topics_find(c->request->api, from->name);

	wire_txn_offset_commit_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(c->request, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		to->partitions[i].partition_index = from->partitions[i].partition_index;
		to->partitions[i].error_code = refused != KAFKA_NONE ? (int16_t)refused :
		    (int16_t)commit_one(c, t, &from->partitions[i]);
	}
}

/* Whether the producer may, and then whether the member of the group that it works for may. */
static enum kafka_error
check(struct request *r)
{
	const struct wire_txn_offset_commit_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	struct group_commit group = { .group_id = q->group_id, .member_id = q->member_id,
		.instance_id = q->group_instance_id, .generation = q->generation_id, .transactional = true };
	enum txn_error error;

	if (q->group_id.n == 0 || q->group_id.n > GROUP_ID_MAX_BYTES)
		return KAFKA_INVALID_GROUP_ID;
	error = txns_check_group(r->api->txns, &caller, q->group_id);
	if (error != TXN_OK)
		return txn_calls_error(error, false);
	if (r->version < MEMBER_VERSION)
		group.generation = -1;
	return (enum kafka_error)groups_commit_check(r->api->groups, &group, request_now_ms(r));
}

/* A transaction may commit an offset again and again: it is pending once. */
static void
find_first(struct txn_commit *c)
{
	struct request *r = c->request;
	struct buf value = { 0 };
	struct named seen;

	c->first = request_array(r, c->n_entries, sizeof *c->first);
	named_init(&seen, r);
	for (size_t i = 0; i < c->n_entries; i++)
		c->first[i] = !named_before(&seen, c->entries[i].key) &&
		    !state_get(r->api->store, STATE_OFFSETS, c->entries[i].key, &value);
	named_done(&seen);
	buf_done(&value);
}

/* `refused`: why it can't be, if that is known. */
static void
commit(struct request *r, enum kafka_error refused)
{
	const struct wire_txn_offset_commit_request *q = r->message;
	struct txn_commit *c = request_alloc(r, sizeof *c);
	bool over = true;
	size_t n = 0;

	if (refused == KAFKA_NONE)
		refused = check(r);
	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	c->request = r;
	c->entries = request_array(r, n, sizeof *c->entries);
	wire_txn_offset_commit_response_default(&c->response);
	c->response.n_topics = q->n_topics;
	c->response.topics = request_array(r, q->n_topics, sizeof *c->response.topics);
	for (size_t i = 0; i < q->n_topics; i++)
		commit_topic(c, &q->topics[i], &c->response.topics[i], refused);
	c->append = (struct append){ .done = committed, .user = c };
	if (c->n_entries > 0) {
		find_first(c);
		over = state_put(r->api->store, STATE_OFFSETS, c->entries, c->n_entries,
		    request_wall_ms(r), &c->append);
		for (size_t i = 0; i < c->n_entries && c->append.error == STORE_OK; i++)
			if (c->first[i])
				txn_offsets_note(r->api, c->entries[i].key);
	}
	group_calls_after(r->api);
	if (over)
		finish(c);
	else
		request_hold(r);
}

/* ---- the group joins the transaction ---- */

struct joining {
	struct txn_change change;
	struct request *request;
};

static void
joined(struct txn_change *c, enum kafka_error error)
{
	struct request *r = container_of(c, struct joining, change)->request;

	commit(r, error);
	request_release(r);
}

static void
join(struct request *r)
{
	const struct wire_txn_offset_commit_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	enum txn_error error;
	struct joining *j;
	struct txn *t;
	bool change;

	error = txns_add(r->api->txns, &caller, NULL, 0, q->group_id, request_wall_ms(r), &t, &change);
	if (!change) {
		commit(r, txn_calls_error(error, false));
		return;
	}
	j = request_alloc(r, sizeof *j);
	j->request = r;
	j->change.done = joined;
	request_hold(r);
	txn_calls_change(r->api, t, &j->change);
}

void
txn_offset_commit_run(struct request *r)
{
	const struct wire_txn_offset_commit_request *q = r->message;

	if (r->version >= JOINING_VERSION && q->group_id.n > 0 && q->group_id.n <= GROUP_ID_MAX_BYTES)
		join(r);
	else
		commit(r, KAFKA_NONE);
}
