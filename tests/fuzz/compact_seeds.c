/*
 * compact_seeds.c -- a corpus for compact_fuzz.c: segments with keys that come again.
 *
 *	compact_seeds DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "fuzz/seeds.h"
#include "store/batch.h"
#include "store/codec.h"

enum { MENDED = 1, BATCHES = 4, RECORDS = 3, AT_ATTRIBUTES = 21, AT_PRODUCER = 43, PRODUCER_SIZE = 14 };

/* The attributes of its batches, in turn. */
static const struct segment_seed {
	const char *name;
	uint8_t how;
	uint16_t attributes[BATCHES];
} segments[] = {
	{ "plain", 0, { 0 } },
	{ "tombstones-at-once", 4, { 0 } },
	{ "clean", 2, { 0 } },
	{ "small-map", 8, { 0 } },
	{ "horizon", 4, { BATCH_DELETE_HORIZON, BATCH_DELETE_HORIZON } },
	{ "append-time", 0, { BATCH_LOG_APPEND_TIME, 0, BATCH_LOG_APPEND_TIME } },
	{ "committed", 4, { BATCH_TRANSACTIONAL, BATCH_TRANSACTIONAL | BATCH_CONTROL } },
	{ "aborted", 16, { BATCH_TRANSACTIONAL, BATCH_TRANSACTIONAL | BATCH_CONTROL, BATCH_TRANSACTIONAL,
	    BATCH_TRANSACTIONAL | BATCH_CONTROL } },
	{ "last", 32, { BATCH_TRANSACTIONAL, 0, BATCH_TRANSACTIONAL } },
};

static void
put_batch(struct buf *to, int number, uint16_t attributes, int codec)
{
	struct batch_builder b;
	size_t at = to->n;

	batch_begin(&b, 1700000000000 - number);
	for (int i = 0; i < RECORDS; i++) {
		char key[2] = { 'k', (char)('0' + (number + i) % RECORDS) };

		batch_add(&b, span_of(key, sizeof key), i == number ? span_of(NULL, 0) : span_of("value", 5));
	}
	batch_finish(&b);
	must(!b.bytes.failed);
	buf_put(to, b.bytes.p, BATCH_HEADER);
	must(codec_deflate(codec, span_of(b.bytes.p + BATCH_HEADER, b.bytes.n - BATCH_HEADER), to));
	buf_done(&b.bytes);
	/* The fuzzer makes the offsets and the checksum right. */
	store32(to->p + at + 8, (uint32_t)(to->n - at - BATCH_OVERHEAD));
	store16(to->p + at + AT_ATTRIBUTES, (uint16_t)(attributes | codec));
	if (attributes & BATCH_TRANSACTIONAL)
		memset(to->p + at + AT_PRODUCER, 0, PRODUCER_SIZE);
}

int
main(int argc, char **argv)
{
	const char *dir = seeds_folder(argc, argv);

	for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
		for (int codec = 0; codec < CODECS; codec++) {
			struct buf out = { 0 };
			char name[64];

			buf_u8(&out, segments[i].how | MENDED);
			for (int n = 0; n < BATCHES; n++)
				put_batch(&out, n, segments[i].attributes[n], n % 2 == 0 ? codec : CODEC_NONE);
			must(!out.failed);
			snprintf(name, sizeof name, "%s-%d", segments[i].name, codec);
			seeds_write(dir, name, buf_bytes(&out));
			buf_done(&out);
		}
	return EXIT_SUCCESS;
}
