/* table.c -- figures as a table: aligned text, or Markdown. */
#include "bench/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

/* The heads are row 0, with their `<`. */
static const char *
text_of(const struct table *t, size_t row, size_t column)
{
	const char *cell = t->cells[row][column];

	return row == 0 && *cell == '<' ? cell + 1 : cell;
}

static bool
is_left(const struct table *t, size_t column)
{
	return t->cells[0][column][0] == '<';
}

void
table_begin(struct table *t, const char *title, const char *columns)
{
	size_t n;

	t->title = title;
	t->n_rows = 0;
	table_row(t);
	for (;; columns += n + 1) {
		n = strcspn(columns, "|");
		table_cell(t, "%.*s", (int)n, columns);
		if (columns[n] == '\0')
			break;
	}
	t->n_columns = t->column;
}

void
table_row(struct table *t)
{
	must(t->n_rows < TABLE_ROWS);
	memset(t->cells[t->n_rows++], 0, sizeof t->cells[0]);
	t->column = 0;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;

	must(t->column < TABLE_COLUMNS);
	va_start(ap, fmt);
	vsnprintf(t->cells[t->n_rows - 1][t->column++], TABLE_CELL, fmt, ap);
	va_end(ap);
}

static int
width_of(const struct table *t, size_t column)
{
	size_t row, n, width = 0;

	for (row = 0; row < t->n_rows; row++)
		if ((n = strlen(text_of(t, row, column))) > width)
			width = n;
	return (int)width;
}

static void
print_rule(const struct table *t)
{
	size_t column;

	for (column = 0; column < t->n_columns; column++)
		printf("|%s", is_left(t, column) ? "---" : "--:");
	puts("|");
}

static void
print_row(const struct table *t, size_t row, bool markdown)
{
	size_t column;

	for (column = 0; column < t->n_columns; column++) {
		int width = width_of(t, column);

		printf("%s%*s", markdown ? "| " : column == 0 ? "" : "  ", is_left(t, column) ? -width : width,
		    text_of(t, row, column));
		if (markdown)
			putchar(' ');
	}
	puts(markdown ? "|" : "");
}

void
table_print(const struct table *t, bool markdown)
{
	size_t row;

	printf(markdown ? "### %s\n\n" : "%s\n", t->title);
	for (row = 0; row < t->n_rows; row++) {
		print_row(t, row, markdown);
		if (row == 0 && markdown)
			print_rule(t);
	}
	putchar('\n');
	fflush(stdout);
}
