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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
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
	{ "sync of a segment", EIO, FAKE_SYNC, "/logs/V0V", false },
	{ "sync of a folder", EIO, FAKE_SYNC_DIR, "/logs/V0V", false },
	{ "sync of the journal", EIO, FAKE_SYNC, "/journal/", false },
};

enum { OPERATIONS_MAX = 3000 };

static bool
fine(const char *what, int64_t at, uint64_t seed, int status, bool faulty)
{
	if (status == SIM_FINE || (faulty && (status == SIM_NOT_OPENED || status == SIM_FAILED)))
		return true;
	if (status >= SIM_SIGNAL)
		fprintf(stderr, "broken: signal %d\n", status - SIM_SIGNAL);
	fprintf(stderr, "broken: %s at %lld, seed %llu\n", what, (long long)at, (unsigned long long)seed);
	return false;
}

/* How many histories were run, and were broken. */
static uint64_t run, failed;

/* False: the operation is behind the end of the life. */
static bool
try(size_t fault, int64_t at, uint64_t seed, bool power)
{
	static const struct sim_options options = { .partitions = 3, .steps = 60, .batch_bytes = 3000,
		.journal_batch_bytes_max = 2500, .checkpoint_bytes = 60000, .segment_bytes = 20000 };
	struct sim_life life = { .seed = seed, .cut_at = -1, .work = true };
	bool ok;
	int status;

	sim_reset(&options);
	run++;
	ok = fine(faults[fault].name, at, seed, sim_run(&life), false);
	life.seed++;
	life.close = true;
	life.error = faults[fault].error;
	life.fail_at = at;
	life.fail_ops = faults[fault].ops;
	life.fail_path = faults[fault].path;
	life.lasting = faults[fault].lasting;
	status = sim_run(&life);
	ok = ok && fine(faults[fault].name, at, seed, status, true);
	if (power)
		fake_disk_power_cut(seed + (uint64_t)at);
	life = (struct sim_life){ .seed = seed, .cut_at = -1, .work = true };
	ok = ok && fine(faults[fault].name, at, seed, sim_run(&life), false);
	fake_disk_power_cut(seed + (uint64_t)at + 1);
	life.close = true;
	life.seed++;
	ok = ok && fine(faults[fault].name, at, seed, sim_run(&life), false);
	failed += !ok;
	return !ok || sim_fault_met();
}

int
main(int argc, char **argv)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	char dir[128];
	int64_t stride = 1;
	uint64_t seed = 1;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		sim_verbose();
		argc--;
		argv++;
	}
	if (argc > 1)
		stride = strtoll(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	snprintf(dir, sizeof dir, "%s/sim_faults.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	must(mkdtemp(dir) != NULL);
	sim_init(dir);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		uint64_t before = run, broken = failed;
		int64_t at = 0;

		while (at < OPERATIONS_MAX && try(i, at, seed, at / stride % 2 == 0))
			at += faults[i].path != NULL ? 1 : stride;
		printf("%-20s %llu histories, %llu broken\n", faults[i].name,
		    (unsigned long long)(run - before), (unsigned long long)(failed - broken));
	}
	sim_end();
	printf("%llu passed, %llu failed\n", (unsigned long long)(run - failed), (unsigned long long)failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
