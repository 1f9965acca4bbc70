/* topics.c -- the topics there are: by name, by id, and in the daemon's state. */
#include "api/topics.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/fetch.h"
#include "api/offset_expiry.h"
#include "api/record.h"
#include "api/request.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "coord/consumer_groups.h"

enum { KEY = 17, RECORD_ARENA = 64 * 1024 * 1024 };

/* Of a setting, its name is in the record, too. */
_Static_assert(TOPIC_CONFIG_BYTES_MAX + TOPIC_PARAMS * 128 + TOPIC_NAME_MAX < STATE_VALUE_MAX,
    "whatever a topic is given, its record can be kept");

/* The key of a topic in the state: 'T' and its id. */
static struct span
state_key(const struct topic *t, uint8_t key[KEY])
{
	key[0] = 'T';
	memcpy(key + 1, t->id, sizeof t->id);
	return span_of(key, KEY);
}

struct topic *
topics_find(const struct api *api, struct span name)
{
	return map_get(&api->topics_by_name, name);
}

struct topic *
topics_find_id(const struct api *api, const uint8_t id[16])
{
	return map_get(&api->topics_by_id, span_of(id, 16));
}

struct topic_partition *
topic_partition(const struct topic *t, int32_t number)
{
	return t == NULL || number < 0 || number >= t->n_partitions ? NULL : t->partitions[number];
}

struct topic *
topics_next(const struct api *api, size_t *it)
{
	return map_next(&api->topics_by_name, it);
}

static int
by_name(const void *a, const void *b)
{
	const struct topic *const *x = a, *const *y = b;

	return span_compare((*x)->name, (*y)->name);
}

struct topic **
topics_sorted(const struct api *api, size_t *n)
{
	struct topic **all = xcalloc(api->topics_by_name.n, sizeof(struct topic *)), *t;
	size_t it = 0;

	*n = 0;
	while ((t = topics_next(api, &it)) != NULL)
		all[(*n)++] = t;
	if (*n > 1)
		qsort(all, *n, sizeof(struct topic *), by_name);
	return all;
}

/* ---- names and numbers that are asked for ---- */

bool
topic_name_legal(struct span name)
{
	if (name.p == NULL || name.n == 0 || name.n > TOPIC_NAME_MAX || span_is(name, ".") ||
	    span_is(name, ".."))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

/* In Kafka these are topics of the broker's own.  Nobody is to take one of ours for them. */
static bool
is_reserved(struct span name)
{
	return span_is(name, "__consumer_offsets") || span_is(name, "__transaction_state");
}

/*
 * Names that differ in '.' and '_' only would be one name to metrics systems:
 * this is the same for them all.
 */
static struct span
fold(struct span name, uint8_t folded[])
{
	for (size_t i = 0; i < name.n; i++)
		folded[i] = name.p[i] == '.' ? '_' : name.p[i];
	return span_of(folded, name.n);
}

enum kafka_error
topics_check_name(const struct api *api, struct span name, char *why, size_t size)
{
	uint8_t folded[TOPIC_NAME_MAX];
	struct topic *t;

	if (!topic_name_legal(name)) {
		snprintf(why, size,
		    "A topic's name has 1 to %d of the characters a-z, A-Z, 0-9, '.', '_' and '-', and is neither '.' nor '..'.",
		    TOPIC_NAME_MAX);
		return KAFKA_INVALID_TOPIC_EXCEPTION;
	}
	if (is_reserved(name)) {
		snprintf(why, size,
		    "'%.*s' is a topic of the broker's own in Kafka; here what it would hold is kept elsewhere. Choose another name.",
		    (int)name.n, (const char *)name.p);
		return KAFKA_INVALID_TOPIC_EXCEPTION;
	}
	if ((t = map_get(&api->topics_by_folded, fold(name, folded))) == NULL)
		return KAFKA_NONE;
	if (span_eq(t->name, name)) {
		snprintf(why, size, "Topic '%.*s' already exists.", (int)name.n, (const char *)name.p);
		return KAFKA_TOPIC_ALREADY_EXISTS;
	}
	snprintf(why, size, "Topic '%.*s' collides with the topic '%.*s': '.' and '_' count as the same.",
	    (int)name.n, (const char *)name.p, (int)t->name.n, (const char *)t->name.p);
	return KAFKA_INVALID_TOPIC_EXCEPTION;
}

static int
wanted_replicas(const struct api *api, int replicas)
{
	return replicas == -1 ? api->config.default_replication_factor : replicas;
}

enum kafka_error
topics_check_replicas(const struct api *api, int replicas, char *why, size_t size)
{
	replicas = wanted_replicas(api, replicas);
	if (replicas < 1) {
		snprintf(why, size, "The replication factor must be larger than 0, or -1 for the default.");
		return KAFKA_INVALID_REPLICATION_FACTOR;
	}
	if (replicas == 1)
		return KAFKA_NONE;
	if (api->config.replication_factor_strict) {
		snprintf(why, size,
		    "Replication factor %d is larger than the number of brokers, which is 1 (weir.replication.factor.strict is set).",
		    replicas);
		return KAFKA_INVALID_REPLICATION_FACTOR;
	}
	return KAFKA_NONE;
}

void
topics_tell_replicas(const struct api *api, struct span name, int replicas)
{
	char quoted[TOPIC_NAME_MAX * 4 + 8];

	replicas = wanted_replicas(api, replicas);
	if (replicas > 1)
		diag_warn("one replica granted", "topic=%s asked=%d", diag_quote(quoted, sizeof quoted, name), replicas);
}

/* ---- in memory ---- */

static struct partition_config
log_config(const struct api *api, const struct topic *t)
{
	const struct topic_config *c = &t->config;

	return (struct partition_config){
		.segment_bytes = c->segment_bytes,
		.segment_ms = c->segment_ms,
		.max_message_bytes = c->max_message_bytes,
		.compacted = (c->cleanup_policy & CLEANUP_COMPACT) != 0,
		.deletes = (c->cleanup_policy & CLEANUP_DELETE) != 0,
		.retention_ms = c->retention_ms,
		.retention_bytes = c->retention_bytes,
		.delete_retention_ms = c->delete_retention_ms,
		.min_compaction_lag_ms = c->min_compaction_lag_ms,
		.max_compaction_lag_ms = c->max_compaction_lag_ms,
		.min_dirty_ratio = c->min_cleanable_dirty_ratio,
		.log_append_time = c->message_timestamp_type == TIMESTAMP_APPEND,
		.timestamp_before_max_ms = c->message_timestamp_before_max_ms,
		.timestamp_after_max_ms = c->message_timestamp_after_max_ms,
		.producer_expiry_ms = api->config.producer_id_expiration_ms,
	};
}

static void
add_partitions(struct api *api, struct topic *t, int32_t n)
{
	struct partition_config config = log_config(api, t);
	struct partition_id id;

	memcpy(id.topic, t->id, sizeof id.topic);
	t->partitions = xrealloc(t->partitions, (size_t)n * sizeof(struct topic_partition *));
	for (; t->n_partitions < n; t->n_partitions++) {
		struct topic_partition *tp = xcalloc(1, sizeof *tp);

		id.number = tp->number = t->n_partitions;
		tp->topic = t;
		list_init(&tp->waiters);
		tp->log = store_open_partition(api->store, &id, &config);
		partition_set_user(tp->log, tp);
		t->partitions[t->n_partitions] = tp;
	}
	groups_topic(api->groups, t->name, t->id, t->n_partitions);
}

/* A topic that nobody finds yet. */
static struct topic *
new_topic(const uint8_t id[16], struct span name, const struct topic_config *config, int64_t created_ms)
{
	struct topic *t = xcalloc(1, sizeof *t);

	memcpy(t->id, id, sizeof t->id);
	t->name = span_of(xmemdup(name.p, name.n), name.n);
	t->folded = fold(name, xmalloc(name.n));
	t->created_ms = created_ms;
	topic_config_copy(&t->config, config);
	return t;
}

static void
enter(struct api *api, struct topic *t)
{
	must_fit(map_put(&api->topics_by_name, t->name, t));
	must_fit(map_put(&api->topics_by_folded, t->folded, t));
	must_fit(map_put(&api->topics_by_id, span_of(t->id, sizeof t->id), t));
	api->topics_version++;
}

static void
leave(struct api *api, struct topic *t)
{
	map_del(&api->topics_by_name, t->name);
	map_del(&api->topics_by_folded, t->folded);
	map_del(&api->topics_by_id, span_of(t->id, sizeof t->id));
	api->topics_version++;
	groups_topic_gone(api->groups, t->name);
}

static void
free_topic(struct topic *t)
{
	for (int32_t i = 0; i < t->n_partitions; i++)
		free(t->partitions[i]);
	free(t->partitions);
	topic_config_done(&t->config);
	free((void *)(uintptr_t)t->name.p);
	free((void *)(uintptr_t)t->folded.p);
	free(t);
}

void
topics_free(struct api *api)
{
	struct topic *t;
	size_t it = 0;

	while ((t = topics_next(api, &it)) != NULL)
		free_topic(t);
	map_done(&api->topics_by_name);
	map_done(&api->topics_by_folded);
	map_done(&api->topics_by_id);
}

/* ---- in the state ---- */

/* Writes what the topic is to be.  Only when a->error says that this was taken may it become so. */
static bool
save(struct api *api, const struct topic *t, int32_t n_partitions, const struct topic_config *config,
    struct append *a)
{
	struct wire_topic_record record;
	struct wire_topic_record_config configs[TOPIC_PARAMS];
	struct setting_entry entry;
	uint8_t key[KEY];

	wire_topic_record_default(&record);
	record.name = t->name;
	record.partitions = n_partitions;
	record.created_ms = t->created_ms;
	record.configs = configs;
	for (size_t i = 0; topic_config_entry(config, i, &entry); i++)
		if (entry.source == SETTING_FROM_TOPIC)
			configs[record.n_configs++] = (struct wire_topic_record_config){
				span_str(entry.name), span_str(entry.value) };
	return record_put(api, STATE_METADATA, state_key(t, key), "topic_record", &record, a);
}

struct load {
	struct api *api;
	struct list found;
	bool bad;
};

/* The walk may not call the store, so what it finds is opened after it. */
struct loaded {
	struct list link;
	struct topic *topic;
	int32_t partitions;
};

static bool
load_one(void *ctx, struct span key, struct span value)
{
	struct load *load = ctx;
	struct wire_topic_record record;
	struct topic_config config;
	struct loaded *l;
	struct wire_in in;
	struct arena arena;
	char why[256];

	arena_init(&arena, RECORD_ARENA);
	wire_in_init(&in, value, &arena);
	if (key.n != KEY || wire_topic_record_decode(&in, &record) == -1 ||
	    record.partitions < 1 || record.partitions > TOPIC_PARTITIONS_MAX) {
		diag_error("topic can't be read from the state", "error=\"%s\"", in.error == NULL ? "bad values" : in.error);
		load->bad = true;
		arena_done(&arena);
		return false;
	}
	topic_config_init(&config, load->api->config.topic_defaults);
	for (size_t i = 0; i < record.n_configs; i++)
		/* A setting that this version does not know any more is left out. */
		if (topic_config_set(&config, record.configs[i].name, record.configs[i].value, why, sizeof why) == -1)
			diag_warn("setting of a topic left out", "why=\"%s\"", why);
	l = xcalloc(1, sizeof *l);
	l->topic = new_topic(key.p + 1, record.name, &config, record.created_ms);
	l->partitions = record.partitions;
	list_add(&load->found, &l->link);
	topic_config_done(&config);
	arena_done(&arena);
	return true;
}

/*
 * Two topics of one name: from before a deletion that failed left nothing
 * behind.  The older is what somebody wanted to be rid of; its files are swept.
 */
static void
forget(struct api *api, struct topic *older)
{
	char quoted[TOPIC_NAME_MAX * 4 + 8], id[UUID_TEXT + 1];
	uint8_t key[KEY];
	struct state_entry entry = { state_key(older, key), span_of(NULL, 0) };

	uuid_text(older->id, id);
	diag_warn("two topics of one name, of which the older is deleted", "topic=%s id=%s",
	    diag_quote(quoted, sizeof quoted, older->name), id);
	record_put_unawaited(api, STATE_METADATA, &entry, 1);
	free_topic(older);
}

static void
open_loaded(struct api *api, struct loaded *l)
{
	struct topic *t = l->topic, *other = topics_find(api, t->name);

	if (other != NULL && other->created_ms > t->created_ms) {
		forget(api, t);
		return;
	}
	if (other != NULL) {
		leave(api, other);
		forget(api, other);
	}
	enter(api, t);
	add_partitions(api, t, l->partitions);
}

int
topics_load(struct api *api)
{
	struct load load = { .api = api };

	list_init(&load.found);
	state_each(api->store, STATE_METADATA, span_str("T"), load_one, &load);
	list_each(it, &load.found) {
		struct loaded *l = container_of(it, struct loaded, link);

		open_loaded(api, l);
		free(l);
	}
	return load.bad ? -1 : 0;
}

/*
 * ---- changes ----
 *
 * The record goes before what it says: a write that the disk refuses, which is
 * known at once, changes nothing.  One that it took and that does not become
 * durable ends the daemon.  So memory is never ahead of what the next start finds.
 */

bool
topics_create(struct api *api, struct span name, int32_t n_partitions,
    const struct topic_config *config, struct append *a, struct topic **made)
{
	uint8_t id[16];
	struct topic *t;
	bool over;

	/* Ids that begin with zeros are the daemon's own and Kafka's reserved ones. */
	do
		store_random(id, sizeof id);
	while (load64(id) == 0);
	t = new_topic(id, name, config, loop_wall_ms(api->loop));
	over = save(api, t, n_partitions, config, a);
	if (a->error == STORE_OK) {
		enter(api, t);
		add_partitions(api, t, n_partitions);
	} else {
		free_topic(t);
		t = NULL;
	}
	*made = t;
	return over;
}

bool
topics_grow(struct api *api, struct topic *t, int32_t n_partitions, struct append *a)
{
	bool over = save(api, t, n_partitions, &t->config, a);

	if (a->error == STORE_OK)
		add_partitions(api, t, n_partitions);
	return over;
}

static void
apply_config(const struct api *api, struct topic *t)
{
	struct partition_config config = log_config(api, t);

	for (int32_t i = 0; i < t->n_partitions; i++)
		partition_configure(t->partitions[i]->log, &config);
}

bool
topics_configure(struct api *api, struct topic *t, const struct topic_config *config, struct append *a)
{
	bool over = save(api, t, t->n_partitions, config, a);

	if (a->error == STORE_OK) {
		topic_config_done(&t->config);
		topic_config_copy(&t->config, config);
		apply_config(api, t);
	}
	return over;
}

void
topics_rebase(struct api *api)
{
	struct topic *t;
	size_t it = 0;

	while ((t = topics_next(api, &it)) != NULL) {
		topic_config_rebase(&t->config);
		apply_config(api, t);
	}
}

/* A topic whose end is being made durable; its files go after that. */
struct ending {
	struct append append;
	struct append *user;
	struct api *api;
	struct topic *topic;
};

/* Nobody finds it any more, its fetches are told, and what was committed of it goes. */
static void
withdraw(struct api *api, struct topic *t)
{
	leave(api, t);
	for (int32_t i = 0; i < t->n_partitions; i++) {
		fetch_wake(api, t->partitions[i]);
		partition_set_user(t->partitions[i]->log, NULL);
	}
	offset_expiry_soon(api);
}

static void
end_topic(struct ending *e)
{
	struct topic *t = e->topic;

	if (e->append.error == STORE_OK)
		for (int32_t i = 0; i < t->n_partitions; i++)
			store_delete_partition(e->api->store, t->partitions[i]->log);
	free_topic(t);
}

static void
end_stored(struct append *a)
{
	struct ending *e = container_of(a, struct ending, append);
	struct append *user = e->user;

	end_topic(e);
	user->error = a->error;
	free(e);
	user->done(user);
}

bool
topics_delete(struct api *api, struct topic *t, struct append *a)
{
	struct ending *e = xcalloc(1, sizeof *e);
	uint8_t key[KEY];
	struct state_entry entry = { state_key(t, key), span_of(NULL, 0) };
	bool over;

	*e = (struct ending){ .append = { .done = end_stored }, .user = a, .api = api, .topic = t };
	over = state_put(api->store, STATE_METADATA, &entry, 1, loop_wall_ms(api->loop), &e->append);
	if (e->append.error == STORE_OK)
		withdraw(api, t);
	if (!over)
		return false;
	if (e->append.error == STORE_OK)
		end_topic(e);
	a->error = e->append.error;
	free(e);
	return true;
}
