/* group.c -- one group: its other events, and its life. */
#include "coord/group_internal.h"

#include "base/xalloc.h"
#include "coord/consumer_group.h"
#include "coord/subscription.h"

/* ---- sync ---- */

static struct group_sync_answer
sync_answer(const struct group *g, const struct member *m)
{
	return (struct group_sync_answer){
		.protocol_type = blob_span(g->protocol_type),
		.protocol_name = blob_span(g->protocol_name),
		.assignment = blob_span(m->assignment),
	};
}

/* The limits of what a leader assigns. */
static enum group_error
check_assignments(const struct group *g, const struct group_sync *s)
{
	size_t i, had = 0, has = 0;

	list_each(l, &g->members.list)
		had += blob_span(container_of(l, struct member, link)->assignment).n;
	for (i = 0; i < s->n_assignments; i++) {
		if (s->assignments[i].assignment.n > GROUP_ASSIGNMENT_MAX_BYTES)
			return GROUP_INVALID_REQUEST;
		if (members_find(&g->members, s->assignments[i].member_id) != NULL)
			has += s->assignments[i].assignment.n;
	}
	return has > had && g->env->bytes + (has - had) > GROUPS_MAX_BYTES ?
	    GROUP_COORDINATOR_NOT_AVAILABLE : GROUP_OK;
}

static enum group_error
check_sync(const struct group *g, const struct group_sync *s, struct member **m)
{
	enum group_error error = group_identify(g, s->member_id, s->instance_id, m);

	if (error != GROUP_OK)
		return error;
	if (s->generation != g->generation)
		return GROUP_ILLEGAL_GENERATION;
	if (s->protocol_type.p != NULL &&
	    !span_eq(s->protocol_type, blob_span(g->protocol_type)))
		return GROUP_INCONSISTENT_PROTOCOL;
	if (s->protocol_name.p != NULL &&
	    !span_eq(s->protocol_name, blob_span(g->protocol_name)))
		return GROUP_INCONSISTENT_PROTOCOL;
	if (g->state == GROUP_PREPARING)
		return GROUP_REBALANCE_IN_PROGRESS;
	if (g->state == GROUP_COMPLETING && *m == g->leader)
		return check_assignments(g, s);
	return GROUP_OK;
}

/* The leader's sync: all have their assignment now, if only an empty one. */
static void
assign(struct group *g, const struct group_sync *s, int64_t now_ms)
{
	struct group_sync_answer a;
	struct member *m;
	size_t i;

	list_each(l, &g->members.list)
		members_set_assignment(&g->members,
		    container_of(l, struct member, link), span_str(""));
	for (i = 0; i < s->n_assignments; i++)
		if ((m = members_find(&g->members, s->assignments[i].member_id)) != NULL)
			members_set_assignment(&g->members, m, s->assignments[i].assignment);
	group_set_state(g, GROUP_STABLE);
	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		if (m->waiter.kind != WAITS_FOR_SYNC)
			continue;
		a = sync_answer(g, m);
		answers_sync_waiter(group_answers(g), &m->waiter, &a);
		group_touch(g, m, now_ms);
	}
}

void
group_sync(struct group *g, const struct group_sync *s, void *token,
    int64_t now_ms)
{
	struct member *m;
	enum group_error error = check_sync(g, s, &m);
	struct group_sync_answer a;

	if (error != GROUP_OK) {
		answers_fail(group_answers(g), WAITS_FOR_SYNC, token, error);
		return;
	}
	members_set_owes_sync(&g->members, m, false);
	if (g->state == GROUP_STABLE) {
		a = sync_answer(g, m);
		answers_sync(group_answers(g), token, &a);
		group_touch(g, m, now_ms);
	} else {
		group_park(g, m, WAITS_FOR_SYNC, token, now_ms);
		if (m == g->leader)
			assign(g, s, now_ms);
	}
	if (g->members.n_owing == 0)
		group_disarm(g, &g->due);
}

/* ---- heartbeat, commit, leave ---- */

enum group_error
group_heartbeat(struct group *g, const struct group_heartbeat *h,
    int64_t now_ms)
{
	struct member *m;
	enum group_error error = group_identify(g, h->member_id, h->instance_id, &m);

	if (error != GROUP_OK)
		return error;
	if (h->generation != g->generation)
		return GROUP_ILLEGAL_GENERATION;
	group_touch(g, m, now_ms);
	return g->state == GROUP_PREPARING ? GROUP_REBALANCE_IN_PROGRESS : GROUP_OK;
}

enum group_error
group_commit_check(struct group *g, const struct group_commit *c,
    int64_t now_ms)
{
	struct member *m;
	enum group_error error;

	if (g->consumers != NULL)
		return consumer_group_commit_check(g, c);
	/* Somebody who manages partitions otherwise, or an administrator. */
	if (c->generation < 0 && g->state == GROUP_EMPTY)
		return GROUP_OK;
	/* Old producers don't say who they are. */
	if (c->generation < 0 && c->member_id.n == 0 && c->instance_id.p == NULL)
		return c->transactional ? GROUP_OK : GROUP_UNKNOWN_MEMBER_ID;
	if ((error = group_identify(g, c->member_id, c->instance_id, &m)) != GROUP_OK)
		return error;
	if (c->generation != g->generation)
		return GROUP_ILLEGAL_GENERATION;
	if (c->transactional)
		return GROUP_OK;
	/* It knows of the new generation, but can't know what it owns in it. */
	if (g->state == GROUP_COMPLETING)
		return GROUP_REBALANCE_IN_PROGRESS;
	group_touch(g, m, now_ms);
	return GROUP_OK;
}

static enum group_error
leave(struct group *g, const struct group_leave *who, int64_t now_ms)
{
	struct pending *p = members_find_pending(&g->members, who->member_id);
	struct member *m;
	enum group_error error = GROUP_OK;

	if (g->consumers != NULL)
		return consumer_group_leave(g, who, now_ms);
	if (p != NULL && who->instance_id.p == NULL) {
		group_remove_pending(g, p);
		return GROUP_OK;
	}
	if (who->member_id.n == 0 && who->instance_id.p != NULL) {
		m = members_find_static(&g->members, who->instance_id);
		error = m == NULL ? GROUP_UNKNOWN_MEMBER_ID : GROUP_OK;
	} else {
		error = group_identify(g, who->member_id, who->instance_id, &m);
	}
	if (error == GROUP_OK)
		group_remove_member(g, m, now_ms);
	return error;
}

void
group_leave(struct group *g, struct group_leave *leaving, size_t n,
    int64_t now_ms)
{
	size_t i;

	for (i = 0; i < n; i++)
		leaving[i].error = leave(g, &leaving[i], now_ms);
	group_settle(g, now_ms);
}

/* ---- time ---- */

static void
drop_owing(struct group *g)
{
	struct member *m;

	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		if (m->owes_sync)
			group_drop_member(g, m);
	}
}

/* The initial delay is over; true when it starts anew for those that came. */
static bool
delay_again(struct group *g, int64_t now_ms)
{
	int64_t at_ms = now_ms + g->env->config.initial_rebalance_delay_ms;

	if (!g->in_initial_delay || !g->joined_in_delay)
		return false;
	if (at_ms > g->delay_latest_ms)
		at_ms = g->delay_latest_ms;
	if (at_ms <= now_ms)
		return false;
	g->joined_in_delay = false;
	group_arm(g, &g->due, at_ms);
	return true;
}

void
group_due(struct group *g, int64_t now_ms)
{
	must(g->state != GROUP_DEAD);
	switch (g->state) {
	case GROUP_EMPTY:
		group_set_state(g, GROUP_DEAD);
		break;
	case GROUP_PREPARING:
		if (!delay_again(g, now_ms))
			group_complete(g, now_ms);
		break;
	case GROUP_COMPLETING:
	case GROUP_STABLE:
		drop_owing(g);
		group_prepare(g, now_ms);
		break;
	case GROUP_ASSIGNING:
	case GROUP_RECONCILING:
	case GROUP_DEAD:
		break;
	}
	group_settle(g, now_ms);
}

void
group_member_due(struct member *m, int64_t now_ms)
{
	struct group *g = m->group;

	if (m->expires_ms > now_ms) {
		group_arm(g, &m->due, m->expires_ms);
		return;
	}
	group_remove_member(g, m, now_ms);
	group_settle(g, now_ms);
}

void
group_pending_due(struct pending *p, int64_t now_ms)
{
	struct group *g = p->group;

	group_remove_pending(g, p);
	group_settle(g, now_ms);
}

/* ---- offsets and topics ---- */

void
group_note_offsets(struct group *g, bool has_offsets, int64_t now_ms)
{
	g->has_offsets = has_offsets;
	group_settle(g, now_ms);
}

static bool
collect_topics(struct group *g)
{
	struct span chosen = blob_span(g->protocol_name), topics, name;

	if (g->protocol_name == NULL)
		return false;
	list_each(l, &g->members.list) {
		const struct member *m = container_of(l, struct member, link);

		if (!subscription_topics(member_metadata(m, chosen), &topics))
			return false;
		while (subscription_next(&topics, &name))
			must_fit(map_put(&g->topics, name, g));
	}
	return true;
}

bool
group_subscribes(struct group *g, struct span topic)
{
	if (g->consumers != NULL)
		return consumer_group_subscribes(g, topic);
	if (g->topics_state == TOPICS_UNKNOWN)
		g->topics_state = collect_topics(g) ? TOPICS_KNOWN : TOPICS_UNREADABLE;
	return g->topics_state == TOPICS_UNREADABLE ||
	    map_get(&g->topics, topic) != NULL;
}

/* ---- life ---- */

struct group *
group_new(struct group_env *env, struct span id, int64_t now_ms)
{
	struct group *g = xcalloc(1, sizeof *g);

	g->env = env;
	g->id = blob_new(id);
	g->empty_ms = now_ms;
	g->due.kind = DUE_GROUP;
	list_init(&g->idle);
	members_init(&g->members, &env->answers.bin, &env->bytes);
	return g;
}

void
group_free(struct group *g)
{
	struct member *m;

	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		answers_forget(group_answers(g), m->waiter.token);
		group_drop_member(g, m);
	}
	list_each(l, &g->members.pending)
		group_remove_pending(g, container_of(l, struct pending, link));
	consumer_group_end(g);
	group_disarm(g, &g->due);
	list_del(&g->idle);
	group_forget_topics(g);
	members_done(&g->members);
	group_replace_blob(g, &g->id, NULL);
	group_replace_blob(g, &g->protocol_type, NULL);
	group_replace_blob(g, &g->protocol_name, NULL);
	free(g);
}

static void
check_waiters(const struct group *g)
{
	const struct member *m;

	list_each(l, &g->members.list) {
		m = container_of(l, struct member, link);
		must(m->group == g);
		must(m->waiter.kind != WAITS_FOR_JOIN || g->state == GROUP_PREPARING);
		must(m->waiter.kind != WAITS_FOR_SYNC || g->state == GROUP_COMPLETING);
		must(m->waiter.kind != WAITS_FOR_SYNC || !m->owes_sync);
		must(!m->is_new || m->waiter.kind == WAITS_FOR_JOIN);
		must(g->protocol_name == NULL || g->state == GROUP_PREPARING ||
		    member_metadata(m, blob_span(g->protocol_name)).p != NULL);
	}
}

void
group_check(const struct group *g)
{
	bool shares = g->consumers == NULL &&
	    (g->state == GROUP_COMPLETING || g->state == GROUP_STABLE);

	if (g->consumers != NULL)
		consumer_group_check(g);
	members_check(&g->members);
	check_waiters(g);
	must(g->state != GROUP_DEAD);
	must((g->leader == NULL) == (g->members.n == 0));
	must(g->leader == NULL ||
	    members_find(&g->members, blob_span(g->leader->id)) == g->leader);
	must(g->members.n == 0 || g->protocol_type != NULL);
	must(g->state != GROUP_EMPTY || g->members.n == 0);
	must(!shares || (g->members.n > 0 && g->protocol_name != NULL));
	must(g->state != GROUP_COMPLETING || g->leader->owes_sync);
	must(shares || g->members.n_owing == 0);
	/* Somebody is waited for, or the group goes: a deadline sees to that. */
	must((g->due.node.at != 0) == (g->state == GROUP_PREPARING ||
	    (shares && g->members.n_owing > 0) || (g->state == GROUP_EMPTY &&
	    !g->has_offsets && g->members.n_pending == 0)));
	must(g->state != GROUP_PREPARING || !group_all_are_in(g));
	must(!list_empty(&g->idle) == (g->state == GROUP_EMPTY && !g->has_offsets));
}
