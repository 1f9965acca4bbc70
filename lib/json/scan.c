/* scan.c -- JSON read token by token: what may follow what. */
#include "json/scan.h"

#include <limits.h>

#include "json/text.h"

/* What may come next. */
enum {
	VALUE,
	FIRST_VALUE, /* or the end of the array */
	FIRST_NAME,  /* or the end of the object */
	MORE         /* a comma and what follows it, or the end of what we are in */
};

void
json_begin(struct json_scan *s, struct span text)
{
	static const uint8_t none[1];

	*s = (struct json_scan){ .token = JSON_END, .expect = VALUE };
	s->begin = s->at = text.p == NULL ? none : text.p;
	s->end = s->begin + text.n;
}

static enum json_token
broken_at(struct json_scan *s, const uint8_t *at, const char *why)
{
	s->at = at;
	s->why = why;
	s->text = span_of(NULL, 0);
	return s->token = JSON_BROKEN;
}

/* Something else was expected where the scan stands. */
static enum json_token
broken(struct json_scan *s, const char *why)
{
	return broken_at(s, s->at, s->at == s->end ? "the text ends too early" : why);
}

static void
pass_blanks(struct json_scan *s)
{
	const uint8_t *p = s->at;

	while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	s->at = p;
}

static bool
comes(const struct json_scan *s, uint8_t c)
{
	return s->at < s->end && *s->at == c;
}

/* The length of what is not plain in a string; 0 when broken. */
static size_t
pass_odd(struct json_scan *s, const uint8_t *p)
{
	bool whole;
	size_t n;

	if (p == s->end) {
		broken_at(s, p, "the text ends inside a string");
		return 0;
	}
	if (*p < 0x20) {
		broken_at(s, p, "a control character in a string must be escaped");
		return 0;
	}
	if (*p == '\\') {
		if ((n = text_escape(p, s->end)) == 0)
			broken_at(s, p, "a backslash in a string begins no escape of JSON");
		return n;
	}
	n = text_utf8(p, s->end, &whole);
	if (!whole)
		broken_at(s, p, "a string is not UTF-8");
	return whole ? n : 0;
}

static enum json_token
take_string(struct json_scan *s, enum json_token token)
{
	const uint8_t *begin = s->at + 1, *p = text_pass_plain(begin, s->end);

	s->escaped = false;
	while (p == s->end || *p != '"') {
		size_t n = pass_odd(s, p);

		if (n == 0)
			return JSON_BROKEN;
		s->escaped |= *p == '\\';
		p = text_pass_plain(p + n, s->end);
	}
	s->text = span_of(begin, (size_t)(p - begin));
	s->at = p + 1;
	return s->token = token;
}

/* Digits, at least one. */
static bool
pass_digits(struct json_scan *s)
{
	const uint8_t *p = s->at;

	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	if (p == s->at) {
		broken(s, "a digit was expected");
		return false;
	}
	s->at = p;
	return true;
}

static enum json_token
take_number(struct json_scan *s)
{
	const uint8_t *begin = s->at, *digits;

	s->at += *begin == '-';
	digits = s->at;
	if (!pass_digits(s))
		return JSON_BROKEN;
	if (*digits == '0' && s->at - digits > 1)
		return broken_at(s, digits, "a number begins with a needless 0");
	if (comes(s, '.')) {
		s->at++;
		if (!pass_digits(s))
			return JSON_BROKEN;
	}
	if (comes(s, 'e') || comes(s, 'E')) {
		s->at++;
		s->at += comes(s, '+') || comes(s, '-');
		if (!pass_digits(s))
			return JSON_BROKEN;
	}
	s->text = span_of(begin, (size_t)(s->at - begin));
	if (s->text.n > JSON_NUMBER_MAX)
		return broken_at(s, begin, "a number is too long");
	return s->token = JSON_NUMBER;
}

static enum json_token
take_word(struct json_scan *s, const char *word, size_t n, enum json_token token)
{
	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return broken(s, "a value was expected");
	s->text = span_of(s->at, n);
	s->at += n;
	return s->token = token;
}

static bool
in_object(const struct json_scan *s)
{
	return s->objects[s->depth / 8] >> s->depth % 8 & 1;
}

static enum json_token
open(struct json_scan *s, bool object)
{
	uint8_t bit;

	if (s->depth == JSON_DEPTH_MAX)
		return broken(s, "arrays and objects lie too deep in each other");
	s->depth++;
	s->at++;
	bit = (uint8_t)(1 << s->depth % 8);
	if (object)
		s->objects[s->depth / 8] |= bit;
	else
		s->objects[s->depth / 8] &= (uint8_t)~bit;
	s->expect = object ? FIRST_NAME : FIRST_VALUE;
	return s->token = object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token
close(struct json_scan *s, enum json_token token)
{
	s->depth--;
	s->at++;
	s->expect = MORE;
	return s->token = token;
}

static enum json_token
take_value(struct json_scan *s)
{
	s->expect = MORE;
	switch (s->at < s->end ? *s->at : '\0') {
	case '"':
		return take_string(s, JSON_STRING);
	case '{':
		return open(s, true);
	case '[':
		return open(s, false);
	case 't':
		return take_word(s, "true", 4, JSON_TRUE);
	case 'f':
		return take_word(s, "false", 5, JSON_FALSE);
	case 'n':
		return take_word(s, "null", 4, JSON_NULL);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return take_number(s);
	default:
		return broken(s, "a value was expected");
	}
}

/* The name and its colon. */
static enum json_token
take_name(struct json_scan *s)
{
	if (!comes(s, '"'))
		return broken(s, "a name in quotes was expected");
	if (take_string(s, JSON_NAME) == JSON_BROKEN)
		return JSON_BROKEN;
	pass_blanks(s);
	if (!comes(s, ':'))
		return broken(s, "a colon was expected");
	s->at++;
	s->expect = VALUE;
	return JSON_NAME;
}

/* What follows a value. */
static enum json_token
take_more(struct json_scan *s)
{
	bool object;

	if (s->depth == 0)
		return s->at == s->end ? (s->token = JSON_END) : broken(s, "something follows the value");
	object = in_object(s);
	if (comes(s, ',')) {
		s->at++;
		pass_blanks(s);
		return object ? take_name(s) : take_value(s);
	}
	if (object)
		return comes(s, '}') ? close(s, JSON_OBJECT_END) : broken(s, "a comma or } was expected");
	return comes(s, ']') ? close(s, JSON_ARRAY_END) : broken(s, "a comma or ] was expected");
}

static inline enum json_token
next(struct json_scan *s)
{
	pass_blanks(s);
	switch (s->expect) {
	case MORE:
		return take_more(s);
	case FIRST_NAME:
		return comes(s, '}') ? close(s, JSON_OBJECT_END) : take_name(s);
	case FIRST_VALUE:
		return comes(s, ']') ? close(s, JSON_ARRAY_END) : take_value(s);
	default:
		return take_value(s);
	}
}

enum json_token
json_next(struct json_scan *s)
{
	return s->token == JSON_BROKEN ? JSON_BROKEN : next(s);
}

/* Passes over what is left of the array or object that was just begun. */
static struct span
skip_rest(struct json_scan *s)
{
	const uint8_t *begin = s->at - 1;
	unsigned outside = s->depth - 1;

	while (s->depth > outside)
		if (next(s) == JSON_BROKEN)
			return span_of(NULL, 0);
	return span_of(begin, (size_t)(s->at - begin));
}

struct span
json_skip(struct json_scan *s)
{
	if (s->expect == VALUE || s->token == JSON_ARRAY_END || s->token == JSON_OBJECT_END)
		json_next(s);
	switch (s->token) {
	case JSON_NULL: case JSON_FALSE: case JSON_TRUE: case JSON_NUMBER:
		return s->text;
	case JSON_STRING:
		return span_of(s->text.p - 1, s->text.n + 2);
	case JSON_ARRAY: case JSON_OBJECT:
		return skip_rest(s);
	case JSON_BROKEN:
		return span_of(NULL, 0);
	default:
		broken(s, "a value was expected");
		return span_of(NULL, 0);
	}
}

bool
json_is(const struct json_scan *s, const char *text)
{
	struct span is = span_str(text), rest = s->text;

	if (!s->escaped)
		return span_eq(rest, is);
	while (rest.n > 0) {
		uint8_t tmp[4];
		struct span piece = text_take(&rest, tmp);

		if (piece.n > is.n || memcmp(piece.p, is.p, piece.n) != 0)
			return false;
		is = span_of(is.p + piece.n, is.n - piece.n);
	}
	return is.n == 0;
}

void
json_text(const struct json_scan *s, struct buf *to)
{
	struct span rest = s->text;

	while (rest.n > 0) {
		uint8_t tmp[4];

		buf_span(to, text_take(&rest, tmp));
	}
}

bool
json_int(const struct json_scan *s, int64_t *out)
{
	return text_int(s->text, out);
}

double
json_double(const struct json_scan *s)
{
	return text_double(s->text);
}

void
json_place(const struct json_scan *s, int *line, int *column)
{
	const uint8_t *start = s->begin, *newline;
	size_t lines = 1;

	for (; (newline = memchr(start, '\n', (size_t)(s->at - start))) != NULL; lines++)
		start = newline + 1;
	*line = lines > INT_MAX ? INT_MAX : (int)lines;
	*column = s->at - start >= INT_MAX ? INT_MAX : (int)(s->at - start) + 1;
}
