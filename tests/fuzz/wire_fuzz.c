/*
 * wire_fuzz.c -- the Kafka codec against bytes that nobody meant.
 *
 * The first byte chooses the message, the second the version; its highest bit
 * says that what follows is text to be parsed, and not bytes to be decoded.
 * What is accepted must encode, and come back the same.  wire_seeds.c makes a
 * corpus to start from.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/wire.h"
#include "wire/wire_text.h"

enum { ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
flatten(struct buf *to, const struct gather *from)
{
	struct iovec iov;

	while (gather_iov(from, to->n, &iov, 1) == 1)
		buf_put(to, iov.iov_base, iov.iov_len);
	must(!to->failed && to->n == gather_size(from));
}

/* Encodes the message and decodes it again: both must print alike. */
static void
check(struct arena *arena, const struct wire_message *m, int version,
    const void *message)
{
	struct buf text = { 0 }, again = { 0 }, flat = { 0 };
	void *back = arena_alloc(arena, m->body->size);
	struct gather out;
	struct wire_in in;

	gather_init(&out);
	wire_encode(&out, m, version, message);
	must(!out.buf.failed);
	flatten(&flat, &out);
	wire_in_init(&in, buf_bytes(&flat), arena);
	if (back != NULL && wire_decode(&in, m, version, back) == 0) {
		wire_print(&text, m, version, message);
		wire_print(&again, m, version, back);
		must(span_eq(buf_bytes(&text), buf_bytes(&again)));
	} else /* the second copy may be what the arena has no room for */
		must(arena->used > ARENA_MAX / 4);
	buf_done(&text);
	buf_done(&again);
	buf_done(&flat);
	gather_done(&out);
}

/* Strings in text may be longer than a message can bear; that is no finding. */
static bool
is_sendable(const struct wire_message *m, int version, const void *message)
{
	struct gather out;
	bool sendable;

	gather_init(&out);
	wire_encode(&out, m, version, message);
	sendable = !out.buf.failed;
	gather_done(&out);
	return sendable;
}

static bool
read_message(struct arena *arena, const struct wire_message *m, int version,
    bool is_text, struct span from, void *to)
{
	struct wire_text text;
	struct wire_in in;

	if (is_text) {
		wire_text_init(&text, from, arena);
		return wire_parse(&text, m, version, to) == 0 &&
		    is_sendable(m, version, to);
	}
	wire_in_init(&in, from, arena);
	return wire_decode(&in, m, version, to) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct wire_message *m;
	struct arena arena;
	void *message;
	int version;

	if (n < 2)
		return -1;
	m = wire_messages[p[0] % wire_n_messages];
	version = m->min + (p[1] & 0x7f) % (m->max - m->min + 1);
	arena_init(&arena, ARENA_MAX);
	message = arena_alloc(&arena, m->body->size);
	if (read_message(&arena, m, version, p[1] >= 0x80,
	    span_of(p + 2, n - 2), message))
		check(&arena, m, version, message);
	arena_done(&arena);
	return 0;
}
