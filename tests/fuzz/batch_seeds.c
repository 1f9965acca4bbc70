/*
 * batch_seeds.c -- a corpus for batch_fuzz.c: batches of every kind and codec,
 * and what each codec makes of some bytes.
 *
 *	batch_seeds DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "fuzz/seeds.h"
#include "store/batch.h"
#include "store/codec.h"
#include "unit/store/pack.h"

enum { INFLATE = 128, MENDED = 1, ALL_RULES = 15 };
enum { AT_LENGTH = 8, AT_ATTRIBUTES = 21, AT_PRODUCER = 43, PRODUCER_SIZE = 14 };

static const char *const codec_names[CODECS] = { "plain", "gzip", "snappy", "lz4", "zstd" };

/* A kind of batch, to be had in each codec. */
static const struct kind {
	const char *name;
	int records;
	size_t value;       /* bytes */
	uint16_t attributes;
	bool keyed, produced; /* with keys; by an idempotent producer */
} kinds[] = {
	{ "one", 1, 5, 0, true, false },
	{ "many", 40, 20, 0, true, false },
	{ "large", 2, 5000, 0, true, false },
	{ "keyless", 3, 5, 0, false, false },
	{ "tombstones", 3, 0, 0, true, false },
	{ "stamped", 2, 5, BATCH_LOG_APPEND_TIME, true, false },
	{ "idempotent", 3, 5, 0, true, true },
	{ "transactional", 3, 5, BATCH_TRANSACTIONAL, true, true },
	{ "control", 1, 6, BATCH_TRANSACTIONAL | BATCH_CONTROL, true, true },
};

/* A record with two headers, one of them null: what batch_add() never makes. */
static const uint8_t with_headers[] = { 2 * 15, 0, 0, 0, 2 * 1, 'k', 2 * 1, 'v', 2 * 2,
	2 * 1, 'a', 2 * 1, 'b', 2 * 1, 'c', 1 };

static void
fill_batch(struct batch_builder *b, const struct kind *k)
{
	static uint8_t value[8192];

	must(k->value <= sizeof value);
	batch_begin(b, 1700000000000); /* the fuzzer's now */
	for (int i = 0; i < k->records; i++)
		batch_add(b, k->keyed ? span_of("key", 3) : span_of(NULL, 0),
		    k->value == 0 ? span_of(NULL, 0) : span_of(value, k->value));
	batch_finish(b);
	must(!b->bytes.failed);
	store16(b->bytes.p + AT_ATTRIBUTES, k->attributes);
	if (k->produced)
		memset(b->bytes.p + AT_PRODUCER, 0, PRODUCER_SIZE);
}

/* The batch with its records packed.  The fuzzer makes the checksum. */
static void
write_batch(const char *dir, const struct kind *k, struct span header, struct span records, int codec, uint8_t rules)
{
	struct buf out = { 0 };
	char name[64];

	buf_u8(&out, rules);
	buf_u8(&out, MENDED);
	buf_span(&out, header);
	pack(codec, records, &out);
	must(!out.failed);
	store32(out.p + 2 + AT_LENGTH, (uint32_t)(out.n - 2 - BATCH_OVERHEAD));
	store16(out.p + 2 + AT_ATTRIBUTES, (uint16_t)(k->attributes | codec));
	snprintf(name, sizeof name, "%s-%s-%d", k->name, codec_names[codec], rules);
	seeds_write(dir, name, buf_bytes(&out));
	buf_done(&out);
}

static void
make_batches(const char *dir)
{
	static const struct kind headed = { "headers", 1, 1, 0, true, false };

	for (int codec = 0; codec < CODECS; codec++) {
		struct batch_builder b;

		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
			struct span header, records;

			fill_batch(&b, &kinds[i]);
			header = span_of(b.bytes.p, BATCH_HEADER);
			records = span_of(b.bytes.p + BATCH_HEADER, b.bytes.n - BATCH_HEADER);
			write_batch(dir, &kinds[i], header, records, codec, ALL_RULES);
			write_batch(dir, &kinds[i], header, records, codec, 0);
			buf_done(&b.bytes);
		}
		fill_batch(&b, &headed);
		write_batch(dir, &headed, span_of(b.bytes.p, BATCH_HEADER),
		    span_of(with_headers, sizeof with_headers), codec, ALL_RULES);
		buf_done(&b.bytes);
	}
}

/* The first byte's remainder by 6 is the codec. */
static void
write_packed(const char *dir, const char *name, int codec, struct span packed)
{
	struct buf out = { 0 };
	char path[64];

	buf_u8(&out, (uint8_t)(INFLATE + (codec + 6 - INFLATE % 6) % 6));
	buf_span(&out, packed);
	must(!out.failed);
	snprintf(path, sizeof path, "packed-%s-%s", codec_names[codec], name);
	seeds_write(dir, path, buf_bytes(&out));
	buf_done(&out);
}

static void
make_packed(const char *dir)
{
	/* The block framing that Java clients write Snappy in. */
	static const uint8_t java[] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1 };
	static uint8_t text[3000];
	struct buf framed = { 0 };

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * i >> 7);
	for (int codec = 0; codec < CODECS; codec++)
		for (size_t n = 30; n <= sizeof text; n *= 10) {
			struct buf packed = { 0 };
			char size[16];

			pack(codec, span_of(text, n), &packed);
			snprintf(size, sizeof size, "%zu", n);
			write_packed(dir, size, codec, buf_bytes(&packed));
			buf_done(&packed);
		}
	buf_put(&framed, java, sizeof java);
	for (int i = 0; i < 2; i++) {
		struct buf block = { 0 };

		pack(CODEC_SNAPPY, span_of(text, 300), &block);
		buf_u32(&framed, (uint32_t)block.n);
		buf_span(&framed, buf_bytes(&block));
		buf_done(&block);
	}
	write_packed(dir, "java", CODEC_SNAPPY, buf_bytes(&framed));
	buf_done(&framed);
}

int
main(int argc, char **argv)
{
	const char *dir = seeds_folder(argc, argv);

	make_batches(dir);
	make_packed(dir);
	return EXIT_SUCCESS;
}
