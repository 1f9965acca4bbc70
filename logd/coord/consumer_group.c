/* consumer_group.c -- one group of the newer protocol: its events, and its members. */
#include "coord/consumer_internal.h"

#include "base/uuid.h"
#include "base/xalloc.h"
#include "coord/assignor.h"

/* ---- small parts ---- */

void
consumer_charge(struct group *g, size_t bytes)
{
	g->consumers->bytes += bytes;
	g->env->bytes += bytes;
}

void
consumer_discharge(struct group *g, size_t bytes)
{
	must(g->consumers->bytes >= bytes && g->env->bytes >= bytes);
	g->consumers->bytes -= bytes;
	g->env->bytes -= bytes;
}

bool
consumer_has_room(const struct group *g, size_t bytes)
{
	return g->env->bytes + bytes <= GROUPS_MAX_BYTES;
}

void
consumer_bump(struct group *g)
{
	/* Of an epoch that nobody has a target of yet there need be no other. */
	if (g->generation == g->consumers->target_epoch)
		g->generation = g->generation == INT32_MAX ? 1 : g->generation + 1;
}

/* The end of every event. */
static void
settle(struct group *g, int64_t now_ms)
{
	const struct consumer_group *c = g->consumers;
	enum group_state state = c->n_members == 0 ? GROUP_EMPTY :
	    c->target_epoch != g->generation ? GROUP_ASSIGNING :
	    c->n_unsettled > 0 ? GROUP_RECONCILING : GROUP_STABLE;

	consumer_free_orphans(g);
	if (g->state != state) {
		group_set_state(g, state);
		if (state == GROUP_EMPTY)
			g->empty_ms = now_ms;
		else
			group_disarm(g, &g->due); /* it lingers no longer */
	}
	group_settle(g, now_ms);
}

static struct consumer *
find(const struct group *g, struct span id)
{
	return map_get(&g->consumers->by_id, id);
}

static struct consumer *
find_static(const struct group *g, struct span instance_id)
{
	return map_get(&g->consumers->by_instance, instance_id);
}

/* ---- members ---- */

static size_t
optional_bytes(const struct blob *b)
{
	return b == NULL ? 0 : sizeof *b + b->n;
}

static size_t
member_bytes(const struct consumer *m)
{
	return sizeof *m + optional_bytes(m->id) + optional_bytes(m->client_id) +
	    optional_bytes(m->client_host) + optional_bytes(m->instance_id) + optional_bytes(m->rack_id);
}

/* What a new member would take, but for its subscription. */
static size_t
growth(const struct consumer_heartbeat *h)
{
	return sizeof(struct consumer) + 5 * sizeof(struct blob) + h->member_id.n + UUID_TEXT +
	    h->client_id.n + h->client_host.n + h->instance_id.n + h->rack_id.n;
}

static void
replace(struct group *g, struct blob **at, struct span by)
{
	if (by.p == NULL || (*at != NULL && span_eq(blob_span(*at), by)))
		return;
	consumer_discharge(g, optional_bytes(*at));
	group_replace_blob(g, at, blob_new(by));
	consumer_charge(g, optional_bytes(*at));
}

static struct consumer *
add(struct group *g, struct span id, const struct consumer_heartbeat *h)
{
	struct consumer_group *c = g->consumers;
	struct consumer *m = xcalloc(1, sizeof *m);

	m->group = g;
	m->due.kind = DUE_CONSUMER;
	m->assignor = -1;
	m->revoke_ms = INT64_MAX;
	list_init(&m->assigned);
	list_init(&m->revoking);
	list_init(&m->target);
	consumer_charge(g, sizeof *m);
	replace(g, &m->id, id);
	replace(g, &m->instance_id, h->instance_id);
	must_fit(map_put(&c->by_id, blob_span(m->id), m));
	if (m->instance_id != NULL)
		must_fit(map_put(&c->by_instance, blob_span(m->instance_id), m));
	list_init(&m->link);
	list_add(&c->members, &m->link);
	c->n_members++;
	c->n_unsettled++;
	return m;
}

static void
forget(struct group *g, struct blob **b)
{
	consumer_discharge(g, optional_bytes(*b));
	group_replace_blob(g, b, NULL);
}

static void
drop(struct consumer *m)
{
	struct group *g = m->group;
	struct consumer_group *c = g->consumers;

	group_disarm(g, &m->due);
	consumer_release_all(m);
	consumer_aim_none(m);
	c->n_unsettled -= !m->settled;
	c->n_members--;
	list_del(&m->link);
	must(map_del(&c->by_id, blob_span(m->id)) == m);
	if (m->instance_id != NULL)
		must(map_del(&c->by_instance, blob_span(m->instance_id)) == m);
	if (m->interest != NULL)
		consumer_interest_release(g, m->interest);
	forget(g, &m->id);
	forget(g, &m->instance_id);
	forget(g, &m->rack_id);
	forget(g, &m->client_id);
	forget(g, &m->client_host);
	consumer_discharge(g, sizeof *m);
	free(m);
}

static void
remove_member(struct consumer *m)
{
	consumer_bump(m->group);
	drop(m);
}

/* A static member is back under another id. */
static void
rename_member(struct consumer *m, struct span id)
{
	struct consumer_group *c = m->group->consumers;
	struct consumer *other = find(m->group, id);

	if (other != NULL && other != m)
		remove_member(other);
	must(map_del(&c->by_id, blob_span(m->id)) == m);
	replace(m->group, &m->id, id);
	must_fit(map_put(&c->by_id, blob_span(m->id), m));
}

/* ---- time ---- */

static void
arm(struct consumer *m)
{
	int64_t at_ms = m->expires_ms < m->revoke_ms ? m->expires_ms : m->revoke_ms;

	if (m->due.node.at == 0 || m->due.node.key > at_ms)
		group_arm(m->group, &m->due, at_ms);
}

static void
touch(struct consumer *m, int64_t now_ms)
{
	m->expires_ms = now_ms + m->group->env->config.consumer_session_timeout_ms;
	arm(m);
}

void
consumer_group_due(struct consumer *m, int64_t now_ms)
{
	struct group *g = m->group;

	if (m->expires_ms > now_ms && m->revoke_ms > now_ms) {
		arm(m);
		return;
	}
	remove_member(m);
	settle(g, now_ms);
}

static void
look_behind(struct group *g, int64_t now_ms)
{
	struct group_env *env = g->env;

	if (g->consumers->n_members == 0 || !consumer_is_behind(g)) {
		list_del(&g->consumers->behind);
		return;
	}
	env->behind_ms = now_ms + 1;
	if (list_empty(&g->consumers->behind))
		list_add(&env->behind, &g->consumers->behind);
}

void
consumer_group_catch_up(struct group *g, int64_t now_ms)
{
	if (consumer_refresh(g))
		consumer_bump(g);
	look_behind(g, now_ms);
	settle(g, now_ms);
}

/* ---- heartbeats: who it is ---- */

static void
refuse(struct consumer_answer *out, enum group_error error, const char *message)
{
	*out = (struct consumer_answer){ .error = error, .message = message };
}

/* Lets the parts be marked that the heartbeat lists.  True: the member holds them all. */
static bool
mark_owned(const struct consumer *m, const struct consumer_heartbeat *h)
{
	uint32_t mark = ++m->group->consumers->mark;
	bool all = true;
	size_t i, k;

	for (i = 0; i < h->n_owned; i++)
		for (k = 0; k < h->owned[i].n; k++) {
			struct part *p = consumer_part(m->group, h->owned[i].topic_id, h->owned[i].numbers[k]);

			if (p != NULL)
				p->mark = mark;
			all &= p != NULL && p->holder == m && !p->revoking;
		}
	return all;
}

/*
 * The epoch before is that of a member whose last answer was lost, when it owns
 * nothing that it should not.
 */
static enum group_error
check_epoch(const struct consumer *m, const struct consumer_heartbeat *h)
{
	if (h->epoch == CONSUMER_JOINS || h->epoch == m->epoch)
		return GROUP_OK;
	if (h->epoch < m->epoch && h->epoch == m->previous_epoch && h->has_owned && mark_owned(m, h))
		return GROUP_OK;
	return GROUP_FENCED_MEMBER_EPOCH;
}

/*
 * Which member is meant, under whatever id; NULL with GROUP_OK: one that joins.
 * Of a static member that is away for a while another may take the place.
 */
static enum group_error
identify(const struct group *g, const struct consumer_heartbeat *h, struct consumer **out)
{
	bool joins = h->epoch == CONSUMER_JOINS;
	struct consumer *m;

	*out = NULL;
	if (h->instance_id.p == NULL) {
		m = find(g, h->member_id);
	} else {
		m = find_static(g, h->instance_id);
		if (m != NULL && !span_eq(blob_span(m->id), h->member_id)) {
			if (!joins)
				return GROUP_FENCED_INSTANCE_ID;
			if (m->epoch != CONSUMER_LEAVES_FOR_A_WHILE)
				return GROUP_UNRELEASED_INSTANCE_ID;
		}
	}
	*out = m;
	return m != NULL || joins ? GROUP_OK : GROUP_UNKNOWN_MEMBER_ID;
}

static const char *
message_of(enum group_error error)
{
	switch (error) {
	case GROUP_UNKNOWN_MEMBER_ID:
		return "The group has no such member: join with epoch 0.";
	case GROUP_FENCED_MEMBER_EPOCH:
		return "The epoch is not the member's: give up all partitions and join with epoch 0.";
	case GROUP_FENCED_INSTANCE_ID:
		return "Another member has this instance id now.";
	case GROUP_UNRELEASED_INSTANCE_ID:
		return "Another member has this instance id, and has not left.";
	case GROUP_MAX_SIZE_REACHED:
		return "The group has as many members as group.consumer.max.size allows.";
	case GROUP_COORDINATOR_NOT_AVAILABLE:
		return "The members of all groups take all the memory that they may.";
	default:
		return NULL;
	}
}

/* ---- heartbeats: joining, staying, leaving ---- */

static void
leave(struct group *g, const struct consumer_heartbeat *h, int64_t now_ms,
    struct consumer_answer *out)
{
	struct consumer *m;
	enum group_error error = identify(g, h, &m);

	if (error != GROUP_OK) {
		refuse(out, error, message_of(error));
		return;
	}
	if (h->epoch == CONSUMER_LEAVES) {
		remove_member(m);
	} else {
		/* What it was to give up it has given up. */
		consumer_release_revoking(m);
		consumer_set_settled(m, false);
		m->previous_epoch = m->epoch = CONSUMER_LEAVES_FOR_A_WHILE;
		touch(m, now_ms);
	}
	*out = (struct consumer_answer){ .member_id = h->member_id, .epoch = h->epoch };
}

/* v0 lets the group choose the id. */
static struct span
id_of_new_member(const struct consumer_heartbeat *h, char text[UUID_TEXT + 1])
{
	if (h->member_id.n > 0)
		return h->member_id;
	uuid_text(h->random, text);
	return span_of(text, UUID_TEXT);
}

static enum group_error
check_new_member(const struct group *g, const struct consumer_heartbeat *h)
{
	if (g->consumers->n_members >= (size_t)g->env->config.consumer_max_size)
		return GROUP_MAX_SIZE_REACHED;
	return consumer_has_room(g, growth(h)) ? GROUP_OK : GROUP_COORDINATOR_NOT_AVAILABLE;
}

/* A member that begins anew: it holds nothing, whatever was known of it. */
static struct consumer *
enter(struct group *g, struct consumer *m, const struct consumer_heartbeat *h)
{
	char text[UUID_TEXT + 1];
	struct span id = id_of_new_member(h, text);

	if (m == NULL) {
		if ((m = find(g, id)) != NULL)
			drop(m); /* a dynamic one, which is static now */
		if (g->consumers->n_members == 0)
			group_replace_blob(g, &g->protocol_type, blob_new(span_str("consumer")));
		m = add(g, id, h);
		consumer_bump(g);
	} else {
		rename_member(m, id);
		consumer_release_all(m);
		consumer_set_settled(m, false);
	}
	m->epoch = m->previous_epoch = 0;
	m->news = true;
	return m;
}

/* The member has a hold on it already. */
static void
set_interest(struct consumer *m, struct interest *to)
{
	struct interest *old = m->interest;

	m->interest = to;
	if (old != to)
		consumer_bump(m->group);
	if (old != NULL)
		consumer_interest_release(m->group, old);
}

/* What the heartbeat says of the member. */
static void
update(struct consumer *m, const struct consumer_heartbeat *h)
{
	struct group *g = m->group;

	if (h->rebalance_timeout_ms > 0)
		m->rebalance_timeout_ms = h->rebalance_timeout_ms;
	replace(g, &m->rack_id, h->rack_id);
	replace(g, &m->client_id, h->client_id);
	replace(g, &m->client_host, h->client_host);
	if (h->assignor.p != NULL)
		m->assignor = assignor_find(h->assignor);
}

static void
answer(struct consumer *m, const struct consumer_heartbeat *h, struct consumer_answer *out)
{
	struct group *g = m->group;
	bool whole = h->epoch == CONSUMER_JOINS || (h->rebalance_timeout_ms != -1 &&
	    (h->has_names || h->regex.p != NULL) && h->has_owned);

	*out = (struct consumer_answer){ .member_id = blob_span(m->id), .epoch = m->epoch,
	    .heartbeat_interval_ms = g->env->config.consumer_heartbeat_interval_ms,
	    .has_assignment = whole || m->news };
	if (out->has_assignment)
		out->assignment = consumer_partitions_of(g, &m->assigned, PARTS_HELD, &out->n_assignment);
	m->news = false;
}

/* The part of a heartbeat that can be refused; NULL: it was.  Nothing of the member has changed then. */
static struct interest *
check_heartbeat(struct group *g, const struct consumer_heartbeat *h, struct consumer **m,
    struct consumer_answer *out)
{
	struct interest *old, *i;
	enum group_error error = identify(g, h, m);
	const char *message = NULL;

	if (error == GROUP_OK)
		error = *m == NULL ? check_new_member(g, h) : check_epoch(*m, h);
	if (error != GROUP_OK) {
		refuse(out, error, message_of(error));
		return NULL;
	}
	old = *m == NULL || h->epoch == CONSUMER_JOINS ? NULL : (*m)->interest;
	if (old != NULL && !h->has_names && h->regex.p == NULL)
		return old;
	if ((i = consumer_interest(g, old, h, &error, &message)) == NULL)
		refuse(out, error, message);
	return i;
}

static void
stay(struct group *g, const struct consumer_heartbeat *h, int64_t now_ms,
    struct consumer_answer *out)
{
	struct consumer *m;
	struct interest *i = check_heartbeat(g, h, &m, out);

	if (i == NULL)
		return;
	consumer_interest_hold(i);
	if (m == NULL || h->epoch == CONSUMER_JOINS)
		m = enter(g, m, h);
	set_interest(m, i);
	update(m, h);
	if (consumer_refresh(g) || consumer_preferred_assignor(g) != g->consumers->assignor)
		consumer_bump(g);
	if (g->consumers->target_epoch != g->generation)
		consumer_assign(g);
	if (h->has_owned)
		mark_owned(m, h);
	consumer_reconcile(m, h->has_owned, now_ms);
	touch(m, now_ms);
	answer(m, h, out);
}

void
consumer_group_heartbeat(struct group *g, const struct consumer_heartbeat *h,
    int64_t now_ms, struct consumer_answer *out)
{
	/* First, since what the member owns is compared with it. */
	if (consumer_refresh(g))
		consumer_bump(g);
	if (h->epoch < 0)
		leave(g, h, now_ms, out);
	else
		stay(g, h, now_ms, out);
	look_behind(g, now_ms);
	settle(g, now_ms);
}

/* ---- other events ---- */

/* An administrator removes a member, by its instance id or by its id. */
enum group_error
consumer_group_leave(struct group *g, const struct group_leave *who, int64_t now_ms)
{
	struct consumer *m = who->instance_id.p == NULL ? find(g, who->member_id) :
	    find_static(g, who->instance_id);

	if (m == NULL)
		return GROUP_UNKNOWN_MEMBER_ID;
	if (who->member_id.n > 0 && !span_eq(who->member_id, blob_span(m->id)))
		return GROUP_FENCED_INSTANCE_ID;
	remove_member(m);
	settle(g, now_ms);
	return GROUP_OK;
}

enum group_error
consumer_group_commit_check(const struct group *g, const struct group_commit *c)
{
	const struct consumer *m;

	if (c->generation < 0 && g->state == GROUP_EMPTY)
		return GROUP_OK;
	if (c->generation < 0 && c->member_id.n == 0 && c->transactional)
		return GROUP_OK;
	if ((m = find(g, c->member_id)) == NULL)
		return GROUP_UNKNOWN_MEMBER_ID;
	/* Members know what they may be told from OffsetCommit v9 on, which they have to speak. */
	if (!c->transactional && !c->group_not_found_known)
		return GROUP_UNSUPPORTED_VERSION;
	if (c->generation == m->epoch)
		return GROUP_OK;
	return c->transactional ? GROUP_ILLEGAL_GENERATION : GROUP_STALE_MEMBER_EPOCH;
}

enum group_error
consumer_group_fetch_check(const struct group *g, struct span member_id, int32_t epoch)
{
	const struct consumer *m;

	if (member_id.p == NULL && epoch < 0)
		return GROUP_OK;
	if ((m = find(g, member_id)) == NULL)
		return GROUP_UNKNOWN_MEMBER_ID;
	return epoch == m->epoch ? GROUP_OK : GROUP_STALE_MEMBER_EPOCH;
}

/* ---- for administrators ---- */

/* The names that it subscribes to, in the bin. */
static const struct span *
show_names(struct group *g, const struct interest *i, size_t *n)
{
	struct names {
		struct blob_head head;
		struct span at[];
	} *names = xmalloc(sizeof *names + i->n_named * sizeof names->at[0]);

	blob_drop(&group_answers(g)->bin, &names->head);
	*n = consumer_interest_names(i, names->at, i->n_named);
	return names->at;
}

static struct span
optional(const struct blob *b)
{
	return b == NULL ? span_of(NULL, 0) : blob_span(b);
}

size_t
consumer_group_describe(struct group *g, struct consumer_description *out, size_t max)
{
	size_t n = 0;

	list_each(l, &g->consumers->members) {
		const struct consumer *m = container_of(l, struct consumer, link);
		struct consumer_description *d = &out[n];

		if (n++ == max)
			return max;
		*d = (struct consumer_description){ .member_id = blob_span(m->id),
		    .instance_id = optional(m->instance_id), .rack_id = optional(m->rack_id),
		    .client_id = blob_span(m->client_id), .client_host = blob_span(m->client_host),
		    .epoch = m->epoch, .regex = consumer_interest_regex(m->interest) };
		d->names = show_names(g, m->interest, &d->n_names);
		d->assignment = consumer_partitions_of(g, &m->assigned, PARTS_HELD, &d->n_assignment);
		d->target = consumer_partitions_of(g, &m->target, PARTS_AIMED, &d->n_target);
	}
	return n;
}

/* ---- life ---- */

void
consumer_group_begin(struct group *g)
{
	struct consumer_group *c = xcalloc(1, sizeof *c);

	must(g->state == GROUP_EMPTY && g->consumers == NULL);
	list_init(&c->members);
	list_init(&c->interests);
	list_init(&c->topics);
	list_init(&c->orphans);
	list_init(&c->behind);
	c->group = g;
	/* No member is of it: the first heartbeat raises the epoch. */
	c->target_epoch = g->generation;
	g->consumers = c;
	/* Of the other protocol they would join in vain. */
	list_each(l, &g->members.pending)
		group_remove_pending(g, container_of(l, struct pending, link));
}

void
consumer_group_end(struct group *g)
{
	struct consumer_group *c = g->consumers;

	if (c == NULL)
		return;
	list_each(l, &c->members)
		drop(container_of(l, struct consumer, link));
	consumer_free_orphans(g);
	must(c->n_members == 0 && c->n_unsettled == 0 && c->n_choices == 0 && c->n_topics == 0);
	must(c->bytes == 0 && list_empty(&c->interests) && list_empty(&c->topics));
	list_del(&c->behind);
	map_done(&c->by_id);
	map_done(&c->by_instance);
	map_done(&c->interests_by_key);
	map_done(&c->topics_by_name);
	free(c);
	g->consumers = NULL;
}

/* ---- invariants ---- */

static size_t
count(const struct list *list)
{
	size_t n = 0;

	list_each(l, list)
		n++;
	return n;
}

static void
check_member(const struct group *g, const struct consumer *m)
{
	const struct consumer_group *c = g->consumers;

	must(m->group == g && find(g, blob_span(m->id)) == m);
	must(m->instance_id == NULL || find_static(g, blob_span(m->instance_id)) == m);
	must(m->interest != NULL && m->interest->n_members > 0);
	must(m->n_revoking == count(&m->revoking));
	must(m->n_revoking == 0 ? m->revoke_ms == INT64_MAX : !m->settled);
	list_each(l, &m->assigned) {
		const struct part *p = container_of(l, struct part, held);

		must(p->holder == m && !p->revoking);
	}
	list_each(l, &m->revoking) {
		const struct part *p = container_of(l, struct part, held);

		must(p->holder == m && p->revoking);
	}
	list_each(l, &m->target) {
		const struct part *p = container_of(l, struct part, aimed);

		must(p->target == m && (!m->settled || p->holder == m));
	}
	must(!m->settled || m->epoch == c->target_epoch);
	must(!m->settled || count(&m->assigned) >= count(&m->target));
	must(m->due.node.at != 0);
	must(m->due.node.key <= m->expires_ms && m->due.node.key <= m->revoke_ms);
}

static size_t
check_topics(const struct group *g)
{
	const struct consumer_group *c = g->consumers;
	size_t n = 0, n_held, bytes = 0;
	int32_t i;

	list_each(l, &c->topics) {
		const struct group_topic *t = container_of(l, struct group_topic, link);

		must(t->users > 0 || t->n_held > 0);
		must((t->users == 0) == !list_empty(&t->orphan));
		must(t->known->users > 0 && t->n_shown == 0);
		must(map_get(&c->topics_by_name, blob_span(t->known->name)) == t);
		for (i = 0, n_held = 0; i < t->n_parts; i++) {
			const struct part *p = &t->parts[i];

			must(p->topic == t);
			n_held += p->holder != NULL;
			must((p->holder == NULL) == list_empty(&p->held));
			must((p->target == NULL) == list_empty(&p->aimed));
			must(p->target != NULL || t->users == 0 || c->target_epoch != g->generation);
		}
		must(n_held == t->n_held);
		n++;
		bytes += (size_t)t->n_parts * sizeof(struct part);
	}
	must(n == c->n_topics && n == c->topics_by_name.n);
	return bytes;
}

void
consumer_group_check(const struct group *g)
{
	const struct consumer_group *c = g->consumers;
	size_t n = 0, n_unsettled = 0, n_static = 0, n_choices = 0, bytes = check_topics(g);

	list_each(l, &c->members) {
		const struct consumer *m = container_of(l, struct consumer, link);

		check_member(g, m);
		n++;
		n_unsettled += !m->settled;
		n_static += m->instance_id != NULL;
		bytes += member_bytes(m);
	}
	must(n == c->n_members && n == c->by_id.n && n_static == c->by_instance.n);
	must(n_unsettled == c->n_unsettled);
	list_each(l, &c->interests) {
		const struct interest *i = container_of(l, struct interest, link);

		must(i->n_members > 0 && i->n_members <= n && i->n_named <= i->n);
		n_choices += i->n;
		bytes += i->bytes;
	}
	must(n_choices == c->n_choices && bytes <= c->bytes);
	must((n == 0) == (g->state == GROUP_EMPTY));
	must((g->state == GROUP_STABLE) == (n > 0 && n_unsettled == 0 && c->target_epoch == g->generation));
	must(g->members.n == 0 && g->members.n_pending == 0);
}
