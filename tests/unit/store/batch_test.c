/* batch_test.c -- what batch.c reads, refuses and builds. */
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/xalloc.h"
#include "store/codec.h"
#include "world.h"

static const struct batch_rules easy = { .max_bytes = 1000, .segment_bytes = 1000, .zstd_allowed = true,
	.inflated_max = 1 << 20,
	.now_ms = WORLD_NOW, .before_max_ms = 1000, .after_max_ms = 1000 };

static struct batch_builder
one(void)
{
	struct batch_builder b;

	world_batch(&b, 3, 10, WORLD_NOW, NULL);
	return b;
}

static void
mend(struct batch_builder *b)
{
	store32(b->bytes.p + 17, crc32c(0, b->bytes.p + 21, b->bytes.n - 21));
}

static enum store_error
check(struct batch_builder *b, const struct batch_rules *rules)
{
	struct batch out;
	int32_t bad;
	enum store_error error = batch_check(buf_bytes(&b->bytes), rules, &out, &bad);

	buf_done(&b->bytes);
	return error;
}

static void
a_built_batch_is_taken_and_walked(void)
{
	struct batch_builder b = one();
	struct record_walk w;
	struct record r;
	struct batch h;
	int n = 0;

	CU_ASSERT_FATAL(batch_header(&h, buf_bytes(&b.bytes)));
	CU_ASSERT(h.count == 3 && h.last_offset_delta == 2 && h.size == b.bytes.n && h.producer_id == -1);
	CU_ASSERT(batch_crc_ok(&h, b.bytes.p));
	record_walk(&w, &h, b.bytes.p, BATCH_INFLATED_MAX);
	for (; record_next(&w, &r); n++)
		CU_ASSERT(r.offset == n && r.timestamp == WORLD_NOW && span_is(r.key, "key") && r.value.n == 10);
	CU_ASSERT(n == 3 && !w.broken);
	record_done(&w);
	CU_ASSERT(check(&b, &easy) == STORE_OK);
}

/* One change of a header field, and the answer to it. */
static void
changed_field_is_refused(size_t at, uint8_t value, enum store_error expected)
{
	struct batch_builder b = one();

	b.bytes.p[at] = value;
	if (at >= 21)
		mend(&b);
	CU_ASSERT_EQUAL(check(&b, &easy), expected);
}

static void
changed_headers_are_refused(void)
{
	changed_field_is_refused(16, 1, STORE_INVALID_RECORD);   /* magic */
	changed_field_is_refused(16, 3, STORE_INVALID_RECORD);
	changed_field_is_refused(10, 0x7f, STORE_CORRUPT_MESSAGE); /* length beyond what was sent */
	changed_field_is_refused(11, 1, STORE_CORRUPT_MESSAGE);  /* length below a header's */
	changed_field_is_refused(17, 0x55, STORE_CORRUPT_MESSAGE); /* checksum */
	changed_field_is_refused(7, 1, STORE_INVALID_RECORD);    /* base offset */
	changed_field_is_refused(26, 7, STORE_INVALID_RECORD);   /* last offset delta */
	changed_field_is_refused(60, 7, STORE_INVALID_RECORD);   /* count */
	changed_field_is_refused(57, 0xff, STORE_INVALID_RECORD);
	changed_field_is_refused(22, BATCH_CONTROL, STORE_INVALID_RECORD);
	changed_field_is_refused(22, BATCH_LOG_APPEND_TIME, STORE_INVALID_TIMESTAMP);
	changed_field_is_refused(22, 5, STORE_UNSUPPORTED_CODEC);
	changed_field_is_refused(43, 0, STORE_INVALID_RECORD);   /* a producer id without a sequence */
}

static void
sizes_are_limited(void)
{
	struct batch_rules rules = easy;
	struct batch_builder b = one();

	rules.max_bytes = (int32_t)b.bytes.n - 1;
	CU_ASSERT(check(&b, &rules) == STORE_MESSAGE_TOO_LARGE);
	b = one();
	rules = easy;
	rules.segment_bytes = (int32_t)b.bytes.n - 1;
	CU_ASSERT(check(&b, &rules) == STORE_RECORD_LIST_TOO_LARGE);
}

static void
a_second_batch_is_refused_and_a_rest_is_not(void)
{
	struct batch_builder b = one(), second = one();

	buf_put(&b.bytes, second.bytes.p, 60);
	CU_ASSERT(check(&b, &easy) == STORE_OK);
	b = one();
	buf_span(&b.bytes, buf_bytes(&second.bytes));
	CU_ASSERT(check(&b, &easy) == STORE_INVALID_RECORD);
	buf_done(&second.bytes);
}

static void
keys_are_demanded_where_it_is_compacted(void)
{
	struct batch_rules rules = easy;
	struct batch_builder b;
	struct batch out;
	int32_t bad;

	rules.keyed = true;
	batch_begin(&b, WORLD_NOW);
	batch_add(&b, span_of("k", 1), span_of(NULL, 0));
	batch_add(&b, span_of(NULL, 0), span_of("v", 1));
	batch_finish(&b);
	CU_ASSERT(batch_check(buf_bytes(&b.bytes), &rules, &out, &bad) == STORE_NO_KEY && bad == 1);
	CU_ASSERT(check(&b, &easy) == STORE_OK);
}

static void
times_are_bounded(void)
{
	struct batch_builder b;

	world_batch(&b, 1, 1, WORLD_NOW + 1001, NULL);
	CU_ASSERT(check(&b, &easy) == STORE_INVALID_TIMESTAMP);
	world_batch(&b, 1, 1, WORLD_NOW - 1001, NULL);
	CU_ASSERT(check(&b, &easy) == STORE_INVALID_TIMESTAMP);
	world_batch(&b, 1, 1, WORLD_NOW + 1000, NULL);
	CU_ASSERT(check(&b, &easy) == STORE_OK);
}

static void
damaged_records_are_refused_at_every_byte(void)
{
	struct batch_builder b = one();
	size_t n = b.bytes.n;
	int refused = 0;

	buf_done(&b.bytes);
	for (size_t at = BATCH_HEADER; at < n; at++) {
		b = one();
		b.bytes.p[at] ^= 0x40;
		mend(&b);
		refused += check(&b, &easy) != STORE_OK;
	}
	/* Bytes of keys and values are the producer's; lengths and deltas are not. */
	CU_ASSERT(refused >= 3 * 5);
}

static void
log_append_time_is_stamped(void)
{
	struct batch_builder b = one();
	struct record_walk w;
	struct record r;
	struct batch h;

	batch_stamp(b.bytes.p, 1000, 9);
	batch_stamp_time(b.bytes.p, b.bytes.n, 77);
	CU_ASSERT_FATAL(batch_header(&h, buf_bytes(&b.bytes)));
	CU_ASSERT(h.base_offset == 1000 && h.leader_epoch == 9 && h.max_timestamp == 77);
	CU_ASSERT(batch_crc_ok(&h, b.bytes.p));
	record_walk(&w, &h, b.bytes.p, BATCH_INFLATED_MAX);
	CU_ASSERT(record_next(&w, &r) && r.timestamp == 77 && r.offset == 1000);
	record_done(&w);
	buf_done(&b.bytes);
}

static void
compressed_records_are_looked_into(void)
{
	for (int codec = 1; codec < CODECS; codec++) {
		struct batch_rules rules = easy;
		struct batch_builder b = one();
		struct batch out;
		int32_t bad;

		world_pack(&b, codec);
		CU_ASSERT(batch_check(buf_bytes(&b.bytes), &easy, &out, &bad) == STORE_OK && bad == -1);
		rules.inflated_max = 20;
		CU_ASSERT(batch_check(buf_bytes(&b.bytes), &rules, &out, &bad) == STORE_MESSAGE_TOO_LARGE);
		store32(b.bytes.p + 57, 4); /* one record more than there are */
		store32(b.bytes.p + 23, 3);
		mend(&b);
		CU_ASSERT(batch_check(buf_bytes(&b.bytes), &easy, &out, &bad) == STORE_INVALID_RECORD && bad == 3);
		store32(b.bytes.p + 57, 2);
		store32(b.bytes.p + 23, 1);
		mend(&b);
		CU_ASSERT(check(&b, &easy) == STORE_INVALID_RECORD);
	}
}

/* Whole, and no more than whole: what follows it, a consumer would stumble over. */
static void
what_can_not_be_inflated_is_refused(void)
{
	for (int codec = 1; codec < CODECS; codec++) {
		for (int cut = 0; cut < 3; cut++) {
			struct batch_builder b = one();

			world_pack(&b, codec);
			if (cut == 0)
				memset(b.bytes.p + BATCH_HEADER, 'x', b.bytes.n - BATCH_HEADER);
			else if (cut == 1)
				b.bytes.n--;
			else
				buf_u8(&b.bytes, 0);
			store32(b.bytes.p + 8, (uint32_t)b.bytes.n - BATCH_OVERHEAD);
			mend(&b);
			CU_ASSERT(check(&b, &easy) == STORE_INVALID_RECORD);
		}
	}
}

static void
damaged_records_inside_are_refused_at_every_byte(void)
{
	struct batch_builder b = one();
	size_t n = b.bytes.n;
	int refused[2] = { 0, 0 };

	buf_done(&b.bytes);
	for (size_t at = BATCH_HEADER; at < n; at++)
		for (int packed = 0; packed < 2; packed++) {
			b = one();
			b.bytes.p[at] ^= 0x40;
			if (packed)
				world_pack(&b, CODEC_LZ4);
			mend(&b);
			refused[packed] += check(&b, &easy) != STORE_OK;
		}
	CU_ASSERT(refused[0] > 0 && refused[0] == refused[1]);
}

/* The record's own time: one of three, with the header's as they should be or not. */
static void
the_time_of_each_record_counts(void)
{
	static const struct {
		int64_t delta;
		enum store_error error;
	} times[] = { { 0, STORE_OK }, { 50, STORE_OK }, { -50, STORE_OK }, { 63, STORE_INVALID_TIMESTAMP },
		{ -64, STORE_INVALID_TIMESTAMP } };
	struct batch_rules rules = easy;

	rules.before_max_ms = rules.after_max_ms = 60;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		for (int packed = 0; packed < 2; packed++) {
			struct batch_builder b = one();
			size_t second = BATCH_HEADER + (b.bytes.n - BATCH_HEADER) / 3;
			struct batch out;
			int32_t bad;

			/* length, attributes, time delta */
			b.bytes.p[second + 2] = (uint8_t)(times[i].delta < 0 ? -times[i].delta * 2 - 1 : times[i].delta * 2);
			mend(&b);
			if (packed)
				world_pack(&b, CODEC_ZSTD);
			CU_ASSERT_EQUAL(batch_check(buf_bytes(&b.bytes), &rules, &out, &bad), times[i].error);
			CU_ASSERT(bad == (times[i].error == STORE_OK ? -1 : 1));
			if (times[i].error == STORE_OK)
				CU_ASSERT(out.max_timestamp == WORLD_NOW + (times[i].delta > 0 ? times[i].delta : 0));
			buf_done(&b.bytes);
		}
}

const struct unit_test batch_tests[] = {
	UNIT(a_built_batch_is_taken_and_walked),
	UNIT(changed_headers_are_refused),
	UNIT(sizes_are_limited),
	UNIT(a_second_batch_is_refused_and_a_rest_is_not),
	UNIT(keys_are_demanded_where_it_is_compacted),
	UNIT(times_are_bounded),
	UNIT(damaged_records_are_refused_at_every_byte),
	UNIT(log_append_time_is_stamped),
	UNIT(compressed_records_are_looked_into),
	UNIT(what_can_not_be_inflated_is_refused),
	UNIT(damaged_records_inside_are_refused_at_every_byte),
	UNIT(the_time_of_each_record_counts),
	UNIT_END
};
