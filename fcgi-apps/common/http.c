/* http.c -- what HTTP says in text: percent-encoding, queries, media types. */
#include "common/http.h"

#include <strings.h>

#include "base/bytes.h"
#include "base/must.h"
#include "base/utf8.h"

static const char *const methods[HTTP_OTHER] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

const char *
http_method_name(enum http_method method)
{
	must(method < HTTP_OTHER);
	return methods[method];
}

enum http_method
http_method_parse(struct span name)
{
	int m = 0;

	while (m < HTTP_OTHER && !span_is(name, methods[m]))
		m++;
	return (enum http_method)m;
}

void
http_response_init(struct http_response *response)
{
	*response = (struct http_response){ .status = 200 };
}

void
http_response_done(struct http_response *response)
{
	buf_done(&response->body);
}

void
http_response_sent(struct http_response *response, bool whole)
{
	void (*sent)(void *, bool) = response->sent;

	response->sent = NULL;
	if (sent != NULL)
		sent(response->sent_to, whole);
}

bool
http_gone(struct http_request *request)
{
	return request->gone != NULL && request->gone(request);
}

void
http_header(struct http_response *response, const char *name, struct span value)
{
	must(response->n_headers < HTTP_HEADERS_MAX);
	response->headers[response->n_headers++] = (struct http_header){ name, value };
}

/* ---- percent-encoding ---- */

/* Takes one decoded byte from the front of a text that is not empty; -1 when it is malformed. */
static int
take_byte(struct span *text, bool plus)
{
	uint8_t c = *text->p;
	int high, low;

	if (c != '%') {
		*text = span_of(text->p + 1, text->n - 1);
		return plus && c == '+' ? ' ' : c;
	}
	if (text->n < 3 || (high = hex_value(text->p[1])) < 0 || (low = hex_value(text->p[2])) < 0)
		return -1;
	*text = span_of(text->p + 3, text->n - 3);
	return high << 4 | low;
}

struct span
http_decode_to(uint8_t *to, struct span text, bool plus)
{
	struct span decoded = span_of(to, 0);

	while (text.n > 0) {
		int c = take_byte(&text, plus);

		if (c <= 0)
			return span_of(NULL, 0);
		to[decoded.n++] = (uint8_t)c;
	}
	return utf8_is(decoded) ? decoded : span_of(NULL, 0);
}

struct span
http_decode(struct arena *arena, struct span text, bool plus)
{
	uint8_t *to = arena_alloc(arena, text.n);

	return to == NULL ? span_of(NULL, 0) : http_decode_to(to, text, plus);
}

static bool
is_unreserved(uint8_t c)
{
	uint8_t lower = c | 0x20;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void
http_encode(struct buf *to, struct span text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i], escape[3] = { '%', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15] };

		if (is_unreserved(c))
			buf_u8(to, c);
		else
			buf_put(to, escape, sizeof escape);
	}
}

/* ---- lists of things between separators ---- */

/* Takes what stands before the next separator, or all; false when nothing is left. */
static bool
take_part(struct span *from, char separator, struct span *part)
{
	const uint8_t *end;

	if (from->p == NULL)
		return false;
	end = from->n == 0 ? NULL : memchr(from->p, separator, from->n);
	if (end == NULL) {
		*part = *from;
		*from = span_of(NULL, 0);
		return true;
	}
	*part = span_of(from->p, (size_t)(end - from->p));
	*from = span_of(end + 1, from->n - part->n - 1);
	return true;
}

/* As take_part(), but a separator inside of a quoted string is none (RFC 9110, section 5.6.4). */
static bool
take_unquoted(struct span *from, char separator, struct span *part)
{
	bool quoted = false;
	size_t i;

	if (from->p == NULL)
		return false;
	for (i = 0; i < from->n && (quoted || from->p[i] != separator); i++) {
		if (from->p[i] == '"')
			quoted = !quoted;
		else if (quoted && from->p[i] == '\\' && i + 1 < from->n)
			i++;
	}
	*part = span_of(from->p, i);
	*from = i < from->n ? span_of(from->p + i + 1, from->n - i - 1) : span_of(NULL, 0);
	return true;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* ---- queries ---- */

/* Whether the encoded text is this name. */
static bool
is_name(struct span text, const char *name)
{
	for (; text.n > 0; name++) {
		int c = take_byte(&text, true);

		if (c <= 0 || c != (uint8_t)*name)
			return false;
	}
	return *name == '\0';
}

/* The n-th value of this name as it was sent; the null span when there is none. */
static struct span
raw_value(const struct http_request *request, const char *name, size_t n)
{
	struct span query = request->query, part, key;

	while (take_part(&query, '&', &part)) {
		struct span value = part;

		take_part(&value, '=', &key);
		if (is_name(key, name) && n-- == 0)
			return value.p == NULL ? span_of("", 0) : value;
	}
	return span_of(NULL, 0);
}

struct span
http_query_nth(const struct http_request *request, const char *name, size_t n)
{
	struct span raw = n < HTTP_VALUES_MAX ? raw_value(request, name, n) : span_of(NULL, 0);

	return raw.p == NULL ? raw : http_decode(request->arena, raw, true);
}

struct span
http_query(const struct http_request *request, const char *name)
{
	return http_query_nth(request, name, 0);
}

bool
http_query_bool(const struct http_request *request, const char *name)
{
	struct span value = http_query(request, name);

	return value.n == 4 && strncasecmp((const char *)value.p, "true", 4) == 0;
}

static bool
parse_int(struct span text, int32_t *out)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	size_t i = minus || (text.n > 0 && text.p[0] == '+');
	int64_t value = 0;

	if (i == text.n)
		return false;
	for (; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (text.p[i] - '0');
		if (value > (int64_t)INT32_MAX + 1)
			return false;
	}
	value = minus ? -value : value;
	if (value > INT32_MAX)
		return false;
	*out = (int32_t)value;
	return true;
}

static bool
is_all_blank(struct span s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] <= ' ')
		i++;
	return i == s.n;
}

bool
http_query_int(const struct http_request *request, const char *name, int32_t absent, int32_t *out)
{
	struct span raw = raw_value(request, name, 0), value;

	*out = absent;
	if (raw.p == NULL)
		return true;
	value = http_decode(request->arena, raw, true);
	/* Jersey takes the default where there is nothing but blanks. */
	return (value.p != NULL && is_all_blank(value)) || parse_int(value, out);
}

/* ---- media types ---- */

/* A token's characters (RFC 9110, section 5.6.2). */
static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* A q of 0 to 1 with up to three decimals, in thousandths; -1 when it is none. */
static int
parse_q(struct span s)
{
	int q = 0, unit = 1000;

	if (s.n == 0 || s.n > 5 || (s.n > 1 && s.p[1] != '.'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		q += (s.p[i] - '0') * unit;
		unit /= 10;
	}
	return q <= 1000 ? q : -1;
}

/* A media range of Accept. */
struct range {
	struct span type, subtype;
	int q; /* in thousandths */
};

static bool
parse_range(struct span element, struct range *range)
{
	struct span part = { 0 }, name;

	take_unquoted(&element, ';', &part);
	part = trim(part);
	take_part(&part, '/', &range->type);
	range->subtype = part;
	if (!is_token(range->type) || !is_token(range->subtype) || (span_is(range->type, "*") && !span_is(range->subtype, "*")))
		return false;
	range->q = 1000;
	while (take_unquoted(&element, ';', &part)) {
		take_part(&part, '=', &name);
		name = trim(name);
		if (name.n == 1 && (name.p[0] | 0x20) == 'q' && (range->q = parse_q(trim(part))) < 0)
			return false;
	}
	return true;
}

static bool
same_word(struct span a, const char *b, size_t n)
{
	return a.n == n && strncasecmp((const char *)a.p, b, n) == 0;
}

/* How exactly the range means this type: 3 by name, 2 by the part before the slash, 1 as any, 0 not. */
static int
exactness(const struct range *range, const char *type)
{
	size_t n = (size_t)(strchr(type, '/') - type);

	if (span_is(range->type, "*"))
		return 1;
	if (!same_word(range->type, type, n))
		return 0;
	if (span_is(range->subtype, "*"))
		return 2;
	return same_word(range->subtype, type + n + 1, strlen(type + n + 1)) ? 3 : 0;
}

/* The client's q for a type: that of the range that means it most exactly, the highest of equals; -1: no range is well-formed. */
static int
client_q(struct span accept, const char *type)
{
	int best = 0, q = -1;
	struct span element;
	struct range range;

	while (take_unquoted(&accept, ',', &element)) {
		int exact;

		if (!parse_range(element, &range))
			continue;
		q = q < 0 ? 0 : q;
		exact = exactness(&range, type);
		if (exact > best || (exact == best && exact > 0 && range.q > q)) {
			best = exact;
			q = range.q;
		}
	}
	return q;
}

const char *
http_negotiate(struct span accept, const struct http_media *media)
{
	const char *best = NULL;
	int best_weight = 0;

	for (; media->type != NULL; media++) {
		int q = client_q(accept, media->type), weight = (q < 0 ? 1000 : q) * media->quality;

		if (weight > best_weight) {
			best = media->type;
			best_weight = weight;
		}
	}
	return best;
}

struct span
http_media_type(struct arena *arena, struct span content_type)
{
	struct span type;
	uint8_t *to;

	if (!take_part(&content_type, ';', &type))
		return span_of(NULL, 0);
	type = trim(type);
	if ((to = arena_copy(arena, type.p, type.n)) == NULL)
		return span_of(NULL, 0);
	for (size_t i = 0; i < type.n; i++)
		if (to[i] >= 'A' && to[i] <= 'Z')
			to[i] |= 0x20;
	return span_of(to, type.n);
}

struct span
http_charset(struct span content_type)
{
	static const char name[] = "charset=";
	struct span part;

	take_unquoted(&content_type, ';', &part);
	while (take_unquoted(&content_type, ';', &part)) {
		part = trim(part);
		if (part.n < sizeof name - 1 || strncasecmp((const char *)part.p, name, sizeof name - 1) != 0)
			continue;
		part = span_of(part.p + sizeof name - 1, part.n - (sizeof name - 1));
		if (part.n >= 2 && part.p[0] == '"' && part.p[part.n - 1] == '"')
			part = span_of(part.p + 1, part.n - 2);
		return part;
	}
	return span_of(NULL, 0);
}

/* ---- statuses ---- */

const char *
http_reason(int status)
{
	static const char *const reasons[600] = {
		[100] = "Continue",
		[200] = "OK",
		[201] = "Created",
		[202] = "Accepted",
		[204] = "No Content",
		[206] = "Partial Content",
		[207] = "Multi-Status",
		[301] = "Moved Permanently",
		[302] = "Found",
		[303] = "See Other",
		[304] = "Not Modified",
		[307] = "Temporary Redirect",
		[308] = "Permanent Redirect",
		[400] = "Bad Request",
		[401] = "Unauthorized",
		[403] = "Forbidden",
		[404] = "Not Found",
		[405] = "Method Not Allowed",
		[406] = "Not Acceptable",
		[408] = "Request Timeout",
		[409] = "Conflict",
		[410] = "Gone",
		[411] = "Length Required",
		[412] = "Precondition Failed",
		[413] = "Content Too Large",
		[414] = "URI Too Long",
		[415] = "Unsupported Media Type",
		[422] = "Unprocessable Content",
		[428] = "Precondition Required",
		[429] = "Too Many Requests",
		[431] = "Request Header Fields Too Large",
		[500] = "Internal Server Error",
		[501] = "Not Implemented",
		[502] = "Bad Gateway",
		[503] = "Service Unavailable",
		[504] = "Gateway Timeout",
		[507] = "Insufficient Storage",
	};

	must(status >= 100 && status < 600);
	return reasons[status] != NULL ? reasons[status] : "Unnamed";
}
