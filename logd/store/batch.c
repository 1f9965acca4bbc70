/* batch.c -- record batches of magic 2. */
#include "store/batch.h"

#include <limits.h>

#include "base/crc32c.h"
#include "store/codec.h"

/* Where the fields lie (KIP-98; all big-endian). */
enum {
	AT_BASE_OFFSET = 0,
	AT_LENGTH = 8,
	AT_LEADER_EPOCH = 12,
	AT_MAGIC = 16,
	AT_CRC = 17,
	AT_ATTRIBUTES = 21, /* from here on, the checksum covers */
	AT_LAST_OFFSET_DELTA = 23,
	AT_BASE_TIMESTAMP = 27,
	AT_MAX_TIMESTAMP = 35,
	AT_PRODUCER_ID = 43,
	AT_PRODUCER_EPOCH = 51,
	AT_BASE_SEQUENCE = 53,
	AT_COUNT = 57
};

bool
batch_header(struct batch *b, struct span bytes)
{
	return bytes.n >= BATCH_HEADER && bytes.p[AT_MAGIC] == BATCH_MAGIC && batch_claims(b, bytes);
}

bool
batch_claims(struct batch *b, struct span bytes)
{
	const uint8_t *p = bytes.p;
	int32_t length;

	if (bytes.n < BATCH_HEADER)
		return false;
	length = (int32_t)load32(p + AT_LENGTH);
	if (length < BATCH_HEADER - BATCH_OVERHEAD ||
	    length > INT32_MAX - BATCH_OVERHEAD)
		return false;
	*b = (struct batch){
		.base_offset = (int64_t)load64(p + AT_BASE_OFFSET),
		.size = (size_t)length + BATCH_OVERHEAD,
		.leader_epoch = (int32_t)load32(p + AT_LEADER_EPOCH),
		.crc = load32(p + AT_CRC),
		.attributes = (int16_t)load16(p + AT_ATTRIBUTES),
		.last_offset_delta = (int32_t)load32(p + AT_LAST_OFFSET_DELTA),
		.base_timestamp = (int64_t)load64(p + AT_BASE_TIMESTAMP),
		.max_timestamp = (int64_t)load64(p + AT_MAX_TIMESTAMP),
		.producer_id = (int64_t)load64(p + AT_PRODUCER_ID),
		.producer_epoch = (int16_t)load16(p + AT_PRODUCER_EPOCH),
		.base_sequence = (int32_t)load32(p + AT_BASE_SEQUENCE),
		.count = (int32_t)load32(p + AT_COUNT),
	};
	return true;
}

bool
batch_crc_ok(const struct batch *b, const uint8_t *p)
{
	return crc32c(0, p + AT_ATTRIBUTES, b->size - AT_ATTRIBUTES) == b->crc;
}

/*
 * Reads a zigzag varint of up to 64 bits from the front of the span.
 */
static bool
take_varlong(struct span *s, int64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->n && i < 10; i++) {
		v |= (uint64_t)(s->p[i] & 0x7f) << 7 * i;
		if ((s->p[i] & 0x80) == 0) {
			*out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
			*s = span_of(s->p + i + 1, s->n - i - 1);
			return true;
		}
	}
	return false;
}

static bool
take_varint(struct span *s, int32_t *out)
{
	int64_t v;

	if (!take_varlong(s, &v) || v < INT32_MIN || v > INT32_MAX)
		return false;
	*out = (int32_t)v;
	return true;
}

/* Bytes behind a varint of their length; -1 is null. */
static bool
take_bytes(struct span *s, struct span *out)
{
	int32_t n;

	if (!take_varint(s, &n) || n < -1 || (n > 0 && (size_t)n > s->n))
		return false;
	*out = n == -1 ? span_of(NULL, 0) : span_of(s->p, (size_t)n);
	if (n > 0)
		*s = span_of(s->p + n, s->n - (size_t)n);
	return true;
}

/* Whether the span is exactly a count and that many headers. */
static bool
headers_ok(struct span s)
{
	struct span key, value;
	int32_t count;

	if (!take_varint(&s, &count) || count < 0)
		return false;
	while (count-- > 0)
		if (!take_bytes(&s, &key) || key.p == NULL || !take_bytes(&s, &value))
			return false;
	return s.n == 0;
}

bool
batch_is_compressed(const struct batch *b)
{
	return (b->attributes & BATCH_CODEC) != CODEC_NONE;
}

void
record_walk(struct record_walk *w, const struct batch *b, const uint8_t *p, size_t inflated_max)
{
	struct span body = span_of(p + BATCH_HEADER, b->size - BATCH_HEADER);
	enum inflated outcome;

	*w = (struct record_walk){ .batch = *b, .all = body, .rest = body };
	if (!batch_is_compressed(b))
		return;
	outcome = codec_inflate(b->attributes & BATCH_CODEC, body, inflated_max, &w->inflated);
	w->too_large = outcome == INFLATED_TOO_LARGE;
	w->broken = outcome != INFLATED;
	w->all = w->rest = buf_bytes(&w->inflated);
}

void
record_rewind(struct record_walk *w)
{
	w->rest = w->all;
	w->index = 0;
	w->broken = false;
}

bool
record_next(struct record_walk *w, struct record *r)
{
	int64_t time_delta;
	int32_t length, offset_delta;
	struct span body;

	if (w->broken || (w->index == w->batch.count && w->rest.n == 0))
		return false;
	w->broken = true;
	if (w->index >= w->batch.count || !take_varint(&w->rest, &length) ||
	    length < 1 || (size_t)length > w->rest.n)
		return false;
	r->attributes = w->rest.p[0];
	body = span_of(w->rest.p + 1, (size_t)length - 1);
	w->rest = span_of(w->rest.p + length, w->rest.n - (size_t)length);
	if (!take_varlong(&body, &time_delta))
		return false;
	r->tail = body;
	if (!take_varint(&body, &offset_delta) || !take_bytes(&body, &r->key) ||
	    !take_bytes(&body, &r->value) || !headers_ok(body))
		return false;
	r->headers = body;
	r->offset = w->batch.base_offset + offset_delta;
	/* In unsigned arithmetic: what the producer wrote may overflow. */
	r->created = (int64_t)((uint64_t)w->batch.base_timestamp + (uint64_t)time_delta);
	r->timestamp = (w->batch.attributes & BATCH_LOG_APPEND_TIME) ? w->batch.max_timestamp : r->created;
	w->index++;
	w->broken = false;
	return true;
}

void
record_done(struct record_walk *w)
{
	buf_done(&w->inflated);
}

static enum store_error
check_header(const struct batch *b, const struct batch_rules *rules)
{
	int codec = b->attributes & BATCH_CODEC;

	if (b->base_offset != 0 || b->count <= 0 || b->last_offset_delta != b->count - 1 ||
	    (b->attributes & BATCH_CONTROL) ||
	    (b->producer_id >= 0 && (b->base_sequence < 0 || b->producer_epoch < 0)))
		return STORE_INVALID_RECORD;
	if (b->attributes & BATCH_LOG_APPEND_TIME)
		return STORE_INVALID_TIMESTAMP; /* that is for us to say */
	if (codec >= CODECS || (codec == CODEC_ZSTD && !rules->zstd_allowed))
		return STORE_UNSUPPORTED_CODEC;
	return STORE_OK;
}

static bool
time_allowed(int64_t time, const struct batch_rules *rules)
{
	if (rules->log_append_time)
		return true;
	/* By subtraction from `now`, which is small: the bounds may be INT64_MAX. */
	if (time > rules->now_ms)
		return time - rules->now_ms <= rules->after_max_ms;
	return time < 0 || rules->now_ms - time <= rules->before_max_ms;
}

static enum store_error
check_record(const struct record *r, int64_t offset, const struct batch_rules *rules)
{
	if (r->offset != offset)
		return STORE_INVALID_RECORD;
	if (rules->keyed && r->key.p == NULL)
		return STORE_NO_KEY;
	return time_allowed(r->timestamp, rules) ? STORE_OK : STORE_INVALID_TIMESTAMP;
}

/*
 * The records: that they can be read, that offsets count up by one, that there
 * are keys, that times are within the bounds.
 */
static enum store_error
check_records(struct batch *b, const uint8_t *p, const struct batch_rules *rules, int32_t *bad)
{
	enum store_error error = STORE_OK;
	int64_t max = INT64_MIN;
	struct record_walk walk;
	struct record r;

	record_walk(&walk, b, p, rules->inflated_max);
	while (error == STORE_OK && record_next(&walk, &r)) {
		*bad = walk.index - 1;
		error = check_record(&r, b->base_offset + walk.index - 1, rules);
		max = r.timestamp > max ? r.timestamp : max;
	}
	if (walk.too_large) {
		error = STORE_MESSAGE_TOO_LARGE;
	} else if (error == STORE_OK && (walk.broken || walk.index != b->count)) {
		*bad = walk.index < b->count ? walk.index : -1;
		error = STORE_INVALID_RECORD;
	}
	if (error == STORE_OK) {
		*bad = -1;
		b->max_timestamp = max;
	}
	record_done(&walk);
	return error;
}

enum store_error
batch_check(struct span sent, const struct batch_rules *rules, struct batch *b, int32_t *bad)
{
	enum store_error error;

	*bad = -1;
	/* No batch at all, or one of the old formats. */
	if (sent.n <= AT_MAGIC || sent.p[AT_MAGIC] != BATCH_MAGIC)
		return STORE_INVALID_RECORD;
	if (!batch_header(b, sent) || b->size > sent.n)
		return STORE_CORRUPT_MESSAGE;
	/* A second batch is refused; a rest too short for one is ignored. */
	if (sent.n - b->size >= BATCH_HEADER)
		return STORE_INVALID_RECORD;
	if (b->size > (size_t)rules->max_bytes)
		return STORE_MESSAGE_TOO_LARGE;
	if (b->size > (size_t)rules->segment_bytes)
		return STORE_RECORD_LIST_TOO_LARGE;
	if (!batch_crc_ok(b, sent.p))
		return STORE_CORRUPT_MESSAGE;
	if ((error = check_header(b, rules)) != STORE_OK)
		return error;
	return check_records(b, sent.p, rules, bad);
}

void
batch_stamp(uint8_t *p, int64_t base_offset, int32_t leader_epoch)
{
	store64(p + AT_BASE_OFFSET, (uint64_t)base_offset);
	store32(p + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

static void
stamp_crc(uint8_t *p, size_t size)
{
	store32(p + AT_CRC, crc32c(0, p + AT_ATTRIBUTES, size - AT_ATTRIBUTES));
}

int64_t
batch_max_time(const uint8_t *p)
{
	return (int64_t)load64(p + AT_MAX_TIMESTAMP);
}

void
batch_stamp_max_time(uint8_t *p, size_t size, int64_t max_timestamp)
{
	store64(p + AT_MAX_TIMESTAMP, (uint64_t)max_timestamp);
	stamp_crc(p, size);
}

void
batch_stamp_time(uint8_t *p, size_t size, int64_t now_ms)
{
	store16(p + AT_ATTRIBUTES, load16(p + AT_ATTRIBUTES) | BATCH_LOG_APPEND_TIME);
	batch_stamp_max_time(p, size, now_ms);
}

void
batch_begin(struct batch_builder *b, int64_t timestamp_ms)
{
	*b = (struct batch_builder){ .timestamp = timestamp_ms };
	if (buf_room(&b->bytes, BATCH_HEADER) != NULL) {
		memset(b->bytes.p, 0, BATCH_HEADER);
		b->bytes.n = BATCH_HEADER;
	}
}

static size_t
varint(uint8_t *to, int64_t value)
{
	uint64_t v = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

static size_t
varint_size(int64_t value)
{
	uint8_t scratch[10];

	return varint(scratch, value);
}

static void
put_varint(struct buf *to, int64_t value)
{
	uint8_t scratch[10];

	buf_put(to, scratch, varint(scratch, value));
}

static int64_t
length_of(struct span s)
{
	return s.p == NULL ? -1 : (int64_t)s.n;
}

void
batch_add(struct batch_builder *b, struct span key, struct span value)
{
	size_t n = 1 + 1 + varint_size(b->count) + varint_size(length_of(key)) + key.n +
	    varint_size(length_of(value)) + value.n + 1;

	put_varint(&b->bytes, (int64_t)n);
	buf_u8(&b->bytes, 0);            /* attributes */
	put_varint(&b->bytes, 0);        /* timestamp delta */
	put_varint(&b->bytes, b->count); /* offset delta */
	put_varint(&b->bytes, length_of(key));
	buf_span(&b->bytes, key);
	put_varint(&b->bytes, length_of(value));
	buf_span(&b->bytes, value);
	put_varint(&b->bytes, 0); /* headers */
	b->count++;
}

void
batch_finish(struct batch_builder *b)
{
	uint8_t *p = b->bytes.p;

	if (b->bytes.failed)
		return;
	store32(p + AT_LENGTH, (uint32_t)(b->bytes.n - BATCH_OVERHEAD));
	p[AT_MAGIC] = BATCH_MAGIC;
	store32(p + AT_LAST_OFFSET_DELTA, (uint32_t)(b->count - 1));
	store64(p + AT_BASE_TIMESTAMP, (uint64_t)b->timestamp);
	store64(p + AT_MAX_TIMESTAMP, (uint64_t)b->timestamp);
	store64(p + AT_PRODUCER_ID, (uint64_t)-1);
	store16(p + AT_PRODUCER_EPOCH, (uint16_t)-1);
	store32(p + AT_BASE_SEQUENCE, (uint32_t)-1);
	store32(p + AT_COUNT, (uint32_t)b->count);
	stamp_crc(p, b->bytes.n);
}

/* ---- control batches ---- */

enum { MARKER_ABORT = 0, MARKER_COMMIT = 1, MARKER_KEY = 4, MARKER_VALUE = 6 };

bool
batch_marker_read(struct batch_marker *m, const struct batch *b, const uint8_t *p)
{
	struct record_walk walk;
	struct record r;
	bool known;

	record_walk(&walk, b, p, BATCH_INFLATED_MAX);
	/* Later versions may be longer (KIP-98). */
	known = (b->attributes & BATCH_CONTROL) && record_next(&walk, &r) && r.key.n >= MARKER_KEY &&
	    load16(r.key.p + 2) <= MARKER_COMMIT && r.value.n >= MARKER_VALUE;
	if (known)
		*m = (struct batch_marker){ .producer_id = b->producer_id, .producer_epoch = b->producer_epoch,
			.commit = load16(r.key.p + 2) == MARKER_COMMIT,
			.coordinator_epoch = (int32_t)load32(r.value.p + 2) };
	record_done(&walk);
	return known;
}

void
batch_marker_write(const struct batch_marker *m, int64_t timestamp_ms, struct buf *to)
{
	uint8_t key[MARKER_KEY] = { 0 }, value[MARKER_VALUE] = { 0 };
	struct batch_builder builder;

	key[3] = m->commit ? MARKER_COMMIT : MARKER_ABORT;
	store32(value + 2, (uint32_t)m->coordinator_epoch);
	batch_begin(&builder, timestamp_ms);
	batch_add(&builder, span_of(key, sizeof key), span_of(value, sizeof value));
	batch_finish(&builder);
	if (!builder.bytes.failed) {
		uint8_t *p = builder.bytes.p;

		store16(p + AT_ATTRIBUTES, BATCH_TRANSACTIONAL | BATCH_CONTROL);
		store64(p + AT_PRODUCER_ID, (uint64_t)m->producer_id);
		store16(p + AT_PRODUCER_EPOCH, (uint16_t)m->producer_epoch);
		stamp_crc(p, builder.bytes.n);
	}
	buf_span(to, buf_bytes(&builder.bytes));
	to->failed |= builder.bytes.failed;
	buf_done(&builder.bytes);
}

/* ---- taking records out ---- */

int64_t
batch_horizon(const struct batch *b)
{
	return (b->attributes & BATCH_DELETE_HORIZON) ? b->base_timestamp : INT64_MAX;
}

/* What is known of the records before any is written. */
struct census {
	int32_t kept;
	bool removable;    /* a tombstone is among those kept, or a marker */
	int64_t max_time;
};

static struct census
count_kept(struct record_walk *w, const struct batch_rewrite *rw)
{
	struct census c = { .max_time = INT64_MIN };
	struct record r;

	while (record_next(w, &r))
		if (rw->keep(rw->ctx, &r)) {
			c.kept++;
			c.removable = c.removable || r.value.p == NULL || (w->batch.attributes & BATCH_CONTROL);
			c.max_time = r.timestamp > c.max_time ? r.timestamp : c.max_time;
		}
	return c;
}

static void
put_kept(struct record_walk *w, const struct batch_rewrite *rw, int64_t base_timestamp, struct buf *to)
{
	struct record r;

	record_rewind(w);
	while (record_next(w, &r)) {
		int64_t delta = (int64_t)((uint64_t)r.created - (uint64_t)base_timestamp);

		if (!rw->keep(rw->ctx, &r))
			continue;
		put_varint(to, (int64_t)(1 + varint_size(delta) + r.tail.n));
		buf_u8(to, r.attributes);
		put_varint(to, delta);
		buf_span(to, r.tail);
	}
}

/* The whole batch, with what is left of the records. */
static bool
put_changed(struct record_walk *w, const uint8_t *p, const struct batch_rewrite *rw,
    const struct census *census, bool horizon, struct buf *to)
{
	const struct batch *b = &w->batch;
	int64_t base_timestamp = horizon ? rw->horizon : b->base_timestamp;
	size_t at = to->n, size;
	struct buf plain = { 0 };
	bool ok;

	buf_put(to, p, BATCH_HEADER);
	put_kept(w, rw, base_timestamp, &plain);
	ok = !plain.failed && codec_deflate(b->attributes & BATCH_CODEC, buf_bytes(&plain), to);
	buf_done(&plain);
	if (!ok || to->failed || (size = to->n - at) > INT32_MAX)
		return false;
	store32(to->p + at + AT_LENGTH, (uint32_t)(size - BATCH_OVERHEAD));
	if (horizon)
		store16(to->p + at + AT_ATTRIBUTES, (uint16_t)b->attributes | BATCH_DELETE_HORIZON);
	store64(to->p + at + AT_BASE_TIMESTAMP, (uint64_t)base_timestamp);
	store64(to->p + at + AT_MAX_TIMESTAMP, (uint64_t)census->max_time);
	store32(to->p + at + AT_COUNT, (uint32_t)census->kept);
	stamp_crc(to->p + at, size);
	return true;
}

enum batch_rewritten
batch_rewrite(const struct batch *b, const uint8_t *p, const struct batch_rewrite *rw, struct buf *to)
{
	enum batch_rewritten outcome = BATCH_SAME;
	struct record_walk w;
	struct census census;
	bool horizon;

	if (b->count == 0)
		return BATCH_EMPTY;
	record_walk(&w, b, p, BATCH_INFLATED_MAX);
	census = count_kept(&w, rw);
	horizon = census.removable && batch_horizon(b) == INT64_MAX;
	if (w.broken)
		outcome = BATCH_BROKEN;
	else if (census.kept == 0)
		outcome = BATCH_EMPTY;
	else if (census.kept < b->count || horizon)
		outcome = put_changed(&w, p, rw, &census, horizon, to) ? BATCH_CHANGED : BATCH_BROKEN;
	record_done(&w);
	return outcome;
}

void
batch_put_empty(struct buf *to, int64_t base_offset, int64_t last_offset, int32_t leader_epoch,
    const struct batch *of)
{
	uint8_t p[BATCH_HEADER] = { 0 };

	store64(p + AT_BASE_OFFSET, (uint64_t)base_offset);
	store32(p + AT_LENGTH, BATCH_HEADER - BATCH_OVERHEAD);
	store32(p + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
	p[AT_MAGIC] = BATCH_MAGIC;
	/* No timestamp: no look-up by time is to be led here. */
	store64(p + AT_BASE_TIMESTAMP, (uint64_t)-1);
	store64(p + AT_MAX_TIMESTAMP, (uint64_t)-1);
	store32(p + AT_LAST_OFFSET_DELTA, (uint32_t)(last_offset - base_offset));
	store64(p + AT_PRODUCER_ID, (uint64_t)(of == NULL ? -1 : of->producer_id));
	store16(p + AT_PRODUCER_EPOCH, (uint16_t)(of == NULL ? -1 : of->producer_epoch));
	store32(p + AT_BASE_SEQUENCE, (uint32_t)(of == NULL ? -1 : of->base_sequence));
	stamp_crc(p, sizeof p);
	buf_put(to, p, sizeof p);
}
