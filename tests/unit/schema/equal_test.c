/* equal_test.c -- which Avro schemas say the same. */
#include "unit/schema/help.h"
#include "unit/unit.h"

#define FIELD(rest) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\"," rest "}]}"
#define FIXED(rest) "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1" rest "}"
#define ENUM(rest) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]" rest "}"

static const struct {
	const char *a, *b;
	bool equal;
} cases[] = {
	{ "\"int\"", "{\"type\":\"int\"}", true },
	{ "\"int\"", "\"long\"", false },
	{ "\"int\"", "{\"type\":\"int\",\"p\":1}", false },
	/* Properties in any order, at any depth; values as they are. */
	{ "{\"type\":\"int\",\"p\":1,\"q\":{\"x\":[1],\"y\":2}}",
	    "{\"q\":{\"y\":2,\"x\":[1]},\"type\":\"int\",\"p\":1}", true },
	{ "{\"type\":\"int\",\"p\":[{\"x\":1},2]}", "{\"type\":\"int\",\"p\":[2,{\"x\":1}]}", false },
	{ "{\"type\":\"int\",\"p\":1}", "{\"type\":\"int\",\"p\":1.0}", false },
	{ "{\"type\":\"int\",\"p\":1}", "{\"type\":\"int\",\"q\":1}", false },
	{ "{\"type\":\"int\",\"p\":1.50}", "{\"type\":\"int\",\"p\":15e-1}", true },
	/* Names and documentation. */
	{ FIXED(""), FIXED(",\"namespace\":\"\""), true },
	{ FIXED(""), FIXED(",\"namespace\":\"a\""), false },
	{ FIXED(",\"namespace\":\"a\""), "{\"type\":\"fixed\",\"name\":\"a.F\",\"size\":1}", true },
	{ FIXED(""), "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", false },
	{ FIXED(""), FIXED(",\"doc\":\"\""), false },
	{ FIXED(",\"doc\":\"d\""), FIXED(",\"doc\":\"e\""), false },
	{ FIXED(",\"aliases\":[\"A\",\"B\"]"), FIXED(",\"aliases\":[\"B\",\"A\"]"), true },
	{ FIXED(",\"aliases\":[\"A\"]"), FIXED(",\"aliases\":[\"A\",\"B\"]"), false },
	{ FIXED(",\"aliases\":[]"), FIXED(""), true },
	{ ENUM(""), ENUM(""), true },
	{ ENUM(""), "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}", false },
	{ ENUM(""), ENUM(",\"default\":\"A\""), false },
	{ ENUM(",\"default\":\"B\""), ENUM(",\"default\":\"A\""), false },
	/* Records and fields. */
	{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", "{\"type\":\"error\",\"name\":\"R\",\"fields\":[]}",
	    true },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"order\":\"ascending\""), true },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"order\":\"ignore\""), false },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"long\""), false },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"doc\":\"d\""), false },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"aliases\":[\"g\"]"), false },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"p\":1"), false },
	{ FIELD("\"type\":\"int\""), FIELD("\"type\":\"int\",\"default\":1"), false },
	{ FIELD("\"type\":\"int\",\"default\":1"), FIELD("\"type\":\"int\",\"default\":2"), false },
	{ FIELD("\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{\"a\":1,\"b\":2}"),
	    FIELD("\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{\"b\":2,\"a\":1}"), true },
	{ FIELD("\"type\":\"int\""), "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", false },
	{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"},"
	    "{\"name\":\"g\",\"type\":\"int\"}]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"g\",\"type\":\"int\"},"
	    "{\"name\":\"f\",\"type\":\"int\"}]}", false },
	/* Recursion. */
	{ FIELD("\"type\":[\"null\",\"R\"]"), FIELD("\"type\":[\"null\",\"R\"]"), true },
	{ FIELD("\"type\":[\"null\",\"R\"]"), FIELD("\"type\":[\"R\",\"null\"]"), false },
	/* Containers and unions. */
	{ "{\"type\":\"array\",\"items\":\"int\"}", "{\"type\":\"array\",\"items\":\"long\"}", false },
	{ "{\"type\":\"map\",\"values\":\"int\"}", "{\"type\":\"array\",\"items\":\"int\"}", false },
	{ "{\"type\":\"map\",\"values\":\"int\"}", "{\"type\":\"map\",\"values\":\"int\",\"p\":1}", false },
	{ "[\"int\",\"null\"]", "[\"null\",\"int\"]", false },
	{ "[\"int\"]", "[\"int\",\"null\"]", false },
	{ "[]", "[]", true },
};

static void
equal_is_what_says_the_same(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct avro_schema *a = help_avro(cases[i].a), *b = help_avro(cases[i].b);

		if (avro_equal(a, b) != cases[i].equal || avro_equal(b, a) != cases[i].equal) {
			help_same(cases[i].a, cases[i].b);
			CU_FAIL("these were compared wrongly");
		}
		avro_free(a);
		avro_free(b);
	}
}

static void
reference_equals_what_is_written_out(void)
{
	struct avro_schema *ref = help_avro(FIXED(""));
	struct avro_schema *a = help_avro_with(FIELD("\"type\":\"F\""), ref);
	struct avro_schema *b = help_avro(FIELD("\"type\":" FIXED("")));
	struct avro_schema *c = help_avro(FIELD("\"type\":" FIXED(",\"doc\":\"d\"")));

	CU_ASSERT(avro_equal(a, b));
	CU_ASSERT(!avro_equal(a, c));
	avro_free(a);
	avro_free(b);
	avro_free(c);
	avro_free(ref);
}

/* A type with a large property that begins so, used 1000 times; at the end another one of this size. */
static struct avro_schema *
used_often(const char *begin, int size)
{
	struct buf text = { 0 };
	struct avro_schema *s;

	buf_printf(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1,\"p\":{%s", begin);
	for (int i = 0; i < 2000; i++)
		buf_printf(&text, ",\"m%d\":1", i);
	buf_printf(&text, "}}}");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, ",{\"name\":\"f%d\",\"type\":\"F\"}", i);
	buf_printf(&text, ",{\"name\":\"last\",\"type\":{\"type\":\"fixed\",\"name\":\"G\",\"size\":%d}}]}", size);
	buf_u8(&text, '\0');
	s = help_avro((char *)text.p);
	buf_done(&text);
	return s;
}

static void
types_used_often_are_compared_once(void)
{
	struct avro_schema *a = used_often("\"a\":1,\"b\":2", 1), *b = used_often("\"b\":2,\"a\":1", 1);
	struct avro_schema *c = used_often("\"b\":2,\"a\":1", 2), *d = used_often("\"b\":2,\"a\":2", 1);

	CU_ASSERT(avro_equal(a, b) && avro_equal(b, a));
	CU_ASSERT(!avro_equal(a, c) && !avro_equal(a, d));
	avro_free(a);
	avro_free(b);
	avro_free(c);
	avro_free(d);
}

const struct unit_test equal_tests[] = {
	UNIT(equal_is_what_says_the_same),
	UNIT(reference_equals_what_is_written_out),
	UNIT(types_used_often_are_compared_once),
	UNIT_END
};
