/* wire_text.c -- Kafka messages as text, for debug lines and protocol scripts. */
#include "wire/wire_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/errors.h"

/* ---- printing ---- */

static void print_struct(struct buf *, const struct wire_struct *, int version,
    const void *from);

static void
print_hex(struct buf *to, const uint8_t *p, size_t n)
{
	size_t i;

	buf_printf(to, "x\"");
	for (i = 0; i < n; i++)
		buf_printf(to, "%02x", p[i]);
	buf_u8(to, '"');
}

static void
print_string(struct buf *to, struct span s)
{
	size_t i;

	buf_u8(to, '"');
	for (i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] >= 0x7f)
			buf_printf(to, "\\x%02x", s.p[i]);
		else {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_u8(to, '\\');
			buf_u8(to, s.p[i]);
		}
	buf_u8(to, '"');
}

static void
print_span(struct buf *to, const struct wire_field *f, struct span s)
{
	if (s.p == NULL)
		buf_printf(to, "null");
	else if (f->kind == WIRE_KIND_STRING)
		print_string(to, s);
	else
		print_hex(to, s.p, s.n);
}

/* Codes without a name stay numbers. */
static void
print_number(struct buf *to, enum wire_kind kind, int64_t n)
{
	if (kind == WIRE_KIND_BOOL)
		buf_printf(to, n != 0 ? "true" : "false");
	else if (kind == WIRE_KIND_ERROR && n >= KAFKA_ERROR_MIN &&
	    n <= KAFKA_ERROR_MAX)
		buf_printf(to, "%s", kafka_error_name((int)n));
	else
		buf_printf(to, "%" PRId64, n);
}

static void
print_value(struct buf *to, const struct wire_field *f, int version,
    const void *from)
{
	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		print_struct(to, f->type, version, from);
		return;
	case WIRE_KIND_UUID:
		print_hex(to, from, 16);
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		print_span(to, f, *(const struct span *)from);
		return;
	default:
		print_number(to, f->kind, wire_load_number(f->kind, from));
	}
}

static void
print_array(struct buf *to, const struct wire_field *f, int version,
    const void *at)
{
	size_t n, i, size = wire_value_size(f);
	const char *array = wire_load_array(f, at, &n);

	if (array == NULL && wire_allows_null(f, version)) {
		buf_printf(to, "null");
		return;
	}
	buf_printf(to, "[ ");
	for (i = 0; i < n; i++) {
		print_value(to, f, version, array + i * size);
		buf_u8(to, ' ');
	}
	buf_u8(to, ']');
}

static void
print_pointer(struct buf *to, const struct wire_field *f, int version,
    const void *at)
{
	const void *from = wire_load_pointer(f, at);

	if (from == NULL)
		buf_printf(to, "null");
	else
		print_value(to, f, version, from);
}

static void
print_struct(struct buf *to, const struct wire_struct *s, int version,
    const void *from)
{
	size_t i;

	buf_printf(to, "{ ");
	for (i = 0; i < s->n_fields; i++) {
		const struct wire_field *f = &s->fields[i];

		if (!wire_has_field(f, version))
			continue;
		buf_printf(to, "%s ", f->name);
		if (f->array)
			print_array(to, f, version, from);
		else if (wire_is_pointer(f))
			print_pointer(to, f, version, from);
		else
			print_value(to, f, version,
			    (const char *)from + f->offset);
		buf_u8(to, ' ');
	}
	buf_u8(to, '}');
}

void
wire_print(struct buf *to, const struct wire_message *m, int version,
    const void *from)
{
	print_struct(to, m->body, version, from);
}

/* ---- parsing ---- */

static void parse_struct(struct wire_text *, const struct wire_struct *,
    int version, void *to);

__attribute__((format(printf, 2, 3))) static void
fail(struct wire_text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->error[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(t->error, sizeof t->error, fmt, ap);
		va_end(ap);
	}
	t->left.n = 0;
}

static bool
is_in(uint8_t c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Takes the first `n` bytes of what is left. */
static struct span
take(struct wire_text *t, size_t n)
{
	struct span s = span_of(t->left.p, n);

	t->left.p += n;
	t->left.n -= n;
	return s;
}

/* The next byte that is no blank, without taking it; 0 at the end. */
static uint8_t
peek(struct wire_text *t)
{
	while (t->left.n > 0 && is_in(*t->left.p, " \t\r\n"))
		take(t, 1);
	return t->left.n > 0 ? *t->left.p : 0;
}

/* Takes the mark if it comes next. */
static bool
has_mark(struct wire_text *t, char mark)
{
	if (peek(t) != (uint8_t)mark)
		return false;
	take(t, 1);
	return true;
}

/* A name or number: everything up to a blank or a mark. */
static struct span
get_word(struct wire_text *t)
{
	size_t n = 0;

	peek(t);
	while (n < t->left.n && !is_in(t->left.p[n], " \t\r\n{}[]\""))
		n++;
	if (n == 0)
		fail(t, "the text ends, or a mark stands, where a name or value should be");
	return take(t, n);
}

/* For messages: a word's length as printf wants it, cut to what is readable. */
static int
shown(struct span word)
{
	return word.n > 40 ? 40 : (int)word.n;
}

static int
hex_digit(uint8_t c)
{
	static const char digits[] = "0123456789abcdef";

	return is_in(c, digits) ? (int)(strchr(digits, c) - digits) : -1;
}

/* Two digits from `p` on as a byte, or -1. */
static int
hex_byte(const uint8_t *p)
{
	int high = hex_digit(p[0]), low = hex_digit(p[1]);

	return high == -1 || low == -1 ? -1 : high << 4 | low;
}

/* What stands between two quotes, the first of which is next; raw. */
static struct span
get_quoted(struct wire_text *t)
{
	struct span s;
	size_t n = 0;

	take(t, 1);
	while (n < t->left.n && t->left.p[n] != '"')
		n += t->left.p[n] == '\\' && n + 1 < t->left.n ? 2 : 1;
	if (n >= t->left.n) {
		fail(t, "a quote is not closed");
		return span_of("", 0);
	}
	s = take(t, n);
	take(t, 1);
	return s;
}

static struct span
unescape(struct wire_text *t, struct span raw)
{
	uint8_t *to = arena_alloc(t->arena, raw.n);
	size_t i, n = 0;
	int c;

	if (to == NULL) {
		fail(t, "too large for its arena");
		return span_of("", 0);
	}
	for (i = 0; i < raw.n; i++) {
		if (raw.p[i] != '\\')
			to[n++] = raw.p[i];
		else if (is_in(raw.p[i + 1], "\"\\"))
			to[n++] = raw.p[++i];
		else if (raw.p[i + 1] == 'x' && i + 3 < raw.n &&
		    (c = hex_byte(raw.p + i + 2)) != -1) {
			to[n++] = (uint8_t)c;
			i += 3;
		} else {
			fail(t, "after \\ may stand \", \\ and xNN only");
			break;
		}
	}
	return span_of(to, n);
}

static struct span
unhex(struct wire_text *t, struct span raw)
{
	uint8_t *to = arena_alloc(t->arena, raw.n / 2);
	size_t i;
	int c = 0;

	if (to == NULL) {
		fail(t, "too large for its arena");
		return span_of("", 0);
	}
	for (i = 0; i + 1 < raw.n && c != -1; i += 2)
		to[i / 2] = (uint8_t)(c = hex_byte(raw.p + i));
	if (raw.n % 2 != 0 || c == -1)
		fail(t, "x\"..\" holds pairs of the digits 0-9 and a-f");
	return span_of(to, raw.n / 2);
}

/* "text", x"hex", or null where it is allowed. */
static struct span
get_bytes(struct wire_text *t, bool null_ok)
{
	struct span word;

	if (peek(t) == '"')
		return unescape(t, get_quoted(t));
	word = get_word(t);
	if (span_is(word, "x") && t->left.n > 0 && *t->left.p == '"')
		return unhex(t, get_quoted(t));
	if (!span_is(word, "null"))
		fail(t, "'%.*s' stands where \"text\" or x\"hex\" should",
		    shown(word), (const char *)word.p);
	else if (!null_ok)
		fail(t, "null is not allowed here");
	return (struct span){ NULL, 0 };
}

static int64_t
get_number(struct wire_text *t, enum wire_kind kind)
{
	static const int64_t most[] = {
		[WIRE_KIND_INT8] = INT8_MAX, [WIRE_KIND_INT16] = INT16_MAX,
		[WIRE_KIND_ERROR] = INT16_MAX, [WIRE_KIND_INT32] = INT32_MAX,
		[WIRE_KIND_INT64] = INT64_MAX,
	};
	struct span word = get_word(t);
	char text[24], *end;
	int16_t code;
	int64_t n;

	if (kind == WIRE_KIND_BOOL) {
		if (!span_is(word, "true") && !span_is(word, "false"))
			fail(t, "'%.*s' is neither true nor false", shown(word),
			    (const char *)word.p);
		return span_is(word, "true");
	}
	if (kind == WIRE_KIND_ERROR && kafka_error_find(word, &code))
		return code;
	snprintf(text, sizeof text, "%.*s", shown(word), (const char *)word.p);
	errno = 0;
	n = strtoll(text, &end, 10);
	if (word.n == 0 || word.n >= sizeof text || *end != '\0' || errno != 0 ||
	    n > most[kind] || n < -most[kind] - 1)
		fail(t, "'%.*s' is no number that fits", shown(word),
		    (const char *)word.p);
	return n;
}

static void
parse_value(struct wire_text *t, const struct wire_field *f, int version,
    void *to)
{
	struct span s;

	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		parse_struct(t, f->type, version, to);
		return;
	case WIRE_KIND_UUID:
		s = get_bytes(t, false);
		if (t->error[0] == '\0' && s.n == 16)
			memcpy(to, s.p, 16);
		else
			fail(t, "a uuid has 16 bytes");
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		*(struct span *)to = get_bytes(t,
		    !f->array && wire_allows_null(f, version));
		return;
	default:
		wire_store_number(f->kind, to, get_number(t, f->kind));
	}
}

/* Room for one more element; the array doubles when it is full. */
static char *
grow(struct wire_text *t, char *array, size_t n, size_t size)
{
	char *more;

	if ((n & (n - 1)) != 0)
		return array;
	more = arena_array(t->arena, n == 0 ? 1 : 2 * n, size);
	if (more == NULL)
		fail(t, "too large for its arena");
	else if (n > 0)
		memcpy(more, array, n * size);
	return more;
}

static void
parse_array(struct wire_text *t, const struct wire_field *f, int version,
    void *at)
{
	size_t n = 0, size = wire_value_size(f);
	char *array = wire_empty_array();

	if (!has_mark(t, '[')) {
		if (!span_is(get_word(t), "null") ||
		    !wire_allows_null(f, version))
			fail(t, "%s is an array: [ .. ]", f->name);
		wire_store_array(f, at, NULL, 0);
		return;
	}
	for (; !has_mark(t, ']') && t->error[0] == '\0'; n++) {
		if ((array = grow(t, array, n, size)) == NULL)
			return;
		parse_value(t, f, version, array + n * size);
	}
	wire_store_array(f, at, array, n);
}

static void
parse_pointer(struct wire_text *t, const struct wire_field *f, int version,
    void *at)
{
	void *to;

	if (peek(t) != '{') {
		if (!span_is(get_word(t), "null"))
			fail(t, "%s is a struct: { .. }, or null", f->name);
		wire_store_pointer(f, at, NULL);
		return;
	}
	if ((to = arena_alloc(t->arena, f->type->size)) == NULL) {
		fail(t, "too large for its arena");
		return;
	}
	wire_store_pointer(f, at, to);
	parse_value(t, f, version, to);
}

static const struct wire_field *
find_field(const struct wire_struct *s, struct span name, int version)
{
	size_t i;

	for (i = 0; i < s->n_fields; i++)
		if (span_is(name, s->fields[i].name) &&
		    wire_has_field(&s->fields[i], version))
			return &s->fields[i];
	return NULL;
}

static void
parse_struct(struct wire_text *t, const struct wire_struct *s, int version,
    void *to)
{
	uint64_t seen = 0;

	must(s->n_fields <= 64);
	wire_default(s, to);
	if (!has_mark(t, '{'))
		fail(t, "a struct begins with {");
	while (!has_mark(t, '}') && t->error[0] == '\0') {
		struct span name = get_word(t);
		const struct wire_field *f = find_field(s, name, version);
		uint64_t bit = f == NULL ? 0 : (uint64_t)1 << (f - s->fields);

		if (f == NULL)
			fail(t, "'%.*s' is no field of version %d", shown(name),
			    (const char *)name.p, version);
		else if ((seen & bit) != 0)
			fail(t, "%s is given twice", f->name);
		else if (f->array)
			parse_array(t, f, version, to);
		else if (wire_is_pointer(f))
			parse_pointer(t, f, version, to);
		else
			parse_value(t, f, version, (char *)to + f->offset);
		seen |= bit;
	}
}

int
wire_parse(struct wire_text *t, const struct wire_message *m, int version,
    void *to)
{
	if (version < m->min || version > m->max)
		fail(t, "%s has no version %d", m->name, version);
	parse_struct(t, m->body, version, to);
	return t->error[0] == '\0' ? 0 : -1;
}
