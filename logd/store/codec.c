/* codec.c -- the compressions that record batches come in. */
#include "store/codec.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 64 * 1024 };

/* How Java's clients frame blocks of snappy: magic, version, the oldest version that can read it. */
enum { FRAMING = 16, FRAMING_MAGIC = 8, FRAMING_BLOCK = 32 * 1024 };
static const uint8_t framing[FRAMING] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, [11] = 1, [15] = 1 };

/* Where the bytes go, and how many may still come. */
struct sink {
	struct buf *to;
	size_t left;
	bool full; /* more came */
};

/* Room for the next piece: STEP bytes, or as many as may come and one more; 0: no memory. */
static size_t
room(struct sink *s)
{
	size_t n = s->left < STEP ? s->left + 1 : STEP;

	return buf_room(s->to, n) == NULL ? 0 : n;
}

/* So many bytes lie in the room. */
static bool
take(struct sink *s, size_t n)
{
	s->full = n > s->left;
	if (s->full)
		return false;
	s->to->n += n;
	s->left -= n;
	return true;
}

static bool
inflate_gzip(struct span from, struct sink *s)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)from.p, .avail_in = (uInt)from.n };
	int r = Z_OK;

	/* 15 + 32: the largest window, zlib or gzip header as found */
	if (from.n > UINT32_MAX || inflateInit2(&z, 15 + 32) != Z_OK)
		return false;
	while (r == Z_OK) {
		size_t n = room(s);

		if (n == 0)
			break;
		z.next_out = s->to->p + s->to->n;
		z.avail_out = (uInt)n;
		r = inflate(&z, Z_NO_FLUSH);
		if (!take(s, n - z.avail_out) || (r == Z_OK && z.avail_out == n && z.avail_in == 0))
			r = Z_DATA_ERROR; /* too much, or it ends before its end */
	}
	inflateEnd(&z);
	return r == Z_STREAM_END && z.avail_in == 0;
}

static bool
snappy_block(struct span from, struct sink *s)
{
	size_t n;

	if (snappy_uncompressed_length((const char *)from.p, from.n, &n) != SNAPPY_OK)
		return false;
	s->full = n > s->left;
	return !s->full && buf_room(s->to, n + 1) != NULL && /* n may be 0 */
	    snappy_uncompress((const char *)from.p, from.n, (char *)s->to->p + s->to->n, &n) == SNAPPY_OK &&
	    take(s, n);
}

static bool
inflate_snappy(struct span from, struct sink *s)
{
	size_t at = FRAMING;

	if (from.n < FRAMING || memcmp(from.p, framing, FRAMING_MAGIC) != 0)
		return snappy_block(from, s);
	while (at < from.n) {
		size_t n;

		if (from.n - at < 4)
			return false;
		n = load32(from.p + at);
		at += 4;
		if (n > from.n - at || !snappy_block(span_of(from.p + at, n), s))
			return false;
		at += n;
	}
	return true;
}

static bool
inflate_lz4(struct span from, struct sink *s)
{
	LZ4F_dctx *ctx;
	size_t at = 0, hint = 1;
	bool ok = true;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return false;
	while (ok && hint != 0) {
		size_t out = room(s), in = from.n - at;

		if (out == 0)
			break;
		hint = LZ4F_decompress(ctx, s->to->p + s->to->n, &out, from.p + at, &in, NULL);
		ok = !LZ4F_isError(hint) && (in > 0 || out > 0 || hint == 0) && take(s, out);
		at += in;
	}
	LZ4F_freeDecompressionContext(ctx);
	return ok && hint == 0 && at == from.n;
}

static bool
inflate_zstd(struct span from, struct sink *s)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { from.p, from.n, 0 };
	size_t hint = 1;
	bool ok = z != NULL;

	while (ok && hint != 0) {
		size_t n = room(s), before = in.pos;
		ZSTD_outBuffer out = { NULL, n, 0 };

		if (n == 0)
			break;
		out.dst = s->to->p + s->to->n;
		hint = ZSTD_decompressStream(z, &out, &in);
		ok = !ZSTD_isError(hint) && (in.pos > before || out.pos > 0 || hint == 0) && take(s, out.pos);
	}
	ZSTD_freeDStream(z);
	return ok && hint == 0 && in.pos == from.n;
}

static bool
inflate_none(struct span from, struct sink *s)
{
	s->full = from.n > s->left;
	if (s->full)
		return false;
	buf_span(s->to, from);
	return true;
}

enum inflated
codec_inflate(int codec, struct span from, size_t max, struct buf *to)
{
	static bool (*const inflaters[CODECS])(struct span, struct sink *) = {
		[CODEC_NONE] = inflate_none,
		[CODEC_GZIP] = inflate_gzip,
		[CODEC_SNAPPY] = inflate_snappy,
		[CODEC_LZ4] = inflate_lz4,
		[CODEC_ZSTD] = inflate_zstd,
	};
	struct sink s = { to, max, false };

	if (codec < 0 || codec >= CODECS)
		return INFLATED_DAMAGED;
	if (inflaters[codec](from, &s) && !to->failed)
		return INFLATED;
	return s.full ? INFLATED_TOO_LARGE : INFLATED_DAMAGED;
}

/* ---- the other way ---- */

static bool
deflate_none(struct span from, struct buf *to)
{
	buf_span(to, from);
	return true;
}

static bool
deflate_gzip(struct span from, struct buf *to)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)from.p, .avail_in = (uInt)from.n };
	bool ok = false;
	uLong bound;

	/* 15 + 16: the largest window, a gzip header */
	if (from.n > UINT32_MAX ||
	    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&z, (uLong)from.n);
	if (bound <= UINT32_MAX && (z.next_out = buf_room(to, bound)) != NULL) {
		z.avail_out = (uInt)bound;
		ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
		to->n += bound - z.avail_out;
	}
	deflateEnd(&z);
	return ok;
}

static bool
deflate_snappy(struct span from, struct buf *to)
{
	buf_put(to, framing, sizeof framing);
	for (size_t at = 0, n; at < from.n; at += n) {
		size_t size;
		uint8_t *p;

		n = from.n - at < FRAMING_BLOCK ? from.n - at : FRAMING_BLOCK;
		size = snappy_max_compressed_length(n);
		if ((p = buf_room(to, 4 + size)) == NULL ||
		    snappy_compress((const char *)from.p + at, n, (char *)p + 4, &size) != SNAPPY_OK)
			return false;
		store32(p, (uint32_t)size);
		to->n += 4 + size;
	}
	return true;
}

static bool
deflate_lz4(struct span from, struct buf *to)
{
	const LZ4F_preferences_t how = { .frameInfo = { .blockSizeID = LZ4F_max64KB,
	    .blockMode = LZ4F_blockIndependent } };
	size_t n = LZ4F_compressFrameBound(from.n, &how);
	uint8_t *p = buf_room(to, n);

	if (p == NULL || LZ4F_isError(n = LZ4F_compressFrame(p, n, from.p, from.n, &how)))
		return false;
	to->n += n;
	return true;
}

static bool
deflate_zstd(struct span from, struct buf *to)
{
	size_t n = ZSTD_compressBound(from.n);
	uint8_t *p = buf_room(to, n);

	if (p == NULL || ZSTD_isError(n = ZSTD_compress(p, n, from.p, from.n, ZSTD_CLEVEL_DEFAULT)))
		return false;
	to->n += n;
	return true;
}

bool
codec_deflate(int codec, struct span from, struct buf *to)
{
	static bool (*const deflaters[CODECS])(struct span, struct buf *) = {
		[CODEC_NONE] = deflate_none,
		[CODEC_GZIP] = deflate_gzip,
		[CODEC_SNAPPY] = deflate_snappy,
		[CODEC_LZ4] = deflate_lz4,
		[CODEC_ZSTD] = deflate_zstd,
	};

	return codec >= 0 && codec < CODECS && deflaters[codec](from, to) && !to->failed;
}
