/*
 * v3_record.h -- one record of the v3 interface: read from its JSON, and its receipt.
 *
 * {"partition_id":0,"headers":[{"name":"a","value":"base64"}],"key":{"type":"STRING","data":"k"},
 *  "value":{"type":"JSON","data":{...}},"timestamp":"2026-01-31T12:00:00Z"}
 */
#ifndef REST_PROXY_V3_RECORD_H
#define REST_PROXY_V3_RECORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "json/scan.h"
#include "json/write.h"
#include "libweir/producer.h"

/* What a record's key or value was given as. */
struct v3_part {
	const char *type; /* "JSON", ...; NULL: there is none */
	size_t size;      /* of the bytes */
};

struct v3_record {
	struct weir_record record; /* what it points to is in the arena, or in the text */
	struct v3_part key, value;
	bool entry;                /* of a batch, not of a stream */
	struct span id;            /* of an entry; null: none */
	/* Why it can't be written; code 0: it can.  In a stream the codes 422xx become 422, and stand in the text. */
	int code;
	const char *message;       /* arena */
	bool broken;               /* it is no JSON: nothing can follow it */
};

/*
 * Reads the record whose object has begun at the scan (its token is JSON_OBJECT) to the object's end.
 * `entry`: it is an entry of a batch.  A record that is wrong has its code; the scan goes on behind it unless
 * it is broken.
 */
void v3_record_read(struct json_scan *, struct arena *, bool entry, struct v3_record *out);

/* The fields of a receipt behind the first: cluster_id, topic_name ... value. */
void v3_record_put_receipt(struct json_out *, const struct v3_record *, const struct weir_receipt *,
    const char *cluster_id, const char *topic);

#endif
