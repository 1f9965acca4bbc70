/*
 * sim_power.c -- the power goes, again and again, at any moment.
 *
 *	sim_power [-v] [FIRST [COUNT]]
 *
 * Runs the histories with the seeds FIRST, FIRST + 1, ... (1 and 1000).  Each is
 * several lives of one store; most are cut at some file operation, during the
 * start as well as during the work.  What was not synced is then lost in part,
 * or the process alone was killed and all is kept; sometimes the index is lost,
 * or an old copy of it brought back.  -v shows what the daemon says.
 */
#include <stdio.h>

#include "fake/file_fake.h"
#include "faults/sim.h"

static struct sim_options
some_options(void)
{
	static const uint32_t sizes[] = { 200, 2000, 20000, 100000 };
	struct sim_options o = { .partitions = 1 + (int)below(SIM_PARTITIONS), .steps = 20 + (int)below(300),
		.batch_bytes = sizes[below(4)], .cold = below(3) == 0 ? 40 : 0, .deletes = below(3) == 0 };

	o.journal_batch_bytes_max = (int)(below(3) == 0 ? 1000 : o.batch_bytes);
	o.checkpoint_bytes = (int64_t)o.batch_bytes * (5 + (int64_t)below(200));
	o.segment_bytes = (int32_t)(o.batch_bytes * (2 + below(30)));
	if (o.segment_bytes < 4096)
		o.segment_bytes = 4096; /* the state's batches must fit */
	return o;
}

/* What the end of a life has left: a killed process, or a disk without power. */
static uint64_t power_cuts, kills, lost_indexes, old_indexes;

static void
end_life(bool ended_clean)
{
	bool power = below(4) != 0;

	if (power) {
		fake_disk_power_cut(below(SIZE_MAX));
		power_cuts++;
	} else if (!ended_clean)
		kills++;
	sim_index_mark();
	if (below(12) == 0) {
		sim_index_delete();
		lost_indexes++;
	} else if (below(12) == 0)
		old_indexes += sim_index_bring_back();
	else if (below(3) == 0)
		lives_index_keep();
}

static bool
run_history(uint64_t seed)
{
	struct sim_options options;
	int lives;

	chance_begin(seed);
	options = some_options();
	lives = 2 + (int)below(4);
	sim_reset(&options);
	for (int i = 0; i < lives; i++) {
		struct sim_life plan = { .seed = below(SIZE_MAX), .cut_at = -1, .work = true,
			.close = below(2) == 0 };
		int status;

		/* A start has few operations, so that many cuts are to come early. */
		if (below(5) != 0)
			plan.cut_at = (int64_t)below(below(2) == 0 ? 60 : (size_t)options.steps * 4);
		status = sim_run(&plan);
		if (!sim_fine(seed, i, status, plan.cut_at != -1))
			return false;
		end_life(status == SIM_FINE && plan.close);
	}
	for (int work = 0; work < 2; work++) {
		struct sim_life plan = { .seed = seed, .cut_at = -1, .work = work == 1, .close = true };

		if (!sim_fine(seed, lives + work, sim_run(&plan), false))
			return false;
	}
	return true;
}

static void
run(uint64_t first, uint64_t count)
{
	const struct sim_counts *c = sim_counts_of();

	for (uint64_t i = 0; i < count; i++)
		sim_judge(run_history(first + i));
	printf("lives=%llu power_cuts=%llu kills=%llu indexes_lost=%llu indexes_old=%llu appends=%llu durable=%llu "
	    "reads=%llu puts=%llu duplicates=%llu cuts=%llu deleted=%llu lost=%llu holes=%llu compactions=%llu retentions=%llu\n",
	    (unsigned long long)c->lives, (unsigned long long)power_cuts, (unsigned long long)kills,
	    (unsigned long long)lost_indexes, (unsigned long long)old_indexes,
	    (unsigned long long)c->appends, (unsigned long long)c->durable, (unsigned long long)c->reads,
	    (unsigned long long)c->puts, (unsigned long long)c->duplicates, (unsigned long long)c->cuts,
	    (unsigned long long)c->deleted, (unsigned long long)c->lost, (unsigned long long)c->holes,
	    (unsigned long long)c->compactions, (unsigned long long)c->retentions);
}

int
main(int argc, char **argv)
{
	static const struct sim_program program = { "sim_power", 1, 1000, run };

	return sim_main(&program, argc, argv);
}
