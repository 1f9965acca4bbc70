/*
 * file.c -- the disk of plat/file.h as memory that loses what was not synced.
 *
 * Each page of a file is there twice: as the cache has it, and as it lies on
 * the disk; so are each size and each name.  A sync makes the second the same
 * as the first; a power cut chooses between the two where they differ.
 */
#include "plat/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "unit/base/random.h"

enum { PAGE = 4096, SECTOR = 512, PATH_SIZE = 224, ENTRIES = 4096, NODES = 8192, FDS = 1024,
	FD_BASE = 1 << 20 };

/* Address space only. */
static const size_t ARENA = (size_t)4 << 30;

/* NULL: zeros. */
struct slot {
	uint8_t *cached, *durable;
	bool dirty;
};

struct node {
	bool used, folder, marked;
	int64_t size, durable_size;
	bool size_dirty;
	struct slot *slots;
	size_t n_slots, cap_slots;
};

struct entry {
	char path[PATH_SIZE];
	struct node *cached, *durable; /* NULL: no such name */
};

/* In the shared memory, followed by what is allocated. */
struct disk {
	size_t used;
	uint8_t *free_pages; /* linked through their first bytes */
	char root[PATH_SIZE];
	size_t n_entries, n_nodes;
	struct entry entries[ENTRIES];
	struct node nodes[NODES];
};

static struct disk *disk;

/* Of this process: one life. */
static struct {
	struct node *fds[FDS];
	int fd_entry[FDS]; /* for messages */
	uint64_t random;
	unsigned cold;
	int64_t ops, matching;
	int64_t fail_at, cut_at;
	int fail_error;
	bool fail_lasting;
	unsigned fail_ops;
	const char *fail_path;
	enum fake_op failed;
	char failed_path[PATH_SIZE];
} life;

/* ---- chance ---- */

static size_t
below(size_t n)
{
	return random_below(&life.random, n);
}

/* ---- memory ---- */

static void *
allocate(size_t n)
{
	uint8_t *p = (uint8_t *)disk + disk->used;

	must(n <= ARENA - disk->used);
	disk->used += (n + 15) / 16 * 16;
	memset(p, 0, n);
	return p;
}

static uint8_t *
new_page(void)
{
	uint8_t *p = disk->free_pages;

	if (p == NULL)
		return allocate(PAGE);
	memcpy(&disk->free_pages, p, sizeof(uint8_t *));
	memset(p, 0, PAGE);
	return p;
}

static void
free_page(uint8_t *p)
{
	if (p == NULL)
		return;
	memcpy(p, &disk->free_pages, sizeof(uint8_t *));
	disk->free_pages = p;
}

void
fake_disk_reset(const char *root)
{
	if (disk == NULL) {
		disk = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		must(disk != MAP_FAILED);
	}
	must(strlen(root) < PATH_SIZE);
	disk->used = (sizeof *disk + PAGE - 1) / PAGE * PAGE;
	disk->free_pages = NULL;
	disk->n_entries = disk->n_nodes = 0;
	strcpy(disk->root, root);
	fake_disk_begin(0, 0);
}

void
fake_disk_begin(uint64_t seed, unsigned cold)
{
	memset(&life, 0, sizeof life);
	life.random = seed;
	life.cold = cold;
	life.fail_at = life.cut_at = -1;
}

void
fake_disk_cold(unsigned cold)
{
	life.cold = cold;
}

void *
fake_disk_save(size_t *n)
{
	*n = disk->used;
	return xmemdup(disk, disk->used);
}

void
fake_disk_restore(const void *saved, size_t n)
{
	memcpy(disk, saved, n);
}

/* ---- names ---- */

static bool
is_index(const char *path)
{
	const char *at = strstr(path, "/index");

	return at != NULL && (at[6] == '\0' || at[6] == '/');
}

static struct entry *
find(const char *path)
{
	for (size_t i = 0; i < disk->n_entries; i++)
		if (strcmp(disk->entries[i].path, path) == 0)
			return &disk->entries[i];
	return NULL;
}

static struct entry *
find_or_add(const char *path)
{
	struct entry *e = find(path);

	if (e != NULL)
		return e;
	for (size_t i = 0; e == NULL && i < disk->n_entries; i++)
		if (disk->entries[i].cached == NULL && disk->entries[i].durable == NULL)
			e = &disk->entries[i];
	if (e == NULL) {
		must(disk->n_entries < ENTRIES);
		e = &disk->entries[disk->n_entries++];
	}
	must(strlen(path) < PATH_SIZE);
	memset(e, 0, sizeof *e);
	strcpy(e->path, path);
	return e;
}

static struct node *
node_at(const char *path)
{
	struct entry *e = find(path);

	return e == NULL ? NULL : e->cached;
}

/* Whether the path lies directly in the folder. */
static bool
lies_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/' && strchr(path + n + 1, '/') == NULL;
}

static bool
is_folder(const char *path)
{
	struct node *f = node_at(path);

	return strcmp(path, disk->root) == 0 || (f != NULL && f->folder);
}

static bool
has_folder(const char *path)
{
	char folder[PATH_SIZE];
	char *slash;

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	must(slash != NULL);
	*slash = '\0';
	return is_folder(folder);
}

static struct node *
new_node(bool folder)
{
	struct node *f = NULL;

	for (size_t i = 0; f == NULL && i < disk->n_nodes; i++)
		if (!disk->nodes[i].used)
			f = &disk->nodes[i];
	if (f == NULL) {
		must(disk->n_nodes < NODES);
		f = &disk->nodes[disk->n_nodes++];
	}
	*f = (struct node){ .used = true, .folder = folder };
	return f;
}

/* ---- operations, counted ---- */

/* True with errno: this one fails. */
static bool
fails(enum fake_op op, const char *path)
{
	bool matches = (life.fail_ops & op) && (life.fail_path == NULL || strstr(path, life.fail_path) != NULL);
	int64_t n;

	life.ops++;
	if (!matches)
		return false;
	n = life.matching++;
	if (life.fail_at == -1 || (life.fail_lasting ? n < life.fail_at : n != life.fail_at))
		return false;
	if (life.failed == 0) {
		life.failed = op;
		snprintf(life.failed_path, sizeof life.failed_path, "%s", path);
	}
	errno = life.fail_error;
	return true;
}

static bool
is_cut(void)
{
	return life.cut_at != -1 && life.ops == life.cut_at;
}

/* Whether this operation fails; the process may end here. */
static bool
begin(enum fake_op op, const char *path)
{
	if (is_cut())
		_exit(FAKE_CUT_STATUS);
	return fails(op, path);
}

void
fake_disk_fail(int64_t at, int error, bool lasting, unsigned ops, const char *path)
{
	life.matching = 0;
	life.fail_at = at;
	life.fail_error = error;
	life.fail_lasting = lasting;
	life.fail_ops = ops;
	life.fail_path = path;
}

void
fake_disk_cut_at(int64_t at)
{
	life.cut_at = at;
}

int64_t
fake_disk_ops(void)
{
	return life.ops;
}

enum fake_op
fake_disk_failed(const char **path)
{
	*path = life.failed_path;
	return life.failed;
}

/* ---- pages ---- */

static struct slot *
slot_at(struct node *f, size_t i)
{
	if (i >= f->cap_slots) {
		size_t cap = f->cap_slots == 0 ? 8 : f->cap_slots;
		struct slot *slots;

		while (cap <= i)
			cap *= 2;
		slots = allocate(cap * sizeof *slots);
		if (f->n_slots > 0)
			memcpy(slots, f->slots, f->n_slots * sizeof *slots);
		f->slots = slots;
		f->cap_slots = cap;
	}
	if (i >= f->n_slots)
		f->n_slots = i + 1;
	return &f->slots[i];
}

/* The page as bytes that may be written. */
static uint8_t *
own_page(struct slot *s)
{
	if (s->cached == NULL || s->cached == s->durable) {
		uint8_t *p = new_page();

		if (s->cached != NULL)
			memcpy(p, s->cached, PAGE);
		s->cached = p;
	}
	s->dirty = true;
	return s->cached;
}

static bool
all_zero(const uint8_t *p)
{
	return p[0] == 0 && memcmp(p, p + 1, PAGE - 1) == 0;
}

static void
put(struct node *f, const uint8_t *from, size_t n, int64_t pos)
{
	if (n > 0 && pos + (int64_t)n > f->size) {
		f->size = pos + (int64_t)n;
		f->size_dirty = true;
	}
	while (n > 0) {
		size_t at = (size_t)(pos % PAGE), k = PAGE - at < n ? PAGE - at : n;
		struct slot *s = slot_at(f, (size_t)(pos / PAGE));

		if (k == PAGE && all_zero(from)) {
			if (s->cached != s->durable)
				free_page(s->cached);
			s->cached = NULL;
			s->dirty = true;
		} else
			memcpy(own_page(s) + at, from, k);
		from += k;
		pos += (int64_t)k;
		n -= k;
	}
}

static size_t
get(const struct node *f, uint8_t *to, size_t n, int64_t pos)
{
	size_t got = 0;

	if (pos >= f->size)
		return 0;
	if ((int64_t)n > f->size - pos)
		n = (size_t)(f->size - pos);
	while (got < n) {
		size_t at = (size_t)(pos % PAGE), k = PAGE - at < n - got ? PAGE - at : n - got;
		size_t i = (size_t)(pos / PAGE);
		const uint8_t *p = i < f->n_slots ? f->slots[i].cached : NULL;

		if (p == NULL)
			memset(to + got, 0, k);
		else
			memcpy(to + got, p + at, k);
		got += k;
		pos += (int64_t)k;
	}
	return n;
}

/* What was behind the end must not come back when the file grows again. */
static void
resize(struct node *f, int64_t size)
{
	if (size < f->size) {
		size_t keep = (size_t)((size + PAGE - 1) / PAGE);

		for (size_t i = keep; i < f->n_slots; i++) {
			struct slot *s = &f->slots[i];

			if (s->cached != s->durable)
				free_page(s->cached);
			s->cached = NULL;
			s->dirty = true;
		}
		if (size % PAGE != 0 && keep <= f->n_slots && f->slots[keep - 1].cached != NULL)
			memset(own_page(&f->slots[keep - 1]) + size % PAGE, 0, PAGE - (size_t)(size % PAGE));
	}
	f->size = size;
	f->size_dirty = true;
}

static void
settle_page(struct slot *s)
{
	if (s->durable != s->cached)
		free_page(s->durable);
	s->durable = s->cached;
	s->dirty = false;
}

static void
sync_node(struct node *f)
{
	for (size_t i = 0; i < f->n_slots; i++)
		if (f->slots[i].dirty)
			settle_page(&f->slots[i]);
	f->durable_size = f->size;
	f->size_dirty = false;
}

/* Some of it is on the disk, and the cache believes that all of it is. */
static void
sync_badly(struct node *f)
{
	for (size_t i = 0; i < f->n_slots; i++)
		if (f->slots[i].dirty) {
			if (below(2) == 0)
				settle_page(&f->slots[i]);
			f->slots[i].dirty = false;
		}
	if (f->size_dirty && below(2) == 0)
		f->durable_size = f->size;
	f->size_dirty = false;
}

/* ---- plat/file.h ---- */

static int
give_fd(struct node *f, const struct entry *e)
{
	for (int i = 0; i < FDS; i++)
		if (life.fds[i] == NULL) {
			life.fds[i] = f;
			life.fd_entry[i] = (int)(e - disk->entries);
			return FD_BASE + i;
		}
	errno = EMFILE;
	return -1;
}

static struct node *
node_of(int fd)
{
	must(fd >= FD_BASE && fd < FD_BASE + FDS && life.fds[fd - FD_BASE] != NULL);
	return life.fds[fd - FD_BASE];
}

static const char *
path_of(int fd)
{
	return fd < FD_BASE ? "/index/" : disk->entries[life.fd_entry[fd - FD_BASE]].path;
}

int
file_open(const char *path, enum file_mode mode)
{
	struct entry *e;

	if (begin(FAKE_OPEN, path))
		return -1;
	if (is_index(path))
		return open(path, mode == FILE_READ ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC);
	e = find(path);
	if (e != NULL && e->cached != NULL) {
		if (e->cached->folder || mode == FILE_CREATE_NEW) {
			errno = mode == FILE_CREATE_NEW ? EEXIST : EISDIR;
			return -1;
		}
		return give_fd(e->cached, e);
	}
	if (mode == FILE_READ || mode == FILE_WRITE || !has_folder(path)) {
		errno = ENOENT;
		return -1;
	}
	e = find_or_add(path);
	e->cached = new_node(false);
	return give_fd(e->cached, e);
}

void
file_close(int fd)
{
	if (fd < FD_BASE) {
		close(fd);
		return;
	}
	node_of(fd);
	life.fds[fd - FD_BASE] = NULL;
}

int64_t
file_read(int fd, void *to, size_t n, int64_t pos)
{
	if (begin(FAKE_READ, path_of(fd)))
		return -1;
	return fd < FD_BASE ? (int64_t)pread(fd, to, n, pos) : (int64_t)get(node_of(fd), to, n, pos);
}

int64_t
file_read_nowait(int fd, void *to, size_t n, int64_t pos)
{
	size_t page = (size_t)(PAGE - pos % PAGE);

	if (begin(FAKE_READ, path_of(fd)))
		return -1;
	if (below(100) < life.cold) {
		/* Nothing is at hand, or a few pages are. */
		if (below(2) == 0) {
			errno = EAGAIN;
			return -1;
		}
		page += below(3) * PAGE;
		n = n < page ? n : page;
	}
	return (int64_t)get(node_of(fd), to, n, pos);
}

int
file_write(int fd, const void *from, size_t n, int64_t pos)
{
	struct node *f = node_of(fd);

	if (is_cut()) {
		put(f, from, below(n + 1), pos);
		_exit(FAKE_CUT_STATUS);
	}
	if (fails(FAKE_WRITE, path_of(fd))) {
		int error = errno;

		put(f, from, below(n + 1), pos);
		errno = error;
		return -1;
	}
	put(f, from, n, pos);
	return 0;
}

int
file_writev(int fd, struct iovec *iov, int n_iov, int64_t pos)
{
	for (int i = 0; i < n_iov; i++) {
		if (file_write(fd, iov[i].iov_base, iov[i].iov_len, pos) == -1)
			return -1;
		pos += (int64_t)iov[i].iov_len;
	}
	return 0;
}

/* Nothing is promised by it, and nothing of it can be seen. */
void
file_sync_begin(int fd)
{
	(void)fd;
}

int
file_sync(int fd)
{
	if (is_cut())
		_exit(FAKE_CUT_STATUS);
	if (fails(FAKE_SYNC, path_of(fd))) {
		int error = errno;

		sync_badly(node_of(fd));
		errno = error;
		return -1;
	}
	sync_node(node_of(fd));
	return 0;
}

int64_t
file_size(int fd)
{
	if (begin(FAKE_SIZE, path_of(fd)))
		return -1;
	return fd < FD_BASE ? (int64_t)lseek(fd, 0, SEEK_END) : node_of(fd)->size;
}

int
file_truncate(int fd, int64_t size)
{
	if (begin(FAKE_TRUNCATE, path_of(fd)))
		return -1;
	resize(node_of(fd), size);
	return 0;
}

int
file_rename(const char *from, const char *to)
{
	struct entry *e;
	struct node *f;

	if (begin(FAKE_RENAME, to))
		return -1;
	if (is_index(from))
		return rename(from, to);
	if ((f = node_at(from)) == NULL) {
		errno = ENOENT;
		return -1;
	}
	find(from)->cached = NULL;
	e = find_or_add(to);
	e->cached = f;
	return 0;
}

int
file_link(const char *from, const char *to)
{
	struct node *f = node_at(from);

	if (begin(FAKE_RENAME, to))
		return -1;
	if (f == NULL || node_at(to) != NULL) {
		errno = f == NULL ? ENOENT : EEXIST;
		return -1;
	}
	find_or_add(to)->cached = f;
	return 0;
}

int
file_unlink(const char *path)
{
	struct entry *e;

	if (begin(FAKE_UNLINK, path))
		return -1;
	if (is_index(path))
		return unlink(path);
	e = find(path);
	if (e == NULL || e->cached == NULL) {
		errno = ENOENT;
		return -1;
	}
	e->cached = NULL;
	return 0;
}

int
file_mkdir(const char *path)
{
	struct entry *e;

	if (begin(FAKE_MKDIR, path))
		return -1;
	if (is_index(path))
		return mkdir(path, 0700) == -1 && errno != EEXIST ? -1 : 0;
	if (strcmp(path, disk->root) == 0)
		return 0;
	if (!has_folder(path)) {
		errno = ENOENT;
		return -1;
	}
	e = find_or_add(path);
	if (e->cached == NULL)
		e->cached = new_node(true);
	return 0;
}

int
file_rmdir(const char *path)
{
	struct entry *e = find(path);

	if (begin(FAKE_RMDIR, path))
		return -1;
	if (e == NULL || e->cached == NULL) {
		errno = ENOENT;
		return -1;
	}
	for (size_t i = 0; i < disk->n_entries; i++)
		if (disk->entries[i].cached != NULL && lies_in(disk->entries[i].path, path)) {
			errno = ENOTEMPTY;
			return -1;
		}
	e->cached = NULL;
	return 0;
}

int
file_sync_dir(const char *path)
{
	if (begin(FAKE_SYNC_DIR, path))
		return -1;
	/* What is above the root is there for good. */
	if (is_index(path) || strcmp(path + strlen(path) - 3, "/..") == 0)
		return 0;
	if (!is_folder(path)) {
		errno = ENOENT;
		return -1;
	}
	for (size_t i = 0; i < disk->n_entries; i++)
		if (lies_in(disk->entries[i].path, path))
			disk->entries[i].durable = disk->entries[i].cached;
	return 0;
}

int
file_list(const char *path, int (*each)(void *, const char *), void *ctx)
{
	size_t n = disk->n_entries, from = n == 0 ? 0 : below(n);
	int r = 0;

	if (begin(FAKE_LIST, path))
		return -1;
	if (!is_folder(path)) {
		errno = ENOENT;
		return -1;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct entry *e = &disk->entries[(from + i) % n];

		if (e->cached != NULL && lies_in(e->path, path))
			r = each(ctx, e->path + strlen(path) + 1);
	}
	return r;
}

int
file_lock(const char *folder)
{
	static struct node locked;

	if (begin(FAKE_LOCK, folder))
		return -1;
	must(is_folder(folder));
	locked = (struct node){ .used = true, .folder = true };
	return give_fd(&locked, disk->entries);
}

int
file_random(void *to, size_t n)
{
	random_fill(&life.random, to, n);
	return 0;
}

int
file_space(const char *path, int64_t *total, int64_t *free_bytes)
{
	(void)path;
	*total = (int64_t)ARENA;
	*free_bytes = (int64_t)(ARENA - disk->used);
	return 0;
}

/* ---- the cut ---- */

/* How much of what is not synced stays, in percent; whether pages tear. */
struct odds {
	size_t names, pages, sizes;
	bool tears;
};

static void
cut_page(struct slot *s, const struct odds *odds)
{
	bool keep = below(100) < odds->pages;

	if (s->cached == s->durable)
		return;
	if (s->dirty && odds->tears && below(4) == 0) {
		uint8_t *p = new_page();

		for (size_t at = 0; at < PAGE; at += SECTOR) {
			const uint8_t *from = below(2) == 0 ? s->cached : s->durable;

			if (from != NULL)
				memcpy(p + at, from + at, SECTOR);
		}
		free_page(s->cached);
		s->cached = p;
	} else if (!s->dirty || !keep) {
		free_page(s->cached);
		s->cached = s->durable;
	}
	settle_page(s);
}

static void
cut_node(struct node *f, const struct odds *odds)
{
	int64_t size = f->durable_size;

	if (f->size_dirty && below(100) < odds->sizes)
		size = below(4) == 0 && f->size > size ? size + (int64_t)below((size_t)(f->size - size) + 1) : f->size;
	for (size_t i = 0; i < f->n_slots; i++)
		cut_page(&f->slots[i], odds);
	f->size = INT64_MAX;
	resize(f, size);
	sync_node(f);
}

/* A name whose folder is gone is gone. */
static void
drop_orphans(void)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < disk->n_entries; i++) {
			struct entry *e = &disk->entries[i];

			if (e->cached != NULL && !has_folder(e->path)) {
				e->cached = e->durable = NULL;
				again = true;
			}
		}
	}
}

static void
free_node(struct node *f)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];

		if (s->cached != s->durable)
			free_page(s->cached);
		free_page(s->durable);
	}
	f->used = false;
}

void
fake_disk_power_cut(uint64_t seed)
{
	static const size_t percents[] = { 0, 10, 50, 50, 90, 100 };
	struct odds odds;

	life.random = seed;
	odds.names = percents[below(6)];
	odds.pages = percents[below(6)];
	odds.sizes = percents[below(6)];
	odds.tears = below(3) == 0;
	for (size_t i = 0; i < disk->n_entries; i++) {
		struct entry *e = &disk->entries[i];

		if (e->cached != e->durable && below(100) >= odds.names)
			e->cached = e->durable;
		e->durable = e->cached;
	}
	drop_orphans();
	for (size_t i = 0; i < disk->n_nodes; i++)
		disk->nodes[i].marked = false;
	for (size_t i = 0; i < disk->n_entries; i++)
		if (disk->entries[i].cached != NULL)
			disk->entries[i].cached->marked = true;
	for (size_t i = 0; i < disk->n_nodes; i++) {
		struct node *f = &disk->nodes[i];

		if (f->used && !f->marked)
			free_node(f);
		else if (f->used && !f->folder)
			cut_node(f, &odds);
	}
}

/* ---- looking in from outside ---- */

void
fake_disk_each(void (*each)(void *, const char *, int64_t), void *ctx)
{
	for (size_t i = 0; i < disk->n_entries; i++) {
		const struct entry *e = &disk->entries[i];

		if (e->cached != NULL && !e->cached->folder)
			each(ctx, e->path, e->cached->size);
	}
}

int
fake_disk_peek(const char *path, int64_t pos, uint8_t *to, size_t n)
{
	struct node *f = node_at(path);

	return f == NULL || get(f, to, n, pos) != n ? -1 : 0;
}

int
fake_disk_poke(const char *path, int64_t pos, const uint8_t *from, size_t n)
{
	struct node *f = node_at(path);

	if (f == NULL)
		return -1;
	put(f, from, n, pos);
	return 0;
}
