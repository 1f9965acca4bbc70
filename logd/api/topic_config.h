/*
 * topic_config.h -- the settings of a topic: what it has been given, and what
 * is in force.
 *
 * What a topic has not been given it takes from what was altered of the daemon at
 * run time, then from the daemon's file, and what stands nowhere there, from the
 * table's default.  The daemon's own values for topics are held in the same
 * struct, one behind the other.
 */
#ifndef API_TOPIC_CONFIG_H
#define API_TOPIC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/setting_entry.h"
#include "base/bytes.h"

/* The index of each setting, as topic_config_entry() counts. */
enum topic_param {
#define TOPIC_PARAM(type, field, ...) TOPIC_##field,
#define TOPIC_ONLY(type, field, ...) TOPIC_##field,
#include "api/topic_params.tbl"
	TOPIC_PARAMS
};

/* All values that a topic has been given together: its record must hold them. */
enum { TOPIC_CONFIG_BYTES_MAX = 64 * 1024 };

/* Bits of cleanup_policy, values of message_timestamp_type and compression_type, in the table's order. */
enum { CLEANUP_DELETE = 1, CLEANUP_COMPACT = 2 };
enum { TIMESTAMP_CREATE, TIMESTAMP_APPEND };
enum { COMPRESSION_PRODUCER, COMPRESSION_UNCOMPRESSED, COMPRESSION_GZIP, COMPRESSION_SNAPPY, COMPRESSION_LZ4, COMPRESSION_ZSTD };

struct topic_config {
	/* What is in force. */
#define TOPIC_PARAM(type, field, ...) SETTING_C_##type field;
#define TOPIC_ONLY(type, field, ...) SETTING_C_##type field;
#include "api/topic_params.tbl"
	char *set[TOPIC_PARAMS];             /* what has been given, owned; NULL: nothing */
	const struct topic_config *defaults; /* the daemon's, outlives this; or NULL */
	int8_t source;                       /* of what has been given: enum setting_source */
};

/* A row of the table: a topic's setting, and the daemon's that is its default (or NULL). */
struct topic_setting {
	struct setting setting;
	const char *synonym;
};

/* The table; i < TOPIC_PARAMS. */
const struct topic_setting *topic_config_setting(size_t i);

/* A topic's, nothing given yet (whoever holds the daemon's sets the source).  `defaults`: see the struct. */
void topic_config_init(struct topic_config *, const struct topic_config *defaults);
void topic_config_done(struct topic_config *);

/* Makes `to` (not initialised) the same as `from`, for a change that may be dropped. */
void topic_config_copy(struct topic_config *to, const struct topic_config *from);

/*
 * Gives a setting (copied without the blanks around it), or takes it away where
 * the value is null.  -1 with the reason in `why` when the name is unknown, the
 * value is wrong, or all values would be too long together; then nothing has
 * changed.
 */
int topic_config_set(struct topic_config *, struct span name, struct span value, char *why, size_t size);

/* Whether all that is in force goes together; -1 with the reason in `why`. */
int topic_config_check(const struct topic_config *, char *why, size_t size);

/* How IncrementalAlterConfigs numbers its operations. */
enum topic_config_op { TOPIC_CONFIG_SET, TOPIC_CONFIG_DELETE, TOPIC_CONFIG_APPEND, TOPIC_CONFIG_SUBTRACT };

/*
 * One operation of IncrementalAlterConfigs; APPEND and SUBTRACT are for lists,
 * and start from the value in force.  An unknown name may be deleted: tools delete
 * what they may have set, without looking.  As topic_config_set() otherwise.
 */
int topic_config_alter(struct topic_config *, int op, struct span name, struct span value,
    char *why, size_t size);

/* Takes up changed defaults.  Needed for each topic at once when they have changed. */
void topic_config_rebase(struct topic_config *);

/*
 * The i-th setting; false past the last.  Borrowed until the next change.  A
 * topic's own settings, which are what is kept of it, have SETTING_FROM_TOPIC.
 */
bool topic_config_entry(const struct topic_config *, size_t i, struct setting_entry *out);

#endif
