/* compact_test.c -- what compaction keeps and drops, of files as of a store, and what a cut leaves of it. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/xalloc.h"
#include "store/codec.h"
#include "store/compact.h"
#include "store/keymap.h"

enum { SEGMENT = 4000, DAY = 86400000, SEEN = 4096, KEPT = 40, CUTS = 1000 };
static const int64_t NOW = WORLD_NOW * INT64_C(1000);

static struct world w;

/* ---- batches ---- */

/* A record: key, value.  NULL: none. */
struct kv {
	const char *key, *value;
};

struct shape {
	int64_t time;
	int codec;
	int16_t attributes;
	struct producer_of_batch producer;
};

static const struct shape plain = { .producer = { -1, -1, -1 } };

static void
seal(struct buf *b)
{
	store32(b->p + 8, (uint32_t)b->n - BATCH_OVERHEAD);
	store32(b->p + 17, crc32c(0, b->p + 21, b->n - 21));
}

static void
make(struct batch_builder *b, const struct kv *records, int n, const struct shape *shape)
{
	batch_begin(b, shape->time == 0 ? w.now : shape->time);
	for (int i = 0; i < n; i++)
		batch_add(b, span_str(records[i].key), span_str(records[i].value));
	batch_finish(b);
	if (shape->codec != CODEC_NONE)
		world_pack(b, shape->codec);
	store16(b->bytes.p + 21, load16(b->bytes.p + 21) | (uint16_t)shape->attributes);
	store64(b->bytes.p + 43, (uint64_t)shape->producer.id);
	store16(b->bytes.p + 51, (uint16_t)shape->producer.epoch);
	store32(b->bytes.p + 53, (uint32_t)shape->producer.sequence);
	seal(&b->bytes);
}

/* ---- what is read ---- */

/* All records of a log, in order; and how many of its batches have none. */
static struct seen {
	int64_t offset, time;
	char key[32], value[64];
	bool keyless, tombstone;
} seen[SEEN];
static int n_seen, n_empty, n_batches;
static int64_t next_seen;
static struct batch last_batch;

static void
text(char *to, size_t size, struct span from)
{
	snprintf(to, size, "%.*s", (int)from.n, from.p == NULL ? "" : (const char *)from.p);
}

static void
see(const struct batch *b, const uint8_t *bytes)
{
	struct record_walk walk;
	struct record r;
	int n = 0;

	CU_ASSERT_FATAL(batch_crc_ok(b, bytes));
	n_batches++;
	n_empty += b->count == 0;
	next_seen = batch_last_offset(b) + 1;
	last_batch = *b;
	if (b->count == 0)
		return;
	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	for (; record_next(&walk, &r); n++) {
		struct seen *s = &seen[n_seen++];

		CU_ASSERT_FATAL(n_seen < SEEN && r.offset <= batch_last_offset(b) && r.timestamp <= b->max_timestamp);
		CU_ASSERT(n_seen < 2 || s[-1].offset < r.offset);
		*s = (struct seen){ .offset = r.offset, .time = r.timestamp, .keyless = r.key.p == NULL,
			.tombstone = r.value.p == NULL };
		text(s->key, sizeof s->key, r.key);
		text(s->value, sizeof s->value, r.value);
	}
	CU_ASSERT(!walk.broken && n == b->count);
	record_done(&walk);
}

static void
look_anew(void)
{
	n_seen = n_empty = n_batches = 0;
	next_seen = -1;
}

/* Reads as a client does; false: an answer held no record although there were some behind it. */
static bool
read_all(struct partition *p, size_t max_bytes)
{
	int64_t at = partition_log_start(p);
	struct partition_read r;
	bool ok = true;

	look_anew();
	while (at < partition_high_watermark(p)) {
		int before = n_seen;
		struct batch b;

		CU_ASSERT_FATAL(world_read(&w, p, at, max_bytes, true, &r) == STORE_OK && r.n > 0);
		for (size_t n = 0; n < r.n; n += b.size) {
			CU_ASSERT_FATAL(batch_header(&b, span_of(r.bytes + n, r.n - n)));
			see(&b, r.bytes + n);
		}
		ok = ok && (n_seen > before || r.next_offset == partition_high_watermark(p));
		CU_ASSERT_FATAL(r.next_offset > at);
		at = r.next_offset;
		free(r.bytes);
	}
	return ok;
}

static bool
saw(int i, int64_t offset, const char *key, const char *value)
{
	return i < n_seen && seen[i].offset == offset && strcmp(seen[i].key, key) == 0 &&
	    (value == NULL ? seen[i].tombstone : strcmp(seen[i].value, value) == 0);
}

/* ---- 1. passes over files that are made by hand ---- */

static struct partition *hand;
static struct compaction pass;

static void
begin_by_hand(void)
{
	struct partition_id id = { { 9 }, 0 };
	char folder[256];

	world_begin(&w);
	w.now = NOW;
	hand = partition_new(w.store, &id);
	partition_folder(hand, folder, sizeof folder);
	CU_ASSERT_FATAL(file_mkdir(folder) == 0);
	pass = (struct compaction){ .partition = hand, .now_ms = NOW, .delete_retention_ms = DAY,
		.segment_bytes = 1 << 20, .map_bytes = 1 << 20 };
}

static struct segment *
new_segment(int32_t epoch)
{
	struct segment *active = partition_active(hand);
	struct segment *s = segment_new(hand, active == NULL ? 0 : active->end, epoch);

	CU_ASSERT_FATAL(segment_create(s) == 0);
	partition_add_segment(hand, s);
	return s;
}

/* Puts a batch at the end of the last segment. */
static void
put_batch(struct batch_builder *b)
{
	struct segment *s = partition_active(hand);
	struct batch header;

	batch_stamp(b->bytes.p, s->end, s->epoch);
	CU_ASSERT_FATAL(batch_header(&header, buf_bytes(&b->bytes)));
	CU_ASSERT_FATAL(file_write(segment_fd(s), b->bytes.p, b->bytes.n, s->size) == 0);
	segment_note(s, &header, s->size);
	buf_done(&b->bytes);
}

static void
put(const struct kv *records, int n, const struct shape *shape)
{
	struct batch_builder b;

	make(&b, records, n, shape);
	put_batch(&b);
}

static void
put_one(const char *key, const char *value)
{
	put(&(struct kv){ key, value }, 1, &plain);
}

static const struct shape transactional = { .attributes = BATCH_TRANSACTIONAL, .producer = { 7, 0, 0 } };

static void
put_marker(int64_t producer)
{
	static const struct kv marker = { "\0\0\0\1", "\0\0\0\0\0\0" };
	struct shape shape = { .attributes = BATCH_TRANSACTIONAL | BATCH_CONTROL, .producer = { producer, 0, -1 } };

	put(&marker, 1, &shape);
}

/* Takes all segments as they are; from the `dirty`-th on keys are mapped. */
static enum compact_outcome
run(size_t dirty)
{
	free(pass.inputs);
	free(pass.outputs);
	pass.outputs = NULL;
	pass.n_outputs = 0;
	pass.error = 0;
	pass.inputs = xcalloc(hand->n_segments, sizeof *pass.inputs);
	pass.n = hand->n_segments;
	pass.dirty = dirty;
	for (size_t i = 0; i < pass.n; i++) {
		struct segment *s = hand->segments[i];

		pass.inputs[i] = (struct compact_input){ .segment = s, .base = s->base, .end = s->end,
			.size = s->size, .epoch = s->epoch, .generation = s->generation };
	}
	compact_run(&pass);
	return pass.outcome;
}

/* What the outputs and the inputs that they leave hold; that there is no gap. */
static void
look(void)
{
	look_anew();
	for (size_t i = 0; i < pass.n_outputs; i++) {
		struct segment *s = pass.outputs[i].segment;
		struct segment_walk walk;

		CU_ASSERT_FATAL(segment_fd(s) != -1 && file_size(s->fd) == s->size);
		segment_walk(&walk, s, (struct place){ .offset = s->base }, s->size, false);
		while (segment_walk_next(&walk) == WALK_BATCH)
			see(&walk.batch, walk.bytes);
		CU_ASSERT(walk.pos == s->size && walk.offset == s->end && s->end == s->until);
		segment_walk_done(&walk);
	}
}

/* Puts the outputs in the place of the inputs: for another pass. */
static void
adopt(void)
{
	size_t n = 0;

	for (size_t i = 0; i < pass.n_outputs; i++) {
		for (size_t k = 0; k < pass.outputs[i].n; k++)
			segment_free(pass.inputs[pass.outputs[i].first + k].segment);
		hand->segments[n++] = pass.outputs[i].segment;
	}
	for (size_t i = pass.n_outputs == 0 ? 0 : pass.outputs[pass.n_outputs - 1].first + pass.outputs[pass.n_outputs - 1].n;
	    i < pass.n; i++)
		hand->segments[n++] = pass.inputs[i].segment;
	hand->n_segments = n;
	pass.n_outputs = 0;
}

static void
end_by_hand(void)
{
	for (size_t i = 0; i < pass.n_outputs; i++)
		segment_free(pass.outputs[i].segment);
	compact_done(&pass);
	partition_free(hand);
	world_end(&w);
}

static void
the_newest_of_each_key_stays(void)
{
	static const struct kv first[] = { { "a", "1" }, { "b", "1" }, { "c", "1" } };

	begin_by_hand();
	new_segment(0);
	put(first, 3, &plain);
	put_one("a", "2");
	new_segment(0);
	put_one("b", "2");
	put_one("a", "3");
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 3 && saw(0, 2, "c", "1") && saw(1, 4, "b", "2") && saw(2, 5, "a", "3"));
	CU_ASSERT(next_seen == 6 && pass.n_outputs == 1 && pass.outputs[0].segment->generation == 1);
	end_by_hand();
}

static void
what_is_clean_is_not_mapped_but_gives_way(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	put_one("a", "2"); /* as if an earlier pass had left both */
	put_one("b", "1");
	new_segment(0);
	put_one("b", "2");
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 3 && saw(0, 0, "a", "1") && saw(1, 1, "a", "2") && saw(2, 3, "b", "2"));
	end_by_hand();
}

static void
a_batch_keeps_what_it_had_but_its_records(void)
{
	static const struct kv first[] = { { "a", "1" }, { "b", "1" }, { "c", "1" }, { "d", "1" } };
	struct shape shape = { .time = NOW - 5, .producer = { 5, 3, 100 } };

	for (int codec = 0; codec < CODECS; codec++) {
		begin_by_hand();
		new_segment(0);
		shape.codec = codec;
		put(first, 4, &shape);
		put_one("b", "2");
		put_one("d", "2");
		CU_ASSERT(run(0) == COMPACT_DONE);
		look();
		CU_ASSERT(n_seen == 4 && saw(0, 0, "a", "1") && saw(1, 2, "c", "1") && saw(2, 4, "b", "2"));
		CU_ASSERT(seen[0].time == NOW - 5 && seen[2].time == NOW);
		look_anew();
		{
			struct segment_walk walk;

			segment_walk(&walk, pass.outputs[0].segment, (struct place){ 0 }, 1000, false);
			CU_ASSERT_FATAL(segment_walk_next(&walk) == WALK_BATCH);
			CU_ASSERT((walk.batch.attributes & BATCH_CODEC) == codec && walk.batch.count == 2);
			CU_ASSERT(walk.batch.last_offset_delta == 3 && walk.batch.producer_id == 5 &&
			    walk.batch.producer_epoch == 3 && walk.batch.base_sequence == 100);
			segment_walk_done(&walk);
		}
		end_by_hand();
	}
}

/* What is left whole is not written anew in other words. */
static void
a_batch_that_stays_whole_stays_as_it_is(void)
{
	static const struct kv records[] = { { "a", "1" }, { "b", "1" } };
	struct shape shape = { .codec = CODEC_GZIP, .producer = { -1, -1, -1 } };
	uint8_t before[300], after[300];
	int64_t n;

	begin_by_hand();
	n = (new_segment(0), put(records, 2, &shape), partition_active(hand)->size);
	CU_ASSERT_FATAL(n < 300 && file_read(segment_fd(hand->segments[0]), before, (size_t)n, 0) == n);
	CU_ASSERT(run(0) == COMPACT_DONE && pass.outputs[0].segment->size == n);
	CU_ASSERT(file_read(segment_fd(pass.outputs[0].segment), after, (size_t)n, 0) == n && memcmp(before, after, (size_t)n) == 0);
	end_by_hand();
}

static void
times_are_those_of_what_is_left(void)
{
	struct shape shape = { .attributes = BATCH_LOG_APPEND_TIME, .time = NOW - 9, .producer = { -1, -1, -1 } };
	static const struct kv records[] = { { "x", "1" }, { "y", "1" } };

	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	put(records, 2, &shape);
	w.now = NOW - 100;
	put_one("a", "2");
	put_one("x", "2");
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 3 && saw(0, 2, "y", "1") && seen[0].time == NOW - 9 && seen[1].time == NOW - 100);
	CU_ASSERT(pass.outputs[0].segment->max_time == NOW - 9);
	end_by_hand();
}

static void
a_tombstone_stays_for_its_time_and_then_goes(void)
{
	static const struct kv two[] = { { "b", "1" }, { "a", NULL } };

	for (int codec = 0; codec < CODECS; codec++) {
		struct shape shape = { .codec = codec, .time = NOW - 1000, .producer = { -1, -1, -1 } };

		begin_by_hand();
		new_segment(0);
		put_one("a", "1");
		put(two, 2, &shape);
		put_one("c", "1");
		CU_ASSERT(run(0) == COMPACT_DONE);
		look();
		CU_ASSERT(n_seen == 3 && saw(0, 1, "b", "1") && saw(1, 2, "a", NULL) && saw(2, 3, "c", "1"));
		/* KIP-534: the batch says when, and its records keep their times. */
		CU_ASSERT(seen[0].time == NOW - 1000 && seen[1].time == NOW - 1000 && seen[2].time == NOW);
		adopt();
		pass.now_ms = NOW + DAY - 1;
		CU_ASSERT(run(1) == COMPACT_DONE);
		look();
		CU_ASSERT(n_seen == 3 && saw(1, 2, "a", NULL) && seen[1].time == NOW - 1000);
		adopt();
		CU_ASSERT(hand->segments[0]->generation == 2);
		pass.now_ms = NOW + DAY; /* the first pass said so, not the second */
		CU_ASSERT(run(1) == COMPACT_DONE);
		look();
		CU_ASSERT(n_seen == 2 && saw(0, 1, "b", "1") && seen[0].time == NOW - 1000 && saw(1, 3, "c", "1"));
		end_by_hand();
	}
}

static void
a_tombstone_of_all_time_stays(void)
{
	begin_by_hand();
	pass.delete_retention_ms = INT64_MAX;
	new_segment(0);
	put_one("a", NULL);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT(run(0) == COMPACT_DONE);
		look();
		CU_ASSERT(n_seen == 1 && saw(0, 0, "a", NULL) && seen[0].time == NOW);
		adopt();
	}
	end_by_hand();
}

static void
a_value_after_a_tombstone_takes_its_place(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	put_one("a", NULL);
	put_one("a", "2");
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && saw(0, 2, "a", "2") && next_seen == 3);
	end_by_hand();
}

static void
records_without_a_key_go(void)
{
	static const struct kv records[] = { { NULL, "1" }, { "", "2" }, { NULL, "3" } };

	begin_by_hand();
	new_segment(0);
	put(records, 3, &plain);
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && saw(0, 1, "", "2") && !seen[0].keyless);
	end_by_hand();
}

static void
a_run_of_dropped_batches_becomes_one_empty_one(void)
{
	begin_by_hand();
	new_segment(0);
	for (int i = 0; i < 50; i++)
		put_one("a", "1");
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && n_batches == 2 && n_empty == 1);
	adopt();
	/* And with those that follow, in another pass. */
	new_segment(0);
	put_one("a", "2");
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && saw(0, 50, "a", "2") && n_batches == 2 && n_empty == 1);
	end_by_hand();
}

static void
the_last_batch_of_a_producer_stays_without_records(void)
{
	struct shape one = { .producer = { 5, 1, 0 } }, two = { .producer = { 5, 1, 1 } };

	begin_by_hand();
	new_segment(0);
	put(&(struct kv){ "a", "1" }, 1, &one);
	put(&(struct kv){ "a", "2" }, 1, &two);
	put_one("a", "3");
	pass.last_batches = xcalloc(2, sizeof(int64_t));
	pass.last_batches[0] = 77;
	pass.last_batches[1] = 1;
	pass.n_last = 2;
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && n_batches == 3 && n_empty == 2);
	/* Again the same, as long as it is the last; then it goes. */
	adopt();
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_batches == 3);
	adopt();
	pass.n_last = 1;
	pass.last_batches[0] = 0; /* sorted; not there any more */
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_batches == 2 && n_seen == 1);
	end_by_hand();
}

static void
aborted_records_go_and_displace_nothing(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "committed");
	put(&(struct kv){ "a", "aborted" }, 1, &transactional);
	put_marker(7);
	put(&(struct kv){ "b", "committed" }, 1, &transactional);
	put_marker(7);
	pass.aborted = xcalloc(3, sizeof *pass.aborted);
	pass.aborted[0] = (struct aborted){ 8, 0, 4 };
	pass.aborted[1] = (struct aborted){ 7, 1, 2 };
	pass.aborted[2] = (struct aborted){ 6, 0, 4 };
	pass.n_aborted = 3;
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 4 && saw(0, 0, "a", "committed") && seen[1].offset == 2 && saw(2, 3, "b", "committed"));
	end_by_hand();
}

static void
a_marker_stays_while_it_marks_something_and_then_for_its_time(void)
{
	begin_by_hand();
	new_segment(0);
	put(&(struct kv){ "a", "1" }, 1, &transactional);
	put_marker(7);
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 2 && (last_batch.attributes & BATCH_CONTROL) && batch_horizon(&last_batch) == INT64_MAX);
	adopt();
	/* Its record goes: from then on its time runs. */
	new_segment(0);
	put_one("a", "2");
	put_marker(9); /* of a transaction without records */
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 3 && seen[0].offset == 1 && saw(1, 2, "a", "2") && seen[2].offset == 3);
	CU_ASSERT(batch_horizon(&last_batch) == NOW + DAY && seen[2].time == NOW);
	adopt();
	pass.now_ms = NOW + DAY;
	CU_ASSERT(run(1) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 1 && saw(0, 2, "a", "2") && next_seen == 4);
	end_by_hand();
}

static void
neighbours_become_one_up_to_the_size_of_a_segment(void)
{
	int64_t size;

	begin_by_hand();
	for (int i = 0; i < 6; i++) {
		char key[24];

		snprintf(key, sizeof key, "%d", i);
		new_segment(i == 5 ? 1 : 0);
		put_one(key, "1");
	}
	size = hand->segments[0]->size;
	pass.segment_bytes = 3 * size;
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(n_seen == 6 && pass.n_outputs == 3); /* another epoch is another segment */
	CU_ASSERT(pass.outputs[0].n == 3 && pass.outputs[1].n == 2 && pass.outputs[2].n == 1);
	CU_ASSERT(pass.outputs[1].segment->base == 3 && pass.outputs[1].segment->end == 5);
	CU_ASSERT(pass.outputs[2].segment->epoch == 1);
	end_by_hand();
}

static void
segments_that_skip_offsets_are_left_alone(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	new_segment(1);
	hand->segments[1]->base = hand->segments[1]->end = 100;
	new_segment(2);
	put_one("a", "2");
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(pass.n_outputs == 2 && pass.outputs[0].first == 0 && pass.outputs[1].first == 2);
	CU_ASSERT(n_seen == 1 && saw(0, 100, "a", "2") && pass.outputs[0].segment->end == 1);
	end_by_hand();
}

static void
what_does_not_fit_in_memory_is_left_to_the_next_pass(void)
{
	char key[24];

	begin_by_hand();
	for (int i = 0; i < 3; i++) {
		new_segment(0);
		for (int k = 0; k < 8; k++) {
			snprintf(key, sizeof key, "%d", k * (i + 1));
			put_one(key, i == 0 ? "old" : "new");
		}
	}
	pass.map_bytes = 16 * (int64_t)sizeof(struct keymap_slot); /* 12 keys */
	CU_ASSERT(run(0) == COMPACT_DONE);
	look();
	CU_ASSERT(pass.n_outputs == 1 && pass.outputs[0].segment->end == 16);
	/* What was mapped of the third segment counts already. */
	CU_ASSERT(n_seen > 8 && saw(n_seen - 1, 15, "14", "new"));
	adopt();
	pass.segment_bytes = 1;
	CU_ASSERT(run(1) == COMPACT_DONE);
	adopt();
	for (size_t i = 0; i < hand->n_segments; i++)
		CU_ASSERT(hand->segments[i]->generation > 0);
	end_by_hand();
}

static void
more_keys_than_memory_in_one_segment_are_told(void)
{
	char key[24];

	begin_by_hand();
	new_segment(0);
	for (int k = 0; k < 20; k++) {
		snprintf(key, sizeof key, "%d", k);
		put_one(key, "1");
	}
	pass.map_bytes = 16 * (int64_t)sizeof(struct keymap_slot);
	CU_ASSERT(run(0) == COMPACT_TOO_MANY && pass.n_outputs == 0);
	end_by_hand();
}

static void
what_is_damaged_is_not_touched(void)
{
	uint8_t byte = 0xff;
	char path[256];

	begin_by_hand();
	pass.segment_bytes = 1;
	for (int i = 0; i < 3; i++) {
		new_segment(0);
		put_one("a", "1");
		put_one("b", "1");
	}
	segment_path(hand->segments[1], path, sizeof path);
	CU_ASSERT(fake_disk_poke(path, 100, &byte, 1) == 0);
	CU_ASSERT(run(0) == COMPACT_DAMAGED && pass.failed == 1 && pass.n_outputs == 0);
	/* It may be found when it is written only. */
	CU_ASSERT(run(2) == COMPACT_DAMAGED && pass.failed == 1 && pass.n_outputs == 1);
	end_by_hand();
}

static void
a_pass_ends_when_it_is_told_to(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	atomic_store(&pass.stop, true);
	CU_ASSERT(run(0) == COMPACT_STOPPED && pass.n_outputs == 0);
	end_by_hand();
}

static int n_files;

static void
count_file(void *ctx, const char *path, int64_t size)
{
	(void)size;
	n_files += strstr(path, ctx) != NULL;
}

static void
a_failing_disk_leaves_no_part_of_a_file(void)
{
	static const unsigned ops[] = { FAKE_OPEN, FAKE_READ, FAKE_WRITE, FAKE_SYNC, FAKE_RENAME };

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		begin_by_hand();
		new_segment(0);
		put_one("a", "1");
		fake_disk_fail(0, ENOSPC, false, ops[i], NULL);
		CU_ASSERT(run(0) == COMPACT_FAILED && pass.error == ENOSPC && pass.n_outputs == 0);
		n_files = 0;
		fake_disk_each(count_file, ".tmp");
		CU_ASSERT(n_files == 0);
		fake_disk_fail(-1, 0, false, 0, NULL);
		CU_ASSERT(run(0) == COMPACT_DONE && pass.n_outputs == 1);
		end_by_hand();
	}
}

static void
a_name_that_is_not_known_to_be_durable_counts_as_failed(void)
{
	begin_by_hand();
	new_segment(0);
	put_one("a", "1");
	fake_disk_fail(0, EMFILE, false, FAKE_SYNC_DIR, NULL);
	CU_ASSERT(run(0) == COMPACT_FAILED && pass.error == EIO && pass.n_outputs == 0);
	end_by_hand();
}

/* ---- 2. a store that compacts ---- */

static void
begin(void)
{
	world_begin(&w);
	world_close(&w);
	w.now = NOW;
	w.config.upkeep = (struct store_upkeep){ .retention_check_ms = 1, .cleaner = true,
		.cleaner_bytes = 1 << 20 };
	w.partition.segment_bytes = SEGMENT;
	w.partition.compacted = true;
	w.partition.delete_retention_ms = DAY;
	w.partition.max_compaction_lag_ms = INT64_MAX;
	w.partition.producer_expiry_ms = DAY;
	w.config.internal.compacted = true;
	w.config.internal.delete_retention_ms = DAY;
	w.config.internal.max_compaction_lag_ms = INT64_MAX;
	CU_ASSERT_FATAL(world_open(&w));
}

static void
appended(struct append *a)
{
	a->user = NULL;
}

static enum store_error
append(struct partition *p, const struct kv *records, int n, const struct shape *shape)
{
	struct batch_builder b;
	struct append a;

	make(&b, records, n, shape);
	a = (struct append){ .bytes = b.bytes.p, .n = b.bytes.n, .durable = true, .now_ms = w.now,
		.zstd_allowed = true, .done = appended, .user = &a };
	if (!partition_append(p, &a))
		while (a.user != NULL) {
			store_flush(w.store);
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
	buf_done(&b.bytes);
	return a.error;
}

static void
write_one(struct partition *p, const char *key, const char *value)
{
	CU_ASSERT(append(p, &(struct kv){ key, value }, 1, &plain) == STORE_OK);
}

/* Many values of a few keys, then one of each of others that stay. */
static void
write_many(struct partition *p, int n)
{
	char key[24], value[48];

	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof key, "key-%d", i % 7);
		snprintf(value, sizeof value, "value-%d", i);
		write_one(p, key, value);
	}
}

/* What time brings, until it brings nothing more. */
static void
let_pass(int64_t ms)
{
	w.now += ms;
	for (int i = 0; i < 6; i++) {
		store_checkpoint(w.store);
		world_settle(&w);
		store_tick(w.store, w.now, w.now);
		world_settle(&w);
	}
}

static bool
has_newest_of_many(int n)
{
	bool ok = n_seen >= 7;

	for (int i = n - 7; i < n; i++) {
		char value[48];
		int found = 0;

		snprintf(value, sizeof value, "value-%d", i);
		for (int k = 0; k < n_seen; k++)
			found += strcmp(seen[k].value, value) == 0;
		ok = ok && found == 1;
	}
	return ok;
}

static void
closed_segments_are_compacted_and_become_few(void)
{
	struct partition *p;

	begin();
	p = world_partition(&w, 0);
	write_many(p, 300);
	CU_ASSERT(p->n_segments > 5);
	let_pass(1);
	CU_ASSERT(p->n_segments == 2 && p->segments[0]->generation > 0 && p->segments[1]->generation == 0);
	CU_ASSERT(read_all(p, 1 << 20) && has_newest_of_many(300) && next_seen == 300);
	CU_ASSERT(read_all(p, 1) && has_newest_of_many(300));
	CU_ASSERT(partition_bytes(p) < 2 * SEGMENT);
	partition_check(p);
	world_end(&w);
}

static void
count_segments(void *ctx, const char *path, int64_t size)
{
	(void)size;
	n_files += strstr(path, ctx) != NULL && strstr(path, "/logs/AAAAAAAA") == NULL;
}

static void
old_files_go_when_the_index_has_the_new_ones(void)
{
	struct partition *p;
	size_t n;

	begin();
	p = world_partition(&w, 0);
	write_many(p, 300);
	n = p->n_segments;
	store_checkpoint(w.store);
	world_settle(&w);
	store_tick(w.store, w.now + 1, w.now + 1);
	world_settle(&w);
	CU_ASSERT(p->n_segments == 2);
	n_files = 0;
	fake_disk_each(count_segments, ".log");
	CU_ASSERT(n_files == (int)n + 1);
	store_checkpoint(w.store);
	world_settle(&w);
	n_files = 0;
	fake_disk_each(count_segments, ".log");
	CU_ASSERT(n_files == 2);
	world_end(&w);
}

static void
it_is_there_after_every_kind_of_end(void)
{
	for (int how = 0; how < 6; how++) {
		char path[128];
		struct partition *p;

		begin();
		write_many(world_partition(&w, 0), 300);
		if (how % 2 == 0)
			let_pass(1);
		else {
			store_checkpoint(w.store);
			world_settle(&w);
			store_tick(w.store, w.now, w.now);
			world_settle(&w); /* the index does not have it yet */
		}
		if (how < 2)
			world_close(&w);
		else
			world_cut(&w, how < 4);
		snprintf(path, sizeof path, "%s/index/data.mdb", w.dir);
		if (how == 4)
			unlink(path);
		CU_ASSERT_FATAL(world_open(&w));
		p = world_partition(&w, 0);
		CU_ASSERT(p->segments[0]->generation > 0 && partition_log_end(p) == 300);
		CU_ASSERT(read_all(p, 1 << 20) && has_newest_of_many(300) && n_seen < 60);
		partition_check(p);
		let_pass(1);
		n_files = 0;
		fake_disk_each(count_segments, ".log");
		CU_ASSERT(n_files == (int)p->n_segments);
		write_many(p, 300);
		let_pass(1);
		CU_ASSERT(read_all(p, 1 << 20) && has_newest_of_many(300) && next_seen == 600);
		world_end(&w);
	}
}

static void
a_producer_goes_on_when_its_batches_were_compacted(void)
{
	struct shape shape = { .producer = { 5, 2, 0 } };
	struct partition *p;
	char path[128];

	begin();
	p = world_partition(&w, 0);
	for (int i = 0; i < 3; i++, shape.producer.sequence++)
		CU_ASSERT(append(p, &(struct kv){ "key-0", "x" }, 1, &shape) == STORE_OK);
	write_many(p, 200);
	let_pass(1);
	CU_ASSERT(read_all(p, 1 << 20) && has_newest_of_many(200));
	world_cut(&w, true);
	snprintf(path, sizeof path, "%s/index/data.mdb", w.dir);
	unlink(path);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	shape.producer.sequence = 4;
	CU_ASSERT(append(p, &(struct kv){ "key-0", "y" }, 1, &shape) == STORE_OUT_OF_ORDER_SEQUENCE);
	shape.producer.sequence = 2;
	CU_ASSERT(append(p, &(struct kv){ "key-0", "x" }, 1, &shape) == STORE_OK && partition_log_end(p) == 203);
	shape.producer.sequence = 3;
	CU_ASSERT(append(p, &(struct kv){ "key-0", "y" }, 1, &shape) == STORE_OK && partition_log_end(p) == 204);
	world_end(&w);
}

static void
records_that_are_young_are_left_alone(void)
{
	struct partition *p;
	size_t n;

	begin();
	w.partition.min_compaction_lag_ms = 1000;
	p = world_partition(&w, 0);
	write_many(p, 100);
	n = p->n_segments;
	let_pass(999);
	CU_ASSERT(p->n_segments == n && p->segments[0]->generation == 0);
	let_pass(1);
	CU_ASSERT(p->segments[0]->generation > 0);
	world_end(&w);
}

static void
records_are_compacted_in_time_even_in_the_active_segment(void)
{
	struct partition *p;

	begin();
	w.partition.max_compaction_lag_ms = 1000;
	w.partition.min_dirty_ratio = 1;
	p = world_partition(&w, 0);
	write_one(p, "a", "1");
	write_one(p, "a", "2");
	let_pass(1000);
	CU_ASSERT(p->n_segments == 1);
	let_pass(1);
	CU_ASSERT(p->n_segments == 2 && p->segments[0]->generation == 1 && p->segments[1]->size == 0);
	CU_ASSERT(read_all(p, 1 << 20) && n_seen == 1 && saw(0, 1, "a", "2"));
	world_end(&w);
}

static void
a_log_that_is_clean_enough_waits(void)
{
	struct partition *p;

	begin();
	w.partition.min_dirty_ratio = 0.5;
	p = world_partition(&w, 0);
	for (int i = 0; i < 400; i++) {
		char key[24];

		snprintf(key, sizeof key, "%d", i);
		write_one(p, key, "value"); /* all stay */
	}
	let_pass(1);
	CU_ASSERT(stat_get(&store_stats_of(w.store)->compactions) == 1);
	write_many(p, 60);
	let_pass(1);
	CU_ASSERT(stat_get(&store_stats_of(w.store)->compactions) == 1);
	write_many(p, 500);
	let_pass(1);
	CU_ASSERT(stat_get(&store_stats_of(w.store)->compactions) == 2);
	world_end(&w);
}

static void
without_the_policy_or_the_cleaner_nothing_is_compacted(void)
{
	struct partition *p;

	for (int how = 0; how < 2; how++) {
		begin();
		w.partition.compacted = how == 1;
		w.config.upkeep.cleaner = how == 0;
		store_set_upkeep(w.store, &w.config.upkeep);
		p = world_partition(&w, 0);
		write_many(p, 200);
		let_pass(1000);
		CU_ASSERT(p->segments[0]->generation == 0 && world_count(&w, p) == 200);
		w.config.upkeep.cleaner = w.partition.compacted = true; /* at run time */
		store_set_upkeep(w.store, &w.config.upkeep);
		world_partition(&w, 0);
		let_pass(1000);
		CU_ASSERT(p->segments[0]->generation > 0);
		world_end(&w);
	}
}

/* Only what everybody may have: an aborted one would be taken for the newest. */
static void
nothing_is_compacted_that_is_not_settled(void)
{
	struct partition *p;
	struct append a;

	begin();
	p = world_partition(&w, 0);
	write_many(p, 100);
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 3900, &a)); /* not visible yet */
	p->high_watermark = 0;
	cleaner_visit(p);
	CU_ASSERT(w.store->cleaner.best == NULL);
	p->high_watermark = 100;
	cleaner_visit(p);
	CU_ASSERT(w.store->cleaner.best == p);
	world_settle(&w);
	world_end(&w);
}

static void
begin_a_pass(struct partition *p, int n)
{
	write_many(p, n);
	store_checkpoint(w.store);
	world_settle(&w);
	store_tick(w.store, w.now, w.now);
	CU_ASSERT_FATAL(w.store->cleaner.cleaning != NULL);
}

static void
the_front_may_go_during_a_pass(void)
{
	for (int all = 0; all < 2; all++)
		for (int k = 0; k < 20; k++) {
			struct partition *p;
			int64_t to;

			begin();
			fake_worker_seed((uint64_t)k);
			p = world_partition(&w, 0);
			begin_a_pass(p, 300);
			to = all ? 300 : p->segments[p->n_segments / 2]->base + 1;
			CU_ASSERT(world_cut_front(&w, p, to) == STORE_OK);
			let_pass(1);
			CU_ASSERT(partition_log_start(p) == to);
			partition_check(p);
			CU_ASSERT(read_all(p, 1 << 20));
			CU_ASSERT(all ? n_seen == 0 : has_newest_of_many(300));
			world_close(&w);
			CU_ASSERT_FATAL(world_open(&w));
			p = world_partition(&w, 0);
			CU_ASSERT(read_all(p, 1 << 20) && (all ? n_seen == 0 : has_newest_of_many(300)));
			world_end(&w);
		}
}

static void
a_partition_may_be_deleted_during_a_pass(void)
{
	for (int k = 0; k < 20; k++) {
		begin();
		fake_worker_seed((uint64_t)k);
		begin_a_pass(world_partition(&w, 0), 300);
		store_delete_partition(w.store, world_partition(&w, 0));
		let_pass(1);
		n_files = 0;
		fake_disk_each(count_segments, "/logs/");
		CU_ASSERT(n_files == 0);
		world_end(&w);
	}
}

static void
a_store_may_be_closed_during_a_pass(void)
{
	for (int k = 0; k < 20; k++) {
		begin();
		fake_worker_seed((uint64_t)k);
		begin_a_pass(world_partition(&w, 0), 300);
		world_close(&w);
		n_files = 0;
		fake_disk_each(count_segments, ".tmp");
		CU_ASSERT(n_files == 0);
		CU_ASSERT_FATAL(world_open(&w));
		CU_ASSERT(store_started_clean(w.store));
		CU_ASSERT(read_all(world_partition(&w, 0), 1 << 20) && has_newest_of_many(300));
		world_end(&w);
	}
}

static void
a_damaged_log_is_left_as_it_is(void)
{
	struct partition *p;
	uint8_t byte = 0xff;
	char path[256];

	begin();
	p = world_partition(&w, 0);
	write_many(p, 300);
	segment_path(p->segments[2], path, sizeof path);
	CU_ASSERT(fake_disk_poke(path, 100, &byte, 1) == 0);
	let_pass(1);
	CU_ASSERT(p->uncleanable && p->n_segments > 5 && p->segments[2]->generation == 0);
	world_end(&w);
}

static void
a_full_disk_puts_it_off(void)
{
	struct partition *p;

	begin();
	p = world_partition(&w, 0);
	write_many(p, 300);
	fake_disk_fail(0, ENOSPC, true, FAKE_WRITE, ".tmp");
	let_pass(1);
	CU_ASSERT(p->segments[0]->generation == 0 && !p->uncleanable);
	fake_disk_fail(-1, 0, false, 0, NULL);
	let_pass(1);
	CU_ASSERT(p->segments[0]->generation > 0);
	world_end(&w);
}

/* A reader at any offset gets on, and is told of the end. */
static void
reads_from_every_offset_get_on(void)
{
	struct partition *p;

	begin();
	w.partition.max_compaction_lag_ms = 1;
	w.partition.delete_retention_ms = 0;
	p = world_partition(&w, 0);
	write_many(p, 100);
	for (int i = 0; i < 20; i++)
		write_one(p, "gone", "soon");
	let_pass(10);
	write_one(p, "gone", NULL);
	let_pass(10);
	let_pass(10);
	write_one(p, "gone", NULL); /* so that all that is behind the many is nothing */
	let_pass(10);
	let_pass(10);
	let_pass(10);
	for (unsigned cold = 0; cold < 100; cold += 60) {
		fake_disk_cold(cold);
		for (int64_t at = 0; at < partition_high_watermark(p); at++) {
			struct partition_read r;
			struct batch b;

			CU_ASSERT_FATAL(world_read(&w, p, at, 200, true, &r) == STORE_OK && r.n > 0);
			CU_ASSERT(batch_header(&b, span_of(r.bytes, r.n)) && r.next_offset > at);
			CU_ASSERT(b.count > 0 || r.next_offset == partition_high_watermark(p));
			free(r.bytes);
		}
	}
	CU_ASSERT(partition_readable(p, 0, false, 1) > 0);
	world_end(&w);
}

static void
look_ups_by_time_find_what_is_left(void)
{
	struct partition_lookup l;
	struct partition *p;

	begin();
	p = world_partition(&w, 0);
	for (int i = 0; i < 200; i++) {
		char key[24];

		snprintf(key, sizeof key, "%d", i < 100 ? i : i % 10);
		w.now++;
		write_one(p, key, "value");
	}
	let_pass(1);
	CU_ASSERT(world_look_up(&w, p, NOW + 5, false, &l) == STORE_OK && l.offset == 10 && l.timestamp == NOW + 11);
	CU_ASSERT(world_look_up(&w, p, NOW + 150, false, &l) == STORE_OK && l.offset >= 149 && l.timestamp >= NOW + 150);
	CU_ASSERT(world_look_up(&w, p, 0, true, &l) == STORE_OK && l.offset == 199 && l.timestamp == NOW + 200);
	CU_ASSERT(world_look_up(&w, p, NOW + 201, false, &l) == STORE_OK && l.offset == -1);
	CU_ASSERT(partition_epoch_at(p, 3) == 0);
	world_end(&w);
}

/* One that was looked at is not looked at again when it has become part of another. */
static void
a_look_up_goes_on_while_segments_are_replaced(void)
{
	struct partition_lookup l;

	for (int k = 0; k < 30; k++) {
		struct partition *p;
		bool over = false;

		begin();
		fake_worker_seed((uint64_t)k);
		p = world_partition(&w, 0);
		begin_a_pass(p, 300);
		l = (struct partition_lookup){ .time = NOW, .done = NULL };
		(void)over;
		CU_ASSERT(world_look_up(&w, p, NOW, k % 2 == 0, &l) == STORE_OK && l.offset >= 0);
		world_end(&w);
	}
}

static void
an_index_of_another_format_is_made_anew(void)
{
	struct index_batch old = { 0 };
	struct partition *p;
	uint8_t format[4];
	struct index *index;
	char path[128];

	begin();
	write_many(world_partition(&w, 0), 50);
	world_cut(&w, false);
	snprintf(path, sizeof path, "%s/index", w.dir);
	CU_ASSERT_FATAL(index_open(&index, path) == 0);
	store32(format, INDEX_FORMAT - 1);
	index_put(&old, INDEX_META, span_str("format"), span_of(format, 4));
	index_put(&old, INDEX_META, span_str("applied.0"), span_of(format, 4));
	CU_ASSERT(index_commit(index, &old, 1) == 0);
	index_batch_done(&old);
	index_close(index);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(world_count(&w, p) == 50);
	world_end(&w);
}

static void
put_done(struct append *a)
{
	a->user = NULL;
}

static void
put_state(const char *key, const char *value)
{
	struct state_entry e = { span_str(key), span_str(value) };
	struct append a = { .done = put_done, .user = &a };

	if (!state_put(w.store, STATE_OFFSETS, &e, 1, w.now, &a))
		while (a.user != NULL) {
			store_flush(w.store);
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
	CU_ASSERT(a.error == STORE_OK);
}

static bool
state_is(const char *key, const char *value)
{
	struct buf got = { 0 };
	bool found = state_get(w.store, STATE_OFFSETS, span_str(key), &got);
	bool ok = value == NULL ? !found : found && got.n == strlen(value) && memcmp(got.p, value, got.n) == 0;

	buf_done(&got);
	return ok;
}

static void
internal_logs_are_compacted_and_tell_the_same(void)
{
	char path[128], value[32];
	int64_t size;

	begin();
	w.config.internal.segment_bytes = SEGMENT;
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	put_state("deleted", "value");
	put_state("kept", "value");
	for (int i = 0; i < 500; i++) {
		snprintf(value, sizeof value, "%d", i);
		put_state("changed", value);
	}
	put_state("deleted", NULL);
	for (int i = 0; i < 100; i++)
		put_state("filler", "x");
	let_pass(1);
	let_pass(DAY);
	for (int i = 0; i < 100; i++)
		put_state("filler", "x");
	let_pass(DAY);
	size = partition_bytes(state_partition(w.store, STATE_OFFSETS));
	CU_ASSERT(size < 3 * SEGMENT);
	for (int how = 0; how < 2; how++) {
		world_cut(&w, true);
		snprintf(path, sizeof path, "%s/index/data.mdb", w.dir);
		if (how == 1)
			unlink(path);
		CU_ASSERT_FATAL(world_open(&w));
		CU_ASSERT(state_is("kept", "value") && state_is("changed", "499") && state_is("deleted", NULL) &&
		    state_is("filler", "x"));
	}
	world_end(&w);
}

/* ---- transactions ---- */

static void
end_transaction(struct partition *p, int64_t producer, bool commit)
{
	struct batch_marker m = { producer, 0, commit, 0 };
	struct append a = { .now_ms = w.now, .done = put_done, .user = &a };

	if (!partition_end_transaction(p, &m, &a))
		while (a.user != NULL) {
			store_flush(w.store);
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
	CU_ASSERT(a.error == STORE_OK);
}

/* Two transactions that take turns; the second is aborted. */
static void
write_transactions(struct partition *p, int n)
{
	static int32_t sequence;
	char key[16], value[32];

	if (partition_log_end(p) == 0)
		sequence = 0;
	for (int i = 0; i < n; i++, sequence++)
		for (int64_t producer = 7; producer < 9; producer++) {
			struct shape shape = { .attributes = BATCH_TRANSACTIONAL, .producer = { producer, 0, sequence } };

			snprintf(key, sizeof key, "key-%d", i % 5);
			snprintf(value, sizeof value, "%s-%d", producer == 7 ? "committed" : "aborted", i);
			CU_ASSERT(append(p, &(struct kv){ key, value }, 1, &shape) == STORE_OK);
			if (i % 3 == 2)
				end_transaction(p, producer, producer == 7);
		}
}

static int
count_values(const char *prefix)
{
	int n = 0;

	for (int i = 0; i < n_seen; i++)
		n += strncmp(seen[i].value, prefix, strlen(prefix)) == 0;
	return n;
}

static size_t
count_aborted(struct partition *p)
{
	struct aborted *aborted;
	size_t n = partition_aborted(p, 0, INT64_MAX, &aborted);

	free(aborted);
	return n;
}

/* What of it was aborted is as if it had never been; the last stable offset is where it was. */
static void
transactions_are_compacted_and_leave_nothing_open(void)
{
	for (int how = 0; how < 4; how++) {
		struct partition *p;
		char path[128];
		int64_t end;

		begin();
		w.partition.delete_retention_ms = how % 2 == 0 ? DAY : 0;
		p = world_partition(&w, 0);
		write_transactions(p, 60);
		CU_ASSERT(count_aborted(p) == 20);
		for (int i = 0; i < 60; i++)
			write_one(p, "other", "value");
		let_pass(1);
		end = partition_log_end(p);
		CU_ASSERT(p->segments[0]->generation > 0 && count_aborted(p) == 0);
		CU_ASSERT(read_all(p, 1 << 20) && count_values("committed") == 5 && count_values("aborted") == 0);
		for (int i = 0; i < 60; i++)
			write_one(p, "other", "value");
		let_pass(1);
		if (how >= 2) {
			world_cut(&w, true);
			snprintf(path, sizeof path, "%s/index/data.mdb", w.dir);
			unlink(path);
			CU_ASSERT_FATAL(world_open(&w));
			p = world_partition(&w, 0);
		}
		CU_ASSERT(partition_last_stable(p) == partition_high_watermark(p) && partition_log_end(p) == end + 60);
		CU_ASSERT(count_aborted(p) == 0 && read_all(p, 1) && count_values("committed") == 5);
		write_transactions(p, 6); /* sequences go on, epochs are known */
		CU_ASSERT(count_aborted(p) == 2);
		world_end(&w);
	}
}

static void
an_open_transaction_holds_compaction_up(void)
{
	struct shape shape = { .attributes = BATCH_TRANSACTIONAL, .producer = { 7, 0, 0 } };
	struct partition *p;

	begin();
	p = world_partition(&w, 0);
	write_many(p, 100);
	CU_ASSERT(append(p, &(struct kv){ "open", "value" }, 1, &shape) == STORE_OK);
	write_many(p, 300);
	let_pass(1);
	CU_ASSERT(p->segments[0]->generation > 0 && p->segments[0]->end <= 100);
	CU_ASSERT(p->segments[1]->generation == 0 && p->n_segments > 3);
	end_transaction(p, 7, true);
	let_pass(1);
	CU_ASSERT(p->segments[p->n_segments - 2]->generation > 0 && p->n_segments <= 3);
	world_end(&w);
}

struct slow_read {
	struct partition_read r;
	bool over;
};

static void
slow_read_done(struct partition_read *r)
{
	container_of(r, struct slow_read, r)->over = true;
}

/* A reader that began before has aborted records, and is told by then of nothing that was aborted. */
static void
who_reads_during_a_pass_gets_nothing_that_was_aborted_untold(void)
{
	for (int k = 0; k < 60; k++) {
		struct slow_read x = { .r = { .offset = 0, .max_bytes = 1 << 20, .at_least_one = true, .committed = true,
			.done = slow_read_done } };
		struct partition *p;
		struct batch b;
		int aborted = 0;

		begin();
		fake_worker_seed((uint64_t)k);
		p = world_partition(&w, 0);
		write_transactions(p, 60);
		begin_a_pass(p, 100);
		fake_disk_cold(100);
		x.over = partition_read(p, &x.r);
		for (int i = 0; i < 3; i++)
			mailbox_run(w.mailbox);
		store_checkpoint(w.store);
		while (!x.over) {
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
		fake_disk_cold(0);
		CU_ASSERT_FATAL(x.r.error == STORE_OK && x.r.n > 0);
		look_anew();
		for (size_t n = 0; n < x.r.n; n += b.size) {
			CU_ASSERT_FATAL(batch_header(&b, span_of(x.r.bytes + n, x.r.n - n)));
			see(&b, x.r.bytes + n);
		}
		aborted = count_values("aborted");
		CU_ASSERT((aborted == 0) == (count_aborted(p) == 0));
		free(x.r.bytes);
		world_end(&w);
	}
}

/* ---- 3. cuts at every operation ---- */

/* So many that they take several segments, also compacted. */
static void
write_kept(struct partition *p)
{
	char key[24];

	for (int i = 0; i < KEPT; i++) {
		snprintf(key, sizeof key, "kept-%d", i);
		write_one(p, key, "value");
	}
}

static int
count_kept(void)
{
	int n = 0;

	for (int i = 0; i < n_seen; i++)
		n += strncmp(seen[i].key, "kept-", 5) == 0;
	return n;
}

/* Ends at this operation of the pass; exits 0 when it was not reached. */
static _Noreturn void
live_and_be_cut(int64_t at)
{
	struct partition *p;

	w.mailbox = NULL;
	if (!world_open(&w))
		_exit(2);
	p = world_partition(&w, 0);
	write_kept(p);
	write_many(p, 120);
	store_checkpoint(w.store);
	world_settle(&w);
	fake_disk_cut_at(fake_disk_ops() + at);
	for (int i = 0; i < 4; i++) {
		store_tick(w.store, w.now + i, w.now + i);
		world_settle(&w);
		store_checkpoint(w.store);
		world_settle(&w);
	}
	_exit(0);
}

static void
remove_index(void)
{
	static const char *const names[] = { "index/data.mdb", "index/lock.mdb" };
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", w.dir, names[i]);
		unlink(path);
	}
}

static void
whatever_a_cut_leaves_is_whole(void)
{
	int status = 0, cuts = 0;

	begin();
	w.partition.segment_bytes = 1000;
	world_close(&w);
	for (int64_t at = 0; at < CUTS; at++) {
		struct partition *p;
		pid_t pid;

		fake_disk_reset(w.dir);
		remove_index();
		fflush(NULL);
		if ((pid = fork()) == 0)
			live_and_be_cut(at);
		CU_ASSERT_FATAL(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		if (WEXITSTATUS(status) != FAKE_CUT_STATUS)
			break;
		cuts++;
		if (at % 4 != 0)
			fake_disk_power_cut((uint64_t)at);
		fake_disk_begin((uint64_t)at, 0);
		if (at % 5 == 0)
			remove_index();
		CU_ASSERT_FATAL(world_open(&w));
		p = world_partition(&w, 0);
		partition_check(p);
		CU_ASSERT(partition_log_end(p) == KEPT + 120);
		CU_ASSERT(read_all(p, 1 << 20) && has_newest_of_many(120) && count_kept() == KEPT);
		let_pass(1);
		CU_ASSERT(read_all(p, 300) && has_newest_of_many(120) && count_kept() == KEPT && next_seen == KEPT + 120);
		n_files = 0;
		fake_disk_each(count_segments, "/logs/");
		CU_ASSERT(n_files == (int)p->n_segments);
		world_close(&w);
	}
	CU_ASSERT(cuts > 60 && WEXITSTATUS(status) == 0);
	CU_ASSERT_FATAL(world_open(&w));
	world_end(&w);
}

/* ---- 4. any workload ---- */

enum { KEYS = 24, WRITES = 900 };

/* What was sent, and which offset is the newest of each key. */
static struct {
	int key;
	bool tombstone;
	int64_t deleted_ms;
} sent[WRITES * 4];
static int n_sent;
static int64_t newest[KEYS];

static uint64_t chance;

static size_t
below(size_t n)
{
	chance = chance * 6364136223846793005 + 1442695040888963407;
	return (size_t)(chance >> 33) % n;
}

static void
write_some(struct partition *p)
{
	struct kv records[4];
	char keys[4][16], values[4][32];
	struct shape shape = plain;
	int n = 1 + (int)below(4);

	for (int i = 0; i < n; i++) {
		int key = (int)below(KEYS), at = n_sent + i;

		sent[at].key = key;
		sent[at].tombstone = below(6) == 0;
		sent[at].deleted_ms = w.now;
		newest[key] = at;
		snprintf(keys[i], sizeof keys[i], "key-%d", key);
		snprintf(values[i], sizeof values[i], "%d", at);
		records[i] = (struct kv){ keys[i], sent[at].tombstone ? NULL : values[i] };
	}
	shape.codec = (int)below(CODECS);
	CU_ASSERT(append(p, records, n, &shape) == STORE_OK);
	n_sent += n;
}

/* Offsets are numbers of what was sent. */
static void
check_against_model(struct partition *p)
{
	int64_t found[KEYS];

	for (int i = 0; i < KEYS; i++)
		found[i] = -1;
	CU_ASSERT(read_all(p, 1 + below(3000)) && next_seen == n_sent);
	for (int i = 0; i < n_seen; i++) {
		const struct seen *s = &seen[i];
		char key[16], value[32];

		CU_ASSERT_FATAL(s->offset < n_sent);
		snprintf(key, sizeof key, "key-%d", sent[s->offset].key);
		snprintf(value, sizeof value, "%lld", (long long)s->offset);
		CU_ASSERT(strcmp(s->key, key) == 0 && s->tombstone == sent[s->offset].tombstone &&
		    (s->tombstone || strcmp(s->value, value) == 0));
		CU_ASSERT(s->time == sent[s->offset].deleted_ms);
		found[sent[s->offset].key] = s->offset;
	}
	for (int i = 0; i < KEYS; i++) {
		bool gone = newest[i] >= 0 && sent[newest[i]].tombstone && w.now - sent[newest[i]].deleted_ms >= DAY;

		/* A tombstone is seen by whoever comes within its time; no value comes back behind it. */
		CU_ASSERT(found[i] == newest[i] || (gone && found[i] == -1));
	}
}

static void
any_workload_keeps_the_newest_of_each_key(void)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct partition *p;

		chance = seed;
		begin();
		fake_worker_seed(seed);
		w.partition.segment_bytes = 500 + (int32_t)below(4000);
		w.partition.min_dirty_ratio = (double)below(2) / 2;
		w.partition.max_message_bytes = 500;
		n_sent = 0;
		for (int i = 0; i < KEYS; i++)
			newest[i] = -1;
		p = world_partition(&w, 0);
		for (int i = 0; i < WRITES; i++) {
			write_some(p);
			w.now += (int64_t)below(2) == 0 ? 0 : (int64_t)below(DAY / 10);
			if (below(20) == 0)
				store_checkpoint(w.store);
			if (below(10) == 0)
				store_tick(w.store, w.now, w.now);
			if (below(3) == 0)
				mailbox_run(w.mailbox);
			if (below(100) == 0)
				check_against_model(p);
			if (below(200) == 0) {
				world_close(&w);
				CU_ASSERT_FATAL(world_open(&w));
				p = world_partition(&w, 0);
			}
		}
		let_pass(1);
		check_against_model(p);
		world_end(&w);
	}
}

const struct unit_test compact_tests[] = {
	UNIT(the_newest_of_each_key_stays),
	UNIT(what_is_clean_is_not_mapped_but_gives_way),
	UNIT(a_batch_keeps_what_it_had_but_its_records),
	UNIT(a_batch_that_stays_whole_stays_as_it_is),
	UNIT(times_are_those_of_what_is_left),
	UNIT(a_tombstone_stays_for_its_time_and_then_goes),
	UNIT(a_tombstone_of_all_time_stays),
	UNIT(a_value_after_a_tombstone_takes_its_place),
	UNIT(records_without_a_key_go),
	UNIT(a_run_of_dropped_batches_becomes_one_empty_one),
	UNIT(the_last_batch_of_a_producer_stays_without_records),
	UNIT(aborted_records_go_and_displace_nothing),
	UNIT(a_marker_stays_while_it_marks_something_and_then_for_its_time),
	UNIT(neighbours_become_one_up_to_the_size_of_a_segment),
	UNIT(segments_that_skip_offsets_are_left_alone),
	UNIT(what_does_not_fit_in_memory_is_left_to_the_next_pass),
	UNIT(more_keys_than_memory_in_one_segment_are_told),
	UNIT(what_is_damaged_is_not_touched),
	UNIT(a_pass_ends_when_it_is_told_to),
	UNIT(a_failing_disk_leaves_no_part_of_a_file),
	UNIT(a_name_that_is_not_known_to_be_durable_counts_as_failed),
	UNIT(closed_segments_are_compacted_and_become_few),
	UNIT(old_files_go_when_the_index_has_the_new_ones),
	UNIT(it_is_there_after_every_kind_of_end),
	UNIT(a_producer_goes_on_when_its_batches_were_compacted),
	UNIT(records_that_are_young_are_left_alone),
	UNIT(records_are_compacted_in_time_even_in_the_active_segment),
	UNIT(a_log_that_is_clean_enough_waits),
	UNIT(without_the_policy_or_the_cleaner_nothing_is_compacted),
	UNIT(nothing_is_compacted_that_is_not_settled),
	UNIT(the_front_may_go_during_a_pass),
	UNIT(a_partition_may_be_deleted_during_a_pass),
	UNIT(a_store_may_be_closed_during_a_pass),
	UNIT(a_damaged_log_is_left_as_it_is),
	UNIT(a_full_disk_puts_it_off),
	UNIT(reads_from_every_offset_get_on),
	UNIT(look_ups_by_time_find_what_is_left),
	UNIT(a_look_up_goes_on_while_segments_are_replaced),
	UNIT(an_index_of_another_format_is_made_anew),
	UNIT(internal_logs_are_compacted_and_tell_the_same),
	UNIT(transactions_are_compacted_and_leave_nothing_open),
	UNIT(an_open_transaction_holds_compaction_up),
	UNIT(who_reads_during_a_pass_gets_nothing_that_was_aborted_untold),
	UNIT(whatever_a_cut_leaves_is_whole),
	UNIT(any_workload_keeps_the_newest_of_each_key),
	UNIT_END
};
