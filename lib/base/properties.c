/* properties.c -- the syntax of configuration files: Java's properties. */
#include "base/properties.h"

#include <string.h>

/* What next_char() may give beside a character. */
enum { END_OF_ENTRY = -1, MISTAKEN = -2 };

void
properties_init(struct properties *p, struct span text)
{
	*p = (struct properties){ .at = text.p, .end = text.p + text.n, .next_line = 1 };
}

void
properties_done(struct properties *p)
{
	buf_done(&p->text);
}

/* Steps over the end of a line, which is \n, \r or both; false when it is none. */
static bool
skip_newline(struct properties *p)
{
	if (p->at == p->end || (*p->at != '\n' && *p->at != '\r'))
		return false;
	if (*p->at == '\r' && p->end - p->at > 1 && p->at[1] == '\n')
		p->at++;
	p->at++;
	p->next_line++;
	return true;
}

static bool
blank(int c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static void
skip_blanks(struct properties *p)
{
	while (p->at < p->end && blank(*p->at))
		p->at++;
}

static void
skip_line(struct properties *p)
{
	while (p->at < p->end && *p->at != '\n' && *p->at != '\r')
		p->at++;
}

/* The character of \uXXXX, `at` being behind the u; MISTAKEN when it is none. */
static int
unicode_escape(struct properties *p)
{
	static const char digits[] = "0123456789abcdef";
	int c = 0;

	if (p->end - p->at < 4)
		return MISTAKEN;
	for (int i = 0; i < 4; i++) {
		int low = *p->at >= 'A' && *p->at <= 'F' ? *p->at - 'A' + 'a' : *p->at;
		const char *digit = low == '\0' ? NULL : strchr(digits, low);

		if (digit == NULL)
			return MISTAKEN;
		c = c << 4 | (int)(digit - digits);
		p->at++;
	}
	return c >= 0xd800 && c <= 0xdfff ? MISTAKEN : c; /* half a character */
}

/*
 * The next character of the entry, escapes resolved; *plain: it stood there as
 * it is, so that it may mean something.  END_OF_ENTRY stays in front of the
 * line's end.
 */
static int
next_char(struct properties *p, bool *plain)
{
	for (;;) {
		int c;

		if (p->at == p->end || *p->at == '\n' || *p->at == '\r')
			return END_OF_ENTRY;
		*plain = *p->at != '\\';
		c = *p->at++;
		if (*plain)
			return c;
		if (skip_newline(p)) {
			skip_blanks(p);
			continue;
		}
		if (p->at == p->end)
			return END_OF_ENTRY;
		switch (c = *p->at++) {
		case 't': return '\t';
		case 'n': return '\n';
		case 'r': return '\r';
		case 'f': return '\f';
		case 'u': return unicode_escape(p);
		default: return c;
		}
	}
}

/* Appends a character: a byte of the file as it is, one from an escape as UTF-8. */
static void
put(struct buf *b, int c, bool plain)
{
	if (plain || c < 0x80)
		buf_u8(b, (uint8_t)c);
	else if (c < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | c >> 6));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(b, (uint8_t)(0xe0 | c >> 12));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/*
 * Reads characters into p->text, up to the end of the entry or, in a key, the
 * first plain blank, = or :, which is not taken.
 */
static void
read_part(struct properties *p, bool key)
{
	for (;;) {
		bool plain = true;
		int c;

		if (key && p->at < p->end && (blank(*p->at) || *p->at == '=' || *p->at == ':'))
			return;
		if ((c = next_char(p, &plain)) == END_OF_ENTRY)
			return;
		if (c == MISTAKEN)
			p->mistake = "\\u is not followed by four hexadecimal digits of a character: "
			    "write them, or \\\\u for a backslash";
		else if ((c < ' ' && c != '\t') || c == 0x7f)
			p->mistake = "there is a control character: take it out";
		else
			put(&p->text, c, plain);
	}
}

bool
properties_next(struct properties *p)
{
	size_t key_n, value_n;

	for (;;) {
		skip_blanks(p);
		if (p->at < p->end && (*p->at == '#' || *p->at == '!'))
			skip_line(p);
		if (!skip_newline(p))
			break;
	}
	if (p->at == p->end)
		return false;
	buf_reset(&p->text);
	p->mistake = NULL;
	p->line = p->next_line;

	read_part(p, true);
	key_n = p->text.n;
	skip_blanks(p);
	if (p->at < p->end && (*p->at == '=' || *p->at == ':'))
		p->at++;
	skip_blanks(p);
	read_part(p, false);
	value_n = p->text.n - key_n;
	while (value_n > 0 && blank(p->text.p[key_n + value_n - 1]))
		value_n--;
	buf_u8(&p->text, 0); /* so that p is not NULL */
	if (p->text.failed)
		p->mistake = "there is not enough memory for it: shorten it";
	p->key = span_of(p->text.p, p->text.failed ? 0 : key_n);
	p->value = span_of(p->text.failed ? p->text.p : p->text.p + key_n, p->text.failed ? 0 : value_n);
	return true;
}
