/* help.h -- what the tests of logd/wire have in common. */
#ifndef UNIT_WIRE_HELP_H
#define UNIT_WIRE_HELP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/gather.h"
#include "wire/wire.h"

/* The bytes of "00 1f  a0", arena. */
struct span help_hex(struct arena *, const char *hex);

/* The whole message as one run, in memory of just that size; arena. */
struct span help_flat(struct arena *, const struct gather *);

/* Encodes into one run; arena. */
struct span help_encode(struct arena *, const struct wire_message *,
    int version, const void *from);

/*
 * Decodes into a struct of the arena that was filled with noise before; NULL
 * when it is refused, with *error saying why if that is not NULL.
 */
void *help_decode(struct arena *, const struct wire_message *, int version,
    struct span from, const char **error);

/* The message as text, ended by a zero; arena. */
const char *help_print(struct arena *, const struct wire_message *,
    int version, const void *from);

/* The message of that name; the test fails when there is none. */
const struct wire_message *help_message(const char *name);

#endif
