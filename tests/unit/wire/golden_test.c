/*
 * golden_test.c -- messages next to their bytes, which were written down from
 * the protocol's rules and not made by the codec.
 */
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"
#include "unit/wire/help.h"
#include "wire/wire_text.h"

struct golden {
	const char *message;
	int version;
	const char *text;
	const char *hex;
};

#define UUID "000102030405060708090a0b0c0d0e0f"
#define CONSUMER "636f6e73756d6572"

static const struct golden headers[] = {
	{ "request_header", 1,
	    "{ request_api_key 18 request_api_version 0 correlation_id 7"
	    "  client_id \"kcat\" }",
	    "0012 0000 00000007 0004 6b636174" },
	{ "request_header", 1,
	    "{ request_api_key 3 request_api_version 1 correlation_id -1"
	    "  client_id null }",
	    "0003 0001 ffffffff ffff" },
	/* The client id keeps its two-byte length; the tags follow. */
	{ "request_header", 2,
	    "{ request_api_key 18 request_api_version 3 correlation_id 7"
	    "  client_id \"kcat\" }",
	    "0012 0003 00000007 0004 6b636174 00" },
	{ "response_header", 0, "{ correlation_id 7 }", "00000007" },
	{ "response_header", 1, "{ correlation_id 7 }", "00000007 00" },
};

static const struct golden api_versions[] = {
	{ "api_versions_request", 0, "{ }", "" },
	{ "api_versions_request", 3,
	    "{ client_software_name \"ab\" client_software_version \"1\" }",
	    "03 6162 02 31 00" },
	{ "api_versions_response", 0,
	    "{ error_code UNSUPPORTED_VERSION"
	    "  api_keys [ { api_key 18 max_version 4 } ] }",
	    "0023 00000001 0012 0000 0004" },
	{ "api_versions_response", 1,
	    "{ api_keys [ ] throttle_time_ms 9 }",
	    "0000 00000000 00000009" },
	{ "api_versions_response", 3,
	    "{ api_keys [ { api_key 0 max_version 11 }"
	    "             { api_key 18 max_version 4 } ]"
	    "  supported_features [ { name \"tv\" min_version 1 max_version 2 } ]"
	    "  finalized_features_epoch 5 }",
	    "0000 03 0000 0000 000b 00 0012 0000 0004 00 00000000"
	    "02 00 09 02 03 7476 0001 0002 00 01 08 0000000000000005" },
};

static const struct golden metadata[] = {
	{ "metadata_request", 0, "{ topics [ ] }", "00000000" },
	{ "metadata_request", 1, "{ topics null }", "ffffffff" },
	{ "metadata_request", 1, "{ topics [ { name \"a\" } ] }",
	    "00000001 0001 61" },
	{ "metadata_request", 9,
	    "{ topics null include_topic_authorized_operations true }",
	    "00 01 00 01 00" },
	{ "metadata_request", 9, "{ topics [ { name \"a\" } ] }",
	    "02 02 61 00 01 00 00 00" },
	/* Since v11 the cluster's operations are not asked for here. */
	{ "metadata_request", 12,
	    "{ topics [ { topic_id x\"" UUID "\" name null } ] }",
	    "02" UUID "00 00 01 00 00" },
	{ "metadata_response", 1,
	    "{ brokers [ { node_id 0 host \"h\" port 9092 rack null } ]"
	    "  controller_id 0"
	    "  topics [ { name \"a\" partitions [ {"
	    "    leader_id 0 replica_nodes [ 0 ] isr_nodes [ 0 ] } ] } ] }",
	    "00000001 00000000 0001 68 00002384 ffff 00000000"
	    "00000001 0000 0001 61 00"
	    "00000001 0000 00000000 00000000 00000001 00000000"
	    "00000001 00000000" },
	{ "metadata_response", 9,
	    "{ brokers [ { node_id 0 host \"h\" port 9092 } ]"
	    "  cluster_id \"c\" controller_id 0"
	    "  topics [ { name \"a\" partitions [ { leader_epoch 3"
	    "    replica_nodes [ 0 ] isr_nodes [ 0 ] } ] } ] }",
	    "00000000 02 00000000 02 68 00002384 00 00 02 63 00000000"
	    "02 0000 02 61 00 02 0000 00000000 00000000 00000003"
	    "02 00000000 02 00000000 01 00 80000000 00 80000000 00" },
	{ "metadata_response", 12,
	    "{ topics [ { error_code UNKNOWN_TOPIC_ID name null"
	    "    topic_id x\"" UUID "\" } ] }",
	    "00000000 01 00 ffffffff"
	    "02 0064 00" UUID "00 01 80000000 00 00" },
};

static const struct golden produce[] = {
	{ "produce_request", 2,
	    "{ acks 1 timeout_ms 1500 topic_data [ ] }",
	    "0001 000005dc 00000000" },
	{ "produce_request", 3,
	    "{ acks -1 timeout_ms 1500 topic_data [ { name \"t\""
	    "    partition_data [ { index 0 records x\"010203\" } ] } ] }",
	    "ffff ffff 000005dc 00000001 0001 74"
	    "00000001 00000000 00000003 010203" },
	{ "produce_request", 9,
	    "{ acks -1 timeout_ms 1500 topic_data [ { name \"t\""
	    "    partition_data [ { index 0 records x\"010203\" } ] } ] }",
	    "00 ffff 000005dc 02 02 74 02 00000000 04 010203 00 00 00" },
	{ "produce_response", 0,
	    "{ responses [ { name \"t\" partition_responses ["
	    "    { index 1 error_code NONE base_offset 5 } ] } ] }",
	    "00000001 0001 74 00000001 00000001 0000 0000000000000005" },
	/* The throttle time comes last here. */
	{ "produce_response", 5,
	    "{ responses [ { name \"t\" partition_responses ["
	    "    { base_offset 5 log_start_offset 2 } ] } ]"
	    "  throttle_time_ms 1 }",
	    "00000001 0001 74 00000001 00000000 0000 0000000000000005"
	    "ffffffffffffffff 0000000000000002 00000001" },
	{ "produce_response", 10,
	    "{ responses [ { name \"t\" partition_responses [ {"
	    "    error_code NOT_LEADER_OR_FOLLOWER base_offset -1"
	    "    record_errors [ { batch_index 1"
	    "      batch_index_error_message \"no\" } ]"
	    "    current_leader { leader_id 1 leader_epoch 2 } } ] } ]"
	    "  node_endpoints [ { node_id 1 host \"h\" port 9092 } ] }",
	    "02 02 74 02 00000000 0006 ffffffffffffffff ffffffffffffffff"
	    "ffffffffffffffff 02 00000001 03 6e6f 00 00"
	    "01 00 09 00000001 00000002 00 00 00000000"
	    "01 00 0d 02 00000001 02 68 00002384 00 00" },
};

static const struct golden fetch[] = {
	{ "fetch_request", 4,
	    "{ max_wait_ms 500 min_bytes 1 max_bytes 1048576"
	    "  topics [ { topic \"t\" partitions [ {"
	    "    fetch_offset 7 partition_max_bytes 65536 } ] } ] }",
	    "ffffffff 000001f4 00000001 00100000 00 00000001 0001 74"
	    "00000001 00000000 0000000000000007 00010000" },
	{ "fetch_request", 12,
	    "{ cluster_id \"c\" max_wait_ms 500 min_bytes 1"
	    "  max_bytes 1048576 isolation_level 1"
	    "  topics [ { topic \"t\" partitions [ {"
	    "    fetch_offset 7 partition_max_bytes 65536 } ] } ] }",
	    "ffffffff 000001f4 00000001 00100000 01 00000000 ffffffff"
	    "02 02 74 02 00000000 ffffffff 0000000000000007 ffffffff"
	    "ffffffffffffffff 00010000 00 00 01 01 01 00 02 02 63" },
	/* Topic ids instead of names; the replica has moved into a tag. */
	{ "fetch_request", 15,
	    "{ replica_state { replica_id 1 replica_epoch 2 }"
	    "  max_bytes 1 topics [ { topic_id x\"" UUID "\" } ]"
	    "  forgotten_topics_data [ { topic_id x\"" UUID "\""
	    "    partitions [ 3 ] } ] rack_id \"r\" }",
	    "00000000 00000000 00000001 00 00000000 ffffffff"
	    "02" UUID "01 00 02" UUID "02 00000003 00 02 72"
	    "01 01 0d 00000001 0000000000000002 00" },
	{ "fetch_response", 4,
	    "{ responses [ { topic \"t\" partitions [ { high_watermark 8"
	    "    last_stable_offset 8 aborted_transactions null"
	    "    records x\"\" } ] } ] }",
	    "00000000 00000001 0001 74 00000001 00000000 0000"
	    "0000000000000008 0000000000000008 ffffffff 00000000" },
	{ "fetch_response", 12,
	    "{ responses [ { topic \"t\" partitions [ {"
	    "    error_code FENCED_LEADER_EPOCH high_watermark -1"
	    "    diverging_epoch { epoch 5 end_offset 100 }"
	    "    current_leader { leader_id 0 leader_epoch 6 }"
	    "    aborted_transactions null records null } ] } ] }",
	    "00000000 0000 00000000 02 02 74 02 00000000 004a"
	    "ffffffffffffffff ffffffffffffffff ffffffffffffffff"
	    "00 ffffffff 00"
	    "02 00 0d 00000005 0000000000000064 00"
	    "01 09 00000000 00000006 00 00 00" },
	{ "fetch_response", 12,
	    "{ session_id 1 responses [ { topic \"t\" partitions [ {"
	    "    high_watermark 1 last_stable_offset 1 log_start_offset 0"
	    "    snapshot_id { end_offset 4 epoch 3 }"
	    "    aborted_transactions [ { producer_id 9 first_offset 0 } ]"
	    "    records x\"ff\" } ] } ] }",
	    "00000000 0000 00000001 02 02 74 02 00000000 0000"
	    "0000000000000001 0000000000000001 0000000000000000"
	    "02 0000000000000009 0000000000000000 00 ffffffff 02 ff"
	    "01 02 0d 0000000000000004 00000003 00 00 00" },
};

static const struct golden groups[] = {
	{ "find_coordinator_request", 0, "{ key \"g\" }", "0001 67" },
	{ "find_coordinator_request", 3, "{ key \"g\" }", "02 67 00 00" },
	{ "find_coordinator_request", 4, "{ coordinator_keys [ \"g\" ] }",
	    "00 02 02 67 00" },
	{ "find_coordinator_response", 0, "{ host \"h\" port 9092 }",
	    "0000 00000000 0001 68 00002384" },
	{ "find_coordinator_response", 4,
	    "{ coordinators [ { key \"g\" host \"h\" port 9092"
	    "    error_message null } ] }",
	    "00000000 02 02 67 00000000 02 68 00002384 0000 00 00 00" },
	{ "join_group_request", 5,
	    "{ group_id \"g\" session_timeout_ms 10000"
	    "  rebalance_timeout_ms 60000 group_instance_id \"i\""
	    "  protocol_type \"consumer\""
	    "  protocols [ { name \"r\" metadata x\"0001\" } ] }",
	    "0001 67 00002710 0000ea60 0000 0001 69 0008" CONSUMER
	    "00000001 0001 72 00000002 0001" },
	{ "join_group_request", 6,
	    "{ group_id \"g\" session_timeout_ms 10000"
	    "  rebalance_timeout_ms 60000 group_instance_id \"i\""
	    "  protocol_type \"consumer\""
	    "  protocols [ { name \"r\" metadata x\"0001\" } ] }",
	    "02 67 00002710 0000ea60 01 02 69 09" CONSUMER
	    "02 02 72 03 0001 00 00" },
	{ "join_group_response", 5,
	    "{ generation_id 1 protocol_name \"r\" leader \"m\" member_id \"m\""
	    "  members [ { member_id \"m\" } ] }",
	    "00000000 0000 00000001 0001 72 0001 6d 0001 6d"
	    "00000001 0001 6d ffff 00000000" },
	{ "join_group_response", 6,
	    "{ generation_id 1 protocol_name \"r\" leader \"m\" member_id \"m\""
	    "  members [ { member_id \"m\" } ] }",
	    "00000000 0000 00000001 02 72 02 6d 02 6d 02 02 6d 00 01 00 00" },
	{ "leave_group_request", 2, "{ group_id \"g\" member_id \"m\" }",
	    "0001 67 0001 6d" },
	{ "leave_group_request", 3,
	    "{ group_id \"g\" members [ { member_id \"m\" } ] }",
	    "0001 67 00000001 0001 6d ffff" },
	{ "offset_fetch_request", 1,
	    "{ group_id \"g\" topics [ { name \"t\""
	    "    partition_indexes [ 0 ] } ] }",
	    "0001 67 00000001 0001 74 00000001 00000000" },
	{ "offset_fetch_request", 2, "{ group_id \"g\" topics null }",
	    "0001 67 ffffffff" },
	{ "offset_fetch_request", 8,
	    "{ groups [ { group_id \"g\" topics null } ] require_stable true }",
	    "02 02 67 00 00 01 00" },
	{ "offset_fetch_response", 8,
	    "{ groups [ { group_id \"g\" topics [ { name \"t\""
	    "    partitions [ { committed_offset 3 metadata null } ] } ] } ] }",
	    "00000000 02 02 67 02 02 74 02 00000000 0000000000000003"
	    "ffffffff 00 0000 00 00 0000 00 00" },
	{ "consumer_group_heartbeat_request", 1,
	    "{ group_id \"g\" member_id \"m\" rebalance_timeout_ms 60000"
	    "  subscribed_topic_names [ \"t\" ] topic_partitions [ ] }",
	    "02 67 02 6d 00000000 00 00 0000ea60 02 02 74 00 00 01 00" },
	{ "consumer_group_heartbeat_request", 0,
	    "{ group_id \"g\" member_id \"m\" member_epoch 1 }",
	    "02 67 02 6d 00000001 00 00 ffffffff 00 00 00 00" },
	/* An assignment that is as before, then one. */
	{ "consumer_group_heartbeat_response", 1,
	    "{ member_id \"m\" member_epoch 1 heartbeat_interval_ms 5000 }",
	    "00000000 0000 00 02 6d 00000001 00001388 ff 00" },
	{ "consumer_group_heartbeat_response", 1,
	    "{ member_id \"m\" member_epoch 1 assignment {"
	    "    topic_partitions [ { topic_id x\"" UUID "\" partitions [ 3 ] } ] } }",
	    "00000000 0000 00 02 6d 00000001 00000000"
	    "01 02" UUID "02 00000003 00 00 00" },
	{ "describe_groups_response", 6,
	    "{ groups [ { error_code GROUP_ID_NOT_FOUND group_id \"g\" } ] }",
	    "00000000 02 0045 00 02 67 01 01 01 01 80000000 00 00" },
};

static const struct golden admin[] = {
	{ "create_topics_response", 4,
	    "{ topics [ { name \"t\" error_message null } ] }",
	    "00000000 00000001 0001 74 0000 ffff" },
	{ "create_topics_response", 5,
	    "{ topics [ { name \"t\" error_message null num_partitions 1"
	    "    replication_factor 1 configs null"
	    "    topic_config_error_code TOPIC_AUTHORIZATION_FAILED } ] }",
	    "00000000 02 02 74 0000 00 00000001 0001 00 01 00 02 001d 00" },
	{ "create_topics_response", 7,
	    "{ topics [ { name \"t\" topic_id x\"" UUID "\""
	    "    error_message \"\" } ] }",
	    "00000000 02 02 74" UUID "0000 01 ffffffff ffff 01 00 00" },
	{ "delete_topics_request", 5, "{ topic_names [ \"t\" ] timeout_ms 1 }",
	    "02 02 74 00000001 00" },
	{ "delete_topics_request", 6,
	    "{ topics [ { topic_id x\"" UUID "\" } ] timeout_ms 1 }",
	    "02 00" UUID "00 00000001 00" },
	{ "list_offsets_request", 1,
	    "{ replica_id -1 topics [ { name \"t\""
	    "    partitions [ { timestamp -2 } ] } ] }",
	    "ffffffff 00000001 0001 74"
	    "00000001 00000000 fffffffffffffffe" },
	{ "offset_delete_response", 0,
	    "{ topics [ { name \"t\" partitions [ { partition_index 1"
	    "    error_code GROUP_SUBSCRIBED_TO_TOPIC } ] } ] }",
	    "0000 00000000 00000001 0001 74 00000001 00000001 0056" },
	{ "describe_cluster_response", 1,
	    "{ cluster_id \"c\" controller_id 0"
	    "  brokers [ { broker_id 0 host \"h\" port 9092 } ] }",
	    "00000000 0000 00 01 02 63 00000000"
	    "02 00000000 02 68 00002384 00 00 80000000 00" },
	{ "describe_topic_partitions_request", 0,
	    "{ topics [ { name \"t\" } ] cursor { topic_name \"t\" partition_index 3 } }",
	    "02 02 74 00 000007d0 01 02 74 00000003 00 00" },
	{ "describe_topic_partitions_request", 0, "{ cursor null }",
	    "01 000007d0 ff 00" },
};

static void
check(const struct golden *g)
{
	const struct wire_message *m = help_message(g->message);
	struct arena arena;
	struct wire_text t;
	struct span want, got;
	void *message, *back;

	arena_init(&arena, 1 << 20);
	message = arena_alloc(&arena, m->body->size);
	wire_text_init(&t, span_str(g->text), &arena);
	if (wire_parse(&t, m, g->version, message) == -1)
		printf("\n%s v%d: %s\n", g->message, g->version, t.error);
	CU_ASSERT_FATAL(t.error[0] == '\0');
	want = help_hex(&arena, g->hex);
	got = help_encode(&arena, m, g->version, message);
	if (!span_eq(want, got))
		printf("\n%s v%d: other bytes\n", g->message, g->version);
	CU_ASSERT(span_eq(want, got));
	back = help_decode(&arena, m, g->version, want, NULL);
	CU_ASSERT_FATAL(back != NULL);
	CU_ASSERT_STRING_EQUAL(help_print(&arena, m, g->version, back),
	    help_print(&arena, m, g->version, message));
	arena_done(&arena);
}

#define CHECK_ALL(table) \
	do { \
		size_t i_; \
		for (i_ = 0; i_ < sizeof(table) / sizeof *(table); i_++) \
			check(&(table)[i_]); \
	} while (0)

static void
headers_are_as_the_protocol_says(void)
{
	CHECK_ALL(headers);
}

static void
api_versions_is_as_the_protocol_says(void)
{
	CHECK_ALL(api_versions);
}

static void
metadata_is_as_the_protocol_says(void)
{
	CHECK_ALL(metadata);
}

static void
produce_is_as_the_protocol_says(void)
{
	CHECK_ALL(produce);
}

static void
fetch_is_as_the_protocol_says(void)
{
	CHECK_ALL(fetch);
}

static void
groups_are_as_the_protocol_says(void)
{
	CHECK_ALL(groups);
}

static void
admin_is_as_the_protocol_says(void)
{
	CHECK_ALL(admin);
}

const struct unit_test golden_tests[];
const struct unit_test golden_tests[] = {
	UNIT(headers_are_as_the_protocol_says),
	UNIT(api_versions_is_as_the_protocol_says),
	UNIT(metadata_is_as_the_protocol_says),
	UNIT(produce_is_as_the_protocol_says),
	UNIT(fetch_is_as_the_protocol_says),
	UNIT(groups_are_as_the_protocol_says),
	UNIT(admin_is_as_the_protocol_says),
	UNIT_END,
};
