/* versions.h -- all versions of a registry's subjects, page by page. */
#ifndef WEIR_VERSIONS_H
#define WEIR_VERSIONS_H

#include "weir/pages.h"

/* A version, as GET /schemas tells it. */
struct version {
	const char *subject;
	int64_t version, id;
	bool deleted;
	const struct json *entity;
};

struct versions {
	struct cli *cli;
	bool deleted;        /* also deleted ones */

	struct pages pages;  /* of GET /schemas; what the newest one holds goes with the next */
	const char *subject; /* whose live versions `live` lists; in the page */
	const struct json *live;
	enum status status;
};

/*
 * Begins with the first one of the prefix, which is borrowed; NULL: of all subjects of all contexts, or of the one
 * that the registry's URL names.  `latest`: only the newest of each subject.
 */
void versions_begin(struct versions *, struct cli *, const char *prefix, bool deleted, bool latest);
void versions_done(struct versions *);

/*
 * The next version, sorted by subject and number; it lives until the page ends.  False at the end, and
 * where the registry fails, which is said: then v->status is not STATUS_DONE.
 */
bool versions_next(struct versions *v, struct version *out);

#endif
