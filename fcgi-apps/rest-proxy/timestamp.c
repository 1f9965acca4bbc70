/* timestamp.c -- times as the interfaces write them. */
#include "rest-proxy/timestamp.h"

#include <stdio.h>
#include <time.h>

/* Takes so many digits from the front; false when there are fewer. */
static bool
take_digits(struct span *s, int n, int *out)
{
	*out = 0;
	for (; n > 0; n--) {
		if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
			return false;
		*out = *out * 10 + (s->p[0] - '0');
		*s = span_of(s->p + 1, s->n - 1);
	}
	return true;
}

static bool
take_char(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_of(s->p + 1, s->n - 1);
	return true;
}

/* T and Z may be small (RFC 3339, section 5.6). */
static bool
take_letter(struct span *s, char large, char small)
{
	return take_char(s, large) || take_char(s, small);
}

/* A fraction of a second, as milliseconds; finer digits are dropped. */
static bool
take_fraction(struct span *s, int *ms)
{
	int digit, scale = 100;

	*ms = 0;
	if (!take_char(s, '.'))
		return true;
	if (!take_digits(s, 1, &digit))
		return false;
	do {
		*ms += digit * scale;
		scale /= 10;
	} while (take_digits(s, 1, &digit));
	return true;
}

/* Z, or hours and minutes from it. */
static bool
take_zone(struct span *s, int *minutes)
{
	int sign, hours, rest;

	*minutes = 0;
	if (take_letter(s, 'Z', 'z'))
		return true;
	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '+' ? 1 : -1;
	*s = span_of(s->p + 1, s->n - 1);
	if (!take_digits(s, 2, &hours))
		return false;
	if (s->n > 0 && s->p[0] == ':')
		*s = span_of(s->p + 1, s->n - 1);
	if (!take_digits(s, 2, &rest) || hours > 18 || rest > 59)
		return false;
	*minutes = sign * (hours * 60 + rest);
	return true;
}

bool
timestamp_parse(struct span s, int64_t *out)
{
	int year, month, day, hour, minute, second, ms, zone;
	struct tm tm;

	if (!take_digits(&s, 4, &year) || !take_char(&s, '-') || !take_digits(&s, 2, &month) || !take_char(&s, '-') ||
	    !take_digits(&s, 2, &day) || !take_letter(&s, 'T', 't') || !take_digits(&s, 2, &hour) || !take_char(&s, ':') ||
	    !take_digits(&s, 2, &minute) || !take_char(&s, ':') || !take_digits(&s, 2, &second) ||
	    !take_fraction(&s, &ms) || !take_zone(&s, &zone) || s.n > 0)
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
		return false;
	tm = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour,
		.tm_min = minute, .tm_sec = second };
	*out = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + ms;
	/* The 31st of a short month has become another day. */
	return tm.tm_mday == day && tm.tm_mon == month - 1;
}

void
timestamp_text(int64_t ms, char text[TIMESTAMP_TEXT])
{
	time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(text, TIMESTAMP_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - (int64_t)seconds * 1000));
}
