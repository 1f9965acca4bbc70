/*
 * import.h -- an export on its way into a registry: what `weir schema import` knows of it, and finds out first.
 */
#ifndef WEIR_IMPORT_H
#define WEIR_IMPORT_H

#include "base/map.h"
#include "weir/dump.h"
#include "weir/links.h"
#include "weir/schema.h"

/* What has to be done about a schema of the export. */
enum state {
	MISSING,
	THERE,       /* and the same */
	TO_DELETE,   /* there, but deleted in the export */
	REFUSED      /* the registry does not take it; that was said */
};

/* A schema of the export on its way. */
struct item {
	struct dump_schema s;
	enum state state;
	bool visited;     /* it, and what it refers to, are in the order */
};

/* A config or a mode of the export on its way. */
struct due {
	const struct dump_setting *s;
	bool missing;
};

/* A context that is imported into. */
struct space {
	const char *name;
	const char *mode_of; /* what /mode/ calls it; NULL: that of all */
	const char *before;  /* its mode; NULL: none was set */
	const char *after;   /* the same for when all has been imported */
	bool missing;        /* something of it is, or has to be deleted */
	bool switched;       /* it is in IMPORT mode for us */
};

struct import {
	struct cli *cli;
	struct arena *arena;   /* the command's */
	struct dump dump;
	struct item *items;    /* as many as the dump has schemas */
	struct item **order;   /* the same, what is referred to first */
	size_t n_order;
	struct map by_name;    /* owned; "SUBJECT\nVERSION" -> item */
	struct map by_id;      /* owned; "CONTEXT\nID" -> item */
	struct space *spaces;
	size_t n_spaces;
	struct links links;    /* the associations */
	struct due *configs, *modes; /* as many as the dump has */
	struct map looked_at;  /* owned; the places of which it is known whether they are open */
	size_t strangers;      /* schemas that the registry has and the export has not */
	size_t differences;    /* told so far */
	struct { int64_t registered, there, deleted, configs, modes; } n;
};

/* ---- import_look.c ---- */

/* A name and a number as a key of the maps; arena. */
struct span import_key(struct arena *, const char *name, int64_t number);

/* The export's version of a subject, or NULL. */
struct item *import_item(const struct import *, struct arena *, const char *subject, int64_t version);

/* The space of a context as /mode/ calls it, or NULL. */
struct space *import_space(const struct import *, const char *mode_of);

/* Tells a difference in a line; subject NULL: all subjects, version 0: it is of no version. */
void import_differs(struct import *, const char *subject, int64_t version, const char *what);

/* A schema as requests have it, with the version and the id that it is to get (`numbers`) or as it is looked for. */
void import_put_request(struct buf *, const struct item *, bool numbers);

/* The mode that is set at a place, or is in force there; NULL: none.  That of all is READWRITE where none is. */
enum status import_mode_of(struct import *, const char *subject, bool in_force, const char **out);

/* Compares all schemas that the registry has with the export: what is missing is known then, differences are told. */
enum status import_look(struct import *);

/* The same of settings, and of modes that would keep out what is missing.  After import_look(), with spaces. */
enum status import_look_at_settings(struct import *);

#endif
