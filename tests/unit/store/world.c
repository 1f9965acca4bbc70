/* world.c -- a store on the faked disk, for tests. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "store/codec.h"
#include "unit/store/pack.h"

enum { ABANDONED = 256 };
static struct store *abandoned[ABANDONED];
static size_t n_abandoned;

static void
no_line(const char *line, size_t n)
{
	(void)line;
	(void)n;
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
	struct world *w = ctx;

	(void)why;
	w->failures++;
}

bool
world_open(struct world *w)
{
	struct store_hooks hooks = { w, on_visible, on_failed };

	w->mailbox = mailbox_new();
	if (store_open(&w->store, &w->config, w->mailbox, &hooks, w->now, w->now) == 0)
		return true;
	mailbox_free(w->mailbox);
	w->store = NULL;
	return false;
}

void
world_begin(struct world *w)
{
	const char *tmp = getenv("TMPDIR");

	*w = (struct world){ .now = WORLD_NOW };
	snprintf(w->dir, sizeof w->dir, "%.40s/store.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	CU_ASSERT_FATAL(mkdtemp(w->dir) != NULL);
	diag_set_sink(no_line);
	fake_disk_reset(w->dir);
	fake_worker_seed(1);
	w->partition = (struct partition_config){ .segment_bytes = 1 << 20, .segment_ms = INT64_MAX,
		.max_message_bytes = 1 << 20, .timestamp_before_max_ms = INT64_MAX,
		.timestamp_after_max_ms = INT64_MAX, .producer_expiry_ms = 1000 };
	w->config = (struct store_config){ .dir = w->dir, .journal_bytes = 4 << 20,
		.journal_batch_bytes_max = 10000, .checkpoint_interval_ms = 1000,
		.checkpoint_bytes = 1 << 24, .open_files_max = 4, .producers_max = 16, .internal = w->partition };
	CU_ASSERT_FATAL(world_open(w));
}

void
world_close(struct world *w)
{
	store_close(w->store);
	mailbox_free(w->mailbox);
	w->store = NULL;
}

void
world_end(struct world *w)
{
	static const char *const names[] = { "index/data.mdb", "index/lock.mdb", "index", "" };
	char path[128];

	if (w->store != NULL)
		world_close(w);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", w->dir, names[i]);
		remove(path);
	}
	fake_disk_reset(w->dir);
}

void
world_cut(struct world *w, bool power)
{
	/* LMDB must not be open twice in a process. */
	index_close(w->store->index);
	fake_worker_drop_all();
	if (power)
		fake_disk_power_cut(3);
	fake_disk_begin(1, 0);
	/* Nobody frees what a crash leaves behind; a leak checker is to see that we know of it. */
	must(n_abandoned < ABANDONED);
	abandoned[n_abandoned++] = w->store;
	w->store = NULL;
}

struct partition *
world_partition(struct world *w, int number)
{
	struct partition_id id = { { 7 }, number };

	return store_open_partition(w->store, &id, &w->partition);
}

void
world_settle(struct world *w)
{
	do
		store_flush(w->store);
	while (mailbox_run(w->mailbox) > 0);
}

void
world_batch(struct batch_builder *b, int n, size_t size, int64_t time, const struct producer_of_batch *producer)
{
	uint8_t *value = xcalloc(1, size);

	batch_begin(b, time);
	for (int i = 0; i < n; i++)
		batch_add(b, span_of("key", 3), span_of(value, size));
	batch_finish(b);
	free(value);
	if (producer == NULL)
		return;
	store64(b->bytes.p + 43, (uint64_t)producer->id);
	store16(b->bytes.p + 51, (uint16_t)producer->epoch);
	store32(b->bytes.p + 53, (uint32_t)producer->sequence);
	store32(b->bytes.p + 17, crc32c(0, b->bytes.p + 21, b->bytes.n - 21));
}

void
world_pack(struct batch_builder *b, int codec)
{
	struct buf packed = { 0 };

	buf_put(&packed, b->bytes.p, BATCH_HEADER);
	pack(codec, span_of(b->bytes.p + BATCH_HEADER, b->bytes.n - BATCH_HEADER), &packed);
	buf_done(&b->bytes);
	b->bytes = packed;
	store32(packed.p + 8, (uint32_t)packed.n - BATCH_OVERHEAD);
	packed.p[22] = (uint8_t)codec;
	store32(packed.p + 17, crc32c(0, packed.p + 21, packed.n - 21));
}

enum inflated __real_codec_inflate(int, struct span, size_t, struct buf *);
enum inflated __wrap_codec_inflate(int, struct span, size_t, struct buf *);

int world_inflations;

enum inflated
__wrap_codec_inflate(int codec, struct span from, size_t max, struct buf *to)
{
	world_inflations++;
	return __real_codec_inflate(codec, from, max, to);
}

static void
append_done(struct append *a)
{
	a->done = NULL;
}

bool
world_over(const struct append *a)
{
	return a->done == NULL;
}

static bool
append(struct world *w, struct partition *p, bool durable, struct batch_builder *b, struct append *a)
{
	*a = (struct append){ .bytes = b->bytes.p, .n = b->bytes.n, .durable = durable, .now_ms = w->now,
		.done = append_done };
	if (partition_append(p, a))
		a->done = NULL;
	buf_done(&b->bytes);
	return world_over(a);
}

bool
world_begin_append(struct world *w, struct partition *p, bool durable, int n, size_t size, struct append *a)
{
	struct batch_builder b;

	world_batch(&b, n, size, w->now, NULL);
	return append(w, p, durable, &b, a);
}

enum store_error
world_append(struct world *w, struct partition *p, bool durable, int n, size_t size,
    const struct producer_of_batch *producer, int64_t *base)
{
	struct batch_builder b;
	struct append a;

	world_batch(&b, n, size, w->now, producer);
	append(w, p, durable, &b, &a);
	while (!world_over(&a)) {
		store_flush(w->store);
		mailbox_wait(w->mailbox);
		mailbox_run(w->mailbox);
	}
	if (base != NULL)
		*base = a.base_offset;
	return a.error;
}

static void
read_done(struct partition_read *r)
{
	r->done = NULL;
}

enum store_error
world_read(struct world *w, struct partition *p, int64_t offset, size_t max_bytes, bool at_least_one,
    struct partition_read *r)
{
	*r = (struct partition_read){ .offset = offset, .max_bytes = max_bytes,
		.at_least_one = at_least_one, .done = read_done };
	if (!partition_read(p, r))
		while (r->done != NULL) {
			mailbox_wait(w->mailbox);
			mailbox_run(w->mailbox);
		}
	return r->error;
}

int
world_count(struct world *w, struct partition *p)
{
	int64_t at = partition_log_start(p);
	struct partition_read r;
	int n = 0;

	while (at < partition_high_watermark(p)) {
		if (world_read(w, p, at, 1, true, &r) != STORE_OK)
			return -1;
		at = r.next_offset;
		free(r.bytes);
		n++;
	}
	return n;
}

static void
look_up_done(struct partition_lookup *l)
{
	l->done = NULL;
}

enum store_error
world_look_up(struct world *w, struct partition *p, int64_t time, bool max, struct partition_lookup *l)
{
	*l = (struct partition_lookup){ .time = time, .max_time = max, .done = look_up_done };
	if (!partition_look_up(p, l))
		while (l->done != NULL) {
			mailbox_wait(w->mailbox);
			mailbox_run(w->mailbox);
		}
	return l->error;
}

static void
cut_done(struct partition_cut *c)
{
	c->done = NULL;
}

enum store_error
world_cut_front(struct world *w, struct partition *p, int64_t offset)
{
	struct partition_cut c = { .offset = offset, .done = cut_done };

	if (!partition_cut_front(p, &c))
		while (c.done != NULL) {
			store_flush(w->store);
			mailbox_wait(w->mailbox);
			mailbox_run(w->mailbox);
		}
	return c.error;
}
