/* wire_random.c -- valid messages by chance, for property tests and seeds. */
#include "wire/wire_random.h"

/* What is being filled; `failed` once the arena is exhausted. */
struct chance {
	uint64_t state;
	struct arena *arena;
	int version;
	bool failed;
};

static void fill_struct(struct chance *, const struct wire_struct *, void *to);

/* splitmix64: any seed will do, zero included. */
static uint64_t
draw(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t
below(struct chance *c, uint64_t n)
{
	return draw(c) % n;
}

/* Mostly short; at times long enough for a varint of two bytes. */
static size_t
draw_length(struct chance *c, const struct wire_field *f)
{
	if (f->kind == WIRE_KIND_RECORDS && below(c, 4) == 0)
		return (size_t)below(c, 3 * WIRE_COPY_MAX);
	return (size_t)below(c, below(c, 8) == 0 ? 300 : 12);
}

static struct span
draw_span(struct chance *c, const struct wire_field *f)
{
	size_t n = draw_length(c, f), i;
	uint8_t *p;

	if (!f->array && wire_allows_null(f, c->version) && below(c, 4) == 0)
		return (struct span){ NULL, 0 };
	if ((p = arena_alloc(c->arena, n)) == NULL) {
		c->failed = true;
		return (struct span){ NULL, 0 };
	}
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)draw(c);
	return span_of(p, n);
}

static int64_t
draw_number(struct chance *c)
{
	static const int64_t edges[] = { 0, 1, -1, INT8_MIN, INT8_MAX, INT16_MIN,
		INT16_MAX, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX };

	if (below(c, 2) == 0)
		return edges[below(c, sizeof edges / sizeof *edges)];
	return (int64_t)draw(c);
}

static void
fill_value(struct chance *c, const struct wire_field *f, void *to)
{
	size_t i;

	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		fill_struct(c, f->type, to);
		return;
	case WIRE_KIND_UUID:
		for (i = 0; i < 16; i++)
			((uint8_t *)to)[i] = (uint8_t)draw(c);
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		*(struct span *)to = draw_span(c, f);
		return;
	default:
		wire_store_number(f->kind, to, draw_number(c));
	}
}

static void
fill_array(struct chance *c, const struct wire_field *f, void *at)
{
	size_t size = wire_value_size(f), n = (size_t)below(c, 4), i;
	char *array;

	if (wire_allows_null(f, c->version) && below(c, 4) == 0) {
		wire_store_array(f, at, NULL, 0);
		return;
	}
	if ((array = arena_array(c->arena, n, size)) == NULL) {
		c->failed = true;
		return;
	}
	wire_store_array(f, at, array, n);
	for (i = 0; i < n; i++)
		fill_value(c, f, array + i * size);
}

static void
fill_pointer(struct chance *c, const struct wire_field *f, void *at)
{
	void *to;

	if (below(c, 4) == 0)
		return;
	if ((to = arena_alloc(c->arena, f->type->size)) == NULL) {
		c->failed = true;
		return;
	}
	wire_store_pointer(f, at, to);
	fill_value(c, f, to);
}

static void
fill_struct(struct chance *c, const struct wire_struct *s, void *to)
{
	size_t i;

	wire_default(s, to);
	for (i = 0; i < s->n_fields && !c->failed; i++) {
		const struct wire_field *f = &s->fields[i];

		if (!wire_has_field(f, c->version) ||
		    (f->tag >= 0 && below(c, 2) == 0))
			continue;
		if (f->array)
			fill_array(c, f, to);
		else if (wire_is_pointer(f))
			fill_pointer(c, f, to);
		else
			fill_value(c, f, (char *)to + f->offset);
	}
}

void *
wire_random(const struct wire_message *m, int version, uint64_t seed,
    struct arena *arena)
{
	struct chance c = { seed, arena, version, false };
	void *to = arena_alloc(arena, m->body->size);

	if (to == NULL)
		return NULL;
	fill_struct(&c, m->body, to);
	return c.failed ? NULL : to;
}
