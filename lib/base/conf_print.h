/*
 * conf_print.h -- tables of settings, written for people: a page of the manual, a
 * reference page, a file to begin with.
 */
#ifndef BASE_CONF_PRINT_H
#define BASE_CONF_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/conf.h"

/* One table of the page, with its heading. */
struct conf_section {
	const char *title;               /* "Settings of the daemon" */
	const char *intro;               /* Markdown, before the table; NULL: none */
	const struct conf_table *table;
	const char *(*note)(size_t setting); /* a sentence after the setting's own, or NULL for none.  May be NULL */
	bool reloaded;                   /* whether it is worth saying which are taken up on SIGHUP */
	bool in_file;                    /* whether these stand in the program's file */
};

struct conf_page {
	const char *program; /* "weir-logd" */
	const char *intro;   /* Markdown, for the top of the reference page */
	const struct conf_section *sections;
	size_t n_sections;
};

/*
 * Appends the page as "man" (sections for the .conf page), "md" or "properties" (every
 * default as a comment).  False when the format is none of these.
 */
bool conf_print(const struct conf_page *, const char *format, struct buf *to);

#endif
