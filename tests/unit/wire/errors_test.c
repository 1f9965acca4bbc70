/* errors_test.c -- the table of error codes is whole and says what clients expect. */
#include <string.h>

#include "unit/unit.h"
#include "wire/errors.h"

static void
every_code_has_a_name_and_a_text(void)
{
	int code;

	for (code = KAFKA_ERROR_MIN; code <= KAFKA_ERROR_MAX; code++) {
		CU_ASSERT_FATAL(kafka_error_name(code) != NULL);
		CU_ASSERT(strlen(kafka_error_name(code)) > 0);
		CU_ASSERT(strlen(kafka_error_text(code)) > 0);
	}
	CU_ASSERT(code == 134);
}

static void
names_lead_back_to_their_codes(void)
{
	int code;
	int16_t found;

	for (code = KAFKA_ERROR_MIN; code <= KAFKA_ERROR_MAX; code++)
		CU_ASSERT(kafka_error_find(span_str(kafka_error_name(code)),
		    &found) && found == code);
	CU_ASSERT(!kafka_error_find(span_str("NO_SUCH_ERROR"), &found));
}

static void
known_codes_are_as_kafka_numbers_them(void)
{
	CU_ASSERT_STRING_EQUAL(kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(0), "NONE");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(35), "UNSUPPORTED_VERSION");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(79), "MEMBER_ID_REQUIRED");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(100), "UNKNOWN_TOPIC_ID");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(133),
	    "SHARE_SESSION_LIMIT_REACHED");
}

static void
codes_outside_the_table_are_answered(void)
{
	CU_ASSERT_STRING_EQUAL(kafka_error_name(134), "UNKNOWN_CODE");
	CU_ASSERT_STRING_EQUAL(kafka_error_name(-2), "UNKNOWN_CODE");
	CU_ASSERT(kafka_error_text(-32768) != NULL);
	CU_ASSERT(!kafka_error_retriable(32767));
}

/* The codes that the Java client retries. */
static void
retriable_codes_are_those_that_clients_retry(void)
{
	static const int retriable[] = { 2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19,
		20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100,
		103, 106, 122, 123, 133 };
	size_t next = 0;
	int code;

	for (code = KAFKA_ERROR_MIN; code <= KAFKA_ERROR_MAX; code++)
		if (next < sizeof retriable / sizeof *retriable &&
		    retriable[next] == code) {
			CU_ASSERT(kafka_error_retriable(code));
			next++;
		} else
			CU_ASSERT(!kafka_error_retriable(code));
	CU_ASSERT(next == sizeof retriable / sizeof *retriable);
}

const struct unit_test errors_tests[];
const struct unit_test errors_tests[] = {
	UNIT(every_code_has_a_name_and_a_text),
	UNIT(names_lead_back_to_their_codes),
	UNIT(known_codes_are_as_kafka_numbers_them),
	UNIT(codes_outside_the_table_are_answered),
	UNIT(retriable_codes_are_those_that_clients_retry),
	UNIT_END,
};
