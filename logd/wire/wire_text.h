/*
 * wire_text.h -- Kafka messages as text, for debug lines and protocol scripts.
 *
 *	{ max_wait_ms 100 topics [ { topic "t" partitions [ { partition 0 } ] } ] }
 *
 * A struct is { name value ... }, an array [ value ... ], with blanks or ends
 * of lines between.  A value is a decimal number, true or false, null, "text"
 * (with \" \\ and \xNN), x"hex" (bytes, records, uuid; also a string that is no
 * text), or, for an error, the name of its code.
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "wire/wire.h"

/*
 * Appends the message in one line, with all fields that the version has.
 * Two messages print alike exactly when they encode alike.
 */
void wire_print(struct buf *, const struct wire_message *, int version,
    const void *from);

/* A sticky reader of text. */
struct wire_text {
	struct span left;    /* what was not read yet; borrowed */
	struct arena *arena; /* where arrays and bytes go */
	char error[128];     /* "": none so far */
};

static inline void
wire_text_init(struct wire_text *t, struct span from, struct arena *arena)
{
	*t = (struct wire_text){ from, arena, "" };
}

/*
 * Reads one message and leaves what follows it in t->left.  Fields that are not
 * mentioned get their defaults; one that the version lacks is an error.  0, or
 * -1 with t->error.  What it fills in is arena.
 */
int wire_parse(struct wire_text *, const struct wire_message *, int version,
    void *to);

#endif
