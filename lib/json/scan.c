/* scan.c -- JSON read token by token: what may follow what. */
#include "json/scan.h"

#include <limits.h>

#include "base/utf8.h"
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

/*
 * What passes over something takes where it begins and gives what is behind it,
 * NULL when broken.  So the place stays in a register until json_next() returns.
 * What is rare is cold, so that it takes no registers from the rest.
 */

static const uint8_t *
broken_at(struct json_scan *s, const uint8_t *p, const char *why)
{
	s->at = p;
	s->why = why;
	s->text = span_of(NULL, 0);
	s->token = JSON_BROKEN;
	return NULL;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The comment that a slash begins; NULL where it is none, or one that does not end. */
static const uint8_t *
pass_comment(const struct json_scan *s, const uint8_t *p)
{
	bool line = s->end - p > 1 && p[1] == '/';

	if (s->end - p < 2 || (!line && p[1] != '*'))
		return NULL;
	for (p += 2; p < s->end && (*p >= ' ' || is_blank(*p)); p++)
		if (line ? *p == '\n' || *p == '\r' : *p == '*' && s->end - p > 1 && p[1] == '/')
			return p + (line ? 1 : 2);
	return line && p == s->end ? p : NULL;
}

/* White space and comments; a slash that begins none stays, for who expects something else there. */
__attribute__((cold)) static const uint8_t *
pass_comments(const struct json_scan *s, const uint8_t *p)
{
	while (p < s->end) {
		const uint8_t *behind = *p == '/' ? pass_comment(s, p) : is_blank(*p) ? p + 1 : NULL;

		if (behind == NULL)
			break;
		p = behind;
	}
	return p;
}

static inline const uint8_t *
pass_blanks(const struct json_scan *s, const uint8_t *p)
{
	while (p < s->end && is_blank(*p))
		p++;
	return s->comments ? pass_comments(s, p) : p;
}

bool
json_is_blank(struct span text, bool comments)
{
	struct json_scan s;

	json_begin(&s, text);
	s.comments = comments;
	return pass_blanks(&s, s.at) == s.end;
}

/* Something else was expected here. */
__attribute__((cold)) static const uint8_t *
broken(struct json_scan *s, const uint8_t *p, const char *why)
{
	if (p == s->end)
		why = "the text ends too early";
	else if (s->comments && *p == '/' && pass_comment(s, p) == NULL)
		why = "a slash begins no comment, or one that does not end";
	return broken_at(s, p, why);
}

static inline bool
comes(const struct json_scan *s, const uint8_t *p, uint8_t c)
{
	return p < s->end && *p == c;
}

/* What is not plain in a string: an escape, or UTF-8. */
static const uint8_t *
pass_odd(struct json_scan *s, const uint8_t *p)
{
	int n;

	if (p == s->end)
		return broken_at(s, p, "the text ends inside a string");
	if (*p < 0x20)
		return broken_at(s, p, "a control character in a string must be escaped");
	if (*p == '\\') {
		s->escaped = true;
		if ((n = text_escape(p, s->end)) == 0)
			return broken_at(s, p, "a backslash in a string begins no escape of JSON");
		return p + n;
	}
	for (; p < s->end && *p >= 0x80; p += n)
		if ((n = utf8_length(p, s->end)) < 0)
			return broken_at(s, p, "a string is not UTF-8");
	return p;
}

/* The rest of a string, from the first that is not plain. */
static const uint8_t *
pass_odd_string(struct json_scan *s, const uint8_t *p)
{
	while (!comes(s, p, '"')) {
		if ((p = pass_odd(s, p)) == NULL)
			return NULL;
		p = text_pass_plain(p, s->end);
	}
	return p;
}

static const uint8_t *
pass_string(struct json_scan *s, const uint8_t *p, enum json_token token)
{
	const uint8_t *begin = p + 1;

	s->escaped = false;
	p = text_pass_plain(begin, s->end);
	if (!comes(s, p, '"') && (p = pass_odd_string(s, p)) == NULL)
		return NULL;
	s->text = span_of(begin, (size_t)(p - begin));
	s->token = token;
	return p + 1;
}

/* Digits, at least one. */
static const uint8_t *
pass_digits(struct json_scan *s, const uint8_t *p)
{
	const uint8_t *begin = p;

	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p == begin ? broken(s, p, "a digit was expected") : p;
}

static const uint8_t *
pass_number(struct json_scan *s, const uint8_t *p)
{
	const uint8_t *begin = p, *digits, *part;
	ptrdiff_t n;

	digits = p += *p == '-';
	if ((p = pass_digits(s, p)) == NULL)
		return NULL;
	if (*digits == '0' && p - digits > 1)
		return broken_at(s, digits, "a number begins with a needless 0");
	n = *digits == '0' ? 0 : p - digits;
	if (comes(s, p, '.')) {
		part = p + 1;
		if ((p = pass_digits(s, part)) == NULL)
			return NULL;
		n += p - part;
	}
	if (comes(s, p, 'e') || comes(s, p, 'E')) {
		part = p + 1;
		part += comes(s, part, '+') || comes(s, part, '-');
		if ((p = pass_digits(s, part)) == NULL)
			return NULL;
		n += p - part;
	}
	if (n > JSON_NUMBER_MAX)
		return broken_at(s, begin, "a number is too long");
	s->text = span_of(begin, (size_t)(p - begin));
	s->token = JSON_NUMBER;
	return p;
}

static const uint8_t *
pass_word(struct json_scan *s, const uint8_t *p, const char *word, enum json_token token)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - p) < n || memcmp(p, word, n) != 0)
		return broken(s, p, "a value was expected");
	s->text = span_of(p, n);
	s->token = token;
	return p + n;
}

static bool
in_object(const struct json_scan *s)
{
	return s->objects[s->depth / 8] >> s->depth % 8 & 1;
}

static const uint8_t *
open(struct json_scan *s, const uint8_t *p, bool object)
{
	uint8_t *bits, bit;

	if (s->depth == JSON_DEPTH_MAX)
		return broken(s, p, "arrays and objects lie too deep in each other");
	s->depth++;
	bits = &s->objects[s->depth / 8];
	bit = (uint8_t)(1 << s->depth % 8);
	*bits = (uint8_t)(object ? *bits | bit : *bits & ~bit);
	s->expect = object ? FIRST_NAME : FIRST_VALUE;
	s->token = object ? JSON_OBJECT : JSON_ARRAY;
	return p + 1;
}

static const uint8_t *
close(struct json_scan *s, const uint8_t *p, enum json_token token)
{
	s->depth--;
	s->expect = MORE;
	s->token = token;
	return p + 1;
}

static const uint8_t *
pass_value(struct json_scan *s, const uint8_t *p)
{
	s->expect = MORE;
	switch (p < s->end ? *p : '\0') {
	case '"':
		return pass_string(s, p, JSON_STRING);
	case '{':
		return open(s, p, true);
	case '[':
		return open(s, p, false);
	case 't':
		return pass_word(s, p, "true", JSON_TRUE);
	case 'f':
		return pass_word(s, p, "false", JSON_FALSE);
	case 'n':
		return pass_word(s, p, "null", JSON_NULL);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return pass_number(s, p);
	default:
		return broken(s, p, "a value was expected");
	}
}

/* The name and its colon. */
static const uint8_t *
pass_name(struct json_scan *s, const uint8_t *p)
{
	if (!comes(s, p, '"'))
		return broken(s, p, "a name in quotes was expected");
	if ((p = pass_string(s, p, JSON_NAME)) == NULL)
		return NULL;
	p = pass_blanks(s, p);
	if (!comes(s, p, ':'))
		return broken(s, p, "a colon was expected");
	s->expect = VALUE;
	return p + 1;
}

/* What follows a value. */
static const uint8_t *
pass_more(struct json_scan *s, const uint8_t *p)
{
	bool object;

	if (s->depth == 0) {
		if (p < s->end)
			return broken(s, p, "something follows the value");
		s->token = JSON_END;
		return p;
	}
	object = in_object(s);
	if (comes(s, p, ',')) {
		p = pass_blanks(s, p + 1);
		return object ? pass_name(s, p) : pass_value(s, p);
	}
	if (comes(s, p, object ? '}' : ']'))
		return close(s, p, object ? JSON_OBJECT_END : JSON_ARRAY_END);
	return broken(s, p, object ? "a comma or } was expected" : "a comma or ] was expected");
}

static inline const uint8_t *
pass_token(struct json_scan *s, const uint8_t *p)
{
	p = pass_blanks(s, p);
	switch (s->expect) {
	case MORE:
		return pass_more(s, p);
	case FIRST_NAME:
		return comes(s, p, '}') ? close(s, p, JSON_OBJECT_END) : pass_name(s, p);
	case FIRST_VALUE:
		return comes(s, p, ']') ? close(s, p, JSON_ARRAY_END) : pass_value(s, p);
	default:
		return pass_value(s, p);
	}
}

enum json_token
json_next(struct json_scan *s)
{
	if (s->token != JSON_BROKEN) {
		const uint8_t *p = pass_token(s, s->at);

		if (p != NULL)
			s->at = p;
	}
	return s->token;
}

/* What is left of the array or object that was just begun. */
static struct span
skip_rest(struct json_scan *s)
{
	const uint8_t *begin = s->at - 1, *p = s->at;
	unsigned outside = s->depth - 1;

	while (s->depth > outside)
		if ((p = pass_token(s, p)) == NULL)
			return span_of(NULL, 0);
	s->at = p;
	return span_of(begin, (size_t)(p - begin));
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
		broken(s, s->at, "a value was expected");
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
