/* transactions_test.c -- a partition's transactions: what is stable, and what was aborted. */
#include <limits.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "unit/store/world.h"

static struct world w;
static struct partition *p;

enum { PRODUCERS = 5 };
static int32_t sequences[PRODUCERS];
static int16_t epochs[PRODUCERS];

static void
begin(void)
{
	memset(sequences, 0, sizeof sequences);
	memset(epochs, 0, sizeof epochs);
	world_begin(&w);
	p = world_partition(&w, 0);
}

static void
again(void)
{
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
}

static void
nothing(struct append *a)
{
	(void)a;
}

/* Appends a batch of n records of a producer's transaction. */
static enum store_error
send_as(int producer, int n, int attributes)
{
	struct producer_of_batch who = { producer, epochs[producer], sequences[producer] };
	struct append a = { .durable = true, .now_ms = w.now, .done = nothing };
	struct batch_builder b;

	world_batch(&b, n, 10, w.now, &who);
	b.bytes.p[22] |= (uint8_t)attributes;
	batch_stamp_max_time(b.bytes.p, b.bytes.n, batch_max_time(b.bytes.p)); /* which makes the checksum */
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	if (!partition_append(p, &a))
		world_settle(&w);
	buf_done(&b.bytes);
	if (a.error == STORE_OK)
		sequences[producer] += n;
	return a.error;
}

static enum store_error
send(int producer, int n)
{
	return send_as(producer, n, BATCH_TRANSACTIONAL);
}

static enum store_error
end(int producer, bool commit)
{
	struct batch_marker m = { producer, epochs[producer], commit, 0 };
	struct append a = { .now_ms = w.now, .done = nothing };

	if (!partition_end_transaction(p, &m, &a))
		world_settle(&w);
	return a.error;
}

static void
checkpoint(void)
{
	store_checkpoint(w.store);
	world_settle(&w);
}

static bool
is_aborted(int64_t from, int64_t to, int n, const struct aborted *wanted)
{
	struct aborted *a;
	size_t found = partition_aborted(p, from, to, &a);
	bool right = found == (size_t)n && (n == 0 || memcmp(a, wanted, (size_t)n * sizeof *a) == 0);

	free(a);
	return right;
}

static void
an_open_transaction_keeps_what_follows_unstable(void)
{
	begin();
	CU_ASSERT(world_append(&w, p, true, 2, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(partition_last_stable(p) == 2);
	CU_ASSERT(send(1, 3) == STORE_OK);
	CU_ASSERT(send(2, 1) == STORE_OK);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(partition_high_watermark(p) == 7 && partition_last_stable(p) == 2);
	CU_ASSERT(end(1, true) == STORE_OK);
	CU_ASSERT(partition_last_stable(p) == 5);
	CU_ASSERT(end(2, false) == STORE_OK);
	CU_ASSERT(partition_last_stable(p) == 9 && partition_high_watermark(p) == 9);
	world_end(&w);
}

/* Until the marker is durable, a power cut may still take it back. */
static void
the_end_counts_when_it_is_visible(void)
{
	struct batch_marker m = { 1, 0, true, 0 };
	struct append a = { .now_ms = WORLD_NOW, .done = nothing };

	begin();
	CU_ASSERT(send(1, 3) == STORE_OK);
	CU_ASSERT(!partition_end_transaction(p, &m, &a));
	CU_ASSERT(partition_log_end(p) == 4 && partition_high_watermark(p) == 3);
	CU_ASSERT(partition_last_stable(p) == 0);
	world_settle(&w);
	CU_ASSERT(a.error == STORE_OK && partition_last_stable(p) == 4);
	world_end(&w);
}

static void
without_an_open_transaction_there_is_no_marker(void)
{
	begin();
	CU_ASSERT(send(1, 1) == STORE_OK);
	CU_ASSERT(end(1, true) == STORE_OK);
	CU_ASSERT(end(1, true) == STORE_OK && end(2, false) == STORE_OK);
	CU_ASSERT(partition_log_end(p) == 2);
	world_end(&w);
}

static void
readers_of_what_is_committed_stop_at_what_is_open(void)
{
	struct partition_read r;

	begin();
	CU_ASSERT(world_append(&w, p, true, 2, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(send(1, 3) == STORE_OK);
	r = (struct partition_read){ .max_bytes = 1 << 20, .committed = true };
	CU_ASSERT(partition_read(p, &r) && r.error == STORE_OK && r.next_offset == 2);
	free(r.bytes);
	CU_ASSERT(partition_readable(p, 1, true, 1) > 0 && partition_readable(p, 2, true, 1) == 0);
	r = (struct partition_read){ .offset = 2, .max_bytes = 1 << 20, .committed = true };
	CU_ASSERT(partition_read(p, &r) && r.error == STORE_OK && r.n == 0);
	CU_ASSERT(end(1, true) == STORE_OK);
	r = (struct partition_read){ .offset = 2, .max_bytes = 1 << 20, .committed = true };
	CU_ASSERT(partition_read(p, &r) && r.error == STORE_OK && r.next_offset == 6);
	free(r.bytes);
	world_end(&w);
}

/* Offsets that were skipped lead up to it: nothing is there, and nothing is damaged. */
static void
where_what_is_open_follows_skipped_offsets_there_is_nothing(void)
{
	struct partition_read r;
	int64_t end_before;

	begin();
	CU_ASSERT(world_append(&w, p, true, 2, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(world_append(&w, p, false, 1, 10, NULL, NULL) == STORE_OK); /* reserves */
	world_cut(&w, true);
	again();
	end_before = partition_high_watermark(p);
	CU_ASSERT(send(1, 1) == STORE_OK);
	CU_ASSERT(partition_last_stable(p) > end_before);
	r = (struct partition_read){ .offset = end_before, .max_bytes = 1 << 20, .at_least_one = true, .committed = true };
	CU_ASSERT(partition_read(p, &r) && r.error == STORE_OK && r.n == 0 && r.next_offset == end_before);
	CU_ASSERT(end(1, true) == STORE_OK);
	r = (struct partition_read){ .offset = end_before, .max_bytes = 1 << 20, .committed = true };
	CU_ASSERT(partition_read(p, &r) && r.error == STORE_OK && r.next_offset == partition_log_end(p));
	free(r.bytes);
	world_end(&w);
}

/* Its marker lay in another file, which does not come back. */
static void
a_deleted_file_that_a_power_cut_brings_back_opens_nothing(void)
{
	uint8_t bytes[4096];
	char path[PATH_MAX];
	int64_t cut;
	size_t n;
	int fd;

	begin();
	world_close(&w);
	w.partition.segment_bytes = 200; /* a batch or two */
	again();
	CU_ASSERT(send(1, 3) == STORE_OK);
	segment_path(p->segments[0], path, sizeof path);
	n = (size_t)p->segments[0]->size;
	CU_ASSERT_FATAL(n <= sizeof bytes && fake_disk_peek(path, 0, bytes, n) == 0);
	CU_ASSERT(world_append(&w, p, true, 3, 30, NULL, NULL) == STORE_OK);
	CU_ASSERT(end(1, true) == STORE_OK);
	CU_ASSERT(world_append(&w, p, true, 3, 30, NULL, NULL) == STORE_OK);
	cut = partition_log_end(p);
	CU_ASSERT(world_append(&w, p, true, 3, 30, NULL, NULL) == STORE_OK);
	checkpoint();
	CU_ASSERT(world_cut_front(&w, p, cut) == STORE_OK);
	w.store->wall_ms = w.now += 5000; /* so that the producer is forgotten */
	producers_expire(w.store);
	checkpoint();
	CU_ASSERT_FATAL(fake_disk_peek(path, 0, bytes, 0) == -1);
	world_close(&w); /* so that the journal has it no more */
	again();
	world_cut(&w, false);
	fd = file_open(path, FILE_CREATE_NEW);
	CU_ASSERT_FATAL(fd != -1 && file_write(fd, bytes, n, 0) == 0);
	file_close(fd);
	again();
	CU_ASSERT(partition_log_start(p) == cut);
	CU_ASSERT(partition_last_stable(p) == partition_high_watermark(p) && partition_high_watermark(p) > cut);
	CU_ASSERT(fake_disk_peek(path, 0, bytes, 0) == -1);
	world_end(&w);
}

static void
a_batch_beside_the_open_transaction_is_refused(void)
{
	begin();
	CU_ASSERT(send(1, 1) == STORE_OK);
	CU_ASSERT(send_as(1, 1, 0) == STORE_INVALID_TXN_STATE);
	CU_ASSERT(end(1, true) == STORE_OK);
	CU_ASSERT(send_as(1, 1, 0) == STORE_OK);
	world_end(&w);
}

static void
a_marker_of_a_later_epoch_fences(void)
{
	begin();
	CU_ASSERT(send(1, 1) == STORE_OK);
	epochs[1] = 1;
	CU_ASSERT(end(1, false) == STORE_OK);
	epochs[1] = 0;
	CU_ASSERT(send(1, 1) == STORE_INVALID_PRODUCER_EPOCH);
	epochs[1] = 1;
	/* Nothing of this epoch has come: it begins at 0, for whoever comes to know it from the index, too. */
	sequences[1] = 77;
	CU_ASSERT(send(1, 1) == STORE_OUT_OF_ORDER_SEQUENCE);
	world_close(&w);
	again();
	CU_ASSERT(send(1, 1) == STORE_OUT_OF_ORDER_SEQUENCE);
	sequences[1] = 0;
	CU_ASSERT(send(1, 1) == STORE_OK && send(1, 1) == STORE_OK);
	world_end(&w);
}

static void
aborted_ones_are_found_by_the_offsets_that_they_touch(void)
{
	/* 0-1 of 1, 2 of 2, 3 marker of 1, 4 of 3, 5 marker of 2, 6 marker of 3 (committed), 7 of 1, 8 its marker */
	static const struct aborted one = { 1, 0, 3 }, two = { 2, 2, 5 }, third = { 1, 7, 8 };
	struct aborted first_two[] = { one, two }, all[] = { one, two, third };

	begin();
	CU_ASSERT(send(1, 2) == STORE_OK && send(2, 1) == STORE_OK && end(1, false) == STORE_OK);
	CU_ASSERT(send(3, 1) == STORE_OK && end(2, false) == STORE_OK && end(3, true) == STORE_OK);
	for (int indexed = 0; indexed < 3; indexed++) {
		if (indexed == 1)
			checkpoint();
		if (indexed == 2)
			CU_ASSERT(send(1, 1) == STORE_OK && end(1, false) == STORE_OK);
		CU_ASSERT(is_aborted(0, 2, 1, &one));
		CU_ASSERT(is_aborted(0, 3, 2, first_two));
		CU_ASSERT(is_aborted(4, 6, 1, &two));
		CU_ASSERT(is_aborted(6, 7, 0, NULL));
	}
	CU_ASSERT(is_aborted(0, 100, 3, all) && is_aborted(6, 100, 1, &third));
	world_end(&w);
}

/* Whatever the last end was, a start knows what is open and what was aborted. */
static void
they_outlive_every_end(void)
{
	static const struct aborted gone = { 2, 2, 4 };

	for (int how = 0; how < 4; how++) {
		begin();
		CU_ASSERT(send(1, 2) == STORE_OK && send(2, 1) == STORE_OK);
		if (how > 1)
			checkpoint();
		CU_ASSERT(send(1, 1) == STORE_OK && end(2, false) == STORE_OK);
		if (how == 0)
			world_close(&w);
		else
			world_cut(&w, how != 3);
		again();
		CU_ASSERT(partition_last_stable(p) == 0 && is_aborted(0, 100, 1, &gone));
		CU_ASSERT(send_as(1, 1, 0) == STORE_INVALID_TXN_STATE);
		CU_ASSERT(end(1, true) == STORE_OK && partition_last_stable(p) == partition_log_end(p));
		world_end(&w);
	}
}

static void
what_is_below_the_log_start_is_forgotten(void)
{
	begin();
	w.partition.segment_bytes = 300;
	p = world_partition(&w, 0);
	for (int i = 0; i < 10; i++)
		CU_ASSERT(send(1, 1) == STORE_OK && end(1, false) == STORE_OK);
	checkpoint();
	CU_ASSERT(world_cut_front(&w, p, 11) == STORE_OK);
	CU_ASSERT(partition_log_start(p) == 11 && partition_last_stable(p) == 20);
	checkpoint();
	for (int64_t offset = 0; offset < 20; offset += 2) {
		uint8_t key[ABORTED_KEY];
		struct buf value = { 0 };

		memcpy(key, p->key, PARTITION_KEY);
		store64(key + PARTITION_KEY, (uint64_t)offset + 1);
		CU_ASSERT(index_get(w.store->index, INDEX_ABORTED, span_of(key, sizeof key), &value) == (offset + 1 >= 11));
		buf_done(&value);
	}
	world_end(&w);
}

static void
a_cut_within_an_open_transaction_leaves_it_open(void)
{
	begin();
	CU_ASSERT(send(1, 4) == STORE_OK);
	CU_ASSERT(world_cut_front(&w, p, 2) == STORE_OK);
	CU_ASSERT(partition_last_stable(p) == 2);
	CU_ASSERT(end(1, true) == STORE_OK && partition_last_stable(p) == 5);
	world_end(&w);
}

static void
who_has_one_open_does_not_expire(void)
{
	begin();
	CU_ASSERT(send(1, 1) == STORE_OK && send_as(2, 1, 0) == STORE_OK);
	w.now += 5000;
	store_tick(w.store, w.now, w.now);
	CU_ASSERT(w.store->n_producers == 1);
	CU_ASSERT(end(1, true) == STORE_OK && partition_last_stable(p) == 3);
	world_end(&w);
}

/* ---- beside a plain list of what was done ---- */

enum { DONE_MAX = 400 };
static struct done {
	int64_t producer, first, last; /* last -1: open; -2: committed */
} done[DONE_MAX];
static int n_done;

static uint64_t dice;

static unsigned
below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

static struct done *
open_of(int producer)
{
	for (int i = 0; i < n_done; i++)
		if (done[i].producer == producer && done[i].last == -1)
			return &done[i];
	return NULL;
}

static void
agrees(void)
{
	int64_t stable = partition_high_watermark(p), from = below((unsigned)partition_log_end(p) + 1),
	    to = from + below(30);
	struct aborted *a;
	size_t n = partition_aborted(p, from, to, &a);

	for (int i = 0; i < n_done; i++) {
		bool found = false;

		if (done[i].last == -1 && done[i].first < stable)
			stable = done[i].first;
		for (size_t k = 0; k < n; k++)
			found = found || (a[k].producer_id == done[i].producer && a[k].first == done[i].first &&
			    a[k].last == done[i].last);
		CU_ASSERT(found == (done[i].last >= from && done[i].first < to));
	}
	for (size_t k = 1; k < n; k++)
		CU_ASSERT(a[k - 1].last < a[k].last);
	free(a);
	CU_ASSERT(partition_last_stable(p) == stable);
}

static void
live(void)
{
	for (int step = 0; step < 60; step++) {
		int who = (int)below(PRODUCERS);
		struct done *d = open_of(who);

		if (below(3) != 0 || d == NULL) {
			if (d == NULL && n_done < DONE_MAX)
				done[n_done++] = (struct done){ who, partition_log_end(p), -1 };
			CU_ASSERT(send(who, 1 + (int)below(3)) == STORE_OK);
		} else {
			bool commit = below(2) == 0;

			d->last = commit ? -2 : partition_log_end(p);
			CU_ASSERT(end(who, commit) == STORE_OK);
		}
		if (below(10) == 0)
			checkpoint();
		agrees();
	}
}

static void
they_are_what_was_done(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		dice = seed;
		n_done = 0;
		begin();
		w.partition.segment_bytes = 1000;
		p = world_partition(&w, 0);
		for (int life = 0; life < 4; life++) {
			live();
			if (below(2) == 0)
				world_close(&w);
			else
				world_cut(&w, below(2) == 0);
			again();
			agrees();
		}
		world_end(&w);
	}
}

const struct unit_test transactions_tests[] = {
	UNIT(an_open_transaction_keeps_what_follows_unstable),
	UNIT(the_end_counts_when_it_is_visible),
	UNIT(without_an_open_transaction_there_is_no_marker),
	UNIT(readers_of_what_is_committed_stop_at_what_is_open),
	UNIT(where_what_is_open_follows_skipped_offsets_there_is_nothing),
	UNIT(a_deleted_file_that_a_power_cut_brings_back_opens_nothing),
	UNIT(a_batch_beside_the_open_transaction_is_refused),
	UNIT(a_marker_of_a_later_epoch_fences),
	UNIT(aborted_ones_are_found_by_the_offsets_that_they_touch),
	UNIT(they_outlive_every_end),
	UNIT(what_is_below_the_log_start_is_forgotten),
	UNIT(a_cut_within_an_open_transaction_leaves_it_open),
	UNIT(who_has_one_open_does_not_expire),
	UNIT(they_are_what_was_done),
	UNIT_END
};
