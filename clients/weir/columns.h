/* columns.h -- rows of words in columns that are as wide as they must be. */
#ifndef WEIR_COLUMNS_H
#define WEIR_COLUMNS_H

#include "base/buf.h"

enum { COLUMNS_MAX = 6 };

/* All zero has no rows yet. */
struct columns {
	struct buf words; /* owned; each ended by a zero */
	size_t n_columns, n_words;
	int width[COLUMNS_MAX];
};

/* Adds a row: a word for each column, ended by NULL.  All rows have as many as the first. */
void columns_row(struct columns *, const char *const words[]);

/* Appends all rows to the text, a line each, and frees them.  A last word that is empty leaves no blanks. */
void columns_put(struct columns *, struct buf *to);

#endif
