/* batch_fuzz.c -- batches, their records and their compressions from any bytes. */
#include "base/crc32c.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "store/batch.h"
#include "store/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
walk(struct span s)
{
	struct record_walk w;
	struct record r;
	struct batch b;
	int32_t n = 0;

	if (!batch_header(&b, s) || b.size > s.n)
		return;
	batch_crc_ok(&b, s.p);
	b.base_offset &= INT64_MAX >> 1; /* where the log's end forbids an overflow */
	record_walk(&w, &b, s.p, 1 << 20);
	for (; record_next(&w, &r); n++)
		must(r.key.n + r.value.n + r.headers.n <= s.n + w.inflated.n);
	must(w.broken || n == b.count || b.count < 0);
	record_done(&w);
}

static void
check(struct span s, unsigned how)
{
	struct batch_rules rules = { .max_bytes = 1 << 20, .segment_bytes = 1 << 20, .keyed = how & 1,
		.zstd_allowed = how & 2, .inflated_max = 1 << 20, .log_append_time = how & 4, .now_ms = 1700000000000,
		.before_max_ms = how & 8 ? INT64_MAX : 1000, .after_max_ms = how & 8 ? INT64_MAX : 1000 };
	uint8_t *copy = xmemdup(s.p, s.n);
	struct batch b;
	int32_t bad;

	if (batch_check(span_of(copy, s.n), &rules, &b, &bad) == STORE_OK) {
		must(b.size <= s.n && b.count > 0 && bad == -1);
		batch_stamp(copy, 5, 3);
		batch_stamp_max_time(copy, b.size, b.max_timestamp);
		must(batch_max_time(copy) == b.max_timestamp);
		batch_stamp_time(copy, b.size, 1700000000000);
		must(batch_header(&b, span_of(copy, s.n)) && batch_crc_ok(&b, copy) && b.base_offset == 5 &&
		    b.leader_epoch == 3);
	}
	free(copy);
}

/* The first byte chooses; the second puts a right checksum over what follows. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct buf out = { 0 };
	struct batch b;
	uint8_t *copy;

	if (n < 2)
		return 0;
	if (bytes[0] & 128) {
		bool ok = codec_inflate(bytes[0] % 6, span_of(bytes + 1, n - 1), 1 << 20, &out) == INFLATED;

		must(!ok || out.n <= 1 << 20);
		buf_done(&out);
		return 0;
	}
	copy = xmemdup(bytes + 2, n - 2);
	if ((bytes[1] & 1) && batch_header(&b, span_of(copy, n - 2)) && b.size <= n - 2)
		store32(copy + 17, crc32c(0, copy + 21, b.size - 21));
	walk(span_of(copy, n - 2));
	check(span_of(copy, n - 2), bytes[0]);
	free(copy);
	return 0;
}
