/* value.c -- values of an Avro schema by chance. */
#include "unit/schema/value.h"

#include "unit/base/random.h"
#include "unit/unit.h"

/* The number of the record among those that have values; v->n when it is none of them. */
static size_t
rank_of(const struct values *v, const struct avro_node *record)
{
	size_t i = 0;

	while (i < v->n && v->records[i] != record)
		i++;
	return i;
}

/* Whether the type has a value that contains none but the first `limit` records. */
static bool
exists(const struct values *v, const struct avro_node *t, size_t limit)
{
	if (t->type == AVRO_RECORD)
		return rank_of(v, t) < limit;
	if (t->type == AVRO_ENUM)
		return t->named->n_symbols > 0;
	if (t->type != AVRO_UNION)
		return true; /* arrays and maps may be empty */
	for (size_t i = 0; i < t->n_branches; i++)
		if (exists(v, t->branches[i], limit))
			return true;
	return false;
}

static bool
fields_exist(const struct values *v, const struct avro_named *record)
{
	for (size_t i = 0; i < record->n_fields; i++)
		if (!exists(v, record->fields[i].type, v->n))
			return false;
	return true;
}

void
values_init(struct values *v, const struct avro_schema *of, uint64_t seed)
{
	size_t before;

	*v = (struct values){ .seed = seed };
	do {
		before = v->n;
		for (const struct avro_node *t = of->types; t != NULL; t = t->named->next)
			if (t->type == AVRO_RECORD && rank_of(v, t) == v->n && fields_exist(v, t->named)) {
				CU_ASSERT_FATAL(v->n < VALUE_RECORDS);
				v->records[v->n++] = t;
			}
	} while (v->n > before);
}

bool
value_exists(const struct values *v, const struct avro_node *t)
{
	return exists(v, t, v->n);
}

size_t
value_choices(const struct avro_node *t)
{
	switch (t->type) {
	case AVRO_RECORD: return t->named->n_fields;
	case AVRO_ENUM: return t->named->n_symbols;
	case AVRO_UNION: return t->n_branches;
	case AVRO_ARRAY: case AVRO_MAP: return 1;
	default: return 0;
	}
}

const struct avro_node *
value_chosen(const struct avro_node *t, size_t choice)
{
	switch (t->type) {
	case AVRO_RECORD: return t->named->fields[choice].type;
	case AVRO_UNION: return t->branches[choice];
	case AVRO_ARRAY: case AVRO_MAP: return t->element;
	default: return NULL;
	}
}

/* What is being written: a path, and beside it chance within limits. */
struct place {
	struct value_path path;
	int depth;
	size_t limit; /* of the records that may be contained */
};

static void put(struct values *, const struct avro_node *, struct place, struct buf *to);

static bool
is_forced(struct place at)
{
	return at.path.n > 0;
}

/* The place inside, on the path or beside it. */
static struct place
enter(struct place at, bool on_path)
{
	if (on_path)
		at.path = (struct value_path){ at.path.choices + 1, at.path.n - 1 };
	else
		at = (struct place){ .depth = at.depth - 1, .limit = at.limit };
	return at;
}

/* A number as the encoding has them: zigzag, seven bits a byte, the lowest first. */
static void
put_number(struct buf *to, int64_t n)
{
	uint64_t z = (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);

	for (; z >= 0x80; z >>= 7)
		buf_u8(to, (uint8_t)(z | 0x80));
	buf_u8(to, (uint8_t)z);
}

/* Bytes of which a text could be made. */
static void
put_text(struct values *v, size_t n, struct buf *to)
{
	while (n-- > 0)
		buf_u8(to, (uint8_t)('a' + random_below(&v->seed, 26)));
}

static void
put_string(struct values *v, struct buf *to)
{
	size_t n = random_below(&v->seed, 6);

	put_number(to, (int64_t)n);
	put_text(v, n, to);
}

static void
put_primitive(struct values *v, enum avro_type type, struct buf *to)
{
	uint64_t any = random_next(&v->seed);
	unsigned shift = (unsigned)random_below(&v->seed, 32);

	switch (type) {
	case AVRO_BOOLEAN: buf_u8(to, any & 1); break;
	case AVRO_INT: put_number(to, (int32_t)any >> shift); break;
	case AVRO_LONG: put_number(to, (int64_t)any >> 2 * shift); break;
	case AVRO_FLOAT: buf_u32(to, (uint32_t)any); break;
	case AVRO_DOUBLE: buf_u64(to, any); break;
	case AVRO_BYTES: case AVRO_STRING: put_string(v, to); break;
	default: break; /* null is nothing */
	}
}

static void
put_record(struct values *v, const struct avro_node *t, struct place at, struct buf *to)
{
	/* Down from here each record may contain fewer others, which comes to an end. */
	if (at.depth <= 0 && !is_forced(at))
		at.limit = rank_of(v, t);
	for (size_t i = 0; i < t->named->n_fields; i++)
		put(v, t->named->fields[i].type, enter(at, is_forced(at) && *at.path.choices == i), to);
}

static void
put_union(struct values *v, const struct avro_node *t, struct place at, struct buf *to)
{
	size_t i = random_below(&v->seed, t->n_branches);

	if (is_forced(at))
		i = *at.path.choices;
	else
		while (!exists(v, t->branches[i], at.limit))
			i = (i + 1) % t->n_branches;
	put_number(to, (int64_t)i);
	put(v, t->branches[i], enter(at, is_forced(at)), to);
}

static void
put_elements(struct values *v, const struct avro_node *t, struct place at, struct buf *to)
{
	struct buf block = { 0 };
	size_t n = 0;

	if (is_forced(at))
		n = 1;
	else if (at.depth > 0 && exists(v, t->element, at.limit))
		n = random_below(&v->seed, 3);
	for (size_t i = 0; i < n; i++) {
		if (t->type == AVRO_MAP)
			put_string(v, &block);
		put(v, t->element, enter(at, is_forced(at)), &block);
	}
	if (n > 0 && random_below(&v->seed, 2) == 0) {
		put_number(to, -(int64_t)n); /* the other form: with the block's size */
		put_number(to, (int64_t)block.n);
	} else if (n > 0) {
		put_number(to, (int64_t)n);
	}
	buf_span(to, buf_bytes(&block));
	put_number(to, 0);
	buf_done(&block);
}

static void
put(struct values *v, const struct avro_node *t, struct place at, struct buf *to)
{
	switch (t->type) {
	case AVRO_RECORD:
		put_record(v, t, at, to);
		break;
	case AVRO_UNION:
		put_union(v, t, at, to);
		break;
	case AVRO_ARRAY: case AVRO_MAP:
		put_elements(v, t, at, to);
		break;
	case AVRO_ENUM:
		put_number(to, (int64_t)(is_forced(at) ? *at.path.choices :
		    random_below(&v->seed, t->named->n_symbols)));
		break;
	case AVRO_FIXED:
		put_text(v, (size_t)t->named->size, to);
		break;
	default:
		put_primitive(v, t->type, to);
		break;
	}
}

void
value_put(struct values *v, const struct avro_node *t, struct value_path path, int depth,
    struct buf *to)
{
	put(v, t, (struct place){ path, depth, v->n }, to);
}
