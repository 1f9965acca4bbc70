/* store.c -- opening and closing the store, its partitions, its rounds. */
#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum { READERS = 4, CHECKERS = 4, SYNCERS = 1, TRY_MS = 1000, LACK_TOLD_MS = 10000 };

/* The mark of a clean end: the index, whose file has this checksum, tells all. */
enum { CLEAN_MAGIC = 0, CLEAN_INDEX_CRC = 8, CLEAN_CRC = 12, CLEAN_SIZE = 16 };
static const uint8_t clean_magic[8] = { 'W', 'E', 'I', 'R', 'C', 'L', 'N', '1' };

void
partition_key(const struct partition_id *id, uint8_t key[PARTITION_KEY])
{
	memcpy(key, id->topic, sizeof id->topic);
	store32(key + sizeof id->topic, (uint32_t)id->number);
}

void
segment_key(const struct segment *s, uint8_t key[SEGMENT_KEY])
{
	memcpy(key, s->partition->key, PARTITION_KEY);
	store64(key + PARTITION_KEY, (uint64_t)s->base);
	store32(key + PARTITION_KEY + 8, (uint32_t)s->epoch);
	store32(key + PARTITION_KEY + 12, s->generation);
}

void
store_fail(struct store *store, const char *why)
{
	if (store->failed)
		return;
	store->failed = true;
	store->hooks.failed(store->hooks.ctx, why);
}

void
store_tell_lack(struct store *store, const char *what, int error)
{
	if (store->mono_ms - store->lack_told_ms < LACK_TOLD_MS)
		return;
	store->lack_told_ms = store->mono_ms;
	diag_warn(what, "error=\"%s\" action=\"make room, or allow more open files; nothing needs to be restarted\"",
	    strerror(error));
}

static void
journal_committed(void *ctx, int error)
{
	struct store *store = ctx;
	struct list waiting;

	if (error != 0) {
		store_fail(store, "the journal can't be written");
		return;
	}
	/* Those that go on waiting come back to the list. */
	list_init(&waiting);
	list_move_all(&waiting, &store->waiting);
	while (!list_empty(&waiting)) {
		struct partition *p = list_first(&waiting, struct partition, waiting);

		list_del(&p->waiting);
		list_add(&store->waiting, &p->waiting);
		partition_advance(p);
	}
}

/* ---- removing files ---- */

struct removal {
	struct job job;
	struct store *store;
	bool folder;
	int error;
	char path[];
};

static void
run_removal(struct job *job)
{
	struct removal *r = container_of(job, struct removal, job);

	if ((r->folder ? file_rmdir(r->path) : file_unlink(r->path)) == -1 && errno != ENOENT)
		r->error = errno;
}

static void
removal_done(struct job *job)
{
	struct removal *r = container_of(job, struct removal, job);

	if (r->error != 0)
		diag_warn("can't be deleted", "path=%s error=\"%s\" effect=\"its space stays in use\"",
		    r->path, strerror(r->error));
	r->store->jobs--;
	free(r);
}

void
store_remove(struct store *store, const char *path, bool folder)
{
	struct removal *r = xcalloc(1, sizeof *r + strlen(path) + 1);

	r->job = (struct job){ .run = run_removal, .done = removal_done };
	r->store = store;
	r->folder = folder;
	memcpy(r->path, path, strlen(path) + 1);
	store->jobs++;
	workers_submit(store->keepers, &r->job);
}

/* ---- partitions ---- */

struct partition *
store_partition(struct store *store, const struct partition_id *id)
{
	uint8_t key[PARTITION_KEY];

	partition_key(id, key);
	return map_get(&store->partitions, span_of(key, sizeof key));
}

struct partition *
store_open_partition(struct store *store, const struct partition_id *id,
    const struct partition_config *config)
{
	struct partition *p = store_partition(store, id);

	if (p == NULL) {
		p = partition_new(store, id);
		must_fit(map_put(&store->partitions, span_of(p->key, sizeof p->key), p));
	}
	p->opened = true;
	partition_configure(p, config);
	return p;
}

void
partition_release(struct partition *p)
{
	char folder[PATH_MAX];

	must(p->jobs > 0);
	if (--p->jobs > 0 || !p->deleted)
		return;
	if (p->folder_made) {
		partition_folder(p, folder, sizeof folder);
		store_remove(p->store, folder, true);
	}
	partition_free(p);
}

void
store_delete_partition(struct store *store, struct partition *p)
{
	index_del_prefix(&store->removals, INDEX_PRODUCERS, span_of(p->key, sizeof p->key));
	index_del_prefix(&store->removals, INDEX_ABORTED, span_of(p->key, sizeof p->key));
	producers_done(&p->producers);
	list_del(&p->upkeep);
	cleaner_forget(p);
	p->deleted = true;
	p->jobs++; /* until this is over */
	map_del(&store->partitions, span_of(p->key, sizeof p->key));
	list_del(&p->dirty);
	partition_end_waiting(p, STORE_GONE);
	partition_doom(p, 0, p->n_segments);
	partition_release(p);
}

static void
tell_absent(const struct partition *p)
{
	char folder[PATH_MAX];

	partition_folder(p, folder, sizeof folder);
	diag_error("segment files are gone", "path=%s files=%zu effect=\"their records are lost\"", folder, p->absent);
}

void
store_sweep(struct store *store)
{
	struct partition **orphans = NULL, *p;
	size_t n = 0, it = 0;

	while ((p = map_next(&store->partitions, &it)) != NULL)
		if (!p->opened) {
			orphans = xrealloc(orphans, (n + 1) * sizeof(struct partition *));
			orphans[n++] = p;
		} else if (p->absent > 0)
			tell_absent(p);
	while (n > 0)
		store_delete_partition(store, orphans[--n]);
	free(orphans);
}

void
store_each_partition(struct store *store, bool (*each)(void *, struct partition *), void *ctx)
{
	struct partition *p;
	size_t it = 0;

	while ((p = map_next(&store->partitions, &it)) != NULL)
		if (!each(ctx, p))
			return;
}

int
store_space(struct store *store, int64_t *total, int64_t *free_bytes)
{
	return file_space(store->dir, total, free_bytes);
}

void
store_random(void *to, size_t n)
{
	must(file_random(to, n) == 0);
}

const struct store_stats *
store_stats_of(const struct store *store)
{
	return &store->stats;
}

bool
store_started_clean(const struct store *store)
{
	return store->clean;
}

/* ---- rounds ---- */

void
store_flush(struct store *store)
{
	if (store->failed)
		return;
	journal_flush(store->journal);
	sync_flush(store);
	if (store->appended_bytes >= store->config.checkpoint_bytes ||
	    journal_used(store->journal) >= journal_room(store->journal) / 2)
		store_checkpoint(store);
}

void
store_set_upkeep(struct store *store, const struct store_upkeep *upkeep)
{
	store->config.upkeep = *upkeep;
}

/* What a disk that lacks room or descriptors was asked for is tried again. */
static void
try_again(struct store *store)
{
	store->next_try_ms = store->mono_ms + TRY_MS;
	store->sync_put_off = false;
	reserve_tick(store);
	journal_prepare(store->journal, store->keepers);
	if (journal_full(store->journal)) {
		store_checkpoint(store); /* which frees files */
		journal_retry(store->journal);
	}
}

int64_t
store_tick(struct store *store, int64_t mono_ms, int64_t wall_ms)
{
	store->mono_ms = mono_ms;
	store->wall_ms = wall_ms;
	retention_look_at_clock(store);
	producers_expire(store);
	if (mono_ms >= store->next_try_ms)
		try_again(store);
	if (store->checkpoint_retry_ms != 0 ||
	    store->snapshot_waits || ((!list_empty(&store->dirty) || store->removals.n > 0) &&
	    mono_ms - store->last_checkpoint_ms >= store->config.checkpoint_interval_ms))
		store_checkpoint(store);
	return upkeep_tick(store);
}

/* ---- open ---- */

void
store_path(const char *dir, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static int
complain(const char *what, const char *path)
{
	diag_error(what, "path=%s error=\"%s\" action=\"%s\"", path, strerror(errno), file_advice(errno));
	return -1;
}

/* The folder, which is ours alone from here on. */
static int
take_folder(struct store *store)
{
	if (file_mkdir(store->dir) == -1)
		return complain("data folder can't be made", store->dir);
	if ((store->lock_fd = file_lock(store->dir)) != -1)
		return 0;
	if (errno != EWOULDBLOCK)
		return complain("data folder can't be locked", store->dir);
	diag_error("data folder is in use",
	    "path=%s action=\"another weir-logd runs on it: stop that one, or give this one a folder of its own (log.dirs)\"",
	    store->dir);
	return -1;
}

/* What the layout of the folder is called; docs/storage-format.md says when it changes. */
static const char format[] = "weir-logd 1\n";

int
store_put_format(const char *dir)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	int fd, r;

	store_path(dir, "format.tmp", tmp, sizeof tmp);
	store_path(dir, "format", path, sizeof path);
	if ((fd = file_open(tmp, FILE_CREATE)) == -1)
		return -1;
	r = file_write(fd, format, sizeof format - 1, 0) == 0 && file_sync(fd) == 0 ? 0 : -1;
	file_close(fd);
	return r == -1 || file_rename(tmp, path) == -1 || file_sync_dir(dir) == -1 ? -1 : 0;
}

/* A folder may be the top of a disk. */
static int
found_something(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "lost+found") != 0;
}

/* 1: it does; -1: logged. */
static int
holds_data(const char *dir)
{
	static const char *const folders[] = { "logs", "journal", "index" };
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof folders / sizeof *folders && r == 0; i++) {
		store_path(dir, folders[i], path, sizeof path);
		if ((r = file_list(path, found_something, NULL)) == -1)
			r = errno == ENOENT ? 0 : complain("folder can't be read", path);
	}
	return r;
}

enum folder_format
store_format(const char *dir)
{
	char path[PATH_MAX], found[sizeof format] = "";
	int64_t n = -1;
	int fd, holds;

	store_path(dir, "format", path, sizeof path);
	if ((fd = file_open(path, FILE_READ)) != -1) {
		n = file_read(fd, found, sizeof found, 0);
		file_close(fd);
	} else if (errno == ENOENT)
		n = 0;
	if (n == 0) {
		holds = holds_data(dir);
		return holds == -1 ? FORMAT_FAILED : holds ? FORMAT_LACKING : FORMAT_NONE;
	}
	if (n == -1) {
		complain("format of the data folder can't be read", path);
		return FORMAT_FAILED;
	}
	if (memcmp(found, format, sizeof found) == 0)
		return FORMAT_KNOWN;
	diag_error("data folder has a format that this version does not know",
	    "path=%s known=\"%.*s\" action=\"start the version of weir-logd that made it; nothing was changed\"",
	    path, (int)sizeof format - 2, format);
	return FORMAT_FAILED;
}

/* Durable before there is anything else: so a folder that has something and not this has lost it. */
static int
check_format(struct store *store)
{
	switch (store_format(store->dir)) {
	case FORMAT_KNOWN:
		return 0;
	case FORMAT_NONE:
		return store_put_format(store->dir) == 0 ? 0 :
		    complain("format of the data folder can't be written", store->dir);
	case FORMAT_LACKING:
		diag_error("data folder holds data, and does not say its format",
		    "path=%s/format action=\"put the file back from where the folder was copied, or, where this version made the folder, write the line %.*s into it; nothing was changed\"",
		    store->dir, (int)sizeof format - 2, format);
		return -1;
	case FORMAT_FAILED:
		break;
	}
	return -1;
}

static int
make_logs(struct store *store)
{
	char path[PATH_MAX];

	store_path(store->dir, "logs", path, sizeof path);
	return file_mkdir(path) == -1 ? complain("data folder can't be made", path) : 0;
}

/* What the folders' names rest on; the one above ours may be closed to us. */
static int
sync_folders(struct store *store)
{
	char above[PATH_MAX];

	store_path(store->dir, "..", above, sizeof above);
	if (file_sync_dir(store->dir) == -1 || (file_sync_dir(above) == -1 && errno != EACCES))
		return complain("data folder can't be synced", store->dir);
	return 0;
}

/* Something that is no file is not ours to delete, nor LMDB's to open. */
static int
check_index(struct store *store)
{
	char index[PATH_MAX], path[PATH_MAX], file[32];
	const char *name;

	store_path(store->dir, "index", index, sizeof index);
	if ((name = index_no_file(index)) == NULL)
		return 0;
	snprintf(file, sizeof file, "index/%s", name);
	store_path(store->dir, file, path, sizeof path);
	errno = ENOTSUP;
	return complain("index can't be opened", path);
}

enum clean_mark
store_clean_mark(const char *dir)
{
	char path[PATH_MAX], index[PATH_MAX];
	uint8_t mark[CLEAN_SIZE];
	bool whole;
	uint32_t crc;
	int fd;

	snprintf(path, sizeof path, "%s/clean", dir);
	snprintf(index, sizeof index, "%s/index", dir);
	if ((fd = file_open(path, FILE_READ)) == -1) {
		if (errno == ENOENT)
			return CLEAN_NONE;
		complain("mark of a clean end can't be read", path);
		return CLEAN_FAILED;
	}
	whole = file_read(fd, mark, sizeof mark, 0) == CLEAN_SIZE &&
	    memcmp(mark + CLEAN_MAGIC, clean_magic, sizeof clean_magic) == 0 &&
	    load32(mark + CLEAN_CRC) == crc32c(0, mark, CLEAN_CRC);
	file_close(fd);
	if (!whole)
		return CLEAN_DAMAGED;
	return index_file_crc(index, &crc) == 0 && crc == load32(mark + CLEAN_INDEX_CRC) ?
	    CLEAN_FITS : CLEAN_OTHER_INDEX;
}

/* Whether the last end was a clean one.  The mark is gone when this returns true. */
static int
take_clean_mark(struct store *store, bool *clean)
{
	enum clean_mark mark = store_clean_mark(store->dir);
	char path[PATH_MAX], index[PATH_MAX];

	*clean = mark == CLEAN_FITS;
	store_path(store->dir, "clean", path, sizeof path);
	store_path(store->dir, "index", index, sizeof index);
	if (mark == CLEAN_FAILED)
		return -1;
	if (mark == CLEAN_NONE)
		return 0;
	if (mark == CLEAN_OTHER_INDEX) {
		diag_warn("index is not as it was left", "path=%s effect=\"it is made anew\"", index);
		if (index_discard(index) == -1)
			return complain("index can't be deleted", index);
	}
	if (file_unlink(path) == -1 || file_sync_dir(store->dir) == -1)
		return complain("mark of a clean end can't be removed", path);
	return 0;
}

static int
put_clean_mark(struct store *store)
{
	uint8_t mark[CLEAN_SIZE] = { 0 };
	char path[PATH_MAX], tmp[PATH_MAX], index[PATH_MAX];
	uint32_t crc;
	int fd, r = -1;

	store_path(store->dir, "clean", path, sizeof path);
	store_path(store->dir, "clean.tmp", tmp, sizeof tmp);
	store_path(store->dir, "index", index, sizeof index);
	if (index_file_crc(index, &crc) == -1)
		return complain("index can't be read", index);
	memcpy(mark + CLEAN_MAGIC, clean_magic, sizeof clean_magic);
	store32(mark + CLEAN_INDEX_CRC, crc);
	store32(mark + CLEAN_CRC, crc32c(0, mark, CLEAN_CRC));
	if ((fd = file_open(tmp, FILE_CREATE)) == -1)
		return complain("mark of a clean end can't be made", tmp);
	if (file_write(fd, mark, sizeof mark, 0) == 0 && file_sync(fd) == 0)
		r = 0;
	file_close(fd);
	if (r == -1 || file_rename(tmp, path) == -1 || file_sync_dir(store->dir) == -1)
		return complain("mark of a clean end can't be made", path);
	return 0;
}

/* Every commit puts this: without it, the index is new, or was never made to its end. */
static bool
was_committed(struct index *index)
{
	struct buf value = { 0 };
	bool found = index_get(index, INDEX_META, span_str("applied.0"), &value);

	buf_done(&value);
	return found;
}

/* Made by a version whose keys mean something else. */
static bool
is_foreign(struct index *index)
{
	struct buf value = { 0 };
	bool ours = index_get(index, INDEX_META, span_str("format"), &value) && value.n == 4 &&
	    load32(value.p) == INDEX_FORMAT;

	buf_done(&value);
	return !ours && was_committed(index);
}

/*
 * The mark "opening" stands while an index that nobody vouches for is copied: a
 * start that finds it died of that, and makes the index anew.
 */
static int
open_index(struct store *store, bool clean, bool *rebuild)
{
	char dir[PATH_MAX], opening[PATH_MAX];
	int fd;

	store_path(store->dir, "index", dir, sizeof dir);
	store_path(store->dir, "opening", opening, sizeof opening);
	if ((fd = file_open(opening, FILE_READ)) != -1) {
		file_close(fd);
		diag_warn("the last start ended while it opened the index", "path=%s effect=\"it is made anew\"", dir);
		if (index_discard(dir) == -1)
			return complain("index can't be deleted", dir);
	}
	if (!clean) {
		if ((fd = file_open(opening, FILE_CREATE)) == -1)
			return complain("mark can't be made", opening);
		file_close(fd);
		if (index_renew(dir) == -1) {
			if (errno == ENOSPC || errno == EDQUOT)
				return complain("index can't be copied", dir);
			if (index_discard(dir) == -1)
				return complain("index can't be deleted", dir);
		}
		if (file_unlink(opening) == -1)
			return complain("mark can't be removed", opening);
	}
	if (index_open(&store->index, dir) == -1 &&
	    (index_discard(dir) == -1 || index_open(&store->index, dir) == -1))
		return complain("index can't be made", dir);
	if (is_foreign(store->index)) {
		diag_info("index has another format", "path=%s effect=\"it is made anew\"", dir);
		index_close(store->index);
		store->index = NULL;
		if (index_discard(dir) == -1)
			return complain("index can't be deleted", dir);
		if (index_open(&store->index, dir) == -1)
			return complain("index can't be made", dir);
	}
	*rebuild = !was_committed(store->index);
	return 0;
}

static void
free_store(struct store *store)
{
	struct partition *p;
	size_t it = 0;

	/* Threads first: their jobs use what is freed below. */
	cleaner_stop(store);
	if (store->cleaner.workers != NULL)
		workers_free(store->cleaner.workers);
	if (store->keepers != NULL)
		workers_free(store->keepers);
	if (store->syncers != NULL)
		workers_free(store->syncers);
	if (store->readers != NULL)
		workers_free(store->readers);
	if (store->checkers != NULL)
		workers_free(store->checkers);
	if (store->copiers != NULL)
		workers_free(store->copiers);
	mailbox_run(store->mailbox);
	checkpoint_abandon(store);
	snapshot_abandon(store);
	retired_free(&store->retired);
	journal_close(store->journal);
	state_done(store);
	while ((p = map_next(&store->partitions, &it)) != NULL)
		partition_free(p);
	map_done(&store->partitions);
	index_batch_done(&store->removals);
	index_close(store->index);
	if (store->lock_fd != -1)
		file_close(store->lock_fd);
	free(store->dir);
	free(store);
}

int
store_open(struct store **out, const struct store_config *config, struct mailbox *mailbox,
    const struct store_hooks *hooks, int64_t mono_ms, int64_t wall_ms)
{
	struct store *store = xcalloc(1, sizeof *store);
	struct journal_config journal;
	char path[PATH_MAX];
	bool rebuild = false;

	store->config = *config;
	store->dir = xstrdup(config->dir);
	store->hooks = *hooks;
	store->mailbox = mailbox;
	store->lock_fd = -1;
	store->mono_ms = store->last_checkpoint_ms = mono_ms;
	store->lack_told_ms = INT64_MIN / 2;
	store->wall_ms = wall_ms;
	store->clock_ahead_ms = wall_ms - mono_ms;
	store->old_rests_until_ms = mono_ms;
	store->checkpoints = 1;
	store->next_retention_ms = mono_ms + config->upkeep.retention_check_ms;
	list_init(&store->waiting);
	list_init(&store->dirty);
	list_init(&store->wants_sync);
	list_init(&store->producers);
	list_init(&store->open_segments);
	list_init(&store->upkeep_queue);
	store->keepers = workers_new("keeper", 1, mailbox);
	store->cleaner.workers = workers_new("cleaner", 1, mailbox);
	store->syncers = workers_new("syncer", SYNCERS, mailbox);
	store->readers = workers_new("reader", READERS, mailbox);
	store->checkers = workers_new("checker", CHECKERS, mailbox);
	store->copiers = workers_new("copier", 1, mailbox);
	if (take_folder(store) == -1 || check_format(store) == -1 || make_logs(store) == -1)
		goto fail;
	reserve_open(store);
	store_path(store->dir, "journal", path, sizeof path);
	journal = (struct journal_config){ .dir = path, .bytes = config->journal_bytes,
		.mailbox = mailbox, .stats = &store->stats, .ctx = store, .committed = journal_committed };
	if (journal_open(&store->journal, &journal) == -1 || check_index(store) == -1 ||
	    take_clean_mark(store, &store->clean) == -1 ||
	    open_index(store, store->clean, &rebuild) == -1 || sync_folders(store) == -1 ||
	    recover(store, store->clean, rebuild) == -1)
		goto fail;
	*out = store;
	return 0;
fail:
	free_store(store);
	return -1;
}

/* ---- close ---- */

static bool
busy(const struct store *store)
{
	/* What is put off is left to the checkpoint that follows. */
	return store->jobs > 0 || !journal_idle(store->journal) ||
	    (!list_empty(&store->waiting) && !journal_full(store->journal) && !store->sync_put_off);
}

void
store_close(struct store *store)
{
	bool clean;

	snapshot_stop(store);
	cleaner_stop(store);
	while (!store->failed && (store_flush(store), busy(store))) {
		mailbox_wait(store->mailbox);
		mailbox_run(store->mailbox);
	}
	reserve_close(store);
	clean = !store->failed && checkpoint_now(store) == 0 && !store->offline;
	/* What is under way ends, whatever has become of it. */
	while (store->jobs > 0 || !journal_idle(store->journal)) {
		mailbox_wait(store->mailbox);
		mailbox_run(store->mailbox);
	}
	while (!list_empty(&store->waiting))
		partition_end_waiting(list_first(&store->waiting, struct partition, waiting), STORE_DISK);
	index_close(store->index);
	store->index = NULL;
	if (clean && put_clean_mark(store) == 0)
		diag_info("store closed", "");
	else
		diag_warn("store closed without a clean end", "effect=\"the next start recovers\"");
	free_store(store);
}
