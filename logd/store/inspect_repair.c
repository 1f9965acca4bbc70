/*
 * inspect_repair.c -- the two repairs of a data folder.
 *
 * Both end by deleting the index, so that the next start makes it from the segments.
 * What is written is whole and durable under a name of its own before it takes a
 * place, and each state on the way is one that a start can go on from:
 *
 *  1. The mark of a clean end goes: from here on a start recovers.
 *  2. The headers of the journal go (only a folder that needs nothing of it is
 *     repaired): its entries name places in segments as these were.
 *  3. The index goes: from here on a start reads the segments, and steps over damage.
 *  4. The segment gets its new content, by a rename.
 *
 * Who repairs may be somebody else than the daemon, and may do more.  So nothing is
 * deleted or wiped behind a symbolic link, which may lead anywhere.
 *
 * Where a partition ends with what is lost, nothing but the index knows its end, and a
 * start would give the offsets out again.  Before step 1 an empty segment that begins
 * behind them sees to that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/inspect_internal.h"

enum { STEP = 1024 * 1024, HEADER = 4096 };

static int
complain(const char *what, const char *path)
{
	diag_error(what, "path=%s error=\"%s\" action=\"mend what is named, and repair again\"", path, strerror(errno));
	return -1;
}

/* ---- what both do ---- */

static int
refuse_link(const struct inspect *in, const char *name)
{
	char path[PATH_MAX];

	store_path(in->dir, name, path, sizeof path);
	if (!file_is_link(path))
		return 0;
	diag_error("nothing is deleted or wiped behind a symbolic link",
	    "path=%s action=\"put what it leads to in its place, or mount it there, and repair again\"", path);
	errno = ELOOP;
	return -1;
}

static int
refuse_journal_link(void *ctx, const char *name)
{
	char below[PATH_MAX];

	snprintf(below, sizeof below, "journal/%s", name);
	return refuse_link(ctx, below);
}

static int
remove_mark(struct inspect *in)
{
	char path[PATH_MAX];

	store_path(in->dir, "clean", path, sizeof path);
	if (!in->marked)
		return 0;
	if (file_unlink(path) == -1 || file_sync_dir(in->dir) == -1)
		return complain("mark of a clean end can't be removed", path);
	diag_info("mark of a clean end removed", "path=%s effect=\"the next start recovers\"", path);
	return 0;
}

static int
remove_index(struct inspect *in)
{
	char path[PATH_MAX];

	store_path(in->dir, "index", path, sizeof path);
	index_cursor_close(in->offsets);
	in->offsets = NULL;
	index_close(in->index);
	in->index = NULL;
	if (index_discard(path) == -1 || (file_sync_dir(path) == -1 && errno != ENOENT))
		return complain("index can't be deleted", path);
	diag_info("index deleted", "path=%s effect=\"the next start makes it anew from the segments\"", path);
	return 0;
}

/* A new file that is durable when this returns 0: what fill() writes. */
static int
write_file(const char *path, int (*fill)(void *ctx, int fd), void *ctx)
{
	int fd, r;

	/* What an earlier try has left. */
	file_unlink(path);
	if ((fd = file_open(path, FILE_CREATE_NEW)) == -1)
		return complain("file can't be made", path);
	r = fill(ctx, fd) == 0 && file_sync(fd) == 0 ? 0 : -1;
	file_close(fd);
	return r == 0 ? 0 : complain("file can't be written", path);
}

static int
fill_nothing(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

/*
 * Makes an empty segment that begins with this offset, of an epoch later than that of
 * the last: as after an unclean end, the partition goes on there.
 */
static int
bound_end(struct inspect *in, const struct part *p, const struct segment *last, int64_t offset)
{
	struct look behind = { .s = { .base = offset, .epoch = last->epoch + 1 } };
	char path[PATH_MAX], folder[PATH_MAX];

	inspect_folder(in, p, folder, sizeof folder);
	inspect_path(in, p, &behind, path, sizeof path);
	if (last->epoch == INT32_MAX || file_mkdir(folder) == -1 || write_file(path, fill_nothing, NULL) == -1)
		return complain("end of a partition can't be kept", path);
	if (file_sync_dir(folder) == -1)
		return complain("folder can't be synced", folder);
	diag_info("end of a partition kept", "path=%s effect=\"no offset below is given out again\"", path);
	return 0;
}

/* The last segment is gone, and only the index knows where the partition ends. */
static int
keep_end(struct inspect *in, const struct part *p)
{
	const struct look *last = p->n == 0 ? NULL : &p->looks[p->n - 1];

	if (last == NULL || last->there || !last->recorded || p->sum.damaged == 0)
		return 0;
	return bound_end(in, p, &last->s, last->s.end);
}

static int
refuse_rebuild(const struct inspect *in, const char *why)
{
	diag_error("index is not deleted", "path=%s/index why=\"%s\"", in->dir, why);
	return -1;
}

int
inspect_rebuild_index(struct inspect *in)
{
	if (in->mended == 0)
		return refuse_rebuild(in, "nothing was found that a new one mends");
	if (refuse_link(in, "index") == -1)
		return -1;
	for (size_t i = 0; i < in->n_sorted; i++)
		if (in->sorted[i]->n_stretches > 0 &&
		    in->sorted[i]->stretches[in->sorted[i]->n_stretches - 1].last_of_all)
			return refuse_rebuild(in,
			    "a partition ends with damage, which a start without the index would cut: use --skip-batch, which deletes it, too");
	for (size_t i = 0; i < in->n_sorted; i++)
		if (keep_end(in, in->sorted[i]) == -1)
			return -1;
	return remove_mark(in) == -1 || remove_index(in) == -1 ? -1 : 0;
}

/* ---- an empty batch in the place of a damaged one ---- */

static int
refuse_links(struct inspect *in)
{
	char path[PATH_MAX];

	if (refuse_link(in, "index") == -1 || refuse_link(in, "journal") == -1)
		return -1;
	store_path(in->dir, "journal", path, sizeof path);
	return file_list(path, refuse_journal_link, in) == -1 && errno != ENOENT ? -1 : 0;
}

static int
wipe_header(void *ctx, const char *name)
{
	static const uint8_t zeros[HEADER];
	const struct inspect *in = ctx;
	char path[PATH_MAX], tail[16];
	int number, fd, r;

	if (sscanf(name, "%d.%15s", &number, tail) != 2 || strcmp(tail, "journal") != 0)
		return 0;
	snprintf(path, sizeof path, "%s/journal/%s", in->dir, name);
	if ((fd = file_open(path, FILE_WRITE)) == -1)
		return complain("journal can't be opened", path);
	r = file_size(fd) == 0 || (file_write(fd, zeros, sizeof zeros, 0) == 0 && file_sync(fd) == 0) ? 0 : -1;
	file_close(fd);
	return r == 0 ? 0 : complain("journal can't be written", path);
}

static int
wipe_journal(struct inspect *in)
{
	char path[PATH_MAX];

	store_path(in->dir, "journal", path, sizeof path);
	if (file_list(path, wipe_header, in) == -1)
		return errno == ENOENT ? 0 : -1;
	diag_info("journal emptied", "path=%s why=\"nothing of it was needed\"", path);
	return 0;
}

/* Copies [pos, pos + n), where the file has it, to `at` of the other. */
static int
copy(int from, int64_t pos, int64_t n, int to, int64_t at)
{
	uint8_t *chunk = xmalloc(STEP);
	int64_t left = n, got = 0;

	for (; left > 0; left -= got, pos += got, at += got) {
		got = file_read(from, chunk, (size_t)(left < STEP ? left : STEP), pos);
		if (got <= 0 || file_write(to, chunk, (size_t)got, at) == -1)
			break;
	}
	free(chunk);
	errno = left > 0 && got == 0 ? EIO : errno;
	return left > 0 ? -1 : 0;
}

struct skip {
	const struct stretch *t;
	int32_t epoch;
	int fd;          /* the segment as it is */
	int64_t end;     /* of its file */
};

static int
fill_kept(void *ctx, int fd)
{
	const struct skip *k = ctx;

	return copy(k->fd, k->t->pos, k->t->size, fd, 0);
}

static int
fill_segment(void *ctx, int fd)
{
	const struct skip *k = ctx;
	int64_t behind = k->t->pos + k->t->size;
	struct buf empty = { 0 };
	int r;

	batch_put_empty(&empty, k->t->first, k->t->last, k->epoch, NULL);
	r = empty.failed || copy(k->fd, 0, k->t->pos, fd, 0) == -1 || file_write(fd, empty.p, empty.n, k->t->pos) == -1 ||
	    copy(k->fd, behind, k->end - behind, fd, k->t->pos + (int64_t)empty.n) == -1 ? -1 : 0;
	buf_done(&empty);
	return r;
}

/* The names of what is written beside a segment. */
struct names {
	char folder[PATH_MAX], segment[PATH_MAX], unfinished[PATH_MAX + 16], kept[PATH_MAX + 64];
};

static int
replace_segment(const struct names *names)
{
	if (file_rename(names->unfinished, names->segment) == -1 || file_sync_dir(names->folder) == -1)
		return complain("segment can't be replaced", names->segment);
	return 0;
}

static int
skip_stretch(struct inspect *in, const struct part *p, const struct stretch *t)
{
	struct skip k = { .t = t, .epoch = p->looks[t->look].s.epoch };
	struct names names;
	int r;

	inspect_folder(in, p, names.folder, sizeof names.folder);
	inspect_path(in, p, &p->looks[t->look], names.segment, sizeof names.segment);
	snprintf(names.unfinished, sizeof names.unfinished, "%s.tmp", names.segment);
	snprintf(names.kept, sizeof names.kept, "%s.damaged.%lld", names.segment, (long long)t->first);
	if ((k.fd = file_open(names.segment, FILE_READ)) == -1 || (k.end = file_size(k.fd)) == -1)
		return complain("segment can't be read", names.segment);
	r = write_file(names.kept, fill_kept, &k) == -1 || write_file(names.unfinished, fill_segment, &k) == -1 ? -1 : 0;
	file_close(k.fd);
	if (r == -1 || (t->last_of_all && bound_end(in, p, &p->looks[t->look].s, t->last + 1) == -1))
		return -1;
	if (file_sync_dir(names.folder) == -1)
		return complain("folder can't be synced", names.folder);
	if (remove_mark(in) == -1 || wipe_journal(in) == -1 || remove_index(in) == -1 || replace_segment(&names) == -1)
		return -1;
	diag_info("batch skipped", "path=%s position=%lld bytes=%lld offsets=%lld..%lld kept=%s", names.segment,
	    (long long)t->pos, (long long)t->size, (long long)t->first, (long long)t->last, names.kept);
	return 0;
}

static int
refuse(const struct inspect *in, int64_t offset, const char *why)
{
	diag_error("batch is not skipped", "path=%s offset=%lld why=\"%s\"", in->dir, (long long)offset, why);
	return -1;
}

int
inspect_skip(struct inspect *in, const struct partition_id *id, int64_t offset)
{
	const struct part *p = inspect_find(in, id);
	const struct stretch *t = NULL;

	for (size_t i = 0; p != NULL && i < p->n_stretches; i++)
		if (offset >= p->stretches[i].first && offset <= p->stretches[i].last)
			t = &p->stretches[i];
	if (t == NULL)
		return refuse(in, offset, "nothing is damaged there");
	if (t->journaled)
		return refuse(in, offset, "the journal has it whole: use --rebuild-index, and start weir-logd");
	if (!in->clean && in->journal_entries > 0)
		return refuse(in, offset, "the last end was not a clean one: start weir-logd, and stop it in order, before");
	if (p->looks[t->look].s.base + INT32_MAX < t->last || t->last - t->first > INT32_MAX)
		return refuse(in, offset, "its offsets can't be");
	if (refuse_links(in) == -1)
		return -1;
	return skip_stretch(in, p, t);
}
