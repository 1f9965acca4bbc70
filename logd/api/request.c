/* request.c -- the life of one request. */
#include "api/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"

/* A list of kept memory; the struct comes from the arena. */
struct buffer {
	struct buffer *next;
	void *bytes;
};

void *
request_alloc(struct request *r, size_t n)
{
	void *p = arena_alloc(&r->arena, n);

	if (p == NULL && !r->full) {
		r->full = true;
		r->arena.cap = SIZE_MAX;
		p = arena_alloc(&r->arena, n);
	}
	must_fit(p != NULL);
	return p;
}

void *
request_array(struct request *r, size_t n, size_t size)
{
	must(size == 0 || n <= SIZE_MAX / size);
	return request_alloc(r, n * size);
}

struct span
request_copy(struct request *r, struct span from)
{
	void *to;

	if (from.p == NULL)
		return from;
	to = request_alloc(r, from.n);
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	return span_of(to, from.n);
}

struct span
request_printf(struct request *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	must(n >= 0);
	if ((size_t)n >= sizeof text)
		n = sizeof text - 1;
	return request_copy(r, span_of(text, (size_t)n));
}

void
request_keep(struct request *r, void *bytes)
{
	struct buffer *b;

	if (bytes == NULL)
		return;
	b = request_alloc(r, sizeof *b);
	b->next = r->buffers;
	b->bytes = bytes;
	r->buffers = b;
}

void
request_forget(struct request *r)
{
	for (struct buffer *b = r->buffers; b != NULL; b = b->next)
		free(b->bytes);
	r->buffers = NULL;
}

void
request_hold(struct request *r)
{
	r->refs++;
}

void
request_release(struct request *r)
{
	must(r->refs > 0);
	if (--r->refs > 0)
		return;
	must(r->exchange == NULL);
	request_forget(r);
	arena_done(&r->arena);
	free(r);
}

static void
sent(void *ctx)
{
	request_release(ctx);
}

/* Takes the exchange away from the request: it is ended now. */
static struct exchange *
take_exchange(struct request *r)
{
	struct exchange *e = r->exchange;

	must(e != NULL);
	exchange_set_user(e, NULL);
	r->exchange = NULL;
	r->gone = NULL;
	list_del(&r->turn);
	return e;
}

void
request_reply_version(struct request *r, const void *response, int version)
{
	struct wire_response_header header = { .correlation_id = r->correlation_id };
	struct gather answer;
	char why[96];

	if (r->full) {
		snprintf(why, sizeof why, "the answer to %s is too large; ask for less at a time", r->wire->name);
		request_refuse(r, why);
		return;
	}
	gather_init(&answer);
	wire_response_header_encode(&answer, wire_response_header_version(r->wire, r->version), &header);
	wire_encode(&answer, r->wire->response, version, response);
	exchange_reply(take_exchange(r), &answer, sent, r);
}

void
request_reply(struct request *r, const void *response)
{
	request_reply_version(r, response, r->version);
}

void
request_drop(struct request *r)
{
	exchange_done(take_exchange(r));
	request_release(r);
}

void
request_refuse(struct request *r, const char *why)
{
	stat_add(&r->api->stats.requests_refused, 1);
	exchange_refuse(take_exchange(r), why);
	request_release(r);
}

/* ---- pauses ---- */

static void
stop(struct request *r, void (*go_on)(struct request *))
{
	must(r->gone != NULL);
	if (r->go_on == NULL)
		exchange_pause(r->exchange);
	r->go_on = go_on;
}

void
request_await(struct request *r, void (*go_on)(struct request *))
{
	stop(r, go_on);
	r->awaiting = true;
}

void
request_go_on(struct request *r)
{
	r->awaiting = false;
	if (list_empty(&r->turn))
		list_add(&r->api->paused, &r->turn);
	/* The turn comes at the end of a round: let the next one not wait for events. */
	loop_timer_set(r->api->loop, &r->api->paused_timer, request_now_ms(r));
}

void
request_pause(struct request *r, void (*go_on)(struct request *))
{
	stop(r, go_on);
	request_go_on(r);
}

static void
take_turn(struct request *r)
{
	request_hold(r);
	r->go_on(r);
	if (r->exchange != NULL && list_empty(&r->turn) && !r->awaiting) {
		r->go_on = NULL;
		exchange_resume(r->exchange);
	}
	request_release(r);
}

/* Who pauses anew in its turn has the next in the next round. */
void
request_turns(struct api *api)
{
	struct list paused;

	list_init(&paused);
	list_move_all(&paused, &api->paused);
	while (!list_empty(&paused)) {
		struct request *r = list_first(&paused, struct request, turn);

		list_del(&r->turn);
		take_turn(r);
	}
}

static void
wake(struct timer *timer)
{
	(void)timer; /* that the round did not wait is all that it is for */
}

void
request_turns_init(struct api *api)
{
	list_init(&api->paused);
	api->paused_timer.fire = wake;
}

/* ---- what handlers ask for ---- */

int64_t
request_now_ms(const struct request *r)
{
	return loop_now_ms(r->api->loop);
}

int64_t
request_wall_ms(const struct request *r)
{
	return loop_wall_ms(r->api->loop);
}

enum kafka_error
request_error(enum store_error error)
{
	static const enum kafka_error codes[] = {
		[STORE_OK] = KAFKA_NONE,
		[STORE_CORRUPT_MESSAGE] = KAFKA_CORRUPT_MESSAGE,
		[STORE_INVALID_RECORD] = KAFKA_INVALID_RECORD,
		[STORE_NO_KEY] = KAFKA_INVALID_RECORD,
		[STORE_MESSAGE_TOO_LARGE] = KAFKA_MESSAGE_TOO_LARGE,
		[STORE_RECORD_LIST_TOO_LARGE] = KAFKA_RECORD_LIST_TOO_LARGE,
		[STORE_UNSUPPORTED_CODEC] = KAFKA_UNSUPPORTED_COMPRESSION_TYPE,
		[STORE_INVALID_TIMESTAMP] = KAFKA_INVALID_TIMESTAMP,
		[STORE_OUT_OF_ORDER_SEQUENCE] = KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER,
		[STORE_INVALID_PRODUCER_EPOCH] = KAFKA_INVALID_PRODUCER_EPOCH,
		[STORE_INVALID_TXN_STATE] = KAFKA_INVALID_TXN_STATE,
		[STORE_OFFSET_OUT_OF_RANGE] = KAFKA_OFFSET_OUT_OF_RANGE,
		[STORE_DISK] = KAFKA_KAFKA_STORAGE_ERROR,
		[STORE_GONE] = KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
	};

	return codes[error];
}

struct api_listener
request_listener(const struct request *r)
{
	return *(const struct api_listener *)exchange_listener(r->exchange);
}
