/* configs.c -- whose settings can be described and altered. */
#include "api/configs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/record.h"
#include "api/topics.h"
#include "base/diag.h"
#include "base/xalloc.h"

/* The key of the broker's altered settings in the state. */
static const char state_key[] = "B";

struct span
configs_key(struct request *r, int8_t type, struct span name)
{
	uint8_t *key = request_alloc(r, 1 + name.n);

	key[0] = (uint8_t)type;
	if (name.n > 0)
		memcpy(key + 1, name.p, name.n);
	return span_of(key, 1 + name.n);
}

enum kafka_error
configs_find_topic(
    const struct api *api, struct span name, struct topic **topic, char *why, size_t size)
{
	*topic = topics_find(api, name);
	if (*topic != NULL)
		return KAFKA_NONE;
	if (topic_name_legal(name)) {
		snprintf(why, size, "There is no topic of this name.");
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	}
	snprintf(why, size, "No topic can have this name.");
	return KAFKA_INVALID_TOPIC_EXCEPTION;
}

enum kafka_error
configs_check_broker(const struct api *api, struct span name, bool all, char *why, size_t size)
{
	char self[16], quoted[80];

	if (all && name.n == 0)
		return KAFKA_NONE;
	snprintf(self, sizeof self, "%" PRId32, api->config.node_id);
	if (span_is(name, self))
		return KAFKA_NONE;
	snprintf(why, size, "There is no broker %s: the only one is %s%s.",
	    diag_quote(quoted, sizeof quoted, name), self,
	    all ? ", and an empty name stands for all brokers" : "");
	return KAFKA_INVALID_REQUEST;
}

enum kafka_error
configs_unknown_type(int type, char *why, size_t size)
{
	snprintf(why, size, "Resources of type %d have no settings here: use %d (topic) or %d (broker).",
	    type, RESOURCE_TOPIC, RESOURCE_BROKER);
	return KAFKA_INVALID_REQUEST;
}

/* The altered settings, from the arena. */
static void
fill_record(struct request *r, struct wire_broker_config_record *record)
{
	const struct api_config *config = &r->api->config;
	struct setting_entry e;
	size_t n = 0;

	for (size_t i = 0; config->broker_setting(config->ctx, i, &e); i++)
		n += e.source == SETTING_FROM_ALTERED;
	wire_broker_config_record_default(record);
	record->configs = request_array(r, n, sizeof *record->configs);
	for (size_t i = 0; config->broker_setting(config->ctx, i, &e); i++)
		if (e.source == SETTING_FROM_ALTERED)
			record->configs[record->n_configs++] = (struct wire_broker_config_record_config){
				span_str(e.name), span_str(e.value) };
}

bool
configs_save_broker(struct request *r, struct append *a)
{
	struct wire_broker_config_record record;

	fill_record(r, &record);
	return record_put(r->api, STATE_METADATA, span_str(state_key), "broker_config_record", &record, a);
}

static bool
keep(void *ctx)
{
	(void)ctx;
	return true;
}

static int
alter(const struct api_config *config, const struct setting_change *changes, size_t n, char *why, size_t size)
{
	return config->broker_alter(config->ctx, changes, n, keep, NULL, why, size);
}

/*
 * What can't be set any more is left out, since the file may have changed, or
 * this version of the daemon; but all that can go together is set together.
 */
static void
apply_record(const struct api_config *config, const struct wire_broker_config_record *record,
    struct setting_change *changes)
{
	char why[320], name[80];
	size_t n = record->n_configs;

	for (size_t i = 0; i < n; i++)
		changes[i] = (struct setting_change){ record->configs[i].name, TOPIC_CONFIG_SET,
			record->configs[i].value };
	if (alter(config, changes, n, why, sizeof why) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (alter(config, &changes[i], 1, why, sizeof why) != 0)
			diag_warn("altered setting of the broker left out", "name=%s why=\"%s\"",
			    diag_quote(name, sizeof name, changes[i].name), why);
}

int
configs_load_broker(struct api *api)
{
	struct wire_broker_config_record record;
	struct arena arena;
	int found = record_read(api, STATE_METADATA, span_str(state_key), "broker_config_record", &arena, &record);
	struct setting_change *changes;

	if (found == 1) {
		changes = xcalloc(record.n_configs, sizeof *changes);
		apply_record(&api->config, &record, changes);
		free(changes);
	}
	arena_done(&arena);
	return found == -1 ? -1 : 0;
}
