/* offsets.c -- committed offsets in the daemon's state. */
#include "api/offsets.h"

#include "base/diag.h"
#include "base/must.h"

/* Keys that are deleted as one batch: some 3 MB at most. */
enum { DELETED_MAX = 10000 };

struct span
offsets_prefix(uint8_t key[OFFSETS_KEY_MAX], struct span group)
{
	must(group.n <= GROUP_ID_MAX_BYTES);
	store16(key, (uint16_t)group.n);
	if (group.n > 0)
		memcpy(key + 2, group.p, group.n);
	return span_of(key, 2 + group.n);
}

struct span
offsets_key(uint8_t key[OFFSETS_KEY_MAX], struct span group, const uint8_t topic[16], int32_t partition)
{
	size_t n = offsets_prefix(key, group).n;

	memcpy(key + n, topic, 16);
	store32(key + n + 16, (uint32_t)partition);
	return span_of(key, n + 20);
}

bool
offsets_key_parse(struct span key, struct span *group, const uint8_t **topic, int32_t *partition)
{
	size_t n = key.n < 2 ? 0 : load16(key.p);

	if (key.n < 2 || key.n != 2 + n + 20)
		return false;
	*group = span_of(key.p + 2, n);
	*topic = key.p + 2 + n;
	*partition = (int32_t)load32(key.p + 2 + n + 16);
	return true;
}

bool
offsets_parse(struct span value, struct wire_offset_commit_record *out)
{
	struct arena arena;
	struct wire_in in;
	bool ok;

	/* The record has no arrays, so nothing of it is in the arena. */
	arena_init(&arena, 0);
	wire_in_init(&in, value, &arena);
	ok = wire_offset_commit_record_decode(&in, out) == 0;
	if (!ok)
		diag_error("committed offset can't be read from the state", "error=\"%s\"", in.error);
	arena_done(&arena);
	return ok;
}

/* The value to store, in the request's arena. */
static struct span
value_of(struct request *r, const struct offsets_commit *what)
{
	struct wire_offset_commit_record record;
	struct gather g;
	struct span value;

	wire_offset_commit_record_default(&record);
	record.offset = what->offset;
	record.leader_epoch = what->leader_epoch;
	record.metadata = what->metadata;
	record.commit_ms = request_wall_ms(r);
	if (what->retention_ms >= 0 && what->retention_ms <= INT64_MAX - record.commit_ms)
		record.expire_ms = record.commit_ms + what->retention_ms;
	gather_init(&g);
	wire_offset_commit_record_encode(&g, &record);
	must_fit(!g.buf.failed);
	must(g.n_slices == 0);
	value = span_of(memcpy(request_alloc(r, g.buf.n), g.buf.p, g.buf.n), g.buf.n);
	gather_done(&g);
	return value;
}

struct offsets_batch *
offsets_batch_begin(struct request *r, const void *response, size_t max,
    struct span (*key)(struct request *, const uint8_t topic[16], int32_t partition))
{
	struct offsets_batch *b = request_alloc(r, sizeof *b);

	b->pending = pending_begin(r, response);
	b->key = key;
	b->entries = request_array(r, max, sizeof *b->entries);
	b->codes = request_array(r, max, sizeof *b->codes);
	return b;
}

void
offsets_batch_add(struct offsets_batch *b, const struct topic *t, int32_t partition,
    const struct offsets_commit *what, enum kafka_error refused, int16_t *code)
{
	struct request *r = b->pending->request;

	if (topic_partition(t, partition) == NULL)
		*code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	else if (refused != KAFKA_NONE)
		*code = (int16_t)refused;
	else if (what->metadata.n > (size_t)r->api->config.offset_metadata_max_bytes)
		*code = KAFKA_OFFSET_METADATA_TOO_LARGE;
	else {
		b->entries[b->n] = (struct state_entry){ b->key(r, t->id, partition), value_of(r, what) };
		b->codes[b->n++] = code;
	}
}

static void
batch_done(struct append *a)
{
	struct offsets_batch *b = a->user;
	enum kafka_error error = a->error == STORE_MESSAGE_TOO_LARGE || a->error == STORE_RECORD_LIST_TOO_LARGE ?
	    KAFKA_INVALID_COMMIT_OFFSET_SIZE : request_error(a->error);

	for (size_t i = 0; i < b->n; i++)
		*b->codes[i] = (int16_t)error;
	pending_release(b->pending);
}

bool
offsets_batch_put(struct offsets_batch *b)
{
	struct request *r = b->pending->request;
	bool over, taken;

	if (b->n == 0)
		return false;
	pending_hold(b->pending);
	b->append = (struct append){ .done = batch_done, .user = b };
	over = state_put(r->api->store, STATE_OFFSETS, b->entries, b->n, request_wall_ms(r), &b->append);
	taken = b->append.error == STORE_OK;
	if (over)
		batch_done(&b->append);
	return taken;
}

bool
offsets_get(struct api *api, struct span group, const uint8_t topic[16], int32_t partition,
    struct buf *value, struct wire_offset_commit_record *out)
{
	uint8_t key[OFFSETS_KEY_MAX];

	return group.n <= GROUP_ID_MAX_BYTES &&
	    state_get(api->store, STATE_OFFSETS, offsets_key(key, group, topic, partition), value) &&
	    offsets_parse(buf_bytes(value), out);
}

bool
offsets_delete(struct pending *p, const struct state_entry *keys, size_t n, int16_t *error)
{
	struct span *text = request_alloc(p->request, sizeof *text); /* this answer has none */

	for (size_t begun = 0, k; begun < n; begun += k) {
		struct append *a = pending_append(p, error, text);
		bool over, taken;

		k = n - begun < DELETED_MAX ? n - begun : DELETED_MAX;
		over = state_put(p->request->api->store, STATE_OFFSETS, keys + begun, k,
		    request_wall_ms(p->request), a);
		taken = a->error == STORE_OK;
		pending_begun(a, over);
		if (!taken)
			return false;
	}
	return true;
}

static bool
found(void *ctx, struct span key, struct span value)
{
	(void)key;
	(void)value;
	*(bool *)ctx = true;
	return false;
}

void
offsets_note(struct api *api, struct span group)
{
	uint8_t key[OFFSETS_KEY_MAX];
	bool any = false;

	state_each(api->store, STATE_OFFSETS, offsets_prefix(key, group), found, &any);
	groups_note_offsets(api->groups, group, any, loop_now_ms(api->loop));
}
