/*
 * properties.h -- the syntax of configuration files: Java's properties.
 *
 *	# a comment; ! begins one, too
 *	key = value
 *	key : value
 *	key value
 *	key = a long value, \
 *	      continued
 *
 * A backslash takes the meaning from what follows it; \t, \n, \r, \f and \uXXXX
 * stand for characters.  Blanks around key and value don't count.  Pure.
 */
#ifndef BASE_PROPERTIES_H
#define BASE_PROPERTIES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

struct properties {
	struct span key, value; /* the entry found last; borrowed until the next; no zero bytes in them */
	int line;               /* the line on which it begins, from 1 */
	const char *mistake;    /* not NULL: why it can't be read, and what to do */

	const uint8_t *at, *end; /* what is still to be read; borrowed */
	int next_line;
	struct buf text;         /* the key and the value; owned */
};

/* Begins to read the text, which is borrowed until properties_done(). */
void properties_init(struct properties *, struct span text);
void properties_done(struct properties *);

/* The next entry, good or mistaken; false at the end. */
bool properties_next(struct properties *);

#endif
