/*
 * flow.c -- a client that keeps a broker busy: over several connections, without
 * waiting for one answer before the next request.
 *
 * One thread.  Batches are made once and sent many times; so what it costs is
 * little more than what the kernel takes for the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "bench/bare.h"
#include "bench/load.h"
#include "bench/measure.h"
#include "store/batch.h"
#include "store/codec.h"

enum {
	CONNECTIONS_MAX = 64,
	IN_FLIGHT_MAX = 64,
	VARIANTS = 32,        /* batches of each size, where records have keys */
	RECEIVE = 64 * 1024,  /* room for what may have come */
	LENGTH = 4, CORRELATION = 4, /* what is before an answer */
	TOUCH_TRIES = 500, TOUCH_MS = 10,
	SILENT_MS = 30000     /* without an answer for so long, it has failed */
};

/* A request under way: the records in it. */
struct asked {
	uint64_t first;
	uint32_t n;
};

struct conn {
	struct bare bare;
	struct buf head;       /* the frame, but for a batch */
	struct iovec out[2];   /* what is left of a frame and its batch to be sent */
	size_t at;             /* in the bytes that have come: the next answer */
	struct asked asked[IN_FLIGHT_MAX]; /* a ring: those without an answer, oldest first */
	int oldest, waiting;
};

struct flow {
	const struct load *load;
	struct outcome *outcome;
	struct conn conns[CONNECTIONS_MAX];
	struct pollfd polled[CONNECTIONS_MAX];
	uint64_t put, done;    /* records */
	/* producing: */
	uint32_t batch_records; /* the most in one */
	struct buf *batches;    /* by number of records, and VARIANTS of each; made when they are needed */
	uint64_t requests;
	double began_s;
	struct samples us;
	/* consuming: */
	int64_t *offsets;       /* by partition */
};

/* ---- connections ---- */

static void
open_all(struct flow *f)
{
	must(f->load->connections <= CONNECTIONS_MAX && f->load->in_flight <= IN_FLIGHT_MAX);
	for (int i = 0; i < f->load->connections; i++) {
		struct conn *c = &f->conns[i];

		if (!bare_open(&c->bare, f->load->address))
			client_fail(f->outcome, "%s", c->bare.error);
		f->polled[i].fd = c->bare.fd;
	}
}

static void
close_all(struct flow *f)
{
	for (int i = 0; i < f->load->connections; i++) {
		bare_done(&f->conns[i].bare);
		buf_done(&f->conns[i].head);
	}
}

/* From here on nothing waits but poll(), and answers are ours. */
static void
unblock_all(struct flow *f)
{
	for (int i = 0; i < f->load->connections; i++) {
		buf_reset(&f->conns[i].bare.answer);
		fcntl(f->conns[i].bare.fd, F_SETFL, O_NONBLOCK);
	}
}

static bool
is_sending(const struct conn *c)
{
	return c->out[0].iov_len + c->out[1].iov_len > 0;
}

static void
skip(struct iovec *v, size_t *n)
{
	size_t part = *n < v->iov_len ? *n : v->iov_len;

	v->iov_base = (char *)v->iov_base + part;
	v->iov_len -= part;
	*n -= part;
}

/* Sends as much as the socket takes. */
static void
conn_send(struct flow *f, struct conn *c)
{
	while (is_sending(c)) {
		ssize_t n = writev(c->bare.fd, c->out, 2);
		size_t sent;

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			client_fail(f->outcome, "send: %s", strerror(errno));
		sent = (size_t)n;
		skip(&c->out[0], &sent);
		skip(&c->out[1], &sent);
	}
}

/* Takes what has come. */
static void
conn_receive(struct flow *f, struct conn *c)
{
	struct buf *b = &c->bare.answer;
	size_t whole = b->n - c->at < LENGTH ? 0 : LENGTH + load32(b->p + c->at);
	ssize_t n;

	if (c->at == b->n)
		b->n = c->at = 0;
	must(buf_room(b, whole > RECEIVE ? whole : RECEIVE) != NULL);
	n = recv(c->bare.fd, b->p + b->n, b->cap - b->n, 0);
	if (n == 0 || (n == -1 && errno != EAGAIN))
		client_fail(f->outcome, "receive: %s", n == 0 ? "the broker has closed the connection" : strerror(errno));
	b->n += n == -1 ? 0 : (size_t)n;
}

/* The next answer that is whole, borrowed until more is received. */
static bool
conn_answer(struct conn *c, struct span *answer)
{
	const struct buf *b = &c->bare.answer;
	size_t n;

	if (b->n - c->at < LENGTH || b->n - c->at < LENGTH + (n = load32(b->p + c->at)))
		return false;
	*answer = span_of(b->p + c->at + LENGTH + CORRELATION, n - CORRELATION);
	c->at += LENGTH + n;
	return true;
}

/* Waits for what can be done, at the most until that moment (0: for an answer). */
static void
wait_all(struct flow *f, double until_s)
{
	double left = until_s == 0 ? SILENT_MS / 1e3 : until_s - measure_now_s();
	struct timespec t;
	int n;

	if (left < 0)
		left = 0;
	t = (struct timespec){ (time_t)left, (long)((left - (double)(time_t)left) * 1e9) };
	for (int i = 0; i < f->load->connections; i++)
		f->polled[i].events = (short)(POLLIN | (is_sending(&f->conns[i]) ? POLLOUT : 0));
	n = ppoll(f->polled, (nfds_t)f->load->connections, &t, NULL);
	if (n == 0 && until_s == 0)
		client_fail(f->outcome, "no answer within %d s", SILENT_MS / 1000);
}

/* ---- batches ---- */

static void
add_record(const struct load *l, struct batch_builder *b, uint64_t n)
{
	char key[32];

	snprintf(key, sizeof key, "key-%llu", (unsigned long long)n);
	batch_add(b, l->keyed ? span_str(key) : span_of(NULL, 0), span_of(load_value(n, l->record_bytes), l->record_bytes));
}

/* The batch with its records compressed. */
static void
compress(struct buf *batch, int codec)
{
	enum { AT_LENGTH = 8, AT_CRC = 17, AT_ATTRIBUTES = 21 };
	struct buf to = { 0 };

	buf_put(&to, batch->p, BATCH_HEADER);
	must(codec_deflate(codec, span_of(batch->p + BATCH_HEADER, batch->n - BATCH_HEADER), &to) && !to.failed);
	store32(to.p + AT_LENGTH, (uint32_t)(to.n - BATCH_OVERHEAD));
	store16(to.p + AT_ATTRIBUTES, (uint16_t)codec);
	store32(to.p + AT_CRC, crc32c(0, to.p + AT_ATTRIBUTES, to.n - AT_ATTRIBUTES));
	buf_done(batch);
	*batch = to;
}

static struct span
batch_of(struct flow *f, uint32_t n)
{
	const struct load *l = f->load;
	uint32_t variant = l->keyed ? (uint32_t)(f->requests % VARIANTS) : 0;
	struct buf *to = &f->batches[n * VARIANTS + variant];
	struct batch_builder b;

	if (to->n == 0) {
		batch_begin(&b, (int64_t)time(NULL) * 1000);
		for (uint32_t i = 0; i < n; i++)
			add_record(l, &b, variant * f->batch_records + i);
		batch_finish(&b);
		must(!b.bytes.failed);
		*to = b.bytes;
		if (l->codec != CODEC_NONE)
			compress(to, l->codec);
	}
	return buf_bytes(to);
}

static void
free_batches(struct flow *f)
{
	for (size_t i = 0; i < (f->batch_records + 1) * (size_t)VARIANTS; i++)
		buf_done(&f->batches[i]);
	free(f->batches);
}

/* ---- producing ---- */

static int16_t
acks_of(const struct load *l)
{
	return strcmp(l->acks, "all") == 0 ? BARE_ACKS_ALL : (int16_t)atoi(l->acks);
}

/* A record to each partition: makes its folder and file.  A topic that was just made may not be led yet. */
static void
touch(struct flow *f)
{
	struct bare *c = &f->conns[0].bare;

	for (int32_t p = 0; p < f->load->partitions; p++) {
		struct buf frame = { 0 };
		int i = 0;

		bare_produce_frame(&frame, f->load->topic, p, BARE_ACKS_ALL, batch_of(f, 1));
		while (!bare_produce(c, buf_bytes(&frame)))
			if (++i == TOUCH_TRIES)
				client_fail(f->outcome, "%s", c->error);
			else
				measure_wait_until(measure_now_s() + TOUCH_MS / 1e3);
		buf_done(&frame);
	}
}

static void
begin_request(struct flow *f, struct conn *c, uint32_t n)
{
	enum { PARTITION = 8, RECORDS = 4 }; /* of the frame's end */
	struct span batch = batch_of(f, n);
	uint8_t *end;

	buf_reset(&c->head);
	bare_produce_frame(&c->head, f->load->topic, 0, acks_of(f->load), span_of("", 0));
	end = c->head.p + c->head.n;
	store32(end - PARTITION, (uint32_t)(f->requests++ % (uint64_t)f->load->partitions));
	store32(end - RECORDS, (uint32_t)batch.n);
	store32(c->head.p, (uint32_t)(c->head.n - LENGTH + batch.n));
	c->out[0] = (struct iovec){ c->head.p, c->head.n };
	c->out[1] = (struct iovec){ (void *)(uintptr_t)batch.p, batch.n };
	c->asked[(c->oldest + c->waiting++) % IN_FLIGHT_MAX] = (struct asked){ f->put, n };
	f->put += n;
	conn_send(f, c);
}

/* How many records are to go with the next request; 0: none yet. */
static uint32_t
next_records(const struct flow *f)
{
	const struct load *l = f->load;
	uint64_t n = l->records - f->put, due;
	double now;

	if (l->rate > 0 && n > 0) {
		now = measure_now_s();
		due = (uint64_t)((now - f->began_s) * l->rate) + 1;
		due = due > l->records ? n : due - f->put;
		if (due < f->batch_records && due < n && now < load_due_s(l, f->began_s, f->put) + l->linger_ms / 1e3)
			return 0;
		n = due;
	}
	return n < f->batch_records ? (uint32_t)n : f->batch_records;
}

/* Begins as many requests as may be under way. */
static void
put_more(struct flow *f)
{
	bool any = true;
	uint32_t n;

	while (any) {
		any = false;
		for (int i = 0; i < f->load->connections; i++) {
			struct conn *c = &f->conns[i];

			if (c->waiting == f->load->in_flight || is_sending(c))
				continue;
			if ((n = next_records(f)) == 0)
				return;
			begin_request(f, c, n);
			any = true;
		}
	}
}

static void
note_answered(struct flow *f, const struct asked *a)
{
	double now = measure_now_s();

	f->done += a->n;
	for (uint32_t i = 0; f->load->rate > 0 && i < a->n; i++)
		samples_add(&f->us, (now - load_due_s(f->load, f->began_s, a->first + i)) * 1e6);
}

static void
take_produced(struct flow *f, struct conn *c)
{
	struct span answer;

	while (conn_answer(c, &answer)) {
		if (c->waiting == 0 || !bare_produced(&c->bare, answer))
			client_fail(f->outcome, "%s", c->waiting == 0 ? "an answer that nobody asked for" : c->bare.error);
		note_answered(f, &c->asked[c->oldest]);
		c->oldest = (c->oldest + 1) % IN_FLIGHT_MAX;
		c->waiting--;
	}
}

/* Whether a connection could take what is due next. */
static bool
may_put(const struct flow *f)
{
	for (int i = 0; i < f->load->connections; i++)
		if (f->conns[i].waiting < f->load->in_flight && !is_sending(&f->conns[i]))
			return f->load->rate > 0 && f->put < f->load->records;
	return false;
}

static void
produce_all(struct flow *f)
{
	const struct load *l = f->load;

	while (f->done < l->records) {
		put_more(f);
		wait_all(f, may_put(f) ? load_due_s(l, f->began_s, f->put) + l->linger_ms / 1e3 : 0);
		for (int i = 0; i < l->connections; i++) {
			if (f->polled[i].revents & POLLOUT)
				conn_send(f, &f->conns[i]);
			if (f->polled[i].revents & ~POLLOUT)
				conn_receive(f, &f->conns[i]);
			take_produced(f, &f->conns[i]);
		}
	}
}

void
flow_produce_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct load *l = arg;
	struct flow *f = xcalloc(1, sizeof *f);
	struct window w;

	f->load = l;
	f->outcome = o;
	f->batch_records = (uint32_t)(l->batch_bytes / l->record_bytes);
	if (f->batch_records == 0)
		f->batch_records = 1;
	f->batches = xcalloc((f->batch_records + 1) * (size_t)VARIANTS, sizeof *f->batches);
	open_all(f);
	touch(f);
	unblock_all(f);
	if (l->rate > 0)
		samples_init(&f->us, l->records);
	window_begin(&w, logd);
	f->began_s = measure_now_s();
	produce_all(f);
	window_end(&w, o);
	o->records = f->done;
	o->bytes = f->done * l->record_bytes;
	if (l->rate > 0)
		samples_latency(&f->us, &o->latency);
	samples_done(&f->us);
	free_batches(f);
	close_all(f);
	free(f);
}

/* ---- consuming ---- */

static void
ask_more(struct flow *f, int i)
{
	const struct load *l = f->load;
	struct conn *c = &f->conns[i];
	struct bare_fetch fetch = { l->topic, f->offsets, i, l->connections, l->partitions };

	buf_reset(&c->head);
	bare_fetch_frame(&c->head, &fetch);
	c->out[0] = (struct iovec){ c->head.p, c->head.n };
	conn_send(f, c);
}

/* What has come may end within a batch; and begin before what was asked for, but that is not asked here. */
static void
count_records(void *ctx, int32_t partition, struct span records)
{
	struct flow *f = ctx;
	struct batch b;

	if (partition < 0 || partition >= f->load->partitions)
		client_fail(f->outcome, "fetch: the answer is about other partitions");
	for (; batch_header(&b, records) && b.size <= records.n; records = span_of(records.p + b.size, records.n - b.size)) {
		f->done += (uint64_t)b.count;
		f->offsets[partition] = batch_last_offset(&b) + 1;
	}
}

static void
take_fetched(struct flow *f, int i)
{
	struct conn *c = &f->conns[i];
	struct span answer;

	if (!conn_answer(c, &answer))
		return;
	if (!bare_fetched(&c->bare, answer, count_records, f))
		client_fail(f->outcome, "%s", c->bare.error);
	ask_more(f, i);
}

void
flow_consume_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct load *l = arg;
	struct flow *f = xcalloc(1, sizeof *f);
	struct window w;

	f->load = l;
	f->outcome = o;
	f->offsets = xcalloc((size_t)l->partitions, sizeof *f->offsets);
	open_all(f);
	unblock_all(f);
	window_begin(&w, logd);
	for (int i = 0; i < l->connections && i < l->partitions; i++)
		ask_more(f, i);
	while (f->done < l->records) {
		wait_all(f, 0);
		for (int i = 0; i < l->connections; i++) {
			if (f->polled[i].revents & POLLOUT)
				conn_send(f, &f->conns[i]);
			if (f->polled[i].revents & ~POLLOUT)
				conn_receive(f, &f->conns[i]);
			take_fetched(f, i);
		}
	}
	window_end(&w, o);
	o->records = f->done;
	o->bytes = f->done * l->record_bytes;
	free(f->offsets);
	close_all(f);
	free(f);
}
