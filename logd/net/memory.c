/*
 * memory.c -- what requests and answers may take of memory, all connections
 * together.
 *
 * Requests.  Lengths, and frames of up to SMALL_FRAME_BYTES, are always read:
 * what keeps groups and consumers alive waits for nobody's memory.  Of a
 * larger frame only the beginning is read beyond the limit; then its
 * connection waits.  If it is exchanges that take the memory, it comes back as
 * they end.  But if it is frames begun and not ended, it would never: so of
 * the connections that wait (they have sent more than was read), the one whose
 * frame lacks least may go on, and the next when that is whole.  In this order
 * they go on when there is memory again, too.
 *
 * Who has stopped sending is thus not waited for, but takes up memory; who
 * sends too slowly is waited for.  When the memory has been full for
 * PATIENCE_MS, all are dropped at once that were read for so long without a
 * byte.  When a connection has waited for so long because of what others have
 * begun, the largest are dropped (and one that could go on all the time) until
 * what is begun takes no more than half of the limit.  So nobody waits for others'
 * unfinished requests longer than PATIENCE_MS + LOOK_MS, unless those send
 * half of the limit once more for each such time.
 *
 * Answers.  Beyond the limit those connections are ended whose peer has taken
 * nothing for STALL_MS, the one with the most bytes first.
 *
 * While either memory is full, a connection has one request under way at a
 * time, as with Apache Kafka.
 *
 * So the memory of requests is bound by twice the limit (frames begun, and as
 * much in exchanges before nobody may go on any more), two frames, and 150 KiB
 * for each connection; that of answers by the limit, the answers to what was
 * under way when it was reached, and one for each connection.
 */
#include "net/net_internal.h"

#include "base/diag.h"

enum {
	LOOK_MS = 1000,     /* between looks at what keeps a memory full */
	LONG_MS = 1000,     /* who has waited for so long is no longer put off for others */
	PATIENCE_MS = 2000, /* with unfinished requests that keep it full */
	STALL_MS = 5000     /* with peers that take no answers */
};

static bool
answers_full(const struct net *n)
{
	return n->limits.answer_bytes_max >= 0 && n->answers > n->limits.answer_bytes_max;
}

bool
memory_requests_full(const struct net *n)
{
	return n->limits.request_bytes_max >= 0 && n->held > n->limits.request_bytes_max;
}

int
memory_in_flight_max(const struct net *n)
{
	return memory_requests_full(n) || answers_full(n) ? 1 : n->limits.in_flight_max;
}

size_t
memory_answer_room(const struct net *n)
{
	if (n->limits.answer_bytes_max < 0)
		return SIZE_MAX;
	return answers_full(n) ? 0 : (size_t)(n->limits.answer_bytes_max - n->answers);
}

/* Has somebody look after a memory that is full. */
static void
look_later(struct net *n)
{
	if (n->looking)
		return;
	n->looking = true;
	loop_timer_set(n->loop, &n->look, loop_now_ms(n->loop) + LOOK_MS);
}

/* ---- requests ---- */

static bool
waits_longer_than(const struct net *n, const struct conn *c, int64_t ms)
{
	return loop_now_ms(n->loop) - c->waiting_ms >= ms;
}

/* Of two that wait: who lacks less, but who has waited for long before who has not. */
static bool
goes_before(const struct net *n, const struct conn *a, const struct conn *b)
{
	bool long_a = waits_longer_than(n, a, LONG_MS), long_b = waits_longer_than(n, b, LONG_MS);

	if (long_a != long_b)
		return long_a;
	return a->frame_len - a->frame_n < b->frame_len - b->frame_n;
}

/* Has the best of those that wait read again. */
static void
favour_one(struct net *n)
{
	struct conn *best = NULL;

	list_each(it, &n->waiting) {
		struct conn *c = container_of(it, struct conn, waiting_link);

		if (best == NULL || goes_before(n, c, best))
			best = c;
	}
	if (best == NULL)
		return;
	list_del(&best->waiting_link);
	n->favoured = best;
	n->favoured_ms = loop_now_ms(n->loop);
	net_todo(n, best);
}

/*
 * While there is memory, the next is favoured when the one before it is
 * watched again, so that they read in their order until it is full.
 */
static void
share_memory(struct net *n)
{
	bool full = memory_requests_full(n);

	if (full)
		look_later(n);
	else {
		n->not_full_ms = loop_now_ms(n->loop);
		if (n->favoured != NULL && list_empty(&n->favoured->todo_link))
			n->favoured = NULL;
	}
	if (n->favoured == NULL && (!full || n->handed <= n->limits.request_bytes_max))
		favour_one(n);
}

void
memory_account(struct net *n, int64_t held, int64_t handed)
{
	n->held += held;
	n->handed += handed;
	must(n->handed >= 0 && n->held >= n->handed);
	stat_set(&n->stats.request_bytes, (uint64_t)n->held);
	share_memory(n);
}

bool
memory_lets_read(struct net *n, struct conn *c)
{
	if (!memory_requests_full(n) || n->favoured == c || c->frame_len <= SMALL_FRAME_BYTES)
		return true;
	stat_add(&n->stats.memory_waits, 1);
	if (c->waiting_ms == 0)
		c->waiting_ms = loop_now_ms(n->loop);
	list_add(&n->waiting, &c->waiting_link);
	share_memory(n);
	return false;
}

void
memory_let_go(struct net *n, struct conn *c)
{
	list_del(&c->waiting_link);
	if (n->favoured == c)
		n->favoured = NULL;
}

/* Ends a connection because of the frame that it has begun. */
static void
drop_unfinished(struct net *n, struct conn *c)
{
	stat_add(&n->stats.memory_evictions, 1);
	diag_warn("unfinished request dropped: it kept the memory for requests full; "
	    "raise queued.max.request.bytes if this is an honest client",
	    "peer=%s connection=%llu received=%zu length=%zu silent_ms=%lld", c->peer,
	    (unsigned long long)c->number, c->frame_n, c->frame_len,
	    (long long)(loop_now_ms(n->loop) - c->input_ms));
	conn_tear_down(c);
}

/* Those that were read, and got nothing. */
static void
drop_silent(struct net *n)
{
	int64_t now = loop_now_ms(n->loop);

	list_each(it, &n->conns) {
		struct conn *c = container_of(it, struct conn, link);

		if (c->frame != NULL && c->watch.events & WATCH_READ &&
		    now - c->input_ms >= PATIENCE_MS)
			drop_unfinished(n, c);
	}
}

/* The connection whose unfinished frame takes most. */
static struct conn *
largest_begun(const struct net *n)
{
	struct conn *largest = NULL;

	list_each(it, &n->conns) {
		struct conn *c = container_of(it, struct conn, link);

		if (c->frame_cap > (largest == NULL ? 0 : largest->frame_cap))
			largest = c;
	}
	return largest;
}

static void
drop_largest(struct net *n)
{
	struct conn *c;

	while (n->held - n->handed > n->limits.request_bytes_max / 2 &&
	    (c = largest_begun(n)) != NULL)
		drop_unfinished(n, c);
}

/* Whether it is frames begun that have kept the memory full. */
static bool
is_kept_full(const struct net *n)
{
	return memory_requests_full(n) && n->handed <= n->limits.request_bytes_max &&
	    loop_now_ms(n->loop) - n->not_full_ms >= PATIENCE_MS;
}

static bool
somebody_waits_too_long(const struct net *n)
{
	list_each(it, &n->waiting)
		if (waits_longer_than(n, container_of(it, struct conn, waiting_link), PATIENCE_MS))
			return true;
	return false;
}

static void
look_at_requests(struct net *n)
{
	if (is_kept_full(n))
		drop_silent(n);
	if (is_kept_full(n) && somebody_waits_too_long(n)) {
		if (n->favoured != NULL && loop_now_ms(n->loop) - n->favoured_ms >= PATIENCE_MS)
			drop_unfinished(n, n->favoured);
		drop_largest(n);
	}
	share_memory(n);
}

/* ---- answers ---- */

void
memory_account_answers(struct net *n, int64_t bytes)
{
	n->answers += bytes;
	must(n->answers >= 0);
	stat_set(&n->stats.answer_bytes, (uint64_t)n->answers);
	if (answers_full(n))
		look_later(n);
}

/* Of the connections whose peer takes nothing, the one with the most to take. */
static struct conn *
most_stalled(const struct net *n)
{
	struct conn *most = NULL;

	list_each(it, &n->conns) {
		struct conn *c = container_of(it, struct conn, link);

		if (c->blocked && loop_now_ms(n->loop) - c->output_ms >= STALL_MS &&
		    (most == NULL || c->out_bytes > most->out_bytes))
			most = c;
	}
	return most;
}

static void
look_at_answers(struct net *n)
{
	struct conn *c;

	while (answers_full(n) && (c = most_stalled(n)) != NULL) {
		stat_add(&n->stats.answer_evictions, 1);
		diag_warn("connection ended: its client takes no answers, and the memory for answers is full; "
		    "raise weir.queued.max.response.bytes if this is an honest client",
		    "peer=%s connection=%llu waiting_bytes=%zu stalled_ms=%lld", c->peer,
		    (unsigned long long)c->number, c->out_bytes,
		    (long long)(loop_now_ms(n->loop) - c->output_ms));
		conn_tear_down(c);
	}
}

/* ---- both ---- */

void
memory_look(struct timer *t)
{
	struct net *n = container_of(t, struct net, look);

	n->looking = false;
	look_at_answers(n);
	look_at_requests(n);
	if (memory_requests_full(n) || answers_full(n)) {
		look_later(n);
		return;
	}
	/* More than one request at a time may be under way again. */
	list_each(it, &n->conns)
		net_todo(n, container_of(it, struct conn, link));
}
