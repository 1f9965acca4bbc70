/* pattern.c -- a recursive descent through a pattern of Java, which writes as it goes. */
#include "base/pattern.h"

#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/pattern_internal.h"
#include "base/utf8.h"

enum {
	PATTERN_MAX = 1000,
	WORK_MAX = 1000 /* see times() */
};

/* What a part of a pattern asks of regcomp(), whether it matches nothing at all, too, and whether ^ or $ is in it. */
struct part {
	int64_t work;
	bool may_be_empty, anchored;
};

static const char not_closed[] = "A ( has no )",
		  too_often[] = "The pattern repeats too much: let it repeat less often, or not within what is repeated";

/*
 * The work of repeating.  regcomp() copies what is repeated, also for +; where that may match nothing, glibc visits
 * all ways through the copies: ((a*|b*)+)+, a few times in itself, takes all memory.
 */
static struct part
times(struct scan *s, struct part part, long least, long most)
{
	int64_t n = most < WORK_MAX ? most : WORK_MAX;

	part.work *= n + 1;
	if (part.may_be_empty)
		part.work *= part.work;
	part.may_be_empty |= least == 0;
	if (part.work > WORK_MAX)
		refuse(s, too_often);
	/* glibc loses them from copies. */
	if (part.anchored)
		refuse(s, "^ and $ must not stand in what is repeated: leave them out, whole names are matched anyway");
	return part;
}

/* {n}, {n,} or {n,m}, from behind the {. */
static struct part
interval(struct scan *s, struct part part)
{
	enum { DIGITS = 9 };
	const char *from = s->at, *digits = from;
	long least = number(s, 10, DIGITS), most = least;
	bool good = s->at > digits;

	if (*s->at == ',') {
		digits = ++s->at;
		most = number(s, 10, DIGITS);
		if (s->at == digits)
			most = least + 1;
	}
	if (!good || *s->at != '}' || most < least) {
		refuse(s, "A repetition must be {n}, {n,} or {n,m}, with m at least n; the character { is written \\{");
		return part;
	}
	s->at++;
	buf_u8(s->to, '{');
	buf_put(s->to, from, (size_t)(s->at - from));
	return times(s, part, least, most);
}

/* What may follow a character or a group.  Lazy or not, the same names match. */
static struct part
repeat(struct scan *s, struct part part)
{
	static const char signs[] = "*+?";
	const char *sign;

	if (take(s, "{"))
		part = interval(s, part);
	else {
		if (at_end(s) || s->quoted || (sign = strchr(signs, *s->at)) == NULL)
			return part;
		buf_u8(s->to, (uint8_t)*sign);
		s->at++;
		part = times(s, part, *sign == '+', 1);
	}
	if (!take(s, "?") && comes(s, "+"))
		refuse(s, "Possessive repetitions, such as a*+, are not supported: write a*");
	return part;
}

/* The name of a group, from behind (?<. */
static void
group_name(struct scan *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *begin = s->at - strlen("(?<");
	size_t n = strspn(s->at, letters);

	if (n == 0 || digit_of(*s->at) < 10 || s->at[n] != '>') {
		refuse(s, "The name of a group (?<name>x) must be letters and digits, a letter first");
		return;
	}
	s->at += n + 1;
	n += strlen("(?<>");
	for (const char *p = s->all; (p = strstr(p, "(?<")) != NULL && p < begin; p++)
		if (strncmp(p, begin, n) == 0)
			refuse(s, "Two groups have the same name");
}

/* Flags, from behind (?.  Whether a group begins behind them; else they hold up to the end of the one that they are in. */
static bool
flags(struct scan *s)
{
	bool on = true;

	for (; *s->at != ':' && *s->at != ')'; s->at++) {
		if (*s->at == 'i')
			s->any_case = on;
		else if (*s->at == '-' && on)
			on = false;
		/* Names have no ends of lines. */
		else if (*s->at == '\0' || strchr("smd", *s->at) == NULL) {
			refuse(s, *s->at == '\0' ? not_closed
					       : "(? must be followed by :, <name> or, of the flags, by i, s, m or d");
			return false;
		}
	}
	return *s->at++ == ':';
}

static struct part alternatives(struct scan *);

/* From behind the (. */
static struct part
group(struct scan *s)
{
	struct part part = { 0, true, false };
	bool any_case = s->any_case;

	if (take(s, "?=") || take(s, "?!") || take(s, "?<=") || take(s, "?<!"))
		refuse(s, "Look-ahead and look-behind, such as (?=x), are not supported: write what is to match, or name topics");
	else if (take(s, "?>"))
		refuse(s, "Atomic groups (?>x) are not supported: write (?:x)");
	else if (take(s, "?<"))
		group_name(s);
	else if (take(s, "?") && !flags(s))
		return part;
	buf_u8(s->to, '(');
	part = alternatives(s);
	if (!take(s, ")"))
		refuse(s, not_closed);
	buf_u8(s->to, ')');
	s->any_case = any_case;
	return repeat(s, part);
}

static struct part
piece(struct scan *s)
{
	if (take(s, "^") || take(s, "\\A")) {
		buf_u8(s->to, '^');
		return (struct part){ 1, true, true };
	}
	if (take(s, "$") || take(s, "\\z") || take(s, "\\Z")) {
		buf_u8(s->to, '$');
		return (struct part){ 1, true, true };
	}
	if (take(s, "("))
		return group(s);
	if (comes(s, "*") || comes(s, "+") || comes(s, "?") || comes(s, "{"))
		refuse(s, "There is nothing that *, +, ? or { could repeat, or it is repeated already");
	else
		pattern_character(s);
	return repeat(s, (struct part){ 1, false, false });
}

/* Nothing at all is written so that POSIX defines it. */
static struct part
sequence(struct scan *s)
{
	struct part all = { 0, true, false };
	size_t before = s->to->n;

	while (!at_end(s) && !comes(s, "|") && !comes(s, ")")) {
		struct part part = piece(s);

		all.work += part.work;
		all.may_be_empty &= part.may_be_empty;
		all.anchored |= part.anchored;
	}
	if (s->to->n == before) {
		buf_printf(s->to, "/?");
		all.work += 2;
	}
	return all;
}

static struct part
alternatives(struct scan *s)
{
	struct part all = sequence(s);

	while (take(s, "|")) {
		struct part part;

		buf_u8(s->to, '|');
		part = sequence(s);
		all.work += part.work;
		all.may_be_empty |= part.may_be_empty;
		all.anchored |= part.anchored;
	}
	return all;
}

bool
pattern_translate(const char *java, struct buf *to, const char **why)
{
	struct scan s = { .at = java, .all = java, .to = to };

	must(java != NULL && to != NULL && why != NULL);
	if (strlen(java) > PATTERN_MAX)
		refuse(&s, "The pattern is longer than 1000 bytes");
	else if (!utf8_is(span_of(java, strlen(java))))
		refuse(&s, "The pattern is not UTF-8");
	if (alternatives(&s).work > WORK_MAX)
		refuse(&s, too_often);
	if (!at_end(&s))
		refuse(&s, "A ) has no (");
	*why = s.why;
	return s.why == NULL;
}
