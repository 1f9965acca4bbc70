/*
 * diag.h -- what a process tells the people who run it: one event, one line.
 *
 *	2026-11-22T20:36:54.123Z warn segment sync failed topic=a partition=3
 *
 * The event text is constant, so that it can be searched for; what varies
 * follows as key=value.  error: someone must act.  warn: degraded.  info: life
 * cycle.  debug: off by default.  Nothing per message.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>

#include "base/bytes.h"

enum diag_level { DIAG_ERROR, DIAG_WARN, DIAG_INFO, DIAG_DEBUG };

/* Lines less important than this are dropped.  Default DIAG_INFO.  Any thread. */
void diag_set_level(enum diag_level);

/* The level of a name ("error", "warn", "info", "debug"); false when unknown. */
bool diag_level_parse(const char *name, enum diag_level *out);

/* Where lines go; NULL: standard error.  The line ends with a newline. */
void diag_set_sink(void (*sink)(const char *line, size_t n));

/* Writes one line.  `fmt` gives the key=value part, and may be "".  Any thread. */
void diag(enum diag_level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define diag_error(event, ...) diag(DIAG_ERROR, event, __VA_ARGS__)
#define diag_warn(event, ...) diag(DIAG_WARN, event, __VA_ARGS__)
#define diag_info(event, ...) diag(DIAG_INFO, event, __VA_ARGS__)
#define diag_debug(event, ...) diag(DIAG_DEBUG, event, __VA_ARGS__)

/*
 * Bytes that a stranger chose, made fit for a line: quoted, with everything
 * but printable ASCII escaped, cut to the size.  Returns `to`.
 */
char *diag_quote(char *to, size_t size, struct span from);

#endif
