/*
 * crc32c.h -- CRC-32C (Castagnoli), as record batches and our files bear it.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of what `crc` covers followed by these bytes; 0 to begin.
 * Uses the processor's instruction where there is one.  Any thread.
 */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* The same in plain C, for processors without the instruction, and as its oracle. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#endif
