/* config.c -- the daemon's configuration: defaults, a file over them, the command line over that. */
#include "server/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "server/config_table.h"
#include "store/store.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	/* What a setting may be altered to: the record of all of them can be kept. */
	ALTERED_BYTES_MAX = 4096
};

_Static_assert(CONFIG_PARAMS * (ALTERED_BYTES_MAX + 128) < STATE_VALUE_MAX,
    "whatever is altered, its record can be kept");

#define RESTART false
#define DYNAMIC true

static const struct setting settings[CONFIG_PARAMS] = {
#define PARAM(type, field, name, fallback, min, max, choices, when, doc) \
	{ name, SETTING_##type, fallback, min, max, choices, offsetof(struct config, field), when, doc },
#define PARAM_ALIAS(name, field)
#define PARAM_TOPIC(id, name, topic, unit, min, max, doc) \
	{ name, SETTING_LONG, NULL, min, max, NULL, SETTING_NO_FIELD, true, doc },
#include "server/params.tbl"
#define TOPIC_PARAM(type, field, name, synonym, fallback, min, max, choices, doc) \
	{ synonym, SETTING_##type, fallback, min, max, choices, SETTING_NO_FIELD, true, doc },
#define TOPIC_ONLY(type, field, ...)
#include "api/topic_params.tbl"
};

const struct config_row config_rows[CONFIG_PARAMS] = {
#define PARAM(type, field, ...) { TOPIC_PARAMS, 0 },
#define PARAM_ALIAS(name, field)
#define PARAM_TOPIC(id, name, topic, unit, min, max, doc) { TOPIC_##topic, unit },
#include "server/params.tbl"
#define TOPIC_PARAM(type, field, ...) { TOPIC_##field, 1 },
#define TOPIC_ONLY(type, field, ...)
#include "api/topic_params.tbl"
};

static const struct conf_alias aliases[] = {
#define PARAM(type, field, ...)
#define PARAM_ALIAS(name, field) { name, CONFIG_##field },
#define PARAM_TOPIC(id, ...)
#include "server/params.tbl"
	{ NULL, 0 },
};

/* A topic's own setting is given here by its daemon-wide name. */
static const char *
daemon_wide(struct span key)
{
	for (size_t i = 0; i < TOPIC_PARAMS; i++)
		if (span_is(key, topic_config_setting(i)->setting.name))
			return topic_config_setting(i)->synonym;
	return NULL;
}

const struct conf_table config_table = { settings, CONFIG_PARAMS, aliases, NULL, "weir-logd.conf(5)", daemon_wide };

/* Pairs of numbers of which the first may not be above the second, or a part of it. */
static const struct {
	enum config_param low, high;
	int part;
	const char *part_of;
} ordered[] = {
	{ CONFIG_group_min_session_timeout_ms, CONFIG_group_max_session_timeout_ms, 1, "" },
	{ CONFIG_group_consumer_min_session_timeout_ms, CONFIG_group_consumer_session_timeout_ms, 1, "" },
	{ CONFIG_group_consumer_session_timeout_ms, CONFIG_group_consumer_max_session_timeout_ms, 1, "" },
	{ CONFIG_group_consumer_heartbeat_interval_ms, CONFIG_group_consumer_session_timeout_ms, 1, "" },
	{ CONFIG_socket_request_max_bytes, CONFIG_queued_max_request_bytes, 1, "" },
	{ CONFIG_journal_batch_max_bytes, CONFIG_journal_bytes, 4, "a quarter of " },
};

enum { ORDERED = sizeof ordered / sizeof *ordered };

/* Whether the row is a field of struct config, and not a default of topics. */
static bool
is_field(size_t i)
{
	return config_rows[i].topic == TOPIC_PARAMS;
}

static int64_t
number(const struct config *c, size_t i)
{
	const char *at = (const char *)c + settings[i].field;
	int32_t small;
	int64_t large;

	if (settings[i].type == SETTING_LONG) {
		memcpy(&large, at, sizeof large);
		return large;
	}
	memcpy(&small, at, sizeof small);
	return small;
}

/* Whether the k-th pair is the right way round; else with the reason in `why`. */
static bool
in_order(const struct config *c, size_t k, char *why, size_t size)
{
	size_t low = ordered[k].low, high = ordered[k].high;

	if (number(c, low) <= number(c, high) / ordered[k].part)
		return true;
	snprintf(why, size,
	    "%s is %" PRId64 " and above %s%s, which is %" PRId64 ": lower the one or raise the other",
	    settings[low].name, number(c, low), ordered[k].part_of, settings[high].name,
	    number(c, high));
	return false;
}

static void
check_numbers(const struct config *c, const char *file, struct buf *mistakes)
{
	char why[320];

	for (size_t k = 0; k < ORDERED; k++)
		if (!in_order(c, k, why, sizeof why))
			conf_late_mistake(&c->conf, file,
			    c->conf.text[ordered[k].low] != NULL ? ordered[k].low : ordered[k].high, why,
			    mistakes);
}

static void
check_places(struct config *c, const char *file, struct buf *mistakes)
{
	size_t i = c->conf.text[CONFIG_advertised_listeners] != NULL ? CONFIG_advertised_listeners
								: CONFIG_listeners;
	char why[480];

	if (c->log_dirs[0] == '\0' || strchr(c->log_dirs, ',') != NULL)
		conf_late_mistake(&c->conf, file, CONFIG_log_dirs,
		    "all data lies in one folder: name one, without commas", mistakes);
	if ((c->n_listen = listeners_parse(c->listeners, c->listen, why, sizeof why)) == -1)
		conf_late_mistake(&c->conf, file, CONFIG_listeners, why, mistakes);
	else if (listeners_advertise(
		     c->listen, c->n_listen, c->advertised_listeners, why, sizeof why) == -1) {
		/* What is missing is said of the key that it would be. */
		conf_mistake(mistakes, file, c->conf.text[i] == NULL ? -1 : c->conf.line[i],
		    "advertised.listeners", "%s", why);
	}
}

/* What has been said of it, whoever said it; NULL: nothing. */
static const char *
said(const struct config *c, size_t i)
{
	return c->altered[i] != NULL ? c->altered[i] : c->conf.text[i];
}

static const char *
value_text(const struct config *c, size_t i)
{
	return said(c, i) != NULL ? said(c, i) : settings[i].fallback;
}

/* A span of time in the unit of its row, in ms; what is negative means for ever. */
static int64_t
to_ms(int64_t n, int64_t unit)
{
	return n < 0 ? -1 : n * unit; /* the rows' limits keep it from overflowing */
}

/* One row that is a default of topics; its text has been found good. */
static void
set_topic_default(struct topic_config *to, size_t i, const char *text)
{
	const struct config_row *row = &config_rows[i];
	struct span name = span_str(topic_config_setting(row->topic)->setting.name);
	char ms[32], why[400];

	if (row->unit > 1) {
		snprintf(ms, sizeof ms, "%" PRId64, to_ms(strtoll(text, NULL, 10), row->unit));
		text = ms;
	}
	must(topic_config_set(to, name, span_str(text), why, sizeof why) == 0);
}

/* The table's order lets the finer unit come later and so go before the coarser. */
static void
set_layer(struct topic_config *to, const struct topic_config *behind, int8_t source, char *const *texts)
{
	topic_config_init(to, behind);
	to->source = source;
	for (size_t i = 0; i < CONFIG_PARAMS; i++)
		if (!is_field(i) && texts[i] != NULL)
			set_topic_default(to, i, texts[i]);
}

static void
set_topic_defaults(struct config *c)
{
	set_layer(&c->written_topic_defaults, NULL, SETTING_FROM_FILE, c->conf.text);
	set_layer(&c->topic_defaults, &c->written_topic_defaults, SETTING_FROM_ALTERED, c->altered);
}

static void
end_topic_defaults(struct config *c)
{
	topic_config_done(&c->topic_defaults);
	topic_config_done(&c->written_topic_defaults);
}

int
config_parse(struct config *c, const char *name, struct span text, const char *const *overrides,
    size_t n_overrides, struct buf *mistakes)
{
	size_t before = mistakes->n;

	memset(c, 0, sizeof *c);
	c->overrides = overrides;
	c->n_overrides = n_overrides;
	conf_init(&c->conf, &config_table, c);
	conf_take_file(&c->conf, name, text, mistakes);
	for (size_t i = 0; i < n_overrides; i++)
		conf_take_override(&c->conf, overrides[i], mistakes);
	check_numbers(c, name, mistakes);
	check_places(c, name, mistakes);
	set_topic_defaults(c);
	return mistakes->n == before ? 0 : -1;
}

/* Appends the whole file; -1 with a line in the mistakes. */
static int
read_file(const char *file, struct buf *out, struct buf *mistakes)
{
	uint8_t *to = buf_room(out, FILE_BYTES_MAX + 1);
	int fd = to == NULL ? -1 : file_open(file, FILE_READ);
	int64_t n = fd == -1 ? -1 : file_read(fd, to, FILE_BYTES_MAX + 1, 0);

	if (n == -1)
		conf_mistake(mistakes, file, -1, NULL,
		    "can't be read (%s): make it readable, or name another with -c",
		    strerror(errno));
	if (fd != -1)
		file_close(fd);
	if (n > FILE_BYTES_MAX) {
		conf_mistake(mistakes, file, -1, NULL,
		    "is larger than 1 MiB, and so no configuration: name another with -c");
		n = -1;
	}
	if (n == -1)
		return -1;
	out->n = (size_t)n;
	return 0;
}

int
config_load(struct config *c, const char *file, const char *const *overrides, size_t n_overrides,
    struct buf *mistakes)
{
	struct buf text = { 0 };
	int r = file == NULL ? 0 : read_file(file, &text, mistakes);

	if (config_parse(c, file, text.n == 0 ? span_str("") : buf_bytes(&text), overrides,
		n_overrides, mistakes) == -1)
		r = -1;
	c->file = file;
	buf_done(&text);
	return r;
}

void
config_done(struct config *c)
{
	end_topic_defaults(c);
	for (size_t i = 0; i < CONFIG_PARAMS; i++)
		free(c->altered[i]);
	conf_done(&c->conf);
	memset(c, 0, sizeof *c);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Takes over one setting that has changed. */
static void
adopt(struct config *c, struct config *fresh, size_t i)
{
	char why[320];

	free(c->conf.text[i]);
	c->conf.text[i] = fresh->conf.text[i];
	c->conf.line[i] = fresh->conf.line[i];
	fresh->conf.text[i] = NULL;
	must(setting_store(&settings[i], span_str(value_text(c, i)), c, why, sizeof why) == 0);
}

static int
adopt_all(struct config *c, struct config *fresh)
{
	char was[160], is[160];
	int taken = 0;

	for (size_t i = 0; i < CONFIG_PARAMS; i++) {
		const struct setting *s = &settings[i];

		if (same_text(conf_text(&c->conf, i), conf_text(&fresh->conf, i)))
			continue;
		diag_quote(was, sizeof was, span_str(conf_text(&c->conf, i)));
		diag_quote(is, sizeof is, span_str(conf_text(&fresh->conf, i)));
		if (!s->dynamic) {
			diag_warn("setting changed in the file, but needs a restart",
			    "name=%s in_force=%s in_file=%s", s->name, was, is);
			continue;
		}
		diag_info("setting changed", "name=%s from=%s to=%s", s->name, was, is);
		adopt(c, fresh, i);
		taken++;
	}
	return taken;
}

int
config_reload(struct config *c, struct buf *mistakes)
{
	struct config fresh;
	int r = config_load(&fresh, c->file, c->overrides, c->n_overrides, mistakes);

	if (r == 0) {
		r = adopt_all(c, &fresh);
		end_topic_defaults(c);
		set_topic_defaults(c);
	}
	config_done(&fresh);
	return r;
}

/* The text that an operation leaves; NULL when it takes the setting back, or with `why` when it is wrong. */
static char *
altered_text(const struct config *c, size_t i, int op, struct span value, char *why, size_t size)
{
	const struct setting *s = &settings[i];
	struct topic_config topic;
	struct setting_entry e;
	char *text = NULL;

	why[0] = '\0';
	if (op == TOPIC_CONFIG_DELETE)
		return NULL;
	value = setting_trim(value);
	if (config_rows[i].unit == 1) {
		/* A default of topics: its own table knows lists. */
		topic_config_copy(&topic, &c->topic_defaults);
		if (topic_config_alter(&topic, op, span_str(topic_config_setting(config_rows[i].topic)->setting.name),
		    value, why, size) == 0) {
			topic_config_entry(&topic, config_rows[i].topic, &e);
			text = xstrdup(e.value);
			why[0] = '\0';
		}
		topic_config_done(&topic);
	} else if (op != TOPIC_CONFIG_SET)
		snprintf(why, size, "%s is not a list: append and subtract are for lists, set the value instead", s->name);
	else if (value.p == NULL)
		snprintf(why, size, "%s: the value is missing", s->name);
	else if (setting_store(s, value, NULL, why, size) == 0) {
		text = xmalloc(value.n + 1);
		memcpy(text, value.p, value.n);
		text[value.n] = '\0';
		why[0] = '\0';
	}
	if (text != NULL && strlen(text) > ALTERED_BYTES_MAX) {
		snprintf(why, size, "%s: the value is too long: write at most %d bytes", s->name, ALTERED_BYTES_MAX);
		free(text);
		return NULL;
	}
	return text;
}

static void
put_in_force(struct config *c, size_t i)
{
	char why[320];

	must(setting_store(&settings[i], span_str(value_text(c, i)), c, why, sizeof why) == 0);
	if (!is_field(i)) {
		end_topic_defaults(c);
		set_topic_defaults(c);
	}
}

/* Makes one change, and keeps what was there in `before`. */
static int
alter_one(struct config *c, const struct setting_change *change, char **before, char *why, size_t size)
{
	size_t i = conf_find(&config_table, change->name);
	char *text;

	if (i == CONFIG_PARAMS) {
		/* As of topics. */
		if (change->op == TOPIC_CONFIG_DELETE)
			return 0;
		snprintf(why, size, "There is no such setting.");
		return -1;
	}
	if (!settings[i].dynamic) {
		snprintf(why, size, "%s can only be changed in the configuration file, with a restart.",
		    settings[i].name);
		return -2;
	}
	text = altered_text(c, i, change->op, change->value, why, size);
	if (why[0] != '\0')
		return -1;
	if (c->altered[i] != before[i])
		free(c->altered[i]); /* changed twice, by two of its names */
	c->altered[i] = text;
	put_in_force(c, i);
	return 0;
}

/* Ends what was altered, or what it was altered to, whichever is not to stay. */
static void
settle(struct config *c, char **before, bool stays)
{
	for (size_t i = 0; i < CONFIG_PARAMS; i++) {
		char *altered = c->altered[i];

		if (altered == before[i])
			continue;
		if (!stays) {
			c->altered[i] = before[i];
			put_in_force(c, i);
		}
		free(stays ? before[i] : altered);
	}
}

int
config_alter(struct config *c, const struct setting_change *changes, size_t n,
    bool (*keep)(void *ctx), void *ctx, char *why, size_t size)
{
	char *before[CONFIG_PARAMS];
	int r = 0;

	memcpy(before, c->altered, sizeof before);
	for (size_t i = 0; i < n && r == 0; i++)
		r = alter_one(c, &changes[i], before, why, size);
	/* Whether they go together is a matter of the whole. */
	for (size_t k = 0; k < ORDERED && r == 0; k++)
		r = in_order(c, k, why, size) ? 0 : -1;
	settle(c, before, r == 0 && keep(ctx));
	return r;
}

/* A default of topics is told as it is in force, in whatever unit it was written. */
static void
topic_default_value(const struct config *c, size_t i, struct setting_entry *e)
{
	struct setting_entry t;

	topic_config_entry(&c->topic_defaults, config_rows[i].topic, &t);
	e->value = t.value;
	e->source = t.source;
}

bool
config_entry(const struct config *c, size_t i, struct setting_entry *e)
{
	const struct setting *s;

	if (i >= CONFIG_PARAMS)
		return false;
	s = &settings[i];
	*e = (struct setting_entry){ .name = s->name,
		.value = value_text(c, i),
		.fallback = s->fallback,
		.doc = s->doc,
		.type = setting_wire_type(s->type),
		.source = c->conf.text[i] != NULL ? SETTING_FROM_FILE : SETTING_FROM_DEFAULT,
		.read_only = !s->dynamic };
	if (config_rows[i].unit == 1)
		topic_default_value(c, i, e);
	if (c->altered[i] != NULL)
		e->source = SETTING_FROM_ALTERED;
	if (e->source == SETTING_FROM_ALTERED)
		e->synonyms[e->n_synonyms++] = (struct setting_synonym){ s->name,
			c->altered[i] != NULL ? c->altered[i] : e->value, SETTING_FROM_ALTERED };
	if (c->conf.text[i] != NULL && c->altered[i] != NULL)
		e->synonyms[e->n_synonyms++] =
		    (struct setting_synonym){ s->name, c->conf.text[i], SETTING_FROM_FILE };
	if (e->source == SETTING_FROM_FILE)
		e->synonyms[e->n_synonyms++] =
		    (struct setting_synonym){ s->name, e->value, SETTING_FROM_FILE };
	if (s->fallback != NULL)
		e->synonyms[e->n_synonyms++] =
		    (struct setting_synonym){ s->name, s->fallback, SETTING_FROM_DEFAULT };
	return true;
}
