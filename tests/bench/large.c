/*
 * large.c -- starts on a folder of 100 GB: after an end in order, and after cuts.
 *
 * The daemon itself writes them all, so that its index is as large as it would be;
 * but as soon as they are written, segments are made hollow: they keep their size,
 * and take nothing of the disk.  It reads none of them again.  What is to be found
 * behind a cut is written after the last checkpoint, and stays whole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/daemon.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/starts.h"
#include "bench/table.h"

#define GB 1000000000.0

/* A batch in every 64 KiB, each of which gets an entry in the index: as many as there can be. */
enum { BATCH = 65536, PARTITIONS = 16, SLICES = 100, QUICK_SLICES = 2, STARTS = 5, CUTS = 3, QUICK_CUTS = 1 };

/* Checkpoints only when we say so, by an end in order; and no batch goes through the journal. */
static const char *const settings[] = {
	"weir.checkpoint.interval.ms=86400000",
	"weir.checkpoint.bytes=8000000000",
	"weir.journal.batch.max.bytes=0",
	NULL,
};

static const char name[] = "large", topic[] = "large";

static const struct target target_clean = { 200, true, "ms" };

/* What was not synced when the cut came; a second, and one more for each 2 GB. */
static const struct {
	int gb;
	const char *what;
	struct target target;
} cuts[] = {
	{ 0, "ready, after a cut, all of it synced", { 1000, true, "ms" } },
	{ 1, "ready, after a cut, 1 GB not synced", { 1500, true, "ms" } },
	{ 2, "ready, after a cut, 2 GB not synced", { 2000, true, "ms" } },
};

/* Writes about so many GB; false after saying why not. */
static bool
write_gb(struct bench *b, const struct daemon *d, double gb)
{
	struct load l = { .address = d->address, .topic = topic, .acks = "1", .record_bytes = BATCH,
		.records = (uint64_t)(gb * GB / BATCH), .partitions = PARTITIONS, .connections = 4, .in_flight = 5,
		.batch_bytes = BATCH };
	struct outcome o;

	if (client_run(flow_produce_run, &l, d->pid, &o))
		return true;
	bench_fail(b, name, o.error);
	return false;
}

static bool
hollow(struct bench *b, const struct daemon *d)
{
	if (disk_hollow(d->dir))
		return true;
	bench_fail(b, name, strerror(errno));
	return false;
}

static void
make_topic(const struct daemon *d)
{
	static const char *const forever[] = { "retention.ms", "-1", NULL };
	struct bare c;

	if (!bare_open(&c, d->address) || !bare_create_topic(&c, topic, PARTITIONS, forever))
		bench_die("%s", c.error);
	bare_done(&c);
}

/* All of the data, and an end in order.  False: there is no use in going on. */
static bool
make_all(struct bench *b, struct daemon *d)
{
	int n = b->quick ? QUICK_SLICES : SLICES;
	bool ok = true;

	daemon_start(d, b, name, settings);
	make_topic(d);
	for (int i = 0; i < n && ok; i++)
		ok = write_gb(b, d, 1) && hollow(b, d);
	daemon_stop(d);
	return ok;
}

static void
put_size(struct bench *b, struct table *t, const struct daemon *d)
{
	struct disk_segments s = disk_segments(d->dir);

	table_row(t);
	table_cell(t, "the folder: %llu segments, of which the disk has %.1f GB", (unsigned long long)s.n, (double)s.taken / GB);
	table_cell(t, "%.1f GB", (double)s.bytes / GB);
	bench_pass(b, "the folder: %.1f GB", (double)s.bytes / GB);
}

/* `cold`: the index, which is all that is read, comes from the disk. */
static void
start_clean(struct bench *b, struct table *t, struct daemon *d, const char *what, bool cold)
{
	char path[4200];
	struct starts s;

	snprintf(path, sizeof path, "%s/index/data.mdb", d->dir);
	starts_init(&s, STARTS);
	for (int i = 0; i < STARTS; i++) {
		if (cold)
			disk_forget(path);
		starts_once(&s, b, d, name, NULL);
		daemon_stop(d);
	}
	starts_put(&s, b, t, what, &target_clean);
}

/* False: there is no use in going on. */
static bool
start_cut(struct bench *b, struct table *t, struct daemon *d, size_t which)
{
	int n = b->quick ? QUICK_CUTS : CUTS;
	struct starts s;
	bool ok = true;

	starts_init(&s, n);
	for (int i = 0; i < n && ok; i++) {
		daemon_start(d, b, name, settings);
		ok = cuts[which].gb == 0 || write_gb(b, d, cuts[which].gb);
		daemon_kill(d);
		starts_once(&s, b, d, name, NULL);
		daemon_stop(d);
		ok = ok && hollow(b, d);
	}
	starts_put(&s, b, t, cuts[which].what, &cuts[which].target);
	return ok;
}

void
large_run(struct bench *b)
{
	static struct table t;
	struct daemon d;

	if (!make_all(b, &d)) {
		daemon_remove(&d);
		return;
	}
	table_begin(&t, "Start on a large folder", STARTS_COLUMNS);
	put_size(b, &t, &d);
	start_clean(b, &t, &d, "ready, after a clean stop", false);
	start_clean(b, &t, &d, "ready, after a clean stop, index not in memory", true);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
		if (!start_cut(b, &t, &d, i))
			break;
	daemon_remove(&d);
	table_print(&t, b->markdown);
}
