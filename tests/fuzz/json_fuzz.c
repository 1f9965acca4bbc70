/* json_fuzz.c -- all who read JSON agree about any bytes, and who writes is read again. */
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
	if (good)
		check_good(value, &printed);
	else
		must(!why.memory && a.why != NULL && strncmp(why.text, a.why, strlen(a.why)) == 0);
	buf_done(&says);
	buf_done(&printed);
	free(copy);
	return 0;
}
