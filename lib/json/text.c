/* text.c -- what is inside of strings and numbers. */
#include "json/text.h"

#include <stdlib.h>

#include "base/must.h"
#include "json/scan.h"

int
text_escape(const uint8_t *p, const uint8_t *end)
{
	if (end - p < 2)
		return 0;
	if (p[1] != 'u')
		return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
	if (end - p < 6)
		return 0;
	for (int i = 2; i < 6; i++)
		if (hex_value(p[i]) < 0)
			return 0;
	return 6;
}

/* The UTF-16 unit of "\uXXXX". */
static uint32_t
unit(const uint8_t *p)
{
	uint32_t v = 0;

	for (int i = 2; i < 6; i++)
		v = v << 4 | (uint32_t)hex_value(p[i]);
	return v;
}

static size_t
put_utf8(uint32_t c, uint8_t to[4])
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (uint8_t)(0x80 | (c & 0x3f));
	to[0] = (uint8_t)(lead[n] | c);
	return n;
}

/* The character of the "\uXXXX" at the beginning, with the second half of a pair. */
static uint32_t
take_unicode(struct span *s)
{
	uint32_t c = unit(s->p), second = 0;
	size_t n = 6;

	if (c >= 0xd800 && c < 0xdc00 && s->n >= 12 && s->p[6] == '\\' && s->p[7] == 'u')
		second = unit(s->p + 6);
	if (second >= 0xdc00 && second < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (second - 0xdc00);
		n = 12;
	} else if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	*s = span_of(s->p + n, s->n - n);
	return c;
}

struct span
text_take(struct span *s, uint8_t tmp[4])
{
	static const char names[] = "bfnrt", characters[] = "\b\f\n\r\t";
	const uint8_t *backslash = memchr(s->p, '\\', s->n);
	const char *name;
	size_t n = backslash == NULL ? s->n : (size_t)(backslash - s->p);

	if (n > 0) {
		struct span run = span_of(s->p, n);

		*s = span_of(s->p + n, s->n - n);
		return run;
	}
	if (s->p[1] == 'u')
		return span_of(tmp, put_utf8(take_unicode(s), tmp));
	name = strchr(names, s->p[1]);
	tmp[0] = name == NULL ? s->p[1] : (uint8_t)characters[name - names];
	*s = span_of(s->p + 2, s->n - 2);
	return span_of(tmp, 1);
}

bool
text_int(struct span number, int64_t *out)
{
	bool minus = number.p[0] == '-';
	uint64_t most = minus ? (uint64_t)INT64_MAX + 1 : INT64_MAX, v = 0;

	for (size_t i = minus; i < number.n; i++) {
		uint64_t digit = (uint64_t)number.p[i] - '0';

		if (digit > 9 || v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

double
text_double(struct span number)
{
	char text[JSON_NUMBER_MAX + sizeof "-0.e-"];

	must(number.n < sizeof text);
	memcpy(text, number.p, number.n);
	text[number.n] = '\0';
	return strtod(text, NULL); /* no program of ours leaves the C locale */
}
