/* expression_test.c -- regular expressions, compared with names of topics. */
#include "coord/expression.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/pattern.h"
#include "unit/unit.h"

/* Whether the names of the list, set apart by blanks, that match are those. */
static void
match(const char *text, const char *these, const char *not_these)
{
	const char *why, *lists[] = { these, not_these };
	struct expression *e = expression_new(span_str(text), &why);

	CU_ASSERT_FATAL(e != NULL);
	for (int i = 0; i < 2; i++)
		for (const char *s = lists[i]; *s != '\0'; s += strspn(s, " ")) {
			size_t n = strcspn(s, " ");

			if (expression_matches(e, span_of(s, n)) != (i == 0)) {
				printf("%s: %.*s\n", text, (int)n, s);
				CU_FAIL("another match");
			}
			s += n;
		}
	expression_free(e);
}

static void
whole_names_match(void)
{
	match("abc", "abc", "ab abcd xabc b");
	match(".*", "a ab- .", "");
	match("a|bc", "a bc", "ab abc c");
	match("log-\\w+", "log-a log-_0", "log- log-a-b blog-a");
	match("a*", "a aaaa", "b ab");
	match("(ab)+", "ab abab", "a aba");
	match("a?b", "b ab", "aab a");
	match("a{2}", "aa", "a aaa");
	match("a{2,}b", "aab aaaab", "ab b");
	match("(a|b){1,3}", "a ab bab", "abab c");
	match("x{0}a", "a", "xa");
	match("[^a]b", "bb -b", "ab b");
	match("^a$|b", "a b", "ab");
	match("a^b", "", "ab a b");
	match("(?i)Ab", "ab AB", "aa");
	match("a\\.b", "a.b", "axb");
	match("(a*)*b", "b aab", "aa");
	match("(|a)b", "b ab", "a");
}

static void
nothing_at_all_matches_what_may_be_empty(void)
{
	const char *why;
	struct expression *e = expression_new(span_str("a*"), &why);

	CU_ASSERT(expression_matches(e, span_of("", 0)));
	CU_ASSERT(!expression_matches(e, span_of("\xc3\xa4", 2)));
	expression_free(e);
}

static void
what_cannot_be_taken_is_refused_with_a_reason(void)
{
	static const char *const bad[] = { "(", "a)", "*", "(?=a)", "\\1", "a{3,2}", "((a{9}){9}){99}", "[" };
	const char *why;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		why = NULL;
		CU_ASSERT(expression_new(span_str(bad[i]), &why) == NULL);
		CU_ASSERT(why != NULL && strlen(why) > 10);
	}
	CU_ASSERT(expression_new(span_of("a\0b", 3), &why) == NULL);
}

/* regexec() keeps a state for each way to have got here. */
static void
what_takes_others_long_takes_little(void)
{
	static const char *const slow[] = { ".*a.{100}", "(.*a){20}.*", "((a|b|c){10}){10}.*", ".*(a|b).{200}" };
	char name[250];
	const char *why;
	size_t matches = 0;

	for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
		struct expression *e = expression_new(span_str(slow[i]), &why);

		CU_ASSERT_FATAL(e != NULL);
		CU_ASSERT(expression_bytes(e) <= 256 << 10);
		for (unsigned seed = 0; seed < 200; seed++) {
			for (size_t k = 0; k < sizeof name; k++)
				name[k] = "abc-"[(seed * 7919 + k * k * 31 + k * seed) >> 3 & 3];
			matches += expression_matches(e, span_of(name, sizeof name - 1));
		}
		expression_free(e);
	}
	CU_ASSERT(matches > 0);
}

static uint64_t
draw(uint64_t *x, uint64_t n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 16) % n;
}

/* Random expressions mean here what they mean to regexec(). */
static void
random_expressions_match_as_they_do_elsewhere(void)
{
	static const char *const pieces[] = { "a", "b", "[ab]", "(", ")", "|", "*", "+", "?", "{2}", "{0,2}", ".", "(a|b)", "^", "$" };
	uint64_t x = 88172645463325252;
	const char *why;
	size_t compared = 0;

	for (int round = 0; round < 30000; round++) {
		char text[64] = "", name[8];
		struct buf whole = { 0 };
		struct expression *e;
		regex_t regex;

		for (uint64_t n = draw(&x, 8) + 1; n > 0; n--)
			strcat(text, pieces[draw(&x, sizeof pieces / sizeof *pieces)]);
		if ((e = expression_new(span_str(text), &why)) == NULL)
			continue;
		buf_printf(&whole, "^(");
		pattern_translate(text, &whole, &why);
		buf_printf(&whole, ")$");
		buf_u8(&whole, '\0');
		CU_ASSERT_FATAL(regcomp(&regex, (const char *)whole.p, REG_EXTENDED | REG_NOSUB) == 0);
		for (int k = 0; k < 20; k++) {
			size_t n = draw(&x, 7);

			for (size_t i = 0; i < n; i++)
				name[i] = "abc"[draw(&x, 3)];
			name[n] = '\0';
			if (expression_matches(e, span_of(name, n)) != (regexec(&regex, name, 0, NULL, 0) == 0)) {
				printf("%s: %s\n", text, name);
				CU_FAIL("another match");
			}
			compared++;
		}
		regfree(&regex);
		buf_done(&whole);
		expression_free(e);
	}
	CU_ASSERT(compared > 10000);
}

const struct unit_test expression_tests[] = {
	UNIT(whole_names_match),
	UNIT(nothing_at_all_matches_what_may_be_empty),
	UNIT(what_cannot_be_taken_is_refused_with_a_reason),
	UNIT(what_takes_others_long_takes_little),
	UNIT(random_expressions_match_as_they_do_elsewhere),
	UNIT_END
};
