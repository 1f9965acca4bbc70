/*
 * shim.c -- stands between weir-logd and libc, and has one call go wrong.
 *
 *	LD_PRELOAD=.../shim.so  WEIR_FAULT="CALL N ERROR HOW"  WEIR_FAULT_PAGE=FILE  WEIR_FAULT_LOST=FILE
 *
 * The N-th call of CALL fails with ERROR, a number; 0: it is short, and does half
 * of what was asked.  HOW: `once`, `on` (from then on), or `lost`, for fdatasync:
 * it fails once, and what the file got since the last sync will not be on the
 * disk, whatever later syncs of it say; as kernels do it.  With that, the end of the
 * process is one of the machine, too: what was not synced is lost.
 *
 * WEIR_FAULT_PAGE is of PAGE_BYTES and shared with the test: see struct page.  In
 * WEIR_FAULT_LOST, of LOST_SLOTS slots, is what the disk has in the place of lost
 * blocks; the test puts it there when the daemon has ended.  fault.py reads both.
 *
 * Calls are counted from the process's start, of all threads, and of the
 * libraries as well.  What the kernel never answers is not made up here: epoll_ctl
 * fails only where something is added.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALLS(X) \
	X(accept4) X(calloc) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(eventfd) X(fdatasync) X(flock) X(fstat) X(fsync) \
	X(ftruncate) X(getrandom) X(link) X(listen) X(malloc) X(mkdir) X(mmap) X(open) X(opendir) X(posix_memalign) X(pread) \
	X(preadv2) X(pthread_create) X(pwrite) X(pwritev) X(readdir) X(readv) X(realloc) X(recv) X(rename) X(rmdir) \
	X(sendmsg) X(signalfd) X(socket) X(statvfs) X(unlink) X(writev)

#define NAME(name) CALL_##name,
enum call { CALLS(NAME) N_CALLS };
#undef NAME

enum { PAGE_BYTES = 4096, LOST_SLOTS = 16384, BLOCK = 4096, NAME_BYTES = 16 };
enum how { ONCE, ON, LOST };
enum state { FREE, DIRTY, GONE }; /* of a slot: unused; not synced; never will be */

/* What the test sees, and sets. */
struct page {
	_Atomic int64_t clock_ms; /* the test's: what CLOCK_REALTIME is ahead */
	_Atomic int64_t happened; /* how often the fault was */
	struct {
		char name[NAME_BYTES];
		_Atomic int64_t n;
	} counts[N_CALLS];
};
_Static_assert(sizeof(struct page) <= PAGE_BYTES, "it is one page");

struct slot {
	int32_t state;
	int32_t had; /* so many of the bytes were in the file */
	uint64_t device, inode;
	int64_t at;
	uint8_t bytes[BLOCK];
};

static struct {
	enum call call;
	int64_t n;
	int error;
	enum how how;
} fault = { .call = N_CALLS };
static struct page nobody; /* where there is no test */
static struct page *page = &nobody;
static struct slot *slots;  /* NULL: nothing is ever lost */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

/* The function of this name that we stand before. */
#define REAL(name) \
	static __typeof__(&name) real; \
	if (real == NULL) \
		real = __extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name)

/* ---- the fault ---- */

static void *
map(const char *variable, size_t bytes)
{
	const char *path = getenv(variable);
	int fd = path == NULL ? -1 : openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd != -1) {
		REAL(mmap);
		p = real(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	return p == MAP_FAILED ? NULL : p;
}

__attribute__((constructor)) static void
begin(void)
{
#define NAME(name) #name,
	static const char *const names[] = { CALLS(NAME) };
#undef NAME
	const char *spec = getenv("WEIR_FAULT");
	char call[NAME_BYTES], how[8];
	long long n;
	int error;
	struct page *shared = map("WEIR_FAULT_PAGE", PAGE_BYTES);

	for (int i = 0; shared != NULL && i < N_CALLS; i++)
		snprintf(shared->counts[i].name, NAME_BYTES, "%s", names[i]);
	if (spec != NULL && sscanf(spec, "%15s %lld %d %7s", call, &n, &error, how) == 4) {
		while (fault.call > 0 && strcmp(names[fault.call - 1], call) != 0)
			fault.call--;
		if (fault.call-- == 0) {
			fprintf(stderr, "shim: there is no call %s\n", call);
			_exit(1);
		}
		fault.n = n;
		fault.error = error;
		fault.how = strcmp(how, "on") == 0 ? ON : strcmp(how, "lost") == 0 ? LOST : ONCE;
	}
	if (fault.how == LOST)
		slots = map("WEIR_FAULT_LOST", LOST_SLOTS * sizeof *slots);
	if (shared != NULL)
		page = shared;
}

/* Counts the call, and says whether it is the one. */
static bool
wrong(enum call call)
{
	int64_t n = atomic_fetch_add(&page->counts[call].n, 1) + 1;

	if (call != fault.call || n < fault.n || (n > fault.n && fault.how != ON))
		return false;
	atomic_fetch_add(&page->happened, 1);
	errno = fault.error;
	return true;
}

/* The same for a call of so many bytes: fails, or takes some of them away. */
static bool
wrong_or_short(enum call call, size_t *n)
{
	if (!wrong(call))
		return false;
	if (fault.error != 0)
		return true;
	*n = *n > 1 ? *n / 2 : *n;
	return false;
}

/* And for one of several pieces: `one` stands in for them when it is to be short. */
static bool
wrong_or_cut(enum call call, const struct iovec **iov, int *n_iov, struct iovec *one)
{
	if (*n_iov == 0)
		return wrong(call) && fault.error != 0;
	*one = **iov;
	if (wrong_or_short(call, &one->iov_len))
		return true;
	if (one->iov_len != (*iov)->iov_len) {
		*iov = one;
		*n_iov = 1;
	}
	return false;
}

/* ---- what the disk has, while something is to be lost ---- */

static bool
same_file(const struct slot *s, const struct stat *st)
{
	return s->device == st->st_dev && s->inode == st->st_ino;
}

static struct slot *
slot_of(const struct stat *st, int64_t at)
{
	size_t i = (size_t)((st->st_ino * 31 + (uint64_t)at / BLOCK * 7) % LOST_SLOTS), first = i;
	struct slot *unused = NULL;

	/* Slots that were given up have a device still, so that those behind them are found. */
	do {
		struct slot *s = &slots[i];

		if (s->state != FREE && same_file(s, st) && s->at == at)
			return s;
		if (s->state == FREE && unused == NULL)
			unused = s;
		if (s->device == 0)
			break;
		i = (i + 1) % LOST_SLOTS;
	} while (i != first);
	if (unused == NULL) {
		fprintf(stderr, "shim: more is written than there are slots for\n");
		_exit(1);
	}
	return unused;
}

/* Keeps what was there of a block that is written to: it is dirty from now on, also where it was gone before. */
static void
keep_block(int fd, const struct stat *st, int64_t at)
{
	struct slot *s = slot_of(st, at);

	if (s->state == FREE) {
		REAL(pread);
		ssize_t n = real(fd, s->bytes, BLOCK, at);

		s->had = n < 0 ? 0 : (int32_t)n;
		s->device = st->st_dev;
		s->inode = st->st_ino;
		s->at = at;
	}
	s->state = DIRTY;
}

/* Before bytes are written.  Both ends of a write hold the lock, so that no sync comes between. */
static bool
keep(int fd, int64_t pos, const struct iovec *iov, int n_iov)
{
	struct stat st;
	int64_t end = pos;

	if (slots == NULL || fstatat(fd, "", &st, AT_EMPTY_PATH) == -1 || !S_ISREG(st.st_mode) ||
	    fcntl(fd, F_GETFL) & O_DSYNC)
		return false;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < n_iov; i++)
		end += (int64_t)iov[i].iov_len;
	for (int64_t at = pos / BLOCK * BLOCK; at < end; at += BLOCK)
		keep_block(fd, &st, at);
	return true;
}

static void
kept(bool locked)
{
	int saved = errno;

	if (locked)
		pthread_mutex_unlock(&lock);
	errno = saved;
}

/* Of all blocks of the file from `from` on that are in state `from_state`. */
static void
change(const struct stat *st, int64_t from, enum state only, enum state to)
{
	for (size_t i = 0; i < LOST_SLOTS; i++)
		if (slots[i].state != FREE && same_file(&slots[i], st) && slots[i].at >= from &&
		    (only == FREE || slots[i].state == (int32_t)only))
			slots[i].state = (int32_t)to;
}

static void
synced(int fd, bool lost)
{
	struct stat st;

	if (slots == NULL || fstatat(fd, "", &st, AT_EMPTY_PATH) == -1)
		return;
	pthread_mutex_lock(&lock);
	change(&st, 0, DIRTY, lost ? GONE : FREE);
	pthread_mutex_unlock(&lock);
}

/* A file that ends here, or at all. */
static void
ends(const struct stat *st, int64_t size)
{
	pthread_mutex_lock(&lock);
	change(st, size, FREE, FREE);
	pthread_mutex_unlock(&lock);
}

static void
name_goes(const char *path)
{
	struct stat st;

	if (slots != NULL && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
		ends(&st, 0);
}

/* ---- calls that fail, or not ---- */

#define WRAP(type, name, parameters, arguments) \
	type name parameters \
	{ \
		REAL(name); \
		return wrong(CALL_##name) ? (type)-1 : real arguments; \
	}

WRAP(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *restrict n, int flags), (fd, address, n, flags))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int n, int ms), (fd, events, n, ms))
WRAP(int, eventfd, (unsigned int n, int flags), (n, flags))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, listen, (int fd, int n), (fd, n))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(void *, mmap, (void *at, size_t n, int protection, int flags, int fd, off_t pos), (at, n, protection, flags, fd, pos))
WRAP(int, rmdir, (const char *path), (path))
WRAP(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, statvfs, (const char *restrict path, struct statvfs *restrict s), (path, s))

int
epoll_ctl(int fd, int op, int of, struct epoll_event *event)
{
	REAL(epoll_ctl);
	return op == EPOLL_CTL_ADD && wrong(CALL_epoll_ctl) ? -1 : real(fd, op, of, event);
}

int
open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return wrong(CALL_open) ? -1 : openat(AT_FDCWD, path, flags, mode);
}

DIR *
opendir(const char *path)
{
	REAL(opendir);
	return wrong(CALL_opendir) ? NULL : real(path);
}

struct dirent *
readdir(DIR *dir)
{
	REAL(readdir);
	return wrong(CALL_readdir) ? NULL : real(dir);
}

int
rename(const char *from, const char *to)
{
	REAL(rename);
	if (wrong(CALL_rename))
		return -1;
	name_goes(to);
	return real(from, to);
}

int
unlink(const char *path)
{
	REAL(unlink);
	if (wrong(CALL_unlink))
		return -1;
	name_goes(path);
	return real(path);
}

int
ftruncate(int fd, off_t size)
{
	struct stat st;

	REAL(ftruncate);
	if (wrong(CALL_ftruncate))
		return -1;
	if (slots != NULL && fstatat(fd, "", &st, AT_EMPTY_PATH) == 0)
		ends(&st, size);
	return real(fd, size);
}

int
fdatasync(int fd)
{
	REAL(fdatasync);
	if (wrong(CALL_fdatasync)) {
		synced(fd, true);
		errno = fault.error;
		return -1;
	}
	synced(fd, false);
	return slots == NULL ? real(fd) : 0;
}

int
fsync(int fd)
{
	REAL(fsync);
	return wrong(CALL_fsync) ? -1 : real(fd);
}

int
pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr, void *(*run)(void *), void *restrict arg)
{
	REAL(pthread_create);
	return wrong(CALL_pthread_create) ? fault.error : real(thread, attr, run, arg);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	REAL(clock_gettime);
	int r = real(id, ts);
	int64_t ahead_ms = atomic_load(&page->clock_ms);

	if (r == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += ahead_ms / 1000;
	return r;
}

/* ---- calls that may be short ---- */

ssize_t
getrandom(void *to, size_t n, unsigned int flags)
{
	REAL(getrandom);
	return wrong_or_short(CALL_getrandom, &n) ? -1 : real(to, n, flags);
}

ssize_t
pread(int fd, void *to, size_t n, off_t pos)
{
	REAL(pread);
	return wrong_or_short(CALL_pread, &n) ? -1 : real(fd, to, n, pos);
}

ssize_t
preadv2(int fd, const struct iovec *iov, int n_iov, off_t pos, int flags)
{
	struct iovec one;

	REAL(preadv2);
	return wrong_or_cut(CALL_preadv2, &iov, &n_iov, &one) ? -1 : real(fd, iov, n_iov, pos, flags);
}

ssize_t
readv(int fd, const struct iovec *iov, int n_iov)
{
	struct iovec one;

	REAL(readv);
	return wrong_or_cut(CALL_readv, &iov, &n_iov, &one) ? -1 : real(fd, iov, n_iov);
}

ssize_t
recv(int fd, void *to, size_t n, int flags)
{
	REAL(recv);
	return wrong_or_short(CALL_recv, &n) ? -1 : real(fd, to, n, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr cut = *message;
	const struct iovec *iov = cut.msg_iov;
	int n_iov = (int)cut.msg_iovlen;
	struct iovec one;

	REAL(sendmsg);
	if (wrong_or_cut(CALL_sendmsg, &iov, &n_iov, &one))
		return -1;
	if (iov == &one) {
		cut.msg_iov = &one;
		cut.msg_iovlen = 1;
	}
	return real(fd, &cut, flags);
}

ssize_t
pwrite(int fd, const void *from, size_t n, off_t pos)
{
	struct iovec iov = { (void *)(uintptr_t)from, n };
	bool locked;
	ssize_t r;

	REAL(pwrite);
	if (wrong_or_short(CALL_pwrite, &iov.iov_len))
		return -1;
	locked = keep(fd, pos, &iov, 1);
	r = real(fd, from, iov.iov_len, pos);
	kept(locked);
	return r;
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n_iov, off_t pos)
{
	struct iovec one;
	bool locked;
	ssize_t r;

	REAL(pwritev);
	if (wrong_or_cut(CALL_pwritev, &iov, &n_iov, &one))
		return -1;
	locked = keep(fd, pos, iov, n_iov);
	r = real(fd, iov, n_iov, pos);
	kept(locked);
	return r;
}

ssize_t
writev(int fd, const struct iovec *iov, int n_iov)
{
	struct iovec one;
	bool locked;
	ssize_t r;

	REAL(writev);
	if (wrong_or_cut(CALL_writev, &iov, &n_iov, &one))
		return -1;
	locked = keep(fd, lseek(fd, 0, SEEK_CUR), iov, n_iov);
	r = real(fd, iov, n_iov);
	kept(locked);
	return r;
}

/* ---- memory ---- */

void *
malloc(size_t n)
{
	return wrong(CALL_malloc) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return wrong(CALL_calloc) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t n)
{
	return wrong(CALL_realloc) ? NULL : __libc_realloc(old, n);
}

int
posix_memalign(void **to, size_t align, size_t n)
{
	void *p = wrong(CALL_posix_memalign) ? NULL : __libc_memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*to = p;
	return 0;
}
