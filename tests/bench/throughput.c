/* throughput.c -- how much goes in and out, beside what the disk takes and gives. */
#include <stdio.h>

#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/daemon.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/table.h"

enum { MB = 1000000, QUICK_DIVISOR = 25, N_KINDS = DISK_READ + 1 };

static const struct {
	size_t record_bytes;
	uint64_t records; /* with what frames them, no row takes 2 GB of the disk */
	const struct target *produce, *consume; /* produce: with acks=1 */
} sizes[] = {
	{ 100, 6000000, NULL, NULL },
	{ 1024, 1500000, &(const struct target){ 600, false, "MB/s" }, &(const struct target){ 1200, false, "MB/s" } },
};

static const char *const acks[] = { "1", "all" };
static const int32_t partitions[] = { 1, 16, 256 };

#define COUNT(x) (sizeof(x) / sizeof *(x))

struct tables {
	struct table disk, produce, consume;
	double disk_mb_s[N_KINDS]; /* 0: not known */
};

static double
mb_per_s(const struct outcome *o)
{
	return (double)o->bytes / MB / o->seconds;
}

/*
 * Writes a file of that size and removes it, so that the page cache gets memory
 * that the machine has just used.  On a virtual machine, memory that was not
 * used for some seconds may be the host's again, and costs more than the write.
 */
static void
warm(struct bench *b, uint64_t bytes)
{
	struct disk_pass p = { .kind = DISK_WRITE, .bytes = bytes };
	struct outcome o;
	char path[4200];

	if (b->cold)
		return;
	snprintf(path, sizeof path, "%s/warm", b->dir);
	p.path = path;
	if (!client_run(disk_pass_run, &p, 0, &o))
		bench_die("%s", o.error);
	disk_remove(path);
}

static void
run_disk(struct bench *b, struct tables *t)
{
	static const char *const names[N_KINDS] = { "write", "write, one fdatasync at the end", "read again" };
	struct disk_pass p = { .bytes = sizes[1].records * sizes[1].record_bytes / (b->quick ? QUICK_DIVISOR : 1) };
	char path[4200];
	int kind;

	snprintf(path, sizeof path, "%s/disk", b->dir);
	p.path = path;
	warm(b, p.bytes);
	for (kind = 0; kind < N_KINDS; kind++) {
		struct outcome o;

		p.kind = (enum disk_kind)kind;
		if (!client_run(disk_pass_run, &p, 0, &o)) {
			bench_fail(b, names[kind], o.error);
			continue;
		}
		t->disk_mb_s[kind] = mb_per_s(&o);
		table_row(&t->disk);
		table_cell(&t->disk, "%s", names[kind]);
		table_cell(&t->disk, "%.0f", (double)p.bytes / MB);
		table_cell(&t->disk, "%.0f", t->disk_mb_s[kind]);
		table_cell(&t->disk, "%.2f", o.client_cpu_s);
		bench_pass(b, "disk, %s: %.0f MB/s", names[kind], t->disk_mb_s[kind]);
	}
	disk_remove(path);
}

/* One row of the produce or of the consume table. */
static void
put_row(struct bench *b, struct table *t, const struct load *l, const struct outcome *o, double disk_mb_s,
    const struct target *target)
{
	double mb_s = mb_per_s(o);

	table_row(t);
	table_cell(t, "%zu B", l->record_bytes);
	table_cell(t, "%s", l->acks);
	table_cell(t, "%d", (int)l->partitions);
	table_cell(t, "%.0f", (double)o->records / o->seconds);
	table_cell(t, "%.0f", mb_s);
	table_cell(t, "%.2f", disk_mb_s == 0 ? 0 : mb_s / disk_mb_s);
	table_cell(t, "%.2f", o->client_cpu_s);
	table_cell(t, "%.2f", o->logd_cpu_s);
	table_cell(t, "%.1f", o->client_pss / MB);
	table_cell(t, "%.1f", o->logd_pss / MB);
	table_cell(t, "%s", bench_judge(b, target, mb_s));
	bench_pass(b, "%s, %zu B, acks=%s, %d partitions: %.0f MB/s", t->title, l->record_bytes, l->acks,
	    (int)l->partitions, mb_s);
}

static void
make_topic(const struct daemon *d, const struct load *l)
{
	struct bare c;

	if (!bare_open(&c, d->address) || !bare_create_topic(&c, l->topic, l->partitions, NULL))
		bench_die("%s", c.error);
	bare_done(&c);
}

/* Writes the load to a daemon of its own, and reads it back. */
static void
run_load(struct bench *b, struct tables *t, struct load *l, const struct target *produce, const struct target *consume)
{
	bool all = l->acks == acks[1];
	struct daemon d;
	struct outcome o;

	daemon_start(&d, b, "throughput", NULL);
	l->address = d.address;
	make_topic(&d, l);
	daemon_settle(&d);
	warm(b, l->records * l->record_bytes);
	if (!client_run(kafka_produce_run, l, d.pid, &o))
		bench_fail(b, "produce", o.error);
	else {
		put_row(b, &t->produce, l, &o, t->disk_mb_s[all ? DISK_WRITE_SYNC : DISK_WRITE], all ? NULL : produce);
		if (!client_run(kafka_consume_run, l, d.pid, &o))
			bench_fail(b, "consume", o.error);
		else
			put_row(b, &t->consume, l, &o, t->disk_mb_s[DISK_READ], consume);
	}
	daemon_stop(&d);
	daemon_remove(&d);
}

void
throughput_run(struct bench *b)
{
	static const char columns[] = "<record|<acks|partitions|records/s|MB/s|of disk|client CPU s|logd CPU s|"
	    "client PSS MB|logd PSS MB|<target";
	static struct tables t;
	struct load l = { .topic = "bench", .linger_ms = 5 };
	size_t size, ack, part;

	table_begin(&t.disk, "The disk: one file, in calls of 1 MiB", "<what|MB|MB/s|CPU s");
	table_begin(&t.produce, "Produce", columns);
	table_begin(&t.consume, "Consume, what the row of the same name wrote", columns);
	run_disk(b, &t);
	for (size = 0; size < COUNT(sizes); size++)
		for (ack = 0; ack < COUNT(acks); ack++)
			for (part = 0; part < COUNT(partitions); part++) {
				l.record_bytes = sizes[size].record_bytes;
				l.records = sizes[size].records / (b->quick ? QUICK_DIVISOR : 1);
				l.acks = acks[ack];
				l.partitions = partitions[part];
				run_load(b, &t, &l, sizes[size].produce, sizes[size].consume);
			}
	table_print(&t.disk, b->markdown);
	table_print(&t.produce, b->markdown);
	table_print(&t.consume, b->markdown);
}
