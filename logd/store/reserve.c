/*
 * reserve.c -- room on the disk that is held back.
 *
 * To delete, retention has to write: that the log start has moved.  On a full
 * disk there would be no room for that.  So a file lies there, really written,
 * that is given up then; and is made again when there is room.  Meanwhile only
 * the daemon's own records are taken, or producers would have the room first.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum { RETRY_MS = 10000, CHUNK = 64 * 1024 };

struct making {
	struct job job;
	struct store *store;
	int error;
};

static void
path_of(const struct store *store, char *path, size_t size)
{
	snprintf(path, size, "%s/reserve", store->dir);
}

/* With it, there is room for something else, too. */
static bool
has_room(struct store *store)
{
	int64_t total, left;

	return store_space(store, &total, &left) == 0 &&
	    left >= store->config.reserve_bytes + store->config.reserve_bytes / 4;
}

static bool
lacks_room(struct store *store)
{
	int64_t total, left;

	return store_space(store, &total, &left) == 0 && left < store->config.reserve_bytes / 4;
}

static void
give_up(struct store *store)
{
	char path[PATH_MAX];

	path_of(store, path, sizeof path);
	store->reserve.there = false;
	store->reserve.used = true;
	store_remove(store, path, false);
	diag_warn("disk is full, its reserve is used",
	    "path=%s effect=\"producers are refused until there is room\" action=\"make room; nothing needs to be restarted\"",
	    path);
}

void
reserve_open(struct store *store)
{
	char path[PATH_MAX];
	int fd;

	path_of(store, path, sizeof path);
	if ((fd = file_open(path, FILE_READ)) == -1)
		return;
	store->reserve.there = file_size(fd) == store->config.reserve_bytes;
	file_close(fd);
	/* A start has to write, and waits for this: nobody is served yet. */
	if (store->reserve.there && lacks_room(store) && file_unlink(path) == 0) {
		store->reserve.there = false;
		store->reserve.used = true;
		upkeep_retention_soon(store);
		diag_warn("disk is full, its reserve is used for the start", "path=%s", path);
	}
}

void
reserve_close(struct store *store)
{
	if (store->reserve.there && !store->failed && lacks_room(store))
		give_up(store);
}

void
reserve_use(struct store *store)
{
	if (store->reserve.there)
		give_up(store);
}

/* On the keeper's thread. */
static void
run_making(struct job *job)
{
	struct making *m = container_of(job, struct making, job);
	int64_t size = m->store->config.reserve_bytes;
	uint8_t *chunk = xmalloc(CHUNK);
	char path[PATH_MAX];
	int fd;

	/* Not zeros, for which some filesystems take no room. */
	memset(chunk, 0xa5, CHUNK);
	path_of(m->store, path, sizeof path);
	if ((fd = file_open(path, FILE_CREATE)) == -1)
		m->error = errno;
	for (int64_t pos = 0; m->error == 0 && pos < size; pos += CHUNK)
		if (file_write(fd, chunk, (size_t)(size - pos < CHUNK ? size - pos : CHUNK), pos) == -1)
			m->error = errno;
	if (m->error == 0 && file_sync(fd) == -1)
		m->error = errno;
	if (fd != -1)
		file_close(fd);
	if (m->error != 0)
		file_unlink(path);
	free(chunk);
}

static void
making_done(struct job *job)
{
	struct making *m = container_of(job, struct making, job);
	struct store *store = m->store;
	struct reserve *r = &store->reserve;

	store->jobs--;
	r->making = false;
	if (m->error == 0) {
		if (r->used)
			diag_info("disk has room again", "");
		r->there = true;
		r->used = false;
	} else
		r->retry_ms = store->mono_ms + RETRY_MS;
	free(m);
}

void
reserve_tick(struct store *store)
{
	struct reserve *r = &store->reserve;
	struct making *m;

	/* A record that is to make room waits for the journal, which has none. */
	if (store->n_retaining > 0 && journal_full(store->journal))
		reserve_use(store);
	if (r->there || r->making || store->failed || store->config.reserve_bytes == 0 ||
	    store->mono_ms < r->retry_ms || !has_room(store))
		return;
	m = xcalloc(1, sizeof *m);
	m->job = (struct job){ .run = run_making, .done = making_done };
	m->store = store;
	r->making = true;
	store->jobs++;
	workers_submit(store->keepers, &m->job);
}
