/*
 * admin.h -- what a cluster consists of, and how it is changed.
 *
 * Every call waits for its answer, up to the timeout.  Results lie in the arena that is
 * handed in.  False with `why` filled.  Any thread may use a handle.
 */
#ifndef LIBWEIR_ADMIN_H
#define LIBWEIR_ADMIN_H

#include "base/arena.h"
#include "libweir/client.h"

struct weir_admin;

struct weir_admin *weir_admin_new(const struct weir_setting *, size_t n, struct weir_error *why);
void weir_admin_free(struct weir_admin *);

struct weir_broker {
	int32_t id;
	const char *host;
	int32_t port;
};

struct weir_partition {
	int32_t id;
	int32_t leader;  /* -1: none */
	const int32_t *replicas, *in_sync;
	size_t n_replicas, n_in_sync;
};

/* Whether the broker's replica is in sync. */
bool weir_is_in_sync(const struct weir_partition *, int32_t broker);

struct weir_topic {
	const char *name;
	struct weir_partition *partitions; /* by id */
	size_t n_partitions;
};

struct weir_cluster {
	const char *id;     /* NULL: the broker has none */
	int32_t controller; /* -1: not known */
	struct weir_broker *brokers; /* by id */
	size_t n_brokers;
	struct weir_topic *topics;   /* by name */
	size_t n_topics;
};

/* The cluster with all of its topics; or with one (WEIR_UNKNOWN_TOPIC when there is none such); or, `topics` false, with none. */
bool weir_describe_cluster(struct weir_admin *, struct arena *, bool topics, int timeout_ms,
    struct weir_cluster *out, struct weir_error *why);
bool weir_describe_topic(struct weir_admin *, struct arena *, const char *topic, int timeout_ms,
    struct weir_cluster *out, struct weir_error *why);

/* The offsets of the first record and behind the last one. */
bool weir_watermarks(struct weir_admin *, const char *topic, int32_t partition, int timeout_ms,
    int64_t *first, int64_t *end, struct weir_error *why);

struct weir_config_entry {
	const char *name;
	const char *value;  /* NULL: not told (sensitive), or none */
	const char *source; /* "DYNAMIC_TOPIC_CONFIG", ... as Kafka names them */
	bool is_default, is_read_only, is_sensitive;
	struct weir_config_entry *synonyms;
	size_t n_synonyms;
};

/* The settings of a topic, by name. */
bool weir_describe_topic_configs(struct weir_admin *, struct arena *, const char *topic, int timeout_ms,
    struct weir_config_entry **out, size_t *n, struct weir_error *why);

struct weir_new_topic {
	const char *name;
	int32_t partitions;         /* -1: the broker's default */
	int16_t replication_factor; /* -1: the broker's default */
	const int32_t *const *assignments; /* for each partition its replicas; NULL: the broker chooses */
	const size_t *n_assigned;
	const struct weir_setting *configs;
	size_t n_configs;
	bool validate_only;
};

bool weir_create_topic(struct weir_admin *, const struct weir_new_topic *, int timeout_ms, struct weir_error *why);
bool weir_delete_topic(struct weir_admin *, const char *topic, int timeout_ms, struct weir_error *why);
bool weir_create_partitions(struct weir_admin *, const char *topic, int32_t total, int timeout_ms,
    struct weir_error *why);

#endif
