/* topic_config.c -- the settings of a topic: given, taken from the daemon, or default. */
#include "api/topic_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"

/* What a string of the protocol, and so of a topic's record, can hold. */
enum { VALUE_MAX = INT16_MAX };

static const struct topic_setting table[TOPIC_PARAMS] = {
#define TOPIC_PARAM(type, field, name, synonym, fallback, min, max, choices, doc) \
	{ { name, SETTING_##type, fallback, min, max, choices, \
	    offsetof(struct topic_config, field), true, doc }, synonym },
#define TOPIC_ONLY(type, field, name, fallback, min, max, choices, doc) \
	{ { name, SETTING_##type, fallback, min, max, choices, \
	    offsetof(struct topic_config, field), true, doc }, NULL },
#include "api/topic_params.tbl"
};

const struct topic_setting *
topic_config_setting(size_t i)
{
	must(i < TOPIC_PARAMS);
	return &table[i];
}

/* The text that is in force, and where it stands. */
static const char *
in_force(const struct topic_config *c, size_t i, int8_t *source)
{
	for (; c != NULL; c = c->defaults)
		if (c->set[i] != NULL) {
			*source = c->source;
			return c->set[i];
		}
	*source = SETTING_FROM_DEFAULT;
	return table[i].setting.fallback;
}

/* Makes the field what the text in force says; that text has been checked before. */
static void
refresh(struct topic_config *c, size_t i)
{
	char why[160];
	int8_t source;

	must(setting_store(
		 &table[i].setting, span_str(in_force(c, i, &source)), c, why, sizeof why) == 0);
}

void
topic_config_init(struct topic_config *c, const struct topic_config *defaults)
{
	memset(c, 0, sizeof *c);
	c->defaults = defaults;
	c->source = SETTING_FROM_TOPIC;
	topic_config_rebase(c);
}

void
topic_config_done(struct topic_config *c)
{
	for (size_t i = 0; i < TOPIC_PARAMS; i++)
		free(c->set[i]);
	memset(c, 0, sizeof *c);
}

void
topic_config_copy(struct topic_config *to, const struct topic_config *from)
{
	memset(to, 0, sizeof *to);
	to->defaults = from->defaults;
	to->source = from->source;
	for (size_t i = 0; i < TOPIC_PARAMS; i++)
		if (from->set[i] != NULL)
			to->set[i] = xstrdup(from->set[i]);
	topic_config_rebase(to);
}

void
topic_config_rebase(struct topic_config *c)
{
	for (size_t i = 0; i < TOPIC_PARAMS; i++)
		refresh(c, i);
}

/* The row of a name; -1 with `why` when there is none. */
static int
find(struct span name, char *why, size_t size)
{
	size_t nearest = SIZE_MAX;
	const char *meant = NULL;
	char quoted[80];

	for (int i = 0; i < TOPIC_PARAMS; i++)
		if (span_is(name, table[i].setting.name))
			return i;
	for (int i = 0; i < TOPIC_PARAMS; i++) {
		size_t distance = setting_distance(table[i].setting.name, name);

		if (distance < nearest) {
			nearest = distance;
			meant = table[i].setting.name;
		}
	}
	diag_quote(quoted, sizeof quoted, name);
	if (meant != NULL)
		snprintf(
		    why, size, "Unknown topic config name: %s; did you mean %s?", quoted, meant);
	else
		snprintf(why, size, "Unknown topic config name: %s", quoted);
	return -1;
}

/* What find() found, checked; the reason names the setting. */
static int
check(size_t i, struct span value, char *why, size_t size)
{
	char reason[320];

	if (value.n > VALUE_MAX) {
		snprintf(why, size, "%s: the value is too long: write at most %d bytes",
		    table[i].setting.name, VALUE_MAX);
		return -1;
	}
	if (value.p == NULL ||
	    setting_store(&table[i].setting, value, NULL, reason, sizeof reason) == 0)
		return 0;
	snprintf(why, size, "%s: %s", table[i].setting.name, reason);
	return -1;
}

/* "*", or a list of PARTITION:BROKER. */
static bool
are_replicas(const char *text)
{
	int partition, broker, n;

	if (text == NULL || text[0] == '\0' || strcmp(text, "*") == 0)
		return true;
	do {
		if (sscanf(text, " %d :%d %n", &partition, &broker, &n) != 2)
			return false;
		text += n;
	} while (*text++ == ',');
	return text[-1] == '\0';
}

int
topic_config_check(const struct topic_config *c, char *why, size_t size)
{
	if (c->min_compaction_lag_ms > c->max_compaction_lag_ms)
		snprintf(why, size, "conflict topic config setting min.compaction.lag.ms (%" PRId64 ") > max.compaction.lag.ms (%" PRId64 ")",
		    c->min_compaction_lag_ms, c->max_compaction_lag_ms);
	else if (c->compression_gzip_level == 0)
		snprintf(why, size, "compression.gzip.level: 0 is no level: write -1, or 1 to 9");
	else if (!are_replicas(c->leader_throttled_replicas) || !are_replicas(c->follower_throttled_replicas))
		snprintf(why, size, "throttled replicas are written as partition:broker, several by commas, or as *");
	else
		return 0;
	return -1;
}

static char *
text_of(struct span value)
{
	char *text;

	if (value.p == NULL)
		return NULL;
	text = xmalloc(value.n + 1);
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return text;
}

/* Whether this value has room beside the others that have been given. */
static int
check_room(const struct topic_config *c, size_t i, struct span value, char *why, size_t size)
{
	size_t n = value.n;

	for (size_t k = 0; k < TOPIC_PARAMS; k++)
		if (k != i && c->set[k] != NULL)
			n += strlen(c->set[k]);
	if (n <= TOPIC_CONFIG_BYTES_MAX)
		return 0;
	snprintf(why, size, "%s: all values that a topic is given may have %d bytes together: shorten some",
	    table[i].setting.name, TOPIC_CONFIG_BYTES_MAX);
	return -1;
}

static int
set(struct topic_config *c, size_t i, struct span value, char *why, size_t size)
{
	char *text;

	value = setting_trim(value);
	if (check(i, value, why, size) == -1 || check_room(c, i, value, why, size) == -1)
		return -1;
	text = text_of(value); /* a copy first: the value may lie in what is freed */
	free(c->set[i]);
	c->set[i] = text;
	refresh(c, i);
	return 0;
}

int
topic_config_set(
    struct topic_config *c, struct span name, struct span value, char *why, size_t size)
{
	int i = find(name, why, size);

	return i == -1 ? -1 : set(c, (size_t)i, value, why, size);
}

/* Adds to `out` the items of the list that are not in `without`, and not in `out` yet. */
static void
add_items(struct buf *out, const char *list, const char *without)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ",");
		const char *at = without;
		bool drop = n == 0;

		while (!drop && *at != '\0') {
			size_t m = strcspn(at, ",");

			drop = m == n && memcmp(at, list, n) == 0;
			at += m + (at[m] == ',');
		}
		if (!drop) {
			if (out->n > 0)
				buf_u8(out, ',');
			buf_put(out, list, n);
		}
		list += n + (list[n] == ',');
	}
}

static int
alter_list(struct topic_config *c, size_t i, int op, struct span value, char *why, size_t size)
{
	int8_t source;
	const char *now = in_force(c, i, &source);
	struct buf list = { 0 };
	char *items;
	int r;

	if (check(i, value, why, size) == -1)
		return -1;
	items = text_of(value);
	if (op == TOPIC_CONFIG_APPEND) {
		add_items(&list, now, items);
		add_items(&list, items, "");
	} else
		add_items(&list, now, items);
	buf_u8(&list, 0);
	must_fit(!list.failed);
	r = set(c, i, span_of(list.p, list.n - 1), why, size);
	buf_done(&list);
	free(items);
	return r;
}

int
topic_config_alter(
    struct topic_config *c, int op, struct span name, struct span value, char *why, size_t size)
{
	int i = find(name, why, size);

	if (i == -1)
		return op == TOPIC_CONFIG_DELETE ? 0 : -1;
	switch (op) {
	case TOPIC_CONFIG_DELETE:
		return set(c, (size_t)i, span_of(NULL, 0), why, size);
	case TOPIC_CONFIG_SET:
	case TOPIC_CONFIG_APPEND:
	case TOPIC_CONFIG_SUBTRACT:
		break;
	default:
		snprintf(why, size, "%s: there is no operation %d: use 0 (set) to 3 (subtract)",
		    table[i].setting.name, op);
		return -1;
	}
	if (value.p == NULL) {
		snprintf(why, size, "%s: the value is missing", table[i].setting.name);
		return -1;
	}
	if (op == TOPIC_CONFIG_SET)
		return set(c, (size_t)i, value, why, size);
	if (setting_wire_type(table[i].setting.type) != setting_wire_type(SETTING_LIST)) {
		snprintf(why, size,
		    "%s is not a list: append and subtract are for lists, set the value instead",
		    table[i].setting.name);
		return -1;
	}
	return alter_list(c, (size_t)i, op, value, why, size);
}

static void
add_synonym(struct setting_entry *e, const char *name, const char *value, int8_t source)
{
	e->synonyms[e->n_synonyms++] = (struct setting_synonym){ name, value, source };
}

bool
topic_config_entry(const struct topic_config *c, size_t i, struct setting_entry *e)
{
	const struct topic_setting *t;

	if (i >= TOPIC_PARAMS)
		return false;
	t = &table[i];
	*e = (struct setting_entry){ .name = t->setting.name,
		.fallback = t->setting.fallback,
		.doc = t->setting.doc,
		.type = setting_wire_type(t->setting.type) };
	e->value = in_force(c, i, &e->source);
	for (; c != NULL; c = c->defaults)
		if (c->set[i] != NULL)
			add_synonym(e, c->source == SETTING_FROM_TOPIC ? t->setting.name : t->synonym, c->set[i], c->source);
	add_synonym(e, t->synonym != NULL ? t->synonym : t->setting.name, t->setting.fallback,
	    SETTING_FROM_DEFAULT);
	return true;
}
