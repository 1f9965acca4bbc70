/* broker_members.c -- simulated members of groups, of both protocols. */
#include "faults/broker_clients.h"

#include <stdio.h>

#include "wire/errors.h"

enum { TEAM = 1, NEWER = 2, JOIN_VERSION = 3, SYNC_VERSION = 3, BEAT_VERSION = 3, COMMIT_VERSION = 7,
	NEWER_COMMIT_VERSION = 9, NEWER_BEAT_VERSION = 1, SESSION_MS = 6000 };

static struct member *
member_of(const struct client *c)
{
	return c->kind == &member_kind ? &past->members[c->number] : &past->consumers[c->number];
}

/* Who was a member before the last end is none now, and must not be taken for one. */
static void
old_commit_answered(struct call *call, const void *response)
{
	if (commit_error(response) == KAFKA_NONE)
		broken("OffsetCommit was taken of a member of an earlier life");
	past->commits[call->numbers[0]].over = 0;
}

/* Whether there is nothing of an earlier life to be done. */
static bool
has_learned(struct client *c, int group, int version)
{
	struct member *m = member_of(c);

	if (c->knows_life)
		return true;
	c->knows_life = true;
	if (m->id[0] != '\0' && m->generation > 0 && one_in(2))
		send_commit(c, group, m->id, m->generation, version, old_commit_answered);
	*m = (struct member){ .generation = -1 };
	return false;
}

/* ---- the classic protocol ---- */

static void
leave(struct client *c)
{
	*member_of(c) = (struct member){ .generation = -1 };
	c->synced = false;
}

/* The group has gone on without it, or goes on with it later. */
static void
lost_place(struct client *c, const char *what, int error)
{
	c->synced = false;
	if (error == KAFKA_UNKNOWN_MEMBER_ID)
		leave(c);
	else if (error == KAFKA_REBALANCE_IN_PROGRESS || error == KAFKA_ILLEGAL_GENERATION)
		member_of(c)->generation = -1;
	else if (error != KAFKA_NOT_COORDINATOR) /* it is about to end */
		broken("%s of a member: error %d", what, error);
}

static void
joined(struct call *call, const void *response)
{
	const struct wire_join_group_response *r = response;
	struct client *c = call->client;

	if (r->error_code != KAFKA_NONE) {
		lost_place(c, "JoinGroup", r->error_code);
		return;
	}
	snprintf(member_of(c)->id, sizeof member_of(c)->id, "%.*s", (int)r->member_id.n, (const char *)r->member_id.p);
	member_of(c)->generation = r->generation_id;
	c->n_members = span_eq(r->leader, r->member_id) ? (int)r->n_members : 0;
	past->counts.rebalances += c->n_members > 0;
}

static void
join(struct client *c)
{
	struct wire_join_group_request_protocol protocol;
	struct wire_join_group_request q;

	wire_join_group_request_default(&q);
	wire_join_group_request_protocol_default(&protocol);
	protocol.name = span_str("any");
	protocol.metadata = span_str("about");
	q.group_id = span_str(group_names[TEAM]);
	q.session_timeout_ms = SESSION_MS;
	q.rebalance_timeout_ms = SESSION_MS;
	q.member_id = span_str(member_of(c)->id);
	q.protocol_type = span_str("simulated");
	q.protocols = &protocol;
	q.n_protocols = 1;
	c->synced = false;
	call_send(call_new(c), WIRE_JOIN_GROUP, JOIN_VERSION, &q, joined);
}

static void
synced(struct call *call, const void *response)
{
	const struct wire_sync_group_response *r = response;

	if (r->error_code != KAFKA_NONE)
		lost_place(call->client, "SyncGroup", r->error_code);
	else
		call->client->synced = true;
}

static void
sync_with(struct client *c)
{
	struct wire_sync_group_request_assignment assignment;
	struct wire_sync_group_request q;

	wire_sync_group_request_default(&q);
	wire_sync_group_request_assignment_default(&assignment);
	assignment.member_id = span_str(member_of(c)->id);
	assignment.assignment = span_str("all of it");
	q.group_id = span_str(group_names[TEAM]);
	q.generation_id = member_of(c)->generation;
	q.member_id = span_str(member_of(c)->id);
	q.assignments = &assignment;
	q.n_assignments = c->n_members > 0;
	call_send(call_new(c), WIRE_SYNC_GROUP, SYNC_VERSION, &q, synced);
}

static void
member_committed(struct call *call, const void *response)
{
	int error = commit_error(response);

	if (error == KAFKA_NONE)
		commit_answered(call->numbers[0]);
	else {
		past->commits[call->numbers[0]].over = 0;
		lost_place(call->client, "OffsetCommit", error);
	}
}

static void
beaten(struct call *call, const void *response)
{
	const struct wire_heartbeat_response *r = response;

	if (r->error_code != KAFKA_NONE)
		lost_place(call->client, "Heartbeat", r->error_code);
}

static void
beat(struct client *c)
{
	struct wire_heartbeat_request q;

	wire_heartbeat_request_default(&q);
	q.group_id = span_str(group_names[TEAM]);
	q.generation_id = member_of(c)->generation;
	q.member_id = span_str(member_of(c)->id);
	call_send(call_new(c), WIRE_HEARTBEAT, BEAT_VERSION, &q, beaten);
}

static void
member_step(struct client *c)
{
	if (!has_learned(c, TEAM, COMMIT_VERSION))
		return;
	if (one_in(80))
		leave(c); /* without a word: its session has to end */
	if (member_of(c)->id[0] == '\0' || member_of(c)->generation == -1)
		join(c);
	else if (!c->synced)
		sync_with(c);
	else if (one_in(3))
		beat(c);
	else
		send_commit(c, TEAM, member_of(c)->id, member_of(c)->generation, COMMIT_VERSION, member_committed);
}

const struct client_kind member_kind = { "member", 1, member_step };

/* ---- the newer one: whose member has what is a mask of partitions ---- */

static void
begin_anew(struct client *c)
{
	member_of(c)->generation = 0;
	c->owned = 0;
	c->tells = true;
	c->synced = false;
}

static void
newer_refused(struct client *c, const char *what, int error)
{
	if (error == KAFKA_NOT_COORDINATOR)
		return; /* it is about to end */
	if (error != KAFKA_UNKNOWN_MEMBER_ID && error != KAFKA_FENCED_MEMBER_EPOCH &&
	    error != KAFKA_STALE_MEMBER_EPOCH && error != KAFKA_GROUP_ID_NOT_FOUND)
		broken("%s of a consumer: error %d", what, error);
	if (error != KAFKA_STALE_MEMBER_EPOCH)
		begin_anew(c);
}

static void
newer_beaten(struct call *call, const void *response)
{
	const struct wire_consumer_group_heartbeat_response *r = response;
	struct client *c = call->client;

	if (r->error_code != KAFKA_NONE) {
		newer_refused(c, "ConsumerGroupHeartbeat", r->error_code);
		return;
	}
	if (r->member_epoch < member_of(c)->generation)
		broken("the epoch of a consumer fell from %d to %d", member_of(c)->generation, r->member_epoch);
	member_of(c)->generation = r->member_epoch;
	if (r->assignment == NULL)
		return;
	c->owned = 0;
	for (size_t i = 0; i < r->assignment->n_topic_partitions; i++)
		for (size_t k = 0; k < r->assignment->topic_partitions[i].n_partitions; k++)
			c->owned |= 1u << r->assignment->topic_partitions[i].partitions[k];
	c->tells = true;
}

static void
newer_beat(struct client *c)
{
	struct wire_consumer_group_heartbeat_request_topic owned;
	struct wire_consumer_group_heartbeat_request q;
	struct span name = span_str(topic_kinds[0].name);
	int32_t numbers[COMMIT_SLOTS];

	wire_consumer_group_heartbeat_request_default(&q);
	wire_consumer_group_heartbeat_request_topic_default(&owned);
	q.group_id = span_str(group_names[NEWER]);
	q.member_id = span_str(member_of(c)->id);
	q.member_epoch = member_of(c)->generation;
	if (member_of(c)->generation == 0 || one_in(10)) {
		q.rebalance_timeout_ms = SESSION_MS;
		q.subscribed_topic_names = &name;
		q.n_subscribed_topic_names = 1;
		c->tells = true;
	}
	memcpy(owned.topic_id, past->topics[0].id, sizeof owned.topic_id);
	owned.partitions = numbers;
	for (int32_t i = 0; i < COMMIT_SLOTS; i++)
		if (c->owned >> i & 1)
			numbers[owned.n_partitions++] = i;
	if (c->tells) {
		q.topic_partitions = &owned;
		q.n_topic_partitions = owned.n_partitions > 0;
		c->tells = false;
	}
	call_send(call_new(c), WIRE_CONSUMER_GROUP_HEARTBEAT, NEWER_BEAT_VERSION, &q, newer_beaten);
}

static void
newer_committed(struct call *call, const void *response)
{
	int error = commit_error(response);

	if (error == KAFKA_NONE)
		commit_answered(call->numbers[0]);
	else {
		past->commits[call->numbers[0]].over = 0;
		newer_refused(call->client, "OffsetCommit", error);
	}
}

static void
consumer_step(struct client *c)
{
	if (!slot_is_there(0) || !has_learned(c, NEWER, NEWER_COMMIT_VERSION))
		return;
	if (member_of(c)->id[0] == '\0' || one_in(100)) {
		begin_anew(c);
		snprintf(member_of(c)->id, sizeof member_of(c)->id, "consumer-%d-%d-%d", c->number, past->life, c->last_correlation);
	}
	if (member_of(c)->generation == 0 || one_in(2))
		newer_beat(c);
	else
		send_commit(c, NEWER, member_of(c)->id, member_of(c)->generation, NEWER_COMMIT_VERSION, newer_committed);
}

const struct client_kind consumer_kind = { "consumer", 1, consumer_step };
