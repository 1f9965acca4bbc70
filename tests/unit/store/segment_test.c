/* segment_test.c -- walking a segment's batches, through damage and without waiting. */
#include <errno.h>

#include "world.h"

enum { BATCHES = 6, RECORDS = 2, MANY = 60 };

static struct world w;
static struct partition *p;
static struct segment *s;
static char path[256];
static int64_t at[MANY + 1]; /* where each batch begins, and the last one ends */

/* A segment of `n` batches, of RECORDS records each; the odd ones may have another size. */
static void
begin(int n, size_t size, size_t odd_size)
{
	world_begin(&w);
	w.partition.segment_bytes = w.partition.max_message_bytes = 16 << 20;
	p = world_partition(&w, 0);
	for (int i = 0; i < n; i++) {
		at[i] = i == 0 ? 0 : p->segments[0]->size;
		CU_ASSERT(world_append(&w, p, true, RECORDS, i % 2 == 0 ? size : odd_size, NULL, NULL) == STORE_OK);
	}
	s = p->segments[0];
	at[n] = s->size;
	segment_path(s, path, sizeof path);
	CU_ASSERT_FATAL(p->n_segments == 1 && segment_fd(s) != -1);
}

static void
nothing(struct append *a)
{
	(void)a;
}

static void
walk_from(struct segment_walk *k, int batch, int64_t to)
{
	segment_walk(k, s, (struct place){ .pos = at[batch], .offset = batch * RECORDS }, to, true);
}

/* Whether the walk stands at this batch. */
static bool
stands_at(const struct segment_walk *k, int batch)
{
	return k->at == at[batch] && k->batch.base_offset == batch * RECORDS &&
	    k->pos == at[batch + 1] && k->offset == (batch + 1) * RECORDS &&
	    batch_crc_ok(&k->batch, k->bytes);
}

/* Whether a walk gives all batches but those from `bad` to before `good`. */
static bool
steps_over(int bad, int good, int n)
{
	struct segment_walk k;
	bool ok = true;

	walk_from(&k, 0, s->size);
	for (int i = 0; i < bad; i++)
		ok = ok && segment_walk_next(&k) == WALK_BATCH && stands_at(&k, i) && !k.skipped;
	/* It stays before the damage until it is told to look behind it. */
	ok = ok && segment_walk_next(&k) == WALK_DAMAGED && segment_walk_next(&k) == WALK_DAMAGED;
	if (good < n)
		ok = ok && segment_walk_resync(&k) == WALK_BATCH && stands_at(&k, good) && k.skipped;
	else
		ok = ok && segment_walk_resync(&k) == WALK_END;
	for (int i = good + 1; i < n; i++)
		ok = ok && segment_walk_next(&k) == WALK_BATCH && stands_at(&k, i) && !k.skipped;
	if (good < n)
		ok = ok && segment_walk_next(&k) == WALK_END;
	segment_walk_done(&k);
	return ok;
}

static void
a_walk_gives_each_batch_once_in_order(void)
{
	struct segment_walk k;

	begin(MANY, 3000, 40); /* several of the near walk's windows */
	for (int first = 0; first < MANY; first += 7)
		for (int near = 0; near < 2; near++) {
			segment_walk(&k, s, (struct place){ .pos = at[first], .offset = first * RECORDS }, s->size, near == 1);
			for (int i = first; i < MANY; i++)
				CU_ASSERT(segment_walk_next(&k) == WALK_BATCH && stands_at(&k, i));
			CU_ASSERT(segment_walk_next(&k) == WALK_END && segment_walk_next(&k) == WALK_END);
			segment_walk_done(&k);
		}
	world_end(&w);
}

static void
a_place_where_no_batch_begins_is_damage(void)
{
	struct segment_walk k;

	begin(BATCHES, 40, 40);
	segment_walk(&k, s, (struct place){ .pos = at[1] + 1, .offset = RECORDS }, s->size, true);
	CU_ASSERT(segment_walk_next(&k) == WALK_DAMAGED);
	CU_ASSERT(segment_walk_resync(&k) == WALK_BATCH && stands_at(&k, 2));
	segment_walk_done(&k);
	/* The right position with another offset. */
	segment_walk(&k, s, (struct place){ .pos = at[1], .offset = RECORDS + 1 }, s->size, true);
	CU_ASSERT(segment_walk_next(&k) == WALK_DAMAGED);
	CU_ASSERT(segment_walk_resync(&k) == WALK_BATCH && stands_at(&k, 2));
	segment_walk_done(&k);
	world_end(&w);
}

/* Of the header and of the records, in any batch. */
static void
a_changed_byte_costs_its_batch_alone(void)
{
	uint8_t byte;

	begin(BATCHES, 40, 20);
	for (int64_t i = 0; i < s->size; i++) {
		int bad = 0;

		while (at[bad + 1] <= i)
			bad++;
		CU_ASSERT(fake_disk_peek(path, i, &byte, 1) == 0);
		byte ^= 0x11;
		fake_disk_poke(path, i, &byte, 1);
		CU_ASSERT(steps_over(bad, bad + 1, BATCHES));
		byte ^= 0x11;
		fake_disk_poke(path, i, &byte, 1);
	}
	world_end(&w);
}

static void
a_gap_of_zeros_is_stepped_over(void)
{
	static const uint8_t zeros[8192];

	/* In whole batches, and over parts of both that it touches. */
	for (int part = 0; part < 2; part++) {
		begin(BATCHES, 400, 500);
		fake_disk_poke(path, at[1] + part * 100, zeros, (size_t)(at[4] - at[1]) - (size_t)part * 200);
		CU_ASSERT(steps_over(1, 4, BATCHES));
		world_end(&w);
	}
	begin(BATCHES, 400, 500);
	fake_disk_poke(path, at[0], zeros, BATCH_HEADER);
	CU_ASSERT(steps_over(0, 1, BATCHES)); /* the first of all */
	fake_disk_poke(path, at[0], zeros, (size_t)(at[BATCHES] - at[0]));
	CU_ASSERT(steps_over(0, BATCHES, BATCHES)); /* nothing is left */
	world_end(&w);
}

/* A batch whose value is a batch that would fit, and one behind it that does. */
static void
begin_forged(void)
{
	struct batch_builder inner, outer;
	struct append a = { .durable = true, .now_ms = WORLD_NOW, .done = nothing };

	begin(1, 40, 40);
	world_batch(&inner, RECORDS, 20, WORLD_NOW, NULL);
	batch_stamp(inner.bytes.p, RECORDS, s->epoch);
	batch_begin(&outer, WORLD_NOW);
	batch_add(&outer, span_of(NULL, 0), buf_bytes(&inner.bytes));
	batch_add(&outer, span_of(NULL, 0), buf_bytes(&inner.bytes));
	batch_finish(&outer);
	a.bytes = outer.bytes.p;
	a.n = outer.bytes.n;
	CU_ASSERT(!partition_append(p, &a));
	world_settle(&w);
	at[2] = s->size;
	CU_ASSERT(world_append(&w, p, true, RECORDS, 40, NULL, NULL) == STORE_OK);
	at[3] = s->size;
	buf_done(&inner.bytes);
	buf_done(&outer.bytes);
}

static void
a_batch_inside_of_a_damaged_one_is_not_taken(void)
{
	uint8_t byte;

	begin_forged();
	for (int64_t i = at[1]; i < at[2]; i++) {
		if (i - at[1] >= 8 && i - at[1] < 12)
			continue; /* its length: then nobody knows where it ends */
		CU_ASSERT(fake_disk_peek(path, i, &byte, 1) == 0);
		byte ^= 0x11;
		fake_disk_poke(path, i, &byte, 1);
		CU_ASSERT(steps_over(1, 2, 3));
		byte ^= 0x11;
		fake_disk_poke(path, i, &byte, 1);
	}
	/* Nor when the one behind it is damaged, or not there. */
	byte = 0x55;
	fake_disk_poke(path, at[1] + 70, &byte, 1);
	fake_disk_poke(path, at[2] + 70, &byte, 1);
	CU_ASSERT(steps_over(1, 3, 3));
	s->size = at[2];
	CU_ASSERT(steps_over(1, 2, 2));
	world_end(&w);
}

static void
a_torn_tail_ends_it(void)
{
	struct segment_walk k;

	begin(2, 40, 40);
	for (int64_t end = at[1] + 1; end < at[2]; end++) {
		walk_from(&k, 0, end);
		CU_ASSERT(segment_walk_next(&k) == WALK_BATCH && stands_at(&k, 0));
		CU_ASSERT(segment_walk_next(&k) == WALK_DAMAGED && segment_walk_resync(&k) == WALK_END);
		segment_walk_done(&k);
	}
	/* The file is shorter than it is said to be; then longer, by zeros. */
	for (int64_t size = at[1] + 10; size < at[2] + 3 * BATCH_HEADER; size += BATCH_HEADER) {
		if (size >= at[2])
			continue;
		CU_ASSERT(file_truncate(s->fd, size) == 0);
		for (int zeros = 0; zeros < 2; zeros++) {
			walk_from(&k, 0, at[2] + 500);
			CU_ASSERT(segment_walk_next(&k) == WALK_BATCH);
			CU_ASSERT(segment_walk_next(&k) == WALK_DAMAGED && segment_walk_resync(&k) == WALK_END);
			segment_walk_done(&k);
			CU_ASSERT(file_truncate(s->fd, at[2] + 500) == 0);
		}
	}
	world_end(&w);
}

/* Whole and undamaged, but not of this place: where it is due, and where damage is stepped over. */
static void
a_batch_of_another_place_is_damage(void)
{
	static const struct {
		int64_t offset;
		int epochs_on;
	} places[] = {
		{ 0, 0 },                       /* an offset that was */
		{ 3 * RECORDS, 1 },             /* a segment of another epoch has such */
		{ (int64_t)INT32_MAX * 2, 0 },  /* further on than a segment goes */
	};
	static uint8_t bytes[4096];
	size_t n;

	begin(BATCHES, 40, 40);
	n = (size_t)(at[1] - at[0]);
	CU_ASSERT(fake_disk_peek(path, at[0], bytes, n) == 0);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		batch_stamp(bytes, places[i].offset, s->epoch + places[i].epochs_on);
		fake_disk_poke(path, at[3], bytes, n);
		CU_ASSERT(steps_over(3, 4, BATCHES));
		fake_disk_poke(path, at[2], bytes, n);
		CU_ASSERT(steps_over(2, 4, BATCHES));
		batch_stamp(bytes, 2 * RECORDS, s->epoch);
		fake_disk_poke(path, at[2], bytes, n); /* this one is right */
		CU_ASSERT(steps_over(3, 4, BATCHES));
	}
	world_end(&w);
}

static void
batches_larger_than_the_window_are_walked(void)
{
	/* Behind which the near window ends, and the far one. */
	static const size_t sizes[] = { 70000, 1200000 };

	for (size_t i = 0; i < 2; i++) {
		struct segment_walk k;
		uint8_t byte = 0x55;

		begin(BATCHES, 100, sizes[i]);
		for (int near = 0; near < 2; near++) {
			segment_walk(&k, s, (struct place){ .pos = 0, .offset = 0 }, s->size, near == 1);
			for (int n = 0; n < BATCHES; n++)
				CU_ASSERT(segment_walk_next(&k) == WALK_BATCH && stands_at(&k, n));
			CU_ASSERT(segment_walk_next(&k) == WALK_END);
			segment_walk_done(&k);
		}
		fake_disk_poke(path, at[3] + (int64_t)sizes[i] / 2, &byte, 1);
		CU_ASSERT(steps_over(3, 4, BATCHES));
		world_end(&w);
	}
}

static void
what_is_not_at_hand_is_no_damage(void)
{
	struct segment_walk k;
	int n = 0, waits = 0;

	begin(MANY, 3000, 40);
	walk_from(&k, 0, s->size);
	k.nowait = true;
	fake_disk_cold(100); /* nothing is at hand, or a page or three */
	while (n < MANY && waits < 10000) {
		enum walked found = segment_walk_next(&k);

		if (found == WALK_FAILED && errno == EAGAIN)
			waits++;
		else if (found == WALK_BATCH && stands_at(&k, n))
			n++;
		else
			break;
	}
	CU_ASSERT(n == MANY && waits > 0);
	CU_ASSERT(segment_walk_next(&k) == WALK_END);
	segment_walk_done(&k);
	world_end(&w);
}

static void
damage_is_stepped_over_without_waiting(void)
{
	struct segment_walk k;
	enum walked found;
	uint8_t byte = 0x55;
	int waits = 0;

	begin(BATCHES, 3000, 3000);
	fake_disk_poke(path, at[1] + 500, &byte, 1);
	walk_from(&k, 1, s->size);
	CU_ASSERT(segment_walk_next(&k) == WALK_DAMAGED);
	segment_walk_done(&k);
	walk_from(&k, 1, s->size);
	k.nowait = true;
	fake_disk_cold(100); /* nothing is at hand, or a page or three */
	while ((found = segment_walk_resync(&k)) == WALK_FAILED && errno == EAGAIN && waits < 10000)
		waits++;
	CU_ASSERT(waits > 0 && found == WALK_BATCH && stands_at(&k, 2) && k.skipped);
	segment_walk_done(&k);
	world_end(&w);
}

static void
a_disk_that_fails_is_no_damage(void)
{
	struct segment_walk k;

	begin(BATCHES, 40, 40);
	walk_from(&k, 0, s->size);
	fake_disk_fail(0, EIO, false, FAKE_READ, "/logs/");
	CU_ASSERT(segment_walk_next(&k) == WALK_FAILED && errno == EIO);
	CU_ASSERT(segment_walk_next(&k) == WALK_BATCH && stands_at(&k, 0));
	segment_walk_done(&k);
	walk_from(&k, 0, s->size);
	fake_disk_fail(0, EIO, false, FAKE_READ, "/logs/");
	CU_ASSERT(segment_walk_resync(&k) == WALK_FAILED && errno == EIO);
	segment_walk_done(&k);
	world_end(&w);
}

const struct unit_test segment_tests[] = {
	UNIT(a_walk_gives_each_batch_once_in_order),
	UNIT(a_place_where_no_batch_begins_is_damage),
	UNIT(a_changed_byte_costs_its_batch_alone),
	UNIT(a_gap_of_zeros_is_stepped_over),
	UNIT(a_batch_inside_of_a_damaged_one_is_not_taken),
	UNIT(a_torn_tail_ends_it),
	UNIT(a_batch_of_another_place_is_damage),
	UNIT(batches_larger_than_the_window_are_walked),
	UNIT(what_is_not_at_hand_is_no_damage),
	UNIT(damage_is_stepped_over_without_waiting),
	UNIT(a_disk_that_fails_is_no_damage),
	UNIT_END
};
