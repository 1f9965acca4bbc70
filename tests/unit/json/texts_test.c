/* texts_test.c -- scanner and tree accept what is JSON, and nothing else. */
#include <stdio.h>

#include "json/scan.h"
#include "json/tree.h"
#include "json/write.h"
#include "unit/json/texts.h"

/* The whole text by json_next(): NULL or what is wrong. */
static const char *
walk(struct json_scan *s, struct span text)
{
	json_begin(s, text);
	while (json_next(s) != JSON_END)
		if (s->token == JSON_BROKEN)
			return s->why;
	return NULL;
}

/* The same by json_skip(). */
static const char *
leap(struct json_scan *s, struct span text)
{
	json_begin(s, text);
	json_skip(s);
	return json_next(s) == JSON_END ? NULL : s->why;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check(const struct text_case *c, const char *(*read)(struct json_scan *, struct span))
{
	uint8_t *text = exact_copy(span_of(c->text, c->n));
	struct json_scan s;
	const char *why = read(&s, span_of(text, c->n));

	if (!same(why, c->why) || (why != NULL && s.at - s.begin != c->column - 1)) {
		printf("\n%s: %s in column %d, not %s in column %d\n", c->text, why, (int)(s.at - s.begin) + 1,
		    c->why, c->column);
		CU_FAIL("a verdict differs");
	}
	free(text);
}

static void
walking_accepts_and_refuses(void)
{
	for (const struct text_case *c = text_cases; c->text != NULL; c++)
		check(c, walk);
}

static void
skipping_accepts_and_refuses(void)
{
	for (const struct text_case *c = text_cases; c->text != NULL; c++)
		check(c, leap);
}

static void
parsing_accepts_and_refuses_and_says_where(void)
{
	for (const struct text_case *c = text_cases; c->text != NULL; c++) {
		struct json_mistake why = { .memory = true };
		uint8_t *text = exact_copy(span_of(c->text, c->n));
		struct arena a;
		char expected[160];

		arena_init(&a, 1 << 20);
		CU_ASSERT_EQUAL(json_parse(&a, span_of(text, c->n), &why) != NULL, c->why == NULL);
		if (c->why != NULL && memchr(c->text, '\n', c->n) == NULL) {
			snprintf(expected, sizeof expected, "%s at line 1, column %d", c->why, c->column);
			CU_ASSERT_STRING_EQUAL(why.text, expected);
			CU_ASSERT_FALSE(why.memory);
		}
		arena_done(&a);
		free(text);
	}
}

/* In an array and as a member, a value is what it is alone. */
static void
a_value_is_the_same_inside_of_others(void)
{
	for (const struct text_case *c = text_cases; c->text != NULL; c++) {
		struct buf b = { 0 };
		struct json_scan s;

		buf_put(&b, "[{\"a\":", 6);
		buf_put(&b, c->text, c->n);
		buf_put(&b, ",\"b\":[", 6);
		buf_put(&b, c->text, c->n);
		buf_put(&b, "]}]", 3);
		/* An empty array is one with nothing in it. */
		if (c->n > 0)
			CU_ASSERT_EQUAL(walk(&s, buf_bytes(&b)) == NULL, c->why == NULL);
		CU_ASSERT_EQUAL(leap(&s, buf_bytes(&b)) == NULL, walk(&s, buf_bytes(&b)) == NULL);
		buf_done(&b);
	}
}

static void
what_is_accepted_compacts_and_prints_to_what_is_accepted(void)
{
	for (const struct text_case *c = text_cases; c->text != NULL; c++) {
		struct json_mistake why;
		struct buf b = { 0 };
		struct json_out o = json_out(&b);
		struct json_scan s;
		struct arena a;

		if (c->why != NULL)
			continue;
		json_put_compact(&o, span_of(c->text, c->n));
		CU_ASSERT_PTR_NULL(walk(&s, buf_bytes(&b)));
		buf_reset(&b);
		arena_init(&a, 1 << 20);
		json_print(&b, json_parse(&a, span_of(c->text, c->n), &why));
		CU_ASSERT_PTR_NULL(walk(&s, buf_bytes(&b)));
		arena_done(&a);
		buf_done(&b);
	}
}

const struct unit_test texts_tests[] = {
	UNIT(walking_accepts_and_refuses),
	UNIT(skipping_accepts_and_refuses),
	UNIT(parsing_accepts_and_refuses_and_says_where),
	UNIT(a_value_is_the_same_inside_of_others),
	UNIT(what_is_accepted_compacts_and_prints_to_what_is_accepted),
	UNIT_END
};
