/*
 * journal.c -- one stream of entries for all partitions.
 *
 * A file is a header page and blocks; a block begins at a multiple of PAGE, so
 * that no page that holds durable bytes is ever written again before its file
 * is released.  A position in the stream of all files that ever were is an
 * `lsn`; a block whose lsn is not that of its place is a left-over of an
 * earlier use of the file.
 */
#include "store/journal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store.h"

enum {
	PAGE = 4096,
	FILES = 4,                /* the journal's space is split among so many */
	FILE_MIN = 1024 * 1024,
	BLOCK_FULL = 256 * 1024,  /* a block that has reached this is ended */
	UNWANTED_MAX = 1024 * 1024, /* written without a sync when so much has gathered */
	SPARE_BLOCKS = 4
};

/* File header: the rest of its page is zero. */
enum { H_MAGIC = 0, H_LSN = 8, H_CRC = 16 };
static const uint8_t file_magic[8] = { 'W', 'E', 'I', 'R', 'J', 'N', 'L', '1' };

/* Block header. The checksum covers all that follows it in the block. */
enum { B_MAGIC = 0, B_CRC = 4, B_LSN = 8, B_LENGTH = 16, B_END = 20 };
static const uint32_t block_magic = 0x57424c4b; /* "WBLK" */

/* Entry header, then the batch of a BATCH.  Length counts all of the entry. */
enum { E_KIND = 0, E_LENGTH = 4, E_TOPIC = 8, E_PARTITION = 24, E_BASE = 28, E_EPOCH = 36,
	E_POS = 40, E_OFFSET = 48, E_END = 56 };

enum file_state { FREE, ACTIVE, FULL, KEPT };

struct journal_file {
	struct list link; /* in journal.files, in order of use */
	enum file_state state;
	int number;
	int fd;           /* -1: to be made by the commit that writes to it first */
	int64_t size;
	uint64_t lsn;     /* of its first byte */
	int64_t at;       /* where the next block goes */
	uint64_t last_block;
	bool written;     /* since its last sync */
	bool busy;        /* the commit under way writes to it, or syncs it */
};

struct block {
	struct list link;
	uint64_t number;
	struct buf bytes;
};

/* One write of a commit; planned on the loop's thread, done on the journal's. */
struct write {
	struct journal_file *file;
	bool first;           /* the file's header goes before it */
	uint8_t header[PAGE];
	struct block *block;
	int64_t pos;
};

struct commit {
	struct job job;
	struct journal *journal;
	struct write *writes;
	size_t n, cap;
	struct journal_file **syncs; /* files to be synced behind the writes */
	size_t n_syncs, cap_syncs;
	uint64_t last_block; /* the last that was ever written */
	size_t n_written;
	int error;
};

struct preparation {
	struct job job;
	struct journal *journal;
	struct journal_file *file;
	int error;
};

struct journal {
	struct journal_config config;
	char *dir;
	enum file_mode mode;      /* FILE_READ: only to be looked at */
	bool unknown;            /* a file is another version's, which was told */
	int64_t file_size;
	struct workers *workers;
	struct list files;
	int n_files, n_kept, next_number;
	uint64_t next_lsn, next_block;
	struct block *open;      /* entries go here; NULL: none */
	struct list ready;       /* ended blocks, not handed over yet */
	struct list spare;
	int n_spare;
	size_t ready_bytes;
	uint64_t durable, wanted;
	struct commit commit;
	bool busy, failed, full, preparing;
	int put_off;             /* the error for which writes are put off, which was told; 0: none */
	int64_t used;
	struct list replayed;    /* blocks that entries of journal_replay() point into */
};

static void
path_of(const struct journal *j, int number, char *path, size_t size)
{
	snprintf(path, size, "%s/%d.journal", j->dir, number);
}

static int64_t
page_up(int64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static struct journal_file *
add_file(struct journal *j, int number, int fd, int64_t size)
{
	struct journal_file *f = xcalloc(1, sizeof *f);

	*f = (struct journal_file){ .number = number, .fd = fd, .size = size };
	list_add(&j->files, &f->link);
	j->n_files++;
	if (number >= j->next_number)
		j->next_number = number + 1;
	return f;
}

/* A header that is whole, and another version's, is not damaged: what is in the file may be all there is. */
static int
look_at_version(struct journal *j, int fd, const char *path)
{
	const size_t digit = sizeof file_magic - 1;
	uint8_t p[H_CRC + 4];
	int64_t n = file_read(fd, p, sizeof p, 0);

	if (n < (int64_t)sizeof p)
		return n == -1 ? -1 : 0;
	if (memcmp(p + H_MAGIC, file_magic, digit) != 0 || p[digit] == file_magic[digit] ||
	    load32(p + H_CRC) != crc32c(0, p, H_CRC))
		return 0;
	diag_error("journal file has a format that this version does not know",
	    "path=%s known=%.*s action=\"start the version of weir-logd that made it; nothing was changed\"",
	    path, (int)sizeof file_magic, (const char *)file_magic);
	j->unknown = true;
	errno = EPROTONOSUPPORT;
	return -1;
}

static int
found_file(void *ctx, const char *name)
{
	struct journal *j = ctx;
	char path[PATH_MAX], tail[16];
	int64_t size;
	int number, fd;

	if (sscanf(name, "%d.%15s", &number, tail) != 2 || strcmp(tail, "journal") != 0 || number < 0)
		return 0;
	path_of(j, number, path, sizeof path);
	if ((fd = file_open(path, j->mode)) == -1 || (size = file_size(fd)) == -1)
		return -1;
	add_file(j, number, fd, page_up(size));
	return look_at_version(j, fd, path);
}

static struct journal *
new_journal(const char *dir, enum file_mode mode)
{
	struct journal *j = xcalloc(1, sizeof *j);

	j->dir = xstrdup(dir);
	j->mode = mode;
	j->next_block = 1;
	list_init(&j->files);
	list_init(&j->ready);
	list_init(&j->spare);
	list_init(&j->replayed);
	return j;
}

int
journal_open(struct journal **out, const struct journal_config *config)
{
	struct journal *j = new_journal(config->dir, FILE_WRITE);
	int64_t each = config->bytes / FILES;

	j->config = *config;
	j->file_size = page_up(each < FILE_MIN ? FILE_MIN : each);
	j->workers = workers_new("journal", 1, config->mailbox);
	if (file_mkdir(j->dir) == -1 || file_list(j->dir, found_file, j) == -1) {
		if (!j->unknown)
			diag_error("journal can't be opened", "path=%s error=\"%s\" action=\"%s\"", j->dir,
			    strerror(errno), file_advice(errno));
		journal_close(j);
		return -1;
	}
	*out = j;
	return 0;
}

int
journal_open_to_look(struct journal **out, const char *dir)
{
	struct journal *j = new_journal(dir, FILE_READ);

	if (file_list(dir, found_file, j) == -1 && errno != ENOENT) {
		if (!j->unknown)
			diag_error("journal can't be read", "path=%s error=\"%s\" action=\"%s\"", dir,
			    strerror(errno), file_advice(errno));
		journal_close(j);
		return -1;
	}
	*out = j;
	return 0;
}

static void
free_blocks(struct list *blocks)
{
	list_each(it, blocks) {
		struct block *b = container_of(it, struct block, link);

		list_del(it);
		buf_done(&b->bytes);
		free(b);
	}
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	must(!j->busy && !j->preparing);
	if (j->workers != NULL)
		workers_free(j->workers);
	free_blocks(&j->ready);
	free_blocks(&j->spare);
	free_blocks(&j->replayed);
	if (j->open != NULL) {
		buf_done(&j->open->bytes);
		free(j->open);
	}
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (f->fd != -1)
			file_close(f->fd);
		free(f);
	}
	free(j->commit.writes);
	free(j->commit.syncs);
	free(j->dir);
	free(j);
}

/* ---- reading ---- */

static bool
read_header(struct journal_file *f, const uint8_t *p, int64_t n)
{
	if (n < PAGE || memcmp(p + H_MAGIC, file_magic, sizeof file_magic) != 0 ||
	    load32(p + H_CRC) != crc32c(0, p, H_CRC))
		return false;
	f->lsn = load64(p + H_LSN);
	return true;
}

/* The length of the block at `p`, or 0 when there is none that belongs here. */
static size_t
block_at(const struct journal_file *f, const uint8_t *p, int64_t pos, int64_t left)
{
	size_t n;

	if (load32(p + B_MAGIC) != block_magic || load64(p + B_LSN) != f->lsn + (uint64_t)pos)
		return 0;
	n = load32(p + B_LENGTH);
	if (n < B_END || n > (size_t)left || crc32c(0, p + B_LSN, n - B_LSN) != load32(p + B_CRC))
		return 0;
	return n;
}

static void
replay_block(const uint8_t *p, size_t n, void (*each)(void *, const struct journal_entry *), void *ctx)
{
	const uint8_t *end = p + n;

	for (p += B_END; end - p >= E_END; p += load32(p + E_LENGTH)) {
		struct journal_entry e = { .kind = p[E_KIND] };
		size_t length = load32(p + E_LENGTH);

		/* The checksum was right, so this would be ours; it is bytes from a disk all the same. */
		if (length < E_END || length > (size_t)(end - p))
			return;
		memcpy(e.id.topic, p + E_TOPIC, sizeof e.id.topic);
		e.id.number = (int32_t)load32(p + E_PARTITION);
		e.segment_base = (int64_t)load64(p + E_BASE);
		e.segment_epoch = (int32_t)load32(p + E_EPOCH);
		e.pos = (int64_t)load64(p + E_POS);
		e.offset = (int64_t)load64(p + E_OFFSET);
		e.batch = span_of(p + E_END, length - E_END);
		each(ctx, &e);
	}
}

/* Reads the whole file, which stays in memory until journal_start(). */
static uint8_t *
load_file(struct journal *j, struct journal_file *f, int64_t *n)
{
	struct block *b = xcalloc(1, sizeof *b);
	uint8_t *p = buf_room(&b->bytes, (size_t)f->size + 1); /* a file may be empty */

	list_add(&j->replayed, &b->link);
	if (p == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	*n = file_read(f->fd, p, (size_t)f->size, 0);
	return *n == -1 ? NULL : p;
}

static int
by_lsn(const void *a, const void *b)
{
	const struct journal_file *const *x = a, *const *y = b;

	return (*x)->lsn < (*y)->lsn ? -1 : (*x)->lsn > (*y)->lsn;
}

/* Orders the files by use, those without a header first. */
static int
order_files(struct journal *j)
{
	struct journal_file **files = xcalloc((size_t)j->n_files + 1, sizeof *files);
	uint8_t page[PAGE];
	int n = 0;

	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);
		int64_t got = file_read(f->fd, page, PAGE, 0);

		if (got == -1) {
			free(files);
			return -1;
		}
		if (!read_header(f, page, got))
			f->lsn = 0;
		if (f->lsn + (uint64_t)f->size > j->next_lsn)
			j->next_lsn = f->lsn + (uint64_t)f->size;
		list_del(it);
		files[n++] = f;
	}
	qsort(files, (size_t)n, sizeof *files, by_lsn);
	for (int i = 0; i < n; i++)
		list_add(&j->files, &files[i]->link);
	free(files);
	return 0;
}

/* A page that is none of a whole block: what it could be. */
static enum journal_found_kind
kind_of_rest(const struct journal_file *f, const uint8_t *p, int64_t pos)
{
	return load32(p + B_MAGIC) == block_magic && load64(p + B_LSN) == f->lsn + (uint64_t)pos ?
	    JOURNAL_TORN : JOURNAL_REST;
}

static bool
is_zero(const uint8_t *p, int64_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static void
no_hooks(void *ctx, const struct journal_found *found)
{
	(void)ctx;
	(void)found;
}

/*
 * A damaged block does not hide those behind it: whether their entries fit is
 * seen by their partitions.
 */
static void
walk_file(const struct journal_file *f, const uint8_t *p, int64_t n, const struct journal_look *look)
{
	struct journal_found found = { .file = f->number, .lsn = f->lsn };
	int64_t pos = PAGE, hole = -1;

	while (n - pos >= B_END) {
		size_t length = block_at(f, p + pos, pos, n - pos);

		if (length == 0) {
			hole = hole == -1 ? pos : hole;
			pos += PAGE;
			continue;
		}
		if (hole != -1) {
			found.kind = JOURNAL_DAMAGED;
			found.pos = hole;
			found.size = pos - hole;
			look->found(look->ctx, &found);
			hole = -1;
		}
		found.kind = JOURNAL_BLOCK;
		found.pos = pos;
		found.size = (int64_t)length;
		look->found(look->ctx, &found);
		replay_block(p + pos, length, look->entry, look->ctx);
		pos += page_up((int64_t)length);
	}
	if (hole == -1)
		return;
	found.kind = kind_of_rest(f, p + hole, hole);
	found.pos = hole;
	found.size = n - hole;
	look->found(look->ctx, &found);
}

static void
tell_damage(const struct journal *j, const struct journal_file *f)
{
	char path[PATH_MAX];

	path_of(j, f->number, path, sizeof path);
	diag_error("header of a journal file is damaged",
	    "path=%s effect=\"its blocks are not read: what was acknowledged lately may be lost, where the segments do not have it\"",
	    path);
}

int
journal_look(struct journal *j, const struct journal_look *look)
{
	if (order_files(j) == -1)
		goto fail;
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);
		int64_t n;
		uint8_t *p = load_file(j, f, &n);
		struct journal_found found = { .file = f->number, .size = n };

		if (p == NULL)
			goto fail;
		found.kind = JOURNAL_USED;
		if (!read_header(f, p, n))
			found.kind = is_zero(p, n < PAGE ? n : PAGE) ? JOURNAL_UNUSED : JOURNAL_NO_HEADER;
		found.lsn = f->lsn;
		/* Who only looks tells it in his own way. */
		if (found.kind == JOURNAL_NO_HEADER && j->mode != FILE_READ)
			tell_damage(j, f);
		look->found(look->ctx, &found);
		if (found.kind == JOURNAL_USED)
			walk_file(f, p, n, look);
	}
	return 0;
fail:
	diag_error("journal can't be read", "path=%s error=\"%s\" action=\"%s\"", j->dir,
	    strerror(errno), file_advice(errno));
	return -1;
}

int
journal_replay(struct journal *j, void (*each)(void *, const struct journal_entry *), void *ctx)
{
	return journal_look(j, &(struct journal_look){ ctx, no_hooks, each });
}

static void
drop_file(struct journal *j, struct journal_file *f)
{
	char path[PATH_MAX];

	path_of(j, f->number, path, sizeof path);
	if (f->fd != -1) {
		file_unlink(path);
		file_close(f->fd);
	}
	list_del(&f->link);
	free(f);
	j->n_files--;
}

int
journal_start(struct journal *j, bool keep)
{
	static const uint8_t zeros[PAGE];
	uint64_t leap;

	free_blocks(&j->replayed);
	if (j->next_lsn == 0 && order_files(j) == -1)
		goto fail;
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (keep && f->lsn != 0) {
			f->state = KEPT;
			j->n_kept++;
			continue;
		}
		/* A header with an old lsn would let its blocks be replayed again. */
		if (f->lsn != 0 && (file_write(f->fd, zeros, PAGE, 0) == -1 || file_sync(f->fd) == -1))
			goto fail;
		f->lsn = 0;
		if (f->size != j->file_size)
			drop_file(j, f);
	}
	/*
	 * Blocks whose header was lost or is gone now must not fit one that is to
	 * come: no two starts use the same lsns.
	 */
	if (file_random(&leap, sizeof leap) == -1)
		goto fail;
	j->next_lsn += PAGE + (leap >> 24) / PAGE * PAGE;
	j->durable = j->next_block - 1;
	j->wanted = j->durable;
	j->commit.last_block = j->durable;
	return 0;
fail:
	diag_error("journal can't be started", "path=%s error=\"%s\" action=\"%s\"", j->dir,
	    strerror(errno), file_advice(errno));
	return -1;
}

/* ---- writing ---- */

static struct block *
open_block(struct journal *j)
{
	struct block *b = list_first(&j->spare, struct block, link);

	if (j->open != NULL)
		return j->open;
	if (b != NULL) {
		list_del(&b->link);
		j->n_spare--;
		buf_reset(&b->bytes);
	} else {
		b = xcalloc(1, sizeof *b);
		list_init(&b->link);
	}
	b->number = j->next_block++;
	must_fit(buf_room(&b->bytes, B_END) != NULL);
	b->bytes.n = B_END;
	j->open = b;
	return b;
}

static void
end_block(struct journal *j)
{
	struct block *b = j->open;
	uint8_t *p;

	if (b == NULL)
		return;
	j->open = NULL;
	p = b->bytes.p;
	store32(p + B_MAGIC, block_magic);
	store32(p + B_LENGTH, (uint32_t)b->bytes.n);
	list_add(&j->ready, &b->link);
	j->ready_bytes += b->bytes.n;
}

uint64_t
journal_add(struct journal *j, const struct journal_entry *e)
{
	struct block *b = open_block(j);
	size_t length = E_END + e->batch.n;
	uint64_t number = b->number;
	uint8_t *p = buf_room(&b->bytes, length);

	must_fit(p != NULL);
	memset(p, 0, E_END);
	p[E_KIND] = (uint8_t)e->kind;
	store32(p + E_LENGTH, (uint32_t)length);
	memcpy(p + E_TOPIC, e->id.topic, sizeof e->id.topic);
	store32(p + E_PARTITION, (uint32_t)e->id.number);
	store64(p + E_BASE, (uint64_t)e->segment_base);
	store32(p + E_EPOCH, (uint32_t)e->segment_epoch);
	store64(p + E_POS, (uint64_t)e->pos);
	store64(p + E_OFFSET, (uint64_t)e->offset);
	if (e->batch.n > 0)
		memcpy(p + E_END, e->batch.p, e->batch.n);
	b->bytes.n += length;
	if (b->bytes.n >= BLOCK_FULL)
		end_block(j);
	return number;
}

void
journal_want(struct journal *j, uint64_t block)
{
	if (block > j->wanted)
		j->wanted = block;
}

/*
 * The very first file is a small one, so that files which were written in full
 * beforehand take over soon.
 */
static int64_t
new_file_size(const struct journal *j, int64_t block)
{
	int64_t size = j->n_files == 0 ? FILE_MIN : j->file_size;

	return block + PAGE > size ? block + PAGE : size;
}

/* The file that has room for a block of this size: the active one, a free one, a new one. */
static struct journal_file *
file_for(struct journal *j, int64_t size, bool *first)
{
	struct journal_file *free_file = NULL;

	*first = false;
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (f->state == ACTIVE) {
			if (size <= f->size - f->at)
				return f;
			f->state = FULL;
			j->next_lsn = f->lsn + (uint64_t)f->size;
		} else if (f->state == FREE && size <= f->size - PAGE &&
		    (free_file == NULL || f->size > free_file->size))
			free_file = f;
	}
	*first = true;
	if (free_file == NULL)
		free_file = add_file(j, j->next_number, -1, new_file_size(j, size));
	free_file->state = ACTIVE;
	free_file->lsn = j->next_lsn;
	free_file->at = PAGE;
	/* Order of use is the order of the list. */
	list_del(&free_file->link);
	list_add(&j->files, &free_file->link);
	return free_file;
}

static void
plan(struct journal *j, struct commit *c, struct block *b)
{
	int64_t size = page_up((int64_t)b->bytes.n);
	struct write *w;
	uint8_t *p = b->bytes.p;

	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 4 : c->cap * 2;
		c->writes = xrealloc(c->writes, c->cap * sizeof *c->writes);
	}
	w = &c->writes[c->n++];
	w->file = file_for(j, size, &w->first);
	w->block = b;
	w->pos = w->file->at;
	if (w->first) {
		memset(w->header, 0, sizeof w->header);
		memcpy(w->header + H_MAGIC, file_magic, sizeof file_magic);
		store64(w->header + H_LSN, w->file->lsn);
		store32(w->header + H_CRC, crc32c(0, w->header, H_CRC));
	}
	store64(p + B_LSN, w->file->lsn + (uint64_t)w->pos);
	store32(p + B_CRC, crc32c(0, p + B_LSN, b->bytes.n - B_LSN));
	w->file->at += size;
	w->file->last_block = b->number;
	w->file->written = w->file->busy = true;
	c->last_block = b->number;
	j->used += size;
	stat_add(&j->config.stats->journal_bytes, (uint64_t)size);
}

/* Opens a file that is written for the first time. */
static int
make_file(struct journal *j, struct journal_file *f)
{
	char path[PATH_MAX];

	path_of(j, f->number, path, sizeof path);
	if ((f->fd = file_open(path, FILE_CREATE)) == -1)
		return -1;
	return file_sync_dir(j->dir);
}

static int
write_one(struct journal *j, struct write *w)
{
	struct iovec iov = { w->block->bytes.p, w->block->bytes.n };

	if (w->file->fd == -1 && make_file(j, w->file) == -1)
		return -1;
	if (w->first && file_write(w->file->fd, w->header, PAGE, 0) == -1)
		return -1;
	return file_writev(w->file->fd, &iov, 1, w->pos);
}

/* On the journal's thread. */
static void
run_commit(struct job *job)
{
	struct commit *c = container_of(job, struct commit, job);

	for (c->n_written = 0; c->n_written < c->n; c->n_written++)
		if (write_one(c->journal, &c->writes[c->n_written]) == -1)
			goto fail;
	for (size_t i = 0; i < c->n_syncs; i++)
		if (file_sync(c->syncs[i]->fd) == -1)
			goto fail;
	return;
fail:
	c->error = errno;
}

static void
reuse_block(struct journal *j, struct block *b)
{
	if (j->n_spare < SPARE_BLOCKS && b->bytes.cap <= 4 * BLOCK_FULL) {
		list_add(&j->spare, &b->link);
		j->n_spare++;
	} else {
		buf_done(&b->bytes);
		free(b);
	}
}

/*
 * Takes back the plan of a write that found no room.  Its file is not written
 * to again: what a next one is made of may fit elsewhere.
 */
static void
unplan(struct journal *j, struct write *w)
{
	struct journal_file *f = w->file;

	if (f->state == KEPT)
		return; /* it is not written to again as it is */
	j->used -= page_up((int64_t)w->block->bytes.n);
	f->at = w->pos;
	f->last_block = w->block->number - 1;
	f->state = FULL;
	if (f->lsn + (uint64_t)f->size > j->next_lsn)
		j->next_lsn = f->lsn + (uint64_t)f->size;
	if (w->first)
		drop_file(j, f);
}

/* The last ones first, as they were planned onto each other. */
static void
put_off(struct journal *j, struct commit *c)
{
	struct list later;

	/* Once: it is tried again every second. */
	if (c->error != j->put_off)
		diag_warn("journal writes put off",
		    "path=%s error=\"%s\" action=\"make room, or allow more open files; nothing needs to be restarted\"",
		    j->dir, strerror(c->error));
	j->put_off = c->error;
	j->full = true;
	c->last_block = c->writes[c->n_written].block->number - 1;
	for (size_t i = c->n; i > c->n_written; i--)
		unplan(j, &c->writes[i - 1]);
	list_init(&later);
	list_move_all(&later, &j->ready);
	for (size_t i = c->n_written; i < c->n; i++) {
		list_add(&j->ready, &c->writes[i].block->link);
		j->ready_bytes += c->writes[i].block->bytes.n;
	}
	list_each(it, &later) {
		list_del(it);
		list_add(&j->ready, it);
	}
}

static void
commit_done(struct job *job)
{
	struct commit *c = container_of(job, struct commit, job);
	struct journal *j = c->journal;

	for (size_t i = 0; i < c->n; i++)
		c->writes[i].file->busy = false;
	for (size_t i = 0; i < c->n_written; i++)
		reuse_block(j, c->writes[i].block);
	for (size_t i = 0; i < c->n_syncs; i++)
		c->syncs[i]->busy = false;
	j->busy = false;
	/* Of a sync that failed nothing is known, whatever it says. */
	if (c->n_written < c->n && file_lacks(c->error)) {
		put_off(j, c);
		return;
	}
	if (c->n_written > 0)
		j->put_off = 0;
	for (size_t i = 0; i < c->n_syncs; i++)
		c->syncs[i]->written = false;
	if (c->error != 0) {
		j->failed = true;
		/* What was not written never will be. */
		for (size_t i = c->n_written; i < c->n; i++)
			reuse_block(j, c->writes[i].block);
		diag_error("journal write failed",
		    "path=%s error=\"%s\" action=\"nothing can be made durable any more: the daemon ends; mend the disk and start again\"",
		    j->dir, strerror(c->error));
	} else if (c->n_syncs > 0)
		j->durable = c->last_block;
	j->config.committed(j->config.ctx, c->error);
}

/* All files that were written since their last sync: earlier commits may have gone without one. */
static void
plan_syncs(struct journal *j, struct commit *c)
{
	if (c->cap_syncs < (size_t)j->n_files) {
		c->cap_syncs = (size_t)j->n_files;
		c->syncs = xrealloc(c->syncs, c->cap_syncs * sizeof(struct journal_file *));
	}
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (f->written) {
			f->busy = true;
			c->syncs[c->n_syncs++] = f;
		}
	}
	stat_add(&j->config.stats->journal_syncs, 1);
}

void
journal_flush(struct journal *j)
{
	struct commit *c = &j->commit;
	bool wanted = j->wanted > j->durable;

	if (j->busy || j->failed || j->full)
		return;
	if (wanted)
		end_block(j);
	if (!wanted && j->ready_bytes < UNWANTED_MAX)
		return;
	c->job.run = run_commit;
	c->job.done = commit_done;
	c->journal = j;
	c->n = c->n_syncs = 0;
	c->error = 0;
	list_each(it, &j->ready) {
		list_del(it);
		plan(j, c, container_of(it, struct block, link));
	}
	if (wanted)
		plan_syncs(j, c);
	j->ready_bytes = 0;
	j->busy = true;
	stat_add(&j->config.stats->journal_commits, c->n);
	workers_submit(j->workers, &c->job);
}

bool
journal_idle(const struct journal *j)
{
	return !j->busy && !j->preparing;
}

bool
journal_full(const struct journal *j)
{
	return j->full;
}

void
journal_retry(struct journal *j)
{
	j->full = false;
}

uint64_t
journal_durable(const struct journal *j)
{
	return j->durable;
}

uint64_t
journal_next_block(struct journal *j)
{
	return j->open != NULL ? j->open->number : j->next_block;
}

uint64_t
journal_cut(struct journal *j)
{
	end_block(j);
	return j->next_block - 1;
}

int64_t
journal_room(const struct journal *j)
{
	return FILES * j->file_size;
}

int64_t
journal_used(const struct journal *j)
{
	return j->used;
}

void
journal_release(struct journal *j, uint64_t block)
{
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (f->state != FULL || f->last_block > block || f->busy)
			continue;
		f->written = false;
		j->used -= f->at - PAGE;
		f->state = FREE;
		/* Files beyond what was asked for, made when checkpoints were late, go again. */
		if (j->n_files - j->n_kept > FILES || f->size != j->file_size)
			drop_file(j, f);
	}
}

void
journal_keep(struct journal *j)
{
	list_each(it, &j->files) {
		struct journal_file *f = container_of(it, struct journal_file, link);

		if (f->state != ACTIVE && f->state != FULL)
			continue;
		if (f->state == ACTIVE)
			j->next_lsn = f->lsn + (uint64_t)f->size;
		f->state = KEPT;
		j->used -= f->at - PAGE;
		j->n_kept++;
	}
}

static void
run_preparation(struct job *job)
{
	struct preparation *p = container_of(job, struct preparation, job);
	uint8_t *zeros = xcalloc(1, FILE_MIN);
	int64_t pos;

	if (make_file(p->journal, p->file) == -1)
		p->error = errno;
	for (pos = 0; p->error == 0 && pos < p->file->size; pos += FILE_MIN) {
		int64_t left = p->file->size - pos;

		if (file_write(p->file->fd, zeros, (size_t)(left < FILE_MIN ? left : FILE_MIN), pos) == -1)
			p->error = errno;
	}
	if (p->error == 0 && file_sync(p->file->fd) == -1)
		p->error = errno;
	free(zeros);
}

static void
preparation_done(struct job *job)
{
	struct preparation *p = container_of(job, struct preparation, job);
	struct journal *j = p->journal;
	struct journal_file *f = p->file;

	j->preparing = false;
	if (p->error == 0) {
		list_add(&j->files, &f->link);
		j->n_files++;
	} else {
		diag_warn("journal file can't be prepared", "path=%s error=\"%s\" effect=\"commits are slower\"",
		    j->dir, strerror(p->error));
		if (f->fd != -1) {
			char path[PATH_MAX];

			path_of(j, f->number, path, sizeof path);
			file_close(f->fd);
			file_unlink(path);
		}
		free(f);
	}
	free(p);
}

void
journal_prepare(struct journal *j, struct workers *workers)
{
	struct preparation *p;

	if (j->preparing || j->failed || j->n_files - j->n_kept >= FILES)
		return;
	p = xcalloc(1, sizeof *p);
	p->job = (struct job){ .run = run_preparation, .done = preparation_done };
	p->journal = j;
	p->file = xcalloc(1, sizeof *p->file);
	*p->file = (struct journal_file){ .number = j->next_number++, .fd = -1, .size = j->file_size };
	list_init(&p->file->link);
	j->preparing = true;
	workers_submit(workers, &p->job);
}
