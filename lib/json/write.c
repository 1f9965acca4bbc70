/* write.c -- JSON text, put together in a buffer. */
#include "json/write.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "json/text.h"

static void
put_comma(struct json_out *o)
{
	if (o->comma)
		buf_u8(o->to, ',');
	o->comma = true;
}

/* A value that is there, or null. */
static bool
put_unless_null(struct json_out *o, struct span s)
{
	if (s.p == NULL)
		json_put_null(o);
	else
		put_comma(o);
	return s.p != NULL;
}

void
json_open(struct json_out *o, char bracket)
{
	put_comma(o);
	buf_u8(o->to, (uint8_t)bracket);
	o->comma = false;
}

void
json_close(struct json_out *o, char bracket)
{
	buf_u8(o->to, (uint8_t)bracket);
	o->comma = true;
}

/* The escape of an ASCII character that can't stand for itself. */
static void
put_escape(struct buf *to, uint8_t c)
{
	static const char characters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	static const char hex[] = "0123456789ABCDEF";
	const char *at = memchr(characters, c, sizeof characters - 1);
	char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (at != NULL)
		text[1] = names[at - characters];
	buf_put(to, text, at != NULL ? 2 : sizeof text);
}

/* Puts what was passed and stands for itself. */
static void
put_run(struct buf *to, const uint8_t *begin, const uint8_t *end)
{
	buf_put(to, begin, (size_t)(end - begin));
}

/* Puts what is inside of the quotes. */
static void
put_characters(struct buf *to, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *run = p;

	while ((p = text_pass_plain(p, end)) < end) {
		int n = *p < 0x80 ? 0 : utf8_length(p, end);

		if (n > 0) {
			p += n;
			continue;
		}
		put_run(to, run, p);
		if (n == 0)
			put_escape(to, *p);
		else
			buf_put(to, "\xef\xbf\xbd", 3);
		run = p += n == 0 ? 1 : -n;
	}
	put_run(to, run, end);
}

static void
put_quoted(struct buf *to, struct span s)
{
	buf_u8(to, '"');
	if (s.n > 0)
		put_characters(to, s.p, s.p + s.n);
	buf_u8(to, '"');
}

void
json_key(struct json_out *o, const char *name)
{
	put_comma(o);
	buf_u8(o->to, '"');
	buf_span(o->to, span_str(name));
	buf_put(o->to, "\":", 2);
	o->comma = false;
}

void
json_key_span(struct json_out *o, struct span name)
{
	put_comma(o);
	put_quoted(o->to, name);
	buf_u8(o->to, ':');
	o->comma = false;
}

void
json_put_member(struct json_out *o, const char *name, struct span text)
{
	if (text.n == 0)
		return;
	json_key(o, name);
	json_put_span(o, text);
}

void
json_put_null(struct json_out *o)
{
	json_put_raw(o, span_str("null"));
}

void
json_put_bool(struct json_out *o, bool v)
{
	json_put_raw(o, span_str(v ? "true" : "false"));
}

void
json_put_int(struct json_out *o, int64_t v)
{
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char text[20], *p = text + sizeof text; /* of INT64_MIN */

	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		*--p = '-';
	put_comma(o);
	buf_put(o->to, p, (size_t)(text + sizeof text - p));
}

void
json_put_str(struct json_out *o, const char *s)
{
	json_put_span(o, span_str(s));
}

void
json_put_span(struct json_out *o, struct span s)
{
	if (put_unless_null(o, s))
		put_quoted(o->to, s);
}

enum { DIGITS_MAX = 17 };

/* A number as its sign, its digits (the point behind the first) and its power of ten. */
struct decimal {
	const char *minus;
	char digits[DIGITS_MAX + 1];
	int n, power;
};

/* "-d.dddde-dd" cut up; digits that say nothing are left out. */
static void
cut(const char *text, struct decimal *d)
{
	d->minus = *text == '-' ? "-" : "";
	text += *text == '-';
	for (d->n = 0; *text != 'e'; text++)
		if (*text != '.')
			d->digits[d->n++] = *text;
	d->power = atoi(text + 1);
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
	d->digits[d->n] = '\0';
}

/* The next number away from zero with as many digits; false when it needs one more. */
static bool
step_out(char *text)
{
	char *p = strchr(text, 'e') - 1;

	for (; p >= text && *p != '-'; p--)
		if (*p != '.') {
			if (*p != '9') {
				++*p;
				return true;
			}
			*p = '0';
		}
	return false;
}

/*
 * The shortest digits that read back, and of these the nearest.  15 digits are
 * exact, so that no shorter ones need be tried, except where doubles are sparse.
 * Below a power of two lies the next double nearer than above: there the nearest
 * digits may miss where those farther out do not.
 */
static void
shortest(double v, struct decimal *d)
{
	char text[DIGITS_MAX + 10]; /* -, ., e-308 */

	for (int n = fabs(v) < DBL_MIN ? 2 : DBL_DIG;; n++) {
		snprintf(text, sizeof text, "%.*e", n - 1, v);
		if (strtod(text, NULL) == v || n == DIGITS_MAX)
			break;
		if (step_out(text) && strtod(text, NULL) == v)
			break;
	}
	cut(text, d);
}

void
json_put_double(struct json_out *o, double v)
{
	struct decimal d;

	if (isnan(v) || isinf(v)) {
		json_put_str(o, isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity");
		return;
	}
	put_comma(o);
	shortest(v, &d);
	if (d.power < -3 || d.power > 6)
		buf_printf(o->to, "%s%c.%sE%d", d.minus, d.digits[0], d.n > 1 ? d.digits + 1 : "0", d.power);
	else if (d.power < 0)
		buf_printf(o->to, "%s0.%.*s%s", d.minus, -d.power - 1, "00", d.digits);
	else if (d.n <= d.power + 1)
		buf_printf(o->to, "%s%s%.*s.0", d.minus, d.digits, d.power + 1 - d.n, "000000");
	else
		buf_printf(o->to, "%s%.*s.%s", d.minus, d.power + 1, d.digits, d.digits + d.power + 1);
}

void
json_put_base64(struct json_out *o, struct span s)
{
	if (!put_unless_null(o, s))
		return;
	buf_u8(o->to, '"');
	base64_put(o->to, s);
	buf_u8(o->to, '"');
}

void
json_put_raw(struct json_out *o, struct span s)
{
	if (put_unless_null(o, s))
		buf_span(o->to, s);
}

/* Behind the string that begins at `p`. */
static const uint8_t *
pass_string(const uint8_t *p, const uint8_t *end)
{
	for (p = text_pass_plain(p + 1, end); p < end && *p != '"'; p = text_pass_plain(p, end)) {
		p += *p == '\\' && end - p > 1 ? 2 : 1;
		while (p < end && *p >= 0x80)
			p++;
	}
	return p < end ? p + 1 : end;
}

void
json_put_compact(struct json_out *o, struct span s)
{
	const uint8_t *run, *p, *end;

	if (!put_unless_null(o, s))
		return;
	for (run = p = s.p, end = p + s.n; p < end;)
		if (*p == '"')
			p = pass_string(p, end);
		else if (*p > ' ')
			p++;
		else {
			put_run(o->to, run, p);
			run = ++p;
		}
	put_run(o->to, run, end);
}
