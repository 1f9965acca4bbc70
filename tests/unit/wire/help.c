/* help.c -- what the tests of logd/wire have in common. */
#include "unit/wire/help.h"

#include <stdio.h>

#include "unit/unit.h"
#include "wire/wire_text.h"

struct span
help_hex(struct arena *arena, const char *hex)
{
	uint8_t *to = arena_alloc(arena, strlen(hex) / 2);
	size_t n = 0;
	unsigned byte;
	int used;

	CU_ASSERT_FATAL(to != NULL);
	for (; sscanf(hex, "%2x%n", &byte, &used) == 1; hex += used)
		to[n++] = (uint8_t)byte;
	CU_ASSERT(strspn(hex, " ") == strlen(hex));
	return span_of(to, n);
}

struct span
help_flat(struct arena *arena, const struct gather *g)
{
	size_t size = gather_size(g), n = 0;
	uint8_t *to = arena_alloc(arena, size);
	struct iovec iov;

	CU_ASSERT_FATAL(to != NULL);
	for (; gather_iov(g, n, &iov, 1) == 1; n += iov.iov_len)
		memcpy(to + n, iov.iov_base, iov.iov_len);
	CU_ASSERT_FATAL(n == size);
	return span_of(to, n);
}

struct span
help_encode(struct arena *arena, const struct wire_message *m, int version,
    const void *from)
{
	struct gather out;
	struct span flat;

	gather_init(&out);
	wire_encode(&out, m, version, from);
	CU_ASSERT_FATAL(!out.buf.failed);
	flat = help_flat(arena, &out);
	gather_done(&out);
	return flat;
}

void *
help_decode(struct arena *arena, const struct wire_message *m, int version,
    struct span from, const char **error)
{
	void *to = arena_alloc(arena, m->body->size);
	struct wire_in in;
	int rc;

	CU_ASSERT_FATAL(to != NULL);
	memset(to, 0xa5, m->body->size);
	wire_in_init(&in, from, arena);
	rc = wire_decode(&in, m, version, to);
	CU_ASSERT((rc == 0) == (in.error == NULL));
	CU_ASSERT(in.field != NULL);
	if (error != NULL)
		*error = in.error;
	return rc == 0 ? to : NULL;
}

const char *
help_print(struct arena *arena, const struct wire_message *m, int version,
    const void *from)
{
	struct buf text;
	const char *copy;

	buf_init(&text);
	wire_print(&text, m, version, from);
	buf_u8(&text, '\0');
	CU_ASSERT_FATAL(!text.failed);
	copy = arena_copy(arena, text.p, text.n);
	CU_ASSERT_FATAL(copy != NULL);
	buf_done(&text);
	return copy;
}

const struct wire_message *
help_message(const char *name)
{
	const struct wire_message *m = wire_message_find(span_str(name));

	CU_ASSERT_FATAL(m != NULL);
	return m;
}
