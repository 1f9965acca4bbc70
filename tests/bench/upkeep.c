/*
 * upkeep.c -- what compaction and retention cost producers while they run.
 *
 * Two topics of one daemon get the same load, in turns: one that is left alone,
 * and one of small segments that is compacted and cut at its front all the time.
 * Between turns the daemon comes to rest, so that each pays for its own.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/daemon.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/measure.h"
#include "bench/table.h"

enum { RECORD = 1024, PARTITIONS = 4, TURNS = 5, QUICK_DIVISOR = 20, RATE = 20000, RATE_S = 10 };

enum kind { ALONE, KEPT, KINDS };

static const char *const names[KINDS] = { "alone", "kept" };
static const char *const what[KINDS] = { "nothing runs beside", "compaction and retention run beside" };

static const char *const configs[KINDS][16] = {
	[ALONE] = { "cleanup.policy", "delete", "retention.ms", "-1", "segment.bytes", "8388608", NULL },
	[KEPT] = { "cleanup.policy", "compact,delete", "retention.bytes", "16777216", "segment.bytes", "8388608",
	    "min.cleanable.dirty.ratio", "0.01", NULL },
};

static const char *const settings[] = {
	"log.cleaner.backoff.ms=100",
	"log.retention.check.interval.ms=1000",
	NULL,
};

static const struct target
    target_rate = { 0.9, false, "of alone" },
    target_tail = { 3, true, "x p99" };

/* What the turns of one kind gave. */
struct figures {
	struct samples per_s, cpu_s, p50, p99, p999; /* cpu_s: of the daemon, for a million records */
};

static void
figures_init(struct figures *f)
{
	samples_init(&f->per_s, TURNS);
	samples_init(&f->cpu_s, TURNS);
	samples_init(&f->p50, TURNS);
	samples_init(&f->p99, TURNS);
	samples_init(&f->p999, TURNS);
}

static void
figures_done(struct figures *f)
{
	samples_done(&f->per_s);
	samples_done(&f->cpu_s);
	samples_done(&f->p50);
	samples_done(&f->p99);
	samples_done(&f->p999);
}

static double
median(struct samples *s)
{
	return samples_percentile(s, 0.5);
}

static bool
turn(struct bench *b, const struct daemon *d, const struct load *load, enum kind kind, struct figures *f)
{
	struct load l = *load;
	struct outcome o;

	l.address = d->address;
	l.topic = names[kind];
	daemon_settle(d);
	if (!client_run(flow_produce_run, &l, d->pid, &o)) {
		bench_fail(b, what[kind], o.error);
		return false;
	}
	samples_add(&f->per_s, (double)o.records / o.seconds);
	samples_add(&f->cpu_s, o.logd_cpu_s / (double)o.records * 1e6);
	samples_add(&f->p50, o.latency.p50_us / 1e3);
	samples_add(&f->p99, o.latency.p99_us / 1e3);
	samples_add(&f->p999, o.latency.p999_us / 1e3);
	return true;
}

static void
put_latency(struct bench *b, struct table *t, struct figures *f, enum kind kind)
{
	double p99 = median(&f->p99), p999 = median(&f->p999);

	table_cell(t, "%.2f", median(&f->p50));
	table_cell(t, "%.2f", p99);
	table_cell(t, "%.2f", p999);
	table_cell(t, "%s", kind == KEPT ? bench_judge(b, &target_tail, p999 / p99) : "");
}

static void
put_kind(struct bench *b, struct table *t, const struct load *l, struct figures f[KINDS], enum kind kind)
{
	double per_s = median(&f[kind].per_s), of = per_s / median(&f[ALONE].per_s);

	table_row(t);
	table_cell(t, "%s", what[kind]);
	table_cell(t, "%.0f", per_s);
	table_cell(t, "%.2f", of);
	table_cell(t, "%.2f", median(&f[kind].cpu_s));
	table_cell(t, "%.2f", median(&f[kind].cpu_s) / median(&f[ALONE].cpu_s));
	if (l->rate > 0)
		put_latency(b, t, &f[kind], kind);
	else
		table_cell(t, "%s", kind == KEPT ? bench_judge(b, &target_rate, of) : "");
	bench_pass(b, "%s, %s: %.0f records/s", t->title, what[kind], per_s);
}

/* Rows of both, from turns of both. */
static void
compare(struct bench *b, const struct daemon *d, struct table *t, const struct load *l)
{
	struct figures f[KINDS];
	bool ok = true;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		figures_init(&f[kind]);
	for (int i = 0; i < (b->quick ? 1 : TURNS) && ok; i++)
		for (kind = 0; kind < KINDS && ok; kind++)
			ok = turn(b, d, l, (enum kind)kind, &f[kind]);
	for (kind = 0; kind < KINDS; kind++) {
		if (ok)
			put_kind(b, t, l, f, (enum kind)kind);
	}
	for (kind = 0; kind < KINDS; kind++)
		figures_done(&f[kind]);
}

static void
make_topics(const struct daemon *d)
{
	struct bare c;

	if (!bare_open(&c, d->address))
		bench_die("%s", c.error);
	for (int kind = 0; kind < KINDS; kind++)
		if (!bare_create_topic(&c, names[kind], PARTITIONS, configs[kind]))
			bench_die("%s", c.error);
	bare_done(&c);
}

/* Whether what was to run did run. */
static void
check_kept(struct bench *b, const struct daemon *d)
{
	if (disk_segments(d->dir).compacted > 0)
		bench_pass(b, "there are compacted segments");
	else
		bench_fail(b, what[KEPT], "there is no compacted segment: nothing ran beside the producers");
}

void
upkeep_run(struct bench *b)
{
	static struct table fast, paced;
	int divisor = b->quick ? QUICK_DIVISOR : 1;
	struct load l = { .acks = "1", .record_bytes = RECORD, .records = (uint64_t)(800000 / divisor),
		.partitions = PARTITIONS, .linger_ms = 1, .connections = 4, .in_flight = 5, .batch_bytes = 65536, .keyed = true };
	struct daemon d;

	daemon_start(&d, b, "upkeep", settings);
	make_topics(&d);
	table_begin(&fast, "Upkeep: records of 1 KB with keys, acks=1, as many as go",
	    "<what|records/s|of alone|logd CPU s/M|of alone|<target");
	table_begin(&paced, "Upkeep: 20,000 records of 1 KB a second, with keys, acks=all",
	    "<what|records/s|of alone|logd CPU s/M|of alone|p50 ms|p99 ms|p99.9 ms|<target");
	compare(b, &d, &fast, &l);
	l.acks = "all";
	l.rate = RATE;
	l.records = (uint64_t)(RATE * RATE_S / divisor);
	compare(b, &d, &paced, &l);
	check_kept(b, &d);
	daemon_stop(&d);
	daemon_remove(&d);
	table_print(&fast, b->markdown);
	table_print(&paced, b->markdown);
}
