/*
 * snapshot.c -- a copy of the whole store, as it was at one moment, while it goes on.
 *
 * The moment is the beginning of a checkpoint: what the index has when it is
 * committed is what everything was then.  So the index is copied right behind the
 * commit, before another can follow, and then, at leisure, the segments up to
 * where they ended.  Those that are not appended to any more are linked, which
 * costs nothing; the last of each partition is copied.
 *
 * A daemon that is started on the copy finds an end that was not a clean one, and
 * an index that fits: it raises the leader epoch, by which readers notice that
 * the log may have been set back.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum { STEP = 1024 * 1024, NAME = 32 };

struct part {
	struct segment *segment; /* pinned */
	int64_t size;
	bool last;               /* of its partition: appends to it go on */
};

struct snapshot {
	struct job job;
	struct store *store;
	char *dir;   /* owned: where it will be */
	char *unfinished; /* owned: where it is until then */
	struct part *parts;
	size_t n, cap;
	int64_t bytes;
	atomic_bool stop; /* the store is being closed, which is not to wait for long.  Any thread. */
	int error;
	char failed[PATH_MAX]; /* what failed */
};

/* Notes the first failure. */
static int
fail(struct snapshot *s, const char *path)
{
	if (s->error != 0)
		return -1;
	s->error = errno == 0 ? EIO : errno;
	snprintf(s->failed, sizeof s->failed, "%s", path);
	return -1;
}

static void
free_snapshot(struct snapshot *s)
{
	free(s->dir);
	free(s->unfinished);
	free(s->parts);
	free(s);
}

static void
end(struct snapshot *s)
{
	if (atomic_load(&s->stop))
		diag_warn("snapshot given up, the daemon ends", "path=%s action=\"delete it\"", s->unfinished);
	else if (s->error == 0)
		diag_info("snapshot made", "path=%s segments=%zu bytes=%lld", s->dir, s->n, (long long)s->bytes);
	else
		diag_error("snapshot failed", "path=%s error=\"%s\" action=\"mend what is named, delete %s, and ask again\"",
		    s->failed, strerror(s->error), s->unfinished);
	s->store->snapshot = NULL;
	for (size_t i = 0; i < s->n; i++) {
		struct partition *p = s->parts[i].segment->partition;
		bool last = s->parts[i].last;

		segment_unpin(s->parts[i].segment);
		if (last)
			partition_release(p);
	}
	free_snapshot(s);
}

/* ---- on a thread ---- */

static int
sync_folder(struct snapshot *s, const char *path)
{
	return file_sync_dir(path) == -1 ? fail(s, path) : 0;
}

static int
make_folder(struct snapshot *s, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", s->unfinished, name);
	return file_mkdir(path) == -1 ? fail(s, path) : 0;
}

static int
copy_bytes(const struct snapshot *s, int from, int to, int64_t size)
{
	uint8_t *chunk = xmalloc(STEP);
	int64_t pos = 0, n = 0;

	for (; pos < size && !atomic_load(&s->stop); pos += n) {
		n = file_read(from, chunk, (size_t)(size - pos < STEP ? size - pos : STEP), pos);
		if (n <= 0 || file_write(to, chunk, (size_t)n, pos) == -1)
			break;
	}
	free(chunk);
	return pos == size && file_sync(to) == 0 ? 0 : -1;
}

static int
copy_file(struct snapshot *s, const char *from, const char *to, int64_t size)
{
	int in = file_open(from, FILE_READ), out = in == -1 ? -1 : file_open(to, FILE_CREATE_NEW), r = -1;

	errno = in == -1 || out == -1 ? errno : 0;
	if (out != -1)
		r = copy_bytes(s, in, out, size);
	if (r == -1)
		fail(s, in == -1 ? from : to);
	if (in != -1)
		file_close(in);
	if (out != -1)
		file_close(out);
	return r;
}

static int
copy_part(struct snapshot *s, const struct part *part)
{
	char from[PATH_MAX], to[PATH_MAX];

	segment_path(part->segment, from, sizeof from);
	snprintf(to, sizeof to, "%s%s", s->unfinished, from + strlen(s->store->dir));
	/* On another filesystem there are no links. */
	if (!part->last && file_link(from, to) == 0)
		return 0;
	return copy_file(s, from, to, part->size);
}

/* The parts of one partition from the i-th on; where those of the next begin, or -1. */
static int64_t
copy_partition(struct snapshot *s, size_t i)
{
	const struct partition *p = s->parts[i].segment->partition;
	char from[PATH_MAX], folder[PATH_MAX];

	partition_folder(p, from, sizeof from);
	if (make_folder(s, from + strlen(s->store->dir) + 1, folder, sizeof folder) == -1)
		return -1;
	for (; i < s->n && s->parts[i].segment->partition == p; i++)
		if (atomic_load(&s->stop) || copy_part(s, &s->parts[i]) == -1)
			return fail(s, folder);
	return sync_folder(s, folder) == -1 ? -1 : (int64_t)i;
}

static void
run_snapshot(struct job *job)
{
	struct snapshot *s = container_of(job, struct snapshot, job);
	char logs[PATH_MAX], above[PATH_MAX];
	int64_t i = 0;

	if (make_folder(s, "logs", logs, sizeof logs) == -1)
		return;
	if (store_put_format(s->unfinished) == -1) {
		fail(s, s->unfinished);
		return;
	}
	while (i < (int64_t)s->n)
		if ((i = copy_partition(s, (size_t)i)) == -1)
			return;
	snprintf(above, sizeof above, "%s/..", s->dir);
	if (sync_folder(s, logs) == -1 || sync_folder(s, s->unfinished) == -1)
		return;
	if (file_rename(s->unfinished, s->dir) == -1)
		fail(s, s->dir);
	else
		sync_folder(s, above);
}

static void
snapshot_done(struct job *job)
{
	struct snapshot *s = container_of(job, struct snapshot, job);

	s->store->jobs--;
	end(s);
}

/* ---- called by the checkpoint ---- */

void
snapshot_begin(struct snapshot *s)
{
	struct partition *p;
	size_t it = 0;

	while ((p = map_next(&s->store->partitions, &it)) != NULL) {
		p->jobs += p->n_segments > 0;
		for (size_t i = 0; i < p->n_segments; i++) {
			if (s->n == s->cap) {
				s->cap = s->cap == 0 ? 64 : s->cap * 2;
				s->parts = xrealloc(s->parts, s->cap * sizeof *s->parts);
			}
			segment_pin(p->segments[i]);
			s->parts[s->n++] = (struct part){ p->segments[i], p->segments[i]->size, i + 1 == p->n_segments };
			s->bytes += p->segments[i]->size;
		}
	}
}

void
snapshot_copy_index(struct snapshot *s)
{
	char path[PATH_MAX];

	/* The parent is the user's: it is there, or its absence is told. */
	if (file_mkdir(s->unfinished) == -1)
		fail(s, s->unfinished);
	else if (make_folder(s, "index", path, sizeof path) == 0 && index_copy(s->store->index, path) == -1)
		fail(s, path);
}

void
snapshot_go_on(struct snapshot *s)
{
	if (s->error != 0) {
		end(s);
		return;
	}
	s->job = (struct job){ .run = run_snapshot, .done = snapshot_done };
	s->store->jobs++;
	workers_submit(s->store->copiers, &s->job);
}

void
snapshot_stop(struct store *store)
{
	if (store->snapshot != NULL)
		atomic_store(&store->snapshot->stop, true);
}

void
snapshot_abandon(struct store *store)
{
	if (store->snapshot != NULL)
		free_snapshot(store->snapshot);
	store->snapshot = NULL;
}

/* ---- asked for ---- */

int
store_snapshot(struct store *store, const char *dir, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct snapshot *s;
	char name[NAME], path[PATH_MAX];
	struct tm utc;

	if (store->snapshot != NULL) {
		diag_warn("snapshot refused: another is being made", "path=%s", store->snapshot->dir);
		return -1;
	}
	s = xcalloc(1, sizeof *s);
	s->store = store;
	strftime(name, sizeof name, "%Y%m%dT%H%M%S", gmtime_r(&seconds, &utc));
	snprintf(path, sizeof path, "%s/%s.%03dZ", dir, name, (int)(wall_ms % 1000));
	s->dir = xstrdup(path);
	snprintf(path, sizeof path, "%s/%s.%03dZ.unfinished", dir, name, (int)(wall_ms % 1000));
	s->unfinished = xstrdup(path);
	diag_info("snapshot asked for", "path=%s effect=\"it is made with the next checkpoint\"", s->dir);
	store->snapshot = s;
	store->snapshot_waits = true;
	store_checkpoint(store);
	return 0;
}
