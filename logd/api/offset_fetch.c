/*
 * offset_fetch.c -- OffsetFetch: of one group, or (version 8 on) of several.
 *
 * Some groups at a time: to find all that one has takes a walk over what has
 * changed in the state of late.
 */
#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "api/topics.h"
#include "api/txn_offsets.h"
#include "coord/consumer_groups.h"

enum {
	GROUPS_VERSION = 8,
	SLICE = 16, /* groups at a time */
	/* Metadata can be much longer than what asks for it; more than this is not answered. */
	METADATA_MAX = 256 * 1024 * 1024
};

/* One group that is asked for. */
struct asked {
	struct span group;
	const struct wire_offset_fetch_request_topic *topics; /* NULL: all that it has */
	size_t n;
	struct span member; /* version 9 on: who asks; null: an administrator */
	int32_t epoch;
};

struct offset_fetch {
	struct request *request;
	struct wire_offset_fetch_response response;
	bool require_stable; /* what a transaction may change is not told (KIP-447) */
	struct asked *asked;
	struct wire_offset_fetch_response_group *groups; /* an answer for each */
	size_t n_groups, next;
	size_t metadata_bytes;
};

static void
fill(struct offset_fetch *f, struct wire_offset_fetch_response_partition *p,
    const struct wire_offset_commit_record *record)
{
	p->committed_offset = record->offset;
	p->committed_leader_epoch = record->leader_epoch;
	f->metadata_bytes += record->metadata.n;
	/* Copied: the value that it points into ends before the answer. */
	if (record->metadata.n > 0 && f->metadata_bytes <= METADATA_MAX)
		p->metadata = request_copy(f->request, record->metadata);
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

static bool
is_unstable(const struct offset_fetch *f, struct span group, const struct topic *t, int32_t number)
{
	return f->require_stable && txn_offsets_pending(f->request->api, group, t->id, number);
}

/* Partitions that were named, each once.  Where nothing is committed, that is no error. */
static void
named_topic(struct offset_fetch *f, struct span group, struct named *named,
    const struct wire_offset_fetch_request_topic *from, struct wire_offset_fetch_response_topic *to)
{
	struct request *r = f->request;
	struct topic *t = topics_find(r->api, from->name);
	struct wire_offset_commit_record record;
	struct buf value = { 0 };

	wire_offset_fetch_response_topic_default(to);
	to->name = from->name;
	to->partitions = request_array(r, from->n_partition_indexes, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partition_indexes; i++) {
		struct wire_offset_fetch_response_partition *p = &to->partitions[to->n_partitions];
		int32_t number = from->partition_indexes[i];

		if (named_partition_before(named, t, number))
			continue;
		to->n_partitions++;
		none_yet(p, number);
		if (topic_partition(t, number) == NULL)
			continue;
		if (is_unstable(f, group, t, number))
			p->error_code = KAFKA_UNSTABLE_OFFSET_COMMIT;
		else if (offsets_get(r->api, group, t->id, number, &value, &record))
			fill(f, p, &record);
	}
	buf_done(&value);
}

static void
named_topics(struct offset_fetch *f, const struct asked *asked,
    struct wire_offset_fetch_response_group *to)
{
	struct named named;

	named_init(&named, f->request);
	to->n_topics = asked->n;
	to->topics = request_array(f->request, asked->n, sizeof *to->topics);
	for (size_t i = 0; i < asked->n; i++)
		named_topic(f, asked->group, &named, &asked->topics[i], &to->topics[i]);
	named_done(&named);
}

/* All that the group has: collected in the order of the keys, which is by topic. */
struct all {
	struct offset_fetch *fetch;
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
	struct request *r = all->fetch->request;
	struct wire_offset_commit_record record;
	struct wire_offset_fetch_response_topic *to;
	const uint8_t *id;
	struct span group;
	struct topic *t;
	int32_t number;

	/* Offsets of a topic that is gone are none. */
	if (!offsets_key_parse(key, &group, &id, &number) ||
	    (t = topics_find_id(r->api, id)) == NULL || !offsets_parse(value, &record))
		return true;
	if (t != all->last) {
		if (all->n == all->cap)
			all->topics = grown(r, all->topics, all->n, &all->cap, sizeof *all->topics);
		wire_offset_fetch_response_topic_default(&all->topics[all->n]);
		/* Copied: the topic may be gone before the answer is sent. */
		all->topics[all->n++].name = request_copy(r, t->name);
		all->last = t;
		all->cap_partitions = 0;
	}
	to = &all->topics[all->n - 1];
	if (to->n_partitions == all->cap_partitions)
		to->partitions = grown(r, to->partitions, to->n_partitions,
		    &all->cap_partitions, sizeof *to->partitions);
	none_yet(&to->partitions[to->n_partitions], number);
	if (is_unstable(all->fetch, group, t, number))
		to->partitions[to->n_partitions++].error_code = KAFKA_UNSTABLE_OFFSET_COMMIT;
	else
		fill(all->fetch, &to->partitions[to->n_partitions++], &record);
	return !r->full;
}

static void
all_topics(struct offset_fetch *f, struct span group, struct wire_offset_fetch_response_group *to)
{
	struct all all = { .fetch = f };
	uint8_t key[OFFSETS_KEY_MAX];

	/* Who has offsets is known to coord. */
	if (groups_state(f->request->api->groups, group) != GROUP_DEAD)
		state_each(f->request->api->store, STATE_OFFSETS, offsets_prefix(key, group), each_committed, &all);
	to->topics = all.topics;
	to->n_topics = all.n;
}

static void
answer(struct offset_fetch *f)
{
	struct request *r = f->request;

	if (f->metadata_bytes > METADATA_MAX) {
		request_refuse(r, "offset_fetch of offsets with more than 256 MiB of metadata; ask for fewer at a time");
		return;
	}
	if (r->version < GROUPS_VERSION) {
		f->response.topics = f->groups[0].topics;
		f->response.n_topics = f->groups[0].n_topics;
	} else {
		f->response.groups = f->groups;
		f->response.n_groups = f->n_groups;
	}
	request_reply(r, &f->response);
}

static void
go_on(struct request *r)
{
	struct offset_fetch *f = r->state;

	for (size_t i = 0; i < SLICE && f->next < f->n_groups && !r->full; i++, f->next++) {
		const struct asked *asked = &f->asked[f->next];
		struct wire_offset_fetch_response_group *to = &f->groups[f->next];

		wire_offset_fetch_response_group_default(to);
		to->group_id = asked->group;
		to->error_code = (int16_t)groups_fetch_check(r->api->groups, asked->group,
		    asked->member, asked->epoch);
		if (to->error_code != KAFKA_NONE)
			continue;
		if (asked->topics == NULL)
			all_topics(f, asked->group, to);
		else
			named_topics(f, asked, to);
	}
	if (f->next < f->n_groups && !r->full)
		request_pause(r, go_on);
	else
		answer(f);
}

/* What the request asks for, in either of its forms; each group once. */
static void
find_asked(struct offset_fetch *f)
{
	const struct wire_offset_fetch_request *q = f->request->message;
	struct named seen;

	if (f->request->version < GROUPS_VERSION) {
		f->asked = request_alloc(f->request, sizeof *f->asked);
		f->asked[f->n_groups++] = (struct asked){ q->group_id, q->topics, q->n_topics,
			span_of(NULL, 0), -1 };
		return;
	}
	f->asked = request_array(f->request, q->n_groups, sizeof *f->asked);
	named_init(&seen, f->request);
	for (size_t i = 0; i < q->n_groups; i++)
		if (!named_before(&seen, q->groups[i].group_id))
			f->asked[f->n_groups++] = (struct asked){ q->groups[i].group_id,
				q->groups[i].topics, q->groups[i].n_topics,
				q->groups[i].member_id, q->groups[i].member_epoch };
	named_done(&seen);
}

void
offset_fetch_run(struct request *r)
{
	struct offset_fetch *f = request_alloc(r, sizeof *f);

	f->request = r;
	f->require_stable = ((const struct wire_offset_fetch_request *)r->message)->require_stable;
	find_asked(f);
	f->groups = request_array(r, f->n_groups, sizeof *f->groups);
	wire_offset_fetch_response_default(&f->response);
	r->state = f;
	r->gone = request_drop;
	go_on(r);
}
