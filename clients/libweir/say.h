/* say.h -- errors of libweir's own, which no library below it has told; for libweir alone. */
#ifndef LIBWEIR_SAY_H
#define LIBWEIR_SAY_H

#include "libweir/client.h"

/* Fills the error; no code. */
void error_say(struct weir_error *, enum weir_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The text alone: cut to its size, and one line whatever it came as. */
void error_put_text(struct weir_error *, const char *text);

#endif
