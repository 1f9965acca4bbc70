/* config_test.c -- the daemon's configuration as a whole. */
#include "server/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "unit/unit.h"

/* The mistakes in a text, as they are shown to people. */
static const char *
mistakes_in(const char *text, const char *const *overrides, size_t n)
{
	static char shown[8192];
	struct config c;
	struct buf mistakes = { 0 };
	int r = config_parse(&c, "f", span_str(text), overrides, n, &mistakes);

	CU_ASSERT_EQUAL(r, mistakes.n == 0 ? 0 : -1);
	snprintf(shown, sizeof shown, "%.*s", (int)mistakes.n,
	    mistakes.n == 0 ? "" : (char *)mistakes.p);
	buf_done(&mistakes);
	config_done(&c);
	return shown;
}

#define MISTAKES(text, shown) CU_ASSERT_STRING_EQUAL(mistakes_in(text, NULL, 0), shown)

static void
parse(struct config *c, const char *text)
{
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL_FATAL(config_parse(c, "f", span_str(text), NULL, 0, &mistakes), 0);
	buf_done(&mistakes);
}

static struct setting_entry
entry(const struct config *c, const char *name)
{
	struct setting_entry e;

	for (size_t i = 0; config_entry(c, i, &e); i++)
		if (strcmp(e.name, name) == 0)
			return e;
	CU_FAIL_FATAL("no such entry");
	return e;
}

static void
nothing_written_gives_the_defaults(void)
{
	struct config c;

	parse(&c, "");
	CU_ASSERT_EQUAL(c.node_id, 1);
	CU_ASSERT_EQUAL(c.num_partitions, 1);
	CU_ASSERT_TRUE(c.auto_create_topics_enable);
	CU_ASSERT_FALSE(c.replication_factor_strict);
	CU_ASSERT_EQUAL(c.group_initial_rebalance_delay_ms, 0);
	CU_ASSERT_EQUAL(c.journal_bytes, 64 << 20);
	CU_ASSERT_EQUAL(c.log_level, DIAG_INFO);
	CU_ASSERT_EQUAL(c.n_listen, 1);
	CU_ASSERT_STRING_EQUAL(c.listen[0].host, "127.0.0.1");
	CU_ASSERT_EQUAL(c.listen[0].port, 9092);
	CU_ASSERT_EQUAL(c.topic_defaults.retention_ms, 604800000);
	config_done(&c);
}

static void
what_is_written_is_taken(void)
{
	struct config c;

	parse(&c,
	    "node.id=7\nlog.dirs = /a b\nauto.create.topics.enable=false\nweir.log.level=debug\n"
	    "queued.max.request.bytes=9000000000\nlisteners=A://127.0.0.1:1,\\\n B://127.0.0.1:2\n"
	    "log.cleanup.policy=compact\nmessage.max.bytes=77\n");
	CU_ASSERT_EQUAL(c.node_id, 7);
	CU_ASSERT_STRING_EQUAL(c.log_dirs, "/a b");
	CU_ASSERT_FALSE(c.auto_create_topics_enable);
	CU_ASSERT_EQUAL(c.log_level, DIAG_DEBUG);
	CU_ASSERT_EQUAL(c.queued_max_request_bytes, 9000000000);
	CU_ASSERT_EQUAL(c.n_listen, 2);
	CU_ASSERT_EQUAL(c.topic_defaults.cleanup_policy, CLEANUP_COMPACT);
	CU_ASSERT_EQUAL(c.topic_defaults.max_message_bytes, 77);
	config_done(&c);
}

static void
other_names_mean_the_same(void)
{
	struct config c;

	parse(&c, "broker.id=9\nlog.dir=/x\n");
	CU_ASSERT_EQUAL(c.node_id, 9);
	CU_ASSERT_STRING_EQUAL(c.log_dirs, "/x");
	config_done(&c);
	MISTAKES("broker.id=9\nnode.id=9\n",
	    "f:2: node.id: stands on line 1 already: take one of them out\n");
}

static void
finer_units_go_before_coarser(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "log.retention.hours=2\n", 7200000 },
		{ "log.retention.minutes=3\nlog.retention.hours=2\n", 180000 },
		{ "log.retention.ms=5\nlog.retention.minutes=3\nlog.retention.hours=2\n", 5 },
		{ "log.retention.hours=-1\n", -1 },
		{ "log.retention.hours=2147483647\n", 2147483647LL * 3600000 },
	};
	struct config c;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parse(&c, cases[i].text);
		CU_ASSERT_EQUAL(c.topic_defaults.retention_ms, cases[i].ms);
		config_done(&c);
	}
	parse(&c, "log.retention.hours=2\nlog.roll.hours=1\n");
	CU_ASSERT_STRING_EQUAL(entry(&c, "log.retention.ms").value, "7200000");
	CU_ASSERT_EQUAL(entry(&c, "log.retention.ms").source, SETTING_FROM_FILE);
	CU_ASSERT_EQUAL(c.topic_defaults.segment_ms, 3600000);
	config_done(&c);
	MISTAKES("log.roll.hours=0",
	    "f:1: log.roll.hours: \"0\" is out of range: write one from 1 to 2147483647\n");
}

static void
every_mistake_is_told_with_its_line(void)
{
	MISTAKES(
	    "# x\nnum.partitions = many\n\nnum.partitons = 1\nweir.log.level=\\\n loud\nlog.dirs=/a,/b\n",
	    "f:2: num.partitions: \"many\" is not a whole number: write one from 1 to 100000\n"
	    "f:4: \"num.partitons\": there is no such setting; did you mean num.partitions?\n"
	    "f:5: weir.log.level: \"loud\" is not known here: write one of these: error warn info debug\n"
	    "f:7: log.dirs: all data lies in one folder: name one, without commas\n");
	MISTAKES("node.id=\\u1\n",
	    "f:1: \"node.id\": \\u is not followed by four hexadecimal digits of a character: "
	    "write them, or \\\\u for a backslash\n");
}

static void
a_journal_beyond_all_memory_is_a_mistake(void)
{
	MISTAKES("weir.journal.bytes=17179869184\n", "");
	MISTAKES("weir.journal.bytes=17179869185\n",
	    "f:1: weir.journal.bytes: \"17179869185\" is out of range: write one from 1048576 to 17179869184\n");
}

static void
unknown_keys_get_the_nearest_name(void)
{
	MISTAKES("retention.ms=1",
	    "f:1: \"retention.ms\": there is no such setting; did you mean log.retention.ms?\n");
	MISTAKES("segment.ms=1",
	    "f:1: \"segment.ms\": there is no such setting; did you mean log.roll.ms?\n");
	MISTAKES("NODE.ID=1",
	    "f:1: \"NODE.ID\": there is no such setting: take it out, or look for its name in "
	    "weir-logd.conf(5)\n");
	MISTAKES("zookeeper.connect=x",
	    "f:1: \"zookeeper.connect\": there is no such setting: take it out, or look for "
	    "its name in weir-logd.conf(5)\n");
	MISTAKES("a\\u00e9\\\nb=x",
	    "f:1: \"a\\xc3\\xa9b\": there is no such setting: take it out, or look for its name in "
	    "weir-logd.conf(5)\n");
}

static void
settings_that_contradict_each_other_are_mistakes(void)
{
	MISTAKES("\ngroup.min.session.timeout.ms=5000000\n",
	    "f:2: group.min.session.timeout.ms: group.min.session.timeout.ms is 5000000 and above group.max.session.timeout.ms, which is 1800000: "
	    "lower the one or raise the other\n");
	MISTAKES("group.max.session.timeout.ms=5\n",
	    "f:1: group.max.session.timeout.ms: group.min.session.timeout.ms is 6000 and above group.max.session.timeout.ms, which is 5: "
	    "lower the one or raise the other\n");
	MISTAKES("socket.request.max.bytes=300000000\nqueued.max.request.bytes=300000000\n", "");
	MISTAKES("weir.journal.bytes=1048576\nweir.journal.batch.max.bytes=262145",
	    "f:2: weir.journal.batch.max.bytes: weir.journal.batch.max.bytes is 262145 and above a quarter of weir.journal.bytes, which is 1048576: "
	    "lower the one or raise the other\n");
	MISTAKES("node.id=1\nlisteners=PLAINTEXT://:9092",
	    "f:2: advertised.listeners: listener PLAINTEXT is on every address, so clients must be told one: "
	    "add PLAINTEXT://NAME-OF-THIS-MACHINE:9092\n");
}

static void
command_line_goes_before_the_file(void)
{
	static const char *const good[] = { "node.id=5", "broker.id=6", "log.dirs=/a=b" };
	static const char *const bad[] = { "node.id", "=1", "node.id=x", "node.idd=1" };
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(config_parse(&c, "f", span_str("node.id=3\n"), good, 3, &mistakes), 0);
	CU_ASSERT_EQUAL(c.node_id, 6);
	CU_ASSERT_STRING_EQUAL(c.log_dirs, "/a=b");
	config_done(&c);
	CU_ASSERT_STRING_EQUAL(mistakes_in("", bad, 4),
	    "-o: \"node.id\": has no value: write -o key=value\n"
	    "-o: \"\": there is no such setting: take it out, or look for its name in weir-logd.conf(5)\n"
	    "-o: node.id: \"x\" is not a whole number: write one from 0 to 2147483647\n"
	    "-o: \"node.idd\": there is no such setting; did you mean node.id?\n");
}

static void
every_default_can_be_written(void)
{
	struct config c, other;
	struct setting_entry e;
	char text[1024];

	parse(&c, "");
	for (size_t i = 0; config_entry(&c, i, &e); i++) {
		CU_ASSERT_TRUE(strlen(e.doc) > 10);
		CU_ASSERT_EQUAL(e.source, SETTING_FROM_DEFAULT);
		if (e.value == NULL)
			continue;
		snprintf(text, sizeof text, "%s = %s\n", e.name, e.value);
		parse(&other, text);
		config_done(&other);
	}
	config_done(&c);
}

static void
entries_say_what_may_change_and_where_from(void)
{
	struct config c;
	struct setting_entry e;

	parse(&c, "node.id=4\nfetch.max.bytes=2048\n");
	e = entry(&c, "node.id");
	CU_ASSERT_TRUE(e.read_only);
	CU_ASSERT_EQUAL(e.type, 3);
	CU_ASSERT_EQUAL(e.source, SETTING_FROM_FILE);
	CU_ASSERT_STRING_EQUAL(e.value, "4");
	CU_ASSERT_EQUAL(e.n_synonyms, 2);
	CU_ASSERT_STRING_EQUAL(e.synonyms[1].value, "1");
	e = entry(&c, "fetch.max.bytes");
	CU_ASSERT_FALSE(e.read_only);
	e = entry(&c, "advertised.listeners");
	CU_ASSERT_PTR_NULL(e.value);
	CU_ASSERT_EQUAL(e.n_synonyms, 0);
	e = entry(&c, "log.cleanup.policy");
	CU_ASSERT_EQUAL(e.type, 7);
	CU_ASSERT_STRING_EQUAL(e.value, "delete");
	config_done(&c);
}

static char lines[4096];

static void
keep_line(const char *line, size_t n)
{
	size_t have = strlen(lines);

	if (have + n < sizeof lines)
		memcpy(lines + have, line, n);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(fputs(text, f) >= 0);
	fclose(f);
}

/* A configuration from a file, then the file with another text. */
static int
reload(struct config *c, const char *before, const char *after, struct buf *mistakes)
{
	char path[] = "/tmp/weir-config-test-XXXXXX";
	int fd = mkstemp(path), r;

	CU_ASSERT_NOT_EQUAL_FATAL(fd, -1);
	close(fd);
	write_file(path, before);
	CU_ASSERT_EQUAL_FATAL(config_load(c, path, NULL, 0, mistakes), 0);
	write_file(path, after);
	memset(lines, 0, sizeof lines);
	diag_set_sink(keep_line);
	r = config_reload(c, mistakes);
	diag_set_sink(NULL);
	unlink(path);
	return r;
}

static void
reload_takes_up_what_may_change(void)
{
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(
	    reload(&c, "node.id=3\nfetch.max.bytes=2048\nlog.retention.ms=5\nnum.partitions=4\n",
		"node.id=4\nfetch.max.bytes=4096\nlog.retention.hours=1\nnum.partitions=4\n",
		&mistakes),
	    3);
	CU_ASSERT_EQUAL(c.node_id, 3);
	CU_ASSERT_EQUAL(c.fetch_max_bytes, 4096);
	CU_ASSERT_EQUAL(c.topic_defaults.retention_ms, 3600000);
	CU_ASSERT_STRING_EQUAL(entry(&c, "node.id").value, "3");
	CU_ASSERT_STRING_EQUAL(entry(&c, "fetch.max.bytes").value, "4096");
	CU_ASSERT_PTR_NOT_NULL(strstr(lines,
	    "warn setting changed in the file, but needs a restart "
	    "name=node.id in_force=\"3\" in_file=\"4\""));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(lines, "info setting changed name=fetch.max.bytes from=\"2048\" to=\"4096\""));
	CU_ASSERT_PTR_NULL(strstr(lines, "num.partitions"));
	config_done(&c);
	buf_done(&mistakes);
}

static void
reload_without_a_change_does_nothing(void)
{
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(reload(&c, "node.id=3\n", "# moved\n\nnode.id = 3\n", &mistakes), 0);
	CU_ASSERT_STRING_EQUAL(lines, "");
	config_done(&c);
	buf_done(&mistakes);
}

static void
reload_back_to_defaults_is_a_change(void)
{
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(
	    reload(&c, "fetch.max.bytes=2048\nweir.log.level=warn\nlog.retention.ms=5\n", "",
		&mistakes),
	    3);
	CU_ASSERT_EQUAL(c.fetch_max_bytes, 57671680);
	CU_ASSERT_EQUAL(c.log_level, DIAG_INFO);
	CU_ASSERT_EQUAL(c.topic_defaults.retention_ms, 604800000);
	config_done(&c);
	buf_done(&mistakes);
}

static void
reload_of_a_mistaken_file_changes_nothing(void)
{
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(
	    reload(&c, "fetch.max.bytes=2048\n", "fetch.max.bytes=4096\nfetch=1\n", &mistakes), -1);
	CU_ASSERT_EQUAL(c.fetch_max_bytes, 2048);
	CU_ASSERT_TRUE(mistakes.n > 0);
	config_done(&c);
	buf_done(&mistakes);
}

static void
file_that_can_not_be_read_is_a_mistake(void)
{
	struct config c;
	struct buf mistakes = { 0 };

	CU_ASSERT_EQUAL(config_load(&c, "/nonexistent/x", NULL, 0, &mistakes), -1);
	buf_u8(&mistakes, 0);
	CU_ASSERT_STRING_EQUAL((char *)mistakes.p,
	    "/nonexistent/x: can't be read (No such file or directory): "
	    "make it readable, or name another with -c\n");
	config_done(&c);
	buf_reset(&mistakes);
	CU_ASSERT_EQUAL(config_load(&c, "/", NULL, 0, &mistakes), -1);
	config_done(&c);
	buf_done(&mistakes);
}

static void
every_format_lists_every_setting(void)
{
	static const char *const formats[] = { "man", "md", "properties" };
	struct config c;
	struct setting_entry e;
	struct buf text = { 0 };

	parse(&c, "");
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		buf_reset(&text);
		CU_ASSERT_TRUE(conf_print(&config_page, formats[i], &text));
		buf_u8(&text, '\0');
		for (size_t k = 0; config_entry(&c, k, &e); k++)
			CU_ASSERT_PTR_NOT_NULL(strstr((const char *)text.p, e.name));
	}
	CU_ASSERT_FALSE(conf_print(&config_page, "html", &text));
	buf_done(&text);
	config_done(&c);
}

static void
printed_properties_can_be_read_back(void)
{
	struct config c;
	struct buf out = { 0 };
	char *text, *line;

	CU_ASSERT_TRUE(conf_print(&config_page, "properties", &out));
	buf_u8(&out, '\0');
	text = (char *)out.p;
	/* As someone would: take the # from before each setting; an empty value stands for none. */
	for (line = text; (line = strstr(line, "\n#")) != NULL; line++)
		if (line[2] != ' ' && strchr(line, '=')[2] != '\n')
			line[1] = ' ';
	parse(&c, text);
	CU_ASSERT_STRING_EQUAL(entry(&c, "weir.log.level").value, "info");
	CU_ASSERT_EQUAL(entry(&c, "weir.log.level").source, SETTING_FROM_FILE);
	config_done(&c);
	buf_done(&out);
}

/* ---- altering ---- */

static bool
yes(void *ctx)
{
	if (ctx != NULL)
		++*(int *)ctx;
	return true;
}

static bool
no(void *ctx)
{
	const struct config *c = ctx;

	/* What is asked about is in force meanwhile. */
	CU_ASSERT_EQUAL(c->num_partitions, 7);
	return false;
}

#define CHANGE(name, value) { span_str(name), TOPIC_CONFIG_SET, span_str(value) }

static void
alterations_are_judged_as_a_whole(void)
{
	const struct setting_change both[] = { CHANGE("group.max.session.timeout.ms", "3000"),
		CHANGE("group.min.session.timeout.ms", "2000") };
	const struct setting_change wrong[] = { CHANGE("num.partitions", "7"),
		CHANGE("group.max.session.timeout.ms", "1000") };
	struct config c;
	char why[320];
	int asked = 0;

	parse(&c, "num.partitions = 3\n");
	CU_ASSERT_EQUAL(config_alter(&c, both, 2, yes, &asked, why, sizeof why), 0);
	CU_ASSERT_EQUAL(c.group_max_session_timeout_ms, 3000);
	CU_ASSERT_EQUAL(c.group_min_session_timeout_ms, 2000);
	CU_ASSERT_EQUAL(config_alter(&c, wrong, 2, yes, &asked, why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "group.min.session.timeout.ms is 2000 and above group.max.session.timeout.ms, "
	    "which is 1000: lower the one or raise the other");
	CU_ASSERT_EQUAL(c.num_partitions, 3);
	CU_ASSERT_EQUAL(c.group_max_session_timeout_ms, 3000);
	CU_ASSERT_EQUAL(asked, 1);
	config_done(&c);
}

static void
alterations_that_are_not_kept_change_nothing(void)
{
	const struct setting_change first[] = { CHANGE("log.retention.ms", "5") };
	const struct setting_change then[] = { CHANGE("num.partitions", "7"), CHANGE("log.retention.ms", "6"),
		{ span_str("log.retention.ms"), TOPIC_CONFIG_DELETE, span_of(NULL, 0) } };
	struct config c;
	char why[320];

	parse(&c, "");
	CU_ASSERT_EQUAL(config_alter(&c, first, 1, yes, NULL, why, sizeof why), 0);
	CU_ASSERT_EQUAL(config_alter(&c, then, 3, no, &c, why, sizeof why), 0);
	CU_ASSERT_EQUAL(c.num_partitions, 1);
	CU_ASSERT_EQUAL(c.topic_defaults.retention_ms, 5);
	CU_ASSERT_EQUAL(entry(&c, "num.partitions").source, SETTING_FROM_DEFAULT);
	config_done(&c);
}

static void
altered_values_are_kept_without_blanks_and_are_short(void)
{
	static char blanks[30001], list[8000];
	struct setting_change change = { .op = TOPIC_CONFIG_SET };
	struct config c;
	char why[320];

	memset(blanks, ' ', sizeof blanks - 1);
	blanks[10000] = '7';
	for (size_t i = 0; i + 7 < sizeof list; i += 7)
		memcpy(list + i, i == 0 ? "compact" : ",delete", 7);
	parse(&c, "");
	change.name = span_str("log.retention.ms");
	change.value = span_str(blanks);
	CU_ASSERT_EQUAL(config_alter(&c, &change, 1, yes, NULL, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(entry(&c, "log.retention.ms").synonyms[0].value, "7");
	change.name = span_str("num.partitions");
	CU_ASSERT_EQUAL(config_alter(&c, &change, 1, yes, NULL, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(entry(&c, "num.partitions").value, "7");
	change.name = span_str("log.cleanup.policy");
	change.value = span_str(list);
	CU_ASSERT_EQUAL(config_alter(&c, &change, 1, yes, NULL, why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "log.cleanup.policy: the value is too long: write at most 4096 bytes");
	config_done(&c);
}

const struct unit_test config_tests[] = {
	UNIT(nothing_written_gives_the_defaults),
	UNIT(what_is_written_is_taken),
	UNIT(other_names_mean_the_same),
	UNIT(finer_units_go_before_coarser),
	UNIT(every_mistake_is_told_with_its_line),
	UNIT(a_journal_beyond_all_memory_is_a_mistake),
	UNIT(unknown_keys_get_the_nearest_name),
	UNIT(settings_that_contradict_each_other_are_mistakes),
	UNIT(command_line_goes_before_the_file),
	UNIT(every_default_can_be_written),
	UNIT(entries_say_what_may_change_and_where_from),
	UNIT(reload_takes_up_what_may_change),
	UNIT(reload_without_a_change_does_nothing),
	UNIT(reload_back_to_defaults_is_a_change),
	UNIT(reload_of_a_mistaken_file_changes_nothing),
	UNIT(file_that_can_not_be_read_is_a_mistake),
	UNIT(every_format_lists_every_setting),
	UNIT(printed_properties_can_be_read_back),
	UNIT(alterations_are_judged_as_a_whole),
	UNIT(alterations_that_are_not_kept_change_nothing),
	UNIT(altered_values_are_kept_without_blanks_and_are_short),
	UNIT_END,
};
