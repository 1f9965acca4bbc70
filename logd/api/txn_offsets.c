/* txn_offsets.c -- offsets that were committed within a transaction. */
#include "api/txn_offsets.h"

#include <stdlib.h>

#include "api/group_calls.h"
#include "api/topics.h"
#include "base/must.h"
#include "base/xalloc.h"

enum {
	PREFIX = 2 + 8,
	PENDING = 0xffff,  /* where keys of committed offsets have the length of a group's id */
	ENDED_AT_ONCE = 5000 /* offsets in one batch */
};

/* How many transactions have an offset pending under a key. */
struct count {
	size_t n;
	size_t key_n;
	uint8_t key[]; /* as it is to be in the end */
};

static struct span
prefix(uint8_t key[TXN_OFFSETS_KEY_MAX], int64_t producer_id)
{
	store16(key, PENDING);
	store64(key + 2, (uint64_t)producer_id);
	return span_of(key, PREFIX);
}

struct span
txn_offsets_key(uint8_t key[TXN_OFFSETS_KEY_MAX], int64_t producer_id, struct span group,
    const uint8_t topic[16], int32_t partition)
{
	size_t n = prefix(key, producer_id).n;

	return span_of(key, n + offsets_key(key + n, group, topic, partition).n);
}

/* The key that it is to have. */
static struct span
final_key(struct span key)
{
	return span_of(key.p + PREFIX, key.n - PREFIX);
}

bool
txn_offsets_fit(const struct api *api, size_t n)
{
	return n <= TXN_OFFSETS_MAX && api->pending_offsets.n <= TXN_OFFSETS_MAX - n;
}

void
txn_offsets_note(struct api *api, struct span key)
{
	struct span k = final_key(key);
	struct count *c = map_get(&api->pending_offsets, k);

	if (c == NULL) {
		c = xcalloc(1, sizeof *c + k.n);
		memcpy(c->key, k.p, k.n);
		must_fit(map_put(&api->pending_offsets, span_of(c->key, k.n), c));
	}
	c->n++;
}

static void
unnote(struct api *api, struct span k)
{
	struct count *c = map_get(&api->pending_offsets, k);

	must(c != NULL);
	if (--c->n > 0)
		return;
	map_del(&api->pending_offsets, k);
	free(c);
}

bool
txn_offsets_pending(struct api *api, struct span group, const uint8_t topic[16], int32_t partition)
{
	uint8_t key[OFFSETS_KEY_MAX];

	return group.n <= GROUP_ID_MAX_BYTES &&
	    map_get(&api->pending_offsets, offsets_key(key, group, topic, partition)) != NULL;
}

static bool
load_one(void *ctx, struct span key, struct span value)
{
	(void)value;
	txn_offsets_note(ctx, key);
	return true;
}

void
txn_offsets_load(struct api *api)
{
	uint8_t key[2];

	store16(key, PENDING);
	state_each(api->store, STATE_OFFSETS, span_of(key, sizeof key), load_one, api);
}

void
txn_offsets_done(struct api *api)
{
	struct count *c;
	size_t it = 0;

	while ((c = map_next(&api->pending_offsets, &it)) != NULL)
		free(c);
	map_done(&api->pending_offsets);
}

/* ---- the end ---- */

/* Some of what is pending, copied: the store may not be called while it is walked through. */
struct part {
	struct txn_offsets_end *end;
	struct buf bytes; /* key and value, each behind its length */
	size_t n;
	bool more;
};

static bool
collect(void *ctx, struct span key, struct span value)
{
	struct part *part = ctx;

	if (part->n == ENDED_AT_ONCE) {
		part->more = true;
		return false;
	}
	part->n++;
	buf_u32(&part->bytes, (uint32_t)key.n);
	buf_span(&part->bytes, key);
	buf_u32(&part->bytes, (uint32_t)value.n);
	buf_span(&part->bytes, value);
	return true;
}

static struct span
take(const uint8_t **at)
{
	struct span s = span_of(*at + 4, load32(*at));

	*at += 4 + s.n;
	return s;
}

/* A topic may have gone meanwhile. */
static bool
counts(struct api *api, struct span key)
{
	const uint8_t *topic;
	struct span group;
	int32_t partition;

	return offsets_key_parse(key, &group, &topic, &partition) && topics_find_id(api, topic) != NULL;
}

/* Each offset takes its place and leaves its old one in the same batch. */
static size_t
make_entries(const struct part *part, struct state_entry *entries)
{
	const uint8_t *at = part->bytes.p;
	size_t n = 0;

	for (size_t i = 0; i < part->n; i++) {
		struct span key = take(&at), value = take(&at);

		entries[n++].key = key;
		if (part->end->commit && counts(part->end->api, final_key(key)))
			entries[n++] = (struct state_entry){ final_key(key), value };
	}
	return n;
}

static void
tell_groups(const struct part *part)
{
	struct api *api = part->end->api;
	const uint8_t *at = part->bytes.p;

	for (size_t i = 0; i < part->n; i++) {
		struct span key = take(&at), group;
		const uint8_t *topic;
		int32_t partition;

		take(&at);
		unnote(api, final_key(key));
		if (part->end->commit && counts(api, final_key(key)) &&
		    offsets_key_parse(final_key(key), &group, &topic, &partition))
			groups_note_offsets(api->groups, group, true, loop_now_ms(api->loop));
	}
	group_calls_after(api);
}

static void end_some(struct txn_offsets_end *);

static void
ended(struct append *a)
{
	struct txn_offsets_end *end = a->user;

	if (a->error == STORE_OK)
		end_some(end);
	else
		end->done(end, false);
}

static void
end_some(struct txn_offsets_end *end)
{
	struct part part = { .end = end };
	uint8_t key[TXN_OFFSETS_KEY_MAX];
	struct state_entry *entries;
	bool over, taken;

	state_each(end->api->store, STATE_OFFSETS, prefix(key, end->producer_id), collect, &part);
	must_fit(!part.bytes.failed);
	if (part.n == 0) {
		end->done(end, true);
		return;
	}
	entries = xcalloc(part.n, 2 * sizeof *entries);
	end->append = (struct append){ .done = ended, .user = end };
	over = state_put(end->api->store, STATE_OFFSETS, entries, make_entries(&part, entries),
	    loop_wall_ms(end->api->loop), &end->append);
	taken = end->append.error == STORE_OK;
	free(entries);
	if (taken)
		tell_groups(&part);
	buf_done(&part.bytes);
	if (over)
		ended(&end->append);
}

void
txn_offsets_end(struct api *api, struct txn_offsets_end *end)
{
	end->api = api;
	end_some(end);
}
