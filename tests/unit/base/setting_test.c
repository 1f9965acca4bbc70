/* setting_test.c -- text made a value, for each type. */
#include "base/setting.h"

#include <string.h>

#include "unit/unit.h"

struct values {
	bool yes;
	int32_t small;
	int64_t large;
	double part;
	const char *text;
	int choice;
	unsigned set;
};

#define ROW(type, field, min, max, choices) \
	{ "x", SETTING_##type, NULL, min, max, choices, offsetof(struct values, field), true, "" }

static const struct setting yes = ROW(BOOL, yes, 0, 0, NULL);
static const struct setting only_false = ROW(BOOL, yes, 0, 0, "false");
static const struct setting small = ROW(INT, small, -1, INT32_MAX, NULL);
static const struct setting level = ROW(INT, small, 1, 17, NULL);
static const struct setting large = ROW(LONG, large, -1, INT64_MAX, NULL);
static const struct setting part = ROW(DOUBLE, part, 0, 1, NULL);
static const struct setting text = ROW(STRING, text, 0, 0, NULL);
static const struct setting choice = ROW(ENUM, choice, 0, 0, "a bb ccc");
static const struct setting set = ROW(SET, set, 0, 0, "delete compact");

/* What the text becomes; in_why NULL: it is good. */
static void
check(const struct setting *s, const char *written, const char *in_why, struct values *v)
{
	char why[320] = "";
	int r = setting_store(s, span_str(written), v, why, sizeof why);

	if (in_why == NULL) {
		CU_ASSERT_EQUAL(r, 0);
		CU_ASSERT_STRING_EQUAL(why, "");
	} else {
		CU_ASSERT_EQUAL(r, -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, in_why));
	}
}

static void
good_text_of_each_type_is_stored(void)
{
	struct values v = { 0 };

	check(&yes, "TRUE", NULL, &v);
	CU_ASSERT_TRUE(v.yes);
	check(&yes, " false ", NULL, &v);
	CU_ASSERT_FALSE(v.yes);
	check(&small, "-1", NULL, &v);
	CU_ASSERT_EQUAL(v.small, -1);
	check(&small, "2147483647", NULL, &v);
	CU_ASSERT_EQUAL(v.small, INT32_MAX);
	check(&large, " 9223372036854775807\t", NULL, &v);
	CU_ASSERT_EQUAL(v.large, INT64_MAX);
	check(&part, "0.25", NULL, &v);
	CU_ASSERT_EQUAL(v.part, 0.25);
	check(&text, "a, b", NULL, &v);
	CU_ASSERT_STRING_EQUAL(v.text, "a, b");
	check(&choice, "ccc", NULL, &v);
	CU_ASSERT_EQUAL(v.choice, 2);
	check(&set, "compact, delete", NULL, &v);
	CU_ASSERT_EQUAL(v.set, 3);
	check(&set, "", NULL, &v);
	CU_ASSERT_EQUAL(v.set, 0);
}

static void
bad_text_is_refused_with_what_to_do(void)
{
	static const struct {
		const struct setting *setting;
		const char *written, *why;
	} cases[] = {
		{ &yes, "1", "write true or false" },
		{ &yes, "", "write true or false" },
		{ &only_false, "true", "only false is possible" },
		{ &small, "", "is not a whole number" },
		{ &small, "12a", "\"12a\" is not a whole number" },
		{ &small, "1.5", "is not a whole number" },
		{ &small, "0x10", "is not a whole number" },
		{ &small, "1 2", "is not a whole number" },
		{ &small, "2147483648", "is out of range: write one from -1 to 2147483647" },
		{ &small, "-2", "is out of range" },
		{ &level, "0", "write one from 1 to 17" },
		{ &level, "18", "write one from 1 to 17" },
		{ &large, "9223372036854775808", "is out of range: write one from -1 up" },
		{ &large, "99999999999999999999999999999999999999", "is not a whole number" },
		{ &part, "1.01", "is out of range" },
		{ &part, "nan", "is out of range" },
		{ &part, "half", "is not a number" },
		{ &choice, "b", "write one of these: a bb ccc" },
		{ &choice, "a bb", "write one of these" },
		{ &set, "delete,compat", "\"compat\" is not known here: write some of these" },
		{ &set, "delete,", "is not known here" },
	};
	struct values v;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(&v, 0x5a, sizeof v);
		check(cases[i].setting, cases[i].written, cases[i].why, &v);
		/* Nothing was stored. */
		CU_ASSERT_EQUAL(v.small, 0x5a5a5a5a);
		CU_ASSERT_EQUAL(v.set, 0x5a5a5a5a);
	}
}

static void
zero_bytes_are_refused(void)
{
	static const struct setting *const all[] = { &yes, &small, &large, &part, &text, &choice, &set };
	char why[320];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		CU_ASSERT_EQUAL(setting_store(all[i], span_of("1\0", 2), NULL, why, sizeof why), -1);
}

static void
long_text_is_cut_in_the_reason(void)
{
	char written[5000], why[64];

	memset(written, 'x', sizeof written - 1);
	written[sizeof written - 1] = '\0';
	CU_ASSERT_EQUAL(setting_store(&small, span_str(written), NULL, why, sizeof why), -1);
	CU_ASSERT_EQUAL(strlen(why), sizeof why - 1);
}

static void
distance_finds_near_names_only(void)
{
	CU_ASSERT_EQUAL(setting_distance("listeners", span_str("listeners")), 0);
	CU_ASSERT_EQUAL(setting_distance("listeners", span_str("listners")), 1);
	CU_ASSERT_EQUAL(setting_distance("listeners", span_str("Listeners")), 1);
	CU_ASSERT_EQUAL(setting_distance("log.retention.ms", span_str("retention.ms")), 4);
	CU_ASSERT_EQUAL(setting_distance("node.id", span_str("zookeeper.connect")), SIZE_MAX);
	CU_ASSERT_EQUAL(setting_distance("node.id", span_str("")), SIZE_MAX);
}

const struct unit_test setting_tests[] = {
	UNIT(good_text_of_each_type_is_stored),
	UNIT(bad_text_is_refused_with_what_to_do),
	UNIT(zero_bytes_are_refused),
	UNIT(long_text_is_cut_in_the_reason),
	UNIT(distance_finds_near_names_only),
	UNIT_END,
};
