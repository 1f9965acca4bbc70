/*
 * property_test.c -- what holds for all messages in all versions.
 *
 * No message is named here: a line added to kafka.tbl is tested by being there.
 */
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "unit/wire/help.h"
#include "wire/wire_random.h"
#include "wire/wire_text.h"

enum { ROUNDS = 8, ARENA_MAX = 8 << 20, PREFIXES_MAX = 80, FLIPS = 16 };

/* One random message, and what the tests derive from it. */
struct sample {
	struct arena arena;
	const struct wire_message *m;
	int version;
	uint64_t seed;
	void *message;
	const char *text;
	struct span bytes;
};

/* Calls `check` for random messages of every kind and version. */
static void
for_all(void (*check)(struct sample *))
{
	size_t i, n = 0;
	uint64_t round;

	for (i = 0; i < wire_n_messages; i++) {
		const struct wire_message *m = wire_messages[i];
		int v;

		for (v = m->min; v <= m->max; v++)
			for (round = 0; round < ROUNDS; round++, n++) {
				struct sample s = { .m = m, .version = v,
					.seed = n };

				arena_init(&s.arena, ARENA_MAX);
				s.message = wire_random(m, v, n, &s.arena);
				CU_ASSERT_FATAL(s.message != NULL);
				s.text = help_print(&s.arena, m, v, s.message);
				s.bytes = help_encode(&s.arena, m, v, s.message);
				check(&s);
				arena_done(&s.arena);
			}
	}
	CU_ASSERT(n > 0);
}

static void
check_round_trip(struct sample *s)
{
	void *back = help_decode(&s->arena, s->m, s->version, s->bytes, NULL);

	CU_ASSERT_FATAL(back != NULL);
	CU_ASSERT_STRING_EQUAL(
	    help_print(&s->arena, s->m, s->version, back), s->text);
}

static void
what_is_encoded_decodes_to_the_same(void)
{
	for_all(check_round_trip);
}

static void
check_prefixes(struct sample *s)
{
	size_t step = s->bytes.n / PREFIXES_MAX + 1, n;

	for (n = 0; n < s->bytes.n; n += step) {
		struct arena arena;
		struct span prefix;

		arena_init(&arena, ARENA_MAX);
		prefix = span_of(arena_copy(&arena, s->bytes.p, n), n);
		CU_ASSERT(help_decode(&arena, s->m, s->version, prefix, NULL) ==
		    NULL);
		arena_done(&arena);
	}
}

static void
what_is_cut_short_is_refused(void)
{
	for_all(check_prefixes);
}

static void
check_longer(struct sample *s)
{
	uint8_t *more = arena_alloc(&s->arena, s->bytes.n + 1);
	void *got;

	memcpy(more, s->bytes.p, s->bytes.n);
	got = help_decode(&s->arena, s->m, s->version,
	    span_of(more, s->bytes.n + 1), NULL);
	CU_ASSERT((got != NULL) == (s->m->kind != WIRE_MESSAGE_RECORD));
}

static void
only_records_are_not_followed_by_more(void)
{
	for_all(check_longer);
}

/* Some bits turned: refused, or read as another message that is sound. */
static void
check_flips(struct sample *s)
{
	uint32_t state = (uint32_t)s->seed * 2654435761u + 1;
	int i;

	for (i = 0; i < FLIPS && s->bytes.n > 0; i++) {
		struct arena arena;
		uint8_t *bad;
		void *got, *again;

		arena_init(&arena, ARENA_MAX);
		bad = arena_copy(&arena, s->bytes.p, s->bytes.n);
		state = state * 1664525 + 1013904223;
		bad[(state >> 8) % s->bytes.n] ^= (uint8_t)(1 << (state >> 29));
		got = help_decode(&arena, s->m, s->version,
		    span_of(bad, s->bytes.n), NULL);
		if (got != NULL) {
			again = help_decode(&arena, s->m, s->version,
			    help_encode(&arena, s->m, s->version, got), NULL);
			CU_ASSERT_FATAL(again != NULL);
			CU_ASSERT_STRING_EQUAL(
			    help_print(&arena, s->m, s->version, got),
			    help_print(&arena, s->m, s->version, again));
		}
		arena_done(&arena);
	}
}

static void
what_is_damaged_is_refused_or_sound(void)
{
	for_all(check_flips);
}

static void
check_text(struct sample *s)
{
	void *back = arena_alloc(&s->arena, s->m->body->size);
	struct wire_text t;

	wire_text_init(&t, span_str(s->text), &s->arena);
	CU_ASSERT_FATAL(wire_parse(&t, s->m, s->version, back) == 0);
	CU_ASSERT(t.left.n == 0);
	CU_ASSERT_STRING_EQUAL(
	    help_print(&s->arena, s->m, s->version, back), s->text);
}

static void
what_is_printed_parses_to_the_same(void)
{
	for_all(check_text);
}

static void
check_defaults(struct sample *s)
{
	void *plain = arena_alloc(&s->arena, s->m->body->size), *back;

	wire_default(s->m->body, plain);
	back = help_decode(&s->arena, s->m, s->version,
	    help_encode(&s->arena, s->m, s->version, plain), NULL);
	CU_ASSERT_FATAL(back != NULL);
	/* In the newest version all but retired fields are to be seen. */
	CU_ASSERT_STRING_EQUAL(
	    help_print(&s->arena, s->m, s->m->max, back),
	    help_print(&s->arena, s->m, s->m->max, plain));
}

static void
defaults_can_be_sent_and_come_back(void)
{
	for_all(check_defaults);
}

/* Without any memory: refused for that reason, or in no need of it. */
static void
check_cap(struct sample *s)
{
	struct arena small;
	struct wire_in in;
	void *to = arena_alloc(&s->arena, s->m->body->size);

	arena_init(&small, 0);
	wire_in_init(&in, s->bytes, &small);
	if (wire_decode(&in, s->m, s->version, to) == -1)
		CU_ASSERT_STRING_EQUAL(in.error,
		    "needs more memory than a request may take");
	CU_ASSERT(small.used == 0);
	arena_done(&small);
}

static void
an_arena_without_room_refuses(void)
{
	for_all(check_cap);
}

const struct unit_test property_tests[];
const struct unit_test property_tests[] = {
	UNIT(what_is_encoded_decodes_to_the_same),
	UNIT(what_is_cut_short_is_refused),
	UNIT(only_records_are_not_followed_by_more),
	UNIT(what_is_damaged_is_refused_or_sound),
	UNIT(what_is_printed_parses_to_the_same),
	UNIT(defaults_can_be_sent_and_come_back),
	UNIT(an_arena_without_room_refuses),
	UNIT_END,
};
