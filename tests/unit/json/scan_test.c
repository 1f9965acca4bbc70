/* scan_test.c -- JSON read token by token. */
#include "json/scan.h"

#include <math.h>
#include <stdlib.h>

#include "unit/base/random.h"
#include "unit/json/texts.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

/* All tokens that come, a letter for each. */
static void
letters_from(struct json_scan *s, char *to, size_t room)
{
	static const char letters[] = "nft1s[{:]}$!";
	size_t n = 0;

	do
		to[n++] = letters[json_next(s)];
	while (n < room - 1 && s->token != JSON_END && s->token != JSON_BROKEN);
	to[n] = '\0';
}

static void
letters_of(struct span text, char *to, size_t room)
{
	struct json_scan s;

	json_begin(&s, text);
	letters_from(&s, to, room);
}

static void
tokens_come_in_order(void)
{
	static const struct {
		const char *text, *letters;
	} rows[] = {
		{ "null", "n$" },
		{ " 12 ", "1$" },
		{ "[]", "[]$" },
		{ "{}", "{}$" },
		{ "[1,\"a\",true,false,null]", "[1stfn]$" },
		{ "{\"a\":1,\"b\":{\"c\":[{},[]]},\"d\":\"\"}", "{:1:{:[{}[]]}:s}$" },
		{ "[[1],[2]]", "[[1][1]]$" },
		{ "[1,2}", "[11!" },
		{ "{\"a\":1]", "{:1!" },
		{ "{\"a\" 1}", "{!" },
		{ "", "!" }
	};
	char letters[40];

	for (size_t i = 0; i < N_OF(rows); i++) {
		letters_of(span_str(rows[i].text), letters, sizeof letters);
		CU_ASSERT_STRING_EQUAL(letters, rows[i].letters);
	}
	letters_of(span_of(NULL, 0), letters, sizeof letters);
	CU_ASSERT_STRING_EQUAL(letters, "!");
}

static void
texts_lie_where_they_were_written(void)
{
	static const char text[] = "{\"na\\nme\" : \"str\" , \"n\":-1.5e3 }";
	struct json_scan s;

	json_begin(&s, span_str(text));
	json_next(&s);
	CU_ASSERT_EQUAL(json_next(&s), JSON_NAME);
	CU_ASSERT(span_is(s.text, "na\\nme") && s.escaped);
	CU_ASSERT_PTR_EQUAL(s.text.p, (const uint8_t *)text + 2);
	CU_ASSERT_EQUAL(json_next(&s), JSON_STRING);
	CU_ASSERT(span_is(s.text, "str") && !s.escaped);
	json_next(&s);
	CU_ASSERT_EQUAL(json_next(&s), JSON_NUMBER);
	CU_ASSERT(span_is(s.text, "-1.5e3"));
}

static void
broken_stays_broken(void)
{
	struct json_scan s;

	json_begin(&s, span_str("[1 2]"));
	json_next(&s);
	json_next(&s);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(json_next(&s), JSON_BROKEN);
		CU_ASSERT_STRING_EQUAL(s.why, "a comma or ] was expected");
		CU_ASSERT_PTR_NULL(json_skip(&s).p);
		CU_ASSERT_EQUAL(s.at - s.begin, 3);
	}
}

static void
the_end_stays_the_end(void)
{
	struct json_scan s;

	json_begin(&s, span_str("1"));
	json_next(&s);
	CU_ASSERT_EQUAL(json_next(&s), JSON_END);
	CU_ASSERT_EQUAL(json_next(&s), JSON_END);
	CU_ASSERT_PTR_NULL(json_skip(&s).p);
	CU_ASSERT_EQUAL(json_next(&s), JSON_BROKEN);
}

/* The strings of JSON texts and what they say. */
static const struct {
	const char *text, *says;
	size_t n;
} strings[] = {
#define SAYS(text, says) { text, says, sizeof says - 1 }
	SAYS("\"\"", ""),
	SAYS("\"plain\"", "plain"),
	SAYS("\"\\\"\\\\\\/\"", "\"\\/"),
	SAYS("\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t"),
	SAYS("\"a\\u0062c\"", "abc"),
	SAYS("\"\\u0000\"", "\0"),
	SAYS("\"x\\u0000y\"", "x\0y"),
	SAYS("\"\\u007f\\u0080\"", "\x7f\xc2\x80"),
	SAYS("\"\\u07ff\\u0800\"", "\xdf\xbf\xe0\xa0\x80"),
	SAYS("\"\\uD7FF\\uE000\\uffff\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
	SAYS("\"\\ud800\\udc00\"", "\xf0\x90\x80\x80"),
	SAYS("\"\\uDBFF\\uDFFF.\"", "\xf4\x8f\xbf\xbf."),
	SAYS("\"\\ud83d\\ude00\xe2\x82\xac\"", "\xf0\x9f\x98\x80\xe2\x82\xac"),
	SAYS("\"\\ud800\"", "\xef\xbf\xbd"),
	SAYS("\"\\udc00\"", "\xef\xbf\xbd"),
	SAYS("\"\\ud800x\"", "\xef\xbf\xbdx"),
	SAYS("\"\\ud800\\n\"", "\xef\xbf\xbd\n"),
	SAYS("\"\\ud800\\u0041\"", "\xef\xbf\xbd" "A"),
	SAYS("\"\\udc00\\ud800\"", "\xef\xbf\xbd\xef\xbf\xbd"),
	SAYS("\"\\ud800\\ud800\\udc00\"", "\xef\xbf\xbd\xf0\x90\x80\x80")
#undef SAYS
};

static void
text_takes_escapes_out(void)
{
	for (size_t i = 0; i < N_OF(strings); i++) {
		struct buf b = { 0 };
		struct json_scan s;

		json_begin(&s, span_str(strings[i].text));
		CU_ASSERT_EQUAL(json_next(&s), JSON_STRING);
		json_text(&s, &b);
		CU_ASSERT(b.n == strings[i].n && (b.n == 0 || memcmp(b.p, strings[i].says, b.n) == 0));
		buf_done(&b);
	}
}

static void
is_compares_what_a_string_says(void)
{
	for (size_t i = 0; i < N_OF(strings); i++)
		for (size_t k = 0; k < N_OF(strings); k++) {
			size_t n = strlen(strings[k].says);
			struct json_scan s;

			json_begin(&s, span_str(strings[i].text));
			json_next(&s);
			CU_ASSERT_EQUAL(json_is(&s, strings[k].says),
			    n == strings[i].n && memcmp(strings[i].says, strings[k].says, n) == 0);
		}
}

static void
is_sees_a_beginning_and_a_longer_one(void)
{
	static const char *const others[] = { "", "i", "idx", "Id", "xd" };
	static const char *const texts[] = { "\"id\"", "\"\\u0069d\"", "\"i\\u0064\"" };

	for (size_t i = 0; i < N_OF(texts); i++) {
		struct json_scan s;

		json_begin(&s, span_str(texts[i]));
		json_next(&s);
		CU_ASSERT_TRUE(json_is(&s, "id"));
		for (size_t k = 0; k < N_OF(others); k++)
			CU_ASSERT_FALSE(json_is(&s, others[k]));
	}
}

static void
int_takes_what_fits_and_has_no_fraction(void)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "-1", true, -1 },
		{ "1234567890", true, 1234567890 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999999999", false, 0 },
		{ "1.0", false, 0 },
		{ "1e2", false, 0 },
		{ "1E2", false, 0 }
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_scan s;
		int64_t v = 0;

		json_begin(&s, span_str(rows[i].text));
		CU_ASSERT_EQUAL(json_next(&s), JSON_NUMBER);
		CU_ASSERT_EQUAL(json_int(&s, &v), rows[i].ok);
		CU_ASSERT_EQUAL(v, rows[i].v);
	}
}

static void
double_is_the_nearest(void)
{
	static const struct {
		const char *text;
		double v;
	} rows[] = {
		{ "0", 0 }, { "-2.5", -2.5 }, { "1e2", 100 }, { "0.1", 0.1 },
		{ "9007199254740993", 9007199254740992 }, { "1e999", HUGE_VAL }, { "-1e999", -HUGE_VAL },
		{ "1e-999", 0 }, { "4.9e-324", 4.9e-324 }
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_scan s;

		json_begin(&s, span_str(rows[i].text));
		json_next(&s);
		CU_ASSERT(json_double(&s) == rows[i].v);
	}
}

static void
a_number_has_at_most_a_thousand_digits(void)
{
	static const struct {
		const char *before, *behind; /* of a run of digits */
		int others;                  /* digits in these that count */
		double v;
	} rows[] = {
		{ "", "", 0, HUGE_VAL }, { "-", "", 0, -HUGE_VAL }, { "0.", "", 0, 0.55555555555555558 },
		{ "1.", "", 1, 1.5555555555555556 }, { "-1.", "e+0", 2, -1.5555555555555556 },
		{ "-0.", "E-0", 1, -0.55555555555555558 }, { "", ".5e-5", 2, HUGE_VAL }, { "-0.0e-", "", 1, -0.0 }
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		for (int more = 0; more < 2; more++) {
			struct buf b = { 0 };
			struct json_scan s;

			buf_printf(&b, "[%s", rows[i].before);
			for (int n = rows[i].others; n < JSON_NUMBER_MAX + more; n++)
				buf_u8(&b, '5');
			buf_printf(&b, "%s]", rows[i].behind);
			json_begin(&s, buf_bytes(&b));
			json_next(&s);
			CU_ASSERT_EQUAL(json_next(&s), more ? JSON_BROKEN : JSON_NUMBER);
			CU_ASSERT(more ? strcmp(s.why, "a number is too long") == 0 : json_double(&s) == rows[i].v);
			json_begin(&s, buf_bytes(&b));
			CU_ASSERT_EQUAL(json_skip(&s).p == NULL, more == 1);
			buf_done(&b);
		}
}

static void
skip_gives_a_value_as_it_was_sent(void)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "1", "1" },
		{ " true\n", "true" },
		{ " \"a\\n\" ", "\"a\\n\"" },
		{ " [ 1 , [ ] ] ", "[ 1 , [ ] ]" },
		{ "{\"a\" : {}} ", "{\"a\" : {}}" },
		{ "{\"]}\":\"]}\\\"\"}", "{\"]}\":\"]}\\\"\"}" },
		{ "[1,2", NULL },
		{ "[1,2}", NULL },
		{ "]", NULL }
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		for (int begun = 0; begun < 2; begun++) {
			struct json_scan s;

			json_begin(&s, span_str(rows[i].text));
			if (begun)
				json_next(&s);
			CU_ASSERT(span_is(json_skip(&s), rows[i].value));
			CU_ASSERT_EQUAL(json_next(&s), rows[i].value == NULL ? JSON_BROKEN : JSON_END);
		}
}

static void
skip_works_for_members_and_values_of_arrays(void)
{
	struct json_scan s;

	json_begin(&s, span_str("{\"a\": [1, {}] ,\"b\":2, \"c\":[[3] , \"x\" ,5,{\"y\":[]}]}"));
	json_next(&s);
	CU_ASSERT_EQUAL(json_next(&s), JSON_NAME);
	CU_ASSERT(span_is(json_skip(&s), "[1, {}]"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_NAME);
	CU_ASSERT(span_is(json_skip(&s), "2"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_NAME);
	CU_ASSERT_EQUAL(json_next(&s), JSON_ARRAY);
	/* Begun: its first token was given out. */
	CU_ASSERT_EQUAL(json_next(&s), JSON_ARRAY);
	CU_ASSERT(span_is(json_skip(&s), "[3]"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_STRING);
	CU_ASSERT(span_is(json_skip(&s), "\"x\""));
	CU_ASSERT_EQUAL(json_next(&s), JSON_NUMBER);
	CU_ASSERT(span_is(json_skip(&s), "5"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_OBJECT);
	CU_ASSERT(span_is(json_skip(&s), "{\"y\":[]}"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_ARRAY_END);
	CU_ASSERT_EQUAL(json_next(&s), JSON_OBJECT_END);
	CU_ASSERT_EQUAL(json_next(&s), JSON_END);
}

/* Behind an array's or object's end, the value to come is the next one. */
static void
skip_passes_over_the_value_behind_an_end(void)
{
	struct json_scan s;

	json_begin(&s, span_str("[[1],[2],{}, 3 ]"));
	for (int i = 0; i < 4; i++)
		json_next(&s);
	CU_ASSERT_EQUAL(s.token, JSON_ARRAY_END);
	CU_ASSERT(span_is(json_skip(&s), "[2]"));
	CU_ASSERT(span_is(json_skip(&s), "{}"));
	CU_ASSERT(span_is(json_skip(&s), "3"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_ARRAY_END);
}

static void
skip_where_no_value_can_be_is_a_mistake(void)
{
	struct json_scan s;

	json_begin(&s, span_str("[{\"a\":{}},1]"));
	for (int i = 0; i < 5; i++)
		json_next(&s);
	CU_ASSERT_EQUAL(s.token, JSON_OBJECT_END);
	CU_ASSERT_PTR_NULL(json_skip(&s).p);
	CU_ASSERT_EQUAL(s.token, JSON_BROKEN);
}

/* `depth` arrays or objects in each other; owned by the buffer. */
static void
nest(struct buf *b, size_t depth, bool objects)
{
	buf_reset(b);
	for (size_t i = 0; i < depth; i++)
		buf_span(b, span_str(objects ? "{\"a\":" : "["));
	buf_span(b, span_str(objects ? "1" : ""));
	for (size_t i = 0; i < depth; i++)
		buf_u8(b, objects ? '}' : ']');
}

static void
depth_is_bounded(void)
{
	struct buf b = { 0 };
	struct json_scan s;

	for (int objects = 0; objects < 2; objects++) {
		nest(&b, JSON_DEPTH_MAX, objects);
		json_begin(&s, buf_bytes(&b));
		CU_ASSERT_EQUAL(json_skip(&s).n, b.n);
		nest(&b, JSON_DEPTH_MAX + 1, objects);
		json_begin(&s, buf_bytes(&b));
		CU_ASSERT_PTR_NULL(json_skip(&s).p);
		CU_ASSERT_STRING_EQUAL(s.why, "arrays and objects lie too deep in each other");
		nest(&b, 1000000, objects);
		json_begin(&s, buf_bytes(&b));
		while (json_next(&s) != JSON_BROKEN)
			CU_ASSERT_FATAL(s.token != JSON_END);
		CU_ASSERT_EQUAL(s.depth, JSON_DEPTH_MAX);
	}
	buf_done(&b);
}

/* Arrays and objects in turn: each level remembers what it is. */
static void
levels_do_not_disturb_each_other(void)
{
	struct buf b = { 0 };
	struct json_scan s;

	for (int i = 0; i < JSON_DEPTH_MAX / 2; i++)
		buf_span(&b, span_str("[[1],{\"a\":{},\"b\":"));
	buf_u8(&b, '0');
	for (int i = 0; i < JSON_DEPTH_MAX / 2; i++)
		buf_span(&b, span_str(",\"c\":[{}]},2]"));
	json_begin(&s, buf_bytes(&b));
	CU_ASSERT_PTR_NULL(json_skip(&s).p); /* one too deep: the {} inside of the innermost */
	b.n = 0;
	for (int i = 0; i < JSON_DEPTH_MAX / 2 - 1; i++)
		buf_span(&b, span_str("[[1],{\"a\":{},\"b\":"));
	buf_u8(&b, '0');
	for (int i = 0; i < JSON_DEPTH_MAX / 2 - 1; i++)
		buf_span(&b, span_str(",\"c\":[{}]},2]"));
	json_begin(&s, buf_bytes(&b));
	CU_ASSERT_EQUAL(json_skip(&s).n, b.n);
	buf_done(&b);
}

/* Texts with comments: their tokens, or where they break. */
static void
comments_are_white_space_where_they_are_taken(void)
{
	static const struct {
		const char *text, *letters;
		int at; /* where it is not: from 0 */
		const char *why;
	} rows[] = {
		{ "/**/1", "1$", 0, NULL },
		{ "//\n1//", "1$", 0, NULL },
		{ "// a\r1 // b", "1$", 0, NULL },
		{ " /***/ /* * / // */ // /* \n 1 /*\t\r\n\xc3\xa4\x7f*/ ", "1$", 0, NULL },
		{ "/*a*/{/*b*/\"c\"/*d*/:/*e*/1/*f*/,/*g*/\"h\":[/*i*/2/*j*/,/*k*/3/*l*/]/*m*/}/*n*/", "{:1:[11]}$", 0, NULL },
		{ "{//}\n}", "{}$", 0, NULL },
		{ "[//]\n]", "[]$", 0, NULL },
		{ "{\"/*a*/\":\"//\"}", "{:s}$", 0, NULL },
		{ "[true/**/,false//\n,null/**/]", "[tfn]$", 0, NULL },
		{ "/*", "!", 0, "a slash begins no comment, or one that does not end" },
		{ "[ /*/ ]", "[!", 2, "a slash begins no comment, or one that does not end" },
		{ "[1/]", "[1!", 2, "a slash begins no comment, or one that does not end" },
		{ "[1/**/2]", "[1!", 6, "a comma or ] was expected" },
		{ "/", "!", 0, "a slash begins no comment, or one that does not end" },
		{ "/*\f*/1", "!", 0, "a slash begins no comment, or one that does not end" },
		{ "//\x1f\n1", "!", 0, "a slash begins no comment, or one that does not end" },
		{ "// 1", "!", 4, "the text ends too early" },
		{ "[// 1]", "[!", 6, "the text ends too early" },
		{ "1.//\n5", "!", 2, "a digit was expected" },
		{ "tr/**/ue", "!", 0, "a value was expected" },
		{ "1 /**/ 2", "1!", 7, "something follows the value" },
		{ "# a\n1", "!", 0, "a value was expected" }
	};
	char letters[40];

	for (size_t i = 0; i < N_OF(rows); i++) {
		size_t n = strlen(rows[i].text);
		uint8_t *text = exact_copy(span_of(rows[i].text, n));
		struct json_scan s;

		json_begin(&s, span_of(text, n));
		s.comments = true;
		letters_from(&s, letters, sizeof letters);
		CU_ASSERT_STRING_EQUAL(letters, rows[i].letters);
		if (rows[i].why != NULL) {
			CU_ASSERT_EQUAL(s.at - s.begin, rows[i].at);
			CU_ASSERT_STRING_EQUAL(s.why, rows[i].why);
		}
		json_begin(&s, span_of(text, n));
		s.comments = true;
		json_skip(&s);
		CU_ASSERT_EQUAL(json_next(&s), rows[i].why == NULL ? JSON_END : JSON_BROKEN);
		free(text);
	}
}

static void
white_space_alone_is_blank(void)
{
	static const struct {
		const char *text;
		bool blank, blank_with_comments;
	} rows[] = {
		{ "", true, true }, { " \t\r\n", true, true }, { "//", false, true }, { " /**/ ", false, true },
		{ "/* ", false, false }, { "0", false, false }, { "/**/ {", false, false }, { "\v", false, false }
	};

	CU_ASSERT(json_is_blank(span_of(NULL, 0), false));
	for (size_t i = 0; i < N_OF(rows); i++) {
		CU_ASSERT_EQUAL(json_is_blank(span_str(rows[i].text), false), rows[i].blank);
		CU_ASSERT_EQUAL(json_is_blank(span_str(rows[i].text), true), rows[i].blank_with_comments);
	}
}

static void
comments_are_not_taken_unasked(void)
{
	static const char *const texts[] = { "/**/1", "1//", "{/**/}", "[1/**/]", "[1,//\n2]", "{\"a\"/**/:1}" };

	for (size_t i = 0; i < N_OF(texts); i++) {
		struct json_scan s;

		json_begin(&s, span_str(texts[i]));
		json_skip(&s);
		CU_ASSERT_EQUAL(json_next(&s), JSON_BROKEN);
		CU_ASSERT_PTR_NULL(strstr(s.why, "comment"));
	}
}

static const char sample[] =
    " { \"name\" : \"caf\xc3\xa9 \\u00e9\\ud83d\\ude00 long enough for words of eight\","
    " \"n\":[ 1,-2.5e+10 ,true,false,null, \"\", {} , []], \"in\" : {\"a\":{\"b\":[[\"\xe2\x82\xac\xf0\x9f\x98\x80\\\\\"]]}}}";

static void
every_prefix_is_broken(void)
{
	for (size_t n = 0; n < sizeof sample - 1; n++) {
		uint8_t *text = exact_copy(span_of(sample, n));
		struct json_scan s;

		json_begin(&s, span_of(text, n));
		while (json_next(&s) != JSON_BROKEN)
			CU_ASSERT_FATAL(s.token != JSON_END);
		CU_ASSERT(s.at <= text + n);
		json_begin(&s, span_of(text, n));
		CU_ASSERT_PTR_NULL(json_skip(&s).p);
		free(text);
	}
}

/* What becomes of a text when bytes of it change is the same for next and skip. */
static void
next_and_skip_agree_about_damaged_texts(void)
{
	static const char likely[] = "{}[],:\"\\0 -.eu\x80\xc3";
	uint64_t seed = 7;
	int good = 0;

	for (int k = 0; k < 20000; k++) {
		uint8_t *text = exact_copy(span_of(sample, sizeof sample - 1));
		struct span all = span_of(text, sizeof sample - 1);
		struct json_scan a, b;

		for (size_t n = random_below(&seed, 3) + 1; n > 0; n--)
			text[random_below(&seed, all.n)] = (uint8_t)likely[random_below(&seed, sizeof likely - 1)];
		json_begin(&a, all);
		while (json_next(&a) != JSON_BROKEN && a.token != JSON_END)
			;
		json_begin(&b, all);
		json_skip(&b);
		json_next(&b);
		CU_ASSERT(a.token == b.token && a.at == b.at && a.why == b.why);
		good += a.token == JSON_END;
		free(text);
	}
	CU_ASSERT(good > 100 && good < 19900);
}

/* Each byte, at each place of a run of plain ones. */
static void
a_byte_means_the_same_wherever_it_lies(void)
{
	for (size_t n = 0; n < 20; n++)
		for (size_t at = 0; at <= n; at++)
			for (int c = 0; c < 256; c++) {
				uint8_t text[24];
				struct json_scan s;

				memset(text, 'x', sizeof text);
				text[0] = text[n + 2] = '"';
				text[at + 1] = (uint8_t)c;
				json_begin(&s, span_of(text, n + 3));
				json_next(&s);
				CU_ASSERT_EQUAL(s.token == JSON_BROKEN, c < 0x20 || c >= 0x80 || c == '\\');
				CU_ASSERT_EQUAL(s.text.n, s.token == JSON_BROKEN ? 0 : c == '"' ? at : n + 1);
			}
}

/* As UTF-8 would write any number, whether it may or not. */
static size_t
encode(uint32_t c, uint8_t *to)
{
	static const uint8_t leads[] = { 0, 0xc0, 0xe0, 0xf0 };
	int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	to[0] = (uint8_t)(leads[more] | c >> 6 * more);
	for (int i = 1; i <= more; i++)
		to[i] = (uint8_t)(0x80 | (c >> 6 * (more - i) & 0x3f));
	return (size_t)more + 1;
}

static void
all_characters_but_surrogates_are_utf8(void)
{
	for (uint32_t c = 0x80; c < 0x200000; c += c < 0x11000 ? 1 : 61) {
		uint8_t text[6] = { '"' };
		size_t n = encode(c, text + 1);
		struct json_scan s;

		text[n + 1] = '"';
		json_begin(&s, span_of(text, n + 2));
		CU_ASSERT_EQUAL(json_next(&s) == JSON_STRING, (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff);
	}
}

static void
place_counts_lines_and_columns(void)
{
	static const struct {
		const char *text;
		int line, column;
	} rows[] = {
		{ "x", 1, 1 }, { "  x", 1, 3 }, { "\nx", 2, 1 }, { "[1,\n 2,\n x]", 3, 2 }, { "[\r\n\r\n1 2]", 3, 3 },
		{ "", 1, 1 }, { "\n\n", 3, 1 }, { "[\"\n\"]", 1, 3 }
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_scan s;
		int line, column;

		json_begin(&s, span_str(rows[i].text));
		json_skip(&s);
		CU_ASSERT_EQUAL(s.token, JSON_BROKEN);
		json_place(&s, &line, &column);
		CU_ASSERT_EQUAL(line, rows[i].line);
		CU_ASSERT_EQUAL(column, rows[i].column);
	}
}

const struct unit_test scan_tests[] = {
	UNIT(tokens_come_in_order),
	UNIT(texts_lie_where_they_were_written),
	UNIT(broken_stays_broken),
	UNIT(the_end_stays_the_end),
	UNIT(text_takes_escapes_out),
	UNIT(is_compares_what_a_string_says),
	UNIT(is_sees_a_beginning_and_a_longer_one),
	UNIT(int_takes_what_fits_and_has_no_fraction),
	UNIT(double_is_the_nearest),
	UNIT(a_number_has_at_most_a_thousand_digits),
	UNIT(skip_gives_a_value_as_it_was_sent),
	UNIT(skip_works_for_members_and_values_of_arrays),
	UNIT(skip_passes_over_the_value_behind_an_end),
	UNIT(skip_where_no_value_can_be_is_a_mistake),
	UNIT(depth_is_bounded),
	UNIT(levels_do_not_disturb_each_other),
	UNIT(comments_are_white_space_where_they_are_taken),
	UNIT(white_space_alone_is_blank),
	UNIT(comments_are_not_taken_unasked),
	UNIT(every_prefix_is_broken),
	UNIT(next_and_skip_agree_about_damaged_texts),
	UNIT(a_byte_means_the_same_wherever_it_lies),
	UNIT(all_characters_but_surrogates_are_utf8),
	UNIT(place_counts_lines_and_columns),
	UNIT_END
};
