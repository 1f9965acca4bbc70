/* names.c -- values under names, sorted by name. */
#include "registry/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"

struct names_piece {
	size_t n;
	struct names_entry entries[NAMES_PIECE];
};

void
names_done(struct names *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->pieces[i]);
	free(s->pieces);
	*s = (struct names){ 0 };
}

/* The first entry of a piece that is not before the name. */
static size_t
find_in(const struct names_piece *p, struct span name)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (span_compare(p->entries[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The piece that the name belongs to: the last that begins with it or before it, or the first. */
static size_t
find_piece(const struct names *s, struct span name)
{
	size_t low = 0, high = s->n;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (span_compare(s->pieces[middle]->entries[0].name, name) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
insert_piece(struct names *s, size_t at)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		s->pieces = xrealloc(s->pieces, s->cap * sizeof *s->pieces);
	}
	memmove(s->pieces + at + 1, s->pieces + at, (s->n - at) * sizeof *s->pieces);
	s->pieces[at] = xmalloc(sizeof **s->pieces);
	s->pieces[at]->n = 0;
	s->n++;
}

/* Halves a full piece. */
static void
split(struct names *s, size_t at)
{
	struct names_piece *left, *right;

	insert_piece(s, at + 1);
	left = s->pieces[at];
	right = s->pieces[at + 1];
	right->n = left->n / 2;
	left->n -= right->n;
	memcpy(right->entries, left->entries + left->n, right->n * sizeof *right->entries);
}

void
names_put(struct names *s, struct span name, void *value)
{
	struct names_piece *p;
	size_t piece, at;

	if (s->n == 0)
		insert_piece(s, 0);
	piece = find_piece(s, name);
	if (s->pieces[piece]->n == NAMES_PIECE) {
		split(s, piece);
		piece = find_piece(s, name);
	}
	p = s->pieces[piece];
	at = find_in(p, name);
	must(at == p->n || span_compare(p->entries[at].name, name) != 0);
	memmove(p->entries + at + 1, p->entries + at, (p->n - at) * sizeof *p->entries);
	p->entries[at] = (struct names_entry){ name, value };
	p->n++;
}

void
names_del(struct names *s, struct span name)
{
	size_t piece = find_piece(s, name), at;
	struct names_piece *p;

	if (s->n == 0)
		return;
	p = s->pieces[piece];
	at = find_in(p, name);
	if (at == p->n || span_compare(p->entries[at].name, name) != 0)
		return;
	p->n--;
	memmove(p->entries + at, p->entries + at + 1, (p->n - at) * sizeof *p->entries);
	if (p->n > 0)
		return;
	free(p);
	s->n--;
	memmove(s->pieces + piece, s->pieces + piece + 1, (s->n - piece) * sizeof *s->pieces);
}

names_place
names_from(const struct names *s, struct span name)
{
	size_t piece = find_piece(s, name);

	return s->n == 0 ? 0 : piece * NAMES_PIECE + find_in(s->pieces[piece], name);
}

const struct names_entry *
names_next(const struct names *s, names_place *place)
{
	size_t piece = *place / NAMES_PIECE, at = *place % NAMES_PIECE;

	/* Behind the last of a piece comes the first of the next. */
	if (piece < s->n && at >= s->pieces[piece]->n) {
		piece++;
		at = 0;
	}
	if (piece >= s->n)
		return NULL;
	*place = piece * NAMES_PIECE + at + 1;
	return &s->pieces[piece]->entries[at];
}
