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

#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "faults/sim.h"

enum { FILES = 64, PAGE = 4096, LMDB_FILES = 2, DEATHS = 1 };

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
static uint64_t died;

static void
note_file(void *ctx, const char *path, int64_t size)
{
	(void)ctx;
	/* A folder whose format is not known is refused, by intent. */
	if (strstr(path, "/format") != NULL)
		return;
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

	for (; ends(status) && deaths < DEATHS; deaths++)
		status = sim_run(&life);
	life.work = true;
	if (status == SIM_FINE)
		status = sim_run(&life);
	for (; ends(status) && deaths < DEATHS; deaths++)
		status = sim_run(&life);
	died += (uint64_t)deaths;
	sim_judge(status == SIM_FINE || sim_blame(status, path, pos, seed));
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* A file that is swept: which of the image's, or of LMDB's. */
struct sweep {
	int i;
	uint64_t seed;
};

static int64_t
flip_file(void *ctx, int64_t at)
{
	const struct sweep *w = ctx;
	const char *path = image.paths[w->i];
	int64_t page = at / PAGE * PAGE, left = image.sizes[w->i] - page;
	size_t n = left < PAGE ? (size_t)left : PAGE;
	uint8_t bytes[PAGE], byte;

	restore_image();
	must(fake_disk_peek(path, page, bytes, n) == 0);
	if (all_zero(bytes, n))
		return page + PAGE;
	byte = changed(bytes[at - page], (int)((at + at / 10) % 10));
	if (byte != bytes[at - page]) {
		fake_disk_poke(path, at, &byte, 1);
		start(path, at, w->seed);
	}
	return at + 1;
}

static int64_t
flip_lmdb(void *ctx, int64_t at)
{
	const struct sweep *w = ctx;
	uint8_t *byte = &image.lmdb[w->i][at], before = *byte;

	*byte = changed(before, (int)((at + at / 10) % 10));
	if (*byte != before) {
		restore_image();
		start(lmdb_files[w->i], at, w->seed);
		*byte = before;
	}
	return at + 1;
}

static void
flip_all(bool clean, int64_t stride, uint64_t seed)
{
	static const struct sim_options options = { .partitions = 3, .steps = 120, .batch_bytes = 1200,
		.journal_batch_bytes_max = 1000, .checkpoint_bytes = 30000, .segment_bytes = 9000 };
	struct sim_life life = { .seed = seed, .cut_at = -1, .work = true, .close = clean };
	int64_t from = (int64_t)(seed % (uint64_t)stride);

	sim_reset(&options);
	must(sim_run(&life) == SIM_FINE);
	take_image();
	for (int i = 0; i < image.n; i++)
		sim_sweep(from, image.sizes[i], stride, flip_file, &(struct sweep){ i, seed });
	for (int i = 0; i < LMDB_FILES; i++)
		sim_sweep(from, (int64_t)image.n_lmdb[i], stride, flip_lmdb, &(struct sweep){ i, seed });
}

static void
run(uint64_t stride, uint64_t seed)
{
	flip_all(true, (int64_t)stride, seed);
	flip_all(false, (int64_t)stride, seed);
	printf("deaths=%llu\n", (unsigned long long)died);
}

int
main(int argc, char **argv)
{
	static const struct sim_program program = { "sim_flip", 307, 1, run };

	return sim_main(&program, argc, argv);
}
