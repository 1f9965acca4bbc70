/*
 * group_calls.c -- the group APIs that coord alone answers: FindCoordinator,
 * JoinGroup, SyncGroup, Heartbeat, LeaveGroup; and the way back of its answers.
 */
#include "api/group_calls.h"

#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "base/must.h"

enum { GROUP_KEY = 0, TRANSACTION_KEY = 1, MEMBER_ID_VERSION = 4, SKIP_ASSIGNMENT_VERSION = 9, BATCHED_FIND = 4,
	NULLABLE_PROTOCOL = 7, BATCHED_LEAVE = 3 };

/* coord has no wire: its codes are Kafka's by value. */
_Static_assert((int)GROUP_FENCED_INSTANCE_ID == (int)KAFKA_FENCED_INSTANCE_ID &&
    (int)GROUP_MEMBER_ID_REQUIRED == (int)KAFKA_MEMBER_ID_REQUIRED &&
    (int)GROUP_REBALANCE_IN_PROGRESS == (int)KAFKA_REBALANCE_IN_PROGRESS &&
    (int)GROUP_NOT_COORDINATOR == (int)KAFKA_NOT_COORDINATOR &&
    (int)GROUP_NON_EMPTY == (int)KAFKA_NON_EMPTY_GROUP, "group errors are Kafka's");

/* ---- the way back ---- */

static struct span
never_null(struct span s)
{
	return s.p == NULL ? span_str("") : s;
}

static void
answer_join(struct request *r, const struct group_join_answer *a)
{
	RESPONSE(response, join_group);

	response.error_code = (int16_t)a->error;
	response.generation_id = a->generation;
	response.protocol_type = a->protocol_type;
	response.protocol_name = r->version >= NULLABLE_PROTOCOL ? a->protocol_name :
	    never_null(a->protocol_name);
	response.leader = never_null(a->leader);
	response.member_id = never_null(a->member_id);
	response.skip_assignment = a->skip_assignment;
	response.n_members = a->n_members;
	response.members = request_array(r, a->n_members, sizeof *response.members);
	for (size_t i = 0; i < a->n_members; i++) {
		wire_join_group_response_member_default(&response.members[i]);
		response.members[i].member_id = a->members[i].member_id;
		response.members[i].group_instance_id = a->members[i].instance_id;
		response.members[i].metadata = never_null(a->members[i].metadata);
	}
	request_reply(r, &response);
}

static void
answer_sync(struct request *r, const struct group_sync_answer *a)
{
	RESPONSE(response, sync_group);

	response.error_code = (int16_t)a->error;
	response.protocol_type = a->protocol_type;
	response.protocol_name = a->protocol_name;
	response.assignment = never_null(a->assignment);
	request_reply(r, &response);
}

static void
on_deadline(struct timer *timer)
{
	struct api *api = container_of(timer, struct api, groups_timer);

	groups_tick(api->groups, loop_now_ms(api->loop));
	group_calls_after(api);
}

void
group_calls_after(struct api *api)
{
	struct group_effect effect;
	int64_t next;

	while (groups_next_effect(api->groups, &effect)) {
		struct request *r = effect.token;

		if (effect.type == GROUP_JOIN_ANSWER)
			answer_join(r, &effect.u.join);
		else
			answer_sync(r, &effect.u.sync);
	}
	next = groups_next_deadline(api->groups);
	api->groups_timer.fire = on_deadline;
	if (next == INT64_MAX)
		loop_timer_cancel(api->loop, &api->groups_timer);
	else
		loop_timer_set(api->loop, &api->groups_timer, next);
}

void
group_calls_drain(struct api *api)
{
	groups_close(api->groups);
	group_calls_after(api);
}

void
group_calls_gone(struct request *r)
{
	groups_forget(r->api->groups, r);
	request_drop(r);
}

static bool
note_group(void *ctx, struct span key, struct span value)
{
	struct api *api = ctx;
	const uint8_t *topic;
	struct span group;
	int32_t partition;

	(void)value;
	if (offsets_key_parse(key, &group, &topic, &partition))
		groups_note_offsets(api->groups, group, true, loop_now_ms(api->loop));
	return true;
}

void
group_calls_load(struct api *api)
{
	state_each(api->store, STATE_OFFSETS, span_of(NULL, 0), note_group, api);
	group_calls_after(api);
}

/* ---- the requests ---- */

/* What this broker coordinates. */
static enum kafka_error
find_error(int key_type, struct span key, const char **text)
{
	*text = NULL;
	if (key_type != GROUP_KEY && key_type != TRANSACTION_KEY) {
		*text = "Consumer groups and transactions are coordinated here: share groups are not served.";
		return KAFKA_INVALID_REQUEST;
	}
	if (key_type == TRANSACTION_KEY) {
		if (key.n > 0 && key.n <= TXN_ID_MAX_BYTES)
			return KAFKA_NONE;
		*text = "A transactional id has 1 to 400 bytes here.";
		return KAFKA_INVALID_REQUEST;
	}
	if (key.n > GROUP_ID_MAX_BYTES) {
		*text = "A group id has at most 255 bytes here.";
		return KAFKA_INVALID_GROUP_ID;
	}
	return KAFKA_NONE;
}

static void
find_one(struct request *r, struct span key, int key_type,
    struct wire_find_coordinator_response_coordinator *to)
{
	struct api_listener listener = request_listener(r);
	const char *text;

	wire_find_coordinator_response_coordinator_default(to);
	to->key = key;
	to->error_code = (int16_t)find_error(key_type, key, &text);
	to->error_message = span_str(text == NULL ? "" : text);
	to->node_id = to->error_code == 0 ? r->api->config.node_id : -1;
	to->host = span_str(to->error_code == 0 ? listener.host : "");
	to->port = to->error_code == 0 ? listener.port : -1;
}

void
find_coordinator_run(struct request *r)
{
	const struct wire_find_coordinator_request *q = r->message;
	struct wire_find_coordinator_response_coordinator one;
	struct named seen;
	RESPONSE(response, find_coordinator);

	if (r->version >= BATCHED_FIND) {
		named_init(&seen, r);
		response.coordinators = request_array(r, q->n_coordinator_keys, sizeof *response.coordinators);
		for (size_t i = 0; i < q->n_coordinator_keys; i++)
			if (!named_before(&seen, q->coordinator_keys[i]))
				find_one(r, q->coordinator_keys[i], q->key_type,
				    &response.coordinators[response.n_coordinators++]);
		named_done(&seen);
	} else {
		find_one(r, q->key, q->key_type, &one);
		response.error_code = one.error_code;
		response.error_message = one.error_message;
		response.node_id = one.node_id;
		response.host = one.host;
		response.port = one.port;
	}
	request_reply(r, &response);
}

struct span
group_calls_client_host(struct request *r)
{
	const char *peer = exchange_peer(r->exchange), *colon = strrchr(peer, ':');

	return request_printf(r, "/%.*s", colon == NULL ? (int)strlen(peer) : (int)(colon - peer), peer);
}

void
join_group_run(struct request *r)
{
	const struct wire_join_group_request *q = r->message;
	struct group_protocol *protocols = request_array(r, q->n_protocols, sizeof *protocols);
	struct group_join join = {
		.group_id = q->group_id, .member_id = q->member_id, .instance_id = q->group_instance_id,
		.client_id = r->client_id, .client_host = group_calls_client_host(r),
		.protocol_type = q->protocol_type, .protocols = protocols, .n_protocols = q->n_protocols,
		.session_timeout_ms = q->session_timeout_ms, .rebalance_timeout_ms = q->rebalance_timeout_ms,
		.requires_member_id = r->version >= MEMBER_ID_VERSION,
		.skip_assignment_known = r->version >= SKIP_ASSIGNMENT_VERSION };
	struct api *api = r->api;

	for (size_t i = 0; i < q->n_protocols; i++)
		protocols[i] = (struct group_protocol){ q->protocols[i].name, q->protocols[i].metadata };
	store_random(join.random, sizeof join.random);
	r->gone = group_calls_gone;
	groups_join(api->groups, &join, r, request_now_ms(r));
	group_calls_after(api);
}

void
sync_group_run(struct request *r)
{
	const struct wire_sync_group_request *q = r->message;
	struct group_assignment *assignments = request_array(r, q->n_assignments, sizeof *assignments);
	struct group_sync sync = {
		.group_id = q->group_id, .member_id = q->member_id, .instance_id = q->group_instance_id,
		.generation = q->generation_id, .protocol_type = q->protocol_type,
		.protocol_name = q->protocol_name, .assignments = assignments,
		.n_assignments = q->n_assignments };
	struct api *api = r->api;

	for (size_t i = 0; i < q->n_assignments; i++)
		assignments[i] = (struct group_assignment){ q->assignments[i].member_id, q->assignments[i].assignment };
	r->gone = group_calls_gone;
	groups_sync(api->groups, &sync, r, request_now_ms(r));
	group_calls_after(api);
}

void
heartbeat_run(struct request *r)
{
	const struct wire_heartbeat_request *q = r->message;
	struct group_heartbeat heartbeat = { .group_id = q->group_id, .member_id = q->member_id,
		.instance_id = q->group_instance_id, .generation = q->generation_id };
	RESPONSE(response, heartbeat);

	response.error_code = (int16_t)groups_heartbeat(r->api->groups, &heartbeat, request_now_ms(r));
	group_calls_after(r->api);
	request_reply(r, &response);
}

void
leave_group_run(struct request *r)
{
	const struct wire_leave_group_request *q = r->message;
	bool batched = r->version >= BATCHED_LEAVE;
	size_t n = batched ? q->n_members : 1;
	struct group_leave *leaving = request_array(r, n, sizeof *leaving);
	RESPONSE(response, leave_group);

	if (!batched)
		leaving[0].member_id = q->member_id;
	for (size_t i = 0; batched && i < n; i++) {
		leaving[i].member_id = q->members[i].member_id;
		leaving[i].instance_id = q->members[i].group_instance_id;
	}
	response.error_code = (int16_t)groups_leave(r->api->groups, q->group_id, leaving, n, request_now_ms(r));
	if (batched && response.error_code == 0) {
		response.n_members = n;
		response.members = request_array(r, n, sizeof *response.members);
		for (size_t i = 0; i < n; i++)
			response.members[i] = (struct wire_leave_group_response_member){
				leaving[i].member_id, leaving[i].instance_id, (int16_t)leaving[i].error };
	} else if (response.error_code == 0)
		response.error_code = (int16_t)leaving[0].error;
	group_calls_after(r->api);
	request_reply(r, &response);
}
