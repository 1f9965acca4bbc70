/* group_join.c -- who may join a group, and what that does to it. */
#include "coord/group_internal.h"

#include "base/uuid.h"
#include "base/xalloc.h"
#include "coord/subscription.h"

static void
refuse_join(struct group *g, void *token, enum group_error error)
{
	answers_fail(group_answers(g), WAITS_FOR_JOIN, token, error);
}

/* The member that joins, under whatever id; NULL: a new one. */
static const struct member *
who_joins(const struct group *g, const struct group_join *j)
{
	return j->member_id.n == 0 && j->instance_id.p != NULL ?
	    members_find_static(&g->members, j->instance_id) :
	    members_find(&g->members, j->member_id);
}

/*
 * Whether the group has room.  In a rebalance those that joined are counted,
 * so that the last to join are the ones that are left out.
 */
static bool
has_room(const struct group *g, const struct group_join *j)
{
	const struct member *m = who_joins(g, j);
	size_t max = (size_t)g->env->config.max_size;

	if (g->state == GROUP_PREPARING)
		return (m != NULL && m->waiter.kind == WAITS_FOR_JOIN) ||
		    g->members.n_joining < max;
	return m != NULL || g->members.n < max;
}

/* Whether all groups together may take what the join brings. */
static bool
has_memory(const struct group *g, const struct group_join *j)
{
	size_t more = member_growth(who_joins(g, j), j);

	return more == 0 || g->env->bytes + more <= GROUPS_MAX_BYTES;
}

/* A client that finds no room is no member afterwards. */
static void
turn_away(struct group *g, struct span member_id, void *token)
{
	struct member *m = members_find(&g->members, member_id);
	struct pending *p = members_find_pending(&g->members, member_id);

	if (m != NULL)
		group_drop_member(g, m);
	if (p != NULL)
		group_remove_pending(g, p);
	refuse_join(g, token, GROUP_MAX_SIZE_REACHED);
}

static bool
supports(const struct group *g, const struct group_join *j)
{
	if (g->members.n == 0 ? j->protocol_type.n == 0 :
	    !span_eq(j->protocol_type, blob_span(g->protocol_type)))
		return false;
	return members_support(&g->members, j->protocols, j->n_protocols);
}

/* At most GROUP_ID_PREFIX_MAX_BYTES, cut between characters of UTF-8. */
static size_t
prefix_bytes(struct span s)
{
	size_t n = s.n;

	if (n <= GROUP_ID_PREFIX_MAX_BYTES)
		return n;
	for (n = GROUP_ID_PREFIX_MAX_BYTES; n > 0 && (s.p[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

/* "<instance id or client id>-<random UUID>" */
static struct blob *
make_member_id(const struct group_join *j)
{
	struct span from = j->instance_id.p != NULL ? j->instance_id : j->client_id;
	size_t n = prefix_bytes(from);
	struct blob *id = xmalloc(sizeof *id + n + 1 + UUID_RFC_TEXT);
	uint8_t random[GROUP_RANDOM_BYTES];
	char text[UUID_RFC_TEXT + 1];

	memcpy(random, j->random, sizeof random);
	uuid_set_random(random);
	uuid_rfc_text(random, text);
	if (n > 0)
		memcpy(id->p, from.p, n);
	id->p[n] = '-';
	memcpy(id->p + n + 1, text, UUID_RFC_TEXT);
	id->n = n + 1 + UUID_RFC_TEXT;
	return id;
}

static void
add_member(struct group *g, struct blob *id, const struct group_join *j,
    void *token, int64_t now_ms)
{
	struct member *m;

	if (g->members.n == 0)
		group_replace_blob(g, &g->protocol_type, blob_new(j->protocol_type));
	m = members_add(&g->members, g, id, j);
	if (g->leader == NULL)
		g->leader = m;
	group_forget_topics(g);
	g->joined_in_delay = true;
	group_park(g, m, WAITS_FOR_JOIN, token, now_ms);
	group_prepare(g, now_ms);
}

/* Hands out a member id; the client joins with it next. */
static void
add_pending(struct group *g, const struct group_join *j, void *token,
    int64_t now_ms)
{
	struct pending *p = list_first(&g->members.pending, struct pending, link);

	if (g->members.n_pending == GROUP_PENDING_MAX)
		group_remove_pending(g, p);
	p = members_add_pending(&g->members, g, make_member_id(j));
	group_arm(g, &p->due, now_ms + j->session_timeout_ms);
	answers_join(group_answers(g), token, &(struct group_join_answer){
	    .error = GROUP_MEMBER_ID_REQUIRED, .generation = -1,
	    .leader = span_str(""), .member_id = blob_span(p->id) });
}

/* A known member joins a rebalance, or causes one. */
static void
rejoin(struct group *g, struct member *m, const struct group_join *j,
    void *token, int64_t now_ms)
{
	members_update(&g->members, m, j);
	group_forget_topics(g);
	group_park(g, m, WAITS_FOR_JOIN, token, now_ms);
	group_prepare(g, now_ms);
}

/*
 * Updates a static member that came back.  True: nothing changed for the
 * others, and it can take over its assignment of a Stable group.  Of consumers'
 * metadata only the topics matter here: the rest is the assignor's notes, which
 * a restarted member has no more.
 */
static bool
update_static(struct group *g, struct member *m, const struct group_join *j)
{
	struct span chosen = blob_span(g->protocol_name), old;
	bool same;

	old = member_metadata(m, chosen);
	members_update(&g->members, m, j);
	group_forget_topics(g);
	same = g->state == GROUP_STABLE &&
	    span_eq(members_vote(&g->members), chosen);
	if (same && span_is(blob_span(g->protocol_type), "consumer"))
		same = subscription_same(old, member_metadata(m, chosen));
	return same;
}

/*
 * A static member is back with no member id: it gets a new one, and the old
 * one is fenced.
 */
static void
replace_static(struct group *g, struct member *m, const struct group_join *j,
    void *token, int64_t now_ms)
{
	struct span old_leader = blob_span(g->leader->id);
	struct group_join_answer a;

	group_fail_waiter(g, m, GROUP_FENCED_INSTANCE_ID);
	members_rename(&g->members, m, make_member_id(j));
	if (!update_static(g, m, j)) {
		group_park(g, m, WAITS_FOR_JOIN, token, now_ms);
		group_prepare(g, now_ms);
		return;
	}
	a = group_join_answer_for(g, m);
	a.skip_assignment = m == g->leader && j->skip_assignment_known;
	if (!j->skip_assignment_known) {
		/* A leader that finds itself no leader assigns nothing: its
		   assignment would not reach a Stable group. */
		a.leader = old_leader;
		a.n_members = 0;
	}
	answers_join(group_answers(g), token, &a);
	group_touch(g, m, now_ms);
}

static void
join_as_new(struct group *g, const struct group_join *j, void *token,
    int64_t now_ms)
{
	struct member *m = j->instance_id.p == NULL ? NULL :
	    members_find_static(&g->members, j->instance_id);

	if (m != NULL)
		replace_static(g, m, j, token, now_ms);
	else if (j->instance_id.p == NULL && j->requires_member_id)
		add_pending(g, j, token, now_ms);
	else
		add_member(g, make_member_id(j), j, token, now_ms);
}

static void
join_as_pending(struct group *g, struct pending *p, const struct group_join *j,
    void *token, int64_t now_ms)
{
	struct blob *id = blob_new(blob_span(p->id));

	group_remove_pending(g, p);
	add_member(g, id, j, token, now_ms);
}

static void
join_as_member(struct group *g, struct member *m, const struct group_join *j,
    void *token, int64_t now_ms)
{
	bool same = member_has_same(m, j);
	struct group_join_answer a;

	/*
	 * In CompletingRebalance the answer may have been lost.  In Stable the
	 * leader's join asks for a rebalance (it saw the topics change); a
	 * follower with nothing new only wants its assignment.
	 */
	if ((g->state == GROUP_COMPLETING && same) ||
	    (g->state == GROUP_STABLE && same && m != g->leader)) {
		a = group_join_answer_for(g, m);
		answers_join(group_answers(g), token, &a);
		group_touch(g, m, now_ms);
	} else {
		rejoin(g, m, j, token, now_ms);
	}
}

void
group_join(struct group *g, const struct group_join *j, void *token,
    int64_t now_ms)
{
	struct pending *p = members_find_pending(&g->members, j->member_id);
	struct member *m;
	enum group_error error =
	    group_identify(g, j->member_id, j->instance_id, &m);

	if (!has_room(g, j))
		turn_away(g, j->member_id, token);
	else if (!supports(g, j))
		refuse_join(g, token, GROUP_INCONSISTENT_PROTOCOL);
	else if (!has_memory(g, j))
		refuse_join(g, token, GROUP_COORDINATOR_NOT_AVAILABLE);
	else if (j->member_id.n == 0)
		join_as_new(g, j, token, now_ms);
	else if (p != NULL && j->instance_id.p == NULL)
		join_as_pending(g, p, j, token, now_ms);
	else if (error != GROUP_OK)
		refuse_join(g, token, error);
	else
		join_as_member(g, m, j, token, now_ms);
	group_settle(g, now_ms);
}

