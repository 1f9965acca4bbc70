/* error_test.c -- librdkafka's errors as libweir tells them. */
#include "libweir/error.h"

#include <string.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static void
codes_have_kinds(void)
{
	static const struct {
		rd_kafka_resp_err_t code;
		enum weir_kind kind;
		int kafka;
	} rows[] = {
		{ RD_KAFKA_RESP_ERR_NO_ERROR, WEIR_OK, 0 },
		{ RD_KAFKA_RESP_ERR_UNKNOWN, WEIR_INVALID, 0 },
		{ RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, WEIR_UNAUTHENTICATED, 58 },
		{ RD_KAFKA_RESP_ERR__AUTHENTICATION, WEIR_UNAUTHENTICATED, 0 },
		{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, 29 },
		{ RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, 30 },
		{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, 31 },
		{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, WEIR_UNKNOWN_TOPIC, 3 },
		{ RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, WEIR_UNKNOWN_TOPIC, 0 },
		{ RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, WEIR_UNKNOWN_PARTITION, 0 },
		{ RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, WEIR_TOPIC_EXISTS, 36 },
		{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, WEIR_INVALID, 17 },
		{ RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, WEIR_INVALID, 38 },
		{ RD_KAFKA_RESP_ERR_SECURITY_DISABLED, WEIR_INVALID, 54 },
		{ RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, WEIR_INVALID, 12 },
		{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, WEIR_TOO_LARGE, 10 },
		{ RD_KAFKA_RESP_ERR__STATE, WEIR_ILLEGAL_STATE, 0 },
		{ RD_KAFKA_RESP_ERR__QUEUE_FULL, WEIR_FULL, 0 },
		{ RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, WEIR_TIMEOUT, 0 },
		{ RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, WEIR_TIMEOUT, 0 },
		{ RD_KAFKA_RESP_ERR__PURGE_QUEUE, WEIR_RETRIABLE, 0 },
		{ RD_KAFKA_RESP_ERR__FATAL, WEIR_RETRIABLE, 0 },
		{ RD_KAFKA_RESP_ERR__TRANSPORT, WEIR_RETRIABLE, 0 },
		{ RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, WEIR_RETRIABLE, 6 },
		{ RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, WEIR_RETRIABLE, 27 },
		{ RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, WEIR_FAILED, 32 },
		{ RD_KAFKA_RESP_ERR__BAD_MSG, WEIR_FAILED, 0 },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct weir_error e = { .kind = WEIR_NO_MEMORY, .code = 99, .text = "before" };

		error_set(&e, rows[i].code, NULL);
		CU_ASSERT_EQUAL(e.kind, rows[i].kind);
		CU_ASSERT_EQUAL(e.code, rows[i].kafka);
		CU_ASSERT_EQUAL(e.text[0] == '\0', rows[i].kind == WEIR_OK);
	}
}

static void
texts_are_those_that_clients_match_on(void)
{
	static const char none[] = "This server does not host this topic-partition.";
	struct weir_error e;

	error_set(&e, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "the broker's own words");
	CU_ASSERT_STRING_EQUAL(e.text, none);
	error_set(&e, RD_KAFKA_RESP_ERR_INVALID_CONFIG, "the broker's own words");
	CU_ASSERT_STRING_EQUAL(e.text, "the broker's own words");
	error_set(&e, RD_KAFKA_RESP_ERR_INVALID_CONFIG, NULL);
	CU_ASSERT_STRING_EQUAL(e.text, rd_kafka_err2str(RD_KAFKA_RESP_ERR_INVALID_CONFIG));
}

static void
a_text_is_one_line_and_has_an_end(void)
{
	char large[1000];
	struct weir_error e;

	memset(large, '\n', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	error_set(&e, RD_KAFKA_RESP_ERR_INVALID_CONFIG, large);
	CU_ASSERT_EQUAL(strlen(e.text), sizeof e.text - 1);
	CU_ASSERT_EQUAL(strspn(e.text, " "), sizeof e.text - 1);
	error_say(&e, WEIR_FAILED, "a%sb\tc%d", "\r\n", 7);
	CU_ASSERT_STRING_EQUAL(e.text, "a  b c7");
	CU_ASSERT(e.kind == WEIR_FAILED && e.code == 0);
}

static void
a_wrong_setting_is_told_in_librdkafkas_words(void)
{
	static const struct weir_setting rows[] = {
		{ "no.such.setting", "1" }, { "acks", "many" }, { "retry.backoff.ms", "soon" }, { "security.protocol", "carrier-pigeon" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct weir_error e;

		CU_ASSERT_PTR_NULL(client_new(RD_KAFKA_PRODUCER, NULL, 0, &rows[i], 1, NULL, NULL, &e));
		CU_ASSERT_EQUAL(e.kind, WEIR_INVALID);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].key));
	}
}

static void
the_users_settings_go_before_ours(void)
{
	static const struct weir_setting ours = { "client.id", "ours" }, theirs = { "client.id", "theirs" };
	struct weir_error e;
	rd_kafka_t *rk = client_new(RD_KAFKA_PRODUCER, &ours, 1, &theirs, 1, NULL, NULL, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(rk);
	CU_ASSERT_EQUAL(strncmp(rd_kafka_name(rk), "theirs#", 7), 0);
	CU_ASSERT_EQUAL(e.kind, WEIR_OK);
	rd_kafka_destroy(rk);
}

const struct unit_test error_tests[] = {
	UNIT(codes_have_kinds),
	UNIT(texts_are_those_that_clients_match_on),
	UNIT(a_text_is_one_line_and_has_an_end),
	UNIT(a_wrong_setting_is_told_in_librdkafkas_words),
	UNIT(the_users_settings_go_before_ours),
	UNIT_END
};
