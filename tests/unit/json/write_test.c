/* write_test.c -- JSON text, put together in a buffer. */
#include "json/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/base/random.h"
#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static struct buf out;

/* What was written since the last call is this. */
static void
wrote(const char *expected)
{
	if (!span_is(buf_bytes(&out), expected) && !(out.n == 0 && *expected == '\0')) {
		printf("\nwrote %.*s\n not  %s\n", (int)out.n, (char *)out.p, expected);
		CU_FAIL("something else was written");
	}
	buf_done(&out);
}

static void
commas_come_by_themselves(void)
{
	struct json_out o = json_out(&out);

	json_open(&o, '{');
	json_key(&o, "a");
	json_put_int(&o, 7);
	json_key_span(&o, span_str("b\n"));
	json_open(&o, '[');
	json_put_null(&o);
	json_put_bool(&o, true);
	json_put_bool(&o, false);
	json_put_str(&o, "s");
	json_put_double(&o, 0.5);
	json_put_double(&o, NAN);
	json_put_base64(&o, span_str("weir"));
	json_put_raw(&o, span_str("[ 1 ]"));
	json_put_compact(&o, span_str("[ 1 ]"));
	json_open(&o, '[');
	json_close(&o, ']');
	json_open(&o, '{');
	json_close(&o, '}');
	json_close(&o, ']');
	json_key(&o, "c");
	json_open(&o, '{');
	json_key(&o, "d");
	json_put_null(&o);
	json_close(&o, '}');
	json_key(&o, "e");
	json_put_int(&o, 0);
	json_close(&o, '}');
	wrote("{\"a\":7,\"b\\n\":[null,true,false,\"s\",0.5,\"NaN\",\"d2Vpcg==\",[ 1 ],[1],[],{}],"
	    "\"c\":{\"d\":null},\"e\":0}");
}

static void
the_null_span_is_null(void)
{
	struct json_out o = json_out(&out);
	struct span none = span_of(NULL, 0);

	json_open(&o, '[');
	json_put_str(&o, NULL);
	json_put_span(&o, none);
	json_put_base64(&o, none);
	json_put_raw(&o, none);
	json_put_compact(&o, none);
	json_put_str(&o, "");
	json_put_base64(&o, span_str(""));
	json_close(&o, ']');
	wrote("[null,null,null,null,null,\"\",\"\"]");
}

static void
ints_reach_both_ends(void)
{
	struct json_out o = json_out(&out);

	json_open(&o, '[');
	json_put_int(&o, INT64_MIN);
	json_put_int(&o, -1);
	json_put_int(&o, INT64_MAX);
	json_close(&o, ']');
	wrote("[-9223372036854775808,-1,9223372036854775807]");
}

/* Every ASCII character, at every place of a run of others. */
static void
strings_have_the_escapes_that_are_needed(void)
{
	static const char *const short_ones[128] = { ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b",
		['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t" };

	for (int c = 0; c < 128; c++)
		for (int before = 0; before < 10; before++)
			for (int after = 0; after < 10; after++) {
				struct json_out o = json_out(&out);
				char text[24], as[8], expected[40];

				memset(text, 'x', sizeof text);
				text[before] = (char)c;
				snprintf(as, sizeof as, c < 0x20 ? "\\u%04X" : "%c", c);
				snprintf(expected, sizeof expected, "\"%.*s%s%.*s\"", before, "xxxxxxxxxx",
				    short_ones[c] != NULL ? short_ones[c] : as, after, "xxxxxxxxxx");
				json_put_span(&o, span_of(text, (size_t)(before + 1 + after)));
				wrote(expected);
			}
}

static void
what_is_no_utf8_becomes_a_replacement(void)
{
#define R "\xef\xbf\xbd"
	static const char *const rows[][2] = {
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ "\x80", "\"" R "\"" },
		{ "a\xff" "b", "\"a" R "b\"" },
		{ "\xc3", "\"" R "\"" },
		{ "\xc3(", "\"" R "(\"" },
		{ "\xe2\x82", "\"" R "\"" },
		{ "\xe2\x82\"", "\"" R "\\\"\"" },
		{ "\xf0\x9f\x98.", "\"" R ".\"" },
		{ "\xc0\x80", "\"" R R "\"" },
		{ "\xed\xa0\x80", "\"" R R R "\"" },
		{ "\xf4\x90\x80\x80", "\"" R R R R "\"" },
		{ "\xe2\x82\xc3\xa9", "\"" R "\xc3\xa9\"" },
		{ "plain, then \xfe and plain again", "\"plain, then " R " and plain again\"" }
	};
#undef R

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_out o = json_out(&out);

		json_put_str(&o, rows[i][0]);
		wrote(rows[i][1]);
	}
}

/* As OpenJDK 25 prints them. */
static void
doubles_are_written_as_java_does(void)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1.0, "1.0" },
		{ -1.0, "-1.0" },
		{ 10.0, "10.0" },
		{ 0.1, "0.1" },
		{ 0.5, "0.5" },
		{ 100.0, "100.0" },
		{ 123456.78, "123456.78" },
		{ 1234567.0, "1234567.0" },
		{ 9999999.0, "9999999.0" },
		{ 9999999.999999998, "9999999.999999998" },
		{ 10000000.0, "1.0E7" },
		{ 12345678.0, "1.2345678E7" },
		{ 1.5e300, "1.5E300" },
		{ -1.5e300, "-1.5E300" },
		{ 0.001, "0.001" },
		{ 0.0012, "0.0012" },
		{ 0.01, "0.01" },
		{ 0.0099, "0.0099" },
		{ 1.0e-4, "1.0E-4" },
		{ 0.00099999, "9.9999E-4" },
		{ 9.999999999999999e-4, "9.999999999999998E-4" },
		{ 1e21, "1.0E21" },
		{ 1e22, "1.0E22" },
		{ 1e23, "1.0E23" },
		{ 2e23, "2.0E23" },
		{ 8.41e21, "8.41E21" },
		{ 1.7976931348623157e308, "1.7976931348623157E308" },
		{ 2.2250738585072014e-308, "2.2250738585072014E-308" },
		{ 2.225073858507201e-308, "2.225073858507201E-308" },
		{ 4.9e-324, "4.9E-324" },
		{ 9.9e-324, "9.9E-324" },
		{ 1.5e-323, "1.5E-323" },
		{ 2e-323, "2.0E-323" },
		{ 1e-322, "9.9E-323" },
		{ 3.141592653589793, "3.141592653589793" },
		{ 2.718281828459045, "2.718281828459045" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ 0.1234567890123456789, "0.12345678901234568" },
		{ 5.684341886080801486968994140625E-14, "5.684341886080802E-14" },
		{ 9007199254740992.0, "9.007199254740992E15" },
		{ 9007199254740993.0, "9.007199254740992E15" },
		{ 4503599627370496.5, "4.503599627370496E15" },
		{ 1e15, "1.0E15" },
		{ 123456789012345680.0, "1.2345678901234568E17" },
		{ 1e-5, "1.0E-5" },
		{ 1.1, "1.1" },
		{ 33.0, "33.0" },
		{ 3.3e10, "3.3E10" },
		{ HUGE_VAL, "\"Infinity\"" },
		{ -HUGE_VAL, "\"-Infinity\"" },
		{ NAN, "\"NaN\"" }
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_out o = json_out(&out);

		json_put_double(&o, rows[i].v);
		wrote(rows[i].text);
	}
}

static void
doubles_read_back(void)
{
	uint64_t seed = 11;

	for (int k = 0; k < 20000; k++) {
		uint64_t bits = random_next(&seed) >> (k % 4 == 0 ? 12 : 0);
		struct json_out o = json_out(&out);
		char longest[40];
		double v;

		memcpy(&v, &bits, sizeof v);
		if (v - v != 0)
			continue;
		json_put_double(&o, v);
		buf_u8(&out, '\0');
		CU_ASSERT(strtod((char *)out.p, NULL) == v);
		CU_ASSERT((int)out.n - 1 <= snprintf(longest, sizeof longest, "%.16E", v) + 2);
		buf_done(&out);
	}
}

static void
compact_takes_out_blanks_and_nothing_else(void)
{
	static const char *const rows[][2] = {
		{ "1", "1" },
		{ " \t\r\n1 ", "1" },
		{ "\"\"", "\"\"" },
		{ "\" a b \"", "\" a b \"" },
		{ "{ \"a b\" : [ 1 , \" \\\" , \" ] }", "{\"a b\":[1,\" \\\" , \"]}" },
		{ "[ \"\\\\\" , \"\\\\\\\\ \" , \"\\\\\\\" \" ]", "[\"\\\\\",\"\\\\\\\\ \",\"\\\\\\\" \"]" },
		{ "[\"caf\xc3\xa9 \xe2\x82\xac\" ,\n\"\xf0\x9f\x98\x80 \\u0020\"]",
		    "[\"caf\xc3\xa9 \xe2\x82\xac\",\"\xf0\x9f\x98\x80 \\u0020\"]" },
		{ "[1.5e+3,\n\n\n   -2]", "[1.5e+3,-2]" },
		{ "{\"already\":[\"compact\",{\"and\":\"long enough to be passed by words\"},1234567890123]}",
		    "{\"already\":[\"compact\",{\"and\":\"long enough to be passed by words\"},1234567890123]}" }
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		for (int k = 0; k < 2; k++) {
			struct json_out o = json_out(&out);

			json_put_compact(&o, span_str(rows[i][k]));
			wrote(rows[i][1]);
		}
}

static void
base64_is_a_string(void)
{
	struct json_out o = json_out(&out);

	json_put_base64(&o, span_of("\xfb\xff\xfe", 3));
	wrote("\"+//+\"");
}

static void
empty_texts_are_no_members(void)
{
	struct json_out o = json_out(&out);

	json_open(&o, '{');
	json_put_member(&o, "a", span_str(""));
	json_put_member(&o, "b", span_str("x"));
	json_put_member(&o, "c", span_str(NULL));
	json_put_member(&o, "d", span_str("y"));
	json_close(&o, '}');
	wrote("{\"b\":\"x\",\"d\":\"y\"}");
}

const struct unit_test write_tests[] = {
	UNIT(commas_come_by_themselves),
	UNIT(the_null_span_is_null),
	UNIT(ints_reach_both_ends),
	UNIT(strings_have_the_escapes_that_are_needed),
	UNIT(what_is_no_utf8_becomes_a_replacement),
	UNIT(doubles_are_written_as_java_does),
	UNIT(doubles_read_back),
	UNIT(compact_takes_out_blanks_and_nothing_else),
	UNIT(base64_is_a_string),
	UNIT(empty_texts_are_no_members),
	UNIT_END
};
