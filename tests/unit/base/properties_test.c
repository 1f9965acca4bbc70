/* properties_test.c -- the syntax of configuration files. */
#include "base/properties.h"

#include <string.h>

#include "unit/unit.h"

/* One entry of the text: what it should be. */
struct expected {
	int line;
	const char *key, *value; /* value NULL: a mistake */
};

static void
check(const char *text, const struct expected *e, size_t n)
{
	struct properties p;

	properties_init(&p, span_str(text));
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_TRUE_FATAL(properties_next(&p));
		CU_ASSERT_EQUAL(p.line, e[i].line);
		CU_ASSERT_EQUAL(p.mistake != NULL, e[i].value == NULL);
		if (e[i].value == NULL)
			continue;
		CU_ASSERT_TRUE(span_is(p.key, e[i].key));
		CU_ASSERT_TRUE(span_is(p.value, e[i].value));
	}
	CU_ASSERT_FALSE(properties_next(&p));
	properties_done(&p);
}

#define CHECK(text, ...) \
	check(text, (const struct expected[]){ __VA_ARGS__ }, \
	    sizeof((const struct expected[]){ __VA_ARGS__ }) / sizeof(struct expected))

static void
separators_and_blanks_are_as_in_java(void)
{
	CHECK("a=1", { 1, "a", "1" });
	CHECK("a = 1\nb: 2\nc 3\n \t d\t=\t4 \t\n",
	    { 1, "a", "1" }, { 2, "b", "2" }, { 3, "c", "3" }, { 4, "d", "4" });
	CHECK("a = b = c:d\n", { 1, "a", "b = c:d" });
	CHECK("a\nb=\nc :\n", { 1, "a", "" }, { 2, "b", "" }, { 3, "c", "" });
	CHECK("=x\n", { 1, "", "x" });
}

static void
lines_end_in_any_way(void)
{
	CHECK("a=1\r\nb=2\rc=3\n\r\n\nd=4", { 1, "a", "1" }, { 2, "b", "2" }, { 3, "c", "3" }, { 6, "d", "4" });
}

static void
comments_and_empty_lines_are_skipped(void)
{
	CHECK("# a=1\n  ! b=2 \\\nc=3 # not a comment\n\n   \n#", { 3, "c", "3 # not a comment" });
	check("", NULL, 0);
	check("# only\n", NULL, 0);
}

static void
backslash_continues_a_line(void)
{
	CHECK("a = x,\\\n\t  y,\\\r\n z\nb=1\n", { 1, "a", "x,y,z" }, { 4, "b", "1" });
	CHECK("a = x\\\\\nb=1", { 1, "a", "x\\" }, { 2, "b", "1" });
	CHECK("a = x\\\n\nb=1", { 1, "a", "x" }, { 3, "b", "1" });
	CHECK("a = x\\", { 1, "a", "x" });
	CHECK("a\\\n  b = 1", { 1, "ab", "1" });
}

static void
escapes_are_resolved(void)
{
	CHECK("a\\ b\\=c\\:d = \\u0041\\u00e9\\u20AC\\tx\\z", { 1, "a b=c:d", "A\xc3\xa9\xe2\x82\xac\txz" });
	CHECK("a = \xc3\xa9", { 1, "a", "\xc3\xa9" });
}

static void
mistakes_are_told_and_reading_goes_on(void)
{
	CHECK("a=\\u12\nb=1\nc=\\ud800\nd=\\u00g0\ne=2\nf=x\x01y\ng=\\n\nh=\\u0000\ni=3",
	    { 1, "a", NULL }, { 2, "b", "1" }, { 3, "c", NULL }, { 4, "d", NULL }, { 5, "e", "2" },
	    { 6, "f", NULL }, { 7, "g", NULL }, { 8, "h", NULL }, { 9, "i", "3" });
}

static void
zero_bytes_are_mistakes(void)
{
	struct properties p;

	properties_init(&p, span_of("a=\0\nb=1", 7));
	CU_ASSERT_TRUE(properties_next(&p));
	CU_ASSERT_PTR_NOT_NULL(p.mistake);
	CU_ASSERT_TRUE(properties_next(&p));
	CU_ASSERT_PTR_NULL(p.mistake);
	properties_done(&p);
}

const struct unit_test properties_tests[] = {
	UNIT(separators_and_blanks_are_as_in_java),
	UNIT(lines_end_in_any_way),
	UNIT(comments_and_empty_lines_are_skipped),
	UNIT(backslash_continues_a_line),
	UNIT(escapes_are_resolved),
	UNIT(mistakes_are_told_and_reading_goes_on),
	UNIT(zero_bytes_are_mistakes),
	UNIT_END,
};
