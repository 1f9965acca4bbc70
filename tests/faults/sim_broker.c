/*
 * sim_broker.c -- a whole broker under clients of every kind, and the power goes, again and again.
 *
 *	sim_broker [-v] [FIRST [COUNT]]
 *
 * Runs the histories with the seeds FIRST, FIRST + 1, ... (1 and 1000), as
 * sim_power does with a store.  At the end of each, nobody goes on: what was open
 * must come to its end, and everything is checked once more.
 */
#include <stdio.h>

#include "fake/file_fake.h"
#include "faults/broker_sim.h"

static struct broker_options
some_options(void)
{
	static const int32_t sizes[] = { 200, 1000, 4000, 16000 };
	static const int32_t timeouts[] = { 300, 3000, 60000 };
	struct broker_options o = { .steps = 50 + (int)below(350), .cold = one_in(3) ? 30 : 0, .late = one_in(3) ? 85 : 25,
		.batch_bytes = sizes[below(4)], .txn_timeout_ms = timeouts[below(3)], .newer = one_in(2),
		.plain = (int)below(3), .idempotent = (int)below(IDEMPOTENT + 1), .transactional = (int)below(WRITERS - IDEMPOTENT) + 1,
		.readers = (int)below(READERS + 1), .committers = (int)below(3), .members = (int)below(MEMBERS + 1),
		.consumers = (int)below(MEMBERS + 1), .tombstones_go = one_in(3), .remakes = one_in(3), .jumps = one_in(3) };

	o.segment_bytes = o.batch_bytes * (2 + (int32_t)below(10)) + 2000;
	o.internal_segment_bytes = 4096 << below(4);
	o.journal_batch_bytes_max = one_in(3) ? 500 : 1 << 20;
	o.checkpoint_bytes = (int64_t)o.batch_bytes * (20 + (int64_t)below(400));
	return o;
}

/* What the end of a life has left: a killed process, or a disk without power. */
static uint64_t power_cuts, kills, lost_indexes;

static void
end_life(bool ended_clean)
{
	if (below(4) != 0) {
		fake_disk_power_cut(below(SIZE_MAX));
		power_cuts++;
	} else if (!ended_clean)
		kills++;
	if (lives_index_marked())
		past->torn = true;
	if (one_in(40)) {
		lives_index_delete();
		past->torn = true;
		lost_indexes++;
	}
}

static void
reset(const struct broker_options *options)
{
	struct broker_counts counts = past->counts;

	memset(past, 0, sizeof *past);
	past->counts = counts;
	past->options = *options;
	past->mono_ms = 1000;
	past->wall_ms = 1700000000000;
	for (int i = 0; i < WRITERS; i++)
		past->writers[i].id = -1;
	for (int i = 0; i < TXN_IDS; i++)
		past->owners[i].id = -1;
	fake_disk_reset(sim_dir());
	lives_index_delete();
}

static bool
run_history(uint64_t seed)
{
	struct broker_options options;
	int lives;

	chance_begin(seed);
	options = some_options();
	lives = 2 + (int)below(4);
	reset(&options);
	for (int i = 0; i < lives; i++) {
		struct broker_life plan = { .seed = below(SIZE_MAX), .cut_at = -1, .work = true, .close = one_in(2) };
		int status;

		/* A start has few operations, so that many cuts are to come early. */
		if (!one_in(6))
			plan.cut_at = (int64_t)below(one_in(3) ? 150 : (size_t)options.steps * 6);
		status = broker_run(&plan);
		if (!sim_fine(seed, i, status, plan.cut_at != -1))
			return false;
		end_life(status == SIM_FINE && plan.close);
	}
	return sim_fine(seed, lives, broker_run(&(struct broker_life){ .seed = seed, .cut_at = -1, .close = true,
	    .final = true }), false);
}

static void
run(uint64_t first, uint64_t count)
{
	const struct broker_counts *c;

	past = lives_memory(sizeof *past);
	c = &past->counts;
	for (uint64_t i = 0; i < count; i++)
		sim_judge(run_history(first + i));
	printf("lives=%llu power_cuts=%llu kills=%llu indexes_lost=%llu checks=%llu appends=%llu acked=%llu duplicates=%llu "
	    "lost=%llu transactions=%llu commits=%llu aborts=%llu fenced=%llu markers=%llu fetches=%llu committed_fetches=%llu "
	    "records=%llu offset_commits=%llu offset_fetches=%llu unstable=%llu rebalances=%llu cuts=%llu deleted=%llu "
	    "compactions=%llu retentions=%llu\n",
	    (unsigned long long)c->lives, (unsigned long long)power_cuts, (unsigned long long)kills,
	    (unsigned long long)lost_indexes, (unsigned long long)c->checks, (unsigned long long)c->appends,
	    (unsigned long long)c->acked, (unsigned long long)c->duplicates, (unsigned long long)c->lost,
	    (unsigned long long)c->transactions, (unsigned long long)c->commits, (unsigned long long)c->aborts,
	    (unsigned long long)c->fenced, (unsigned long long)c->markers, (unsigned long long)c->fetches,
	    (unsigned long long)c->committed_fetches, (unsigned long long)c->records,
	    (unsigned long long)c->offset_commits, (unsigned long long)c->offset_fetches,
	    (unsigned long long)c->unstable, (unsigned long long)c->rebalances, (unsigned long long)c->cuts,
	    (unsigned long long)c->remade, (unsigned long long)c->compactions, (unsigned long long)c->retentions);
}

int
main(int argc, char **argv)
{
	static const struct sim_program program = { "sim_broker", 1, 1000, run };

	return sim_main(&program, argc, argv);
}
