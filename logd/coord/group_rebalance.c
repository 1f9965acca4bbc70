/*
 * group_rebalance.c -- the state of a group, and how its members come to a new
 * generation.
 */
#include "coord/group_internal.h"

#include "base/xalloc.h"

/* A member that is in no generation yet can't send heartbeats: so long may
   its first join wait. */
enum { NEW_MEMBER_JOIN_MS = 300000 };

/* Members of the newer protocol come, go and settle independently of each other. */
#define NEWER_MOVES \
	[GROUP_ASSIGNING] = true, [GROUP_RECONCILING] = true, [GROUP_STABLE] = true

static const bool moves[GROUP_DEAD + 1][GROUP_DEAD + 1] = {
	[GROUP_EMPTY] = { [GROUP_PREPARING] = true, [GROUP_DEAD] = true, NEWER_MOVES },
	[GROUP_PREPARING] = { [GROUP_EMPTY] = true, [GROUP_COMPLETING] = true },
	[GROUP_COMPLETING] = { [GROUP_PREPARING] = true, [GROUP_STABLE] = true },
	[GROUP_ASSIGNING] = { [GROUP_EMPTY] = true, NEWER_MOVES },
	[GROUP_RECONCILING] = { [GROUP_EMPTY] = true, NEWER_MOVES },
	[GROUP_STABLE] = { [GROUP_PREPARING] = true, [GROUP_EMPTY] = true, NEWER_MOVES },
};

void
group_set_state(struct group *g, enum group_state to)
{
	must(moves[g->state][to]);
	g->state = to;
}

/* ---- small parts ---- */

struct answers *
group_answers(struct group *g)
{
	return &g->env->answers;
}

void
group_arm(struct group *g, struct due *due, int64_t at_ms)
{
	must_fit(heap_put(&g->env->due, &due->node, at_ms));
}

void
group_disarm(struct group *g, struct due *due)
{
	heap_del(&g->env->due, &due->node);
}

void
group_replace_blob(struct group *g, struct blob **at, struct blob *by)
{
	if (*at != NULL)
		blob_drop(&group_answers(g)->bin, &(*at)->head);
	*at = by;
}

void
group_forget_topics(struct group *g)
{
	map_done(&g->topics);
	g->topics_state = TOPICS_UNKNOWN;
}

void
group_touch(struct group *g, struct member *m, int64_t now_ms)
{
	bool waits = m->waiter.kind != WAITS_NOT;

	if (waits && !m->is_new) {
		group_disarm(g, &m->due);
		return;
	}
	m->expires_ms = now_ms + (waits ? NEW_MEMBER_JOIN_MS : m->session_timeout_ms);
	if (m->due.node.at == 0 || m->due.node.key > m->expires_ms)
		group_arm(g, &m->due, m->expires_ms);
}

static struct member *
first_member(const struct group *g)
{
	return list_first(&g->members.list, struct member, link);
}

enum group_error
group_identify(const struct group *g, struct span member_id,
    struct span instance_id, struct member **out)
{
	struct member *m;

	if (instance_id.p == NULL) {
		m = members_find(&g->members, member_id);
	} else {
		m = members_find_static(&g->members, instance_id);
		if (m != NULL && !span_eq(blob_span(m->id), member_id))
			return GROUP_FENCED_INSTANCE_ID;
	}
	*out = m;
	return m == NULL ? GROUP_UNKNOWN_MEMBER_ID : GROUP_OK;
}

/* ---- answers ---- */

/* What the leader computes the assignments from. */
static void
show_members(struct group *g, struct group_join_answer *to)
{
	struct roster {
		struct blob_head head;
		struct group_join_member at[];
	} *r = xmalloc(sizeof *r + g->members.n * sizeof r->at[0]);
	const struct member *m;

	blob_drop(&group_answers(g)->bin, &r->head);
	to->members = r->at;
	to->n_members = 0;
	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		r->at[to->n_members++] = (struct group_join_member){
		    .member_id = blob_span(m->id),
		    .instance_id = m->instance_id == NULL ? span_of(NULL, 0) :
			blob_span(m->instance_id),
		    .metadata = member_metadata(m, blob_span(g->protocol_name)) };
	}
}

struct group_join_answer
group_join_answer_for(struct group *g, const struct member *m)
{
	struct group_join_answer a = {
		.generation = g->generation,
		.protocol_type = blob_span(g->protocol_type),
		.protocol_name = blob_span(g->protocol_name),
		.leader = blob_span(g->leader->id),
		.member_id = blob_span(m->id),
	};

	if (m == g->leader)
		show_members(g, &a);
	return a;
}

void
group_fail_waiter(struct group *g, struct member *m, enum group_error error)
{
	g->members.n_joining -= m->waiter.kind == WAITS_FOR_JOIN;
	answers_fail_waiter(group_answers(g), &m->waiter, error);
}

void
group_park(struct group *g, struct member *m, enum waiter_kind kind,
    void *token, int64_t now_ms)
{
	group_fail_waiter(g, m, GROUP_REBALANCE_IN_PROGRESS);
	answers_park(group_answers(g), &m->waiter, kind, token);
	g->members.n_joining += kind == WAITS_FOR_JOIN;
	group_touch(g, m, now_ms);
}

/* ---- rebalance ---- */

/* Assignments that were begun are void: their members have to join again. */
static void
abandon_syncs(struct group *g, int64_t now_ms)
{
	struct member *m;

	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		if (m->waiter.kind != WAITS_FOR_SYNC)
			continue;
		group_fail_waiter(g, m, GROUP_REBALANCE_IN_PROGRESS);
		group_touch(g, m, now_ms);
	}
}

void
group_prepare(struct group *g, int64_t now_ms)
{
	int32_t delay_ms = g->env->config.initial_rebalance_delay_ms;
	int32_t timeout_ms;

	if (g->state == GROUP_PREPARING)
		return;
	timeout_ms = members_rebalance_timeout_ms(&g->members);
	abandon_syncs(g, now_ms);
	list_each(l, &g->members.list)
		members_set_owes_sync(&g->members,
		    container_of(l, struct member, link), false);
	g->in_initial_delay = g->state == GROUP_EMPTY;
	g->joined_in_delay = false;
	g->delay_latest_ms = now_ms + (timeout_ms > delay_ms ? timeout_ms : delay_ms);
	group_arm(g, &g->due, now_ms + (g->in_initial_delay ? delay_ms : timeout_ms));
	group_set_state(g, GROUP_PREPARING);
}

void
group_drop_member(struct group *g, struct member *m)
{
	bool led = g->leader == m;

	group_fail_waiter(g, m, GROUP_UNKNOWN_MEMBER_ID);
	group_disarm(g, &m->due);
	members_remove(&g->members, m);
	if (led)
		g->leader = first_member(g);
	group_forget_topics(g);
}

void
group_remove_member(struct group *g, struct member *m, int64_t now_ms)
{
	group_drop_member(g, m);
	group_prepare(g, now_ms);
}

void
group_remove_pending(struct group *g, struct pending *p)
{
	group_disarm(g, &p->due);
	members_remove_pending(&g->members, p);
}

static void
drop_absent_dynamic(struct group *g)
{
	struct member *m;

	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		if (m->waiter.kind != WAITS_FOR_JOIN && m->instance_id == NULL)
			group_drop_member(g, m);
	}
}

/* A leader that joined, the present one if it did.  False: nobody joined. */
static bool
elect_leader(struct group *g)
{
	struct member *m;

	if (g->leader->waiter.kind == WAITS_FOR_JOIN)
		return true;
	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		if (m->waiter.kind == WAITS_FOR_JOIN) {
			g->leader = m;
			return true;
		}
	}
	return false;
}

static void
next_generation(struct group *g)
{
	g->generation = g->generation == INT32_MAX ? 1 : g->generation + 1;
	group_forget_topics(g);
	group_replace_blob(g, &g->protocol_name, g->members.n == 0 ? NULL :
	    blob_new(members_vote(&g->members)));
}

/*
 * The wait for members is over.  Static members that did not join stay: they
 * have until the end of their session, or of the time for syncs.
 */
void
group_complete(struct group *g, int64_t now_ms)
{
	int64_t timeout_ms;
	struct group_join_answer a;
	struct member *m;

	drop_absent_dynamic(g);
	g->in_initial_delay = false;
	timeout_ms = members_rebalance_timeout_ms(&g->members);
	if (g->members.n > 0 && !elect_leader(g)) {
		group_arm(g, &g->due, now_ms + timeout_ms);
		return;
	}
	next_generation(g);
	if (g->members.n == 0) {
		group_disarm(g, &g->due);
		group_set_state(g, GROUP_EMPTY);
		g->empty_ms = now_ms;
		return;
	}
	group_set_state(g, GROUP_COMPLETING);
	group_arm(g, &g->due, now_ms + timeout_ms);
	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		m->is_new = false;
		members_set_owes_sync(&g->members, m, true);
		if (m->waiter.kind == WAITS_FOR_JOIN) {
			a = group_join_answer_for(g, m);
			answers_join_waiter(group_answers(g), &m->waiter, &a);
			g->members.n_joining--;
		}
		group_touch(g, m, now_ms);
	}
}

bool
group_all_are_in(const struct group *g)
{
	if (g->in_initial_delay)
		return g->env->config.initial_rebalance_delay_ms == 0;
	return g->members.n_joining == g->members.n && g->members.n_pending == 0;
}

/* Starts or ends the time after which an Empty group goes. */
static void
settle_empty(struct group *g, int64_t now_ms)
{
	if (g->has_offsets)
		list_del(&g->idle);
	else if (list_empty(&g->idle))
		list_add(&g->env->idle, &g->idle);
	if (g->has_offsets || g->members.n_pending > 0)
		group_disarm(g, &g->due);
	else if (g->generation == 0)
		group_set_state(g, GROUP_DEAD);
	else if (g->due.node.at == 0)
		group_arm(g, &g->due, now_ms + GROUP_LINGER_MS);
}

void
group_settle(struct group *g, int64_t now_ms)
{
	if (g->state == GROUP_PREPARING && group_all_are_in(g))
		group_complete(g, now_ms);
	if (g->state == GROUP_EMPTY)
		settle_empty(g, now_ms);
	else
		list_del(&g->idle);
}

