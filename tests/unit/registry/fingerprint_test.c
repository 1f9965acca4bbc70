/* fingerprint_test.c -- the same schemas have the same fingerprint, however they are spelled; others have another. */
#include "registry/fingerprint.h"

#include <string.h>

#include "unit/base/random.h"
#include "unit/registry/world.h"
#include "unit/schema/corpus.h"
#include "unit/schema/random_schema.h"
#include "unit/schema/relayout.h"
#include "unit/unit.h"

enum { ROUNDS = 1000, TWEAKS = 10 };

static void
texts_are_told_apart(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "{\"a\":1,\"b\":[2,{}]}", " { \"b\" : [ 2 , { } ] ,\n\t\"a\" : 1 } ", true },
		{ "\"A\\n\"", "\"\\u0041\\u000a\"", true },
		{ "{\"A\":0}", "{\"\\u0041\":-0.0}", true },
		{ "[1,1.5,1e3]", "[1.0,15e-1,1000]", true },
		{ "{\"aliases\":[\"a\",\"b\"]}", "{\"aliases\":[\"b\",\"a\"]}", true },
		{ "{\"type\":\"error\"}", "{\"type\":\"record\"}", true },
		{ "{\"doc\":\"error\"}", "{\"doc\":\"record\"}", false },
		{ "[\"a\",\"b\"]", "[\"b\",\"a\"]", false },
		{ "[[1],[2]]", "[[1,2],[]]", false },
		{ "[[],[]]", "[[[]]]", false },
		{ "{\"aliases\":[\"a\",\"b\"]}", "{\"aliases\":[\"a\",\"c\"]}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false },
		{ "{\"a\":{\"b\":1},\"c\":{\"d\":1}}", "{\"a\":{\"d\":1},\"c\":{\"b\":1}}", false },
		{ "{\"a\":\"b\"}", "[\"a\",\"b\"]", false },
		{ "1", "\"1\"", false },
		{ "1", "1.0000000000000002", false },
		{ "true", "false", false },
		{ "null", "0", false },
		{ "[]", "{}", false },
		/* No JSON. */
		{ "syntax = \"proto3\";", "syntax = \"proto2\";", false },
		{ "syntax = \"proto3\";", "syntax = \"proto3\";", true },
		{ "1 2", "1 3", false },
		{ "{\"a\":", "{\"b\":", false },
		{ "", "[", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if ((fingerprint_json(span_str(cases[i].a)) == fingerprint_json(span_str(cases[i].b))) != cases[i].same) {
			world_same(cases[i].a, cases[i].b);
			CU_FAIL("these were told apart wrongly");
		}
}

/* ---- other spellings ---- */

/* Passes over a string, of which some characters become escapes. */
static const uint8_t *
respell_string(const uint8_t *p, uint64_t *seed, struct buf *to)
{
	buf_u8(to, *p++);
	while (*p != '"')
		if (*p == '\\')
			for (int left = p[1] == 'u' ? 6 : 2; left > 0; left--)
				buf_u8(to, *p++);
		else if (*p < 0x80 && random_below(seed, 8) == 0)
			buf_printf(to, "\\u%04x", *p++);
		else
			buf_u8(to, *p++);
	buf_u8(to, *p++);
	return p;
}

/* Passes over a number that is in no string, to which nothing is added. */
static const uint8_t *
respell_number(const uint8_t *p, const uint8_t *end, uint64_t *seed, struct buf *to)
{
	static const char *const more[2][4] = { { "", ".0", "e0", ".00E+0" }, { "", "0", "e0", "00e-0" } };
	bool fraction = false, exponent = false;

	for (; p < end && strchr("+-.0123456789eE", *p) != NULL; p++) {
		fraction |= *p == '.';
		exponent |= *p == 'e' || *p == 'E';
		buf_u8(to, *p);
	}
	if (!exponent)
		buf_span(to, span_str(more[fraction][random_below(seed, 4)]));
	return p;
}

/* The JSON with other blanks, members in another order, strings with escapes and other numbers of the same value; and a 0. */
static void
respell(struct span text, uint64_t seed, struct buf *to)
{
	struct buf other = { 0 };
	const uint8_t *p, *end;

	relayout(text, seed, true, &other);
	for (p = other.p, end = other.p + other.n - 1; p < end;)
		if (*p == '"')
			p = respell_string(p, &seed, to);
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
			p = respell_number(p, end, &seed, to);
		else
			buf_u8(to, *p++);
	buf_u8(to, '\0');
	buf_done(&other);
}

static struct schema *
parse(struct span text)
{
	struct schema_mistake why;

	return schema_parse(SCHEMA_AVRO, text, true, NULL, 0, &why);
}

static uint64_t
of_schema(const struct schema *s, struct span format)
{
	struct buf text = { 0 };
	uint64_t print;

	schema_print_format(s, format, &text);
	CU_ASSERT_FATAL(!text.failed);
	print = fingerprint_json(buf_bytes(&text));
	buf_done(&text);
	return print;
}

/* Of a text, and of what is stored of it, in three spellings. */
static void
check_spellings(const char *path, struct span text, void *user)
{
	struct schema *a = parse(text);
	int *parsed = user;

	for (uint64_t seed = 0; seed < 3; seed++) {
		struct buf other = { 0 };
		struct schema *b;

		respell(text, seed, &other);
		other.n--; /* the 0 */
		if (fingerprint_json(text) != fingerprint_json(buf_bytes(&other))) {
			world_same(path, (const char *)other.p);
			CU_FAIL("another spelling has another fingerprint");
		}
		/* Where only spellings differ that Avro does not tell apart, either. */
		b = parse(buf_bytes(&other));
		if (a != NULL && b != NULL && schema_equal(a, b)) {
			CU_ASSERT_EQUAL(of_schema(a, span_str("")), of_schema(b, span_str("")));
			CU_ASSERT_EQUAL(of_schema(a, span_str("resolved")), of_schema(b, span_str("resolved")));
			(*parsed)++;
		}
		schema_free(b);
		buf_done(&other);
	}
	schema_free(a);
}

static void
the_corpus_may_be_spelled_otherwise(void)
{
	int parsed = 0;

	corpus_each(check_spellings, &parsed);
	CU_ASSERT(parsed > 500);
}

/* ---- pairs by chance ---- */

/* The text of a schema by chance; how many values can be tweaked. */
static int
make(uint64_t seed, uint64_t layout, int tweak, struct buf *to)
{
	struct random_schema what = { .seed = seed, .layout = layout, .mix_props = true, .tweak = tweak };
	int values = random_schema(&what, to);

	to->n--; /* the 0 */
	return values;
}

/* Whether they are equal, and have fingerprints as they should have. */
static bool
compare(struct span x, struct span y)
{
	struct schema *a = parse(x), *b = parse(y);
	bool equal;

	CU_ASSERT_FATAL(a != NULL && b != NULL);
	equal = schema_equal(a, b);
	CU_ASSERT_EQUAL(of_schema(a, span_str("")) == of_schema(b, span_str("")), equal);
	schema_free(a);
	schema_free(b);
	return equal;
}

static void
equal_schemas_have_equal_fingerprints(void)
{
	int equal = 0, differ = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct buf text = { 0 }, other = { 0 };
		int values = make(seed, 1, -1, &text);

		make(seed, 2, -1, &other);
		equal += compare(buf_bytes(&text), buf_bytes(&other));
		check_spellings("by chance", buf_bytes(&text), &equal);
		for (int tweak = 0; tweak < values && tweak < TWEAKS; tweak++) {
			buf_reset(&other);
			make(seed, 2, tweak, &other);
			differ += !compare(buf_bytes(&text), buf_bytes(&other));
		}
		buf_done(&text);
		buf_done(&other);
	}
	CU_ASSERT(equal > ROUNDS);
	CU_ASSERT(differ > ROUNDS);
}

/* What a registry has is found in whatever order, and nothing else is. */
static void
equal_schemas_are_found(void)
{
	for (uint64_t seed = 0; seed < ROUNDS / 10; seed++) {
		struct buf text = { 0 };
		struct world w;
		int values;

		world_init(&w);
		world_config(&w, NULL, "{\"compatibility\":\"NONE\"}");
		values = make(seed, 1, -1, &text);
		SAME(world_register(&w, "s", (const char *)text.p), "1/1");
		buf_reset(&text);
		make(seed, 2, -1, &text);
		SAME(world_lookup(&w, "s", (const char *)text.p, REGISTRY_LIVE), "1/1");
		for (int tweak = 0; tweak < values && tweak < TWEAKS; tweak++) {
			buf_reset(&text);
			make(seed, 2, tweak, &text);
			CU_ASSERT_STRING_NOT_EQUAL(world_lookup(&w, "s", (const char *)text.p, REGISTRY_LIVE), "1/1");
		}
		buf_done(&text);
		world_done(&w);
	}
}

/* ---- with references written out ---- */

#define FIXED(size) "{\"type\":\"fixed\",\"name\":\"T\",\"size\":" #size "}"
#define USER(type) "{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\",\"type\":" type "}]}"
#define KEY(subject, version) "{\"keytype\":\"SCHEMA\",\"subject\":\"" subject "\",\"version\":" #version ",\"magic\":1}"
#define NOT_FOUND "40403 Schema not found"

/* Each version of u refers to that version of t. */
static const char *
refer(struct world *w, int32_t version)
{
	struct reference ref = { span_str("T"), span_str("t"), version };
	struct schema_request q = { .text = span_str(USER("\"T\"")), .references = &ref, .n_references = 1 };

	return world_request(w, "u", &q);
}

static void
what_is_written_out_is_found_by_what_is_referred_to_now(void)
{
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"compatibility\":\"NONE\"}");
	SAME(world_register(&w, "t", FIXED(4)), "1/1");
	SAME(world_register(&w, "t", FIXED(8)), "2/2");
	SAME(refer(&w, 1), "3/1");
	SAME(refer(&w, 2), "4/2");
	for (int i = 0; i < 2; i++) {
		SAME(world_lookup(&w, "u", USER(FIXED(4)), REGISTRY_LIVE), "3/1");
		SAME(world_lookup(&w, "u", USER(FIXED(8)), REGISTRY_LIVE), "4/2");
		SAME(world_lookup(&w, "u", USER(FIXED(6)), REGISTRY_LIVE), NOT_FOUND);
		/* Whether it is an error is no difference. */
		SAME(world_lookup(&w, "u", "{\"name\":\"U\",\"type\":\"error\",\"fields\":[{\"name\":\"f\",\"type\":" FIXED(4) "}]}",
		    REGISTRY_LIVE), "3/1");
	}
	/* No registry does so, but the topic may say it. */
	world_put(&w, KEY("t", 2), NULL);
	SAME(world_lookup(&w, "u", USER(FIXED(8)), REGISTRY_LIVE), NOT_FOUND);
	world_put(&w, KEY("t", 2), "{\"id\":9,\"schema\":\"{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"T\\\",\\\"size\\\":6}\"}");
	SAME(world_lookup(&w, "u", USER(FIXED(6)), REGISTRY_LIVE), "4/2");
	SAME(world_lookup(&w, "u", USER(FIXED(8)), REGISTRY_LIVE), NOT_FOUND);
	/* What is written anew under the same id. */
	world_put(&w, KEY("t", 2), "{\"id\":9,\"schema\":\"{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"T\\\",\\\"size\\\":7}\"}");
	SAME(world_lookup(&w, "u", USER(FIXED(7)), REGISTRY_LIVE), "4/2");
	SAME(world_lookup(&w, "u", USER(FIXED(6)), REGISTRY_LIVE), NOT_FOUND);
	world_done(&w);
}

const struct unit_test fingerprint_tests[] = {
	UNIT(texts_are_told_apart),
	UNIT(the_corpus_may_be_spelled_otherwise),
	UNIT(equal_schemas_have_equal_fingerprints),
	UNIT(equal_schemas_are_found),
	UNIT(what_is_written_out_is_found_by_what_is_referred_to_now),
	UNIT_END
};
