/* pattern_internal.h -- how the translation of patterns reads on. */
#ifndef BASE_PATTERN_INTERNAL_H
#define BASE_PATTERN_INTERNAL_H

#include <stdint.h>
#include <string.h>

#include "base/pattern.h"

struct scan {
	const char *at; /* the rest; empty after a refusal, so that all ends */
	const char *all;
	const char *why; /* NULL: good so far */
	struct buf *to;
	bool quoted;   /* between \Q and \E */
	bool any_case; /* (?i) */
};

/* The first refusal stays. */
static inline void
refuse(struct scan *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	s->at = "";
}

/* Goes past \Q and \E, which may stand between any two parts. */
static inline void
quotes(struct scan *s)
{
	while (s->at[0] == '\\' && s->at[1] == (s->quoted ? 'E' : 'Q')) {
		s->quoted = !s->quoted;
		s->at += 2;
	}
}

/* Whether this comes, and is not quoted. */
static inline bool
comes(struct scan *s, const char *text)
{
	quotes(s);
	return !s->quoted && strncmp(s->at, text, strlen(text)) == 0;
}

static inline bool
take(struct scan *s, const char *text)
{
	if (!comes(s, text))
		return false;
	s->at += strlen(text);
	return true;
}

static inline bool
at_end(struct scan *s)
{
	quotes(s);
	return *s->at == '\0';
}

/* The value of a digit; 99: it is none. */
static inline unsigned
digit_of(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *p = c == '\0' ? NULL : strchr(digits, c);
	size_t i = p == NULL ? 99 : (size_t)(p - digits);

	return (unsigned)(p != NULL && i >= 16 ? i - 6 : i);
}

/* The number that comes, of up to so many digits; 0 where there is none. */
static inline uint32_t
number(struct scan *s, unsigned base, int most)
{
	uint32_t value = 0;

	for (int n = 0; n < most && digit_of(*s->at) < base; n++)
		value = value * base + digit_of(*s->at++);
	return value;
}

/* What stands for one character: itself, an escape, . or [].  It is written. */
void pattern_character(struct scan *);

#endif
