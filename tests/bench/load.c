/*
 * load.c -- one load on any broker that speaks the Kafka protocol, by its address.
 *
 * Prints one line, of NAME=VALUE: what bench_kafka.py compares.
 */
#include "bench/load.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "store/codec.h"

enum { USAGE = 2 };

static const char usage[] =
    "usage: load [OPTION...] ADDRESS TOPIC\n"
    "  ADDRESS           of the broker, as 127.0.0.1:9092; the topic is there already\n"
    "  --client NAME     librdkafka, as programs use it; or bare (default): sockets, and batches made before\n"
    "  --consume         read so many records from the start; else write them\n"
    "  --records N       1000000\n"
    "  --bytes N         of a record: 1000\n"
    "  --partitions N    of the topic, all of which are used: 16\n"
    "  --rate N          records that become due in a second, for latencies; 0 (default): as many as go\n"
    "  --acks N          1 (default) or all; librdkafka also 0\n"
    "  --linger MS       how long a record may wait for others: 5\n"
    "  --codec NAME      none (default), gzip, snappy, lz4 or zstd\n"
    "  --idempotent      librdkafka only\n"
    "  --connections N   bare only: 4\n"
    "  --in-flight N     bare only, requests without an answer on each connection: 5\n"
    "  --batch BYTES     bare only: 65536\n";

static const char *const codecs[] = { "none", "gzip", "snappy", "lz4", "zstd" };

struct arguments {
	struct load load;
	bool bare, consume;
};

void
bench_die(const char *fmt, ...)
{
	va_list ap;

	fputs("load: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* A whole number from 0 or `least` to `most`. */
static long
number(const char *name, const char *text, long least, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < least || n > most)
		bench_die("--%s %s: give a number from %ld to %ld", name, text, least, most);
	return n;
}

static int
find_codec(const char *name)
{
	for (int i = 0; i < CODECS; i++)
		if (strcmp(codecs[i], name) == 0)
			return i;
	bench_die("--codec %s: give none, gzip, snappy, lz4 or zstd", name);
}

static bool
find_client(const char *name)
{
	if (strcmp(name, "bare") == 0)
		return true;
	if (strcmp(name, "librdkafka") == 0)
		return false;
	bench_die("--client %s: give librdkafka or bare", name);
}

static void
set(struct arguments *a, int option, const char *name, const char *text)
{
	struct load *l = &a->load;

	switch (option) {
	case 'n':
		l->records = (uint64_t)number(name, text, 1, 1000000000);
		break;
	case 's':
		l->record_bytes = (size_t)number(name, text, 1, 1000000);
		break;
	case 'p':
		l->partitions = (int32_t)number(name, text, 1, 10000);
		break;
	case 'r':
		l->rate = (double)number(name, text, 0, 10000000);
		break;
	case 'l':
		l->linger_ms = (int)number(name, text, 0, 10000);
		break;
	case 'c':
		l->connections = (int)number(name, text, 1, 64);
		break;
	case 'f':
		l->in_flight = (int)number(name, text, 1, 64);
		break;
	case 'b':
		l->batch_bytes = (size_t)number(name, text, 1, 1000000);
		break;
	case 'a':
		l->acks = text;
		break;
	case 'z':
		l->codec = find_codec(text);
		break;
	case 'i':
		l->idempotent = true;
		break;
	case 'k':
		a->bare = find_client(text);
		break;
	case 'g':
		a->consume = true;
		break;
	}
}

/* False: the usage is what to print. */
static bool
parse(int argc, char **argv, struct arguments *a)
{
	static const struct option longs[] = {
		{ "client", required_argument, NULL, 'k' },
		{ "consume", no_argument, NULL, 'g' },
		{ "records", required_argument, NULL, 'n' },
		{ "bytes", required_argument, NULL, 's' },
		{ "partitions", required_argument, NULL, 'p' },
		{ "rate", required_argument, NULL, 'r' },
		{ "acks", required_argument, NULL, 'a' },
		{ "linger", required_argument, NULL, 'l' },
		{ "codec", required_argument, NULL, 'z' },
		{ "idempotent", no_argument, NULL, 'i' },
		{ "connections", required_argument, NULL, 'c' },
		{ "in-flight", required_argument, NULL, 'f' },
		{ "batch", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	int c, which;

	while ((c = getopt_long(argc, argv, "", longs, &which)) != -1)
		if (c == '?')
			return false;
		else
			set(a, c, longs[which].name, optarg);
	if (argc - optind != 2)
		return false;
	a->load.address = argv[optind];
	a->load.topic = argv[optind + 1];
	return true;
}

static void
check(const struct arguments *a)
{
	const struct load *l = &a->load;

	if (strcmp(l->acks, "0") != 0 && strcmp(l->acks, "1") != 0 && strcmp(l->acks, "all") != 0)
		bench_die("--acks %s: give 0, 1 or all", l->acks);
	if (a->bare && strcmp(l->acks, "0") == 0)
		bench_die("--acks 0: the bare client knows by answers when it is done; give 1 or all, or take librdkafka");
	if (a->bare && l->idempotent)
		bench_die("--idempotent: the bare client has no producer id; take librdkafka");
}

static void
print(const struct outcome *o, const struct load *l)
{
	printf("records=%llu seconds=%.3f records_per_s=%.0f mb_per_s=%.2f client_cpu_s=%.3f", (unsigned long long)o->records,
	    o->seconds, (double)o->records / o->seconds, (double)o->bytes / 1e6 / o->seconds, o->client_cpu_s);
	if (l->rate > 0)
		printf(" p50_us=%.0f p99_us=%.0f p99.9_us=%.0f most_us=%.0f", o->latency.p50_us, o->latency.p99_us,
		    o->latency.p999_us, o->latency.most_us);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	static client_fn *const runs[2][2] = {
		{ kafka_produce_run, kafka_consume_run },
		{ flow_produce_run, flow_consume_run },
	};
	struct arguments a = {
		.load = { .acks = "1", .record_bytes = 1000, .records = 1000000, .partitions = 16, .linger_ms = 5,
		    .connections = 4, .in_flight = 5, .batch_bytes = 65536 },
		.bare = true,
	};
	struct outcome o;

	if (!parse(argc, argv, &a)) {
		fputs(usage, stderr);
		return USAGE;
	}
	check(&a);
	signal(SIGPIPE, SIG_IGN);
	if (!client_run(runs[a.bare][a.consume], &a.load, 0, &o))
		bench_die("%s", o.error);
	print(&o, &a.load);
	return EXIT_SUCCESS;
}
