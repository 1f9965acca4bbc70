/*
 * format.h -- the embedded formats of the v2 interface: how a key or a value stands in
 * JSON, and which bytes Kafka has of it.
 */
#ifndef REST_PROXY_FORMAT_H
#define REST_PROXY_FORMAT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "json/scan.h"
#include "json/write.h"

enum format {
	FORMAT_BINARY, /* base64 */
	FORMAT_JSON,   /* any JSON value, as it was sent less its white space */
	FORMATS
};

/* "binary", ...: the format of a name in any case; false when it is none. */
bool format_parse(struct span name, enum format *out);

/* The format of a media type in lower case: "application/vnd.kafka.binary.v2+json"; false when it is of none. */
bool format_of_type(struct span type, enum format *out);

/* The media type of a format. */
const char *format_type(enum format);

/*
 * Reads the value to come of a scan and appends its bytes; *null: it is null and has none.  False when it
 * can't be: then either the scan is broken, or `why` says what is wrong, with %s standing for the value.
 */
bool format_read(enum format, struct json_scan *, struct buf *to, bool *null, struct span *value,
    const char **why);

/* Puts the bytes (null: null) as JSON; false when they are none in this format. */
bool format_put(enum format, struct json_out *, struct span bytes);

#endif
