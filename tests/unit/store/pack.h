/* pack.h -- compressing as producers do; the daemon itself only ever decompresses. */
#ifndef UNIT_STORE_PACK_H
#define UNIT_STORE_PACK_H

#include "base/buf.h"
#include "base/bytes.h"

/* Appends the bytes as the codec (enum codec) has them.  Snappy: raw. */
void pack(int codec, struct span from, struct buf *to);

#endif
