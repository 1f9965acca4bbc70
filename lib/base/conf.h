/*
 * conf.h -- a table of settings, and what has been written of them: defaults, the text
 * of a properties file over them, and what the command line sets over that.
 *
 * A program keeps its settings in a table (params.tbl), makes of it a struct and an array
 * of struct setting, and a conf that joins the two.  The same rows print the manual.
 * Belongs to one thread.  Runs out of memory: aborts; for programs only.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/setting.h"

/* Another name for a setting. */
struct conf_alias {
	const char *name;
	size_t setting; /* its place in the table */
};

/* Keys that begin so and are no setting are kept as they are, for another's table of settings. */
struct conf_prefix {
	const char *prefix; /* "client." */
	const char *doc;
};

struct conf_table {
	const struct setting *settings;
	size_t n;
	const struct conf_alias *aliases;   /* ended by a NULL name; NULL: none */
	const struct conf_prefix *prefixes; /* ended by a NULL prefix; NULL: none */
	const char *manual;               /* where names are looked up: "weir-logd.conf(5)" */
	/* The name to write instead of one that is known but belongs elsewhere, or NULL.  May be NULL. */
	const char *(*instead)(struct span key);
};

/* What was written of a key with a prefix. */
struct conf_extra {
	char *key, *value; /* owned */
	int line;          /* as below */
};

struct conf {
	const struct conf_table *table;
	void *into;  /* the struct that the settings' fields are in */
	char **text; /* what has been written of each; NULL: nothing.  Owned, and the values point into it */
	int *line;   /* on which line of the file; 0: on the command line */
	struct conf_extra *extras; /* owned; in the order written, of the same key the last counts */
	size_t n_extras;
};

/* Sets every field to its default; the struct must not move afterwards.  conf_done() frees what was written. */
void conf_init(struct conf *, const struct conf_table *, void *into);
void conf_done(struct conf *);

/* The place of a setting by one of its names; table->n when there is none. */
size_t conf_find(const struct conf_table *, struct span key);

/* Another name of the setting, or NULL. */
const char *conf_also(const struct conf_table *, size_t setting);

/* What has been written of it, or its default; NULL: none. */
const char *conf_text(const struct conf *, size_t setting);

/*
 * Takes up the text of a properties file that is called `file`, or one "key=value" of
 * the command line.  What is wrong adds a line to the mistakes, "FILE:LINE: key: what
 * is wrong and what to do", and is not taken up.
 */
void conf_take_file(struct conf *, const char *file, struct span text, struct buf *mistakes);
void conf_take_override(struct conf *, const char *assignment, struct buf *mistakes);

/*
 * Adds a line to the mistakes.  line 0: on the command line; -1: the file as a whole.
 * `file` may be NULL where there is none, and `key` where none is to blame.
 */
void conf_mistake(struct buf *mistakes, const char *file, int line, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* One that shows only when all is read: reported where the setting stands. */
void conf_late_mistake(const struct conf *, const char *file, size_t setting, const char *why,
    struct buf *mistakes);

#endif
