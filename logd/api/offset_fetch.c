/* offset_fetch.c -- OffsetFetch: of one group, or (version 8 on) of several. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/offsets.h"
#include "api/topics.h"
#include "base/must.h"

enum { GROUPS_VERSION = 8 };

static void
fill(struct request *r, struct wire_offset_fetch_response_partition *p,
    const struct wire_offset_commit_record *record)
{
	p->committed_offset = record->offset;
	p->committed_leader_epoch = record->leader_epoch;
	/* The value that it points into ends before the answer. */
	if (record->metadata.n > 0)
		p->metadata = span_of(memcpy(request_alloc(r, record->metadata.n), record->metadata.p,
		    record->metadata.n), record->metadata.n);
}

static void
none_yet(struct wire_offset_fetch_response_partition *p, int32_t number)
{
	wire_offset_fetch_response_partition_default(p);
	p->partition_index = number;
	p->committed_offset = -1;
	p->committed_leader_epoch = -1;
	p->metadata = span_str("");
}

/* Partitions that were named.  Where nothing is committed, that is no error. */
static struct wire_offset_fetch_response_topic *
named(struct request *r, struct span group, const struct wire_offset_fetch_request_topic *asked, size_t n)
{
	struct wire_offset_fetch_response_topic *topics = request_array(r, n, sizeof *topics);
	struct wire_offset_commit_record record;
	struct buf value = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct topic *t = topics_find(r->api, asked[i].name);

		wire_offset_fetch_response_topic_default(&topics[i]);
		topics[i].name = asked[i].name;
		topics[i].n_partitions = asked[i].n_partition_indexes;
		topics[i].partitions = request_array(r, asked[i].n_partition_indexes, sizeof *topics[i].partitions);
		for (size_t k = 0; k < asked[i].n_partition_indexes; k++) {
			int32_t number = asked[i].partition_indexes[k];

			none_yet(&topics[i].partitions[k], number);
			if (t != NULL && offsets_get(r->api, group, t->id, number, &value, &record))
				fill(r, &topics[i].partitions[k], &record);
		}
	}
	buf_done(&value);
	return topics;
}

/* All that the group has: collected in the order of the keys, which is by topic. */
struct all {
	struct request *request;
	struct wire_offset_fetch_response_topic *topics; /* grown by doubling, in the arena */
	size_t n, cap;
	struct topic *last;
	size_t cap_partitions;
};

static void *
grown(struct request *r, const void *old, size_t n, size_t *cap, size_t size)
{
	void *p;

	*cap = *cap == 0 ? 4 : *cap * 2;
	p = request_array(r, *cap, size);
	if (n > 0)
		memcpy(p, old, n * size);
	return p;
}

static bool
each_committed(void *ctx, struct span key, struct span value)
{
	struct all *all = ctx;
	struct wire_offset_commit_record record;
	struct wire_offset_fetch_response_topic *to;
	const uint8_t *id;
	struct span group;
	struct topic *t;
	int32_t number;

	/* Offsets of a topic that is gone are none. */
	if (!offsets_key_parse(key, &group, &id, &number) ||
	    (t = topics_find_id(all->request->api, id)) == NULL || !offsets_parse(value, &record))
		return true;
	if (t != all->last) {
		if (all->n == all->cap)
			all->topics = grown(all->request, all->topics, all->n, &all->cap, sizeof *all->topics);
		wire_offset_fetch_response_topic_default(&all->topics[all->n]);
		all->topics[all->n++].name = t->name;
		all->last = t;
		all->cap_partitions = 0;
	}
	to = &all->topics[all->n - 1];
	if (to->n_partitions == all->cap_partitions)
		to->partitions = grown(all->request, to->partitions, to->n_partitions,
		    &all->cap_partitions, sizeof *to->partitions);
	none_yet(&to->partitions[to->n_partitions], number);
	fill(all->request, &to->partitions[to->n_partitions++], &record);
	return true;
}

static struct wire_offset_fetch_response_topic *
fetch(struct request *r, struct span group, const struct wire_offset_fetch_request_topic *asked,
    size_t n_asked, size_t *n)
{
	struct all all = { .request = r };
	uint8_t key[OFFSETS_KEY_MAX];

	if (asked != NULL) {
		*n = n_asked;
		return named(r, group, asked, n_asked);
	}
	if (group.n <= GROUP_ID_MAX_BYTES)
		state_each(r->api->store, STATE_OFFSETS, offsets_prefix(key, group), each_committed, &all);
	*n = all.n;
	return all.topics;
}

void
offset_fetch_run(struct request *r)
{
	const struct wire_offset_fetch_request *q = r->message;
	struct map seen = { 0 };
	RESPONSE(response, offset_fetch);

	if (r->version < GROUPS_VERSION) {
		response.topics = fetch(r, q->group_id, q->topics, q->n_topics, &response.n_topics);
		request_reply(r, &response);
		return;
	}
	response.groups = request_array(r, q->n_groups, sizeof *response.groups);
	for (size_t i = 0; i < q->n_groups; i++) {
		struct wire_offset_fetch_response_group *g = &response.groups[response.n_groups];

		if (request_seen(&seen, q->groups[i].group_id))
			continue;
		response.n_groups++;
		wire_offset_fetch_response_group_default(g);
		g->group_id = q->groups[i].group_id;
		g->topics = fetch(r, g->group_id, q->groups[i].topics, q->groups[i].n_topics, &g->n_topics);
	}
	map_done(&seen);
	request_reply(r, &response);
}
