/* record.c -- single records of the daemon's own state. */
#include "api/record.h"

#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "wire/wire.h"

/* What the arrays of a record may take, beside its bytes. */
enum { ARRAYS_MAX = 4 * 1024 * 1024 };

static const struct wire_message *
find_message(const char *name)
{
	const struct wire_message *m = wire_message_find(span_str(name));

	must(m != NULL && m->kind == WIRE_MESSAGE_RECORD);
	return m;
}

int
record_parse(struct span value, const char *name, struct arena *arena, void *to)
{
	struct wire_in in;
	void *copy;

	arena_init(arena, value.n + ARRAYS_MAX);
	copy = arena_copy(arena, value.p, value.n);
	must_fit(copy != NULL);
	wire_in_init(&in, span_of(copy, value.n), arena);
	if (wire_record_decode(&in, find_message(name), to) != -1)
		return 1;
	diag_error("record of the daemon's state can't be read", "record=%s error=\"%s\"", name, in.error);
	return -1;
}

int
record_read(struct api *api, enum state_log log, struct span key, const char *name, struct arena *arena, void *to)
{
	struct buf value = { 0 };
	int r = 0;

	if (state_get(api->store, log, key, &value))
		r = record_parse(buf_bytes(&value), name, arena, to);
	else
		arena_init(arena, 0);
	buf_done(&value);
	return r;
}

bool
record_put(struct api *api, enum state_log log, struct span key, const char *name, const void *record, struct append *a)
{
	struct state_entry entry;
	struct gather value;
	bool over;

	gather_init(&value);
	wire_record_encode(&value, find_message(name), record);
	must_fit(!value.buf.failed);
	must(value.n_slices == 0);
	entry = (struct state_entry){ key, buf_bytes(&value.buf) };
	over = state_put(api->store, log, &entry, 1, loop_wall_ms(api->loop), a);
	gather_done(&value);
	return over;
}

static void
unawaited_done(struct append *a)
{
	free(a);
}

bool
record_put_unawaited(struct api *api, enum state_log log, const struct state_entry *entries, size_t n)
{
	struct append *a = xcalloc(1, sizeof *a);
	bool over, taken;

	a->done = unawaited_done;
	over = state_put(api->store, log, entries, n, loop_wall_ms(api->loop), a);
	taken = a->error == STORE_OK;
	if (over)
		free(a);
	return taken;
}
