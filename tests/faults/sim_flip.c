/*
 * sim_flip.c -- each byte of each file is changed, one at a time.
 *
 *	sim_flip [-v] [STRIDE [SEED]]
 *
 * After a clean end, and after a kill that lost nothing, every STRIDE-th (307)
 * byte that is not in a page of zeros has a bit flipped, or becomes 0 or 255.
 * Then the store must start, and give out nothing that is wrong; at most
 * the batch concerned may be answered with an error.  Changed bytes of LMDB's may
 * end it: once when it works, and once when the next start reads them; then the
 * index is made anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "faults/sim.h"

enum { FILES = 64, PAGE = 4096, LMDB_FILES = 2, DEATHS = 2 };

/* The store as it was left. */
static struct {
	void *disk, *history;
	size_t n_disk, n_history;
	char paths[FILES][224];
	int64_t sizes[FILES];
	int n;
	uint8_t *lmdb[LMDB_FILES];
	size_t n_lmdb[LMDB_FILES];
} image;

static const char *const lmdb_files[LMDB_FILES] = { "index/data.mdb", "index/lock.mdb" };
static uint64_t run, failed, died;

static void
note_file(void *ctx, const char *path, int64_t size)
{
	(void)ctx;
	must(image.n < FILES);
	strcpy(image.paths[image.n], path);
	image.sizes[image.n++] = size;
}

static void
real_path(int i, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", sim_dir(), lmdb_files[i]);
}

static void
take_image(void)
{
	image.n = 0;
	free(image.disk);
	free(image.history);
	image.disk = fake_disk_save(&image.n_disk);
	image.history = sim_save(&image.n_history);
	fake_disk_each(note_file, NULL);
	for (int i = 0; i < LMDB_FILES; i++) {
		char path[160];
		FILE *f;

		real_path(i, path, sizeof path);
		f = fopen(path, "rb");
		must(f != NULL);
		free(image.lmdb[i]);
		image.lmdb[i] = xmalloc(1 << 20);
		image.n_lmdb[i] = fread(image.lmdb[i], 1, 1 << 20, f);
		fclose(f);
	}
}

static void
restore_image(void)
{
	fake_disk_restore(image.disk, image.n_disk);
	sim_restore(image.history, image.n_history);
	for (int i = 0; i < LMDB_FILES; i++) {
		char path[160];
		FILE *f;

		real_path(i, path, sizeof path);
		f = fopen(path, "wb");
		must(f != NULL && fwrite(image.lmdb[i], 1, image.n_lmdb[i], f) == image.n_lmdb[i]);
		fclose(f);
	}
}

static uint8_t
changed(uint8_t byte, int how)
{
	if (how < 8)
		return (uint8_t)(byte ^ 1 << how);
	return how == 8 ? 0 : 255;
}

/* What a next start is to mend. */
static bool
ends(int status)
{
	return status >= SIM_SIGNAL || status == SIM_FAILED;
}

/* Starts it, again if it died; checks all; then once more, with work. */
static void
start(const char *path, int64_t pos, uint64_t seed)
{
	struct sim_life life = { .seed = seed, .cut_at = -1, .damaged = 1, .close = true };
	int status = sim_run(&life), deaths = 0;

	run++;
	for (; ends(status) && deaths < DEATHS; deaths++)
		status = sim_run(&life);
	life.work = true;
	if (status == SIM_FINE)
		status = sim_run(&life);
	for (; ends(status) && deaths < DEATHS; deaths++)
		status = sim_run(&life);
	died += (uint64_t)deaths;
	if (status == SIM_FINE)
		return;
	failed++;
	fprintf(stderr, "broken: %s at %lld, seed %llu: %s %d\n", path, (long long)pos,
	    (unsigned long long)seed, status >= SIM_SIGNAL ? "signal" : "status",
	    status >= SIM_SIGNAL ? status - SIM_SIGNAL : status);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void
flip_file(int i, int64_t stride, uint64_t seed)
{
	for (int64_t at = (int64_t)seed % stride; at < image.sizes[i]; at += stride) {
		int64_t page = at / PAGE * PAGE;
		size_t n = image.sizes[i] - page < PAGE ? (size_t)(image.sizes[i] - page) : PAGE;
		uint8_t bytes[PAGE], byte;

		restore_image();
		must(fake_disk_peek(image.paths[i], page, bytes, n) == 0);
		if (all_zero(bytes, n)) {
			at = page + PAGE - stride;
			continue;
		}
		byte = changed(bytes[at - page], (int)((at + at / 10) % 10));
		if (byte == bytes[at - page])
			continue;
		fake_disk_poke(image.paths[i], at, &byte, 1);
		start(image.paths[i], at, seed);
	}
}

static void
flip_lmdb(int i, int64_t stride, uint64_t seed)
{
	for (int64_t at = (int64_t)seed % stride; at < (int64_t)image.n_lmdb[i]; at += stride) {
		uint8_t *byte = &image.lmdb[i][at], before = *byte;

		*byte = changed(before, (int)((at + at / 10) % 10));
		if (*byte == before)
			continue;
		restore_image();
		start(lmdb_files[i], at, seed);
		*byte = before;
	}
}

static void
flip_all(bool clean, int64_t stride, uint64_t seed)
{
	static const struct sim_options options = { .partitions = 3, .steps = 120, .batch_bytes = 1200,
		.journal_batch_bytes_max = 1000, .checkpoint_bytes = 30000, .segment_bytes = 9000 };
	struct sim_life life = { .seed = seed, .cut_at = -1, .work = true, .close = clean };

	sim_reset(&options);
	must(sim_run(&life) == SIM_FINE);
	take_image();
	for (int i = 0; i < image.n; i++)
		flip_file(i, stride, seed);
	for (int i = 0; i < LMDB_FILES; i++)
		flip_lmdb(i, stride, seed);
}

int
main(int argc, char **argv)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	char dir[128];
	int64_t stride = 307;
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
	snprintf(dir, sizeof dir, "%s/sim_flip.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	must(mkdtemp(dir) != NULL);
	sim_init(dir);
	flip_all(true, stride, seed);
	flip_all(false, stride, seed);
	sim_end();
	printf("deaths=%llu\n", (unsigned long long)died);
	printf("%llu passed, %llu failed\n", (unsigned long long)(run - failed), (unsigned long long)failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
