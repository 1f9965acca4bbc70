/* topic_config_test.c -- settings of topics: given, taken from the daemon, default. */
#include "api/topic_config.h"

#include <string.h>

#include "unit/unit.h"

static int
set(struct topic_config *c, const char *name, const char *value)
{
	char why[400];

	return topic_config_set(c, span_str(name), span_str(value), why, sizeof why);
}

static int
alter(struct topic_config *c, int op, const char *name, const char *value)
{
	char why[400];

	return topic_config_alter(c, op, span_str(name), span_str(value), why, sizeof why);
}

static struct setting_entry
entry(const struct topic_config *c, enum topic_param i)
{
	struct setting_entry e;

	CU_ASSERT_TRUE_FATAL(topic_config_entry(c, i, &e));
	return e;
}

static void
defaults_are_those_of_kafka(void)
{
	struct topic_config c;

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(c.cleanup_policy, CLEANUP_DELETE);
	CU_ASSERT_EQUAL(c.retention_ms, 604800000);
	CU_ASSERT_EQUAL(c.retention_bytes, -1);
	CU_ASSERT_EQUAL(c.segment_bytes, 1073741824);
	CU_ASSERT_EQUAL(c.max_message_bytes, 1048588);
	CU_ASSERT_EQUAL(c.message_timestamp_type, TIMESTAMP_CREATE);
	CU_ASSERT_EQUAL(c.message_timestamp_before_max_ms, INT64_MAX);
	CU_ASSERT_EQUAL(c.message_timestamp_after_max_ms, 3600000);
	CU_ASSERT_EQUAL(c.compression_type, COMPRESSION_PRODUCER);
	CU_ASSERT_EQUAL(c.min_cleanable_dirty_ratio, 0.5);
	CU_ASSERT_STRING_EQUAL(c.leader_throttled_replicas, "");
	topic_config_done(&c);
}

static void
named_values_are_in_the_order_of_the_table(void)
{
	struct topic_config c;

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(set(&c, "cleanup.policy", "compact"), 0);
	CU_ASSERT_EQUAL(c.cleanup_policy, CLEANUP_COMPACT);
	CU_ASSERT_EQUAL(set(&c, "message.timestamp.type", "LogAppendTime"), 0);
	CU_ASSERT_EQUAL(c.message_timestamp_type, TIMESTAMP_APPEND);
	CU_ASSERT_EQUAL(set(&c, "compression.type", "uncompressed"), 0);
	CU_ASSERT_EQUAL(c.compression_type, COMPRESSION_UNCOMPRESSED);
	CU_ASSERT_EQUAL(set(&c, "compression.type", "zstd"), 0);
	CU_ASSERT_EQUAL(c.compression_type, COMPRESSION_ZSTD);
	topic_config_done(&c);
}

static void
given_goes_before_daemon_before_default(void)
{
	struct topic_config daemon, altered, topic;
	struct setting_entry e;

	topic_config_init(&daemon, NULL);
	daemon.source = SETTING_FROM_FILE;
	CU_ASSERT_EQUAL(set(&daemon, "retention.ms", "1000"), 0);
	topic_config_init(&altered, &daemon);
	altered.source = SETTING_FROM_ALTERED;
	topic_config_init(&topic, &altered);
	CU_ASSERT_EQUAL(topic.retention_ms, 1000);
	CU_ASSERT_EQUAL(entry(&topic, TOPIC_retention_ms).source, SETTING_FROM_FILE);

	CU_ASSERT_EQUAL(set(&topic, "retention.ms", "5"), 0);
	e = entry(&topic, TOPIC_retention_ms);
	CU_ASSERT_EQUAL(topic.retention_ms, 5);
	CU_ASSERT_EQUAL(e.source, SETTING_FROM_TOPIC);
	CU_ASSERT_STRING_EQUAL(e.value, "5");
	CU_ASSERT_EQUAL(e.type, 5);
	CU_ASSERT_EQUAL_FATAL(e.n_synonyms, 3);
	CU_ASSERT_STRING_EQUAL(e.synonyms[0].name, "retention.ms");
	CU_ASSERT_STRING_EQUAL(e.synonyms[1].name, "log.retention.ms");
	CU_ASSERT_STRING_EQUAL(e.synonyms[1].value, "1000");
	CU_ASSERT_STRING_EQUAL(e.synonyms[2].value, "604800000");

	CU_ASSERT_EQUAL(set(&altered, "retention.ms", "7"), 0);
	e = entry(&topic, TOPIC_retention_ms);
	CU_ASSERT_EQUAL(topic.retention_ms, 5);
	CU_ASSERT_EQUAL_FATAL(e.n_synonyms, 4);
	CU_ASSERT_STRING_EQUAL(e.synonyms[1].name, "log.retention.ms");
	CU_ASSERT_STRING_EQUAL(e.synonyms[1].value, "7");
	CU_ASSERT_EQUAL(e.synonyms[1].source, SETTING_FROM_ALTERED);
	CU_ASSERT_EQUAL(e.synonyms[2].source, SETTING_FROM_FILE);

	CU_ASSERT_EQUAL(set(&topic, "retention.ms", NULL), 0);
	CU_ASSERT_EQUAL(topic.retention_ms, 7);
	CU_ASSERT_EQUAL(entry(&topic, TOPIC_retention_ms).source, SETTING_FROM_ALTERED);
	CU_ASSERT_EQUAL(set(&altered, "retention.ms", NULL), 0);
	topic_config_rebase(&topic);
	CU_ASSERT_EQUAL(topic.retention_ms, 1000);
	CU_ASSERT_EQUAL(set(&daemon, "retention.ms", NULL), 0);
	topic_config_rebase(&topic);
	CU_ASSERT_EQUAL(topic.retention_ms, 604800000);
	e = entry(&topic, TOPIC_retention_ms);
	CU_ASSERT_EQUAL(e.source, SETTING_FROM_DEFAULT);
	CU_ASSERT_EQUAL(e.n_synonyms, 1);
	topic_config_done(&topic);
	topic_config_done(&altered);
	topic_config_done(&daemon);
}

static void
refused_settings_change_nothing(void)
{
	struct topic_config c;
	char why[400];

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(set(&c, "segment.bytes", "20000"), 0);
	CU_ASSERT_EQUAL(topic_config_set(&c, span_str("segment.bytes"), span_str("13"), why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "segment.bytes: \"13\" is out of range: write one from 14 to 2147483647");
	CU_ASSERT_EQUAL(c.segment_bytes, 20000);
	CU_ASSERT_EQUAL(topic_config_set(&c, span_str("retention.mss"), span_str("1"), why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "Unknown topic config name: \"retention.mss\"; did you mean retention.ms?");
	CU_ASSERT_EQUAL(set(&c, "remote.storage.enable", "true"), -1);
	CU_ASSERT_EQUAL(set(&c, "remote.storage.enable", "false"), 0);
	CU_ASSERT_EQUAL(topic_config_set(&c, span_str("nothing.like.it"), span_str("1"), why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "Unknown topic config name: \"nothing.like.it\"");
	CU_ASSERT_EQUAL(topic_config_set(&c, span_str("flush.ms"), span_str("1"), why, sizeof why), 0);
	topic_config_done(&c);
}

static void
lists_are_appended_to_and_subtracted_from(void)
{
	struct topic_config c;

	topic_config_init(&c, NULL);
	/* From what is in force, given or not. */
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_APPEND, "cleanup.policy", "compact"), 0);
	CU_ASSERT_EQUAL(c.cleanup_policy, CLEANUP_DELETE | CLEANUP_COMPACT);
	CU_ASSERT_STRING_EQUAL(entry(&c, TOPIC_cleanup_policy).value, "delete,compact");
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_APPEND, "cleanup.policy", "compact"), 0);
	CU_ASSERT_STRING_EQUAL(entry(&c, TOPIC_cleanup_policy).value, "delete,compact");
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_SUBTRACT, "cleanup.policy", "delete"), 0);
	CU_ASSERT_STRING_EQUAL(entry(&c, TOPIC_cleanup_policy).value, "compact");
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_APPEND, "leader.replication.throttled.replicas", "0:1,1:1"), 0);
	CU_ASSERT_STRING_EQUAL(c.leader_throttled_replicas, "0:1,1:1");
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_SUBTRACT, "leader.replication.throttled.replicas", "1:1,0:1"), 0);
	CU_ASSERT_STRING_EQUAL(c.leader_throttled_replicas, "");
	topic_config_done(&c);
}

static void
operations_that_make_no_sense_are_refused(void)
{
	struct topic_config c;

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_APPEND, "retention.ms", "1"), -1);
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_APPEND, "cleanup.policy", "nonsense"), -1);
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_SET, "retention.ms", NULL), -1);
	CU_ASSERT_EQUAL(alter(&c, 4, "cleanup.policy", "delete"), -1);
	CU_ASSERT_EQUAL(alter(&c, -1, "cleanup.policy", "delete"), -1);
	CU_ASSERT_EQUAL(c.cleanup_policy, CLEANUP_DELETE);
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_SET, "retention.ms", "7"), 0);
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_DELETE, "retention.ms", NULL), 0);
	CU_ASSERT_EQUAL(c.retention_ms, 604800000);
	topic_config_done(&c);
}

static void
copy_is_independent(void)
{
	struct topic_config c, copy;

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(set(&c, "retention.ms", "7"), 0);
	CU_ASSERT_EQUAL(set(&c, "follower.replication.throttled.replicas", "*"), 0);
	topic_config_copy(&copy, &c);
	CU_ASSERT_EQUAL(set(&copy, "retention.ms", "8"), 0);
	topic_config_done(&c);
	CU_ASSERT_EQUAL(copy.retention_ms, 8);
	CU_ASSERT_STRING_EQUAL(copy.follower_throttled_replicas, "*");
	topic_config_done(&copy);
}

static void
every_entry_has_a_value_that_its_check_takes(void)
{
	struct topic_config c;
	struct setting_entry e;
	char why[400];
	size_t i;

	topic_config_init(&c, NULL);
	for (i = 0; topic_config_entry(&c, i, &e); i++) {
		CU_ASSERT_EQUAL(topic_config_set(&c, span_str(e.name), span_str(e.value), why, sizeof why), 0);
		CU_ASSERT_TRUE(strlen(e.doc) > 10);
	}
	CU_ASSERT_EQUAL(i, TOPIC_PARAMS);
	topic_config_done(&c);
}

static void
blanks_around_a_value_are_not_kept(void)
{
	struct topic_config c;

	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(set(&c, "retention.ms", "  7\t\n"), 0);
	CU_ASSERT_EQUAL(c.retention_ms, 7);
	CU_ASSERT_STRING_EQUAL(entry(&c, TOPIC_retention_ms).value, "7");
	CU_ASSERT_EQUAL(alter(&c, TOPIC_CONFIG_SET, "follower.replication.throttled.replicas", " 0:1, 1:1 "), 0);
	CU_ASSERT_STRING_EQUAL(c.follower_throttled_replicas, "0:1, 1:1");
	topic_config_done(&c);
}

/* Each may be 32767 bytes long. */
static void
all_values_together_have_a_bound(void)
{
	static char half[TOPIC_CONFIG_BYTES_MAX / 2];
	struct topic_config c;
	char why[400];

	memset(half, 'x', sizeof half - 1);
	topic_config_init(&c, NULL);
	CU_ASSERT_EQUAL(set(&c, "leader.replication.throttled.replicas", half), 0);
	CU_ASSERT_EQUAL(set(&c, "follower.replication.throttled.replicas", half), 0);
	CU_ASSERT_EQUAL(set(&c, "retention.ms", "77"), 0);
	CU_ASSERT_EQUAL(topic_config_set(&c, span_str("retention.ms"), span_str("777"), why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "retention.ms: all values"));
	CU_ASSERT_EQUAL(set(&c, "message.format.version", half), -1);
	CU_ASSERT_EQUAL(c.retention_ms, 77);
	/* One in the place of another takes no more. */
	CU_ASSERT_EQUAL(set(&c, "leader.replication.throttled.replicas", half), 0);
	topic_config_done(&c);
}

static void
what_is_in_force_goes_together(void)
{
	static const struct {
		const char *name, *value, *other, *other_value;
		int good;
	} cases[] = {
		{ "min.compaction.lag.ms", "5", "max.compaction.lag.ms", "5", 0 },
		{ "min.compaction.lag.ms", "6", "max.compaction.lag.ms", "5", -1 },
		{ "compression.gzip.level", "-1", NULL, NULL, 0 },
		{ "compression.gzip.level", "1", NULL, NULL, 0 },
		{ "compression.gzip.level", "0", NULL, NULL, -1 },
		{ "leader.replication.throttled.replicas", "*", NULL, NULL, 0 },
		{ "leader.replication.throttled.replicas", "", NULL, NULL, 0 },
		{ "leader.replication.throttled.replicas", "0:1, 12:3", NULL, NULL, 0 },
		{ "leader.replication.throttled.replicas", "0:1,", NULL, NULL, -1 },
		{ "leader.replication.throttled.replicas", "0", NULL, NULL, -1 },
		{ "follower.replication.throttled.replicas", "0:1x", NULL, NULL, -1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct topic_config c;
		char why[400] = "";

		topic_config_init(&c, NULL);
		CU_ASSERT_EQUAL_FATAL(set(&c, cases[i].name, cases[i].value), 0);
		if (cases[i].other != NULL)
			CU_ASSERT_EQUAL(set(&c, cases[i].other, cases[i].other_value), 0);
		CU_ASSERT_EQUAL(topic_config_check(&c, why, sizeof why), cases[i].good);
		CU_ASSERT_EQUAL(why[0] != '\0', cases[i].good == -1);
		topic_config_done(&c);
	}
}

const struct unit_test topic_config_tests[] = {
	UNIT(defaults_are_those_of_kafka),
	UNIT(named_values_are_in_the_order_of_the_table),
	UNIT(given_goes_before_daemon_before_default),
	UNIT(refused_settings_change_nothing),
	UNIT(lists_are_appended_to_and_subtracted_from),
	UNIT(operations_that_make_no_sense_are_refused),
	UNIT(copy_is_independent),
	UNIT(every_entry_has_a_value_that_its_check_takes),
	UNIT(blanks_around_a_value_are_not_kept),
	UNIT(all_values_together_have_a_bound),
	UNIT(what_is_in_force_goes_together),
	UNIT_END,
};
