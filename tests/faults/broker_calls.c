/* broker_calls.c -- a simulated client's requests as frames, and answers as structs. */
#include "faults/broker_calls.h"

#include <stdio.h>

#include "api/api.h"
#include "base/xalloc.h"
#include "wire/wire_text.h"

enum { DECODED_MAX = 1 << 24, TOLD_MAX = 1000 };

static void
flatten(const struct gather *g, struct buf *to)
{
	struct iovec iov[64];
	int n;

	while ((n = gather_iov(g, to->n, iov, 64)) > 0)
		for (int i = 0; i < n; i++)
			buf_put(to, iov[i].iov_base, iov[i].iov_len);
}

/* With -v, what goes to and fro. */
static void
tell(const struct call *call, bool sent, const struct wire_message *m, const void *message)
{
	const struct client *c = call->client;
	struct buf text = { 0 };

	if (!sim_verbose())
		return;
	wire_print(&text, m, call->version, message);
	fprintf(stderr, "%lld %s %d %s %s v%d #%d %.*s\n", (long long)now_ms(), c->kind->name, c->number,
	    sent ? "asks" : "is told", call->api->name, call->version, call->correlation,
	    text.n > TOLD_MAX ? TOLD_MAX : (int)text.n, (const char *)text.p);
	buf_done(&text);
}

struct call *
call_new(struct client *c)
{
	struct call *call = xcalloc(1, sizeof *call);

	list_init(&call->link);
	call->client = c;
	know(&call->known);
	return call;
}

void
call_send(struct call *call, int key, int version, const void *message,
    void (*answered)(struct call *, const void *))
{
	struct client *c = call->client;
	struct wire_request_header header;
	struct buf frame = { 0 };
	struct gather g;

	call->api = wire_api_find(key);
	call->version = version;
	call->correlation = ++c->last_correlation;
	call->answered = answered;
	wire_request_header_default(&header);
	header.request_api_key = (int16_t)key;
	header.request_api_version = (int16_t)version;
	header.correlation_id = call->correlation;
	header.client_id = span_str(c->kind->name);
	gather_init(&g);
	wire_request_header_encode(&g, wire_request_header_version(call->api, version), &header);
	wire_encode(&g, call->api->request, version, message);
	must(!g.buf.failed);
	tell(call, true, call->api->request, message);
	flatten(&g, &frame);
	fake_conn_send(c->conn, buf_bytes(&frame));
	buf_done(&frame);
	gather_done(&g);
	if (answered == NULL) {
		free(call);
		return;
	}
	list_add(&c->calls, &call->link);
	c->n_calls++;
}

static void
on_answer(void *ctx, struct span bytes)
{
	struct client *c = ctx;
	struct call *call = list_first(&c->calls, struct call, link);
	struct wire_response_header header;
	struct wire_in in;
	struct arena arena;
	void *message;

	if (call == NULL)
		broken("%s %d: an answer to nothing", c->kind->name, c->number);
	list_del(&call->link);
	c->n_calls--;
	arena_init(&arena, DECODED_MAX);
	wire_in_init(&in, bytes, &arena);
	message = arena_alloc(&arena, call->api->response->body->size);
	if (wire_response_header_decode(&in, wire_response_header_version(call->api, call->version), &header) == -1 ||
	    header.correlation_id != call->correlation ||
	    wire_decode(&in, call->api->response, call->version, message) == -1 || in.p != in.end)
		broken("%s %d: the answer to %s can't be read", c->kind->name, c->number, call->api->name);
	event();
	tell(call, false, call->api->response, message);
	call->answered(call, message);
	free(call);
	arena_done(&arena);
}

static void
on_refusal(void *ctx)
{
	struct client *c = ctx;

	broken("%s %d: its connection was ended", c->kind->name, c->number);
}

void
client_begin(struct client *c, const struct client_kind *kind, int number)
{
	static const struct api_listener tag = { "broker", 9092 };

	*c = (struct client){ .kind = kind, .number = number };
	list_init(&c->calls);
	c->conn = fake_conn_new(&tag, on_answer, on_refusal, c);
}
