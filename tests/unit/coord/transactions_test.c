/* transactions_test.c -- transactional ids: who may do what, when. */
#include "coord/transactions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "unit/unit.h"

enum { TIMEOUT_MS = 1000, WALL = 1700000000 };

static struct txns *ts;
static struct txn *t;
static bool change;
static int64_t now;

static void
begin(void)
{
	ts = txns_new();
	now = 0;
}

static void
end(void)
{
	txns_check(ts);
	txns_free(ts);
}

static int64_t
wall(void)
{
	return WALL + now;
}

/* What was begun is durable now. */
static void
stored(void)
{
	txns_changed(ts, t, true, now);
	txns_check(ts);
}

static struct txn_partition
place(int number)
{
	return (struct txn_partition){ .topic = { 7 }, .number = number };
}

static enum txn_error
init_with(int64_t producer_id, int16_t epoch, int64_t fresh_id)
{
	struct txn_init q = { .id = span_str("t"), .timeout_ms = TIMEOUT_MS, .producer_id = producer_id,
		.epoch = epoch, .fresh_id = fresh_id };

	return txns_init(ts, &q, wall(), &t, &change);
}

/* A producer that has nothing open. */
static void
init(void)
{
	CU_ASSERT_FATAL(init_with(-1, -1, 10) == TXN_OK && change);
	stored();
}

static struct txn_caller
caller(void)
{
	return (struct txn_caller){ span_str("t"), t->is.producer_id, t->is.epoch };
}

static enum txn_error
add(int number)
{
	struct txn_caller c = caller();
	struct txn_partition p = place(number);

	return txns_add(ts, &c, &p, 1, span_of(NULL, 0), wall(), &t, &change);
}

static enum txn_error
finish_as(struct txn_caller c, bool commit, bool bumps, int64_t fresh_id)
{
	struct txn_end q = { c, commit, bumps, fresh_id };

	return txns_end(ts, &q, wall(), &t, &change);
}

static enum txn_error
finish(bool commit)
{
	return finish_as(caller(), commit, false, -1);
}

static enum txn_error
may(int number)
{
	struct txn_caller c = caller();
	struct txn_partition p = place(number);

	return txns_check_partition(ts, &c, &p);
}

static void
ongoing(void)
{
	init();
	CU_ASSERT_FATAL(add(1) == TXN_OK && change);
	stored();
}

static void
a_new_id_needs_a_producer_id(void)
{
	begin();
	CU_ASSERT(init_with(-1, -1, -1) == TXN_NEEDS_ID && !change && txns_count(ts) == 0);
	CU_ASSERT(init_with(-1, -1, 10) == TXN_OK && change);
	CU_ASSERT(t->next.producer_id == 10 && t->next.epoch == 0 && t->next.state == TXN_EMPTY);
	CU_ASSERT(init_with(-1, -1, 11) == TXN_CONCURRENT_TRANSACTIONS && !change);
	stored();
	CU_ASSERT(init_with(-1, -1, -1) == TXN_OK && t->next.producer_id == 10 && t->next.epoch == 1);
	stored();
	end();
}

static void
an_id_whose_record_was_not_taken_is_not_there(void)
{
	begin();
	CU_ASSERT(init_with(-1, -1, 10) == TXN_OK && change);
	txns_changed(ts, t, false, now);
	CU_ASSERT(txns_count(ts) == 0);
	end();
}

static void
ids_have_limits(void)
{
	char name[TXN_ID_MAX_BYTES + 1];
	struct txn_init q = { .timeout_ms = 1, .producer_id = -1, .fresh_id = 1 };

	begin();
	memset(name, 'x', sizeof name);
	q.id = span_of(name, 0);
	CU_ASSERT(txns_init(ts, &q, wall(), &t, &change) == TXN_INVALID_REQUEST);
	q.id = span_of(name, sizeof name);
	CU_ASSERT(txns_init(ts, &q, wall(), &t, &change) == TXN_INVALID_REQUEST);
	q.id = span_of(name, sizeof name - 1);
	CU_ASSERT(txns_init(ts, &q, wall(), &t, &change) == TXN_OK);
	stored();
	end();
}

/* The way from one state to the next, and what each call says on it. */
static void
a_transaction_goes_through_its_states(void)
{
	for (int commit = 0; commit < 2; commit++) {
		begin();
		init();
		CU_ASSERT(finish(commit) == TXN_INVALID_TXN_STATE && !change);
		CU_ASSERT(may(1) == TXN_INVALID_TXN_STATE);
		CU_ASSERT(add(1) == TXN_OK && change);
		CU_ASSERT(may(1) == TXN_INVALID_TXN_STATE); /* not durable yet */
		CU_ASSERT(add(2) == TXN_CONCURRENT_TRANSACTIONS && finish(commit) == TXN_CONCURRENT_TRANSACTIONS);
		stored();
		CU_ASSERT(t->is.state == TXN_ONGOING && may(1) == TXN_OK && may(2) == TXN_INVALID_TXN_STATE);
		CU_ASSERT(add(1) == TXN_OK && !change);
		CU_ASSERT(add(2) == TXN_OK && change);
		CU_ASSERT(may(1) == TXN_OK); /* what it has already goes on */
		stored();
		CU_ASSERT(finish(commit) == TXN_OK && change);
		CU_ASSERT(may(1) == TXN_INVALID_TXN_STATE);
		stored();
		CU_ASSERT(t->is.state == (commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT) && t->is.n_partitions == 2);
		CU_ASSERT(add(3) == TXN_CONCURRENT_TRANSACTIONS);
		CU_ASSERT(finish(commit) == TXN_CONCURRENT_TRANSACTIONS && finish(!commit) == TXN_INVALID_TXN_STATE);
		CU_ASSERT(init_with(-1, -1, -1) == TXN_CONCURRENT_TRANSACTIONS && !change);
		txns_complete(ts, t, wall());
		txns_check(ts);
		CU_ASSERT(t->is.state == (commit ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT) && t->is.n_partitions == 0);
		CU_ASSERT(finish(commit) == TXN_OK && !change && finish(!commit) == TXN_INVALID_TXN_STATE);
		CU_ASSERT(add(1) == TXN_OK && change);
		stored();
		CU_ASSERT(t->is.state == TXN_ONGOING && t->is.n_partitions == 1);
		end();
	}
}

static void
an_end_that_was_not_taken_can_be_asked_for_again(void)
{
	begin();
	ongoing();
	CU_ASSERT(finish(true) == TXN_OK && change);
	txns_changed(ts, t, false, now);
	CU_ASSERT(t->is.state == TXN_ONGOING && may(1) == TXN_OK);
	CU_ASSERT(finish(false) == TXN_OK && change);
	stored();
	CU_ASSERT(t->is.state == TXN_PREPARE_ABORT);
	end();
}

static void
another_producer_is_fenced(void)
{
	struct txn_caller c;
	struct txn_partition p = place(1);

	begin();
	ongoing();
	c = caller();
	CU_ASSERT(init_with(-1, -1, -1) == TXN_CONCURRENT_TRANSACTIONS && change);
	CU_ASSERT(t->next.state == TXN_PREPARE_ABORT && t->next.epoch == c.epoch + 1);
	stored();
	txns_complete(ts, t, wall());
	CU_ASSERT(txns_add(ts, &c, &p, 1, span_of(NULL, 0), wall(), &t, &change) == TXN_PRODUCER_FENCED);
	CU_ASSERT(finish_as(c, true, false, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(txns_check_partition(ts, &c, &p) == TXN_PRODUCER_FENCED);
	CU_ASSERT(txns_check_group(ts, &c, span_str("g")) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(c.producer_id, c.epoch, -1) == TXN_PRODUCER_FENCED && !change);
	CU_ASSERT(init_with(-1, -1, -1) == TXN_OK && t->next.epoch == c.epoch + 2);
	stored();
	c.producer_id++;
	CU_ASSERT(finish_as(c, true, false, -1) == TXN_INVALID_PRODUCER_ID_MAPPING);
	t = txns_find(ts, span_str("t"));
	end();
}

/* A stale producer must not abort what the one after it has open. */
static void
a_fenced_producer_aborts_nothing(void)
{
	begin();
	init();
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && change);
	stored();
	CU_ASSERT(add(1) == TXN_OK);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED && !change && t->is.state == TXN_ONGOING);
	end();
}

static void
init_that_is_sent_again_is_answered_again(void)
{
	begin();
	init();
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && change && t->next.epoch == 1);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && !change && t->is.epoch == 1);
	CU_ASSERT(init_with(10, 1, -1) == TXN_OK && change && t->next.epoch == 2);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(11, 2, -1) == TXN_PRODUCER_FENCED);
	end();
}

/* What is open was ended by the daemon: its markers are written. */
static void
completed(void)
{
	stored();
	txns_complete(ts, t, wall());
	txns_check(ts);
}

/* KIP-360: a producer that lost its way asks for another epoch, until its transaction is aborted. */
static void
who_aborts_its_own_goes_on_with_the_next_epoch(void)
{
	struct txn_caller c;

	begin();
	ongoing();
	c = caller();
	CU_ASSERT(init_with(10, 0, -1) == TXN_CONCURRENT_TRANSACTIONS && change && t->next.epoch == 1);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_CONCURRENT_TRANSACTIONS && !change);
	txns_complete(ts, t, wall());
	CU_ASSERT(finish_as(c, false, false, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && change && t->next.epoch == 1 && t->next.state == TXN_EMPTY);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && !change && t->is.epoch == 1);
	CU_ASSERT(finish_as(c, false, true, -1) == TXN_PRODUCER_FENCED); /* that one is over */
	CU_ASSERT(init_with(-1, -1, -1) == TXN_OK && change && t->next.epoch == 2);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED && init_with(10, 1, -1) == TXN_PRODUCER_FENCED);
	end();
}

static void
overdue(void)
{
	ongoing();
	now = TIMEOUT_MS;
	CU_ASSERT_FATAL(txns_overdue(ts, now, wall()) == t);
	completed();
}

static void
whose_time_was_over_goes_on(void)
{
	struct txn_init q = { .id = span_str("t"), .timeout_ms = 2 * TIMEOUT_MS, .producer_id = 10, .epoch = 0, .fresh_id = -1 };

	begin();
	overdue();
	CU_ASSERT(txns_init(ts, &q, wall(), &t, &change) == TXN_OK && change);
	CU_ASSERT(t->next.epoch == 1 && t->next.state == TXN_EMPTY && t->next.timeout_ms == 2 * TIMEOUT_MS);
	txns_changed(ts, t, false, now);
	CU_ASSERT(t->is.state == TXN_COMPLETE_ABORT);
	CU_ASSERT(txns_init(ts, &q, wall(), &t, &change) == TXN_OK && change);
	stored();
	CU_ASSERT(add(1) == TXN_OK && change);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED && !change);
	end();
}

/* Version 2 learns by its end that it was aborted already, and how it goes on. */
static void
whose_time_was_over_may_abort_but_not_commit(void)
{
	struct txn_caller c = { span_str("t"), 10, 0 };

	begin();
	overdue();
	CU_ASSERT(finish_as(c, true, true, -1) == TXN_INVALID_TXN_STATE && !change);
	CU_ASSERT(finish_as(c, false, true, -1) == TXN_OK && !change && t->is.epoch == 1);
	CU_ASSERT(finish_as(c, true, false, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(finish_as(c, false, false, -1) == TXN_PRODUCER_FENCED);
	t = txns_find(ts, span_str("t"));
	end();
}

/* Who comes without an id takes it over, and not only when it is told so. */
static void
what_another_aborts_is_fenced_at_once(void)
{
	struct txn_caller c = { span_str("t"), 10, 0 };

	begin();
	ongoing();
	CU_ASSERT(init_with(-1, -1, -1) == TXN_CONCURRENT_TRANSACTIONS && change);
	completed();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED && !change);
	CU_ASSERT(finish_as(c, true, true, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(finish_as(c, false, true, -1) == TXN_PRODUCER_FENCED);
	t = txns_find(ts, span_str("t"));
	end();
}

/* Two of version 1 would have one epoch. */
static void
an_end_that_raises_no_epoch_fences_the_one_before(void)
{
	for (int commit = 0; commit < 2; commit++) {
		begin();
		init();
		CU_ASSERT(init_with(10, 0, -1) == TXN_OK && change);
		stored();
		CU_ASSERT(add(1) == TXN_OK && change);
		stored();
		CU_ASSERT(finish(commit) == TXN_OK && change);
		completed();
		CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED && !change);
		CU_ASSERT(init_with(10, 1, -1) == TXN_OK && change && t->next.epoch == 2);
		stored();
		end();
	}
}

static void
behind_the_last_epoch_comes_a_new_id(void)
{
	struct txn_values v = { .producer_id = 10, .epoch = TXN_EPOCH_MAX, .last_producer_id = -1, .last_epoch = -1,
		.next_producer_id = -1, .timeout_ms = 5, .state = TXN_COMPLETE_COMMIT, .start_ms = -1 };

	begin();
	CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, now, wall()));
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, -1) == TXN_NEEDS_ID);
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, 20) == TXN_OK && change && t->next.producer_id == 20 && t->next.epoch == 0);
	stored();
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, -1) == TXN_OK && !change && t->is.producer_id == 20);
	CU_ASSERT(init_with(10, 5, -1) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(20, TXN_EPOCH_MAX, -1) == TXN_PRODUCER_FENCED); /* another had that */
	end();
}

/* Who guesses it would bring an epoch below 0 about, and a record that no start would take. */
static void
the_epoch_that_only_markers_bear_is_nobodys(void)
{
	struct txn_values v = { .producer_id = 10, .epoch = TXN_EPOCH_MAX, .last_producer_id = -1, .last_epoch = -1,
		.next_producer_id = -1, .timeout_ms = 5, .state = TXN_ONGOING, .start_ms = WALL };

	begin();
	CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, now, wall()));
	CU_ASSERT(init_with(-1, -1, 20) == TXN_CONCURRENT_TRANSACTIONS && change);
	CU_ASSERT(t->next.epoch == INT16_MAX);
	stored();
	txns_complete(ts, t, wall());
	CU_ASSERT(add(0) == TXN_PRODUCER_FENCED && may(0) == TXN_PRODUCER_FENCED && finish(true) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(-1, -1, 20) == TXN_OK && change && t->next.producer_id == 20 && t->next.epoch == 0);
	stored();
	end();
	/* Its own producer does not get it either. */
	begin();
	CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, now, wall()));
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, -1) == TXN_CONCURRENT_TRANSACTIONS && change);
	completed();
	t = txns_find(ts, span_str("t"));
	CU_ASSERT(finish_as((struct txn_caller){ span_str("t"), 10, TXN_EPOCH_MAX }, false, true, 20) == TXN_PRODUCER_FENCED);
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, -1) == TXN_NEEDS_ID && !change);
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, 20) == TXN_OK && change && t->next.producer_id == 20 && t->next.epoch == 0);
	stored();
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, 30) == TXN_OK && !change && t->is.producer_id == 20 && t->is.epoch == 0);
	end();
	/* One that an older version let in ends all the same. */
	v.epoch = INT16_MAX;
	begin();
	CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, now, wall()));
	CU_ASSERT(init_with(-1, -1, 20) == TXN_CONCURRENT_TRANSACTIONS && change && t->next.epoch == INT16_MAX);
	stored();
	end();
}

/* ---- version 2 (KIP-890) ---- */

static enum txn_error
finish_v2(struct txn_caller c, bool commit)
{
	return finish_as(c, commit, true, -1);
}

static void
each_end_brings_the_next_epoch(void)
{
	struct txn_caller c;

	begin();
	ongoing();
	c = caller();
	CU_ASSERT(finish_v2(c, true) == TXN_OK && change);
	CU_ASSERT(t->next.state == TXN_PREPARE_COMMIT && t->next.epoch == c.epoch + 1 && t->next.producer_id == 10);
	CU_ASSERT(finish_v2(c, true) == TXN_CONCURRENT_TRANSACTIONS);
	stored();
	CU_ASSERT(finish_v2(c, true) == TXN_CONCURRENT_TRANSACTIONS && finish_v2(c, false) == TXN_INVALID_TXN_STATE);
	txns_complete(ts, t, wall());
	/* Its answer was lost: it asks again, as what it was. */
	CU_ASSERT(finish_v2(c, true) == TXN_OK && !change && t->is.epoch == c.epoch + 1);
	CU_ASSERT(finish_v2(c, false) == TXN_INVALID_TXN_STATE);
	CU_ASSERT(finish_v2(caller(), true) == TXN_INVALID_TXN_STATE);
	/* The next one has begun: what comes late is fenced. */
	CU_ASSERT(add(1) == TXN_OK && change);
	stored();
	CU_ASSERT(finish_v2(c, true) == TXN_PRODUCER_FENCED);
	CU_ASSERT(txns_add(ts, &c, NULL, 0, span_str("g"), wall(), &t, &change) == TXN_PRODUCER_FENCED);
	t = txns_find(ts, span_str("t"));
	end();
}

/* It does not know how the end went, and goes on all the same. */
static void
init_by_the_epoch_before_an_end_brings_the_one_behind(void)
{
	begin();
	ongoing();
	CU_ASSERT(finish_v2(caller(), true) == TXN_OK && change);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_CONCURRENT_TRANSACTIONS && !change);
	txns_complete(ts, t, wall());
	CU_ASSERT(init_with(10, 0, -1) == TXN_OK && change && t->next.epoch == 1 && t->next.state == TXN_EMPTY);
	stored();
	CU_ASSERT(init_with(10, 1, -1) == TXN_OK && change && t->next.epoch == 2);
	stored();
	CU_ASSERT(init_with(10, 0, -1) == TXN_PRODUCER_FENCED);
	end();
}

static void
nothing_can_be_aborted_but_not_committed(void)
{
	struct txn_caller c;

	begin();
	init();
	c = caller();
	CU_ASSERT(finish_v2(c, true) == TXN_INVALID_TXN_STATE && !change);
	CU_ASSERT(finish_v2(c, false) == TXN_OK && change);
	stored();
	txns_complete(ts, t, wall());
	CU_ASSERT(t->is.state == TXN_COMPLETE_ABORT && t->is.epoch == c.epoch + 1);
	c = caller();
	CU_ASSERT(finish_v2(c, false) == TXN_OK && change);
	stored();
	txns_complete(ts, t, wall());
	CU_ASSERT(t->is.epoch == c.epoch + 1);
	end();
}

static void
behind_the_last_epoch_an_end_brings_a_new_id(void)
{
	struct txn_values v = { .producer_id = 10, .epoch = TXN_EPOCH_MAX, .last_producer_id = -1, .last_epoch = -1,
		.next_producer_id = -1, .timeout_ms = 5000, .state = TXN_ONGOING, .start_ms = WALL };
	struct txn_caller c;

	begin();
	CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, now, wall()));
	t = txns_find(ts, span_str("t"));
	c = caller();
	CU_ASSERT(finish_v2(c, true) == TXN_NEEDS_ID && !change);
	CU_ASSERT(finish_as(c, true, true, 20) == TXN_OK && change);
	CU_ASSERT(t->next.producer_id == 10 && t->next.epoch == INT16_MAX); /* what the markers bear */
	stored();
	txns_complete(ts, t, wall());
	CU_ASSERT(t->is.producer_id == 20 && t->is.epoch == 0);
	CU_ASSERT(finish_v2(c, true) == TXN_OK && !change);
	CU_ASSERT(init_with(10, TXN_EPOCH_MAX, -1) == TXN_OK && change && t->next.producer_id == 20 && t->next.epoch == 0);
	stored();
	CU_ASSERT(init_with(20, 0, -1) == TXN_OK && change && t->next.epoch == 1);
	stored();
	end();
}

static void
what_lasts_too_long_is_aborted_once(void)
{
	begin();
	ongoing();
	CU_ASSERT(txns_next_deadline(ts) == TIMEOUT_MS);
	now = 500;
	CU_ASSERT(add(2) == TXN_OK);
	stored();
	CU_ASSERT(txns_next_deadline(ts) == TIMEOUT_MS); /* it counts from the first */
	CU_ASSERT(txns_overdue(ts, TIMEOUT_MS - 1, wall()) == NULL);
	now = TIMEOUT_MS;
	CU_ASSERT(txns_overdue(ts, now, wall()) == t && t->next.state == TXN_PREPARE_ABORT);
	CU_ASSERT(t->next.epoch == t->is.epoch + 1 && txns_overdue(ts, now, wall()) == NULL);
	/* The disk is full: later. */
	txns_changed(ts, t, false, now);
	CU_ASSERT(t->is.state == TXN_ONGOING && txns_next_deadline(ts) > now);
	now = txns_next_deadline(ts);
	CU_ASSERT(txns_overdue(ts, now, wall()) == t);
	stored();
	CU_ASSERT(txns_next_deadline(ts) == INT64_MAX);
	end();
}

static void
an_end_under_way_goes_before_the_deadline(void)
{
	begin();
	ongoing();
	CU_ASSERT(finish(true) == TXN_OK && change);
	now = TIMEOUT_MS;
	CU_ASSERT(txns_overdue(ts, now, wall()) == NULL);
	stored();
	CU_ASSERT(t->is.state == TXN_PREPARE_COMMIT && txns_next_deadline(ts) == INT64_MAX);
	end();
}

static void
a_start_knows_how_long_it_has_lasted(void)
{
	struct txn_values v = { .producer_id = 10, .last_producer_id = -1, .last_epoch = -1, .next_producer_id = -1, .timeout_ms = 1000,
		.state = TXN_ONGOING };
	static const struct { int64_t started, due; } rows[] = { { WALL - 400, 600 }, { WALL - 5000, 0 }, { WALL + 5000, 1000 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin();
		v.start_ms = rows[i].started;
		CU_ASSERT_FATAL(txns_load(ts, span_str("t"), &v, 0, WALL));
		CU_ASSERT(txns_next_deadline(ts) == rows[i].due);
		end();
	}
}

static void
records_that_contradict_themselves_are_refused(void)
{
	static const struct txn_values rows[] = {
		{ .producer_id = -1, .timeout_ms = 1 },
		{ .producer_id = 1, .epoch = -1, .timeout_ms = 1 },
		{ .producer_id = 1, .timeout_ms = 0 },
		{ .producer_id = 1, .timeout_ms = 1, .state = TXN_STATES },
		{ .producer_id = 1, .timeout_ms = 1, .state = (enum txn_state)-1 },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CU_ASSERT(!txns_load(ts, span_str("t"), &rows[i], 0, WALL));
	CU_ASSERT(txns_count(ts) == 0);
	end();
}

static void
groups_are_in_it_once(void)
{
	struct txn_caller c;

	begin();
	init();
	c = caller();
	CU_ASSERT(txns_check_group(ts, &c, span_str("g")) == TXN_INVALID_TXN_STATE);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(txns_add(ts, &c, NULL, 0, span_str("g"), wall(), &t, &change) == TXN_OK && change == (i == 0));
		if (change)
			stored();
	}
	CU_ASSERT(t->is.n_groups == 1 && txns_check_group(ts, &c, span_str("g")) == TXN_OK);
	CU_ASSERT(txns_check_group(ts, &c, span_str("h")) == TXN_INVALID_TXN_STATE);
	end();
}

static void
a_transaction_has_limits(void)
{
	struct txn_partition *many = xcalloc(TXN_PARTITIONS_MAX + 1, sizeof *many);
	struct txn_caller c;

	begin();
	init();
	c = caller();
	for (int i = 0; i <= TXN_PARTITIONS_MAX; i++)
		many[i] = place(TXN_PARTITIONS_MAX - i);
	CU_ASSERT(txns_add(ts, &c, many, TXN_PARTITIONS_MAX + 1, span_of(NULL, 0), wall(), &t, &change) == TXN_INVALID_REQUEST);
	CU_ASSERT(txns_add(ts, &c, many, TXN_PARTITIONS_MAX, span_of(NULL, 0), wall(), &t, &change) == TXN_OK);
	stored();
	CU_ASSERT(t->is.n_partitions == TXN_PARTITIONS_MAX && may(17) == TXN_OK);
	CU_ASSERT(add(0) == TXN_INVALID_REQUEST);
	for (int i = 0; i < TXN_GROUPS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof name, "g%d", i);
		CU_ASSERT(txns_add(ts, &c, NULL, 0, span_str(name), wall(), &t, &change) == TXN_OK);
		stored();
	}
	CU_ASSERT(txns_add(ts, &c, NULL, 0, span_str("g"), wall(), &t, &change) == TXN_INVALID_REQUEST);
	free(many);
	end();
}

static void
only_what_nobody_uses_expires(void)
{
	begin();
	init();
	CU_ASSERT(!txn_expired(t, wall()) && txn_expired(t, wall() + 1));
	CU_ASSERT(add(1) == TXN_OK && !txn_expired(t, INT64_MAX));
	stored();
	CU_ASSERT(!txn_expired(t, INT64_MAX));
	CU_ASSERT(finish(true) == TXN_OK);
	stored();
	CU_ASSERT(!txn_expired(t, INT64_MAX));
	txns_complete(ts, t, wall());
	CU_ASSERT(txn_expired(t, INT64_MAX));
	txns_forget(ts, t);
	CU_ASSERT(txns_count(ts) == 0);
	end();
}

/* ---- many random lives ---- */

static uint64_t dice;

static unsigned
below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

/* What is under way is taken, or not; epochs never fall, and a producer id goes with them. */
static void
settle(struct txn *x)
{
	int64_t id = x->is.producer_id;
	int16_t epoch = x->is.epoch;
	bool there = id != -1, taken = below(4) != 0;

	txns_changed(ts, x, taken, now);
	if (there || taken)
		CU_ASSERT(x->is.producer_id != id || x->is.epoch >= epoch);
}

static void
end_at_random(struct txn_caller c, struct txn **x, bool *changed)
{
	struct txn_end q = { c, below(2) == 0, below(2) == 0, below(3) == 0 ? -1 : (int64_t)(1 + below(1000)) };

	txns_end(ts, &q, wall(), x, changed);
}

static void
step(void)
{
	static const char *const names[] = { "a", "b", "c" };
	struct txn_init q = { .id = span_str(names[below(3)]), .timeout_ms = 1 + (int32_t)below(500), .producer_id = -1,
		.fresh_id = below(2) == 0 ? -1 : (int64_t)(1 + below(1000)) };
	struct txn *x = txns_find(ts, q.id);
	struct txn_caller c = { q.id, x == NULL ? 1 : x->is.producer_id, x == NULL ? 0 : x->is.epoch };
	struct txn_partition p = place((int)below(5));
	bool changed = false;

	if (below(10) == 0)
		c.epoch--;
	switch (below(6)) {
	case 0:
		if (below(2) == 0) {
			q.producer_id = c.producer_id;
			q.epoch = c.epoch;
		}
		txns_init(ts, &q, wall(), &x, &changed);
		break;
	case 1:
	case 2:
		txns_add(ts, &c, &p, 1, below(3) == 0 ? span_str("g") : span_of(NULL, 0), wall(), &x, &changed);
		break;
	case 3:
		end_at_random(c, &x, &changed);
		break;
	case 4:
		now += below(300);
		if ((x = txns_overdue(ts, now, wall())) != NULL)
			changed = true;
		break;
	default:
		if (x != NULL && !x->busy && (x->is.state == TXN_PREPARE_COMMIT || x->is.state == TXN_PREPARE_ABORT))
			txns_complete(ts, x, wall());
		else if (x != NULL && txn_expired(x, wall() + 1) && below(10) == 0)
			txns_forget(ts, x);
	}
	if (changed)
		CU_ASSERT(x->busy);
	for (int i = 0; i < 3; i++)
		if ((x = txns_find(ts, span_str(names[i]))) != NULL && x->busy && below(2) == 0)
			settle(x);
	txns_check(ts);
}

static void
invariants_hold_for_many_seeds(void)
{
	for (uint64_t seed = 1; seed <= 500; seed++) {
		dice = seed;
		begin();
		for (int i = 0; i < 400; i++)
			step();
		end();
	}
}

const struct unit_test transactions_tests[] = {
	UNIT(a_new_id_needs_a_producer_id),
	UNIT(an_id_whose_record_was_not_taken_is_not_there),
	UNIT(ids_have_limits),
	UNIT(a_transaction_goes_through_its_states),
	UNIT(an_end_that_was_not_taken_can_be_asked_for_again),
	UNIT(another_producer_is_fenced),
	UNIT(a_fenced_producer_aborts_nothing),
	UNIT(init_that_is_sent_again_is_answered_again),
	UNIT(who_aborts_its_own_goes_on_with_the_next_epoch),
	UNIT(whose_time_was_over_goes_on),
	UNIT(whose_time_was_over_may_abort_but_not_commit),
	UNIT(what_another_aborts_is_fenced_at_once),
	UNIT(an_end_that_raises_no_epoch_fences_the_one_before),
	UNIT(behind_the_last_epoch_comes_a_new_id),
	UNIT(the_epoch_that_only_markers_bear_is_nobodys),
	UNIT(each_end_brings_the_next_epoch),
	UNIT(init_by_the_epoch_before_an_end_brings_the_one_behind),
	UNIT(nothing_can_be_aborted_but_not_committed),
	UNIT(behind_the_last_epoch_an_end_brings_a_new_id),
	UNIT(what_lasts_too_long_is_aborted_once),
	UNIT(an_end_under_way_goes_before_the_deadline),
	UNIT(a_start_knows_how_long_it_has_lasted),
	UNIT(records_that_contradict_themselves_are_refused),
	UNIT(groups_are_in_it_once),
	UNIT(a_transaction_has_limits),
	UNIT(only_what_nobody_uses_expires),
	UNIT(invariants_hold_for_many_seeds),
	UNIT_END
};
