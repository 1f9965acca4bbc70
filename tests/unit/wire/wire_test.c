/* wire_test.c -- the walker: what it refuses, and what it borrows. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"
#include "unit/wire/help.h"
#include "wire/errors.h"
#include "wire/kafka_wire.h"

/* Decodes hex; the error, or NULL when it is taken. */
static const char *
refusal(const char *message, int version, const char *hex)
{
	struct arena arena;
	const char *error;

	arena_init(&arena, 1 << 20);
	help_decode(&arena, help_message(message), version,
	    help_hex(&arena, hex), &error);
	arena_done(&arena);
	return error;
}

#define REFUSED(message, version, hex, why) \
	do { \
		const char *error_ = refusal(message, version, hex); \
		CU_ASSERT_FATAL(error_ != NULL); \
		CU_ASSERT_STRING_EQUAL(error_, why); \
	} while (0)
#define TAKEN(message, version, hex) \
	CU_ASSERT(refusal(message, version, hex) == NULL)

#define TOO_SHORT "ends too early"
#define BAD_COUNT "counts more elements than there are bytes for"
#define BAD_NULL "is null, which this version does not allow"
#define BAD_VARINT "has a varint of more than 32 bits"
#define BAD_TAGS "is followed by tags that do not rise"

static void
decode_refuses_counts_that_cannot_be(void)
{
	REFUSED("metadata_request", 1, "7fffffff", BAD_COUNT);
	REFUSED("metadata_request", 1, "00000002 0001 61", BAD_COUNT);
	REFUSED("metadata_request", 1, "00000002 0001 61 00", TOO_SHORT);
	REFUSED("metadata_request", 9, "ff ff ff ff 0f 01", BAD_COUNT);
	REFUSED("describe_groups_request", 0, "00000004 0000 0000 0000",
	    BAD_COUNT);
	REFUSED("describe_log_dirs_request", 0, "00000001 0001 74 00000002"
	    "00000000 000000", BAD_COUNT);
}

static void
decode_refuses_negative_lengths(void)
{
	REFUSED("metadata_request", 1, "fffffffe", "has a negative length");
	REFUSED("find_coordinator_request", 0, "8000",
	    "has a negative length");
	REFUSED("sync_group_response", 0, "0000 80000000",
	    "has a negative length");
}

static void
decode_refuses_null_where_there_is_none(void)
{
	REFUSED("metadata_request", 0, "ffffffff", BAD_NULL);
	REFUSED("find_coordinator_request", 0, "ffff", BAD_NULL);
	REFUSED("find_coordinator_request", 3, "00 00 00", BAD_NULL);
	REFUSED("metadata_response", 9, "00000000 01 00 ffffffff"
	    "02 0000 00 00 01 80000000 00 80000000 00", BAD_NULL);
	/* An element is not null where the array may be. */
	REFUSED("describe_configs_request", 1, "00000001 02 0001 74"
	    "00000001 ffff 00", BAD_NULL);
	TAKEN("describe_configs_request", 1, "00000001 02 0001 74"
	    "ffffffff 00");
}

static void
decode_ignores_what_follows_a_message(void)
{
	TAKEN("find_coordinator_request", 0, "0001 67 00");
	TAKEN("api_versions_request", 0, "00");
	TAKEN("api_versions_request", 3, "01 01 00 00");
}

static void
decode_refuses_long_varints(void)
{
	REFUSED("api_versions_request", 3, "ff ff ff ff 1f", BAD_VARINT);
	REFUSED("api_versions_request", 3, "80 80 80 80 80 01", BAD_VARINT);
	REFUSED("api_versions_request", 3, "ff ff ff ff", TOO_SHORT);
	/* Five bytes are taken, padding too. */
	TAKEN("api_versions_request", 3, "81 80 80 80 00 01 00");
}

static void
decode_skips_unknown_tags(void)
{
	TAKEN("api_versions_request", 3, "01 01 02 05 03 aabbcc 07 00");
	REFUSED("api_versions_request", 3, "01 01 01 05 03 aabb",
	    "is followed by a tag that ends too early");
	REFUSED("api_versions_request", 3, "01 01 05 05 00", TOO_SHORT);
	/* Tag 1 of the request is known since v15 only. */
	TAKEN("fetch_request", 12, "ffffffff 00000000 00000000 00000000 00"
	    "00000000 ffffffff 01 01 01 01 01 02 aabb");
}

static void
decode_refuses_tags_that_do_not_rise(void)
{
	REFUSED("api_versions_request", 3, "01 01 02 05 00 05 00", BAD_TAGS);
	REFUSED("api_versions_request", 3, "01 01 02 05 00 04 00", BAD_TAGS);
	REFUSED("api_versions_response", 3, "0000 01 00000000"
	    "02 01 08 0000000000000001 01 08 0000000000000001", BAD_TAGS);
}

static void
decode_wants_known_tags_to_fill_their_size(void)
{
	TAKEN("api_versions_response", 3, "0000 01 00000000"
	    "01 01 08 0000000000000001");
	REFUSED("api_versions_response", 3, "0000 01 00000000"
	    "01 01 09 0000000000000001 00", "is shorter than its tag says");
	REFUSED("api_versions_response", 3, "0000 01 00000000"
	    "01 01 07 0000000000000001", TOO_SHORT);
	REFUSED("api_versions_response", 3, "0000 01 00000000"
	    "01 00 02 02 03 7476 0001 0001 00", BAD_COUNT);
}

static void
decode_refuses_strings_that_no_version_can_bear(void)
{
	struct wire_find_coordinator_request request;
	struct arena arena;
	struct wire_in in;
	struct span s;
	uint8_t *p;

	arena_init(&arena, 1 << 20);
	p = arena_alloc(&arena, 40000);
	memcpy(p, "\x80\x80\x02", 3); /* 32768 + 1 - 1 */
	p[0] = 0x81;
	wire_in_init(&in, span_of(p, 40000), &arena);
	CU_ASSERT(wire_find_coordinator_request_decode(&in, 3, &request) == -1);
	CU_ASSERT_STRING_EQUAL(in.error, "is a string of more than 32767 bytes");
	CU_ASSERT_STRING_EQUAL(in.field, "key");
	p[0] = 0x80;
	s = span_of(p, 3 + 32767 + 2);
	wire_in_init(&in, s, &arena);
	CU_ASSERT(wire_find_coordinator_request_decode(&in, 3, &request) == 0);
	CU_ASSERT(request.key.n == 32767 && request.key.p == p + 3);
	arena_done(&arena);
}

static void
decode_refuses_versions_outside_the_range(void)
{
	REFUSED("fetch_request", 3, "", "has no such version");
	REFUSED("fetch_request", 18, "", "has no such version");
	REFUSED("fetch_request", -1, "", "has no such version");
}

static void
decode_takes_no_bytes_at_all(void)
{
	struct wire_api_versions_request request;
	struct wire_in in;

	wire_in_init(&in, (struct span){ NULL, 0 }, NULL);
	CU_ASSERT(wire_api_versions_request_decode(&in, 0, &request) == 0);
	CU_ASSERT(span_is(request.client_software_name, ""));
	wire_in_init(&in, (struct span){ NULL, 0 }, NULL);
	CU_ASSERT(wire_api_versions_request_decode(&in, 3, &request) == -1);
}

static void
decode_stops_at_the_cap_of_its_arena(void)
{
	struct wire_describe_groups_request request;
	struct arena arena, small;
	struct wire_in in;
	uint8_t *p;

	/* 1,000 bytes that ask for 1,000 strings of 16 bytes in memory. */
	arena_init(&arena, 1 << 20);
	arena_init(&small, 8000);
	p = arena_alloc(&arena, 1004);
	memset(p, 1, 1004);
	p[0] = 0xe9; /* 1001 = 1000 + 1 */
	p[1] = 0x07;
	p[1003] = 0;
	wire_in_init(&in, span_of(p, 1004), &small);
	CU_ASSERT(wire_describe_groups_request_decode(&in, 5, &request) == -1);
	CU_ASSERT_STRING_EQUAL(in.error,
	    "needs more memory than a request may take");
	wire_in_init(&in, span_of(p, 1004), &arena);
	CU_ASSERT(wire_describe_groups_request_decode(&in, 5, &request) == 0);
	CU_ASSERT(request.n_groups == 1000);
	arena_done(&small);
	arena_done(&arena);
}

static void
absent_fields_get_their_defaults(void)
{
	struct wire_fetch_request request;
	struct arena arena;
	struct wire_in in;

	arena_init(&arena, 1 << 20);
	memset(&request, 0xa5, sizeof request);
	wire_in_init(&in, help_hex(&arena, "ffffffff 000001f4 00000001"
	    "00100000 00 00000001 0001 74"
	    "00000001 00000000 0000000000000007 00010000"), &arena);
	CU_ASSERT_FATAL(wire_fetch_request_decode(&in, 4, &request) == 0);
	CU_ASSERT(request.cluster_id.p == NULL);
	CU_ASSERT(request.replica_state.replica_id == -1);
	CU_ASSERT(request.replica_state.replica_epoch == -1);
	CU_ASSERT(request.session_id == 0 && request.session_epoch == -1);
	CU_ASSERT(request.n_forgotten_topics_data == 0);
	CU_ASSERT(request.forgotten_topics_data != NULL);
	CU_ASSERT(span_is(request.rack_id, ""));
	CU_ASSERT_FATAL(request.n_topics == 1);
	CU_ASSERT(span_is(request.topics[0].topic, "t"));
	CU_ASSERT_FATAL(request.topics[0].n_partitions == 1);
	CU_ASSERT(request.topics[0].partitions[0].current_leader_epoch == -1);
	CU_ASSERT(request.topics[0].partitions[0].fetch_offset == 7);
	CU_ASSERT(request.topics[0].partitions[0].log_start_offset == -1);
	arena_done(&arena);
}

static void
null_and_empty_arrays_are_told_apart(void)
{
	struct wire_metadata_request request;
	struct arena arena;
	struct wire_in in;

	arena_init(&arena, 1 << 20);
	wire_in_init(&in, help_hex(&arena, "ffffffff"), &arena);
	CU_ASSERT(wire_metadata_request_decode(&in, 1, &request) == 0);
	CU_ASSERT(request.topics == NULL && request.n_topics == 0);
	CU_ASSERT(request.allow_auto_topic_creation);
	wire_in_init(&in, help_hex(&arena, "00000000"), &arena);
	CU_ASSERT(wire_metadata_request_decode(&in, 1, &request) == 0);
	CU_ASSERT(request.topics != NULL && request.n_topics == 0);
	arena_done(&arena);
}

/* A fetch answer of one partition with records of `n` bytes. */
static void
encode_records(struct gather *out, uint8_t *bytes, size_t n)
{
	struct wire_fetch_response_partition partition;
	struct wire_fetch_response_topic topic;
	struct wire_fetch_response response;

	wire_fetch_response_partition_default(&partition);
	wire_fetch_response_topic_default(&topic);
	wire_fetch_response_default(&response);
	partition.records = span_of(bytes, n);
	topic.partitions = &partition;
	topic.n_partitions = 1;
	response.responses = &topic;
	response.n_responses = 1;
	gather_init(out);
	wire_fetch_response_encode(out, 12, &response);
}

static void
large_records_are_borrowed(void)
{
	struct wire_fetch_response response;
	uint8_t bytes[WIRE_COPY_MAX + 1];
	struct arena arena;
	struct gather out;
	struct wire_in in;

	memset(bytes, 7, sizeof bytes);
	encode_records(&out, bytes, WIRE_COPY_MAX);
	CU_ASSERT(out.n_slices == 0);
	gather_done(&out);

	encode_records(&out, bytes, WIRE_COPY_MAX + 1);
	CU_ASSERT_FATAL(out.n_slices == 1);
	CU_ASSERT(out.slices[0].bytes.p == bytes);
	CU_ASSERT(out.slices[0].bytes.n == WIRE_COPY_MAX + 1);
	CU_ASSERT(out.buf.n < 100);
	arena_init(&arena, 1 << 20);
	wire_in_init(&in, help_flat(&arena, &out), &arena);
	CU_ASSERT_FATAL(wire_fetch_response_decode(&in, 12, &response) == 0);
	CU_ASSERT(span_eq(response.responses[0].partitions[0].records,
	    span_of(bytes, sizeof bytes)));
	gather_done(&out);
	arena_done(&arena);
}

static void
strings_that_cannot_be_sent_fail_the_message(void)
{
	struct wire_find_coordinator_request request;
	static uint8_t bytes[40000];
	struct gather out;

	gather_init(&out);
	wire_find_coordinator_request_default(&request);
	request.key = span_of(bytes, 32767);
	wire_find_coordinator_request_encode(&out, 0, &request);
	CU_ASSERT(!out.buf.failed && out.buf.n == 2 + 32767);
	request.key = span_of(bytes, 32768);
	wire_find_coordinator_request_encode(&out, 3, &request);
	CU_ASSERT(out.buf.failed);
	gather_done(&out);
}

static void
values_that_the_version_lacks_are_left_out(void)
{
	struct wire_heartbeat_response response;
	struct gather out;

	wire_heartbeat_response_default(&response);
	response.throttle_time_ms = 5;
	response.error_code = KAFKA_UNKNOWN_MEMBER_ID;
	gather_init(&out);
	wire_heartbeat_response_encode(&out, 0, &response);
	UNIT_BYTES(out.buf.p, out.buf.n, "\0\x19", 2);
	gather_done(&out);
}

/* Whether `fn` ends its process by a broken invariant. */
static bool
aborts(void (*fn)(struct gather *))
{
	int status = 0;
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid != -1);
	if (pid == 0) {
		struct gather out;
		int null = open("/dev/null", O_WRONLY);

		if (null != -1)
			dup2(null, STDERR_FILENO);
		gather_init(&out);
		fn(&out);
		_exit(0);
	}
	CU_ASSERT_FATAL(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
send_null_key(struct gather *out)
{
	struct wire_find_coordinator_request request;

	wire_find_coordinator_request_default(&request);
	request.key = span_str(NULL);
	wire_find_coordinator_request_encode(out, 0, &request);
}

static void
send_keys_to_v3(struct gather *out)
{
	struct wire_find_coordinator_request request;
	struct span key = span_str("g");

	wire_find_coordinator_request_default(&request);
	request.coordinator_keys = &key;
	request.n_coordinator_keys = 1;
	wire_find_coordinator_request_encode(out, 3, &request);
}

static void
send_version_18(struct gather *out)
{
	struct wire_fetch_response response;

	wire_fetch_response_default(&response);
	wire_fetch_response_encode(out, 18, &response);
}

static void
mistakes_of_ours_end_the_process(void)
{
	CU_ASSERT(aborts(send_null_key));
	CU_ASSERT(aborts(send_keys_to_v3));
	CU_ASSERT(aborts(send_version_18));
}

static void
records_bear_their_version(void)
{
	struct wire_topic_record_config config = { span_str("k"),
		span_str("v") };
	struct wire_topic_record record = { .name = span_str("t"),
		.partitions = 3, .created_ms = 5, .configs = &config,
		.n_configs = 1 }, back;
	static const uint8_t want[] = { 0, 0, 2, 't', 0, 0, 0, 3,
		0, 0, 0, 0, 0, 0, 0, 5, 2, 2, 'k', 2, 'v', 0, 0 };
	struct arena arena;
	struct gather out;
	struct wire_in in;

	gather_init(&out);
	arena_init(&arena, 1 << 20);
	wire_topic_record_encode(&out, &record);
	UNIT_BYTES(out.buf.p, out.buf.n, want, sizeof want);
	wire_in_init(&in, buf_bytes(&out.buf), &arena);
	CU_ASSERT_FATAL(wire_topic_record_decode(&in, &back) == 0);
	CU_ASSERT(span_is(back.name, "t") && back.partitions == 3);
	CU_ASSERT(back.created_ms == 5 && back.n_configs == 1);
	CU_ASSERT(span_is(back.configs[0].value, "v"));

	out.buf.p[1] = 1;
	wire_in_init(&in, buf_bytes(&out.buf), &arena);
	CU_ASSERT(wire_topic_record_decode(&in, &back) == -1);
	CU_ASSERT_STRING_EQUAL(in.error, "has no such version");
	wire_in_init(&in, span_of("", 1), &arena);
	CU_ASSERT(wire_topic_record_decode(&in, &back) == -1);
	CU_ASSERT_STRING_EQUAL(in.error, TOO_SHORT);
	gather_done(&out);
	arena_done(&arena);
}

static void
headers_leave_the_body_to_be_read(void)
{
	struct wire_request_header header;
	struct wire_find_coordinator_request request;
	struct arena arena;
	struct wire_in in;

	arena_init(&arena, 1 << 20);
	wire_in_init(&in, help_hex(&arena,
	    "000a 0003 00000001 0001 63 00 02 67 00 00"), &arena);
	CU_ASSERT(wire_request_header_decode(&in, 2, &header) == 0);
	CU_ASSERT(header.request_api_key == WIRE_FIND_COORDINATOR);
	CU_ASSERT(wire_find_coordinator_request_decode(&in,
	    header.request_api_version, &request) == 0);
	CU_ASSERT(span_is(request.key, "g"));
	arena_done(&arena);
}

static void
header_versions_follow_the_api(void)
{
	const struct wire_api *fetch = wire_api_find(WIRE_FETCH);
	const struct wire_api *versions = wire_api_find(WIRE_API_VERSIONS);
	const struct wire_api *delete = wire_api_find(WIRE_OFFSET_DELETE);

	CU_ASSERT(wire_request_header_version(fetch, 11) == 1);
	CU_ASSERT(wire_request_header_version(fetch, 12) == 2);
	CU_ASSERT(wire_response_header_version(fetch, 11) == 0);
	CU_ASSERT(wire_response_header_version(fetch, 12) == 1);
	CU_ASSERT(wire_request_header_version(versions, 2) == 1);
	CU_ASSERT(wire_request_header_version(versions, 3) == 2);
	CU_ASSERT(wire_request_header_version(versions, 99) == 2);
	CU_ASSERT(wire_response_header_version(versions, 4) == 0);
	CU_ASSERT(wire_request_header_version(delete, 0) == 1);
	CU_ASSERT(wire_response_header_version(delete, 0) == 0);
}

static void
apis_are_found_by_key(void)
{
	size_t i;

	for (i = 0; i < wire_n_apis; i++)
		CU_ASSERT(wire_api_find(wire_apis[i].key) == &wire_apis[i]);
	CU_ASSERT(wire_api_find(7) == NULL);
	CU_ASSERT(wire_api_find(-1) == NULL);
	CU_ASSERT_STRING_EQUAL(wire_api_find(WIRE_FETCH)->name, "fetch");
	CU_ASSERT(wire_api_find(WIRE_FETCH)->min == 4);
	CU_ASSERT(wire_api_find(WIRE_FETCH)->max == 17);
	CU_ASSERT(wire_message_find(span_str("no_such_message")) == NULL);
}

const struct unit_test wire_tests[];
const struct unit_test wire_tests[] = {
	UNIT(decode_refuses_counts_that_cannot_be),
	UNIT(decode_refuses_negative_lengths),
	UNIT(decode_refuses_null_where_there_is_none),
	UNIT(decode_ignores_what_follows_a_message),
	UNIT(decode_refuses_long_varints),
	UNIT(decode_skips_unknown_tags),
	UNIT(decode_refuses_tags_that_do_not_rise),
	UNIT(decode_wants_known_tags_to_fill_their_size),
	UNIT(decode_refuses_strings_that_no_version_can_bear),
	UNIT(decode_refuses_versions_outside_the_range),
	UNIT(decode_takes_no_bytes_at_all),
	UNIT(decode_stops_at_the_cap_of_its_arena),
	UNIT(absent_fields_get_their_defaults),
	UNIT(null_and_empty_arrays_are_told_apart),
	UNIT(large_records_are_borrowed),
	UNIT(strings_that_cannot_be_sent_fail_the_message),
	UNIT(values_that_the_version_lacks_are_left_out),
	UNIT(mistakes_of_ours_end_the_process),
	UNIT(records_bear_their_version),
	UNIT(headers_leave_the_body_to_be_read),
	UNIT(header_versions_follow_the_api),
	UNIT(apis_are_found_by_key),
	UNIT_END,
};
