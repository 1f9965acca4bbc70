/*
 * codec.h -- the compressions that record batches come in.
 *
 * The only user of the compression libraries.  Needed where a record inside a
 * compressed batch must be found, and where compaction takes some out; else batches
 * pass through as they came.
 */
#ifndef STORE_CODEC_H
#define STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

enum codec { CODEC_NONE, CODEC_GZIP, CODEC_SNAPPY, CODEC_LZ4, CODEC_ZSTD, CODECS };

enum inflated { INFLATED, INFLATED_DAMAGED, INFLATED_TOO_LARGE };

/*
 * Appends the decompressed bytes, if they are whole (or of an unknown codec:
 * damaged, as when there is no memory) and no more than `max`.  Snappy: raw, or in the block framing that Java
 * clients write (magic 0x82 "SNAPPY" 0).  Any thread.
 */
enum inflated codec_inflate(int codec, struct span from, size_t max, struct buf *to);

/*
 * Appends the bytes compressed, as all clients can read them: snappy in Java's block
 * framing, lz4 as a frame of independent blocks.  False: no memory, or a codec that
 * is unknown.  Any thread.
 */
bool codec_deflate(int codec, struct span from, struct buf *to);

#endif
