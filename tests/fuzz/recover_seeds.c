/*
 * recover_seeds.c -- a corpus for recover_fuzz.c: segments and journals as
 * crashes leave them.
 *
 *	recover_seeds DIRECTORY
 */
#include <stdlib.h>

#include "base/must.h"
#include "fuzz/seeds.h"
#include "store/batch.h"
#include "store/journal.h"

/* What the fuzzer makes right, and does; see there. */
enum { SEGMENT = 1, JOURNAL = 2, INTERNAL = 4, NO_INDEX = 8 };
enum { RECORDS = 2, AT_PRODUCER = 43, PRODUCER_SIZE = 14 };

/* An entry of the journal; the batch of a BATCH is the next one of the log. */
struct entry {
	enum journal_kind kind;
	int64_t offset;
	int batches;      /* so many batches lie before it in the segment */
};

/* What lies there: batches in the segment, bytes cut off its end, entries. */
static const struct crash {
	const char *name;
	uint8_t how;
	int batches;
	size_t cut;
	bool produced;    /* by an idempotent producer */
	int n;
	struct entry entries[4];
} crashes[] = {
	{ "segment", SEGMENT | JOURNAL, 3, 0, false, 0, { { 0 } } },
	{ "segment-alone", SEGMENT | NO_INDEX, 3, 0, false, 0, { { 0 } } },
	{ "torn", SEGMENT | JOURNAL, 3, 20, false, 0, { { 0 } } },
	{ "idempotent", SEGMENT | JOURNAL | NO_INDEX, 2, 0, true, 0, { { 0 } } },
	{ "journal", JOURNAL, 0, 0, false, 2, { { JOURNAL_BATCH, 0, 0 }, { JOURNAL_BATCH, 2, 1 } } },
	{ "journal-goes-on", SEGMENT | JOURNAL, 2, 0, false, 2, { { JOURNAL_BATCH, 4, 2 }, { JOURNAL_BATCH, 6, 3 } } },
	{ "journal-mends", SEGMENT | JOURNAL, 2, 30, false, 2, { { JOURNAL_BATCH, 2, 1 }, { JOURNAL_BATCH, 4, 2 } } },
	{ "journal-repeats", SEGMENT | JOURNAL, 2, 0, false, 2, { { JOURNAL_BATCH, 0, 0 }, { JOURNAL_BATCH, 2, 1 } } },
	{ "journal-skips", SEGMENT | JOURNAL, 1, 0, false, 1, { { JOURNAL_BATCH, 6, 3 } } },
	{ "reserved", SEGMENT | JOURNAL, 1, 0, false, 1, { { JOURNAL_RESERVE, 1000, 0 } } },
	{ "reserved-then-written", SEGMENT | JOURNAL, 1, 10, false, 3,
	    { { JOURNAL_RESERVE, 100, 0 }, { JOURNAL_BATCH, 0, 0 }, { JOURNAL_SYNCED, 2, 1 } } },
	{ "synced", SEGMENT | JOURNAL, 2, 0, false, 1, { { JOURNAL_SYNCED, 4, 2 } } },
	{ "synced-to-be-damaged", JOURNAL, 2, 0, false, 1, { { JOURNAL_SYNCED, 4, 2 } } },
	{ "synced-and-lost", SEGMENT | JOURNAL, 2, 40, false, 1, { { JOURNAL_SYNCED, 4, 2 } } },
	{ "state", SEGMENT | JOURNAL | INTERNAL, 3, 0, false, 0, { { 0 } } },
	{ "state-torn", SEGMENT | JOURNAL | INTERNAL | NO_INDEX, 3, 20, false, 0, { { 0 } } },
	{ "rubbish", 0, 1, 5, false, 1, { { JOURNAL_RESERVE, 9, 0 } } },
};

static void
put_batch(struct buf *to, int64_t offset, bool produced)
{
	struct batch_builder b;

	batch_begin(&b, 1700000000000);
	for (int i = 0; i < RECORDS; i++)
		batch_add(&b, span_of(i == 0 ? "key" : "other", i == 0 ? 3 : 5), span_of("value", 5));
	batch_finish(&b);
	must(!b.bytes.failed);
	batch_stamp(b.bytes.p, offset, 0);
	if (produced) {
		memset(b.bytes.p + AT_PRODUCER, 0, PRODUCER_SIZE);
		store32(b.bytes.p + AT_PRODUCER + 10, (uint32_t)offset);
	}
	buf_span(to, buf_bytes(&b.bytes));
	buf_done(&b.bytes);
}

/* As docs/storage-format.md has it. */
static void
put_entry(struct buf *to, const struct crash *c, const struct entry *e)
{
	static const uint8_t topic[16] = { 'W', 'E', 'I', 'R', 'W', 'E', 'I', 'R', [15] = 1 };
	static const uint8_t state[16] = { [15] = 2 };
	struct buf batch = { 0 };
	size_t size;

	put_batch(&batch, e->offset, c->produced);
	size = batch.n;
	if (e->kind != JOURNAL_BATCH)
		buf_reset(&batch);
	buf_u32(to, (uint32_t)e->kind << 24);
	buf_u32(to, (uint32_t)(56 + batch.n));
	buf_put(to, c->how & INTERNAL ? state : topic, sizeof topic);
	buf_u32(to, c->how & INTERNAL ? 0 : 1); /* partition */
	buf_u64(to, 0);                         /* the segment's base offset and epoch */
	buf_u32(to, 0);
	buf_u64(to, (uint64_t)e->batches * size);
	buf_u64(to, (uint64_t)e->offset);
	buf_span(to, buf_bytes(&batch));
	buf_done(&batch);
}

static void
make_crash(const char *dir, const struct crash *c)
{
	struct buf segment = { 0 }, out = { 0 };

	for (int i = 0; i < c->batches; i++)
		put_batch(&segment, (int64_t)i * RECORDS, c->produced);
	segment.n -= c->cut;
	buf_u16(&out, (uint16_t)segment.n);
	buf_u8(&out, c->how);
	buf_span(&out, buf_bytes(&segment));
	for (int i = 0; i < c->n; i++)
		put_entry(&out, c, &c->entries[i]);
	must(!out.failed);
	seeds_write(dir, c->name, buf_bytes(&out));
	buf_done(&segment);
	buf_done(&out);
}

int
main(int argc, char **argv)
{
	const char *dir = seeds_folder(argc, argv);

	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		make_crash(dir, &crashes[i]);
	return EXIT_SUCCESS;
}
