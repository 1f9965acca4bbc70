/* pack.c -- compressing as producers do. */
#include "unit/store/pack.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/codec.h"

enum { OVERHEAD = 1000 }; /* beyond twice the size: more than any codec takes */

static size_t
gzip(struct span from, uint8_t *to, size_t room)
{
	z_stream z = { 0 };

	must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)from.p;
	z.avail_in = (uInt)from.n;
	z.next_out = to;
	z.avail_out = (uInt)room;
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

void
pack(int codec, struct span from, struct buf *to)
{
	size_t room = from.n * 2 + OVERHEAD, n = room;
	uint8_t *packed = xmalloc(room);

	switch (codec) {
	case CODEC_GZIP:
		n = gzip(from, packed, room);
		break;
	case CODEC_SNAPPY:
		must(snappy_compress((const char *)from.p, from.n, (char *)packed, &n) == SNAPPY_OK);
		break;
	case CODEC_LZ4:
		n = LZ4F_compressFrame(packed, room, from.p, from.n, NULL);
		must(!LZ4F_isError(n));
		break;
	case CODEC_ZSTD:
		n = ZSTD_compress(packed, room, from.p, from.n, 1);
		must(!ZSTD_isError(n));
		break;
	default:
		n = from.n;
		memcpy(packed, from.p, n);
	}
	buf_put(to, packed, n);
	must(!to->failed);
	free(packed);
}
