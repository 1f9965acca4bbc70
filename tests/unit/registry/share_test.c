/* share_test.c -- registrations that are planned before others are applied, to be written in one transaction. */
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

enum { MOST = 4 };

struct wish {
	const char *subject, *text;
	int32_t id, version; /* 0: not given */
};

/* Plans all, then carries them out; tells of each "id/version", or "waits". */
static const char *
together(struct world *w, const struct wish *wishes)
{
	struct plan plans[MOST]; /* there are no more wishes */
	const struct plan *newest = NULL;
	const char *told = "";
	size_t n = 0;

	for (; wishes[n].subject != NULL; n++) {
		struct schema_request q = { .text = span_str(wishes[n].text), .id = wishes[n].id, .version = wishes[n].version };
		struct refusal why = { 0 };
		const char *one;

		if (registry_plan_register(w->registry, span_str(wishes[n].subject), &q, newest, &w->arena, &plans[n], &why)) {
			plans[n].earlier = newest;
			newest = &plans[n];
			one = arena_printf(&w->arena, "%d/%d", (int)plans[n].id, (int)plans[n].version);
		} else {
			plans[n] = (struct plan){ 0 };
			one = why.problem == REGISTRY_WAITS ? "waits" : world_refusal(w, &why);
		}
		told = arena_printf(&w->arena, "%s%s%s", told, n == 0 ? "" : " ", one);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < plans[i].n_writes; k++) {
			world_apply(w, plans[i].writes[k].key, plans[i].writes[k].value);
			CU_ASSERT_PTR_NULL(w->passed);
		}
	return told;
}

static void
ids_go_on_from_plan_to_plan(void)
{
	static const struct wish first[] = { { "a", "\"int\"", 0, 0 }, { "b", "\"long\"", 0, 0 }, { ":.c:a", "\"int\"", 0, 0 }, { "c", "\"float\"", 0, 0 }, { NULL, NULL, 0, 0 } };
	static const struct wish second[] = { { "d", "\"long\"", 0, 0 }, { "e", "\"double\"", 0, 0 }, { ":.c:b", "\"long\"", 0, 0 }, { "f", "\"bytes\"", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct world w;

	world_init(&w);
	SAME(together(&w, first), "1/1 2/1 1/1 3/1");
	SAME(together(&w, second), "2/1 4/1 2/1 5/1");
	SAME(world_register(&w, "g", "\"string\""), "6/1");
	world_done(&w);
}

static void
the_same_subject_waits(void)
{
	static const struct wish wishes[] = { { "a", "\"int\"", 0, 0 }, { "a", "\"long\"", 0, 0 }, { "b", " \"int\"", 0, 0 }, { ":.c:a", "\"int\"", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct world w;

	world_init(&w);
	SAME(together(&w, wishes), "1/1 waits 1/1 1/1");
	SAME(together(&w, wishes), "1/1 2/2 1/1 1/1");
	world_done(&w);
}

static void
ids_that_are_brought_along_wait(void)
{
	static const struct wish wishes[] = { { "a", "\"int\"", 5, 1 }, { "b", "\"long\"", 5, 1 }, { ":.c:b", "\"long\"", 5, 1 }, { NULL, NULL, 0, 0 } };
	struct world w;

	world_init(&w);
	SAME(world_mode(&w, ":.__GLOBAL:", "IMPORT", false), "");
	SAME(together(&w, wishes), "5/1 waits 5/1");
	SAME(together(&w, wishes + 1), "42205 Overwrite new schema with id 5 in context  is not permitted. 5/1");
	world_done(&w);
}

const struct unit_test share_tests[] = {
	UNIT(ids_go_on_from_plan_to_plan),
	UNIT(the_same_subject_waits),
	UNIT(ids_that_are_brought_along_wait),
	UNIT_END
};
