/*
 * compact_fuzz.c -- any bytes as a closed segment that is to be compacted.
 *
 * The first byte says how: whether batches are made right first (offsets, checksums), so
 * that what is inside of them is looked at; whether a pass finds the segment clean; and
 * how long tombstones stay.  What comes of it must be whole: no gap, readable to its end,
 * nothing added, and compacting it again must find nothing to object to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "plat/file.h"
#include "store/compact.h"
#include "store/store_internal.h"

enum { MENDED = 1, CLEAN = 2, AT_ONCE = 4, SMALL_MAP = 8, ABORTED = 16, LAST = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char dir[] = "/compact_fuzz";
static struct store store = { .dir = dir };

static void
no_line(const char *line, size_t n)
{
	(void)line;
	(void)n;
}

/* Makes each batch one that goes on where the last ended; where the last one ends. */
static int64_t
mend(uint8_t *p, size_t n, size_t *whole)
{
	int64_t offset = 0;
	struct batch b;

	*whole = 0;
	while (n >= BATCH_HEADER && batch_header(&b, span_of(p, n)) && b.size <= n) {
		store32(p + 23, load32(p + 23) & 0xfff);
		batch_stamp(p, offset, 0);
		store32(p + 17, crc32c(0, p + 21, b.size - 21));
		offset += (load32(p + 23) & 0xfff) + 1;
		*whole += b.size;
		p += b.size;
		n -= b.size;
	}
	return offset;
}

static struct segment *
make_segment(struct partition *p, const uint8_t *bytes, size_t n, int64_t end)
{
	struct segment *s = segment_new(p, 0, 0);
	char path[256];
	int fd;

	segment_path(s, path, sizeof path);
	must((fd = file_open(path, FILE_CREATE)) != -1 && file_write(fd, bytes, n, 0) == 0);
	file_close(fd);
	s->size = (int64_t)n;
	s->end = end;
	return s;
}

/* Walks what was made: how many records it has, and whether there are markers. */
static int64_t
look(struct segment *s, bool *markers)
{
	struct segment probe = { .epoch = s->epoch };
	struct segment_walk w;
	int64_t records = 0;
	char path[256];

	segment_path(s, path, sizeof path);
	must((probe.fd = file_open(path, FILE_READ)) != -1);
	must(file_size(probe.fd) == s->size);
	segment_walk(&w, &probe, (struct place){ .offset = s->base }, s->size, false);
	while (segment_walk_next(&w) == WALK_BATCH) {
		struct record_walk walk;
		struct record r;

		/* A marker that has to stay is not looked into: it may be found broken later. */
		*markers = *markers || (w.batch.attributes & BATCH_CONTROL);
		if (w.batch.count == 0 || (w.batch.attributes & BATCH_CONTROL))
			continue;
		record_walk(&walk, &w.batch, w.bytes, BATCH_INFLATED_MAX);
		while (record_next(&walk, &r))
			records++;
		must(!walk.broken);
		record_done(&walk);
	}
	must(w.pos == s->size && w.offset == s->end && s->end == s->until);
	segment_walk_done(&w);
	file_close(probe.fd);
	return records;
}

/* One pass; the new segment, or NULL where it did not come to its end. */
static struct segment *
pass(struct partition *p, struct segment *s, unsigned how)
{
	struct compaction c = { .partition = p, .n = 1, .dirty = (how & CLEAN) != 0, .now_ms = 1700000000000,
		.delete_retention_ms = how & AT_ONCE ? 0 : 1000, .segment_bytes = 1 << 20,
		.map_bytes = how & SMALL_MAP ? 1000 : 1 << 20 };
	struct segment *out;

	c.inputs = xcalloc(1, sizeof *c.inputs);
	c.inputs[0] = (struct compact_input){ .segment = s, .base = s->base, .end = s->end, .size = s->size,
		.epoch = s->epoch, .generation = s->generation };
	if (how & ABORTED) {
		c.aborted = xcalloc(1, sizeof *c.aborted);
		c.aborted[c.n_aborted++] = (struct aborted){ 0, 0, s->end / 2 };
	}
	if (how & LAST) {
		c.last_batches = xcalloc(2, sizeof *c.last_batches);
		c.last_batches[c.n_last++] = s->end / 2;
		c.last_batches[c.n_last++] = 0;
	}
	compact_run(&c);
	must(c.n_outputs <= 1 && (c.outcome == COMPACT_DONE || c.outcome == COMPACT_DAMAGED || c.outcome == COMPACT_TOO_MANY));
	out = c.n_outputs == 1 ? c.outputs[0].segment : NULL;
	compact_done(&c);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct partition_id id = { { 1 }, 0 };
	struct segment *first, *second, *third;
	struct partition *p;
	int64_t end = 0;
	uint8_t *copy;
	char folder[256];
	unsigned how;

	if (n < 2)
		return 0;
	how = bytes[0];
	diag_set_sink(no_line);
	fake_disk_reset(dir);
	list_init(&store.upkeep_queue);
	list_init(&store.open_segments);
	p = partition_new(&store, &id);
	snprintf(folder, sizeof folder, "%s/logs", dir);
	must(file_mkdir(folder) == 0);
	partition_folder(p, folder, sizeof folder);
	must(file_mkdir(folder) == 0);
	copy = xmemdup(bytes + 1, n - 1);
	n--;
	if (how & MENDED)
		end = mend(copy, n, &n);
	else
		end = n < BATCH_HEADER ? 1 : (int64_t)(load32(copy + 23) & 0xffff) + 1;
	first = make_segment(p, copy, n, end);
	if (n > 0 && (second = pass(p, first, how)) != NULL) {
		bool markers = false;
		int64_t records = look(second, &markers);

		third = pass(p, second, how | CLEAN);
		must(third != NULL || markers);
		if (third != NULL) {
			must(look(third, &markers) <= records);
			segment_free(third);
		}
		segment_free(second);
	}
	segment_free(first);
	partition_free(p);
	free(copy);
	return 0;
}
