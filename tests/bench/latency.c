/*
 * latency.c -- how long one record takes to be on stable storage, beside an
 * append and an fdatasync of the same bytes.
 *
 * What is compared takes turns in blocks, so that a slow minute of the machine
 * is in all of it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/daemon.h"
#include "bench/disk.h"
#include "bench/kafka.h"
#include "bench/measure.h"
#include "bench/table.h"
#include "store/batch.h"

enum { RECORD = 1024, BLOCK = 200, BLOCKS = 20, THREADS = 16, MANY = 256, QUICK_DIVISOR = 10 };

static const char one_topic[] = "one", many_topic[] = "many";

struct plan {
	const struct bench *bench;
	const char *address;
	int blocks;
};

/* A batch of one record, as any producer would send it. */
static struct span
make_batch(struct batch_builder *b)
{
	static uint8_t value[RECORD];

	batch_begin(b, (int64_t)1000 * 1000 * 1000 * 1000);
	batch_add(b, span_of(NULL, 0), span_of(value, sizeof value));
	batch_finish(b);
	must(!b->bytes.failed);
	return span_of(b->bytes.p, b->bytes.n);
}

/* ---- series of operations that take turns ---- */

/* A series while it is measured. */
struct measured {
	struct samples us;
	double client_cpu_s, logd_cpu_s;
};

static void
summarise(struct measured *m, struct series *s)
{
	s->p50_us = samples_percentile(&m->us, 0.50);
	s->p99_us = samples_percentile(&m->us, 0.99);
	s->client_cpu_us = m->client_cpu_s / (double)m->us.n * 1e6;
	s->logd_cpu_us = m->logd_cpu_s / (double)m->us.n * 1e6;
	samples_done(&m->us);
}

/* ---- one producer ---- */

enum single_series { SINGLE_FILE, SINGLE_BARE, SINGLE_KAFKA, N_SINGLE };

static const char *const single_names[N_SINGLE] = {
	[SINGLE_FILE] = "append and fdatasync",
	[SINGLE_BARE] = "acks=all, a bare socket",
	[SINGLE_KAFKA] = "acks=all, librdkafka",
};

struct single {
	int fd;
	struct span batch, frame;
	struct bare bare;
	struct kafka_single *kafka;
};

static void
single_do(struct single *s, enum single_series which, struct outcome *o)
{
	switch (which) {
	case SINGLE_FILE:
		disk_grow(s->fd, s->batch.p, s->batch.n, o);
		break;
	case SINGLE_BARE:
		if (!bare_produce(&s->bare, s->frame))
			client_fail(o, "%s", s->bare.error);
		break;
	case SINGLE_KAFKA:
	case N_SINGLE:
		kafka_single_produce(s->kafka, s->batch.p + s->batch.n - RECORD - 1, RECORD, o);
		break;
	}
}

static void
single_block(struct single *s, enum single_series which, struct measured *m, pid_t logd, struct outcome *o)
{
	struct window w;
	double began;
	int i;

	window_begin(&w, logd);
	for (i = 0; i < BLOCK; i++) {
		began = measure_now_s();
		single_do(s, which, o);
		samples_add(&m->us, (measure_now_s() - began) * 1e6);
	}
	window_cpu(&w, &m->client_cpu_s, &m->logd_cpu_s);
}

/* A client_fn with a struct plan. */
static void
single_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct plan *p = arg;
	struct measured m[N_SINGLE] = { 0 };
	struct batch_builder builder;
	struct buf frame = { 0 };
	struct single s = { .batch = make_batch(&builder) };
	char path[4200];
	int i, which;

	snprintf(path, sizeof path, "%s/grow", p->bench->dir);
	s.fd = disk_grow_open(path, o);
	bare_produce_frame(&frame, one_topic, 0, BARE_ACKS_ALL, s.batch);
	s.frame = span_of(frame.p, frame.n);
	if (!bare_open(&s.bare, p->address))
		client_fail(o, "%s", s.bare.error);
	s.kafka = kafka_single_new(p->address, one_topic, o);
	for (which = 0; which < N_SINGLE; which++) {
		samples_init(&m[which].us, (size_t)p->blocks * BLOCK);
		single_do(&s, (enum single_series)which, o); /* the first makes what the others find */
	}
	for (i = 0; i < p->blocks; i++)
		for (which = 0; which < N_SINGLE; which++)
			single_block(&s, (enum single_series)which, &m[which], logd, o);
	for (which = 0; which < N_SINGLE; which++)
		summarise(&m[which], &o->series[which]);
	kafka_single_free(s.kafka);
	bare_done(&s.bare);
	buf_done(&frame);
	buf_done(&builder.bytes);
	close(s.fd);
	unlink(path);
}

/* ---- many producers ---- */

enum crowd_series { CROWD_FILE, CROWD_FILES, CROWD_ONE, CROWD_MANY, N_CROWD };

static const char *const crowd_names[N_CROWD] = {
	[CROWD_FILE] = "append and fdatasync, all to one file",
	[CROWD_FILES] = "append and fdatasync, each to its own",
	[CROWD_ONE] = "acks=all, 1 partition",
	[CROWD_MANY] = "acks=all, 256 partitions",
};

/* What the threads share; what they write is behind barriers. */
struct crowd {
	const struct plan *plan;
	struct outcome *outcome;
	struct span batch;
	struct buf frames[MANY + 1]; /* the last: for the topic with one partition */
	pthread_barrier_t barrier;
	int fd; /* that all append to */
};

struct member {
	struct crowd *crowd;
	int number, fd, next; /* next: its next of the many partitions */
	struct bare bare;
	struct samples us[N_CROWD];
	pthread_t thread;
};

static void
member_send(struct member *m, const struct buf *frame)
{
	if (!bare_produce(&m->bare, span_of(frame->p, frame->n)))
		client_fail(m->crowd->outcome, "%s", m->bare.error);
}

static void
member_do(struct member *m, enum crowd_series which)
{
	struct crowd *c = m->crowd;

	switch (which) {
	case CROWD_FILE:
		disk_grow(c->fd, c->batch.p, c->batch.n, c->outcome);
		break;
	case CROWD_FILES:
		disk_grow(m->fd, c->batch.p, c->batch.n, c->outcome);
		break;
	case CROWD_ONE:
		member_send(m, &c->frames[MANY]);
		break;
	case CROWD_MANY:
	case N_CROWD:
		/* They begin apart, so that they are seldom in the same partition. */
		member_send(m, &c->frames[m->next++ % MANY]);
		break;
	}
}

static void *
member_main(void *arg)
{
	struct member *m = arg;
	int block, which, i;

	for (block = 0; block < m->crowd->plan->blocks; block++)
		for (which = 0; which < N_CROWD; which++) {
			pthread_barrier_wait(&m->crowd->barrier);
			for (i = 0; i < BLOCK; i++) {
				double began = measure_now_s();

				member_do(m, (enum crowd_series)which);
				samples_add(&m->us[which], (measure_now_s() - began) * 1e6);
			}
			pthread_barrier_wait(&m->crowd->barrier);
		}
	return NULL;
}

static void
member_start(struct member *m, struct crowd *c, int number)
{
	char path[4200];
	int which;

	*m = (struct member){ .crowd = c, .number = number, .next = number * (MANY / THREADS) };
	snprintf(path, sizeof path, "%s/grow-%d", c->plan->bench->dir, number);
	m->fd = disk_grow_open(path, c->outcome);
	if (!bare_open(&m->bare, c->plan->address))
		client_fail(c->outcome, "%s", m->bare.error);
	for (which = 0; which < N_CROWD; which++)
		samples_init(&m->us[which], (size_t)c->plan->blocks * BLOCK);
	if (pthread_create(&m->thread, NULL, member_main, m) != 0)
		client_fail(c->outcome, "a thread can't be made");
}

static void
member_end(struct member *m, struct measured *all)
{
	char path[4200];
	size_t i;
	int which;

	pthread_join(m->thread, NULL);
	for (which = 0; which < N_CROWD; which++) {
		for (i = 0; i < m->us[which].n; i++)
			samples_add(&all[which].us, m->us[which].values[i]);
		samples_done(&m->us[which]);
	}
	bare_done(&m->bare);
	close(m->fd);
	snprintf(path, sizeof path, "%s/grow-%d", m->crowd->plan->bench->dir, m->number);
	unlink(path);
}

static void
crowd_frames(struct crowd *c)
{
	int i;

	for (i = 0; i < MANY; i++)
		bare_produce_frame(&c->frames[i], many_topic, i, BARE_ACKS_ALL, c->batch);
	bare_produce_frame(&c->frames[MANY], one_topic, 0, BARE_ACKS_ALL, c->batch);
}

/* So that each partition has its file when it is measured. */
static void
crowd_touch(struct crowd *c)
{
	struct bare bare;
	int i;

	if (!bare_open(&bare, c->plan->address))
		client_fail(c->outcome, "%s", bare.error);
	for (i = 0; i <= MANY; i++)
		if (!bare_produce(&bare, span_of(c->frames[i].p, c->frames[i].n)))
			client_fail(c->outcome, "%s", bare.error);
	bare_done(&bare);
}

/* A client_fn with a struct plan. */
static void
crowd_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct plan *p = arg;
	struct measured all[N_CROWD] = { 0 };
	struct member members[THREADS];
	struct batch_builder builder;
	struct crowd c = { .plan = p, .outcome = o, .batch = make_batch(&builder) };
	struct window w;
	char path[4200];
	int i, which;

	snprintf(path, sizeof path, "%s/grow", p->bench->dir);
	c.fd = disk_grow_open(path, o);
	crowd_frames(&c);
	crowd_touch(&c);
	pthread_barrier_init(&c.barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		member_start(&members[i], &c, i);
	for (i = 0; i < p->blocks; i++)
		for (which = 0; which < N_CROWD; which++) {
			window_begin(&w, logd);
			pthread_barrier_wait(&c.barrier);
			pthread_barrier_wait(&c.barrier);
			window_cpu(&w, &all[which].client_cpu_s, &all[which].logd_cpu_s);
		}
	for (which = 0; which < N_CROWD; which++)
		samples_init(&all[which].us, (size_t)p->blocks * BLOCK * THREADS);
	for (i = 0; i < THREADS; i++)
		member_end(&members[i], all);
	for (which = 0; which < N_CROWD; which++)
		summarise(&all[which], &o->series[which]);
	for (i = 0; i <= MANY; i++)
		buf_done(&c.frames[i]);
	pthread_barrier_destroy(&c.barrier);
	buf_done(&builder.bytes);
	close(c.fd);
	unlink(path);
}

/* ---- tables ---- */

/* How a group of series is run and judged. */
struct comparison {
	const char *title;
	client_fn *run;
	const char *const *names;
	int n, base; /* base: the series that the others are shown beside */
	int judged;
	struct target target;
	int divisor; /* of the blocks */
};

static void
compare(struct bench *b, const struct plan *plan, pid_t logd, const struct comparison *c)
{
	struct plan mine = *plan;
	struct outcome o;
	struct table t;
	int i;

	mine.blocks = plan->blocks / c->divisor;
	if (!client_run(c->run, &mine, logd, &o)) {
		bench_fail(b, c->title, o.error);
		return;
	}
	table_begin(&t, c->title,
	    "<what|p50 us|p99 us|of the base|client CPU us|logd CPU us|client PSS MB|logd PSS MB|<target");
	for (i = 0; i < c->n; i++) {
		const struct series *s = &o.series[i];
		double ratio = s->p50_us / o.series[c->base].p50_us;

		table_row(&t);
		table_cell(&t, "%s", c->names[i]);
		table_cell(&t, "%.0f", s->p50_us);
		table_cell(&t, "%.0f", s->p99_us);
		table_cell(&t, "%.2f", ratio);
		table_cell(&t, "%.0f", s->client_cpu_us);
		table_cell(&t, "%.0f", s->logd_cpu_us);
		table_cell(&t, "%.1f", o.client_pss / 1e6);
		table_cell(&t, "%.1f", o.logd_pss / 1e6);
		table_cell(&t, "%s", i != c->judged ? "" : bench_judge(b, &c->target, ratio));
		bench_pass(b, "%s, %s: p50 %.0f us", c->title, c->names[i], s->p50_us);
	}
	table_print(&t, b->markdown);
}

static void
make_topics(const struct daemon *d)
{
	struct bare c;

	if (!bare_open(&c, d->address) || !bare_create_topic(&c, one_topic, 1, NULL) || !bare_create_topic(&c, many_topic, MANY, NULL))
		bench_die("%s", c.error);
	bare_done(&c);
}

void
latency_run(struct bench *b)
{
	static const struct comparison comparisons[] = {
		{ "One producer, one record of 1 KB at a time", single_run, single_names, N_SINGLE, SINGLE_FILE, SINGLE_BARE,
		    { 1.3, true, "x the base" }, 1 },
		{ "16 producers, each one record of 1 KB at a time", crowd_run, crowd_names, N_CROWD, CROWD_ONE, CROWD_MANY,
		    { 2, true, "x the base" }, 2 },
	};
	struct daemon d;
	struct plan p = { b, d.address, BLOCKS / (b->quick ? QUICK_DIVISOR : 1) };
	size_t i;

	daemon_start(&d, b, "latency", NULL);
	make_topics(&d);
	daemon_settle(&d);
	for (i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
		compare(b, &p, d.pid, &comparisons[i]);
	daemon_stop(&d);
	daemon_remove(&d);
}
