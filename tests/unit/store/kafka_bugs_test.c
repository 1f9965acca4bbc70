/*
 * kafka_bugs_test.c -- mistakes that Apache Kafka's recovery has made, each by its name there.
 *
 * https://issues.apache.org/jira/browse/KAFKA-<number>
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/store/world.h"

static struct world w;
static struct partition *p;

static void
begin(void)
{
	world_begin(&w);
	w.partition.segment_bytes = 1000;
	p = world_partition(&w, 0);
}

static void
again(void)
{
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
}

static void
append(int n, bool durable)
{
	while (n-- > 0)
		CU_ASSERT(world_append(&w, p, durable, 1, 100, NULL, NULL) == STORE_OK);
}

static void
checkpoint(void)
{
	store_checkpoint(w.store);
	world_settle(&w);
}

/*
 * A recovery that does not sync what it found in the page cache, and then says that
 * all before the end is recovered: a power cut after it loses what it has shown.
 */
static void
kafka_10101_what_a_recovery_has_shown_survives_the_next_cut(void)
{
	for (int checkpoints = 0; checkpoints < 2; checkpoints++) {
		int shown;

		begin();
		w.config.journal_batch_bytes_max = 50; /* all of it goes straight to the segments */
		world_close(&w);
		again();
		append(20, false);
		if (checkpoints)
			checkpoint();
		append(5, false);
		world_cut(&w, false); /* a kill: the page cache has all */
		again();
		shown = world_count(&w, p);
		CU_ASSERT(shown == 25);
		world_cut(&w, true);
		again();
		CU_ASSERT(world_count(&w, p) == shown);
		world_end(&w);
	}
}

/* The name of a new segment that was never synced: acknowledged records go with it. */
static void
kafka_3968_the_name_of_a_new_segment_survives(void)
{
	for (int direct = 0; direct < 2; direct++) {
		begin();
		if (direct) {
			w.config.journal_batch_bytes_max = 50;
			world_close(&w);
			again();
		}
		append(40, true); /* some rolls */
		world_cut(&w, true);
		again();
		CU_ASSERT(world_count(&w, p) == 40);
		world_end(&w);
	}
}

/*
 * A time index that two failures, one behind the other, leave with a wrong largest
 * time: look-ups miss records, and retention deletes too early.
 */
static void
kafka_10471_times_are_right_after_two_failures(void)
{
	struct partition_lookup l;

	for (int how = 0; how < 8; how++) {
		begin();
		for (int i = 0; i < 30; i++) {
			w.now = WORLD_NOW + i * 1000;
			append(1, true);
			if (i == 17)
				checkpoint();
		}
		if (how & 1)
			world_close(&w); /* a clean end before both */
		else
			world_cut(&w, (how & 2) != 0);
		again();
		world_cut(&w, (how & 4) != 0);
		again();
		CU_ASSERT(world_look_up(&w, p, WORLD_NOW + 20500, false, &l) == STORE_OK);
		CU_ASSERT(l.timestamp == WORLD_NOW + 21000);
		CU_ASSERT(world_look_up(&w, p, 0, true, &l) == STORE_OK && l.timestamp == WORLD_NOW + 29000);
		for (size_t i = 0; i < p->n_segments; i++) {
			const struct segment *s = p->segments[i];

			/* One record every second, from offset 0 on, before the first failure. */
			if (s->size > 0)
				CU_ASSERT(s->max_time == WORLD_NOW + (s->end - 1) * 1000);
		}
		world_end(&w);
	}
}

/* Ended while it starts, before it has read its logs: it must not say that all is well. */
static void
kafka_15375_an_end_during_the_start_is_not_a_clean_one(void)
{
	bool started = false;
	char clean[PATH_MAX];
	uint8_t byte;

	for (int64_t at = 0; !started; at += 3) {
		begin();
		append(10, true);
		world_cut(&w, true);
		snprintf(clean, sizeof clean, "%s/clean", w.dir);
		fake_disk_fail(at, EIO, true, FAKE_ANY, NULL);
		started = world_open(&w);
		if (started) {
			/* The fault lies behind the start, so it is the end that meets it. */
			world_cut(&w, true);
		} else {
			CU_ASSERT(fake_disk_peek(clean, 0, &byte, 1) == -1);
			fake_disk_begin(1, 0);
		}
		again();
		CU_ASSERT(!store_started_clean(w.store) && world_count(&w, p) == 10);
		world_end(&w);
		CU_ASSERT_FATAL(at < 3000);
	}
}

/* A start after a kill that takes as long as there is data, not as long as there is unsynced data. */
static void
kafka_5829_a_start_looks_only_at_what_was_not_synced(void)
{
	int64_t few, many;

	begin();
	append(10, true);
	checkpoint();
	append(1, true);
	world_cut(&w, false);
	again();
	few = fake_disk_ops();
	append(2000, true);
	checkpoint();
	CU_ASSERT_FATAL(p->n_segments > 200);
	append(1, true);
	world_cut(&w, false);
	again();
	many = fake_disk_ops();
	CU_ASSERT(many < few + 20);
	CU_ASSERT(world_count(&w, p) == 2012);
	world_end(&w);
}

const struct unit_test kafka_bugs_tests[] = {
	UNIT(kafka_10101_what_a_recovery_has_shown_survives_the_next_cut),
	UNIT(kafka_3968_the_name_of_a_new_segment_survives),
	UNIT(kafka_10471_times_are_right_after_two_failures),
	UNIT(kafka_15375_an_end_during_the_start_is_not_a_clean_one),
	UNIT(kafka_5829_a_start_looks_only_at_what_was_not_synced),
	UNIT_END
};
