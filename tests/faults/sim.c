/* sim.c -- a store under a random workload, and the history that it is held to. */
#include "faults/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/xalloc.h"
#include "fake/file_fake.h"
#include "fake/worker_fake.h"
#include "plat/file.h"
#include "plat/worker.h"
#include "store/store_internal.h"

enum { SENT = 1536, PRODUCERS = 3, WINDOW = 5, KEYS = 12, RECORD_KEYS = 20, ID_STEP = 1000000, LIFE_LIMIT_S = 60 };

/* What has become of a batch. */
enum fate {
	NEVER,    /* not sent yet, or refused */
	MAYBE,    /* sent, not answered: it may be there or not */
	ANSWERED,
	GONE      /* a start has found that it is not there */
};

struct sent {
	enum fate fate;
	bool durable; /* answered as durable */
	bool shown;   /* somebody may have seen it, at `base` */
	int seen;     /* how often the check under way has met it */
	uint32_t about;   /* the size that was asked for */
	uint32_t n, body; /* size of the batch, checksum of its records */
	int32_t count;
	int64_t base;     /* -1: unknown */
	int producer;     /* -1: none */
	int16_t epoch;
	int32_t sequence;
};

struct sender {
	int64_t id;
	int16_t epoch;
	int32_t next;
	bool durable;
	int pending[WINDOW], n_pending; /* sent and not answered, in order */
	int last[WINDOW], n_last;       /* sent last, in order */
};

struct log {
	struct partition_id id;
	struct sent sent[SENT];
	int n_sent;
	int64_t shown_end;    /* behind all that somebody may have seen */
	int64_t cut_answered, cut_tried;
	bool torn;            /* the index was lost at a power cut: holes may be */
	bool stale;           /* an old index came back: it may not know what producers sent */
	struct sender producers[PRODUCERS];
};

/* A key's values are numbered; 0 is none. */
struct key {
	uint32_t current;     /* as the last check saw it */
	uint32_t first, next; /* put since then: [first, next) */
	uint32_t answered;    /* the last of those that was answered; 0: none */
};

struct history {
	struct sim_options options;
	struct log logs[SIM_PARTITIONS];
	struct key keys[KEYS];
	int32_t epoch;
	uint64_t n_ids;
	int64_t now;
	struct sim_counts counts;
	bool fault_met;
};

static struct history *h;

/* What the check under way has met of a compacted log. */
struct met {
	int64_t newest[RECORD_KEYS]; /* of each key; -1: none */
	struct { int64_t from, to; } batches[SENT * 2]; /* their offsets, empty ones included */
	int n;
};

/* Of this process. */
static struct {
	struct sim_life plan;
	struct mailbox *mailbox;
	struct store *store;
	struct partition *partitions[SIM_PARTITIONS];
	int64_t high_watermarks[SIM_PARTITIONS];
	int under_way;
	int damaged;
	const char *failed;
	bool checking;
	struct met met;
} life;

/* ---- the history ---- */

static void
have_history(void)
{
	if (h == NULL)
		h = lives_memory(sizeof *h);
}

const struct sim_counts *
sim_counts_of(void)
{
	have_history();
	return &h->counts;
}

static void
new_log(struct log *l)
{
	memset(l, 0, sizeof *l);
	h->n_ids++;
	store64(l->id.topic, 0x5745495257454952);
	store64(l->id.topic + 8, h->n_ids);
	l->id.number = (int32_t)(h->n_ids % 3);
	for (int i = 0; i < PRODUCERS; i++) {
		l->producers[i].id = (int64_t)(h->n_ids * 100) + i;
		l->producers[i].durable = i != 1;
	}
}

void
sim_reset(const struct sim_options *options)
{
	struct sim_counts counts;

	have_history();
	counts = h->counts;
	memset(h, 0, sizeof *h);
	h->counts = counts;
	h->options = *options;
	h->epoch = -1;
	h->now = 1700000000000;
	for (int i = 0; i < KEYS; i++)
		h->keys[i].first = h->keys[i].next = 1;
	fake_disk_reset(sim_dir());
	sim_index_delete();
	for (int i = 0; i < SIM_PARTITIONS; i++)
		new_log(&h->logs[i]);
	lives_index_keep();
}

void *
sim_save(size_t *n)
{
	*n = sizeof *h;
	return xmemdup(h, sizeof *h);
}

void
sim_restore(const void *saved, size_t n)
{
	struct sim_counts counts = h->counts;

	memcpy(h, saved, n);
	h->counts = counts;
}

/* With the index goes the knowledge of what was synced: a hole may be kept. */
static void
tear(void)
{
	for (int i = 0; i < SIM_PARTITIONS; i++)
		h->logs[i].torn = true;
}

void
sim_index_delete(void)
{
	lives_index_delete();
	tear();
}

void
sim_index_mark(void)
{
	if (lives_index_marked())
		tear();
}

bool
sim_index_bring_back(void)
{
	if (!lives_index_bring_back())
		return false;
	for (int i = 0; i < SIM_PARTITIONS; i++)
		h->logs[i].stale = true;
	return true;
}

/* ---- batches ---- */

/* Bytes that follow from the number alone. */
static void
fill(uint8_t *p, size_t n, uint64_t number)
{
	uint64_t x = number * 0x9e3779b97f4a7c15 + 1;

	for (size_t i = 0; i < n; i += sizeof x) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, n - i < sizeof x ? n - i : sizeof x);
	}
}

/* Those logs are compacted; of the others some keep no more than so much. */
static bool
is_compacted(int log)
{
	return log % 2 == 1;
}

static bool
is_retained(int log)
{
	return log % 3 == 0;
}

/* Of a record of a compacted log. */
static int
record_key(int number, int i)
{
	return (number * 7 + i * 3) % RECORD_KEYS;
}

static size_t
value_size(const struct sent *s)
{
	return s->about > 100u * (size_t)s->count ? s->about / (size_t)s->count - 80 : 12;
}

/* The value of a record; it begins with the number of its batch. */
static void
make_value(const struct log *l, int number, int i, uint8_t *value, size_t size)
{
	uint64_t id = load64(l->id.topic + 8);

	fill(value, size, id << 32 | (uint64_t)number << 8 | (uint64_t)i);
	store64(value, id * ID_STEP + (uint64_t)number);
}

/* The batch with this number in the log. */
static void
build(const struct log *l, int number, struct batch_builder *b)
{
	const struct sent *s = &l->sent[number];
	size_t size = value_size(s);
	uint8_t *value = xmalloc(size + 8), *p;

	batch_begin(b, h->now);
	for (int i = 0; i < s->count; i++) {
		char key[2] = { 'k', (char)('A' + record_key(number, i)) };

		make_value(l, number, i, value, size);
		batch_add(b, span_of(key, sizeof key), span_of(value, size));
	}
	batch_finish(b);
	must(!b->bytes.failed);
	free(value);
	if (s->producer < 0)
		return;
	p = b->bytes.p;
	store64(p + 43, (uint64_t)l->producers[s->producer].id);
	store16(p + 51, (uint16_t)s->epoch);
	store32(p + 53, (uint32_t)s->sequence);
	store32(p + 17, crc32c(0, p + 21, b->bytes.n - 21));
}

/* Which batch these bytes are; -1: none that was sent. */
static int
number_of(const struct log *l, const struct batch *b, const uint8_t *bytes)
{
	struct record_walk walk;
	struct record r;
	uint64_t number = UINT64_MAX;

	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	if (record_next(&walk, &r) && r.value.n >= 8)
		number = load64(r.value.p) - load64(l->id.topic + 8) * ID_STEP;
	record_done(&walk);
	return number < (uint64_t)l->n_sent ? (int)number : -1;
}

/* ---- what is seen ---- */

static void
show(int i, int64_t high_watermark)
{
	struct log *l = &h->logs[i];

	for (int k = 0; k < l->n_sent; k++) {
		struct sent *s = &l->sent[k];

		if ((s->fate == MAYBE || s->fate == ANSWERED) && s->base >= 0 && s->base < high_watermark)
			s->shown = true;
	}
	if (high_watermark > l->shown_end)
		l->shown_end = high_watermark;
}

/* Each record of a compacted log is one of its batch's, at its place. */
static bool
records_fit(int log, int number, const struct batch *b, const uint8_t *bytes)
{
	const struct log *l = &h->logs[log];
	const struct sent *s = &l->sent[number];
	size_t size = value_size(s);
	uint8_t *value = xmalloc(size + 8);
	struct record_walk walk;
	struct record r;
	bool fit = s->count == b->last_offset_delta + 1;

	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	while (fit && record_next(&walk, &r)) {
		int i = (int)(r.offset - b->base_offset), key = r.key.n == 2 ? r.key.p[1] - 'A' : -1;

		make_value(l, number, i, value, size);
		fit = i >= 0 && i < s->count && key == record_key(number, i) &&
		    span_eq(r.value, span_of(value, size));
		if (fit && life.checking && r.offset > life.met.newest[key])
			life.met.newest[key] = r.offset;
	}
	fit = fit && !walk.broken;
	record_done(&walk);
	free(value);
	return fit;
}

/* A batch was read. */
static void
see(int i, const struct batch *b, const uint8_t *bytes)
{
	struct log *l = &h->logs[i];
	int number = number_of(l, b, bytes);
	struct sent *s = &l->sent[number < 0 ? 0 : number];

	if (!batch_crc_ok(b, bytes))
		broken("log %d: a damaged batch at %lld", i, (long long)b->base_offset);
	if (is_compacted(i)) {
		if (b->count == 0) {
			if (batch_last_offset(b) >= l->shown_end)
				l->shown_end = batch_last_offset(b) + 1;
			return;
		}
		if (number < 0 || !records_fit(i, number, b, bytes))
			broken("log %d: what was never sent at %lld", i, (long long)b->base_offset);
	} else if (number < 0 || s->n != b->size || s->count != b->count ||
	    s->body != crc32c(0, bytes + BATCH_HEADER, b->size - BATCH_HEADER))
		broken("log %d: a batch that was never sent at %lld", i, (long long)b->base_offset);
	if (s->fate == NEVER || s->fate == GONE)
		broken("log %d: batch %d at %lld had been %s", i, number, (long long)b->base_offset,
		    s->fate == GONE ? "gone" : "refused");
	if (s->base != b->base_offset && (s->fate == ANSWERED || s->shown))
		broken("log %d: batch %d was at %lld, now is at %lld", i, number, (long long)s->base,
		    (long long)b->base_offset);
	s->base = b->base_offset;
	s->shown = true;
	if (batch_last_offset(b) >= l->shown_end)
		l->shown_end = batch_last_offset(b) + 1;
	if (life.checking && s->seen++ > 0)
		broken("log %d: batch %d is there twice", i, number);
	for (int k = 0; k < l->n_sent; k++) {
		const struct sent *o = &l->sent[k];

		if (k != number && o->shown && o->base <= batch_last_offset(b) &&
		    o->base + o->count > b->base_offset)
			broken("log %d: offset %lld was shown with batch %d, now bears %d", i,
			    (long long)b->base_offset, k, number);
	}
}

/* ---- reading ---- */

struct reading {
	struct partition_read r;
	int log;
	int64_t high_watermark, log_start; /* when it began */
	bool over;
};

static bool
in_hole(int i)
{
	h->counts.holes++;
	return h->logs[i].torn || life.plan.damaged > 0;
}

static void
check_reading(struct reading *x)
{
	const struct partition_read *r = &x->r;
	int64_t at = r->offset;
	struct batch b;
	size_t n = 0;

	/* The front may have moved meanwhile. */
	if (r->error == STORE_OFFSET_OUT_OF_RANGE && r->offset < partition_log_start(life.partitions[x->log]))
		return;
	if (r->error == STORE_GONE || (r->error == STORE_DISK && life.plan.error != 0) ||
	    (r->error == STORE_CORRUPT_MESSAGE && in_hole(x->log)))
		return;
	if (r->error != STORE_OK)
		broken("log %d: reading %lld, between %lld and %lld: error %d", x->log,
		    (long long)r->offset, (long long)x->log_start, (long long)x->high_watermark, r->error);
	if (r->n == 0 && r->at_least_one && r->offset < x->high_watermark)
		broken("log %d: nothing at %lld, below %lld", x->log, (long long)r->offset,
		    (long long)x->high_watermark);
	while (n < r->n) {
		if (!batch_header(&b, span_of(r->bytes + n, r->n - n)) || b.size > r->n - n)
			broken("log %d: a part of a batch at %lld", x->log, (long long)at);
		if (batch_last_offset(&b) < at || (n > 0 && b.base_offset < at))
			broken("log %d: reading %lld gave %lld", x->log, (long long)at,
			    (long long)b.base_offset);
		if (batch_last_offset(&b) >= x->high_watermark)
			broken("log %d: %lld was shown above the high watermark %lld", x->log,
			    (long long)batch_last_offset(&b), (long long)x->high_watermark);
		see(x->log, &b, r->bytes + n);
		if (n > 0 && b.size + n > r->max_bytes)
			broken("log %d: more than %zu bytes", x->log, r->max_bytes);
		n += b.size;
		at = batch_last_offset(&b) + 1;
	}
	if (r->next_offset != at)
		broken("log %d: next offset is %lld, not %lld", x->log, (long long)r->next_offset,
		    (long long)at);
	h->counts.reads++;
}

static void
reading_done(struct partition_read *r)
{
	struct reading *x = container_of(r, struct reading, r);

	life.under_way--;
	x->over = true;
	if (life.checking)
		return;
	check_reading(x);
	free(r->bytes);
	free(x);
}

static bool
begin_reading(struct reading *x, int i, int64_t offset, size_t max_bytes, bool at_least_one)
{
	struct partition *p = life.partitions[i];

	*x = (struct reading){ .log = i, .high_watermark = partition_high_watermark(p),
		.log_start = partition_log_start(p), .r = { .offset = offset, .max_bytes = max_bytes,
		.at_least_one = at_least_one, .done = reading_done } };
	x->over = partition_read(p, &x->r);
	if (!x->over)
		life.under_way++;
	return x->over;
}

static void
read_somewhere(void)
{
	int i = (int)below((size_t)h->options.partitions);
	struct partition *p = life.partitions[i];
	int64_t from = partition_log_start(p), n = partition_high_watermark(p) - from;
	struct reading *x;

	/* Where there are records: offsets are skipped by the hundred thousand. */
	if (n > 0 && h->logs[i].n_sent > 0) {
		const struct sent *s = &h->logs[i].sent[below((size_t)h->logs[i].n_sent)];
		int64_t at = s->base + (int64_t)below((size_t)s->count + 1);

		from = s->fate == ANSWERED && s->shown && at > from && at <= from + n ? at :
		    from + (int64_t)below((size_t)n + 1);
	}
	x = xmalloc(sizeof *x);
	if (begin_reading(x, i, from, one_in(3) ? below(200) : below(3 * h->options.batch_bytes), one_in(2))) {
		check_reading(x);
		free(x->r.bytes);
		free(x);
	}
}

/* ---- appending ---- */

struct flight {
	struct append a;
	int log, number;
	uint64_t id; /* the log's, for it may be replaced */
	bool durable;
	bool again;
};

static void
forget_pending(struct sender *p, int number)
{
	for (int i = 0; i < p->n_pending; i++)
		if (p->pending[i] == number) {
			memmove(p->pending + i, p->pending + i + 1, sizeof(int) * (size_t)(--p->n_pending - i));
			return;
		}
}

static void
appended(struct flight *f)
{
	struct log *l = &h->logs[f->log];
	struct sent *s = &l->sent[f->number];
	struct partition *p = life.partitions[f->log];

	if (load64(l->id.topic + 8) != f->id) {
		if (f->a.error != STORE_GONE)
			broken("log %d: deleted, and still answered", f->log);
		return;
	}
	if (f->a.error == STORE_DISK && life.plan.error != 0) {
		/* Nobody knows whether it is there. */
		if (!s->shown)
			s->base = -1;
		return;
	}
	if (f->a.error == STORE_OUT_OF_ORDER_SEQUENCE && s->producer >= 0 &&
	    (!l->producers[s->producer].durable || l->stale || l->torn || life.plan.damaged > 0 ||
	    life.plan.error != 0)) {
		struct sender *q = &l->producers[s->producer];

		/* What it sent last was lost, as acks=1 may be: it begins again. */
		if (s->fate != ANSWERED)
			s->fate = s->shown ? GONE : NEVER;
		q->epoch++;
		q->next = q->n_pending = q->n_last = 0;
		return;
	}
	if (f->a.error != STORE_OK)
		broken("log %d: append of batch %d: error %d", f->log, f->number, f->a.error);
	if (f->a.base_offset != s->base)
		broken("log %d: batch %d was put at %lld, not %lld", f->log, f->number,
		    (long long)f->a.base_offset, (long long)s->base);
	if (partition_high_watermark(p) < s->base + s->count)
		broken("log %d: batch %d was answered at %lld, the high watermark is %lld", f->log,
		    f->number, (long long)s->base, (long long)partition_high_watermark(p));
	s->fate = ANSWERED;
	s->shown = true;
	if (f->durable && !s->durable)
		h->counts.durable++;
	s->durable = s->durable || f->durable;
	if (s->base + s->count > l->shown_end)
		l->shown_end = s->base + s->count;
	if (s->producer >= 0)
		forget_pending(&l->producers[s->producer], f->number);
}

static void
append_done(struct append *a)
{
	struct flight *f = container_of(a, struct flight, a);

	life.under_way--;
	appended(f);
	free(f);
}

static void
send(int i, int number, bool durable, bool again)
{
	struct log *l = &h->logs[i];
	struct sent *s = &l->sent[number];
	struct partition *p = life.partitions[i];
	struct flight *f = xcalloc(1, sizeof *f);
	int64_t end = partition_log_end(p);
	bool there = again && s->base >= 0 && s->fate != GONE;
	struct batch_builder b;

	build(l, number, &b);
	s->n = (uint32_t)b.bytes.n;
	s->body = crc32c(0, b.bytes.p + BATCH_HEADER, b.bytes.n - BATCH_HEADER);
	if (!there) {
		s->base = end;
		s->fate = MAYBE;
	}
	f->log = i;
	f->number = number;
	f->id = load64(l->id.topic + 8);
	f->durable = durable;
	f->a = (struct append){ .bytes = b.bytes.p, .n = b.bytes.n, .durable = durable,
		.now_ms = h->now, .done = append_done };
	h->counts.appends++;
	life.under_way++;
	if (partition_append(p, &f->a))
		append_done(&f->a);
	else if (f->a.base_offset != s->base)
		broken("log %d: batch %d goes to %lld, not %lld", i, number, (long long)f->a.base_offset,
		    (long long)s->base);
	if (there && s->fate != NEVER) {
		h->counts.duplicates++;
		if (partition_log_end(p) != end && life.partitions[i] == p)
			broken("log %d: batch %d was appended again", i, number);
	} else if (end < l->shown_end && s->fate == MAYBE && s->base >= 0)
		broken("log %d: %lld is given out again, %lld was seen", i, (long long)end,
		    (long long)l->shown_end);
	buf_done(&b.bytes);
}

static uint32_t
some_size(void)
{
	uint32_t max = h->options.batch_bytes;

	if (one_in(8))
		max = (uint32_t)h->options.journal_batch_bytes_max * 2;
	else if (one_in(3))
		max = 300;
	if (max > (uint32_t)h->options.segment_bytes / 2)
		max = (uint32_t)h->options.segment_bytes / 2;
	return (uint32_t)below(max) + 1;
}

static void
append_somewhere(void)
{
	int i = (int)below((size_t)h->options.partitions), k = (int)below(PRODUCERS * 2);
	struct log *l = &h->logs[i];
	struct sender *p = k < PRODUCERS ? &l->producers[k] : NULL;
	struct sent *s = &l->sent[l->n_sent];

	if (l->n_sent == SENT || !partition_online(life.partitions[i]))
		return;
	if (p != NULL && p->n_last > 0 && one_in(4)) {
		int number = p->last[below((size_t)p->n_last)];

		s = &l->sent[number];
		if (s->base >= partition_log_start(life.partitions[i]) && (s->fate == ANSWERED || s->fate == MAYBE))
			send(i, number, p->durable, true);
		return;
	}
	if (p != NULL && p->n_pending == WINDOW)
		return;
	*s = (struct sent){ .about = some_size(), .count = (int32_t)below(5) + 1, .base = -1, .producer = -1 };
	if (p != NULL) {
		s->producer = k;
		s->epoch = p->epoch;
		s->sequence = p->next;
		p->next += s->count;
		p->pending[p->n_pending++] = l->n_sent;
		if (p->n_last == WINDOW)
			memmove(p->last, p->last + 1, sizeof(int) * (size_t)--p->n_last);
		p->last[p->n_last++] = l->n_sent;
	}
	l->n_sent++;
	send(i, l->n_sent - 1, p != NULL ? p->durable : one_in(2), false);
}

/* ---- state ---- */

struct putting {
	struct append a;
	int n, keys[3];
	uint32_t numbers[3];
};

static bool
is_deletion(int key, uint32_t number)
{
	return (number * 7 + (uint32_t)key) % 5 == 0;
}

static size_t
value_of(int key, uint32_t number, uint8_t *to)
{
	size_t n = 8 + (number * 131 + (uint32_t)key * 17) % (number % 16 == 3 ? 3000 : 100);

	fill(to, n, (uint64_t)key << 32 | number);
	store32(to, number);
	return n;
}

static void
key_name(int key, char *to, size_t size)
{
	snprintf(to, size, "%s%d", key % 2 == 0 ? "even" : "odd", key);
}

static void
put_done(struct append *a)
{
	struct putting *x = container_of(a, struct putting, a);

	life.under_way--;
	if (a->error == STORE_OK) {
		for (int i = 0; i < x->n; i++)
			if (x->numbers[i] > h->keys[x->keys[i]].answered)
				h->keys[x->keys[i]].answered = x->numbers[i];
	} else if (life.plan.error == 0)
		broken("state_put: error %d", a->error);
	h->counts.puts++;
	free(x);
}

/* Whether this is what the key may have; 0: none. */
static bool
may_have(int key, uint32_t number)
{
	const struct key *k = &h->keys[key];

	if (k->answered == 0 && (number == k->current))
		return true;
	for (uint32_t i = k->answered > 0 ? k->answered : k->first; i < k->next; i++)
		if (number == (is_deletion(key, i) ? 0 : i))
			return true;
	return false;
}

static uint32_t
get_key(int key)
{
	uint8_t expected[4096];
	struct buf value = { 0 };
	uint32_t number = 0;
	char name[16];

	key_name(key, name, sizeof name);
	if (state_get(life.store, STATE_OFFSETS, span_str(name), &value)) {
		number = value.n >= 4 ? load32(value.p) : 0;
		if (number >= h->keys[key].next || value.n != value_of(key, number, expected) ||
		    memcmp(expected, value.p, value.n) != 0)
			broken("key %d has a value that was never put", key);
	}
	buf_done(&value);
	return number;
}

static void
put_state(void)
{
	static uint8_t values[3][4096];
	char names[3][16];
	struct state_entry entries[3];
	struct putting *x = xcalloc(1, sizeof *x);
	struct putting kept;

	x->n = (int)below(3) + 1;
	for (int i = 0; i < x->n; i++) {
		int key = x->keys[i] = (int)((below(KEYS / 3)) * 3 + (size_t)i);
		uint32_t number = x->numbers[i] = h->keys[key].next++;

		key_name(key, names[i], sizeof names[i]);
		entries[i].key = span_str(names[i]);
		entries[i].value = is_deletion(key, number) ? span_of(NULL, 0) :
		    span_of(values[i], value_of(key, number, values[i]));
	}
	kept = *x;
	x->a.done = put_done;
	life.under_way++;
	if (state_put(life.store, STATE_OFFSETS, entries, (size_t)x->n, h->now, &x->a)) {
		put_done(&x->a);
		return;
	}
	for (int i = 0; i < kept.n; i++)
		if (get_key(kept.keys[i]) != (is_deletion(kept.keys[i], kept.numbers[i]) ? 0 : kept.numbers[i]))
			broken("key %d is not what was put just now", kept.keys[i]);
}

struct listing {
	char last[64];
	int n;
};

static bool
each_key(void *ctx, struct span key, struct span value)
{
	struct listing *l = ctx;
	char name[64];

	(void)value;
	snprintf(name, sizeof name, "%.*s", (int)key.n, (const char *)key.p);
	if (l->n > 0 && strcmp(name, l->last) <= 0)
		broken("keys are out of order: %s behind %s", name, l->last);
	strcpy(l->last, name);
	l->n++;
	return true;
}

static void
check_listing(void)
{
	struct listing l = { .n = 0 };
	int n = 0;

	state_each(life.store, STATE_OFFSETS, span_str("even"), each_key, &l);
	for (int i = 0; i < KEYS; i += 2)
		n += get_key(i) != 0;
	if (l.n != n)
		broken("%d keys are listed, %d are there", l.n, n);
}

static void
check_state(void)
{
	for (int i = 0; i < KEYS; i++) {
		struct key *k = &h->keys[i];
		uint32_t number = get_key(i);

		if (!may_have(i, number))
			broken("key %d has value %u: %u was answered, of %u to %u", i, number, k->answered,
			    k->first, k->next);
		k->current = number;
		k->first = k->next;
		k->answered = 0;
	}
	check_listing();
}

/* ---- the front, deletion ---- */

struct cutting {
	struct partition_cut cut;
	int log;
	uint64_t id;
};

static void
cut_done(struct partition_cut *c)
{
	struct cutting *x = container_of(c, struct cutting, cut);
	struct log *l = &h->logs[x->log];

	life.under_way--;
	if (load64(l->id.topic + 8) == x->id) {
		if (c->error == STORE_OK) {
			if (c->offset > l->cut_answered)
				l->cut_answered = c->offset;
			if (partition_log_start(life.partitions[x->log]) < l->cut_answered)
				broken("log %d: it does not begin at %lld", x->log, (long long)l->cut_answered);
		} else if (life.plan.error == 0)
			broken("log %d: cut: error %d", x->log, c->error);
	}
	h->counts.cuts++;
	free(x);
}

static void
cut_somewhere(void)
{
	int i = (int)below((size_t)h->options.partitions);
	struct partition *p = life.partitions[i];
	int64_t from = partition_log_start(p), n = partition_high_watermark(p) - from;
	struct cutting *x = xcalloc(1, sizeof *x);

	x->log = i;
	x->id = load64(h->logs[i].id.topic + 8);
	x->cut.offset = one_in(3) ? -1 : from + (int64_t)below((size_t)n + 1);
	x->cut.done = cut_done;
	if (from + n > h->logs[i].cut_tried)
		h->logs[i].cut_tried = from + n;
	life.under_way++;
	if (partition_cut_front(p, &x->cut))
		cut_done(&x->cut);
}

static struct partition_config
some_config(int i)
{
	return (struct partition_config){ .segment_bytes = h->options.segment_bytes,
		.compacted = is_compacted(i), .max_compaction_lag_ms = i == 3 ? 20000 : INT64_MAX,
		.min_dirty_ratio = 0.3, .delete_retention_ms = 86400000, .deletes = is_retained(i),
		.retention_ms = -1, .retention_bytes = h->options.segment_bytes * INT64_C(4),
		.segment_ms = i % 2 == 0 ? 3000 : INT64_MAX, .max_message_bytes = h->options.segment_bytes,
		.log_append_time = i == 2, .timestamp_before_max_ms = INT64_MAX,
		.timestamp_after_max_ms = INT64_MAX, .producer_expiry_ms = 86400000 };
}

static void
open_log(int i)
{
	struct partition_config config = some_config(i);

	life.partitions[i] = store_open_partition(life.store, &h->logs[i].id, &config);
	partition_set_user(life.partitions[i], &life.partitions[i]);
	life.high_watermarks[i] = partition_high_watermark(life.partitions[i]);
}

static void
replace_somewhere(void)
{
	int i = (int)below((size_t)h->options.partitions);
	struct partition *p = life.partitions[i];

	if (!h->options.deletes)
		return;
	new_log(&h->logs[i]);
	store_delete_partition(life.store, p);
	open_log(i);
	h->counts.deleted++;
}

/* ---- what a start has made of it ---- */

static void
wait_for(const bool *over)
{
	while (!*over) {
		store_flush(life.store);
		mailbox_wait(life.mailbox);
		mailbox_run(life.mailbox);
	}
}

/* False: the disk did not let us. */
static bool
read_all(int i)
{
	struct partition *p = life.partitions[i];
	int64_t at = partition_log_start(p);

	while (at < partition_high_watermark(p)) {
		struct reading x;

		if (!begin_reading(&x, i, at, below(4) * 20000 + 100, true))
			wait_for(&x.over);
		check_reading(&x);
		free(x.r.bytes);
		if (x.r.error == STORE_DISK)
			return false;
		at = x.r.error == STORE_OK ? x.r.next_offset : at + 1;
	}
	return true;
}

/* Which offsets there are batches for: readers get past those that are empty.  False: the disk did not let us. */
static bool
meet_all(struct partition *p)
{
	struct met *m = &life.met;

	for (size_t i = 0; i < p->n_segments; i++) {
		struct segment *s = p->segments[i];
		struct segment_walk w;
		enum walked found;

		if (segment_fd(s) == -1)
			return false;
		segment_walk(&w, s, (struct place){ .offset = s->base }, s->size, false);
		while ((found = segment_walk_next(&w)) == WALK_BATCH ||
		    (found == WALK_DAMAGED && (found = segment_walk_resync(&w)) == WALK_BATCH)) {
			must(m->n < SENT * 2);
			m->batches[m->n].from = w.batch.base_offset;
			m->batches[m->n++].to = batch_last_offset(&w.batch);
		}
		segment_walk_done(&w);
		if (found == WALK_FAILED)
			return false;
	}
	return true;
}

/* A batch that is not there, but newer values of its keys are, and batches cover its offsets. */
static bool
was_compacted(const struct sent *s, int number, int64_t start)
{
	const struct met *m = &life.met;
	bool covered = false;

	for (int i = 0; i < m->n && !covered; i++)
		covered = s->base >= m->batches[i].from && s->base + s->count - 1 <= m->batches[i].to;
	for (int i = 0; i < s->count && covered; i++)
		covered = s->base + i < start || m->newest[record_key(number, i)] > s->base + i;
	return covered;
}

/* Of a batch that is there in part, what is not has newer values. */
static void
check_parts(int log)
{
	const struct log *l = &h->logs[log];
	int64_t start = partition_log_start(life.partitions[log]);

	for (int k = 0; k < l->n_sent; k++)
		for (int i = 0; l->sent[k].seen > 0 && i < l->sent[k].count; i++) {
			int64_t offset = l->sent[k].base + i;

			if (offset >= start && life.met.newest[record_key(k, i)] < offset)
				broken("log %d: of batch %d, record %d is lost", log, k, i);
		}
}

static void
check_log(int i)
{
	struct log *l = &h->logs[i];
	struct partition *p = life.partitions[i];
	int64_t start = partition_log_start(p);

	partition_check(p);
	if (start < l->cut_answered)
		broken("log %d: it begins at %lld, and was cut at %lld", i, (long long)start,
		    (long long)l->cut_answered);
	if (partition_log_end(p) < l->shown_end)
		broken("log %d: it ends at %lld, and %lld was seen", i, (long long)partition_log_end(p),
		    (long long)l->shown_end);
	for (int k = 0; k < l->n_sent; k++)
		l->sent[k].seen = 0;
	life.met.n = 0;
	for (int k = 0; k < RECORD_KEYS; k++)
		life.met.newest[k] = -1;
	if (!read_all(i) || (is_compacted(i) && !meet_all(p)))
		return;
	if (is_compacted(i))
		check_parts(i);
	for (int k = 0; k < l->n_sent; k++) {
		struct sent *s = &l->sent[k];

		if (s->seen > 0 || s->fate == NEVER || s->fate == GONE)
			continue;
		if (s->fate == ANSWERED && s->base + s->count <= start)
			continue;
		if (is_compacted(i) && was_compacted(s, k, start))
			continue;
		/* A hole that was kept is an end where an old index came back that does not vouch for what is behind. */
		if (s->fate == ANSWERED && s->durable && !(l->torn && l->stale) && ++life.damaged > life.plan.damaged)
			broken("log %d: batch %d, answered at %lld, is lost", i, k, (long long)s->base);
		if (s->fate == ANSWERED && s->durable)
			continue;
		if (s->base >= 0 && s->base < start)
			continue; /* it may have been there */
		s->fate = GONE;
		if (s->shown)
			h->counts.lost++;
	}
}

/* Producers send again what was not answered. */
static void
send_again(int i)
{
	struct log *l = &h->logs[i];

	for (int k = 0; k < PRODUCERS; k++) {
		struct sender *p = &l->producers[k];
		int pending[WINDOW], n = p->n_pending;

		memcpy(pending, p->pending, sizeof pending);
		for (int m = 0; m < n && p->n_pending > 0; m++)
			if (l->sent[pending[m]].fate != MAYBE ||
			    l->sent[pending[m]].base >= partition_log_start(life.partitions[i]))
				send(i, pending[m], p->durable, true);
			else
				forget_pending(p, pending[m]);
	}
}

static void
check_all(void)
{
	int32_t epoch = life.store->leader_epoch;

	if (epoch < h->epoch)
		broken("the leader epoch fell from %d to %d", h->epoch, epoch);
	h->epoch = epoch;
	life.checking = true;
	for (int i = 0; i < h->options.partitions; i++)
		check_log(i);
	life.checking = false;
	check_state();
}

/* ---- a life ---- */

static void
on_visible(void *ctx, struct partition *p)
{
	struct partition **at = partition_user(p);
	int i;

	(void)ctx;
	if (at == NULL)
		return;
	i = (int)(at - life.partitions);
	if (partition_high_watermark(p) < life.high_watermarks[i])
		broken("log %d: the high watermark fell from %lld to %lld", i,
		    (long long)life.high_watermarks[i], (long long)partition_high_watermark(p));
	life.high_watermarks[i] = partition_high_watermark(p);
	show(i, life.high_watermarks[i]);
}

static void
on_failed(void *ctx, const char *why)
{
	(void)ctx;
	life.failed = why;
	/* A damaged index was found in time: the daemon ends. */
	if (life.plan.damaged > 0)
		_exit(SIM_FAILED);
	if (life.plan.error == 0)
		broken("the store failed: %s", why);
}

static void
do_something(void)
{
	static void (*const actions[])(void) = { append_somewhere, append_somewhere, append_somewhere,
		append_somewhere, append_somewhere, append_somewhere, read_somewhere, read_somewhere,
		put_state };

	if (one_in(60))
		cut_somewhere();
	else if (one_in(120))
		replace_somewhere();
	else if (one_in(80))
		store_checkpoint(life.store);
	else if (one_in(40))
		check_listing();
	else
		actions[below(sizeof actions / sizeof *actions)]();
}

static void
settle(void)
{
	while (life.under_way > 0 && life.failed == NULL) {
		if (journal_full(life.store->journal) || life.store->sync_put_off) {
			if (life.plan.lasting)
				return; /* it will never have what it lacks */
			h->now += 1000;
			store_tick(life.store, h->now, h->now);
		}
		store_flush(life.store);
		mailbox_wait(life.mailbox);
		mailbox_run(life.mailbox);
	}
}

static void
work(void)
{
	for (int i = 0; i < h->options.steps && life.failed == NULL; i++) {
		do_something();
		if (one_in(6)) {
			h->now += (int64_t)below(1500);
			store_tick(life.store, h->now, h->now);
		}
		if (one_in(2))
			store_flush(life.store);
		if (one_in(2))
			mailbox_run(life.mailbox);
		if (one_in(40))
			settle();
		for (int k = 0; k < h->options.partitions; k++)
			if (partition_online(life.partitions[k]))
				partition_check(life.partitions[k]);
	}
	settle();
}

static void
note_fault(void)
{
	const char *path;

	if (life.plan.error != 0)
		h->fault_met = fake_disk_failed(&path) != 0;
}

static void
open_store(void)
{
	struct store_config config = { .dir = sim_dir(), .journal_bytes = 4 << 20,
		.journal_batch_bytes_max = h->options.journal_batch_bytes_max,
		.checkpoint_interval_ms = 10000, .checkpoint_bytes = h->options.checkpoint_bytes,
		.open_files_max = 4, .producers_max = 1000, .internal = some_config(1),
		.upkeep = { .retention_check_ms = 3000, .cleaner = true, .cleaner_backoff_ms = 500,
		    .cleaner_bytes = 1 << 18 } };
	struct store_hooks hooks = { .visible = on_visible, .failed = on_failed };

	config.internal.segment_bytes = config.internal.max_message_bytes = 16384;

	life.mailbox = mailbox_new();
	if (store_open(&life.store, &config, life.mailbox, &hooks, h->now, h->now) == -1) {
		note_fault();
		if (life.plan.error == 0)
			broken("the store does not open");
		_exit(SIM_NOT_OPENED);
	}
}

/* A segment that can't be synced is its own partition's misfortune, unless it is the daemon's own. */
static void
check_blame(void)
{
	const char *path;
	enum fake_op op = fake_disk_failed(&path);
	int n = 0;

	if (life.failed != NULL && file_lacks(life.plan.error))
		broken("a lack that passes ended the store: %s", strerror(life.plan.error));
	if (op != FAKE_SYNC || life.plan.lasting || strstr(path, "/logs/") == NULL ||
	    strstr(path, "/logs/AAAAAAAA") != NULL)
		return;
	for (int i = 0; i < h->options.partitions; i++)
		n += !partition_online(life.partitions[i]);
	if (life.failed != NULL || n > 1)
		broken("%s could not be synced: %d partitions are offline, the store %s", path, n,
		    life.failed != NULL ? "failed" : "goes on");
}

static void
live(const void *plan)
{
	life.plan = *(const struct sim_life *)plan;
	alarm(LIFE_LIMIT_S);
	chance_begin(life.plan.seed);
	fake_worker_seed(life.plan.seed);
	fake_disk_begin(life.plan.seed, h->options.cold);
	fake_disk_cut_at(life.plan.cut_at);
	if (life.plan.error != 0)
		fake_disk_fail(life.plan.fail_at, life.plan.error, life.plan.lasting, life.plan.fail_ops,
		    life.plan.fail_path);
	h->counts.lives++;
	h->now += 1000;
	open_store();
	for (int i = 0; i < h->options.partitions; i++)
		open_log(i);
	store_sweep(life.store);
	check_all();
	if (life.plan.opened != NULL)
		life.plan.opened();
	if (life.plan.work) {
		for (int i = 0; i < h->options.partitions; i++)
			send_again(i);
		work();
		for (int i = 0; i < h->options.partitions; i++)
			h->counts.offline += !partition_online(life.partitions[i]);
		h->counts.compactions += stat_get(&store_stats_of(life.store)->compactions);
		h->counts.retentions += stat_get(&store_stats_of(life.store)->retentions);
	}
	if (life.plan.close || life.failed != NULL) {
		check_blame();
		store_close(life.store);
		note_fault();
		if (life.under_way != 0)
			broken("%d were never answered", life.under_way);
		mailbox_free(life.mailbox);
	}
	_exit(life.failed != NULL ? SIM_FAILED : SIM_FINE);
}

bool
sim_fault_met(void)
{
	return h->fault_met;
}

int
sim_run(const struct sim_life *plan)
{
	return lives_run(live, plan);
}

void
sim_sweep(int64_t from, int64_t to, int64_t stride, int64_t (*step)(void *, int64_t), void *ctx)
{
	while (from < to) {
		int64_t end = step(ctx, from);

		from = end > from + stride ? end : from + stride;
	}
}

