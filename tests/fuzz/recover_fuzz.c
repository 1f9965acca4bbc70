/*
 * recover_fuzz.c -- a start on a segment and a journal of any bytes.
 *
 * The input's first two bytes are the length of the segment's part, the next
 * says how much is made right: headers and checksums, so that what lies behind
 * them is reached.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "fake/worker_fake.h"
#include "plat/file.h"
#include "store/store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { PAGE = 4096, MENDED_SEGMENT = 1, MENDED_JOURNAL = 2, INTERNAL = 4, INDEX_LOST = 8 };

static char dir[64];
static struct partition_config config = { .segment_bytes = 1 << 20, .segment_ms = INT64_MAX,
	.max_message_bytes = 1 << 20, .timestamp_before_max_ms = INT64_MAX,
	.timestamp_after_max_ms = INT64_MAX, .producer_expiry_ms = 86400000 };
static bool over;

static void
no_line(const char *line, size_t n)
{
	(void)line;
	(void)n;
}

static void
index_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/index/%s", dir, name);
}

static void
forget_index(void)
{
	char path[128];

	index_path("data.mdb", path, sizeof path);
	unlink(path);
	index_path("lock.mdb", path, sizeof path);
	unlink(path);
}

static void
clean_up(void)
{
	char path[128];

	forget_index();
	index_path("", path, sizeof path);
	rmdir(path);
	rmdir(dir);
}

static void
set_up(void)
{
	snprintf(dir, sizeof dir, "%s/recover_fuzz.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL);
	atexit(clean_up);
	diag_set_sink(no_line);
}

static void
make_folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	must(file_mkdir(path) == 0);
}

static void
make_file(const char *folder, const char *name, const uint8_t *p, size_t n)
{
	char path[256];
	int fd;

	make_folder(folder);
	snprintf(path, sizeof path, "%s/%s/%s", dir, folder, name);
	must((fd = file_open(path, FILE_CREATE)) != -1 && file_write(fd, p, n, 0) == 0);
	file_close(fd);
}

/* As if the end had not been a clean one. */
static void
remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	must(file_unlink(path) == 0);
}

/* Makes each batch one that goes on where the last ended. */
static void
mend_segment(uint8_t *p, size_t n)
{
	int64_t offset = 0;
	struct batch b;

	while (n >= BATCH_HEADER) {
		if (!batch_header(&b, span_of(p, n)) || b.size > n)
			return;
		store32(p + 23, load32(p + 23) & 0xff);
		batch_stamp(p, offset, 0);
		store32(p + 17, crc32c(0, p + 21, b.size - 21));
		offset += (load32(p + 23) & 0xff) + 1;
		p += b.size;
		n -= b.size;
	}
}

/* Puts a header before the bytes, and makes them one block. */
static size_t
mend_journal(const uint8_t *p, size_t n, uint8_t *to)
{
	memset(to, 0, PAGE + 20);
	memcpy(to, "WEIRJNL1", 8);
	store64(to + 8, 4096);
	store32(to + 16, crc32c(0, to, 16));
	to += PAGE;
	memcpy(to + 20, p, n);
	store32(to, 0x57424c4b);
	store64(to + 8, 4096 + PAGE);
	store32(to + 16, (uint32_t)(n + 20));
	store32(to + 4, crc32c(0, to + 8, n + 12));
	return PAGE + 20 + n;
}

static void
read_done(struct partition_read *r)
{
	(void)r;
	over = true;
}

static void
look_up_done(struct partition_lookup *l)
{
	(void)l;
	over = true;
}

static void
append_done(struct append *a)
{
	(void)a;
	over = true;
}

static void
wait_for(struct store *store, struct mailbox *mailbox)
{
	while (!over) {
		store_flush(store);
		mailbox_wait(mailbox);
		mailbox_run(mailbox);
	}
}

/* Reads what is there, a few offsets beyond damage; appends one. */
static bool
use(void *ctx, struct partition *p)
{
	struct store *store = ctx;
	struct batch_builder b;
	struct append a = { .durable = true, .now_ms = 1700000000000, .done = append_done };
	int64_t at = partition_log_start(p);

	for (int i = 0; i < 64 && at <= partition_log_end(p); i++) {
		struct partition_read r = { .offset = at, .max_bytes = 5000, .at_least_one = true,
			.done = read_done };

		if (!(over = partition_read(p, &r)))
			wait_for(store, store->mailbox);
		at = r.next_offset > at ? r.next_offset : at + 1;
		free(r.bytes);
	}
	for (int max = 0; max < 2; max++) {
		struct partition_lookup l = { .max_time = max == 1, .done = look_up_done };

		if (!(over = partition_look_up(p, &l)))
			wait_for(store, store->mailbox);
	}
	partition_check(p);
	/* The end of all offsets is nothing that a log gets to. */
	if (p->end > INT64_MAX / 2)
		return true;
	batch_begin(&b, 1700000000000);
	batch_add(&b, span_of("k", 1), span_of("v", 1));
	batch_finish(&b);
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	if (!(over = partition_append(p, &a)))
		wait_for(store, store->mailbox);
	must(a.error == STORE_OK);
	buf_done(&b.bytes);
	return true;
}

static void
on_visible(void *ctx, struct partition *p)
{
	(void)ctx;
	(void)p;
}

static void
on_failed(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
	must(false); /* the disk is sound */
}

static void
start(void)
{
	struct store_config c = { .dir = dir, .journal_bytes = 1 << 20, .journal_batch_bytes_max = 10000,
		.checkpoint_interval_ms = 60000, .checkpoint_bytes = 1 << 24, .open_files_max = 4, .producers_max = 100, .internal = config };
	struct store_hooks hooks = { NULL, on_visible, on_failed };
	struct mailbox *mailbox = mailbox_new();
	struct store *store;

	fake_disk_begin(1, 0);
	must(store_open(&store, &c, mailbox, &hooks, 1, 1700000000000) == 0);
	store_each_partition(store, use, store);
	store_close(store);
	mailbox_free(mailbox);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *segment, *journal;
	size_t n_segment, n_journal;
	unsigned how;

	if (n < 3)
		return 0;
	if (dir[0] == '\0')
		set_up();
	how = bytes[2];
	n_segment = load16(bytes);
	bytes += 3;
	n -= 3;
	if (n_segment > n)
		n_segment = n;
	fake_disk_reset(dir);
	fake_worker_seed(1);
	must(store_put_format(dir) == 0);
	forget_index();
	if (!(how & INDEX_LOST)) {
		start(); /* an index that knows nothing of what follows */
		remove_file("clean");
	}
	segment = xmemdup(bytes, n_segment);
	if (how & MENDED_SEGMENT)
		mend_segment(segment, n_segment);
	make_folder("logs");
	make_file(how & INTERNAL ? "logs/AAAAAAAAAAAAAAAAAAAAAg.0" : "logs/V0VJUldFSVIAAAAAAAAAAQ.1",
	    "00000000000000000000.0.log", segment, n_segment);
	journal = xmalloc(n - n_segment + PAGE + 20);
	n_journal = n - n_segment;
	if (how & MENDED_JOURNAL)
		n_journal = mend_journal(bytes + n_segment, n - n_segment, journal);
	else
		memcpy(journal, bytes + n_segment, n_journal);
	make_file("journal", "9.journal", journal, n_journal);
	start();
	start();
	free(segment);
	free(journal);
	return 0;
}
