/* compat_test.c -- who can read what whom wrote, and why not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/schema/help.h"
#include "unit/unit.h"

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, rest) "{\"name\":\"" name "\"," rest "}"
#define ENUM(name, rest) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" rest "}"
#define FIXED(name, size) "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" #size "}"
#define ARRAY(of) "{\"type\":\"array\",\"items\":" of "}"
#define MAP(of) "{\"type\":\"map\",\"values\":" of "}"

/* Appends "KIND message @place" for each conflict, one a line; "!..." when broken. */
static void
tell(const struct avro_conflicts *c, struct buf *to)
{
	if (c->broken != NULL)
		buf_printf(to, "!%s", c->broken);
	for (size_t i = 0; i < c->n; i++)
		buf_printf(to, "%s%s %s @%s", i > 0 ? "\n" : "", avro_incompatibility_name(c->list[i].kind),
		    c->list[i].message, c->list[i].location);
	buf_u8(to, '\0');
}

static bool
reads(const char *reader, const char *writer, const char *expected)
{
	struct avro_schema *r = help_avro(reader), *w = help_avro(writer);
	struct avro_conflicts conflicts;
	struct buf told = { 0 };
	struct arena a;
	bool ok;

	arena_init(&a, 1 << 20);
	ok = avro_can_read(r, w, &a, &conflicts);
	tell(&conflicts, &told);
	if (ok != (*expected == '\0'))
		printf("\n  %s\n  reads %s: %d\n", reader, writer, ok);
	ok = ok == (*expected == '\0') && help_same((char *)told.p, expected);
	buf_done(&told);
	arena_done(&a);
	avro_free(r);
	avro_free(w);
	return ok;
}

/* A reader, a writer, and what is between them; "": nothing. */
static const struct {
	const char *reader, *writer, *told;
} cases[] = {
	/* Primitives that are the same. */
	{ "{\"type\":\"int\",\"logicalType\":\"date\"}", "\"int\"", "" },
	/* Arrays and maps. */
	{ ARRAY("\"long\""), ARRAY("\"int\""), "" },
	{ ARRAY("\"int\""), ARRAY("\"long\""),
	    "TYPE_MISMATCH reader type: INT not compatible with writer type: LONG @/items" },
	{ MAP("\"double\""), MAP("\"float\""), "" },
	{ MAP("\"boolean\""), MAP("\"null\""),
	    "TYPE_MISMATCH reader type: BOOLEAN not compatible with writer type: NULL @/values" },
	{ ARRAY("\"int\""), MAP("\"int\""),
	    "TYPE_MISMATCH reader type: ARRAY not compatible with writer type: MAP @/" },
	/* Fixed. */
	{ FIXED("F", 2), FIXED("F", 2), "" },
	{ FIXED("F", 2), FIXED("F", 3), "FIXED_SIZE_MISMATCH expected: 3, found: 2 @/size" },
	{ FIXED("a.F", 2), FIXED("b.G", 3), "NAME_MISMATCH expected: b.G @/name\n"
	    "FIXED_SIZE_MISMATCH expected: 3, found: 2 @/size" },
	/* Names: without namespaces, or by an alias in full. */
	{ FIXED("a.F", 2), FIXED("b.F", 2), "" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"aliases\":[\"b.G\"]}", FIXED("b.G", 2), "" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"aliases\":[\"G\"]}", FIXED("b.G", 2),
	    "NAME_MISMATCH expected: b.G @/name" },
	{ "{\"type\":\"fixed\",\"name\":\"b.F\",\"size\":2,\"aliases\":[\"G\"]}", FIXED("b.G", 2), "" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"aliases\":[\"G\"]}", FIXED("G", 2), "" },
	{ "{\"type\":\"fixed\",\"name\":\"b.F\",\"size\":2,\"aliases\":[\".G\"]}", FIXED("G", 2),
	    "NAME_MISMATCH expected: G @/name" },
	{ FIXED("F", 2), "{\"type\":\"fixed\",\"name\":\"G\",\"size\":2,\"aliases\":[\"F\"]}",
	    "NAME_MISMATCH expected: G @/name" },
	/* Enums. */
	{ ENUM("E", "\"A\",\"B\"]"), ENUM("E", "\"B\"]"), "" },
	{ ENUM("E", "\"B\"]"), ENUM("E", "\"D\",\"C\",\"B\",\"A\"]"),
	    "MISSING_ENUM_SYMBOLS [A, C, D] @/symbols" },
	{ ENUM("E", "\"B\"],\"default\":\"B\""), ENUM("E", "\"A\"]"), "" },
	{ ENUM("E", "\"B\"]"), ENUM("x.G", "\"A\"]"),
	    "NAME_MISMATCH expected: x.G @/name\nMISSING_ENUM_SYMBOLS [A] @/symbols" },
	/* Records. */
	{ RECORD("R", ""), RECORD("R", FIELD("f", "\"type\":\"int\"")), "" },
	{ RECORD("R", FIELD("f", "\"type\":\"int\"")), RECORD("S", ""),
	    "NAME_MISMATCH expected: S @/name\nREADER_FIELD_MISSING_DEFAULT_VALUE f @/fields/0" },
	{ RECORD("R", FIELD("f", "\"type\":\"int\",\"default\":1")), RECORD("R", ""), "" },
	{ RECORD("R", FIELD("f", "\"type\":\"int\",\"aliases\":[\"g\"]")),
	    RECORD("R", FIELD("g", "\"type\":\"int\"")), "" },
	{ RECORD("R", FIELD("g", "\"type\":\"int\"")),
	    RECORD("R", FIELD("f", "\"type\":\"int\",\"aliases\":[\"g\"]")),
	    "READER_FIELD_MISSING_DEFAULT_VALUE g @/fields/0" },
	{ RECORD("R", FIELD("f", "\"type\":\"int\",\"order\":\"ignore\",\"doc\":\"d\"")),
	    RECORD("R", FIELD("f", "\"type\":\"int\"")), "" },
	{ RECORD("R", FIELD("a", "\"type\":\"int\"") "," FIELD("b", "\"type\":" ARRAY(FIXED("F", 1)))),
	    RECORD("R", FIELD("b", "\"type\":" ARRAY(FIXED("G", 1))) "," FIELD("a", "\"type\":\"null\"")),
	    "TYPE_MISMATCH reader type: INT not compatible with writer type: NULL @/fields/0/type\n"
	    "NAME_MISMATCH expected: G @/fields/1/type/items/name" },
	{ RECORD("R", FIELD("f", "\"type\":\"int\",\"aliases\":[\"g\"]")),
	    RECORD("R", FIELD("f", "\"type\":\"int\"") "," FIELD("g", "\"type\":\"int\"")),
	    "!Reader record field f type:INT pos:0 matches multiple fields in writer record schema "
	    RECORD("R", FIELD("f", "\"type\":\"int\"") "," FIELD("g", "\"type\":\"int\"")) },
	{ RECORD("R", FIELD("f", "\"type\":\"int\",\"aliases\":[\"g\",\"h\"]")),
	    RECORD("R", FIELD("g", "\"type\":\"int\"") "," FIELD("h", "\"type\":\"int\"")),
	    "!Reader record field f type:INT pos:0 matches multiple fields in writer record schema "
	    RECORD("R", FIELD("g", "\"type\":\"int\"") "," FIELD("h", "\"type\":\"int\"")) },
	/* A default of an enum is none of a field. */
	{ RECORD("R", FIELD("f", "\"type\":" ENUM("E", "\"A\"],\"default\":\"A\""))), RECORD("R", ""),
	    "TYPE_MISMATCH reader type: ENUM not compatible with writer type: RECORD @/fields/0/type" },
	{ RECORD("R", FIELD("f", "\"default\":\"A\",\"type\":" ENUM("E", "\"A\"],\"default\":\"A\""))),
	    RECORD("R", ""), "" },
	/* Unions. */
	{ "[\"null\",\"long\"]", "\"int\"", "" },
	{ "[\"null\",\"int\"]", "\"string\"",
	    "MISSING_UNION_BRANCH reader union lacking writer type: STRING @/" },
	{ "\"string\"", "[\"string\",\"bytes\"]", "" },
	{ "\"int\"", "[\"int\",\"null\",\"long\"]",
	    "TYPE_MISMATCH reader type: INT not compatible with writer type: NULL @/1\n"
	    "TYPE_MISMATCH reader type: INT not compatible with writer type: LONG @/2" },
	{ "[\"null\",\"double\"]", "[\"float\",\"null\"]", "" },
	{ "[\"null\",\"int\"]", "[\"null\",\"string\",\"int\",\"boolean\"]",
	    "MISSING_UNION_BRANCH reader union lacking writer type: STRING @/1\n"
	    "MISSING_UNION_BRANCH reader union lacking writer type: BOOLEAN @/3" },
	{ RECORD("R", FIELD("f", "\"type\":[\"null\"," FIXED("F", 1) "]")),
	    RECORD("R", FIELD("f", "\"type\":[" FIXED("F", 2) "]")),
	    "MISSING_UNION_BRANCH reader union lacking writer type: FIXED @/fields/0/type/0" },
	{ "\"int\"", "[]", "" },
	{ "[]", "[]", "" },
	{ "[]", "\"int\"", "MISSING_UNION_BRANCH reader union lacking writer type: INT @/" },
	/* Recursion: a pair on its way is fine. */
	{ RECORD("R", FIELD("next", "\"type\":[\"null\",\"R\"]")),
	    RECORD("R", FIELD("next", "\"type\":[\"null\",\"R\"]")), "" },
	{ RECORD("R", FIELD("next", "\"type\":[\"null\",\"R\"]") "," FIELD("v", "\"type\":\"int\"")),
	    RECORD("R", FIELD("next", "\"type\":[\"null\",\"R\"]") "," FIELD("v", "\"type\":\"long\"")),
	    "TYPE_MISMATCH reader type: INT not compatible with writer type: LONG @/fields/1/type" },
	/* A pair that comes again is told again, where it was first. */
	{ RECORD("R", FIELD("a", "\"type\":" FIXED("F", 1)) "," FIELD("b", "\"type\":\"F\"")),
	    RECORD("R", FIELD("a", "\"type\":" FIXED("F", 2)) "," FIELD("b", "\"type\":\"F\"")),
	    "FIXED_SIZE_MISMATCH expected: 2, found: 1 @/fields/0/type/size\n"
	    "FIXED_SIZE_MISMATCH expected: 2, found: 1 @/fields/0/type/size" },
	/* And where it was first inside a union, its place began there. */
	{ RECORD("R", FIELD("a", "\"type\":[" FIXED("F", 1) "]") "," FIELD("b", "\"type\":\"F\"")),
	    RECORD("R", FIELD("a", "\"type\":[" FIXED("F", 2) "]") "," FIELD("b", "\"type\":\"F\"")),
	    "MISSING_UNION_BRANCH reader union lacking writer type: FIXED @/fields/0/type/0\n"
	    "FIXED_SIZE_MISMATCH expected: 2, found: 1 @/size" },
};

static void
reader_reads_or_it_is_told_why_not(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT(reads(cases[i].reader, cases[i].writer, cases[i].told));
}

/* Of each primitive, which others it reads. */
static void
only_these_promotions_are_made(void)
{
	static const char *const promoted[] = {
		[AVRO_NULL] = "null", [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",
		[AVRO_LONG] = "int long", [AVRO_FLOAT] = "int long float",
		[AVRO_DOUBLE] = "int long float double", [AVRO_BYTES] = "bytes string",
		[AVRO_STRING] = "bytes string",
	};
	char reader[16], writer[16];
	struct arena a;

	arena_init(&a, 1 << 20);
	for (enum avro_type r = AVRO_NULL; r <= AVRO_STRING; r++)
		for (enum avro_type w = AVRO_NULL; w <= AVRO_STRING; w++) {
			struct avro_conflicts conflicts;
			struct avro_schema *x, *y;

			snprintf(reader, sizeof reader, "\"%s\"", avro_type_name(r));
			snprintf(writer, sizeof writer, "\"%s\"", avro_type_name(w));
			x = help_avro(reader);
			y = help_avro(writer);
			CU_ASSERT_EQUAL(avro_can_read(x, y, &a, &conflicts),
			    strstr(promoted[r], avro_type_name(w)) != NULL);
			avro_free(x);
			avro_free(y);
		}
	arena_done(&a);
}

/* A ring of n records, each leading to the next one, of which the first has another field. */
static char *
ring(int n, const char *type)
{
	struct buf text = { 0 };

	for (int i = 0; i < n; i++)
		buf_printf(&text, "{\"type\":\"record\",\"name\":\"x%d.R\",\"fields\":[%s{\"name\":\"next\",\"type\":", i,
		    i == n - 1 ? type : "");
	buf_printf(&text, "\"x0.R\"");
	for (int i = 0; i < n; i++)
		buf_printf(&text, "}]}");
	buf_u8(&text, '\0');
	return (char *)text.p;
}

static struct avro_conflicts
compare_rings(int reader, int writer, struct arena *a)
{
	char *x = ring(reader, "{\"name\":\"v\",\"type\":\"int\",\"default\":1},");
	char *y = ring(writer, "{\"name\":\"v\",\"type\":\"string\"},");
	struct avro_schema *r = help_avro(x), *w = help_avro(y);
	struct avro_conflicts conflicts;

	CU_ASSERT(!avro_can_read(r, w, a, &conflicts));
	avro_free(r);
	avro_free(w);
	free(x);
	free(y);
	return conflicts;
}

/* The two meet at 35 * 36 places; only in one of them do the fields. */
static void
rings_of_records_come_to_an_end(void)
{
	struct avro_conflicts conflicts;
	struct arena a;

	arena_init(&a, 1 << 20);
	conflicts = compare_rings(35, 36, &a);
	CU_ASSERT_EQUAL(conflicts.n, 1);
	arena_done(&a);
}

/* At 149 * 151 places the walk would be too deep for a stack. */
static void
too_deep_a_comparison_is_broken_off(void)
{
	struct avro_conflicts conflicts;
	struct arena a;

	arena_init(&a, 1 << 26);
	conflicts = compare_rings(149, 151, &a);
	CU_ASSERT_EQUAL(conflicts.n, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conflicts.broken);
	CU_ASSERT_STRING_EQUAL(conflicts.broken, "the schemas are too deep to be compared");
	arena_done(&a);
}

/* Each record uses the one before twice, so that what is wrong with the first is told 2^40 times. */
static void
arena_bounds_what_is_told(void)
{
	struct buf text[2] = { 0 };
	struct avro_schema *s[2];
	struct avro_conflicts conflicts;
	struct arena a;

	for (int k = 0; k < 2; k++) {
		buf_printf(&text[k], "[{\"type\":\"fixed\",\"name\":\"F0\",\"size\":%d}", k);
		for (int i = 1; i <= 40; i++)
			buf_printf(&text[k], ",{\"type\":\"record\",\"name\":\"F%d\",\"fields\":[{\"name\":\"a\",\"type\":"
			    "\"F%d\"},{\"name\":\"b\",\"type\":\"F%d\"}]}", i, i - 1, i - 1);
		buf_printf(&text[k], ",{\"type\":\"array\",\"items\":\"F40\"}]");
		buf_u8(&text[k], '\0');
		/* Only its last branch is of interest. */
		s[k] = help_avro((char *)text[k].p);
	}
	arena_init(&a, 1 << 20);
	CU_ASSERT(!avro_can_read(s[0], s[1], &a, &conflicts));
	CU_ASSERT_EQUAL(conflicts.n, 42); /* one for each branch */
	arena_done(&a);
	for (int k = 0; k < 2; k++) {
		struct avro_schema *in = help_avro_with("\"F40\"", s[k]);

		avro_free(s[k]);
		s[k] = in;
		buf_done(&text[k]);
	}
	CU_ASSERT(!avro_can_read(s[0], s[1], &a, &conflicts));
	CU_ASSERT_EQUAL(conflicts.n, 0);
	CU_ASSERT_PTR_NULL(conflicts.broken);
	CU_ASSERT(a.used <= a.cap);
	arena_done(&a);
	avro_free(s[0]);
	avro_free(s[1]);
}

/* "[...,...]" of n items, which `item` appends. */
static char *
listed(const char *before, size_t n, void (*item)(struct buf *, size_t i, int size), int size, const char *behind)
{
	struct buf text = { 0 };

	buf_span(&text, span_str(before));
	for (size_t i = 0; i < n; i++) {
		buf_span(&text, span_str(i > 0 ? "," : ""));
		item(&text, i, size);
	}
	buf_span(&text, span_str(behind));
	buf_u8(&text, '\0');
	CU_ASSERT_FATAL(!text.failed);
	return (char *)text.p;
}

static struct avro_schema *
list_of(const char *before, size_t n, void (*item)(struct buf *, size_t i, int size), int size, const char *behind)
{
	char *text = listed(before, n, item, size, behind);
	struct avro_schema *s = help_avro(text);

	free(text);
	return s;
}

enum { CHAIN = 500 };

/* A fixed type, a chain of records that leads to it, and then records that use the one before twice. */
static void
put_link(struct buf *to, size_t i, int size)
{
	if (i == 0)
		buf_printf(to, "{\"name\":\"f\",\"type\":" "{\"type\":\"fixed\",\"name\":\"T0\",\"size\":%d}}", size);
	else
		buf_printf(to, "{\"name\":\"f%zu\",\"type\":{\"type\":\"record\",\"name\":\"T%zu\",\"fields\":["
		    "{\"name\":\"a\",\"type\":\"T%zu\"}", i, i, i - 1);
	if (i > CHAIN)
		buf_printf(to, ",{\"name\":\"b\",\"type\":\"T%zu\"}", i - 1);
	if (i > 0)
		buf_printf(to, "]}}");
}

/* However far it is to what is told, it is told in each place; and where that is too often, nothing is. */
static void
what_is_far_inside_is_told_in_each_place(void)
{
	static const struct {
		size_t doublings, told;
	} expected[] = {
		{ 0, CHAIN + 1 },
		{ 10, CHAIN + (1 << 11) - 1 },
		{ 30, 0 },
	};
	struct avro_conflicts conflicts;
	struct arena a;

	for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
		struct avro_schema *s[2];

		for (int i = 0; i < 2; i++)
			s[i] = list_of("{\"type\":\"record\",\"name\":\"R\",\"fields\":[", CHAIN + 1 + expected[k].doublings,
			    put_link, 1 + i, "]}");
		arena_init(&a, 1 << 25);
		CU_ASSERT(!avro_can_read(s[0], s[1], &a, &conflicts));
		CU_ASSERT_EQUAL(conflicts.n, expected[k].told);
		CU_ASSERT_PTR_NULL(conflicts.broken);
		for (size_t i = 0; i < conflicts.n; i++)
			CU_ASSERT_STRING_EQUAL(conflicts.list[i].location, "/fields/0/type/size");
		arena_done(&a);
		avro_free(s[0]);
		avro_free(s[1]);
	}
}

static void
put_field(struct buf *to, size_t i, int size)
{
	buf_printf(to, FIELD("f%zu", "\"type\":\"%s\""), i, size == 0 ? "int" : "string");
}

/* As people write them: all is told. */
static void
all_fields_may_conflict(void)
{
	struct avro_schema *r = list_of("{\"type\":\"record\",\"name\":\"R\",\"fields\":[", 500, put_field, 0, "]}");
	struct avro_schema *w = list_of("{\"type\":\"record\",\"name\":\"R\",\"fields\":[", 500, put_field, 1, "]}");
	struct avro_conflicts conflicts;
	char place[64];
	struct arena a;

	arena_init(&a, 1 << 20);
	CU_ASSERT(!avro_can_read(r, w, &a, &conflicts));
	CU_ASSERT_EQUAL_FATAL(conflicts.n, 500);
	for (size_t i = 0; i < conflicts.n; i++) {
		snprintf(place, sizeof place, "/fields/%zu/type", i);
		CU_ASSERT_STRING_EQUAL(conflicts.list[i].location, place);
	}
	arena_done(&a);
	avro_free(r);
	avro_free(w);
}

static void
put_default_field(struct buf *to, size_t i, int size)
{
	buf_printf(to, "{\"name\":\"f%zu\",\"type\":\"int\",\"default\":%d}", i, size);
}

static void
put_alias(struct buf *to, size_t i, int size)
{
	buf_printf(to, size == 0 ? "\"A%zu\"" : "{\"type\":\"fixed\",\"name\":\"A%zu\",\"size\":1}", i);
}

static void
put_record(struct buf *to, size_t i, int size)
{
	buf_printf(to, "{\"type\":\"record\",\"name\":\"x%zu.R\",\"fields\":[],\"p\":%d}", i, size);
}

static void
put_enum(struct buf *to, size_t i, int size)
{
	buf_printf(to, "{\"type\":\"enum\",\"name\":\"x%zu.R\",\"symbols\":[\"B\"],\"p\":%d}", i, size);
}

/* Each type of a union is compared with all fields, symbols or aliases of another type: not if they are very many. */
static void
steps_are_bounded(void)
{
	static const struct {
		const char *before, *behind;
		void (*item)(struct buf *, size_t i, int size);
		void (*branch)(struct buf *, size_t i, int size);
	} kinds[] = {
		{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[", "]}", put_default_field, put_record },
		{ "{\"type\":\"enum\",\"name\":\"R\",\"symbols\":[\"B\",", "]}", put_alias, put_enum },
		{ "{\"type\":\"fixed\",\"name\":\"R\",\"size\":1,\"aliases\":[", "]}", put_alias, put_alias },
	};
	static const size_t sizes[] = { 500, 4000 };
	struct avro_conflicts conflicts;
	struct arena a;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (size_t k = 0; k < 2; k++) {
			struct avro_schema *r = list_of(kinds[i].before, sizes[k], kinds[i].item, 0, kinds[i].behind);
			struct avro_schema *w = list_of("[", sizes[k], kinds[i].branch, 1, "]");

			arena_init(&a, 1 << 26);
			CU_ASSERT_EQUAL(avro_can_read(r, w, &a, &conflicts), k == 0);
			CU_ASSERT_EQUAL(conflicts.n, 0);
			CU_ASSERT_PTR_NULL(conflicts.broken);
			arena_done(&a);
			avro_free(r);
			avro_free(w);
		}
}

const struct unit_test compat_tests[] = {
	UNIT(reader_reads_or_it_is_told_why_not),
	UNIT(only_these_promotions_are_made),
	UNIT(rings_of_records_come_to_an_end),
	UNIT(too_deep_a_comparison_is_broken_off),
	UNIT(arena_bounds_what_is_told),
	UNIT(what_is_far_inside_is_told_in_each_place),
	UNIT(all_fields_may_conflict),
	UNIT(steps_are_bounded),
	UNIT_END
};
