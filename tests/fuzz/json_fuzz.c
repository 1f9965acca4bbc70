/* json_fuzz.c -- all who read JSON agree about any bytes, with comments and without, and who writes is read again. */
#include "base/must.h"
#include "base/xalloc.h"
#include "json/scan.h"
#include "json/tree.h"
#include "json/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MEMORY = 256 << 20 };

/* What strings say lies in `says`, so that ASan sees what reads behind a text. */
static bool
walk(struct json_scan *s, struct span text, struct buf *says)
{
	json_begin(s, text);
	while (json_next(s) != JSON_END) {
		int64_t v;

		if (s->token == JSON_BROKEN)
			return false;
		must(s->depth <= JSON_DEPTH_MAX);
		if (s->token == JSON_NAME || s->token == JSON_STRING) {
			size_t before = says->n;

			json_text(s, says);
			must(says->n - before <= s->text.n);
			buf_u8(says, '\0');
			must(json_is(s, (char *)says->p + before) ==
			    (memchr(says->p + before, '\0', says->n - before - 1) == NULL));
		} else if (s->token == JSON_NUMBER && json_int(s, &v))
			must((double)v == json_double(s));
	}
	return true;
}

static bool
leap(struct json_scan *s, struct span text, struct span *value)
{
	json_begin(s, text);
	*value = json_skip(s);
	must((value->p == NULL) == (s->token == JSON_BROKEN));
	return json_next(s) == JSON_END;
}

/* The value that the text begins with, printed, or the mistake; false: there is none. */
static bool
print_first(struct span text, bool comments, struct buf *to, struct span *rest, struct json_mistake *why)
{
	struct json *j;
	struct arena a;

	arena_init(&a, MEMORY);
	if ((j = json_parse_first(&a, text, comments, rest, why)) != NULL) {
		must(rest->p + rest->n == text.p + text.n);
		json_print(to, j);
	}
	arena_done(&a);
	return j != NULL;
}

/* Prints what it is, or the mistake; false: it is none. */
static bool
print(struct span text, struct buf *to, struct json_mistake *why)
{
	struct json *j;
	struct arena a;

	arena_init(&a, MEMORY);
	if ((j = json_parse(&a, text, why)) != NULL)
		json_print(to, j);
	arena_done(&a);
	return j != NULL;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* Of a text that is JSON, what was printed from it: read again, all is as it was. */
static void
check_good(struct span value, const struct buf *printed)
{
	struct buf compact = { 0 }, again = { 0 }, twice = { 0 };
	struct json_out o = json_out(&compact);
	struct json_mistake why;

	must(print(buf_bytes(printed), &again, &why) && same(printed, &again));
	buf_reset(&again);
	json_put_compact(&o, value);
	must(compact.n <= value.n);
	must(print(buf_bytes(&compact), &again, &why) && same(printed, &again));
	o = json_out(&twice);
	json_put_compact(&o, buf_bytes(&compact));
	must(same(&compact, &twice));
	buf_done(&compact);
	buf_done(&again);
	buf_done(&twice);
}

/* Makes blanks of all comments that are outside of strings and end. */
static void
blank_comments(uint8_t *p, uint8_t *end)
{
	bool in_string = false;

	for (; p < end; p++) {
		uint8_t *begin = p;

		if (in_string && *p == '\\')
			p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && *p == '/' && end - p > 1 && p[1] == '*') {
			uint8_t *behind = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);

			p = behind == NULL ? end - 1 : behind + 1;
			memset(begin, ' ', (size_t)(p + 1 - begin));
		} else if (!in_string && *p == '/' && end - p > 1 && p[1] == '/') {
			while (p < end && *p != '\n' && *p != '\r')
				*p++ = ' ';
			p--;
		}
	}
}

/* Where comments are taken, a text says what it says without them; what stands behind its value does not count. */
static void
check_comments(struct span text, bool good)
{
	struct buf with = { 0 }, without = { 0 };
	struct span rest, rest_without;
	struct json_mistake why;
	uint8_t *copy;

	must(print_first(text, true, &with, &rest, &why) || !good);
	if (with.n > 0) {
		size_t n = (size_t)(rest.p - text.p);

		must(!json_is_blank(text, true));
		copy = xmemdup(text.p, n);
		blank_comments(copy, copy + n);
		must(print(span_of(copy, n), &without, &why) && same(&with, &without));
		free(copy);
		buf_reset(&without);
		if (print_first(text, false, &without, &rest_without, &why))
			must(same(&with, &without) && rest_without.p == rest.p);
	}
	buf_done(&with);
	buf_done(&without);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = xmemdup(bytes, n); /* which ends where its memory ends */
	struct span text = span_of(copy, n), value;
	struct buf says = { 0 }, printed = { 0 };
	struct json_mistake why;
	struct json_scan a, b;
	bool good = walk(&a, text, &says);

	must(leap(&b, text, &value) == good && a.at == b.at && a.why == b.why);
	must(print(text, &printed, &why) == good);
	check_comments(text, good);
	if (good)
		check_good(value, &printed);
	else
		must(!why.memory && a.why != NULL && strncmp(why.text, a.why, strlen(a.why)) == 0);
	buf_done(&says);
	buf_done(&printed);
	free(copy);
	return 0;
}
