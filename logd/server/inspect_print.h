/*
 * inspect_print.h -- what weir-logd inspect writes: one thing, one line.
 *
 *	batch topic=a partition=0 base_offset=0 ...
 *	{"type":"batch","topic":"a","partition":0,"base_offset":0,...}
 *
 * Belongs to one thread.
 */
#ifndef SERVER_INSPECT_PRINT_H
#define SERVER_INSPECT_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "json/write.h"

struct print {
	bool json;         /* set by the user: an object for each line */
	struct buf line;   /* owned */
	struct json_out out;
	bool failed;       /* standard output does not take it */
};

void print_begin(struct print *, const char *type);
void print_int(struct print *, const char *name, int64_t);
void print_bool(struct print *, const char *name, bool);
void print_str(struct print *, const char *name, const char *); /* NULL: left out */
void print_span(struct print *, const char *name, struct span); /* text */
/* Milliseconds since 1970: as a date where a person reads it. */
void print_time(struct print *, const char *name, int64_t ms);
/* Bytes of somebody: as text if they are; else NAME_base64.  Long ones are cut, with NAME_size to tell. */
void print_bytes(struct print *, const char *name, struct span);
/* Writes the line to standard output. */
void print_end(struct print *);
void print_done(struct print *);

#endif
