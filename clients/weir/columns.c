/* columns.c -- rows of words in columns. */
#include "weir/columns.h"

#include <string.h>

#include "base/must.h"

/* Characters, as far as UTF-8 tells. */
static int
width_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void
columns_row(struct columns *c, const char *const words[])
{
	size_t n = 0;

	for (; words[n] != NULL; n++) {
		must(n < COLUMNS_MAX);
		buf_put(&c->words, words[n], strlen(words[n]) + 1);
		if (c->width[n] < width_of(words[n]))
			c->width[n] = width_of(words[n]);
	}
	must(c->n_columns == 0 || n == c->n_columns);
	c->n_columns = n;
	c->n_words += n;
}

void
columns_put(struct columns *c, struct buf *to)
{
	const char *word = (const char *)c->words.p;

	must_fit(!c->words.failed);
	for (size_t i = 0; i < c->n_words; i++, word += strlen(word) + 1) {
		size_t column = i % c->n_columns;

		buf_printf(to, "%s%s", column == 0 ? "" : "  ", word);
		if (column + 1 < c->n_columns)
			buf_printf(to, "%*s", c->width[column] - width_of(word), "");
		else {
			while (to->n > 0 && to->p[to->n - 1] == ' ')
				to->n--;
			buf_printf(to, "\n");
		}
	}
	buf_done(&c->words);
	*c = (struct columns){ 0 };
}
