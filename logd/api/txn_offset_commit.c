/* txn_offset_commit.c -- TxnOffsetCommit: offsets that count when their transaction is committed. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"
#include "api/txn_calls.h"
#include "api/txn_offsets.h"
#include "base/must.h"

/*
 * The first version that says which member of the group it is (KIP-447); that knows
 * TRANSACTION_ABORTABLE; by which the group joins the transaction (both KIP-890).
 */
enum { MEMBER_VERSION = 3, ABORTABLE_VERSION = 4, JOINING_VERSION = 5 };

static struct span
key_of(struct request *r, const uint8_t topic[16], int32_t partition)
{
	const struct wire_txn_offset_commit_request *q = r->message;

	return txn_offsets_key(request_alloc(r, TXN_OFFSETS_KEY_MAX), q->producer_id, q->group_id, topic, partition);
}

static void
commit_topic(struct offsets_batch *b, const struct wire_txn_offset_commit_request_topic *from,
    struct wire_txn_offset_commit_response_topic *to, enum kafka_error refused)
{
	struct request *r = b->pending->request;
	struct topic *t = topics_find(r->api, from->name);

	wire_txn_offset_commit_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		const struct wire_txn_offset_commit_request_partition *asked = &from->partitions[i];
		struct offsets_commit what = { .offset = asked->committed_offset,
			.leader_epoch = asked->committed_leader_epoch, .metadata = asked->committed_metadata,
			.retention_ms = -1 };

		to->partitions[i].partition_index = asked->partition_index;
		offsets_batch_add(b, t, asked->partition_index, &what, refused, &to->partitions[i].error_code);
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
	if (error == TXN_INVALID_TXN_STATE && r->version >= ABORTABLE_VERSION)
		return KAFKA_TRANSACTION_ABORTABLE;
	if (error != TXN_OK)
		return txn_calls_error(error, false);
	if (r->version < MEMBER_VERSION)
		group.generation = -1;
	return (enum kafka_error)groups_commit_check(r->api->groups, &group, request_now_ms(r));
}

/* Of each entry whether it is the transaction's first of its partition: what is committed again is pending once. */
static bool *
find_first(const struct offsets_batch *b)
{
	struct request *r = b->pending->request;
	bool *first = request_array(r, b->n, sizeof *first);
	struct buf value = { 0 };
	struct named seen;

	named_init(&seen, r);
	for (size_t i = 0; i < b->n; i++)
		first[i] = !named_before(&seen, b->entries[i].key) &&
		    !state_get(r->api->store, STATE_OFFSETS, b->entries[i].key, &value);
	named_done(&seen);
	buf_done(&value);
	return first;
}

/* `refused`: why it can't be, if that is known. */
static void
commit(struct request *r, enum kafka_error refused)
{
	const struct wire_txn_offset_commit_request *q = r->message;
	struct wire_txn_offset_commit_response *response = request_alloc(r, sizeof *response);
	struct offsets_batch *b;
	const bool *first;
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	if (refused == KAFKA_NONE)
		refused = check(r);
	if (refused == KAFKA_NONE && !txn_offsets_fit(r->api, n))
		refused = KAFKA_COORDINATOR_NOT_AVAILABLE;
	wire_txn_offset_commit_response_default(response);
	response->n_topics = q->n_topics;
	response->topics = request_array(r, q->n_topics, sizeof *response->topics);
	b = offsets_batch_begin(r, response, n, key_of);
	for (size_t i = 0; i < q->n_topics; i++)
		commit_topic(b, &q->topics[i], &response->topics[i], refused);
	first = find_first(b);
	if (offsets_batch_put(b))
		for (size_t i = 0; i < b->n; i++)
			if (first[i])
				txn_offsets_note(r->api, b->entries[i].key);
	group_calls_after(r->api);
	pending_release(b->pending);
}

/* ---- the group joins the transaction ---- */

static void
joined(struct txn_change *c, enum kafka_error error)
{
	commit(c->request, error);
}

static void
join(struct request *r)
{
	const struct wire_txn_offset_commit_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	enum txn_error error;
	struct txn *t;
	struct txn_change *c;
	bool change;

	error = txns_add(r->api->txns, &caller, NULL, 0, q->group_id, request_wall_ms(r), &t, &change);
	if (!change) {
		commit(r, txn_calls_error(error, false));
		return;
	}
	c = request_alloc(r, sizeof *c);
	*c = (struct txn_change){ .done = joined, .request = r };
	txn_calls_change(r->api, t, c);
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
