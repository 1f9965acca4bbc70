/*
 * compat.c -- whether one Avro schema can read what another wrote, by the rules and
 * in the words of Avro's Java library (SchemaCompatibility, 1.12).
 *
 * A pair of nodes is compared once.  Its result is kept, with the place where that
 * was, and stands wherever the pair comes up again; a pair that comes up while it is
 * being compared is taken to be fine, which ends recursion.
 *
 * Memory bounds how many pairs are compared and what is told of them; what needs none
 * (names, symbols, fields that fit) is counted, since all of one schema may be looked
 * at for each of another one's types.
 */
#include <ctype.h>
#include <stdio.h>

#include "schema/avro/node.h"
#include "schema/avro/pairs.h"

/*
 * How many names, symbols and fields are looked at.  More than any schemas need that
 * people have use for; two of the size that a registry takes could ask for billions.
 */
enum { STEPS_MAX = 10000000 };

/* Where in the reader's schema we are: a token of a JSON pointer, behind those above it. */
struct place {
	const struct place *up; /* NULL: the root's */
	const char *token;      /* NULL: the index */
	size_t index;
};

/* A conflict, or the whole result of a pair inside. */
struct found {
	const struct avro_conflict *conflict; /* NULL: see inside */
	const struct result *inside;          /* of which there is one, and which is not empty */
	struct found *next;
};

struct result {
	struct found *first, *last; /* none: compatible */
	bool done;
};

struct check {
	struct arena *arena;
	struct pairs pairs;
	size_t steps; /* that may still be made */
	unsigned depth;
	const char *broken;
	bool memory;
};

static const struct result compatible = { .done = true };

static const struct result *compare(struct check *, const struct avro_node *reader,
    const struct avro_node *writer, const struct place *);

static bool
stopped(const struct check *c)
{
	return c->memory || c->broken != NULL;
}

static void *
take(struct check *c, size_t count, size_t size)
{
	void *p = arena_array(c->arena, count, size);

	c->memory |= p == NULL;
	return p;
}

/* Makes steps; where there are no more, that is as if there were no more memory. */
static bool
step(struct check *c, size_t n)
{
	c->memory |= n > c->steps;
	c->steps -= n > c->steps ? c->steps : n;
	return !c->memory;
}

/* The steps that it takes to look at a name: a long one takes more. */
static size_t
steps_for(struct span name)
{
	return 1 + name.n / 64;
}

/* "RECORD", ...: the type's name in sentences. */
static const char *
loud(enum avro_type type, char out[16])
{
	const char *name = avro_type_name(type);
	size_t i;

	for (i = 0; name[i] != '\0'; i++)
		out[i] = (char)toupper((unsigned char)name[i]);
	out[i] = '\0';
	return out;
}

static size_t
token_of(const struct place *at, char number[24], const char **token)
{
	*token = at->token;
	if (at->token != NULL)
		return strlen(at->token);
	*token = number;
	return (size_t)snprintf(number, 24, "%zu", at->index);
}

/* The place as a JSON pointer.  No token needs an escape. */
static const char *
pointer_to(struct check *c, const struct place *at)
{
	char number[24], *text;
	const char *token;
	size_t n = 0;

	for (const struct place *p = at; p != NULL; p = p->up)
		n += 1 + token_of(p, number, &token);
	if (n == 0)
		return "/";
	if ((text = take(c, n + 1, 1)) == NULL)
		return NULL;
	for (const struct place *p = at; p != NULL; p = p->up) {
		size_t length = token_of(p, number, &token);

		n -= length;
		memcpy(text + n, token, length);
		text[--n] = '/';
	}
	return text;
}

static void
append(struct check *c, struct result *to, struct found what)
{
	struct found *f = take(c, 1, sizeof *f);

	if (f == NULL)
		return;
	*f = what;
	*(to->last == NULL ? &to->first : &to->last->next) = f;
	to->last = f;
}

/* Adds a conflict; a message of NULL: there was no memory for it. */
static void
add(struct check *c, struct result *to, enum avro_incompatibility kind, const char *message,
    const struct place *at)
{
	struct avro_conflict *conflict = take(c, 1, sizeof *conflict);

	if (conflict == NULL || message == NULL) {
		c->memory = true;
		return;
	}
	*conflict = (struct avro_conflict){ kind, message, pointer_to(c, at) };
	append(c, to, (struct found){ .conflict = conflict });
}

/*
 * Adds what was found of a pair inside; if that is one thing only, this itself, so that
 * whoever collects what was found meets nothing that is not told or does not fork.
 */
static void
merge(struct check *c, struct result *to, const struct result *inside)
{
	struct found *first = inside->first;

	if (first != NULL && first->next == NULL)
		append(c, to, (struct found){ .conflict = first->conflict, .inside = first->inside });
	else if (first != NULL)
		append(c, to, (struct found){ .inside = inside });
}

static void
add_mismatch(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	char reader[16], writer[16];

	add(c, to, AVRO_TYPE_MISMATCH,
	    arena_printf(c->arena, "reader type: %s not compatible with writer type: %s",
	    loud(r->type, reader), loud(w->type, writer)), at);
}

static void
add_missing_branch(struct check *c, const struct avro_node *w, const struct place *at,
    struct result *to)
{
	char writer[16];

	add(c, to, AVRO_MISSING_UNION_BRANCH,
	    arena_printf(c->arena, "reader union lacking writer type: %s", loud(w->type, writer)), at);
}

static char *
copy_of(struct check *c, const struct buf *text)
{
	char *copy = text->failed ? NULL : take(c, text->n + 1, 1);

	if (copy != NULL && text->n > 0)
		memcpy(copy, text->p, text->n);
	return copy;
}

/*
 * Whether an alias of the reader is the writer's full name.  One without a namespace
 * never is where its type has one: Java writes it with a dot in front.
 */
static bool
has_alias(const struct avro_named *reader, const struct avro_name *name)
{
	for (size_t i = 0; i < reader->aliases.n; i++) {
		const struct avro_name *alias = &reader->aliases.list[i];

		if (span_eq(alias->simple, name->simple) && span_eq(alias->space, name->space) &&
		    (alias->space.p != NULL || reader->name.space.p == NULL))
			return true;
	}
	return false;
}

static void
compare_names(struct check *c, const struct avro_named *r, const struct avro_named *w,
    const struct place *at, struct result *to)
{
	struct place name = { at, "name", 0 };

	if (span_eq(r->name.simple, w->name.simple) || !step(c, r->aliases.n))
		return;
	if (!has_alias(r, &w->name))
		add(c, to, AVRO_NAME_MISMATCH, arena_printf(c->arena, "expected: %.*s", (int)w->full.n,
		    (const char *)w->full.p), &name);
}

static void
compare_fixed(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place size = { at, "size", 0 };

	compare_names(c, r->named, w->named, at, to);
	if (r->named->size != w->named->size)
		add(c, to, AVRO_FIXED_SIZE_MISMATCH, arena_printf(c->arena, "expected: %d, found: %d",
		    (int)w->named->size, (int)r->named->size), &size);
}

/* The writer's symbols that the reader lacks, as "[A, B]"; both are sorted.  How many. */
static size_t
list_missing(struct check *c, const struct avro_named *r, const struct avro_named *w, struct buf *to)
{
	size_t at = 0, n = 0;

	buf_u8(to, '[');
	for (size_t i = 0; i < w->n_symbols && step(c, steps_for(w->sorted[i])); i++) {
		while (at < r->n_symbols && avro_compare(r->sorted[at], w->sorted[i]) < 0 &&
		    step(c, steps_for(r->sorted[at])))
			at++;
		if (at < r->n_symbols && span_eq(r->sorted[at], w->sorted[i]))
			continue;
		buf_span(to, span_str(n++ > 0 ? ", " : ""));
		buf_span(to, w->sorted[i]);
	}
	buf_u8(to, ']');
	return n;
}

static void
compare_enums(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place symbols = { at, "symbols", 0 };
	struct buf missing = { 0 };

	compare_names(c, r->named, w->named, at, to);
	/* A default is one of the symbols, and stands for all that the reader does not know. */
	if (r->named->fallback.p != NULL)
		return;
	if (list_missing(c, r->named, w->named, &missing) > 0)
		add(c, to, AVRO_MISSING_ENUM_SYMBOLS, copy_of(c, &missing), &symbols);
	buf_done(&missing);
}

/* Two of the writer's fields for one of the reader's: Java gives up, and so do we. */
static void
break_off(struct check *c, const struct avro_named *r, const struct avro_field *f,
    const struct avro_node *w)
{
	struct buf text = { 0 };
	char type[16];

	buf_span(&text, span_str("Reader record field "));
	buf_span(&text, f->name);
	buf_printf(&text, " type:%s pos:%zu matches multiple fields in writer record schema ",
	    loud(f->type->type, type), (size_t)(f - r->fields));
	avro_print_node(w, &text);
	c->broken = copy_of(c, &text);
	c->memory |= c->broken == NULL;
	buf_done(&text);
}

/* The writer's field for one of the reader's, by its name or an alias; NULL: none, or stopped. */
static const struct avro_field *
find_field(struct check *c, const struct avro_named *r, const struct avro_field *f,
    const struct avro_node *w)
{
	const struct avro_field *found = NULL;

	if (step(c, steps_for(f->name)))
		found = avro_field(w->named, f->name);
	for (size_t i = 0; i < f->aliases.n && step(c, steps_for(f->aliases.list[i].simple)); i++) {
		const struct avro_field *other = avro_field(w->named, f->aliases.list[i].simple);

		if (found != NULL && other != NULL) {
			break_off(c, r, f, w);
			return NULL;
		}
		if (other != NULL)
			found = other;
	}
	return found;
}

static void
compare_field(struct check *c, const struct avro_named *r, const struct avro_field *f,
    const struct avro_node *w, const struct place *at, struct result *to)
{
	struct place type = { at, "type", 0 };
	const struct avro_field *found = find_field(c, r, f, w);

	if (stopped(c))
		return;
	if (found != NULL)
		merge(c, to, compare(c, f->type, found->type, &type));
	else if (f->fallback.p != NULL)
		return;
	else if (f->type->type == AVRO_ENUM && f->type->named->fallback.p != NULL)
		/* An enum's default is none of the field; Java compares it with the record. */
		merge(c, to, compare(c, f->type, w, &type));
	else
		add(c, to, AVRO_READER_FIELD_MISSING_DEFAULT_VALUE,
		    arena_printf(c->arena, "%.*s", (int)f->name.n, (const char *)f->name.p), at);
}

static void
compare_records(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place fields = { at, "fields", 0 }, field = { &fields, NULL, 0 };

	compare_names(c, r->named, w->named, at, to);
	for (; field.index < r->named->n_fields && !stopped(c); field.index++)
		compare_field(c, r->named, &r->named->fields[field.index], w, &field, to);
}

/*
 * Each branch of the writer's union must be one that the reader knows.  Of what is
 * found inside of a branch only that there was something is told; its places begin
 * anew, as if the branch stood alone.
 */
static void
compare_unions(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place branch = { at, NULL, 0 };

	for (; branch.index < w->n_branches && !stopped(c); branch.index++)
		if (compare(c, r, w->branches[branch.index], NULL)->first != NULL)
			add_missing_branch(c, w->branches[branch.index], &branch, to);
}

/* A reader that is no union, or another one, must read each branch of the writer's. */
static void
compare_writer_union(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place branch = { at, NULL, 0 };

	for (; branch.index < w->n_branches && !stopped(c); branch.index++)
		merge(c, to, compare(c, r, w->branches[branch.index], &branch));
}

/* One branch of the reader's union is enough. */
static void
compare_reader_union(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	for (size_t i = 0; i < r->n_branches && !stopped(c); i++)
		if (compare(c, r->branches[i], w, NULL)->first == NULL)
			return;
	add_missing_branch(c, w, at, to);
}

static void
compare_elements(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	struct place inside = { at, r->type == AVRO_ARRAY ? "items" : "values", 0 };

	merge(c, to, compare(c, r->element, w->element, &inside));
}

/* By the type of both; primitives need no comparison. */
static void (*const compare_same[])(struct check *, const struct avro_node *,
    const struct avro_node *, const struct place *, struct result *) = {
	[AVRO_RECORD] = compare_records,
	[AVRO_ENUM] = compare_enums,
	[AVRO_ARRAY] = compare_elements,
	[AVRO_MAP] = compare_elements,
	[AVRO_UNION] = compare_unions,
	[AVRO_FIXED] = compare_fixed,
};

/* Whether a primitive is read as another, or as itself. */
static bool
is_promoted(enum avro_type reader, enum avro_type writer)
{
	static const unsigned from[AVRO_FIXED + 1] = {
		[AVRO_LONG] = 1u << AVRO_INT,
		[AVRO_FLOAT] = 1u << AVRO_INT | 1u << AVRO_LONG,
		[AVRO_DOUBLE] = 1u << AVRO_INT | 1u << AVRO_LONG | 1u << AVRO_FLOAT,
		[AVRO_BYTES] = 1u << AVRO_STRING,
		[AVRO_STRING] = 1u << AVRO_BYTES,
	};

	return (reader == writer && reader < AVRO_RECORD) || (from[reader] >> writer & 1) != 0;
}

static void
judge(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at, struct result *to)
{
	if (r->type == w->type)
		compare_same[r->type](c, r, w, at, to);
	else if (w->type == AVRO_UNION)
		compare_writer_union(c, r, w, at, to);
	else if (r->type == AVRO_UNION)
		compare_reader_union(c, r, w, at, to);
	else
		add_mismatch(c, r, w, at, to);
}

/* What was found of the pair.  It means nothing where the check has stopped. */
static const struct result *
compare(struct check *c, const struct avro_node *r, const struct avro_node *w,
    const struct place *at)
{
	struct pair *known;
	struct result *result;

	if (!step(c, 1))
		return &compatible;
	if (is_promoted(r->type, w->type))
		return &compatible;
	if ((known = pairs_at(&c->pairs, r, w)) == NULL) {
		c->memory = true;
		return &compatible;
	}
	if ((result = known->value) != NULL)
		return result->done ? result : &compatible;
	if ((result = take(c, 1, sizeof *result)) == NULL)
		return &compatible;
	known->value = result;
	if (c->depth == AVRO_WALK_MAX) {
		c->broken = "the schemas are too deep to be compared";
		return result;
	}
	c->depth++;
	judge(c, r, w, at, result);
	c->depth--;
	result->done = true;
	return result;
}

/* A list that grows. */
struct list {
	struct avro_conflict *at;
	size_t n, cap;
};

static bool
put(struct check *c, struct list *to, const struct avro_conflict *conflict)
{
	if (to->n == to->cap) {
		size_t cap = to->cap == 0 ? 16 : to->cap * 2;
		struct avro_conflict *more = take(c, cap, sizeof *more);

		if (more == NULL)
			return false;
		if (to->n > 0)
			memcpy(more, to->at, to->n * sizeof *more);
		to->at = more;
		to->cap = cap;
	}
	to->at[to->n++] = *conflict;
	return true;
}

/* All conflicts in order: a result that stands in several places is told in each. */
static bool
collect(struct check *c, const struct result *from, struct list *to)
{
	for (const struct found *f = from->first; f != NULL; f = f->next)
		if (f->conflict != NULL ? !put(c, to, f->conflict) : !collect(c, f->inside, to))
			return false;
	return true;
}

bool
avro_can_read(const struct avro_schema *reader, const struct avro_schema *writer,
    struct arena *a, struct avro_conflicts *out)
{
	struct check c = { .arena = a, .pairs.arena = a, .steps = STEPS_MAX };
	struct list list = { 0 };
	const struct result *all = compare(&c, reader->root, writer->root, NULL);

	*out = (struct avro_conflicts){ .broken = c.memory ? NULL : c.broken };
	if (stopped(&c))
		return false;
	if (!collect(&c, all, &list))
		return false;
	out->list = list.at;
	out->n = list.n;
	return list.n == 0;
}

const char *
avro_incompatibility_name(enum avro_incompatibility kind)
{
	static const char *const names[] = {
		[AVRO_NAME_MISMATCH] = "NAME_MISMATCH",
		[AVRO_FIXED_SIZE_MISMATCH] = "FIXED_SIZE_MISMATCH",
		[AVRO_MISSING_ENUM_SYMBOLS] = "MISSING_ENUM_SYMBOLS",
		[AVRO_READER_FIELD_MISSING_DEFAULT_VALUE] = "READER_FIELD_MISSING_DEFAULT_VALUE",
		[AVRO_TYPE_MISMATCH] = "TYPE_MISMATCH",
		[AVRO_MISSING_UNION_BRANCH] = "MISSING_UNION_BRANCH",
	};

	return names[kind];
}
