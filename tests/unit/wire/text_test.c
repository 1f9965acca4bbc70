/* text_test.c -- messages as text: how they look, and what is refused. */
#include <string.h>

#include "unit/unit.h"
#include "unit/wire/help.h"
#include "wire/kafka_wire.h"
#include "wire/wire_text.h"

/* Parses; the error ("" when it is taken), arena. */
static const char *
parse_error(struct arena *arena, const char *message, int version,
    const char *text)
{
	const struct wire_message *m = help_message(message);
	void *to = arena_alloc(arena, m->body->size);
	struct wire_text t;
	int rc;

	wire_text_init(&t, span_str(text), arena);
	rc = wire_parse(&t, m, version, to);
	CU_ASSERT((rc == 0) == (t.error[0] == '\0'));
	return arena_copy(arena, t.error, strlen(t.error) + 1);
}

static void
expect(const char *message, int version, const char *text, const char *error)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CU_ASSERT_STRING_EQUAL(parse_error(&arena, message, version, text),
	    error);
	arena_done(&arena);
}

static void
a_message_prints_in_one_line(void)
{
	struct wire_metadata_request_topic topic = {
		.name = span_str("a\"b\\\n\x80") };
	struct wire_metadata_request request = { .topics = &topic,
		.n_topics = 1, .allow_auto_topic_creation = true };
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CU_ASSERT_STRING_EQUAL(
	    help_print(&arena, help_message("metadata_request"), 4, &request),
	    "{ topics [ { name \"a\\\"b\\\\\\x0a\\x80\" } ] "
	    "allow_auto_topic_creation true }");
	request.topics = NULL;
	request.n_topics = 0;
	CU_ASSERT_STRING_EQUAL(
	    help_print(&arena, help_message("metadata_request"), 1, &request),
	    "{ topics null }");
	CU_ASSERT_STRING_EQUAL(
	    help_print(&arena, help_message("metadata_request"), 0, &request),
	    "{ topics [ ] }");
	arena_done(&arena);
}

static void
codes_print_by_name(void)
{
	struct wire_heartbeat_response response = { .error_code = 27 };
	const struct wire_message *m = help_message("heartbeat_response");
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CU_ASSERT_STRING_EQUAL(help_print(&arena, m, 0, &response),
	    "{ error_code REBALANCE_IN_PROGRESS }");
	response.error_code = 999;
	CU_ASSERT_STRING_EQUAL(help_print(&arena, m, 0, &response),
	    "{ error_code 999 }");
	arena_done(&arena);
}

static void
what_is_not_mentioned_is_default(void)
{
	struct wire_fetch_request request;
	struct arena arena;
	struct wire_text t;

	arena_init(&arena, 1 << 20);
	wire_text_init(&t, span_str("{ topics [ { } ] } rest"), &arena);
	CU_ASSERT(wire_parse(&t, help_message("fetch_request"), 12,
	    &request) == 0);
	CU_ASSERT(request.replica_id == -1 && request.session_epoch == -1);
	CU_ASSERT(request.max_bytes == INT32_MAX);
	CU_ASSERT(request.n_topics == 1 && request.topics[0].n_partitions == 0);
	CU_ASSERT(span_is(t.left, " rest"));
	arena_done(&arena);
}

static void
strings_may_hold_any_byte(void)
{
	struct wire_find_coordinator_request request;
	const struct wire_message *m = help_message("find_coordinator_request");
	struct arena arena;
	struct wire_text t;

	arena_init(&arena, 1 << 20);
	wire_text_init(&t, span_str("{key \"a\\x00\\\"\\\\\"}"), &arena);
	CU_ASSERT(wire_parse(&t, m, 0, &request) == 0);
	CU_ASSERT(span_eq(request.key, span_of("a\0\"\\", 4)));
	wire_text_init(&t, span_str("{key x\"6100\"}"), &arena);
	CU_ASSERT(wire_parse(&t, m, 0, &request) == 0);
	CU_ASSERT(span_eq(request.key, span_of("a\0", 2)));
	arena_done(&arena);
}

static void
parse_refuses_fields_that_are_not_there(void)
{
	expect("fetch_request", 12, "{ no_such 1 }",
	    "'no_such' is no field of version 12");
	expect("fetch_request", 4, "{ session_id 1 }",
	    "'session_id' is no field of version 4");
	expect("fetch_request", 12, "{ session_id 1 session_id 2 }",
	    "session_id is given twice");
	expect("fetch_request", 3, "{ }", "fetch_request has no version 3");
}

static void
parse_refuses_values_that_do_not_fit(void)
{
	expect("produce_request", 3, "{ acks 32768 }",
	    "'32768' is no number that fits");
	expect("produce_request", 3, "{ acks -32768 }", "");
	expect("produce_request", 3, "{ acks all }",
	    "'all' is no number that fits");
	expect("delete_records_request", 0, "{ topics [ { partitions ["
	    "{ offset 9223372036854775808 } ] } ] }",
	    "'9223372036854775808' is no number that fits");
	expect("heartbeat_response", 0, "{ error_code NO_SUCH }",
	    "'NO_SUCH' is no number that fits");
	expect("metadata_request", 4, "{ allow_auto_topic_creation 1 }",
	    "'1' is neither true nor false");
	expect("find_coordinator_request", 0, "{ key null }",
	    "null is not allowed here");
	expect("find_coordinator_request", 0, "{ key g }",
	    "'g' stands where \"text\" or x\"hex\" should");
	expect("find_coordinator_request", 4, "{ coordinator_keys [ null ] }",
	    "null is not allowed here");
	expect("metadata_request", 0, "{ topics null }",
	    "topics is an array: [ .. ]");
	expect("metadata_request", 10, "{ topics [ { topic_id x\"00\" } ] }",
	    "a uuid has 16 bytes");
}

static void
parse_refuses_broken_text(void)
{
	static const char ends[] =
	    "the text ends, or a mark stands, where a name or value should be";

	expect("find_coordinator_request", 0, "", "a struct begins with {");
	expect("find_coordinator_request", 0, "{", ends);
	expect("find_coordinator_request", 0, "{ key", ends);
	expect("find_coordinator_request", 0, "{ key ]", ends);
	expect("find_coordinator_request", 0, "{ key \"g",
	    "a quote is not closed");
	expect("find_coordinator_request", 0, "{ key \"g\\",
	    "a quote is not closed");
	expect("find_coordinator_request", 0, "{ key \"\\n\" }",
	    "after \\ may stand \", \\ and xNN only");
	expect("find_coordinator_request", 0, "{ key \"\\x4\" }",
	    "after \\ may stand \", \\ and xNN only");
	expect("find_coordinator_request", 0, "{ key x\"4\" }",
	    "x\"..\" holds pairs of the digits 0-9 and a-f");
	expect("find_coordinator_request", 0, "{ key x\"4G\" }",
	    "x\"..\" holds pairs of the digits 0-9 and a-f");
	expect("find_coordinator_request", 4, "{ coordinator_keys [ \"a\" ",
	    ends);
}

const struct unit_test text_tests[];
const struct unit_test text_tests[] = {
	UNIT(a_message_prints_in_one_line),
	UNIT(codes_print_by_name),
	UNIT(what_is_not_mentioned_is_default),
	UNIT(strings_may_hold_any_byte),
	UNIT(parse_refuses_fields_that_are_not_there),
	UNIT(parse_refuses_values_that_do_not_fit),
	UNIT(parse_refuses_broken_text),
	UNIT_END,
};
