/* bare.c -- a client that adds nothing. */
#include "bench/bare.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "wire/errors.h"
#include "wire/kafka_wire.h"

enum {
	PRODUCE = 0,
	FETCH = 1,
	METADATA = 3,
	CREATE_TOPICS = 19,
	PRODUCE_VERSION = 7, /* what librdkafka 2.0 sends; Kafka 4 takes 3 and up */
	FETCH_VERSION = 11,  /* and here 4 and up */
	CREATE_TOPICS_VERSION = 5,
	LENGTH = 4,         /* bytes before a frame */
	CORRELATION = 4,    /* and of the answer's header of version 0 */
	FETCH_BYTES = 8 << 20, /* of an answer */
	FETCH_PARTITION_BYTES = 1 << 20,
	FETCH_WAIT_MS = 500,
	SETTINGS_MAX = 16,
	ARENA_MAX = 1 << 20
};

static bool
fail(struct bare *c, const char *what, const char *why)
{
	snprintf(c->error, sizeof c->error, "%s: %s", what, why);
	return false;
}

static int
connect_to(struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol), on = 1;

	if (fd != -1 && connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

bool
bare_open(struct bare *c, const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *found;
	const char *colon = strrchr(address, ':');
	char host[64];

	*c = (struct bare){ .fd = -1 };
	must(colon != NULL);
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return fail(c, address, "not an address");
	c->fd = connect_to(found);
	freeaddrinfo(found);
	return c->fd != -1 || fail(c, address, strerror(errno));
}

void
bare_done(struct bare *c)
{
	close(c->fd);
	buf_done(&c->answer);
}

static void
put_gather(struct buf *to, const struct gather *g)
{
	struct iovec iov;
	size_t done = 0;

	for (; gather_iov(g, done, &iov, 1) == 1; done += iov.iov_len)
		buf_put(to, iov.iov_base, iov.iov_len);
}

void
bare_frame(struct buf *to, int api_key, int version, const void *request)
{
	const struct wire_api *api = wire_api_find(api_key);
	struct wire_request_header header;
	struct gather g;

	wire_request_header_default(&header);
	header.request_api_key = (int16_t)api_key;
	header.request_api_version = (int16_t)version;
	header.client_id = span_str("bench");
	gather_init(&g);
	wire_request_header_encode(&g, wire_request_header_version(api, version), &header);
	wire_encode(&g, api->request, version, request);
	buf_u32(to, (uint32_t)gather_size(&g));
	put_gather(to, &g);
	must(!g.buf.failed && !to->failed);
	gather_done(&g);
}

static bool
send_all(struct bare *c, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n == -1)
			return fail(c, "send", strerror(errno));
		bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return true;
}

/* Reads until the answer has `n` bytes; asks for more where they may be there. */
static bool
receive(struct bare *c, size_t n)
{
	while (c->answer.n < n) {
		uint8_t *to = buf_room(&c->answer, n - c->answer.n);
		ssize_t got;

		must(to != NULL);
		got = recv(c->fd, to, c->answer.cap - c->answer.n, 0);
		if (got <= 0)
			return fail(c, "receive", got == 0 ? "the daemon has closed the connection" : strerror(errno));
		c->answer.n += (size_t)got;
	}
	return true;
}

bool
bare_exchange(struct bare *c, struct span frame, struct span *answer)
{
	enum { FIRST = 4096 }; /* room that takes in a small answer whole */

	buf_reset(&c->answer);
	must(buf_room(&c->answer, FIRST) != NULL);
	if (!send_all(c, frame) || !receive(c, LENGTH + CORRELATION) ||
	    !receive(c, LENGTH + load32(c->answer.p)))
		return false;
	*answer = span_of(c->answer.p + LENGTH + CORRELATION, c->answer.n - LENGTH - CORRELATION);
	return true;
}

void
bare_produce_frame(struct buf *to, const char *topic, int32_t partition, int16_t acks, struct span batch)
{
	struct wire_produce_request_partition p;
	struct wire_produce_request_topic t;
	struct wire_produce_request r;

	wire_produce_request_partition_default(&p);
	p.index = partition;
	p.records = batch;
	wire_produce_request_topic_default(&t);
	t.name = span_str(topic);
	t.partition_data = &p;
	t.n_partition_data = 1;
	wire_produce_request_default(&r);
	r.acks = acks;
	r.timeout_ms = 30000;
	r.topic_data = &t;
	r.n_topic_data = 1;
	bare_frame(to, PRODUCE, PRODUCE_VERSION, &r);
}

/* Whether the answer is without an error. */
static bool
check_produced(struct bare *c, struct wire_in *in)
{
	struct wire_produce_response r;

	if (wire_produce_response_decode(in, PRODUCE_VERSION, &r) == -1)
		return fail(c, in->field, in->error);
	if (r.n_responses != 1 || r.responses[0].n_partition_responses != 1)
		return fail(c, "produce", "the answer is about other partitions");
	if (r.responses[0].partition_responses[0].error_code != 0)
		return fail(c, "produce", kafka_error_name(r.responses[0].partition_responses[0].error_code));
	return true;
}

bool
bare_produced(struct bare *c, struct span answer)
{
	struct arena arena;
	struct wire_in in;
	bool ok;

	arena_init(&arena, ARENA_MAX);
	wire_in_init(&in, answer, &arena);
	ok = check_produced(c, &in);
	arena_done(&arena);
	return ok;
}

bool
bare_produce(struct bare *c, struct span frame)
{
	struct span answer;

	return bare_exchange(c, frame, &answer) && bare_produced(c, answer);
}

void
bare_fetch_frame(struct buf *to, const struct bare_fetch *f)
{
	struct wire_fetch_request_partition *p = xcalloc((size_t)f->partitions, sizeof *p);
	struct wire_fetch_request_topic t;
	struct wire_fetch_request r;

	wire_fetch_request_topic_default(&t);
	t.topic = span_str(f->topic);
	t.partitions = p;
	for (int32_t i = f->first; i < f->partitions; i += f->step, t.n_partitions++, p++) {
		wire_fetch_request_partition_default(p);
		p->partition = i;
		p->fetch_offset = f->offsets[i];
		p->partition_max_bytes = FETCH_PARTITION_BYTES;
	}
	wire_fetch_request_default(&r);
	r.max_wait_ms = FETCH_WAIT_MS;
	r.min_bytes = 1;
	r.max_bytes = FETCH_BYTES;
	r.topics = &t;
	r.n_topics = 1;
	bare_frame(to, FETCH, FETCH_VERSION, &r);
	free(t.partitions);
}

static bool
walk_fetched(struct bare *c, struct wire_in *in, void (*each)(void *, int32_t, struct span), void *ctx)
{
	struct wire_fetch_response r;

	if (wire_fetch_response_decode(in, FETCH_VERSION, &r) == -1)
		return fail(c, in->field, in->error);
	if (r.error_code != 0)
		return fail(c, "fetch", kafka_error_name(r.error_code));
	for (size_t t = 0; t < r.n_responses; t++)
		for (size_t i = 0; i < r.responses[t].n_partitions; i++) {
			const struct wire_fetch_response_partition *p = &r.responses[t].partitions[i];

			if (p->error_code != 0)
				return fail(c, "fetch", kafka_error_name(p->error_code));
			each(ctx, p->partition_index, p->records);
		}
	return true;
}

bool
bare_fetched(struct bare *c, struct span answer, void (*each)(void *, int32_t, struct span), void *ctx)
{
	struct arena arena;
	struct wire_in in;
	bool ok;

	arena_init(&arena, ARENA_MAX);
	wire_in_init(&in, answer, &arena);
	ok = walk_fetched(c, &in, each, ctx);
	arena_done(&arena);
	return ok;
}

void
bare_metadata_frame(struct buf *to)
{
	struct wire_metadata_request r;

	wire_metadata_request_default(&r);
	r.topics = NULL; /* all */
	bare_frame(to, METADATA, BARE_METADATA_VERSION, &r);
}

static bool
check_created(struct bare *c, struct wire_in *in)
{
	struct wire_create_topics_response r;

	/* The header of a flexible answer ends with its tags: here, none. */
	in->p++;
	if (wire_create_topics_response_decode(in, CREATE_TOPICS_VERSION, &r) == -1)
		return fail(c, in->field, in->error);
	if (r.n_topics != 1 || r.topics[0].error_code != 0)
		return fail(c, "create topic", r.n_topics != 1 ? "no answer" : kafka_error_name(r.topics[0].error_code));
	return true;
}

bool
bare_create_topic(struct bare *c, const char *name, int32_t partitions, const char *const *settings)
{
	struct wire_create_topics_request_config configs[SETTINGS_MAX];
	struct wire_create_topics_request_topic t;
	struct wire_create_topics_request r;
	struct buf frame = { 0 };
	struct arena arena;
	struct span answer;
	struct wire_in in;
	bool ok;

	wire_create_topics_request_topic_default(&t);
	t.name = span_str(name);
	t.num_partitions = partitions;
	t.replication_factor = 1;
	t.configs = configs;
	for (; settings != NULL && settings[0] != NULL; settings += 2) {
		must(t.n_configs < SETTINGS_MAX);
		wire_create_topics_request_config_default(&configs[t.n_configs]);
		configs[t.n_configs].name = span_str(settings[0]);
		configs[t.n_configs++].value = span_str(settings[1]);
	}
	wire_create_topics_request_default(&r);
	r.topics = &t;
	r.n_topics = 1;
	bare_frame(&frame, CREATE_TOPICS, CREATE_TOPICS_VERSION, &r);
	arena_init(&arena, ARENA_MAX);
	if ((ok = bare_exchange(c, span_of(frame.p, frame.n), &answer))) {
		wire_in_init(&in, answer, &arena);
		ok = check_created(c, &in);
	}
	arena_done(&arena);
	buf_done(&frame);
	return ok;
}
