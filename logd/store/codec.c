/* codec.c -- the compressions that record batches come in. */
#include "store/codec.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 64 * 1024 };

/* Room for the next piece: STEP bytes, less at the limit; 0 when it is reached. */
static size_t
room(struct buf *to, size_t start, size_t max)
{
	size_t used = to->n - start, n = max - used < STEP ? max - used : STEP;

	return n == 0 || buf_room(to, n) == NULL ? 0 : n;
}

static bool
inflate_gzip(struct span from, size_t max, struct buf *to)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)from.p, .avail_in = (uInt)from.n };
	size_t start = to->n;
	int r = Z_OK;

	/* 15 + 32: the largest window, zlib or gzip header as found */
	if (from.n > UINT32_MAX || inflateInit2(&z, 15 + 32) != Z_OK)
		return false;
	while (r == Z_OK) {
		size_t n = room(to, start, max);

		if (n == 0)
			break;
		z.next_out = to->p + to->n;
		z.avail_out = (uInt)n;
		r = inflate(&z, Z_NO_FLUSH);
		to->n += n - z.avail_out;
		if (r == Z_OK && z.avail_out == n && z.avail_in == 0)
			break; /* it ends before its end */
	}
	inflateEnd(&z);
	return r == Z_STREAM_END;
}

static bool
snappy_block(struct span from, size_t start, size_t max, struct buf *to)
{
	size_t n;

	if (snappy_uncompressed_length((const char *)from.p, from.n, &n) != SNAPPY_OK ||
	    n > max - (to->n - start) || buf_room(to, n + 1) == NULL || /* n may be 0 */
	    snappy_uncompress((const char *)from.p, from.n, (char *)to->p + to->n, &n) != SNAPPY_OK)
		return false;
	to->n += n;
	return true;
}

static bool
inflate_snappy(struct span from, size_t max, struct buf *to)
{
	static const uint8_t magic[8] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };
	enum { FRAMING = 16 }; /* magic, version, oldest version that can read it */
	size_t start = to->n, at = FRAMING;

	if (from.n < FRAMING || memcmp(from.p, magic, sizeof magic) != 0)
		return snappy_block(from, start, max, to);
	while (at < from.n) {
		size_t n;

		if (from.n - at < 4)
			return false;
		n = load32(from.p + at);
		at += 4;
		if (n > from.n - at || !snappy_block(span_of(from.p + at, n), start, max, to))
			return false;
		at += n;
	}
	return true;
}

static bool
inflate_lz4(struct span from, size_t max, struct buf *to)
{
	LZ4F_dctx *ctx;
	size_t start = to->n, at = 0, hint = 1;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return false;
	while (hint != 0) {
		size_t out = room(to, start, max), in = from.n - at;

		if (out == 0)
			break;
		hint = LZ4F_decompress(ctx, to->p + to->n, &out, from.p + at, &in, NULL);
		if (LZ4F_isError(hint) || (in == 0 && out == 0 && hint != 0))
			break;
		at += in;
		to->n += out;
	}
	LZ4F_freeDecompressionContext(ctx);
	return hint == 0;
}

static bool
inflate_zstd(struct span from, size_t max, struct buf *to)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { from.p, from.n, 0 };
	size_t start = to->n, hint = 1;

	if (z == NULL)
		return false;
	while (hint != 0) {
		size_t n = room(to, start, max), before = in.pos;
		ZSTD_outBuffer out = { NULL, n, 0 };

		if (n == 0)
			break;
		out.dst = to->p + to->n;
		hint = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(hint) || (in.pos == before && out.pos == 0 && hint != 0))
			break;
		to->n += out.pos;
	}
	ZSTD_freeDStream(z);
	return hint == 0;
}

static bool
inflate_none(struct span from, size_t max, struct buf *to)
{
	if (from.n > max)
		return false;
	buf_span(to, from);
	return true;
}

bool
codec_inflate(int codec, struct span from, size_t max, struct buf *to)
{
	static bool (*const inflaters[CODECS])(struct span, size_t, struct buf *) = {
		[CODEC_NONE] = inflate_none,
		[CODEC_GZIP] = inflate_gzip,
		[CODEC_SNAPPY] = inflate_snappy,
		[CODEC_LZ4] = inflate_lz4,
		[CODEC_ZSTD] = inflate_zstd,
	};

	if (codec < 0 || codec >= CODECS)
		return false;
	return inflaters[codec](from, max, to) && !to->failed;
}
