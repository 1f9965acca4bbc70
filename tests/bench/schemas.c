/*
 * schemas.c -- what Avro schemas cost: make bench-schemas, or
 *
 *	srcdir=TOP tests/bench/schemas [--markdown]
 *
 * Beside them, as floors, what has to be done with their texts anyway: to compare the bytes,
 * to read the JSON, to take an MD5.  Nothing fails for being slow; a figure with a target says
 * whether it reached it.
 */
#include <md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "bench/measure.h"
#include "bench/table.h"
#include "json/tree.h"
#include "schema/avro/avro.h"
#include "unit/schema/corpus.h"

enum {
	FIELDS = 500,
	TURNS = 2000,         /* of what is done with two schemas */
	CORPUS_TURNS = 10,
	CORPUS_MAX = 1000,
	HOSTILE = 1 << 20,    /* bytes of a text that asks for as much work as it can */
	ARENA = 32 << 20      /* what the registry takes for a request with such a text */
};

struct pair {
	struct buf text[2], copy; /* of the first */
	struct avro_schema *schema[2], *same; /* as the first */
};

static struct avro_schema *
parse(struct span text)
{
	struct avro_mistake why;
	struct avro_schema *s = avro_parse(text, AVRO_STORED, NULL, 0, &why);

	if (s == NULL) {
		fprintf(stderr, "%.*s\nis no schema: %s\n", (int)(text.n < 300 ? text.n : 300), (const char *)text.p,
		    why.text);
		exit(EXIT_FAILURE);
	}
	return s;
}

static void
end_pair(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		avro_free(p->schema[i]);
		buf_done(&p->text[i]);
	}
	avro_free(p->same);
	buf_done(&p->copy);
}

/* Two versions of what a table with many columns becomes: some fields are new, some documented, some wider. */
static void
put_version(struct buf *to, int version, const char *name)
{
	static const char *const types[] = {
		"\"string\"", "[\"null\",\"string\"],\"default\":null", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
		"[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":18,\"scale\":2}],\"default\":null",
		"{\"type\":\"array\",\"items\":\"string\"}", "\"double\"", "{\"type\":\"map\",\"values\":\"long\"}",
	};

	buf_printf(to, "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"com.example.sales\",\"doc\":\"v%d\",\"fields\":[",
	    version);
	for (int i = 0; i < FIELDS; i++)
		buf_printf(to, "%s{\"name\":\"%s_%d\",\"type\":%s%s}", i > 0 ? "," : "", name, i, version > 0 && i % 50 == 5 ? "[\"null\",\"double\"],\"default\":null" : types[i % 7],
		    i % 3 == version ? ",\"doc\":\"What this column is for.\"" : "");
	buf_span(to, span_str("]}"));
}

static void
put_alike(struct buf *to, int version)
{
	put_version(to, version, "field");
}

static void
put_unlike(struct buf *to, int version)
{
	put_version(to, version, version > 0 ? "column" : "field");
}

/* Two versions in such texts. */
static struct pair
make_pair(void (*put)(struct buf *, int version))
{
	struct pair p = { 0 };

	for (int i = 0; i < 2; i++) {
		put(&p.text[i], i);
		must(!p.text[i].failed);
		p.schema[i] = parse(buf_bytes(&p.text[i]));
	}
	buf_span(&p.copy, buf_bytes(&p.text[0]));
	p.same = parse(buf_bytes(&p.copy));
	return p;
}

/* What is measured: one thing done with two schemas. */
typedef void work(struct pair *);

static void
compare_bytes(struct pair *p)
{
	must(memcmp(p->text[0].p, p->copy.p, p->copy.n) == 0);
}

static void
read_json(struct pair *p)
{
	struct json_mistake why;
	struct arena a;

	arena_init(&a, SIZE_MAX);
	must(json_parse(&a, buf_bytes(&p->text[0]), &why) != NULL);
	arena_done(&a);
}

static void
read_schema(struct pair *p)
{
	avro_free(parse(buf_bytes(&p->text[0])));
}

static void
can_read(struct pair *p)
{
	struct avro_conflicts found;
	struct arena a;

	arena_init(&a, ARENA);
	avro_can_read(p->schema[1], p->schema[0], &a, &found);
	arena_done(&a);
}

static void
are_equal(struct pair *p)
{
	must(avro_equal(p->schema[0], p->same));
}

/* A row of a table: median and worst of many turns. */
static void
row(struct table *t, const char *what, work *do_it, struct pair *p, int turns, double target_us)
{
	struct samples samples;
	double median;

	samples_init(&samples, (size_t)turns);
	for (int i = 0; i < turns; i++) {
		double began = measure_now_s();

		do_it(p);
		samples_add(&samples, (measure_now_s() - began) * 1e6);
	}
	median = samples_percentile(&samples, 0.5);
	table_row(t);
	table_cell(t, "%s", what);
	table_cell(t, "%.1f", median);
	table_cell(t, "%.1f", samples_percentile(&samples, 0.99));
	if (target_us > 0)
		table_cell(t, "%.0f: %s", target_us, median <= target_us ? "reached" : "MISSED");
	samples_done(&samples);
}

static void
bench_versions(struct table *t)
{
	struct pair alike = make_pair(put_alike), unlike = make_pair(put_unlike);

	table_begin(t, "Two records of 500 fields (30 KB of text each)", "<|median µs|p99 µs|target");
	row(t, "floor: memcmp of one text with a copy", compare_bytes, &alike, TURNS, 0);
	row(t, "floor: one text's JSON read into a tree", read_json, &alike, TURNS, 0);
	row(t, "one text read as a schema", read_schema, &alike, TURNS, 0);
	row(t, "compared: compatible", can_read, &alike, TURNS, 1000);
	row(t, "compared: 357 conflicts, told", can_read, &unlike, TURNS, 1000);
	row(t, "whether they are equal", are_equal, &alike, TURNS, 0);
	end_pair(&alike);
	end_pair(&unlike);
}

/* All texts of the corpus, one after the other. */
struct corpus {
	struct buf texts[CORPUS_MAX];
	size_t n, bytes;
};

static void
keep_text(const char *path, struct span text, void *user)
{
	struct corpus *c = user;

	(void)path;
	must(c->n < CORPUS_MAX);
	buf_span(&c->texts[c->n], text);
	c->bytes += c->texts[c->n++].n;
}

static void
read_tree(struct span text)
{
	struct json_mistake why;
	struct arena a;

	arena_init(&a, SIZE_MAX);
	must(json_parse(&a, text, &why) != NULL);
	arena_done(&a);
}

static void
read_only(struct span text)
{
	avro_free(parse(text));
}

/* Reads, prints in the form, and hashes. */
static void
identify(struct span text, enum avro_form form)
{
	struct avro_schema *s = parse(text);
	struct buf printed = { 0 };
	uint8_t hash[MD5_DIGEST_LENGTH];
	MD5_CTX md5;

	avro_print(s, form, &printed);
	must(!printed.failed);
	MD5Init(&md5);
	MD5Update(&md5, printed.p, printed.n);
	MD5Final(hash, &md5);
	buf_done(&printed);
	avro_free(s);
}

static void
identify_text(struct span text)
{
	identify(text, AVRO_TEXT);
}

static void
identify_normal(struct span text)
{
	identify(text, AVRO_NORMALIZED);
}

static void
corpus_row(struct table *t, const char *what, void (*do_it)(struct span), const struct corpus *c)
{
	double best = 1e9;

	for (int turn = 0; turn < CORPUS_TURNS; turn++) {
		double began = measure_now_s(), took;

		for (size_t i = 0; i < c->n; i++)
			do_it(buf_bytes(&c->texts[i]));
		took = measure_now_s() - began;
		best = took < best ? took : best;
	}
	table_row(t);
	table_cell(t, "%s", what);
	table_cell(t, "%.1f", best * 1e6 / (double)c->n);
	table_cell(t, "%.0f", (double)c->n / best);
	table_cell(t, "%.0f", (double)c->bytes / best / 1e6);
}

static void
bench_corpus(struct table *t)
{
	struct corpus *c = calloc(1, sizeof *c);

	must(c != NULL);
	corpus_each(keep_text, c);
	table_begin(t, "The schemas of tests/corpus/avro (1.3 KB each), best of ten turns", "<|µs each|per second|MB/s");
	corpus_row(t, "floor: JSON read into a tree", read_tree, c);
	corpus_row(t, "read", read_only, c);
	corpus_row(t, "read, printed and hashed", identify_text, c);
	corpus_row(t, "the same of the normal form", identify_normal, c);
	for (size_t i = 0; i < c->n; i++)
		buf_done(&c->texts[i]);
	free(c);
}

/* Each record has the one before twice, so that what is wrong with the first is told 2^n times. */
static void
put_doubled(struct buf *to, int version)
{
	buf_printf(to, "[{\"type\":\"fixed\",\"name\":\"F0\",\"size\":%d}", version + 1);
	for (int i = 1; to->n < HOSTILE - 200; i++)
		buf_printf(to, ",{\"type\":\"record\",\"name\":\"F%d\",\"fields\":[{\"name\":\"a\",\"type\":\"F%d\"},"
		    "{\"name\":\"b\",\"type\":\"F%d\"}]}", i, i - 1, i - 1);
	buf_u8(to, ']');
}

/* Each branch of the one is compared with each of the other. */
static void
put_branches(struct buf *to, int version)
{
	(void)version;
	for (int i = 0; to->n < HOSTILE - 200; i++)
		buf_printf(to, "%s{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"},"
		    "{\"name\":\"g\",\"type\":\"string\"}]}", i > 0 ? "," : "[", i);
	buf_u8(to, ']');
}

/* Each record may be each of those before. */
static void
put_web(struct buf *to, int version)
{
	for (int i = 0; to->n < HOSTILE - 6000; i++) {
		buf_printf(to, "%s{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"u\",\"type\":[\"null\"",
		    i > 0 ? "," : "[", i);
		for (int k = 0; k < i; k++)
			buf_printf(to, ",\"R%d\"", k);
		buf_printf(to, "]}%s]}", version > 0 ? ",{\"name\":\"z\",\"type\":\"int\"}" : "");
	}
	buf_u8(to, ']');
}

/* Each value of a default is tried with each branch. */
static void
put_default(struct buf *to, int version)
{
	buf_printf(to, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":\"map\",\"values\":[");
	for (int i = 0; i < 3000; i++)
		buf_printf(to, "%s{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}",
		    i > 0 ? "," : "", i);
	buf_printf(to, "]},\"default\":{");
	for (int i = 0; to->n < HOSTILE - 100; i++)
		buf_printf(to, "%s\"k%d\":{\"x\":%d}", i > 0 ? "," : "", i, version);
	buf_printf(to, "}}]}");
}

/* A name in full is 500 bytes, but one byte where it is used. */
static void
put_long_names(struct buf *to, int version)
{
	char space[500];

	memset(space, 'n', sizeof space);
	buf_printf(to, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"%.*s\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":%d}}", (int)sizeof space, space, version + 1);
	for (int i = 0; to->n < HOSTILE - 100; i++)
		buf_printf(to, ",{\"name\":\"f%d\",\"type\":\"F\"}", i);
	buf_printf(to, "]}");
}

static void
print_all(struct pair *p)
{
	for (enum avro_form form = AVRO_TEXT; form <= AVRO_CANONICAL; form++) {
		struct buf text = { 0 };

		avro_print(p->schema[0], form, &text);
		buf_done(&text);
	}
}

static double
time_ms(work *do_it, struct pair *p)
{
	double began = measure_now_s();

	do_it(p);
	return (measure_now_s() - began) * 1e3;
}

/* Reads it as a new one, of which defaults are checked; whether it is taken is no matter. */
static void
read_strictly(struct pair *p)
{
	struct avro_mistake why;

	avro_free(avro_parse(buf_bytes(&p->text[0]), AVRO_STRICT, NULL, 0, &why));
}

static void
bench_hostile(struct table *t)
{
	static const struct {
		const char *what;
		void (*put)(struct buf *, int version);
	} texts[] = {
		{ "each record has the one before twice", put_doubled },
		{ "unions of 10,000 records", put_branches },
		{ "each record may be each of those before", put_web },
		{ "each value of a default tried with 3,000 branches", put_default },
		{ "long names, used shortly", put_long_names },
	};

	table_begin(t, "Texts of 1 MB that ask for much (target: 2,000 ms each)",
	    "<|read ms|four forms ms|equal ms|compared ms");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct pair p = make_pair(texts[i].put);

		table_row(t);
		table_cell(t, "%s", texts[i].what);
		table_cell(t, "%.0f", time_ms(read_strictly, &p));
		table_cell(t, "%.0f", time_ms(print_all, &p));
		table_cell(t, "%.0f", time_ms(are_equal, &p));
		table_cell(t, "%.0f", time_ms(can_read, &p));
		end_pair(&p);
	}
}

int
main(int argc, char **argv)
{
	static void (*const groups[])(struct table *) = { bench_versions, bench_corpus, bench_hostile };
	bool markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0;

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		struct table *t = calloc(1, sizeof *t);

		must(t != NULL);
		groups[i](t);
		table_print(t, markdown);
		free(t);
	}
	return EXIT_SUCCESS;
}
