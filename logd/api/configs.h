/*
 * configs.h -- whose settings can be described and altered, and those of the
 * broker that were altered at run time, which are kept in the state.
 */
#ifndef API_CONFIGS_H
#define API_CONFIGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request.h"

struct topic;

/* Resources as DescribeConfigs and the Alter APIs number them. */
enum {
	RESOURCE_TOPIC = 2,
	RESOURCE_BROKER = 4,
	RESOURCE_BROKER_LOGGER = 8
};

/* The source of what is altered for all brokers, beside those of enum setting_source. */
enum { CONFIG_SOURCE_ALL_BROKERS = 3 };

/* What tells resources apart, for named.h: the type and the name; arena. */
struct span configs_key(struct request *, int8_t type, struct span name);

/* The topic, or the error with its reason in `why`. */
enum kafka_error configs_find_topic(const struct api *, struct span name, struct topic **,
    char *why, size_t size);

/*
 * Whether the name is that of this broker; or, where `all` allows it, empty,
 * which stands for all brokers.  Else INVALID_REQUEST, with `why`.
 */
enum kafka_error configs_check_broker(const struct api *, struct span name, bool all, char *why,
    size_t size);

/* INVALID_REQUEST, with `why`. */
enum kafka_error configs_unknown_type(int type, char *why, size_t size);

/* Makes durable which settings of the broker are altered, and how.  True: over already; as state_put(). */
bool configs_save_broker(struct request *, struct append *);

/* At the start: alters the broker's settings as they were altered before.  -1: logged. */
int configs_load_broker(struct api *);

#endif
