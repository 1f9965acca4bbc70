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
	ENDED_AT_ONCE = 1000 /* offsets in one batch */
};

/* Where an offset is pending, in however many transactions. */
struct pending_place {
	size_t n;
	size_t key_n;
	uint8_t key[]; /* as it is to be in the end */
};

/* Who has some pending. */
struct pending_producer {
	int64_t id;
	struct list offsets;
};

/* One that a producer has pending; its key in the state is made of both. */
struct pending_offset {
	struct list link;
	struct pending_place *place;
};

struct txn_offsets {
	struct map places;    /* owned; by key */
	struct map producers; /* owned; by id, as it lies in memory */
	size_t n;             /* pending offsets */
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
	return n <= TXN_OFFSETS_MAX && api->txn_offsets->n <= TXN_OFFSETS_MAX - n;
}

static struct pending_place *
place_at(struct txn_offsets *all, struct span key)
{
	struct pending_place *place = map_get(&all->places, key);

	if (place != NULL)
		return place;
	place = xcalloc(1, sizeof *place + key.n);
	place->key_n = key.n;
	memcpy(place->key, key.p, key.n);
	must_fit(map_put(&all->places, span_of(place->key, key.n), place));
	return place;
}

static struct pending_producer *
find_producer(const struct txn_offsets *all, int64_t id)
{
	return map_get(&all->producers, span_of(&id, sizeof id));
}

static struct pending_producer *
producer_of(struct txn_offsets *all, int64_t id)
{
	struct pending_producer *p = find_producer(all, id);

	if (p != NULL)
		return p;
	p = xcalloc(1, sizeof *p);
	p->id = id;
	list_init(&p->offsets);
	must_fit(map_put(&all->producers, span_of(&p->id, sizeof p->id), p));
	return p;
}

void
txn_offsets_note(struct api *api, struct span key)
{
	struct txn_offsets *all = api->txn_offsets;
	struct pending_offset *o = xcalloc(1, sizeof *o);

	must(key.n > PREFIX);
	o->place = place_at(all, final_key(key));
	o->place->n++;
	list_add(&producer_of(all, (int64_t)load64(key.p + 2))->offsets, &o->link);
	all->n++;
}

static void
unnote(struct txn_offsets *all, struct pending_offset *o)
{
	struct pending_place *place = o->place;

	list_del(&o->link);
	free(o);
	all->n--;
	if (--place->n > 0)
		return;
	map_del(&all->places, span_of(place->key, place->key_n));
	free(place);
}

bool
txn_offsets_pending(struct api *api, struct span group, const uint8_t topic[16], int32_t partition)
{
	uint8_t key[OFFSETS_KEY_MAX];

	return group.n <= GROUP_ID_MAX_BYTES &&
	    map_get(&api->txn_offsets->places, offsets_key(key, group, topic, partition)) != NULL;
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

	api->txn_offsets = xcalloc(1, sizeof *api->txn_offsets);
	store16(key, PENDING);
	state_each(api->store, STATE_OFFSETS, span_of(key, sizeof key), load_one, api);
}

static void
free_producer(struct txn_offsets *all, struct pending_producer *p)
{
	while (!list_empty(&p->offsets))
		unnote(all, list_first(&p->offsets, struct pending_offset, link));
	free(p);
}

void
txn_offsets_done(struct api *api)
{
	struct txn_offsets *all = api->txn_offsets;
	struct pending_producer *p;
	size_t it = 0;

	while ((p = map_next(&all->producers, &it)) != NULL)
		free_producer(all, p);
	map_done(&all->producers);
	map_done(&all->places);
	free(all);
}

/* ---- the end ---- */

/* Some of what a producer has pending. */
struct part {
	struct txn_offsets_end *end;
	struct pending_producer *producer;
	struct buf bytes; /* key and value of each, each behind its length */
	size_t n;
};

static void
copy(struct part *part, struct span s)
{
	buf_u32(&part->bytes, (uint32_t)s.n);
	buf_span(&part->bytes, s);
}

/* The first ones.  Walking through the state anew for each part would take time by the square of what is pending. */
static void
collect(struct part *part)
{
	struct store *store = part->end->api->store;
	uint8_t full[TXN_OFFSETS_KEY_MAX];
	struct buf value = { 0 };

	list_each(it, &part->producer->offsets) {
		const struct pending_place *place = container_of(it, struct pending_offset, link)->place;
		size_t n = prefix(full, part->producer->id).n;
		struct span key = span_of(full, n + place->key_n);

		if (part->n == ENDED_AT_ONCE)
			break;
		memcpy(full + n, place->key, place->key_n);
		must(state_get(store, STATE_OFFSETS, key, &value));
		copy(part, key);
		copy(part, buf_bytes(&value));
		part->n++;
	}
	buf_done(&value);
	must_fit(!part->bytes.failed);
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

/* They are pending no longer. */
static void
let_go(const struct part *part)
{
	struct api *api = part->end->api;
	const uint8_t *at = part->bytes.p;

	for (size_t i = 0; i < part->n; i++) {
		struct span key = take(&at), group;
		const uint8_t *topic;
		int32_t partition;

		take(&at);
		unnote(api->txn_offsets, list_first(&part->producer->offsets, struct pending_offset, link));
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

/* All of it. */
static void
end_producer(struct txn_offsets_end *end, struct pending_producer *p)
{
	struct map *producers = &end->api->txn_offsets->producers;

	if (p != NULL) {
		map_del(producers, span_of(&p->id, sizeof p->id));
		free(p);
	}
	end->done(end, true);
}

static void
end_some(struct txn_offsets_end *end)
{
	struct api *api = end->api;
	struct part part = { .end = end, .producer = find_producer(api->txn_offsets, end->producer_id) };
	struct state_entry *entries;
	bool over;

	if (part.producer == NULL || list_empty(&part.producer->offsets)) {
		end_producer(end, part.producer);
		return;
	}
	collect(&part);
	entries = xcalloc(part.n, 2 * sizeof *entries);
	end->append = (struct append){ .done = ended, .user = end };
	over = state_put(api->store, STATE_OFFSETS, entries, make_entries(&part, entries), loop_wall_ms(api->loop),
	    &end->append);
	free(entries);
	if (end->append.error == STORE_OK)
		let_go(&part);
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
