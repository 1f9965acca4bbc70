/* transactions.c -- transactional ids, and the transaction of each. */
#include "coord/transactions.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/must.h"
#include "base/xalloc.h"

enum { RETRY_MS = 1000 };

struct txns {
	struct map by_id;     /* owned, with their elements */
	struct heap due;
	size_t n_partitions;  /* of all `is` */
};

static const char *const state_names[TXN_STATES] = { "Empty", "Ongoing", "PrepareCommit", "PrepareAbort",
	"CompleteCommit", "CompleteAbort" };

const char *
txn_state_name(enum txn_state state)
{
	return state_names[state];
}

bool
txn_state_find(struct span name, enum txn_state *state)
{
	for (int i = 0; i < TXN_STATES; i++)
		if (span_is(name, state_names[i])) {
			*state = (enum txn_state)i;
			return true;
		}
	return false;
}

/* ---- values ---- */

static struct span
copy_span(struct span s)
{
	uint8_t *p = xmalloc(s.n);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

static void
free_span(struct span s)
{
	free((uint8_t *)(uintptr_t)s.p);
}

static void
clear_sets(struct txn_values *v)
{
	for (size_t i = 0; i < v->n_groups; i++)
		free_span(v->groups[i].id);
	free(v->groups);
	free(v->partitions);
	v->groups = NULL;
	v->partitions = NULL;
	v->n_groups = v->n_partitions = 0;
}

static void
copy_values(struct txn_values *to, const struct txn_values *from)
{
	*to = *from;
	to->partitions = NULL;
	to->groups = NULL;
	if (from->n_partitions > 0) {
		to->partitions = xmalloc(from->n_partitions * sizeof *to->partitions);
		memcpy(to->partitions, from->partitions, from->n_partitions * sizeof *to->partitions);
	}
	if (from->n_groups > 0)
		to->groups = xmalloc(from->n_groups * sizeof *to->groups);
	for (size_t i = 0; i < from->n_groups; i++)
		to->groups[i].id = copy_span(from->groups[i].id);
}

static int
compare_partitions(const void *a, const void *b)
{
	const struct txn_partition *x = a, *y = b;
	int r = memcmp(x->topic, y->topic, sizeof x->topic);

	return r != 0 ? r : (x->number > y->number) - (x->number < y->number);
}

static bool
has_partition(const struct txn_values *v, const struct txn_partition *p)
{
	return v->n_partitions > 0 &&
	    bsearch(p, v->partitions, v->n_partitions, sizeof *p, compare_partitions) != NULL;
}

static bool
has_group(const struct txn_values *v, struct span id)
{
	for (size_t i = 0; i < v->n_groups; i++)
		if (span_eq(v->groups[i].id, id))
			return true;
	return false;
}

static void
sort_partitions(struct txn_values *v)
{
	size_t n = 0;

	if (v->n_partitions > 1)
		qsort(v->partitions, v->n_partitions, sizeof *v->partitions, compare_partitions);
	for (size_t i = 0; i < v->n_partitions; i++)
		if (n == 0 || compare_partitions(&v->partitions[n - 1], &v->partitions[i]) != 0)
			v->partitions[n++] = v->partitions[i];
	v->n_partitions = n;
}

static void
add_partitions(struct txn_values *v, const struct txn_partition *from, size_t n)
{
	if (n == 0)
		return;
	v->partitions = xrealloc(v->partitions, (v->n_partitions + n) * sizeof *v->partitions);
	memcpy(v->partitions + v->n_partitions, from, n * sizeof *from);
	v->n_partitions += n;
	sort_partitions(v);
}

static void
add_group(struct txn_values *v, struct span id)
{
	v->groups = xrealloc(v->groups, (v->n_groups + 1) * sizeof *v->groups);
	v->groups[v->n_groups++].id = copy_span(id);
}

static bool
is_preparing(enum txn_state state)
{
	return state == TXN_PREPARE_COMMIT || state == TXN_PREPARE_ABORT;
}

/* ---- the table ---- */

struct txns *
txns_new(void)
{
	return xcalloc(1, sizeof(struct txns));
}

static void
free_txn(struct txn *t)
{
	clear_sets(&t->is);
	if (t->busy)
		clear_sets(&t->next);
	free_span(t->id);
	free(t);
}

void
txns_free(struct txns *ts)
{
	struct txn *t;
	size_t it = 0;

	while ((t = map_next(&ts->by_id, &it)) != NULL)
		free_txn(t);
	map_done(&ts->by_id);
	heap_done(&ts->due);
	free(ts);
}

struct txn *
txns_find(const struct txns *ts, struct span id)
{
	return map_get(&ts->by_id, id);
}

size_t
txns_count(const struct txns *ts)
{
	return ts->by_id.n;
}

struct txn *
txns_next(const struct txns *ts, size_t *it)
{
	return map_next(&ts->by_id, it);
}

static struct txn *
add(struct txns *ts, struct span id)
{
	struct txn *t = xcalloc(1, sizeof *t);

	t->id = copy_span(id);
	t->is = (struct txn_values){ .producer_id = -1, .epoch = -1, .last_producer_id = -1,
		.last_epoch = -1, .next_producer_id = -1, .start_ms = -1 };
	must_fit(map_put(&ts->by_id, t->id, t));
	return t;
}

static void
drop(struct txns *ts, struct txn *t)
{
	map_del(&ts->by_id, t->id);
	heap_del(&ts->due, &t->due);
	ts->n_partitions -= t->is.n_partitions;
	free_txn(t);
}

static void
set_due(struct txns *ts, struct txn *t, int64_t at_ms)
{
	if (t->is.state == TXN_ONGOING)
		must_fit(heap_put(&ts->due, &t->due, at_ms));
	else
		heap_del(&ts->due, &t->due);
}

bool
txns_load(struct txns *ts, struct span id, const struct txn_values *v, int64_t now_ms, int64_t wall_ms)
{
	int64_t lasted = wall_ms - v->start_ms;
	struct txn *t;

	if (id.n == 0 || id.n > TXN_ID_MAX_BYTES || v->producer_id < 0 || v->epoch < 0 ||
	    v->timeout_ms <= 0 || (int)v->state < 0 || v->state >= TXN_STATES || txns_find(ts, id) != NULL)
		return false;
	t = add(ts, id);
	copy_values(&t->is, v);
	sort_partitions(&t->is);
	ts->n_partitions += t->is.n_partitions;
	/* A clock that was set says nothing of how long it has lasted. */
	if (lasted < 0)
		lasted = 0;
	set_due(ts, t, now_ms + (lasted >= v->timeout_ms ? 0 : v->timeout_ms - lasted));
	return true;
}

/* ---- changes ---- */

static struct txn_values *
begin(struct txn *t, int64_t wall_ms)
{
	must(!t->busy);
	t->busy = true;
	copy_values(&t->next, &t->is);
	t->next.update_ms = wall_ms;
	return &t->next;
}

void
txns_changed(struct txns *ts, struct txn *t, bool stored, int64_t now_ms)
{
	bool began;

	must(t->busy);
	t->busy = false;
	if (!stored) {
		clear_sets(&t->next);
		if (t->is.producer_id == -1)
			drop(ts, t);
		else if (t->is.state == TXN_ONGOING && t->due.at == 0)
			set_due(ts, t, now_ms + RETRY_MS); /* its time is over still */
		return;
	}
	began = t->is.state != TXN_ONGOING && t->next.state == TXN_ONGOING;
	ts->n_partitions += t->next.n_partitions - t->is.n_partitions;
	clear_sets(&t->is);
	t->is = t->next;
	if (began || t->is.state != TXN_ONGOING)
		set_due(ts, t, now_ms + t->is.timeout_ms);
}

void
txns_complete(struct txns *ts, struct txn *t, int64_t wall_ms)
{
	must(!t->busy && is_preparing(t->is.state));
	ts->n_partitions -= t->is.n_partitions;
	clear_sets(&t->is);
	t->is.state = t->is.state == TXN_PREPARE_COMMIT ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT;
	t->is.start_ms = -1;
	t->is.update_ms = wall_ms;
	if (t->is.next_producer_id == -1)
		return;
	t->is.producer_id = t->is.next_producer_id;
	t->is.next_producer_id = -1;
	t->is.epoch = 0;
}

static void
set_last(struct txn_values *v, int64_t producer_id, int16_t epoch)
{
	v->last_producer_id = producer_id;
	v->last_epoch = epoch;
}

/*
 * An end that its producer has not asked for fences it.  It may come again with
 * InitProducerId, and goes on with the epoch that the markers bear; unless
 * another took the id over.
 */
static void
begin_abort(struct txn *t, bool taken_over, int64_t wall_ms)
{
	struct txn_values *v = begin(t, wall_ms);

	v->state = TXN_PREPARE_ABORT;
	set_last(v, taken_over ? -1 : v->producer_id, taken_over ? -1 : v->epoch);
	if (v->epoch <= TXN_EPOCH_MAX)
		v->epoch++;
}

/* The markers bear the next epoch, also where that is one more than is ever given out. */
static void
begin_bump(struct txn *t, const struct txn_end *q)
{
	struct txn_values *v = &t->next;

	set_last(v, v->producer_id, v->epoch);
	v->next_producer_id = v->epoch >= TXN_EPOCH_MAX ? q->fresh_id : -1;
	v->epoch++;
}

struct txn *
txns_overdue(struct txns *ts, int64_t now_ms, int64_t wall_ms)
{
	struct heap_node *node = heap_min(&ts->due);
	struct txn *t;

	if (node == NULL || node->key > now_ms)
		return NULL;
	t = container_of(node, struct txn, due);
	/* It may be about to end: then this comes too late, else it comes again. */
	heap_del(&ts->due, &t->due);
	if (t->busy) {
		must_fit(heap_put(&ts->due, &t->due, now_ms + 1));
		return NULL;
	}
	begin_abort(t, false, wall_ms);
	return t;
}

int64_t
txns_next_deadline(const struct txns *ts)
{
	const struct heap_node *node = heap_min(&ts->due);

	return node == NULL ? INT64_MAX : node->key;
}

bool
txn_expired(const struct txn *t, int64_t since_ms)
{
	return !t->busy && t->is.state != TXN_ONGOING && !is_preparing(t->is.state) &&
	    t->is.update_ms < since_ms;
}

void
txns_forget(struct txns *ts, struct txn *t)
{
	must(!t->busy && t->is.state != TXN_ONGOING && !is_preparing(t->is.state));
	drop(ts, t);
}

/* ---- InitProducerId ---- */

/* Whether it is the producer that has the id now: else another took it over. */
static bool
is_fenced(const struct txn_init *q, const struct txn_values *v)
{
	if (q->producer_id == -1 || v->producer_id == -1)
		return false;
	if (q->producer_id == v->producer_id && q->epoch == v->epoch)
		return false;
	/* It has not heard what it has now, if nobody has begun anything with that. */
	return q->producer_id != v->last_producer_id || q->epoch != v->last_epoch || v->last_epoch == -1 ||
	    v->state == TXN_ONGOING;
}

/* Whether it has the next epoch already, by an answer that was lost or an end; the markers' own is nobody's. */
static bool
has_next(const struct txn_init *q, const struct txn_values *v)
{
	return q->producer_id != -1 && v->producer_id != -1 && v->epoch <= TXN_EPOCH_MAX &&
	    (q->producer_id != v->producer_id || q->epoch != v->epoch);
}

/* It is Empty behind every InitProducerId.  False: it was so. */
static bool
begin_same_epoch(struct txn *t, const struct txn_init *q, int64_t wall_ms)
{
	struct txn_values *v;

	if (t->is.state == TXN_EMPTY)
		return false;
	v = begin(t, wall_ms);
	v->state = TXN_EMPTY;
	v->timeout_ms = q->timeout_ms;
	return true;
}

/* The producer gets the next epoch, or a new id where there is none. */
static void
begin_epoch(struct txn *t, const struct txn_init *q, int64_t wall_ms)
{
	struct txn_values *v = begin(t, wall_ms);
	bool fresh = t->is.producer_id == -1 || t->is.epoch >= TXN_EPOCH_MAX;

	v->state = TXN_EMPTY;
	v->timeout_ms = q->timeout_ms;
	if (q->producer_id == -1 || t->is.producer_id == -1)
		set_last(v, -1, -1);
	else
		set_last(v, q->producer_id, q->epoch);
	v->next_producer_id = -1;
	v->producer_id = fresh ? q->fresh_id : t->is.producer_id;
	v->epoch = fresh ? 0 : (int16_t)(t->is.epoch + 1);
}

enum txn_error
txns_init(struct txns *ts, const struct txn_init *q, int64_t wall_ms, struct txn **out, bool *change)
{
	struct txn *t = txns_find(ts, q->id);

	*change = false;
	*out = t;
	if (q->id.n == 0 || q->id.n > TXN_ID_MAX_BYTES)
		return TXN_INVALID_REQUEST;
	if (t == NULL && txns_count(ts) >= TXNS_MAX)
		return TXN_COORDINATOR_NOT_AVAILABLE;
	if (t != NULL && t->busy)
		return TXN_CONCURRENT_TRANSACTIONS;
	if (t != NULL && is_fenced(q, &t->is))
		return TXN_PRODUCER_FENCED;
	if (t != NULL && is_preparing(t->is.state))
		return TXN_CONCURRENT_TRANSACTIONS;
	if (t != NULL && t->is.state == TXN_ONGOING) {
		begin_abort(t, q->producer_id == -1, wall_ms);
		*change = true;
		return TXN_CONCURRENT_TRANSACTIONS;
	}
	if (t != NULL && has_next(q, &t->is)) {
		*change = begin_same_epoch(t, q, wall_ms);
		return TXN_OK;
	}
	if ((t == NULL || t->is.epoch >= TXN_EPOCH_MAX) && q->fresh_id == -1)
		return TXN_NEEDS_ID;
	if (t == NULL)
		*out = t = add(ts, q->id);
	begin_epoch(t, q, wall_ms);
	*change = true;
	return TXN_OK;
}

/* ---- within a transaction ---- */

/* The caller's id, if it is the caller's. */
static enum txn_error
find_caller(const struct txns *ts, const struct txn_caller *c, struct txn **out)
{
	struct txn *t = *out = c->id.n == 0 ? NULL : txns_find(ts, c->id);

	if (c->id.n == 0)
		return TXN_INVALID_REQUEST;
	if (t == NULL || t->is.producer_id != c->producer_id)
		return TXN_INVALID_PRODUCER_ID_MAPPING;
	/* The epoch behind the last is the markers' alone. */
	return t->is.epoch == c->epoch && c->epoch <= TXN_EPOCH_MAX ? TXN_OK : TXN_PRODUCER_FENCED;
}

static bool
has_all(const struct txn_values *v, const struct txn_partition *partitions, size_t n, struct span group)
{
	if (v->state != TXN_ONGOING || (group.p != NULL && !has_group(v, group)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!has_partition(v, &partitions[i]))
			return false;
	return true;
}

enum txn_error
txns_add(struct txns *ts, const struct txn_caller *c, const struct txn_partition *partitions, size_t n,
    struct span group, int64_t wall_ms, struct txn **out, bool *change)
{
	enum txn_error error = find_caller(ts, c, out);
	struct txn *t = *out;
	struct txn_values *v;

	*change = false;
	if (error != TXN_OK)
		return error;
	if (t->busy || is_preparing(t->is.state))
		return TXN_CONCURRENT_TRANSACTIONS;
	if (has_all(&t->is, partitions, n, group))
		return TXN_OK;
	if (t->is.n_partitions + n > TXN_PARTITIONS_MAX || t->is.n_groups >= TXN_GROUPS_MAX)
		return TXN_INVALID_REQUEST;
	if (ts->n_partitions + n > TXNS_PARTITIONS_MAX)
		return TXN_COORDINATOR_NOT_AVAILABLE;
	v = begin(t, wall_ms);
	if (v->state != TXN_ONGOING)
		v->start_ms = wall_ms;
	v->state = TXN_ONGOING;
	add_partitions(v, partitions, n);
	if (group.p != NULL && !has_group(v, group))
		add_group(v, group);
	*change = true;
	return TXN_OK;
}

/* What EndTxn is answered with in each state: by whether it is a commit. */
static const enum txn_error end_answers[TXN_STATES][2] = {
	[TXN_EMPTY] = { TXN_INVALID_TXN_STATE, TXN_INVALID_TXN_STATE },
	[TXN_ONGOING] = { TXN_OK, TXN_OK },
	[TXN_PREPARE_COMMIT] = { TXN_INVALID_TXN_STATE, TXN_CONCURRENT_TRANSACTIONS },
	[TXN_PREPARE_ABORT] = { TXN_CONCURRENT_TRANSACTIONS, TXN_INVALID_TXN_STATE },
	[TXN_COMPLETE_COMMIT] = { TXN_INVALID_TXN_STATE, TXN_OK },
	[TXN_COMPLETE_ABORT] = { TXN_OK, TXN_INVALID_TXN_STATE },
};

/*
 * Whether a producer of version 2 asks again for an end that was begun, by it or
 * because its time was over: its epoch is the one before.
 */
static bool
was_ended(const struct txns *ts, const struct txn_end *q, struct txn **out)
{
	const struct txn_caller *c = &q->caller;
	struct txn *t = *out = c->id.n == 0 ? NULL : txns_find(ts, c->id);

	if (!q->bumps || t == NULL || t->is.state == TXN_EMPTY || t->is.state == TXN_ONGOING ||
	    t->is.last_epoch == -1 || c->epoch != t->is.last_epoch || c->producer_id != t->is.last_producer_id)
		return false;
	/* Behind it the markers' own epoch is nobody's. */
	return is_preparing(t->is.state) || t->is.epoch <= TXN_EPOCH_MAX;
}

/* There is nothing to end: version 2 may abort it all the same, to have another epoch. */
static bool
may_abort_nothing(const struct txn_end *q, const struct txn *t)
{
	return q->bumps && !q->commit && (t->is.state == TXN_EMPTY || t->is.state == TXN_COMPLETE_COMMIT ||
	    t->is.state == TXN_COMPLETE_ABORT);
}

enum txn_error
txns_end(struct txns *ts, const struct txn_end *q, int64_t wall_ms, struct txn **out, bool *change)
{
	bool again = was_ended(ts, q, out);
	enum txn_error error = again ? TXN_OK : find_caller(ts, &q->caller, out);
	struct txn *t = *out;

	*change = false;
	if (error != TXN_OK)
		return error;
	if (t->busy)
		return TXN_CONCURRENT_TRANSACTIONS;
	if (again || (t->is.state != TXN_ONGOING && !may_abort_nothing(q, t)))
		/* Who has the epoch behind an end has not asked for that end. */
		return q->bumps && !again && !is_preparing(t->is.state) ? TXN_INVALID_TXN_STATE :
		    end_answers[t->is.state][q->commit];
	if (q->bumps && t->is.epoch >= TXN_EPOCH_MAX && q->fresh_id == -1)
		return TXN_NEEDS_ID;
	begin(t, wall_ms)->state = q->commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT;
	if (q->bumps)
		begin_bump(t, q);
	else
		set_last(&t->next, -1, -1); /* it has used the epoch that it has */
	*change = true;
	return TXN_OK;
}

static enum txn_error
find_ongoing(const struct txns *ts, const struct txn_caller *c, struct txn **out)
{
	enum txn_error error = find_caller(ts, c, out);

	if (error != TXN_OK)
		return error;
	/* Once it is being ended, nothing can join it. */
	return (*out)->is.state != TXN_ONGOING || ((*out)->busy && (*out)->next.state != TXN_ONGOING) ?
	    TXN_INVALID_TXN_STATE : TXN_OK;
}

enum txn_error
txns_check_partition(const struct txns *ts, const struct txn_caller *c, const struct txn_partition *p)
{
	struct txn *t;
	enum txn_error error = find_ongoing(ts, c, &t);

	return error != TXN_OK || has_partition(&t->is, p) ? error : TXN_INVALID_TXN_STATE;
}

enum txn_error
txns_check_group(const struct txns *ts, const struct txn_caller *c, struct span group)
{
	struct txn *t;
	enum txn_error error = find_ongoing(ts, c, &t);

	return error != TXN_OK || has_group(&t->is, group) ? error : TXN_INVALID_TXN_STATE;
}

void
txns_check(const struct txns *ts)
{
	size_t it = 0, n = 0;
	const struct txn *t;

	while ((t = map_next(&ts->by_id, &it)) != NULL) {
		n += t->is.n_partitions;
		must(t->is.producer_id >= 0 || t->busy);
		must(t->is.producer_id < 0 || (t->is.epoch >= 0 && t->is.timeout_ms > 0));
		must((t->is.state == TXN_ONGOING && !t->busy) <= (t->due.at != 0));
		must(t->is.state == TXN_ONGOING || is_preparing(t->is.state) ||
		    (t->is.n_partitions == 0 && t->is.n_groups == 0));
		for (size_t i = 1; i < t->is.n_partitions; i++)
			must(compare_partitions(&t->is.partitions[i - 1], &t->is.partitions[i]) < 0);
	}
	must(n == ts->n_partitions);
}
