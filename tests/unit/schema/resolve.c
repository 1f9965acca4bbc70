/*
 * resolve.c -- reading a value as another schema has it.
 *
 * Errors are met where the bytes lead to them, as in Avro's Java library: an empty array of
 * what the reader can't read is read, though the specification says that such schemas do not
 * match.
 */
#include "unit/schema/resolve.h"

struct input {
	struct span rest;
	enum resolve_result result; /* the first that was not RESOLVE_READ */
};

static void read_value(struct input *, const struct avro_node *reader,
    const struct avro_node *writer);

static void
stop(struct input *in, enum resolve_result why)
{
	if (in->result == RESOLVE_READ)
		in->result = why;
}

/*
 * Unqualified names, as the specification and Java's SchemaCompatibility have it; or an alias
 * of the reader's is the writer's full name.  Java's decoder asks for the full name in unions
 * and for none of a record elsewhere: it is not the measure.
 */
static bool
same_name(const struct avro_named *r, const struct avro_named *w)
{
	if (span_eq(r->name.simple, w->name.simple))
		return true;
	for (size_t i = 0; i < r->aliases.n; i++) {
		const struct avro_name *alias = &r->aliases.list[i];

		/* Java keeps one that leads out of a namespace as ".N", which is nobody's name. */
		if (alias->space.p == NULL && r->name.space.p != NULL)
			continue;
		if (avro_compare_names(alias, &w->name) == 0)
			return true;
	}
	return false;
}

/* By the writer's type, what it may be promoted to. */
static bool
is_promotable(enum avro_type writer, enum avro_type reader)
{
	static const unsigned to[AVRO_FIXED + 1] = {
		[AVRO_INT] = 1u << AVRO_LONG | 1u << AVRO_FLOAT | 1u << AVRO_DOUBLE,
		[AVRO_LONG] = 1u << AVRO_FLOAT | 1u << AVRO_DOUBLE,
		[AVRO_FLOAT] = 1u << AVRO_DOUBLE,
		[AVRO_STRING] = 1u << AVRO_BYTES,
		[AVRO_BYTES] = 1u << AVRO_STRING,
	};

	return (to[writer] >> reader & 1) != 0;
}

/* Whether two types match that are no unions, without what is inside of them; or why not. */
static enum resolve_result
match(const struct avro_node *r, const struct avro_node *w)
{
	if (r->type != w->type)
		return is_promotable(w->type, r->type) ? RESOLVE_READ : RESOLVE_TYPE;
	if (avro_is_named(r->type) && !same_name(r->named, w->named))
		return RESOLVE_NAME;
	if (r->type == AVRO_FIXED && r->named->size != w->named->size)
		return RESOLVE_SIZE;
	return RESOLVE_READ;
}

/*
 * The first branch of a reader's union that matches, or NULL.  Itself when it is no union, or
 * when the writer's is one and its branch not chosen yet.
 */
static const struct avro_node *
branch(const struct avro_node *r, const struct avro_node *w)
{
	if (r->type != AVRO_UNION || w->type == AVRO_UNION)
		return r;
	for (size_t i = 0; i < r->n_branches; i++)
		if (match(r->branches[i], w) == RESOLVE_READ)
			return r->branches[i];
	return NULL;
}

static bool
has_alias(const struct avro_field *f, struct span name)
{
	for (size_t i = 0; i < f->aliases.n; i++)
		if (span_eq(f->aliases.list[i].simple, name))
			return true;
	return false;
}

/* Whether the reader's field is what the writer wrote as this one. */
static bool
is_field(const struct avro_field *r, const struct avro_field *w)
{
	return span_eq(r->name, w->name) || has_alias(r, w->name);
}

static const struct avro_node *
field_for(const struct avro_named *r, const struct avro_field *w)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (is_field(&r->fields[i], w))
			return r->fields[i].type;
	return NULL;
}

static bool
is_written(const struct avro_field *r, const struct avro_named *w)
{
	for (size_t i = 0; i < w->n_fields; i++)
		if (is_field(r, &w->fields[i]))
			return true;
	return false;
}

const struct avro_node *
resolve_inside(const struct avro_node *r, const struct avro_node *w, size_t choice)
{
	if (r == NULL || w->type == AVRO_UNION)
		return r;
	r = branch(r, w);
	if (r == NULL || r->type != w->type)
		return NULL;
	if (w->type == AVRO_RECORD)
		return field_for(r->named, &w->named->fields[choice]);
	return w->type == AVRO_ARRAY || w->type == AVRO_MAP ? r->element : NULL;
}

static void
skip(struct input *in, uint64_t n)
{
	if (n > in->rest.n) {
		stop(in, RESOLVE_MALFORMED);
		return;
	}
	in->rest = span_of(in->rest.p + n, in->rest.n - (size_t)n);
}

static int64_t
read_number(struct input *in)
{
	uint64_t z = 0;

	for (unsigned shift = 0; shift < 64 && in->rest.n > 0; shift += 7) {
		uint8_t byte = *in->rest.p;

		skip(in, 1);
		z |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (int64_t)(z >> 1 ^ ((z & 1) != 0 ? UINT64_MAX : 0));
	}
	stop(in, RESOLVE_MALFORMED);
	return 0;
}

/* A number below n. */
static size_t
read_index(struct input *in, size_t n)
{
	uint64_t i = (uint64_t)read_number(in);

	if (i >= n)
		stop(in, RESOLVE_MALFORMED);
	return in->result == RESOLVE_READ ? (size_t)i : 0;
}

static void
read_int(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	int64_t n = read_number(in);

	(void)r;
	if (w->type == AVRO_INT && (n < INT32_MIN || n > INT32_MAX))
		stop(in, RESOLVE_MALFORMED);
}

static void
read_bytes(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	(void)r;
	(void)w;
	skip(in, (uint64_t)read_number(in));
}

/* What has a size of its own. */
static void
read_fixed(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	static const uint8_t sizes[AVRO_FIXED + 1] = {
		[AVRO_BOOLEAN] = 1, [AVRO_FLOAT] = 4, [AVRO_DOUBLE] = 8,
	};

	(void)r;
	skip(in, w->type == AVRO_FIXED ? (uint64_t)w->named->size : sizes[w->type]);
}

static void
read_enum(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	size_t i = read_index(in, w->named->n_symbols);

	if (r == NULL || in->result != RESOLVE_READ || r->named->fallback.p != NULL)
		return;
	for (size_t k = 0; k < r->named->n_symbols; k++)
		if (span_eq(r->named->symbols[k], w->named->symbols[i]))
			return;
	stop(in, RESOLVE_SYMBOL);
}

static void
read_record(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	for (size_t i = 0; r != NULL && i < r->named->n_fields; i++)
		if (r->named->fields[i].fallback.p == NULL && !is_written(&r->named->fields[i], w->named))
			stop(in, RESOLVE_FIELD);
	for (size_t i = 0; i < w->named->n_fields && in->result == RESOLVE_READ; i++)
		read_value(in, resolve_inside(r, w, i), w->named->fields[i].type);
}

static void
read_elements(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	int64_t n;

	while (in->result == RESOLVE_READ && (n = read_number(in)) != 0) {
		if (n < 0) {
			n = -n;
			read_number(in); /* the block's size, for those who skip it */
		}
		for (; n > 0 && in->result == RESOLVE_READ; n--) {
			if (w->type == AVRO_MAP)
				read_bytes(in, NULL, w);
			read_value(in, resolve_inside(r, w, 0), w->element);
		}
	}
}

static void
read_union(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	size_t i = read_index(in, w->n_branches);

	if (in->result == RESOLVE_READ)
		read_value(in, resolve_inside(r, w, i), w->branches[i]);
}

/* By the writer's type; the reader's matches it, or is NULL: the value is skipped. */
static void (*const read_type[])(struct input *, const struct avro_node *r,
    const struct avro_node *w) = {
	[AVRO_NULL] = read_fixed,
	[AVRO_BOOLEAN] = read_fixed,
	[AVRO_INT] = read_int,
	[AVRO_LONG] = read_int,
	[AVRO_FLOAT] = read_fixed,
	[AVRO_DOUBLE] = read_fixed,
	[AVRO_BYTES] = read_bytes,
	[AVRO_STRING] = read_bytes,
	[AVRO_RECORD] = read_record,
	[AVRO_ENUM] = read_enum,
	[AVRO_ARRAY] = read_elements,
	[AVRO_MAP] = read_elements,
	[AVRO_UNION] = read_union,
	[AVRO_FIXED] = read_fixed,
};

static void
read_value(struct input *in, const struct avro_node *r, const struct avro_node *w)
{
	if (r != NULL && w->type != AVRO_UNION) {
		if ((r = branch(r, w)) == NULL) {
			stop(in, RESOLVE_BRANCH);
			return;
		}
		stop(in, match(r, w));
	}
	if (in->result == RESOLVE_READ)
		read_type[w->type](in, r, w);
}

enum resolve_result
resolve(const struct avro_node *reader, const struct avro_node *writer, struct span value)
{
	struct input in = { value, RESOLVE_READ };

	read_value(&in, reader, writer);
	if (in.result == RESOLVE_READ && in.rest.n > 0)
		return RESOLVE_MALFORMED;
	return in.result;
}
