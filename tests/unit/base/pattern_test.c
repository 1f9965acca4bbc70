/* pattern_test.c -- patterns of Java as regular expressions of POSIX. */
#include "base/pattern.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

/* The translation as librdkafka gets it. */
static bool
compile(const char *java, regex_t *to, const char **why)
{
	struct buf b = { 0 };
	bool good;

	buf_printf(&b, "^(");
	good = pattern_translate(java, &b, why);
	buf_printf(&b, ")$");
	buf_u8(&b, '\0');
	CU_ASSERT_FATAL(!b.failed);
	if (good)
		CU_ASSERT_EQUAL_FATAL(regcomp(to, (const char *)b.p, REG_EXTENDED | REG_NOSUB), 0);
	buf_done(&b);
	return good;
}

/* Whether all of these words match, or none of them does. */
static void
check_words(const char *java, const regex_t *regex, const char *words, bool wanted)
{
	char list[300], *rest, *word;

	CU_ASSERT_FATAL(strlen(words) < sizeof list);
	strcpy(list, words);
	for (word = strtok_r(list, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		bool matches = regexec(regex, word, 0, NULL, 0) == 0;

		if (matches != wanted)
			printf("%s %s %s\n", java, matches ? "matches" : "does not match", word);
		CU_ASSERT_EQUAL(matches, wanted);
	}
}

static void
patterns_match_what_they_match_in_java(void)
{
	static const struct {
		const char *java, *good, *bad;
	} rows[] = {
		{ "abc", "abc", "ab abcd xabc ABC" },
		{ "a.c", "abc a.c a-c", "ac abbc" },
		{ "a\\.c", "a.c", "abc" },
		{ "n\\d", "n0 n9", "n nd n\\d n10" },
		{ "\\d{2,3}", "12 123", "1 1234 ab" },
		{ "\\D+", "ab -._", "a1 1" },
		{ "\\w+", "a_1", "a-b a.b" },
		{ "\\W+", ".- -", "a _ 1" },
		{ "\\s|x\\S", "xa x. x-", "x s xs1" },
		{ "[\\w.-]+", "a-b.c_d", "" },
		{ "[\\w\\-.]+", "a-b.c_d", "" },
		{ "[\\d-a]+", "1 - a 1-a", "b \\ d" },
		{ "[^\\d\\W]+", "a_b", "a1 a- -" },
		{ "[^\\w-]", ".", "- a" },
		{ "[\\s]|[^\\S]|x", "x", "s S" },
		{ "[^\\s]", "a . -", "" },
		{ "[a\\]b]+", "ab ba", "c" },
		{ "[]a]", "a", "b" },
		{ "[^]a]", "b .", "a" },
		{ "[a-c.]", "a b c .", "d -" },
		{ "[-a]", "- a", "b" },
		{ "[a-]", "- a", "b" },
		{ "[--0]", "- . 0", "1" },
		{ "[!-a]", "- . 0 9 A Z _ a", "b" },
		{ "[A-\\x43]", "A C", "D" },
		{ "[\xc3\xa9-\xc3\xbc]|x", "x", "a" },
		{ "[a-\xc3\xa9]", "a z", "A _" },
		{ "[a&b]", "a b", "" },
		{ "[\\Qa-c\\E]", "a - c", "b" },
		{ "[\\Q^\\Ea]", "a", "b" },
		{ "[:alpha]", "a l h", "b z" },
		{ "[.a.]", ". a", "b" },
		{ "\\Qa.b\\E", "a.b", "aab a-b" },
		{ "\\Qa.b", "a.b", "aab" },
		{ "\\Qa.\\E+", "a. a..", "a a.b aa" },
		{ "a\\Q\\E*", "a aa", "b" },
		{ "\\x41\\u0062\\x{63}", "Abc", "abc" },
		{ "\\t|\\n|\\a|x", "x", "t n a" },
		{ "(?:a|b)c", "ac bc", "c abc" },
		{ "(a|b)+", "a abba", "c" },
		{ "(?<first>a)(?<second1>b)", "ab", "a b" },
		{ ".*?b", "b aab", "a" },
		{ "a+?", "a aa", "b" },
		{ "a??b", "b ab", "aab" },
		{ "a{1,2}?", "a aa", "aaa" },
		{ "a{2,}", "aa aaaa", "a" },
		{ "a{0}b", "b", "ab" },
		{ "(a|)b", "ab b", "a" },
		{ "()b|", "b", "a" },
		{ "^ab$", "ab", "b" },
		{ "\\Aab\\z", "ab", "a" },
		{ "(^a|b\\Z)", "a b", "ab" },
		{ "a^b", "", "ab a b" },
		{ "(?i)aB[c-e]", "abe ABC aBc abE", "abf ab" },
		{ "(?i)[^a]", "b B", "a A" },
		{ "a(?i:b)c", "abc aBc", "abC Abc" },
		{ "a(?i)b(?-i)c", "abc aBc", "abC Abc" },
		{ "(a(?i)b)c", "abc aBc", "abC" },
		{ "(?ism)x", "x X", "y" },
		{ "\\p{Alpha}\\pL\\P{L}\\p{Digit}", "ab.1", "a.b1 ab.a" },
		{ "[\\p{Upper}\\P{Punct}]+", "ABab12", "." },
		{ "]}", "", "] }" },
		{ "a]|x", "x", "a" },
		{ "\xc3\xa9?a", "a", "aa ea" },
		{ "a/|b c|x", "x", "a bc" },
		{ "\\\\|x", "x", "xx a" },
		{ "known.*", "known known-1", "unknown" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		const char *why;
		regex_t regex;

		if (!compile(rows[i].java, &regex, &why)) {
			printf("%s: %s\n", rows[i].java, why);
			CU_FAIL("refused");
			continue;
		}
		check_words(rows[i].java, &regex, rows[i].good, true);
		check_words(rows[i].java, &regex, rows[i].bad, false);
		regfree(&regex);
	}
}

/* `word` stands in the sentence that says why. */
static void
check_refused(const char *java, const char *word)
{
	const char *why = NULL;
	regex_t regex;

	if (compile(java, &regex, &why)) {
		regfree(&regex);
		printf("%s is taken\n", java);
		CU_FAIL("taken");
	} else if (strstr(why, word) == NULL) {
		printf("%s: %s\n", java, why);
		CU_FAIL("another reason");
	} else
		CU_ASSERT(strlen(why) < 200);
}

static void
what_has_no_counterpart_is_refused_by_its_name(void)
{
	static const char *const rows[][2] = {
		{ "a(?=b)", "Look-ahead" }, { "a(?!b)", "Look-ahead" }, { "(?<=a)b", "Look-ahead" }, { "(?<!a)b", "Look-ahead" },
		{ "(?>a)", "Atomic" }, { "a*+", "Possessive" }, { "a++", "Possessive" }, { "a?+", "Possessive" },
		{ "a{1,2}+", "Possessive" }, { "(a)\\1", "Back references" }, { "(?<n>a)\\k<n>", "Back references" },
		{ "\\ba", "boundaries" }, { "a\\B", "boundaries" }, { "\\Ga", "boundaries" }, { "[\\b]", "boundaries" },
		{ "\\R", "\\R" }, { "\\h", "\\h" }, { "[a-z&&[^b]]", "&&" }, { "[a[b]]", "[] within []" },
		{ "[[:alpha:]]", "[] within []" }, { "[[.a.]]", "[] within []" }, { "[[=a=]]", "[] within []" },
		{ "\\p{IsGreek}", "\\p" }, { "\\p{javaLowerCase}", "\\p" }, { "\\pd", "\\p" }, { "(?i)\\p{Lower}", "(?i)" },
		{ "(?x)a", "flags" }, { "(?u)a", "flags" }, { "(?U:a)", "flags" },
		{ "(a$)*", "^ and $" }, { "(^a){2}", "^ and $" }, { "\\ud83d\\ude00", "surrogates" },
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		check_refused(rows[i][0], rows[i][1]);
}

static void
what_is_malformed_in_java_is_refused(void)
{
	static const char *const rows[][2] = {
		{ "(", "A ( has no )" }, { "(?:a", "A ( has no )" }, { "a(?i", "A ( has no )" }, { ")", "A ) has no (" },
		{ "a)b", "A ) has no (" }, { "[", "A [ has no ]" }, { "[]", "A [ has no ]" }, { "[^]", "A [ has no ]" },
		{ "[a", "A [ has no ]" }, { "[a-", "A [ has no ]" }, { "[\\Qa]", "A [ has no ]" },
		{ "*", "nothing" }, { "+a", "nothing" }, { "a|?", "nothing" }, { "(*a)", "nothing" }, { "{2}", "nothing" },
		{ "a**", "nothing" }, { "a{2}{3}", "nothing" }, { "(?i)*", "nothing" },
		{ "a{2,1}", "{n}" }, { "a{", "{n}" }, { "a{,2}", "{n}" }, { "a{x}", "{n}" }, { "a{1", "{n}" }, { "a{-1}", "{n}" },
		{ "\\", "ends with a \\" }, { "a[\\", "ends with a \\" }, { "\\y", "means nothing" }, { "\\E", "means nothing" },
		{ "[z-a]", "range" }, { "[a-\\d]", "range" }, { "\\x4", "digits" }, { "\\u12", "digits" }, { "\\x{}", "digits" },
		{ "\\x{110000}", "whole characters" }, { "\\p", "\\p" }, { "\\p{L", "\\p" }, { "(?<1>a)", "name" }, { "(?<a", "name" },
		{ "(?<a>b)(?<a>c)", "same name" }, { "(?y)", "flags" }, { "\xc3", "UTF-8" }, { "a\xff", "UTF-8" },
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		check_refused(rows[i][0], rows[i][1]);
}

static void
what_could_take_long_is_refused(void)
{
	static const char *const rows[] = {
		"a{1001}", "a{99999999999999999999}", "(((a{1000}){1000}){1000})", "(((a{1,99}){1,99}){1,99}){1,99}",
		"((((((a*|b*)+)+)+)+)+)+", "((.*.*)*){100}", "((((((((((((a)+)+)+)+)+)+)+)+)+)+)+)+", "(|){20}(a*)*",
	};
	char longest[1002];
	const char *why;
	regex_t regex;

	for (size_t i = 0; i < N_OF(rows); i++)
		check_refused(rows[i], "");
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	check_refused(longest, "1000");
	longest[sizeof longest - 2] = '\0';
	CU_ASSERT_FATAL(compile(longest, &regex, &why));
	regfree(&regex);
	memset(longest, '(', sizeof longest - 2);
	check_refused(longest, "A ( has no )");
}

/* ---- random patterns, and what they mean ---- */

enum { NODES_MAX = 64 };

struct node {
	enum { ONE, BOTH, EITHER, REPEATED } kind;
	const char *set;       /* ONE: the characters */
	size_t left, right;    /* of the others; REPEATED: the left */
	unsigned least, most;
};

struct tree {
	struct node nodes[NODES_MAX];
	size_t n;
	unsigned seed;
	struct buf text;
};

static const char letters[] = "abAB01._-";

static unsigned
below(struct tree *t, unsigned n)
{
	t->seed = t->seed * 1103515245u + 12345u;
	return (t->seed >> 16) % n;
}

/* Makes a tree and writes it; the index of its root. */
static size_t
grow(struct tree *t, int depth)
{
	static const char *const ones[][2] = {
		{ "a", "a" }, { "B", "B" }, { ".", letters }, { "\\.", "." }, { "\\d", "01" }, { "\\D", "abAB._-" }, { "\\w", "abAB01_" },
		{ "[\\w.]", "abAB01_." }, { "[^\\w-]", "." }, { "[^a]", "bAB01._-" }, { "\\Q-\\E", "-" }, { "(?i:a)", "aA" }, { "[]b]", "b" },
		{ "[a-b-]", "ab-" }, { "\\x30", "0" }, { "[\\p{Upper}.]", "AB." }, { "}", "" }, { "\\s", "" }, { "(?:\\S)", letters },
	};
	static const struct {
		const char *text;
		unsigned least, most;
	} repeats[] = {
		{ "*", 0, 99 }, { "+", 1, 99 }, { "?", 0, 1 }, { "*?", 0, 99 }, { "+?", 1, 99 }, { "??", 0, 1 }, { "{2}", 2, 2 },
		{ "{1,2}", 1, 2 }, { "{0,3}?", 0, 3 }, { "{2,}", 2, 99 }, { "{0}", 0, 0 }, { "{0,1}", 0, 1 },
	};
	static const char *const opening[] = { "(", "(?:", "(?s:" };
	struct node node = { .kind = ONE };
	size_t at = t->n++;

	CU_ASSERT_FATAL(at < NODES_MAX);
	if (depth > 0)
		node.kind = (unsigned)below(t, 4);
	if (node.kind == ONE) {
		size_t i = below(t, N_OF(ones));

		buf_printf(&t->text, "%s", ones[i][0]);
		node.set = ones[i][1];
	} else {
		buf_printf(&t->text, "%s", opening[below(t, N_OF(opening))]);
		node.left = grow(t, depth - 1);
		if (node.kind != REPEATED) {
			buf_printf(&t->text, node.kind == EITHER ? "|" : "");
			node.right = grow(t, depth - 1);
		}
		buf_printf(&t->text, ")");
		if (node.kind == REPEATED) {
			size_t i = below(t, N_OF(repeats));

			buf_printf(&t->text, "%s", repeats[i].text);
			node.least = repeats[i].least;
			node.most = repeats[i].most;
		}
	}
	t->nodes[at] = node;
	return at;
}

/* Where the node may end when it begins at one of these places: places are bits. */
static unsigned
ends(const struct tree *t, size_t at, const char *name, unsigned begins)
{
	const struct node *node = &t->nodes[at];
	unsigned all = 0, now = begins;

	if (node->kind == BOTH)
		return ends(t, node->right, name, ends(t, node->left, name, begins));
	if (node->kind == EITHER)
		return ends(t, node->left, name, begins) | ends(t, node->right, name, begins);
	if (node->kind == ONE) {
		for (size_t i = 0; name[i] != '\0'; i++)
			if ((begins >> i & 1) != 0 && strchr(node->set, name[i]) != NULL)
				all |= 2u << i;
		return all;
	}
	/* No name is so long that more would lead elsewhere. */
	for (unsigned n = 0; n <= node->most && n <= 20; n++) {
		if (n >= node->least)
			all |= now;
		now = ends(t, node->left, name, now);
	}
	return all;
}

static void
random_patterns_match_what_they_mean(void)
{
	enum { PATTERNS = 4000, NAMES = 40, LENGTH = 6 };
	size_t taken = 0, matched = 0, wrong = 0;

	for (unsigned seed = 1; seed <= PATTERNS; seed++) {
		struct tree t = { .seed = seed * 2654435761u };
		size_t root = grow(&t, 4);
		const char *why;
		regex_t regex;

		buf_u8(&t.text, '\0');
		CU_ASSERT_FATAL(!t.text.failed);
		if (compile((const char *)t.text.p, &regex, &why)) {
			taken++;
			for (unsigned i = 0; i < NAMES; i++) {
				char name[LENGTH + 1] = "";
				size_t length = 1 + below(&t, LENGTH);
				bool wanted;

				for (size_t k = 0; k < length; k++)
					name[k] = letters[below(&t, sizeof letters - 1)];
				wanted = (ends(&t, root, name, 1) >> length & 1) != 0;
				matched += wanted;
				if ((regexec(&regex, name, 0, NULL, 0) == 0) != wanted && wrong++ < 10)
					printf("seed %u: %s, %s\n", seed, (const char *)t.text.p, name);
			}
			regfree(&regex);
		} else if (strstr(why, "repeats too much") == NULL) {
			printf("seed %u: %s: %s\n", seed, (const char *)t.text.p, why);
			wrong++;
		}
		buf_done(&t.text);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(taken > PATTERNS / 2 && matched > PATTERNS);
}

const struct unit_test pattern_tests[] = {
	UNIT(patterns_match_what_they_match_in_java),
	UNIT(what_has_no_counterpart_is_refused_by_its_name),
	UNIT(what_is_malformed_in_java_is_refused),
	UNIT(what_could_take_long_is_refused),
	UNIT(random_patterns_match_what_they_mean),
	UNIT_END
};
