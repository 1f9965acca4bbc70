/*
 * wire_seeds.c -- a corpus for wire_fuzz.c: every message in every version, as
 * bytes and as text.
 *
 *	wire_seeds DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "fuzz/seeds.h"
#include "wire/wire_random.h"
#include "wire/wire_text.h"

enum { SEED = 1, ARENA_MAX = 1 << 20 };

/* Writes DIRECTORY/NAME-vVERSION.KIND. */
static void
write_seed(const char *dir, const struct wire_message *m, int version,
    const char *kind, const struct buf *bytes)
{
	char name[200];

	snprintf(name, sizeof name, "%s-v%d.%s", m->name, version, kind);
	seeds_write(dir, name, buf_bytes(bytes));
}

static void
make_seeds(const char *dir, size_t index, int version)
{
	const struct wire_message *m = wire_messages[index];
	uint8_t choice = (uint8_t)(version - m->min);
	struct buf bytes = { 0 }, text = { 0 };
	struct arena arena;
	struct gather out;
	struct iovec iov;
	size_t done = 0;
	void *message;

	arena_init(&arena, ARENA_MAX);
	gather_init(&out);
	message = wire_random(m, version, SEED, &arena);
	must(message != NULL);
	wire_encode(&out, m, version, message);
	must(!out.buf.failed);
	buf_u8(&bytes, (uint8_t)index);
	buf_u8(&bytes, choice);
	for (; gather_iov(&out, done, &iov, 1) == 1; done += iov.iov_len)
		buf_put(&bytes, iov.iov_base, iov.iov_len);
	buf_u8(&text, (uint8_t)index);
	buf_u8(&text, choice | 0x80);
	wire_print(&text, m, version, message);
	must(!bytes.failed && !text.failed);
	write_seed(dir, m, version, "bytes", &bytes);
	write_seed(dir, m, version, "text", &text);
	buf_done(&bytes);
	buf_done(&text);
	gather_done(&out);
	arena_done(&arena);
}

int
main(int argc, char **argv)
{
	const char *dir = seeds_folder(argc, argv);
	size_t i;
	int v;

	for (i = 0; i < wire_n_messages; i++)
		for (v = wire_messages[i]->min; v <= wire_messages[i]->max; v++)
			make_seeds(dir, i, v);
	return EXIT_SUCCESS;
}
