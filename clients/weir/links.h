/*
 * links.h -- the associations of an export on their way into a registry.
 *
 * A frozen one is made together with the first schema of its subject, and can't be made later; the others
 * need their subject to be there.  What the registry refuses, or has otherwise, is told and stays as it is.
 */
#ifndef WEIR_LINKS_H
#define WEIR_LINKS_H

#include "base/map.h"
#include "weir/dump.h"

struct link {
	struct dump_association s;
	enum {
		LINK_MISSING,
		LINK_THERE, /* and the same */
		LINK_TOLD   /* the registry has another, or does not take it: that was said */
	} state;
	bool lives;         /* the export has a version of its subject that is not deleted */
	bool late;          /* the registry has one, and not by this import */
};

struct links {
	struct cli *cli;
	struct link *list; /* as many as the dump has; of the command's arena */
	size_t n;
	struct map frozen; /* owned; subject -> one that is frozen */
	bool lacking;      /* the registry has no associations at all */
	size_t differences; /* told so far */
	int64_t made, there;
};

void links_begin(struct links *, struct cli *, const struct dump *);
void links_done(struct links *);

/* Compares those of the registry with the export; differences are told. */
enum status links_look(struct links *);

/* How many of them are in a state. */
int64_t links_count(const struct links *, int state);

/* The one that is frozen of a subject; NULL: none is. */
struct link *links_frozen(const struct links *, const char *subject);

/* Whether it has to be made with the schema of its subject that is registered next. */
bool links_is_due(const struct links *, const struct link *);

/*
 * Makes it with a schema, which is the body of a registration.  *id is the schema's; 0: the registry does
 * not tell, or took neither of them, which is said then: the schema is to be registered without it.
 */
enum status links_make_with(struct links *, struct link *, struct span schema, int64_t *id);

/* Makes those that are still missing, when all schemas are there. */
enum status links_make_rest(struct links *);

#endif
