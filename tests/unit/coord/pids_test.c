/* pids_test.c -- producer ids are never given out twice. */
#include "coord/pids.h"
#include "unit/unit.h"

static void
nothing_is_given_out_before_a_block_is_durable(void)
{
	struct pids p;
	int64_t id;

	pids_init(&p, 0);
	CU_ASSERT(!pids_take(&p, &id));
	CU_ASSERT(pids_reserve(&p) == PIDS_BLOCK);
	CU_ASSERT(!pids_take(&p, &id));
	pids_reserved(&p, true);
	CU_ASSERT(pids_take(&p, &id) && id == 0);
	CU_ASSERT(pids_take(&p, &id) && id == 1);
}

static void
only_one_reservation_is_under_way(void)
{
	struct pids p;

	pids_init(&p, 0);
	CU_ASSERT(pids_reserve(&p) == PIDS_BLOCK);
	CU_ASSERT(pids_reserve(&p) == -1);
	pids_reserved(&p, true);
	CU_ASSERT(pids_reserve(&p) == 2 * PIDS_BLOCK);
}

static void
failed_reservation_can_be_begun_anew(void)
{
	struct pids p;
	int64_t id;

	pids_init(&p, 5000);
	CU_ASSERT(pids_reserve(&p) == 6000);
	pids_reserved(&p, false);
	CU_ASSERT(!pids_take(&p, &id));
	CU_ASSERT(pids_reserve(&p) == 6000);
	pids_reserved(&p, true);
	CU_ASSERT(pids_take(&p, &id) && id == 5000);
}

static void
ids_rise_without_gap_over_blocks(void)
{
	struct pids p;
	int64_t id, i;

	pids_init(&p, 0);
	for (i = 0; i < 3 * PIDS_BLOCK; i++) {
		if (!pids_take(&p, &id)) {
			CU_ASSERT(i % PIDS_BLOCK == 0);
			CU_ASSERT(pids_reserve(&p) == i + PIDS_BLOCK);
			pids_reserved(&p, true);
			CU_ASSERT(pids_take(&p, &id));
		}
		CU_ASSERT(id == i);
	}
}

static void
restart_never_repeats_an_id(void)
{
	struct pids p;
	int64_t id, end;

	pids_init(&p, 0);
	end = pids_reserve(&p);
	pids_reserved(&p, true);
	CU_ASSERT(pids_take(&p, &id) && id == 0);
	pids_init(&p, end);
	pids_reserve(&p);
	pids_reserved(&p, true);
	CU_ASSERT(pids_take(&p, &id) && id == end);
}

static void
ids_end_without_wrapping(void)
{
	struct pids p;
	int64_t id;

	pids_init(&p, INT64_MAX - PIDS_BLOCK + 1);
	CU_ASSERT(pids_reserve(&p) == -1 && !pids_take(&p, &id));
}

const struct unit_test pids_tests[] = {
	UNIT(nothing_is_given_out_before_a_block_is_durable),
	UNIT(only_one_reservation_is_under_way),
	UNIT(failed_reservation_can_be_begun_anew),
	UNIT(ids_rise_without_gap_over_blocks),
	UNIT(restart_never_repeats_an_id),
	UNIT(ids_end_without_wrapping),
	UNIT_END
};
