/*
 * client.h -- what all of libweir's handles have in common: settings, errors, records.
 *
 * libweir drives Kafka through librdkafka, and a schema registry through libcurl, and gives C
 * programs what they need of them in a few calls.  Nothing of either shows; librdkafka's settings
 * go through by their names.  Nothing in libweir ends the process: out of memory is an error like
 * others.
 */
#ifndef LIBWEIR_CLIENT_H
#define LIBWEIR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* A setting by librdkafka's name: "bootstrap.servers", "security.protocol" ...; of a registry by Confluent's. */
struct weir_setting {
	const char *key, *value;
};

enum weir_kind {
	WEIR_OK,
	WEIR_UNAUTHENTICATED,   /* the broker does not know who we are */
	WEIR_FORBIDDEN,         /* it does, and refuses */
	WEIR_UNKNOWN_TOPIC,     /* topic or partition: the broker has none such */
	WEIR_UNKNOWN_PARTITION, /* the topic is there, the partition is not */
	WEIR_TOPIC_EXISTS,
	WEIR_INVALID,           /* the request can't be fulfilled by anyone: names, numbers, settings */
	WEIR_TOO_LARGE,
	WEIR_ILLEGAL_STATE,     /* the handle can't do that now: assign while subscribed, seek without assignment */
	WEIR_RETRIABLE,         /* may work later: leader moving, broker gone, rebalance going on */
	WEIR_TIMEOUT,           /* no answer in time; of a produced record nobody knows whether it was written */
	WEIR_FULL,              /* the handle's queue is: try again when something was answered */
	WEIR_NO_MEMORY,
	WEIR_FAILED             /* anything else; the text tells */
};

struct weir_error {
	enum weir_kind kind;
	int code;       /* Kafka's error code where the broker gave one, the registry's error_code; else 0 */
	char text[256]; /* one sentence without line breaks; in Kafka's Java client's words where clients match on them */
};

struct weir_header {
	struct span name;  /* no zero bytes */
	struct span value; /* null: null */
};

/* A topic's partition with an offset, for positions and commits. */
struct weir_offset {
	const char *topic;
	int32_t partition;
	int64_t offset;      /* WEIR_NO_OFFSET: none; WEIR_BEGINNING, WEIR_END where allowed */
	const char *metadata; /* the note that goes with a commit; NULL: none */
};

/* Whether it may name a topic: 1 to 249 letters, digits, . _ -, but not . and .. alone. */
bool weir_is_topic_name(const char *);

#define WEIR_NO_OFFSET INT64_C(-1001)
#define WEIR_BEGINNING INT64_C(-2)
#define WEIR_END INT64_C(-1)

#endif
