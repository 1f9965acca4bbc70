/* setting.c -- one named setting: its type, its limits, and text made a value. */
#include "base/setting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/diag.h"

/* A value of any type, before it is stored. */
union value {
	bool b;
	int64_t n;
	double d;
	const char *text;
	unsigned bits;
};

static bool
blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span
setting_trim(struct span s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "what was written" PROBLEM: ADVICE, in `why`; always -1. */
static int
wrong(char *why, size_t size, struct span text, const char *problem, const char *advice)
{
	char quoted[80];

	snprintf(why, size, "%s %s: %s", diag_quote(quoted, sizeof quoted, text), problem, advice);
	return -1;
}

/* The number's text as a C string, in room for any number; false when it is longer than that. */
static bool
number_text(char *to, size_t size, struct span text)
{
	if (text.n == 0 || text.n >= size || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return true;
}

static int
parse_integer(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	char digits[32], advice[96], *end;

	if (s->max == INT64_MAX)
		snprintf(advice, sizeof advice, "write one from %" PRId64 " up", s->min);
	else
		snprintf(advice, sizeof advice, "write one from %" PRId64 " to %" PRId64, s->min,
		    s->max);
	if (!number_text(digits, sizeof digits, text))
		return wrong(why, size, text, "is not a whole number", advice);
	errno = 0;
	v->n = strtoll(digits, &end, 10);
	if (*end != '\0' || end == digits)
		return wrong(why, size, text, "is not a whole number", advice);
	if (errno == ERANGE || v->n < s->min || v->n > s->max)
		return wrong(why, size, text, "is out of range", advice);
	return 0;
}

static int
parse_double(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	char digits[64], advice[96], *end;

	snprintf(advice, sizeof advice, "write one from %" PRId64 " to %" PRId64 ", as 0.5", s->min,
	    s->max);
	if (!number_text(digits, sizeof digits, text))
		return wrong(why, size, text, "is not a number", advice);
	v->d = strtod(digits, &end);
	if (*end != '\0' || end == digits)
		return wrong(why, size, text, "is not a number", advice);
	if (!(v->d >= (double)s->min && v->d <= (double)s->max)) /* so that NaN is out, too */
		return wrong(why, size, text, "is out of range", advice);
	return 0;
}

/* The next piece of `rest` up to `separator`; false when there is none. */
static bool
next_piece(struct span *rest, char separator, struct span *piece)
{
	const uint8_t *end;

	if (rest->p == NULL)
		return false;
	end = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);
	if (end == NULL) {
		*piece = *rest;
		*rest = span_of(NULL, 0);
	} else {
		*piece = span_of(rest->p, (size_t)(end - rest->p));
		*rest = span_of(end + 1, rest->n - piece->n - 1);
	}
	return true;
}

/* The place of a word among the choices, or -1. */
static int
choice_index(const char *choices, struct span word)
{
	struct span rest = span_str(choices), choice;

	for (int i = 0; next_piece(&rest, ' ', &choice); i++)
		if (span_eq(choice, word))
			return i;
	return -1;
}

static int
wrong_choice(const struct setting *s, struct span text, char *why, size_t size)
{
	char advice[160];

	if (strchr(s->choices, ' ') == NULL)
		snprintf(advice, sizeof advice, "only %s is possible", s->choices);
	else
		snprintf(advice, sizeof advice, "write %s: %s",
		    s->type == SETTING_SET ? "some of these, with commas between" : "one of these",
		    s->choices);
	return wrong(why, size, text, "is not known here", advice);
}

static int
parse_bool(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	v->b = text.n == 4 && strncasecmp((const char *)text.p, "true", 4) == 0;
	if (!v->b && !(text.n == 5 && strncasecmp((const char *)text.p, "false", 5) == 0))
		return wrong(why, size, text, "is neither yes nor no", "write true or false");
	if (s->choices != NULL && choice_index(s->choices, span_str(v->b ? "true" : "false")) == -1)
		return wrong_choice(s, text, why, size);
	return 0;
}

static int
parse_enum(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	v->n = choice_index(s->choices, text);
	return v->n == -1 ? wrong_choice(s, text, why, size) : 0;
}

/* The empty set is written as nothing. */
static int
parse_set(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	struct span rest = text, piece;

	v->bits = 0;
	if (text.n == 0)
		return 0;
	while (next_piece(&rest, ',', &piece)) {
		int i = choice_index(s->choices, setting_trim(piece));

		if (i == -1)
			return wrong_choice(s, setting_trim(piece), why, size);
		v->bits |= 1U << i;
	}
	return 0;
}

static int
parse_text(const struct setting *s, struct span text, union value *v, char *why, size_t size)
{
	(void)s;
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return wrong(why, size, text, "holds a zero byte", "leave it out");
	v->text = (const char *)text.p;
	return 0;
}

/* How each type is read and called. */
static const struct type {
	int (*parse)(const struct setting *, struct span, union value *, char *, size_t);
	const char *name;
} types[] = {
	[SETTING_BOOL] = { parse_bool, "true or false" },
	[SETTING_INT] = { parse_integer, "number" },
	[SETTING_LONG] = { parse_integer, "number" },
	[SETTING_DOUBLE] = { parse_double, "fraction" },
	[SETTING_STRING] = { parse_text, "text" },
	[SETTING_LIST] = { parse_text, "list" },
	[SETTING_ENUM] = { parse_enum, "one of" },
	[SETTING_SET] = { parse_set, "any of" },
};

static void
store(const struct setting *s, const union value *v, void *into)
{
	char *at = (char *)into + s->field;

	switch (s->type) {
	case SETTING_BOOL:
		memcpy(at, &v->b, sizeof(bool));
		break;
	case SETTING_INT:
	case SETTING_ENUM: /* int and int32_t are one type wherever we run */
		memcpy(at, &(int32_t){ (int32_t)v->n }, sizeof(int32_t));
		break;
	case SETTING_LONG:
		memcpy(at, &v->n, sizeof(int64_t));
		break;
	case SETTING_DOUBLE:
		memcpy(at, &v->d, sizeof(double));
		break;
	case SETTING_STRING:
	case SETTING_LIST:
		memcpy(at, &v->text, sizeof v->text);
		break;
	case SETTING_SET:
		memcpy(at, &v->bits, sizeof(unsigned));
		break;
	}
}

_Static_assert(sizeof(int) == sizeof(int32_t), "ENUM fields are stored as int32_t");

int
setting_store(const struct setting *s, struct span text, void *into, char *why, size_t size)
{
	union value v = { 0 };

	if (text.p != NULL) {
		bool kept = s->type == SETTING_STRING || s->type == SETTING_LIST;

		/* Kept text is used up to its zero: whoever hands it in has trimmed it. */
		if (types[s->type].parse(s, kept ? text : setting_trim(text), &v, why, size) == -1)
			return -1;
	}
	if (into != NULL && s->field != SETTING_NO_FIELD)
		store(s, &v, into);
	return 0;
}

const char *
setting_type_name(enum setting_type type)
{
	return types[type].name;
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

size_t
setting_distance(const char *name, struct span written)
{
	enum { MAX = 63 };
	size_t n = strlen(name), most = n / 3 > 2 ? n / 3 : 2, row[MAX + 1], i, j;

	if (n > MAX || written.n == 0 || written.n > n + most || written.n + most < n)
		return SIZE_MAX;
	/* Levenshtein's: row[j] is what lies between the first i and the first j letters. */
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; i <= written.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= n; j++) {
			size_t above = row[j];

			row[j] = least(row[j - 1] + 1, above + 1,
			    diagonal + (written.p[i - 1] != (uint8_t)name[j - 1]));
			diagonal = above;
		}
	}
	return row[n] <= most ? row[n] : SIZE_MAX;
}
