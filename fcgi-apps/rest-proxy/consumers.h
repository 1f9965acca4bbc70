/*
 * consumers.h -- the consumer instances of this process: found by group and name, used by one
 * request at a time, ended when nobody has used them for a while.
 */
#ifndef REST_PROXY_CONSUMERS_H
#define REST_PROXY_CONSUMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libweir/consumer.h"
#include "rest-proxy/format.h"

struct consumers;

struct consumers_settings {
	const struct weir_setting *kafka; /* of every consumer; kept */
	size_t n_kafka;
	int max;                 /* instances */
	int instance_timeout_ms; /* without a request */
	int request_timeout_ms;  /* what an instance has unless it says otherwise */
	int min_bytes;           /* the same */
	int max_bytes;           /* of one answer */
};

/* One instance, as long as it is taken. */
struct instance {
	struct consumers *consumers; /* to which it belongs */
	struct weir_consumer *consumer;
	enum format format;
	int request_timeout_ms, min_bytes;
};

/* What a request for an instance says. */
struct instance_options {
	enum format format;
	const char *auto_offset_reset;   /* NULL: the client's default */
	const char *auto_commit_enable;
	int request_timeout_ms, min_bytes; /* as the settings', unless given */
};

enum consumers_result {
	CONSUMERS_OK,
	CONSUMERS_EXISTS,
	CONSUMERS_TOO_MANY,
	CONSUMERS_REFUSED /* by the Kafka client: `why` says */
};

struct consumers *consumers_new(const struct consumers_settings *);

/* Ends all instances: they leave their groups. */
void consumers_free(struct consumers *);

const struct consumers_settings *consumers_get_settings(const struct consumers *);

enum consumers_result consumers_create(struct consumers *, struct span group, struct span name,
    const struct instance_options *, struct weir_error *why);

/*
 * Takes an instance for a request, waiting until others have given it back; NULL: there is none
 * such (any more).  consumers_return() gives it back, and its time begins anew.  Any thread.
 */
struct instance *consumers_take(struct consumers *, struct span group, struct span name);
void consumers_return(struct instance *);

/* Ends an instance; false: there is none such. */
bool consumers_delete(struct consumers *, struct span group, struct span name);

/* How many there are. */
size_t consumers_count(struct consumers *);

#endif
