/*
 * sim_faults.c -- each operation of the disk fails once, or from then on.
 *
 *	sim_faults [-v] [STRIDE [SEED]]
 *
 * A store begins on a sound disk and is killed.  Its second life meets the
 * fault, at every STRIDE-th (1) operation, and ends as it can; then the power
 * goes, or the process alone.  On a sound disk again all promises hold.
 */
#include <errno.h>
#include <stdio.h>

#include "fake/file_fake.h"
#include "faults/sim.h"

static const struct {
	const char *name;
	int error;
	unsigned ops;
	const char *path;
	bool lasting;
} faults[] = {
	{ "once EIO", EIO, FAKE_ANY, NULL, false },
	{ "lasting EIO", EIO, FAKE_ANY, NULL, true },
	{ "writes EIO", EIO, FAKE_WRITE | FAKE_SYNC | FAKE_SYNC_DIR | FAKE_TRUNCATE, NULL, true },
	{ "full", ENOSPC, FAKE_WRITE | FAKE_MKDIR, NULL, true },
	{ "full once", ENOSPC, FAKE_WRITE | FAKE_MKDIR, NULL, false },
	{ "no descriptors", EMFILE, FAKE_OPEN | FAKE_LIST | FAKE_SYNC_DIR, NULL, false },
	{ "none for segments", EMFILE, FAKE_OPEN | FAKE_SYNC_DIR, "/logs/V0V", true },
	{ "sync of a segment", EIO, FAKE_SYNC, "/logs/V0V", false },
	{ "sync of a folder", EIO, FAKE_SYNC_DIR, "/logs/V0V", false },
	{ "sync of the journal", EIO, FAKE_SYNC, "/journal/", false },
};

enum { OPERATIONS_MAX = 3000 };

/* One row of the table, swept over the operations of a life. */
struct sweep {
	size_t fault;
	int64_t stride;
	uint64_t seed;
};

static bool
fine(const struct sweep *w, int64_t at, int status, bool faulty)
{
	return status == SIM_FINE || (faulty && (status == SIM_NOT_OPENED || status == SIM_FAILED)) ||
	    sim_blame(status, faults[w->fault].name, at, w->seed);
}

static int64_t
step(void *ctx, int64_t at)
{
	static const struct sim_options options = { .partitions = 3, .steps = 60, .batch_bytes = 3000,
		.journal_batch_bytes_max = 2500, .checkpoint_bytes = 60000, .segment_bytes = 20000 };
	const struct sweep *w = ctx;
	struct sim_life life = { .seed = w->seed, .cut_at = -1, .work = true };
	bool ok;

	sim_reset(&options);
	ok = fine(w, at, sim_run(&life), false);
	life.seed++;
	life.close = true;
	life.error = faults[w->fault].error;
	life.fail_at = at;
	life.fail_ops = faults[w->fault].ops;
	life.fail_path = faults[w->fault].path;
	life.lasting = faults[w->fault].lasting;
	ok = fine(w, at, sim_run(&life), true) && ok;
	if (at / w->stride % 2 == 0)
		fake_disk_power_cut(w->seed + (uint64_t)at);
	life = (struct sim_life){ .seed = w->seed, .cut_at = -1, .work = true };
	ok = ok && fine(w, at, sim_run(&life), false);
	fake_disk_power_cut(w->seed + (uint64_t)at + 1);
	life.close = true;
	life.seed++;
	ok = ok && fine(w, at, sim_run(&life), false);
	sim_judge(ok);
	/* A fault that was not met lies behind the end of the life. */
	return !ok || sim_fault_met() ? at + 1 : OPERATIONS_MAX;
}

static void
run(uint64_t stride, uint64_t seed)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct sweep w = { i, faults[i].path != NULL ? 1 : (int64_t)stride, seed };
		uint64_t before = sim_judged(), broken = sim_judged_broken();

		sim_sweep(0, OPERATIONS_MAX, w.stride, step, &w);
		printf("%-20s %llu histories, %llu broken\n", faults[i].name,
		    (unsigned long long)(sim_judged() - before),
		    (unsigned long long)(sim_judged_broken() - broken));
	}
}

int
main(int argc, char **argv)
{
	static const struct sim_program program = { "sim_faults", 1, 1, run };

	return sim_main(&program, argc, argv);
}
