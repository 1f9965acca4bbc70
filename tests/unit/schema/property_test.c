/*
 * property_test.c -- what avro_can_read() calls readable always is, and what it does not has
 * a witness: a value that can't be read.
 *
 * The values are not left to chance alone: a walk goes through all pairs of a reader's and a
 * writer's type that meet, and at each of them tries each choice of the writer.  Since a value
 * fails where such a pair (and choice) does, this finds a witness if there is one.  What is
 * told to differ may be in no value, since what contains itself without end has none: such
 * pairs are excused, where the walk came to what has no value and it can't be read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "schema/avro/node.h"
#include "schema/avro/pairs.h"
#include "unit/schema/corpus.h"
#include "unit/schema/help.h"
#include "unit/schema/mutate.h"
#include "unit/schema/random_schema.h"
#include "unit/schema/resolve.h"
#include "unit/schema/value.h"
#include "unit/unit.h"

enum { ROUNDS = 2000, MUTANTS = 5, RANDOM_VALUES = 10, STOPS = 1024, PATH = 256 };

/* A pair of types that meet, and the choice by which the walk came from another pair. */
struct stop {
	const struct avro_node *reader, *writer;
	size_t from, choice; /* of the first one: none */
};

struct walk {
	const struct avro_schema *reader, *writer;
	struct values values; /* of the writer */
	struct stop *stops;
	size_t n;
	struct pairs met;
	struct buf value;
	bool excused; /* something can't be read, but what holds it has no value */
};

/* What came of all pairs. */
struct tally {
	int pairs;   /* of which the writer has values */
	int tried;   /* those with the verdict that was asked for */
	int excused; /* not readable, but what differs is in no value */
	int witnesses[AVRO_MISSING_UNION_BRANCH + 1];
};

static void
add_stop(struct walk *k, struct stop stop)
{
	struct pair *met = pairs_at(&k->met, stop.reader, stop.writer);

	CU_ASSERT_FATAL(met != NULL && k->n < STOPS);
	if (met->value == NULL) {
		k->stops[k->n] = stop;
		met->value = &k->stops[k->n++];
	}
}

/* Writes and reads a value on this path. */
static enum resolve_result
try(struct walk *k, struct value_path path, int depth)
{
	buf_reset(&k->value);
	value_put(&k->values, k->writer->root, path, depth, &k->value);
	return resolve(k->reader->root, k->writer->root, buf_bytes(&k->value));
}

/* The choices on the way to the stop, which fill the end of `room`. */
static struct value_path
path_to(const struct walk *k, size_t stop, size_t room[PATH])
{
	struct value_path path = { room + PATH, 0 };

	for (; stop > 0; stop = k->stops[stop].from) {
		CU_ASSERT_FATAL(path.n < PATH);
		room[PATH - ++path.n] = k->stops[stop].choice;
	}
	path.choices = room + PATH - path.n;
	return path;
}

/* Whether a conflict is told of two types alone. */
static bool
is_in_conflict(const struct walk *k, const struct avro_node *reader, const struct avro_node *writer)
{
	struct avro_schema r = { .root = (struct avro_node *)reader };
	struct avro_schema w = { .root = (struct avro_node *)writer };
	struct avro_conflicts conflicts;

	return !avro_can_read(&r, &w, k->met.arena, &conflicts) && conflicts.n > 0;
}

/* Tries what can be chosen at a stop, and adds those behind it. */
static enum resolve_result
try_stop(struct walk *k, size_t at)
{
	size_t room[PATH + 1];
	struct value_path path = path_to(k, at, room);
	const struct avro_node *r = k->stops[at].reader, *w = k->stops[at].writer;
	enum resolve_result result = try(k, path, 0); /* arrays and maps: empty */

	for (size_t c = 0; c < value_choices(w) && result == RESOLVE_READ; c++) {
		const struct avro_node *inside = value_chosen(w, c), *reader = resolve_inside(r, w, c);

		if (inside != NULL && !value_exists(&k->values, inside)) {
			k->excused |= reader != NULL && is_in_conflict(k, reader, inside);
			continue;
		}
		room[PATH] = c;
		result = try(k, (struct value_path){ path.choices, path.n + 1 }, 1);
		if (inside != NULL && reader != NULL)
			add_stop(k, (struct stop){ reader, inside, at, c });
	}
	return result;
}

/* Why some value of the writer's can't be read, or RESOLVE_READ. */
static enum resolve_result
walk(struct walk *k, struct arena *a)
{
	enum resolve_result result = RESOLVE_READ;

	k->met.arena = a;
	k->stops = arena_array(a, STOPS, sizeof *k->stops);
	CU_ASSERT_FATAL(k->stops != NULL);
	add_stop(k, (struct stop){ .reader = k->reader->root, .writer = k->writer->root });
	for (size_t at = 0; at < k->n && result == RESOLVE_READ; at++)
		result = try_stop(k, at);
	for (int i = 0; i < RANDOM_VALUES && result == RESOLVE_READ; i++)
		result = try(k, (struct value_path){ NULL, 0 }, 3);
	buf_done(&k->value);
	return result;
}

static bool
has_kind(const struct avro_conflicts *c, enum avro_incompatibility kind)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].kind == kind)
			return true;
	return false;
}

/*
 * Whether what the resolver met is among what is told.  What is wrong inside of a reader's
 * union is told as a missing branch; and a missing field whose type is an enum with a default
 * as a mismatch of types.
 */
static bool
is_told(const struct avro_conflicts *c, enum avro_incompatibility met)
{
	return has_kind(c, met) || has_kind(c, AVRO_MISSING_UNION_BRANCH) ||
	    (met == AVRO_READER_FIELD_MISSING_DEFAULT_VALUE && has_kind(c, AVRO_TYPE_MISMATCH));
}

/* A failure as it can be looked at again. */
static void
tell(const struct walk *k, const struct avro_conflicts *c, enum resolve_result result,
    uint64_t seed)
{
	char *reader = help_print(k->reader, AVRO_TEXT), *writer = help_print(k->writer, AVRO_TEXT);

	printf("\n  seed %llu: resolved to %d, but told:", (unsigned long long)seed, (int)result);
	for (size_t i = 0; i < c->n; i++)
		printf(" %s %s @%s;", avro_incompatibility_name(c->list[i].kind), c->list[i].message,
		    c->list[i].location);
	printf("\n  reader %s\n  writer %s\n", reader, writer);
	free(reader);
	free(writer);
}

/* As what each failure of the resolver is told. */
static const enum avro_incompatibility kinds[] = {
	[RESOLVE_NAME] = AVRO_NAME_MISMATCH,
	[RESOLVE_SIZE] = AVRO_FIXED_SIZE_MISMATCH,
	[RESOLVE_SYMBOL] = AVRO_MISSING_ENUM_SYMBOLS,
	[RESOLVE_FIELD] = AVRO_READER_FIELD_MISSING_DEFAULT_VALUE,
	[RESOLVE_TYPE] = AVRO_TYPE_MISMATCH,
	[RESOLVE_BRANCH] = AVRO_MISSING_UNION_BRANCH,
};

/* Whether the values agree with the conflicts that are told. */
static bool
agree(const struct walk *k, const struct avro_conflicts *c, enum resolve_result result,
    struct tally *t)
{
	if (result == RESOLVE_MALFORMED)
		return false;
	if (result == RESOLVE_READ) {
		t->excused += c->n > 0;
		return c->n == 0 || k->excused;
	}
	t->witnesses[kinds[result]]++;
	return is_told(c, kinds[result]);
}

/* Tries the values of a pair, if there are any and the verdict is this. */
static void
try_pair(const struct avro_schema *reader, const struct avro_schema *writer, bool readable,
    uint64_t seed, struct tally *t)
{
	struct walk k = { .reader = reader, .writer = writer };
	struct avro_conflicts conflicts;
	enum resolve_result result;
	struct arena a;

	values_init(&k.values, writer, seed);
	if (!value_exists(&k.values, writer->root))
		return;
	t->pairs++;
	arena_init(&a, 1 << 22);
	/* Where aliases lead from one field to two, there is no verdict. */
	if (avro_can_read(reader, writer, &a, &conflicts) == readable && conflicts.broken == NULL) {
		t->tried++;
		CU_ASSERT_FATAL(readable == (conflicts.n == 0));
		result = walk(&k, &a);
		if (!agree(&k, &conflicts, result, t)) {
			tell(&k, &conflicts, result, seed);
			CU_FAIL_FATAL("verdict and values do not agree");
		}
	}
	arena_done(&a);
}

/* What is tried on pairs of a schema and a mutant of it, either way round. */
struct trial {
	bool readable; /* of those with this verdict */
	struct tally tally;
};

static void
try_mutant(struct trial *of, const struct avro_schema *s, uint64_t seed)
{
	struct buf text = { 0 };
	struct avro_schema *mutant;

	/* Of primitives alone there is a table elsewhere. */
	if (s->root->type >= AVRO_RECORD && mutate(s, seed, &text)) {
		mutant = help_avro((char *)text.p);
		try_pair(s, mutant, of->readable, seed, &of->tally);
		try_pair(mutant, s, of->readable, seed, &of->tally);
		avro_free(mutant);
	}
	buf_done(&text);
}

/* Schemas by chance. */
static struct tally
try_chance(bool readable)
{
	struct trial trial = { .readable = readable };

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct random_schema what = { .seed = seed, .tweak = -1 };
		struct buf text = { 0 };
		struct avro_schema *s;

		random_schema(&what, &text);
		s = help_avro((char *)text.p);
		try_mutant(&trial, s, seed);
		avro_free(s);
		buf_done(&text);
	}
	return trial.tally;
}

static void
try_mutants(const char *path, struct span text, void *user)
{
	struct avro_mistake why;
	struct avro_schema *s = avro_parse(text, AVRO_STRICT, NULL, 0, &why);

	(void)path;
	/* Some have names or defaults that may not be. */
	for (uint64_t seed = 0; s != NULL && seed < MUTANTS; seed++)
		try_mutant(user, s, seed);
	avro_free(s);
}

static struct tally
try_corpus(bool readable)
{
	struct trial trial = { .readable = readable };

	corpus_each(try_mutants, &trial);
	return trial.tally;
}

static void
what_is_readable_is_always_read(void)
{
	struct tally chance = try_chance(true), corpus = try_corpus(true);

	CU_ASSERT(chance.pairs > ROUNDS && chance.tried > chance.pairs / 5);
	CU_ASSERT(corpus.pairs > ROUNDS && corpus.tried > corpus.pairs / 5);
}

static void
check_witnesses(struct tally t)
{
	CU_ASSERT(t.pairs > ROUNDS && t.tried > t.pairs / 5 && t.excused < t.tried / 10);
	for (enum avro_incompatibility kind = 0; kind <= AVRO_MISSING_UNION_BRANCH; kind++)
		CU_ASSERT(t.witnesses[kind] > 10);
}

static void
what_is_not_readable_has_a_witness(void)
{
	check_witnesses(try_chance(false));
	check_witnesses(try_corpus(false));
}

/*
 * The exception, which is Java's.  Of a pair on its way it takes for granted that it is fine,
 * and keeps what it finds inside, though the pair may fail at its end.  Here A and B fail by
 * name; C, compared on the way, is kept as fine, though its B is not among what it reads.
 */
static void
what_failed_elsewhere_may_have_been_taken_for_readable(void)
{
	struct avro_schema *reader = help_avro("[{\"type\":\"record\",\"name\":\"A\",\"fields\":["
	    "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"C\",\"fields\":["
	    "{\"name\":\"x\",\"type\":[\"null\",\"A\"]}]}}]},"
	    "{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"c\",\"type\":\"C\"}]}]");
	struct avro_schema *writer = help_avro("{\"type\":\"record\",\"name\":\"B\",\"fields\":["
	    "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"C\",\"fields\":["
	    "{\"name\":\"x\",\"type\":[\"null\",\"B\"]}]}}]}");
	struct walk k = { .reader = reader, .writer = writer };
	struct avro_conflicts conflicts;
	struct arena a;

	arena_init(&a, 1 << 22);
	CU_ASSERT(avro_can_read(reader, writer, &a, &conflicts));
	values_init(&k.values, writer, 0);
	CU_ASSERT_EQUAL(walk(&k, &a), RESOLVE_BRANCH);
	arena_done(&a);
	avro_free(reader);
	avro_free(writer);
}

const struct unit_test property_tests[] = {
	UNIT(what_is_readable_is_always_read),
	UNIT(what_is_not_readable_has_a_witness),
	UNIT(what_failed_elsewhere_may_have_been_taken_for_readable),
	UNIT_END
};
