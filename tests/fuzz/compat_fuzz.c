/*
 * compat_fuzz.c -- pairs of Avro schemas that are compared.
 *
 * The bytes are no JSON but choices, from few names, so that what they make is mostly two
 * schemas that have something in common: the writer's are the reader's with some of them
 * patched.  However they differ, a comparison must come to an end; it must say the same of
 * their texts once these were printed and read again; what is equal must be readable.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "schema/avro/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { PATCHES_MAX = 8, TEXT_MAX = 1 << 16, DEPTH_MAX = 24 };

/* Choices that are still to be made. */
struct choices {
	struct span rest;
	int depth;
};

static void put_type(struct choices *, struct buf *to);

/* The next choice of n; the first when there are no more. */
static unsigned
choose(struct choices *c, unsigned n)
{
	unsigned v;

	if (c->rest.n == 0)
		return 0;
	v = *c->rest.p;
	c->rest = span_of(c->rest.p + 1, c->rest.n - 1);
	return v % n;
}

static void
put(struct buf *to, const char *text)
{
	buf_span(to, span_str(text));
}

static const char *const names[] = { "A", "B", "C", "D", "n.A", "n.B", "m.A", "n.C" };

static const char *
name(struct choices *c)
{
	return names[choose(c, sizeof names / sizeof *names)];
}

static void
put_aliases(struct choices *c, struct buf *to)
{
	if (choose(c, 4) == 1)
		buf_printf(to, ",\"aliases\":[\"%s\"]", name(c));
}

static void
put_primitive(struct choices *c, struct buf *to)
{
	static const char *const types[] = { "null", "boolean", "int", "long", "float", "double", "bytes", "string" };

	buf_printf(to, "\"%s\"", types[choose(c, 8)]);
}

static void
put_reference(struct choices *c, struct buf *to)
{
	buf_printf(to, "\"%s\"", name(c));
}

static void
put_fixed(struct choices *c, struct buf *to)
{
	buf_printf(to, "{\"type\":\"fixed\",\"name\":\"%s\"", name(c));
	buf_printf(to, ",\"size\":%u", choose(c, 4));
	put_aliases(c, to);
	put(to, "}");
}

static void
put_enum(struct choices *c, struct buf *to)
{
	unsigned symbols = choose(c, 32) | 1, fallback = choose(c, 4);

	buf_printf(to, "{\"type\":\"enum\",\"name\":\"%s\",\"symbols\":[\"S\"", name(c));
	for (unsigned i = 1; i < 5; i++)
		if ((symbols >> i & 1) != 0)
			buf_printf(to, ",\"S%u\"", i);
	put(to, fallback == 1 ? "],\"default\":\"S\"" : "]");
	put_aliases(c, to);
	put(to, "}");
}

static void
put_array(struct choices *c, struct buf *to)
{
	put(to, "{\"type\":\"array\",\"items\":");
	put_type(c, to);
	put(to, "}");
}

static void
put_map(struct choices *c, struct buf *to)
{
	put(to, "{\"type\":\"map\",\"values\":");
	put_type(c, to);
	put(to, "}");
}

static void
put_union(struct choices *c, struct buf *to)
{
	put(to, "[");
	for (unsigned i = choose(c, 6); i > 0; i--) {
		put_type(c, to);
		put(to, i > 1 ? "," : "");
	}
	put(to, "]");
}

static void
put_field(struct choices *c, unsigned number, struct buf *to)
{
	unsigned more = choose(c, 8);

	buf_printf(to, "{\"name\":\"f%u\",\"type\":", (number + (more == 3)) % 6);
	put_type(c, to);
	put(to, more == 1 ? ",\"default\":null" : "");
	if (more == 2)
		buf_printf(to, ",\"aliases\":[\"f%u\"]", choose(c, 6));
	put(to, "}");
}

static void
put_record(struct choices *c, struct buf *to)
{
	buf_printf(to, "{\"type\":\"record\",\"name\":\"%s\",\"fields\":[", name(c));
	for (unsigned i = choose(c, 5); i > 0; i--) {
		put_field(c, i, to);
		put(to, i > 1 ? "," : "");
	}
	put(to, "]");
	put_aliases(c, to);
	put(to, "}");
}

static void
put_type(struct choices *c, struct buf *to)
{
	static void (*const types[])(struct choices *, struct buf *) = { put_primitive, put_primitive, put_reference,
		put_fixed, put_enum, put_array, put_map, put_union, put_union, put_record, put_record, put_record };

	if (c->depth == DEPTH_MAX || to->n > TEXT_MAX) {
		put_primitive(c, to);
		return;
	}
	c->depth++;
	types[choose(c, sizeof types / sizeof *types)](c, to);
	c->depth--;
}

/* The schema of these choices, if it is one. */
static struct avro_schema *
make(struct span choices)
{
	struct choices c = { .rest = choices };
	struct buf text = { 0 };
	struct avro_mistake why;
	struct avro_schema *s;

	put_type(&c, &text);
	must(!text.failed);
	s = avro_parse(buf_bytes(&text), AVRO_STORED, NULL, 0, &why);
	must(s != NULL || (!why.memory && why.text[0] != '\0'));
	buf_done(&text);
	return s;
}

static struct avro_schema *
print_and_parse(const struct avro_schema *s)
{
	struct avro_mistake why;
	struct buf text = { 0 };
	struct avro_schema *again;

	avro_print(s, AVRO_TEXT, &text);
	must(!text.failed);
	again = avro_parse(buf_bytes(&text), AVRO_STORED, NULL, 0, &why);
	must(again != NULL);
	buf_done(&text);
	return again;
}

/* Whether the one reads what the other wrote, and all that is said of it. */
static bool
compare(const struct avro_schema *reader, const struct avro_schema *writer, struct buf *told)
{
	struct avro_conflicts found;
	struct arena a;
	bool ok;

	arena_init(&a, 1 << 24);
	ok = avro_can_read(reader, writer, &a, &found);
	must(!ok || (found.n == 0 && found.broken == NULL));
	if (found.broken != NULL)
		put(told, found.broken);
	for (size_t i = 0; i < found.n; i++) {
		must(found.list[i].location[0] == '/');
		buf_printf(told, "%s %s %s;", avro_incompatibility_name(found.list[i].kind), found.list[i].message,
		    found.list[i].location);
	}
	must(!told->failed && a.used <= a.cap);
	arena_done(&a);
	/* What breaks a comparison off, or is too much to be told, is no verdict. */
	return ok || found.broken != NULL || found.n == 0;
}

static void
check(const struct avro_schema *reader, const struct avro_schema *writer)
{
	struct avro_schema *reader2 = print_and_parse(reader), *writer2 = print_and_parse(writer);
	struct buf told = { 0 }, told2 = { 0 };
	bool reads = compare(reader, writer, &told);

	must(compare(reader2, writer2, &told2) == reads && span_eq(buf_bytes(&told), buf_bytes(&told2)));
	must(reads || !avro_equal(reader, writer));
	buf_done(&told);
	buf_done(&told2);
	avro_free(reader2);
	avro_free(writer2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	size_t patches = n == 0 ? 0 : bytes[0] % (PATCHES_MAX + 1), head = 1 + 2 * patches;
	struct avro_schema *a, *b;
	uint8_t *patched;

	if (n < head + 1 || (patched = malloc(n - head)) == NULL)
		return 0;
	memcpy(patched, bytes + head, n - head);
	for (size_t i = 0; i < patches; i++)
		patched[bytes[1 + 2 * i] % (n - head)] = bytes[2 + 2 * i];
	a = make(span_of(bytes + head, n - head));
	b = a == NULL ? NULL : make(span_of(patched, n - head));
	if (b != NULL) {
		check(a, b);
		check(b, a);
		must(avro_equal(a, b) == avro_equal(b, a));
	}
	avro_free(a);
	avro_free(b);
	free(patched);
	return 0;
}
