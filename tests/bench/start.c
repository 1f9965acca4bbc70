/* start.c -- how soon a daemon serves, what it takes when idle, and many partitions. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/daemon.h"
#include "bench/measure.h"
#include "bench/starts.h"
#include "bench/table.h"

enum { STARTS = 20, QUICK_STARTS = 3, IDLE_S = 2, MANY = 10000, ASKS = 50 };

static const struct target
    target_empty = { 10, true, "ms" },
    target_idle = { 8, true, "MB" },
    target_many = { 200, true, "ms" },
    target_many_idle = { 64, true, "MB" },
    target_metadata = { 3, true, "ms" };

/* Memory of a daemon that has had nothing to do for a while. */
static void
put_idle(struct bench *b, struct table *t, const char *what, const struct daemon *d, const struct target *target)
{
	double mb, cpu_ms = measure_cpu_s(d->pid) * 1e3;

	sleep(IDLE_S);
	mb = measure_pss(d->pid) / 1e6;
	table_row(t);
	table_cell(t, "%s", what);
	table_cell(t, "%.1f MB", mb);
	table_cell(t, "%s", "");
	table_cell(t, "%.1f", measure_cpu_s(d->pid) * 1e3 - cpu_ms);
	table_cell(t, "%.1f", mb);
	table_cell(t, "%s", bench_judge(b, target, mb));
	bench_pass(b, "%s: %.1f MB", what, mb);
}

/* ---- an empty folder ---- */

static void
run_empty(struct bench *b, struct table *t)
{
	int i, n = b->quick ? QUICK_STARTS : STARTS;
	struct starts first, again;
	struct daemon d;

	starts_init(&first, n);
	starts_init(&again, n);
	for (i = 0; i < n; i++) {
		starts_once(&first, b, &d, "empty", NULL);
		daemon_stop(&d);
		starts_once(&again, b, &d, "empty", NULL);
		daemon_stop(&d);
		daemon_remove(&d);
	}
	starts_put(&first, b, t, "ready, on an empty folder", &target_empty);
	starts_put(&again, b, t, "ready, the second time", &target_empty);
	daemon_start(&d, b, "empty", NULL);
	put_idle(b, t, "memory, idle and empty", &d, &target_idle);
	daemon_stop(&d);
	daemon_remove(&d);
}

/* ---- many partitions ---- */

/* A client_fn with an address: asks for all topics. */
static void
ask_metadata(const void *address, pid_t logd, struct outcome *o)
{
	double client_cpu_s = 0, logd_cpu_s = 0;
	struct buf frame = { 0 };
	struct samples us;
	struct span answer;
	struct window w;
	struct bare c;
	int i;

	samples_init(&us, ASKS);
	bare_metadata_frame(&frame);
	if (!bare_open(&c, address))
		client_fail(o, "%s", c.error);
	/* The first makes the room that its answer takes. */
	if (!bare_exchange(&c, span_of(frame.p, frame.n), &answer))
		client_fail(o, "%s", c.error);
	window_begin(&w, logd);
	for (i = 0; i < ASKS; i++) {
		double began = measure_now_s();

		if (!bare_exchange(&c, span_of(frame.p, frame.n), &answer))
			client_fail(o, "%s", c.error);
		samples_add(&us, (measure_now_s() - began) * 1e6);
	}
	window_cpu(&w, &client_cpu_s, &logd_cpu_s);
	o->bytes = answer.n;
	o->series[0].p50_us = samples_percentile(&us, 0.5);
	o->series[0].p99_us = samples_percentile(&us, 1);
	o->series[0].logd_cpu_us = logd_cpu_s / ASKS * 1e6;
	samples_done(&us);
	bare_done(&c);
	buf_done(&frame);
}

static void
put_metadata(struct bench *b, struct table *t, const struct daemon *d)
{
	const struct series *s;
	struct outcome o;

	if (!client_run(ask_metadata, d->address, d->pid, &o)) {
		bench_fail(b, "metadata", o.error);
		return;
	}
	s = &o.series[0];
	table_row(t);
	table_cell(t, "metadata of 10,000 partitions: %llu bytes", (unsigned long long)o.bytes);
	table_cell(t, "%.2f ms", s->p50_us / 1e3);
	table_cell(t, "%.2f ms", s->p99_us / 1e3);
	table_cell(t, "%.2f", s->logd_cpu_us / 1e3);
	table_cell(t, "%.1f", measure_pss(d->pid) / 1e6);
	table_cell(t, "%s", bench_judge(b, &target_metadata, s->p50_us / 1e3));
	bench_pass(b, "metadata of 10,000 partitions: %.2f ms", s->p50_us / 1e3);
}

/* A daemon with that many partitions, which has stopped. */
static void
make_many(struct bench *b, struct table *t, struct daemon *d)
{
	double began, cpu_ms, took_ms;
	struct bare c;

	daemon_start(d, b, "many", NULL);
	cpu_ms = measure_cpu_s(d->pid) * 1e3;
	began = measure_now_s();
	if (!bare_open(&c, d->address) || !bare_create_topic(&c, "many", MANY, NULL))
		bench_die("%s", c.error);
	took_ms = (measure_now_s() - began) * 1e3;
	bare_done(&c);
	table_row(t);
	table_cell(t, "a topic of 10,000 partitions is made");
	table_cell(t, "%.1f ms", took_ms);
	table_cell(t, "%s", "");
	table_cell(t, "%.1f", measure_cpu_s(d->pid) * 1e3 - cpu_ms);
	table_cell(t, "%.1f", measure_pss(d->pid) / 1e6);
	table_cell(t, "%s", "");
	bench_pass(b, "a topic of 10,000 partitions is made: %.1f ms", took_ms);
	daemon_stop(d);
}

static void
run_many(struct bench *b, struct table *t)
{
	int i, n = b->quick ? QUICK_STARTS : STARTS;
	struct starts s;
	struct daemon d;

	make_many(b, t, &d);
	starts_init(&s, n);
	for (i = 0; i < n; i++) {
		starts_once(&s, b, &d, "many", NULL);
		if (i < n - 1)
			daemon_stop(&d);
	}
	starts_put(&s, b, t, "ready, with 10,000 partitions", &target_many);
	put_idle(b, t, "memory, idle, with 10,000 partitions", &d, &target_many_idle);
	put_metadata(b, t, &d);
	daemon_stop(&d);
	daemon_remove(&d);
}

void
start_run(struct bench *b)
{
	static struct table t;

	table_begin(&t, "Start, idle memory, many partitions", STARTS_COLUMNS);
	run_empty(b, &t);
	run_many(b, &t);
	table_print(&t, b->markdown);
}
