/* table.h -- figures as a table: aligned text, or Markdown. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS = 12, TABLE_ROWS = 32, TABLE_CELL = 80 };

struct table {
	const char *title; /* constant text */
	size_t n_columns, n_rows;
	size_t column; /* of the next cell in the last row */
	char cells[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL];
};

/*
 * An empty table.  `columns`: the heads, by `|`; one that begins with `<` is
 * aligned to the left, as names are.
 */
void table_begin(struct table *, const char *title, const char *columns);

/* Begins a row. */
void table_row(struct table *);

/* Puts the next cell of the last row; what is too long is cut off. */
void table_cell(struct table *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints it on standard output. */
void table_print(const struct table *, bool markdown);

#endif
