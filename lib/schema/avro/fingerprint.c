/* fingerprint.c -- short numbers that stand for what an Avro schema says to a parser. */
#include <md5.h>
#include <sha2.h>

#include "schema/avro/node.h"

/* Of no bytes; and the polynomial. */
#define RABIN_EMPTY UINT64_C(0xc15d213aa4d7a795)

/* CRC-64-AVRO of the bytes, lowest bit first. */
static uint64_t
rabin(struct span bytes)
{
	uint64_t fp = RABIN_EMPTY;

	for (size_t i = 0; i < bytes.n; i++) {
		fp ^= bytes.p[i];
		for (int bit = 0; bit < 8; bit++)
			fp = fp >> 1 ^ (RABIN_EMPTY & -(fp & 1));
	}
	return fp;
}

bool
avro_fingerprint_rabin(const struct avro_schema *s, uint64_t *out)
{
	struct buf text = { 0 };
	bool ok;

	avro_print_canonical(s, &text);
	if ((ok = !text.failed))
		*out = rabin(buf_bytes(&text));
	buf_done(&text);
	return ok;
}

bool
avro_fingerprint_md5(const struct avro_schema *s, uint8_t out[16])
{
	struct buf text = { 0 };
	MD5_CTX c;
	bool ok;

	avro_print_canonical(s, &text);
	if ((ok = !text.failed)) {
		MD5Init(&c);
		MD5Update(&c, text.p, text.n);
		MD5Final(out, &c);
	}
	buf_done(&text);
	return ok;
}

bool
avro_fingerprint_sha256(const struct avro_schema *s, uint8_t out[32])
{
	struct buf text = { 0 };
	SHA2_CTX c;
	bool ok;

	avro_print_canonical(s, &text);
	if ((ok = !text.failed)) {
		SHA256Init(&c);
		SHA256Update(&c, text.p, text.n);
		SHA256Final(out, &c);
	}
	buf_done(&text);
	return ok;
}
