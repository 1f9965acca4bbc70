/* pages.h -- a list that a registry answers page by page. */
#ifndef WEIR_PAGES_H
#define WEIR_PAGES_H

#include "weir/cli.h"

struct pages {
	struct cli *cli;
	struct weir_call call; /* less offset and limit; what it points to is borrowed */
	const char *what;      /* it lists, for messages */
	bool optional;         /* a registry that does not have the list is none that fails: it is `lacking` */

	struct arena arena;    /* the newest page: what it holds goes with the next one */
	const struct json *next;
	size_t offset, n_page;
	struct buf first;      /* owned; the first element of the newest page */
	bool lacking;
	enum status status;
};

/* Begins with the first one. */
void pages_begin(struct pages *, struct cli *, const struct weir_call *, const char *what);
void pages_done(struct pages *);

/*
 * The next element; it lives until the page ends.  NULL at the end, and where the registry fails, which is
 * said: then p->status is not STATUS_DONE.
 */
const struct json *pages_next(struct pages *p);

/* Whether pages_next() will ask for a page, and so let go of this one. */
static inline bool
pages_turns(const struct pages *p)
{
	return p->next == NULL;
}

#endif
