/* groups.c -- the table of groups, and what comes due in them. */
#include "coord/groups.h"

#include <strings.h>

#include "base/xalloc.h"
#include "coord/consumer_group.h"
#include "coord/groups_internal.h"

struct groups *
groups_new(const struct groups_config *config)
{
	struct groups *gs = xcalloc(1, sizeof *gs);

	groups_configure(gs, config);
	list_init(&gs->env.idle);
	list_init(&gs->env.behind);
	return gs;
}

void
groups_configure(struct groups *gs, const struct groups_config *config)
{
	must(config->min_session_timeout_ms > 0 && config->max_size > 0);
	must(config->initial_rebalance_delay_ms >= 0);
	must(config->consumer_session_timeout_ms > 0 && config->consumer_max_size > 0);
	gs->env.config = *config;
}

void
groups_free(struct groups *gs)
{
	struct group *g;
	size_t it = 0;

	if (gs == NULL)
		return;
	while ((g = map_next(&gs->by_id, &it)) != NULL)
		group_free(g);
	map_done(&gs->by_id);
	heap_done(&gs->env.due);
	answers_done(&gs->env.answers);
	catalog_done(&gs->env.catalog);
	free(gs);
}

/* ---- the table ---- */

struct group *
groups_find(const struct groups *gs, struct span id)
{
	return map_get(&gs->by_id, id);
}

static void
remove_group(struct groups *gs, struct group *g)
{
	must(map_del(&gs->by_id, blob_span(g->id)) == g);
	group_free(g);
}

void
groups_bury(struct groups *gs, struct group *g)
{
	if (g->state == GROUP_DEAD)
		remove_group(gs, g);
}

/* Room for one group more, if need be at the cost of one that has nothing. */
static bool
make_room(struct groups *gs)
{
	struct group *oldest = list_first(&gs->env.idle, struct group, idle);

	if (gs->by_id.n < GROUPS_MAX)
		return true;
	if (oldest == NULL)
		return false;
	remove_group(gs, oldest);
	return true;
}

struct group *
groups_create(struct groups *gs, struct span id, int64_t now_ms)
{
	struct group *g;

	if (!make_room(gs))
		return NULL;
	g = group_new(&gs->env, id, now_ms);
	must_fit(map_put(&gs->by_id, blob_span(g->id), g));
	return g;
}

bool
groups_is_valid_id(struct span id)
{
	return id.p != NULL && id.n <= GROUP_ID_MAX_BYTES;
}

bool
groups_is_member_group_id(struct span id)
{
	return groups_is_valid_id(id) && id.n > 0;
}

/* ---- events ---- */

static bool
protocols_too_large(const struct group_join *j)
{
	size_t i, bytes = 0;

	for (i = 0; i < j->n_protocols; i++)
		bytes += j->protocols[i].name.n + j->protocols[i].metadata.n;
	return bytes > GROUP_PROTOCOLS_MAX_BYTES;
}

static enum group_error
check_join(const struct groups *gs, const struct group_join *j)
{
	if (gs->closed)
		return GROUP_NOT_COORDINATOR;
	if (!groups_is_member_group_id(j->group_id))
		return GROUP_INVALID_GROUP_ID;
	if (j->session_timeout_ms < gs->env.config.min_session_timeout_ms ||
	    j->session_timeout_ms > gs->env.config.max_session_timeout_ms)
		return GROUP_INVALID_SESSION_TIMEOUT;
	if (j->n_protocols > GROUP_PROTOCOLS_MAX || protocols_too_large(j))
		return GROUP_INVALID_REQUEST;
	return GROUP_OK;
}

void
groups_join(struct groups *gs, const struct group_join *j, void *token,
    int64_t now_ms)
{
	enum group_error error = check_join(gs, j);
	struct group *g = NULL;

	if (error == GROUP_OK && (g = groups_find(gs, j->group_id)) == NULL) {
		if (j->member_id.n > 0)
			error = GROUP_UNKNOWN_MEMBER_ID;
		else if ((g = groups_create(gs, j->group_id, now_ms)) == NULL)
			error = GROUP_COORDINATOR_NOT_AVAILABLE;
	}
	if (g != NULL && g->consumers != NULL && g->state != GROUP_EMPTY)
		error = GROUP_INCONSISTENT_PROTOCOL;
	if (error != GROUP_OK) {
		answers_fail(&gs->env.answers, WAITS_FOR_JOIN, token, error);
		return;
	}
	consumer_group_end(g);
	group_join(g, j, token, now_ms);
	groups_bury(gs, g);
}

void
groups_sync(struct groups *gs, const struct group_sync *s, void *token,
    int64_t now_ms)
{
	struct group *g = groups_find(gs, s->group_id);

	if (gs->closed)
		answers_fail(&gs->env.answers, WAITS_FOR_SYNC, token,
		    GROUP_NOT_COORDINATOR);
	else if (g != NULL)
		group_sync(g, s, token, now_ms);
	else
		answers_fail(&gs->env.answers, WAITS_FOR_SYNC, token,
		    groups_is_member_group_id(s->group_id) ? GROUP_UNKNOWN_MEMBER_ID :
		    GROUP_INVALID_GROUP_ID);
}

enum group_error
groups_heartbeat(struct groups *gs, const struct group_heartbeat *h,
    int64_t now_ms)
{
	struct group *g = groups_find(gs, h->group_id);

	if (g != NULL)
		return group_heartbeat(g, h, now_ms);
	return groups_is_member_group_id(h->group_id) ? GROUP_UNKNOWN_MEMBER_ID :
	    GROUP_INVALID_GROUP_ID;
}

enum group_error
groups_leave(struct groups *gs, struct span group_id,
    struct group_leave *leaving, size_t n, int64_t now_ms)
{
	struct group *g = groups_find(gs, group_id);
	size_t i;

	for (i = 0; i < n; i++)
		leaving[i].error = GROUP_UNKNOWN_MEMBER_ID;
	if (!groups_is_member_group_id(group_id))
		return GROUP_INVALID_GROUP_ID;
	if (g != NULL) {
		group_leave(g, leaving, n, now_ms);
		groups_bury(gs, g);
	}
	return GROUP_OK;
}

enum group_error
groups_commit_check(struct groups *gs, const struct group_commit *c,
    int64_t now_ms)
{
	struct group *g = groups_find(gs, c->group_id);

	if (g != NULL)
		return group_commit_check(g, c, now_ms);
	if (!groups_is_valid_id(c->group_id))
		return GROUP_INVALID_GROUP_ID;
	/* It will be created when its offsets are there. */
	if (c->generation < 0)
		return make_room(gs) ? GROUP_OK : GROUP_COORDINATOR_NOT_AVAILABLE;
	return c->group_not_found_known ? GROUP_ID_NOT_FOUND :
	    GROUP_ILLEGAL_GENERATION;
}

void
groups_forget(struct groups *gs, void *token)
{
	answers_forget(&gs->env.answers, token);
}

bool
groups_next_effect(struct groups *gs, struct group_effect *out)
{
	return answers_take(&gs->env.answers, out);
}

void
groups_close(struct groups *gs)
{
	gs->closed = true;
	answers_fail_all(&gs->env.answers, GROUP_NOT_COORDINATOR);
}

/* ---- time ---- */

/* What is due happens to a group, which is returned. */
static struct group *
fire(struct due *due, int64_t now_ms)
{
	struct member *m;
	struct pending *p;
	struct consumer *c;
	struct group *g = NULL;

	switch (due->kind) {
	case DUE_GROUP:
		g = container_of(due, struct group, due);
		group_due(g, now_ms);
		break;
	case DUE_MEMBER:
		m = container_of(due, struct member, due);
		g = m->group;
		group_member_due(m, now_ms);
		break;
	case DUE_PENDING:
		p = container_of(due, struct pending, due);
		g = p->group;
		group_pending_due(p, now_ms);
		break;
	case DUE_CONSUMER:
		c = container_of(due, struct consumer, due);
		g = c->group;
		consumer_group_due(c, now_ms);
		break;
	}
	return g;
}

/* Groups that have topics still to be compared: some topics of one group at a time. */
static void
catch_up(struct groups *gs, int64_t now_ms)
{
	struct consumer_group *c = list_first(&gs->env.behind, struct consumer_group, behind);

	if (c == NULL || gs->env.behind_ms > now_ms)
		return;
	list_del(&c->behind);
	gs->env.behind_ms = now_ms + 1;
	consumer_group_catch_up(c->group, now_ms);
}

void
groups_tick(struct groups *gs, int64_t now_ms)
{
	struct heap *h = &gs->env.due;
	struct heap_node *node;

	while ((node = heap_min(h)) != NULL && node->key <= now_ms) {
		heap_del(h, node);
		groups_bury(gs, fire(container_of(node, struct due, node), now_ms));
	}
	catch_up(gs, now_ms);
}

int64_t
groups_next_deadline(const struct groups *gs)
{
	const struct heap_node *node = heap_min(&gs->env.due);
	int64_t next_ms = node == NULL ? INT64_MAX : node->key;

	return list_empty(&gs->env.behind) || gs->env.behind_ms > next_ms ? next_ms :
	    gs->env.behind_ms;
}

/* ---- offsets ---- */

void
groups_note_offsets(struct groups *gs, struct span group_id, bool has_offsets,
    int64_t now_ms)
{
	struct group *g = groups_find(gs, group_id);

	if (g == NULL && has_offsets)
		g = groups_create(gs, group_id, now_ms);
	if (g == NULL)
		return;
	group_note_offsets(g, has_offsets, now_ms);
	groups_bury(gs, g);
}

int64_t
groups_empty_ms(const struct groups *gs, struct span group_id, int64_t now_ms)
{
	const struct group *g = groups_find(gs, group_id);

	if (g == NULL)
		return INT64_MAX;
	if (g->state != GROUP_EMPTY || g->members.n_pending > 0)
		return -1;
	return now_ms - g->empty_ms;
}

enum group_error
groups_offset_delete_check(struct groups *gs, struct span group_id,
    struct span topic)
{
	struct group *g = groups_find(gs, group_id);

	if (g == NULL)
		return groups_is_valid_id(group_id) ? GROUP_ID_NOT_FOUND :
		    GROUP_INVALID_GROUP_ID;
	if (g->state == GROUP_EMPTY)
		return GROUP_OK;
	if (!span_is(blob_span(g->protocol_type), "consumer"))
		return GROUP_NON_EMPTY;
	return group_subscribes(g, topic) ? GROUP_SUBSCRIBED_TO_TOPIC : GROUP_OK;
}

/* ---- for administrators ---- */

const char *
group_state_name(enum group_state s)
{
	static const char *const names[] = {
		[GROUP_EMPTY] = "Empty",
		[GROUP_PREPARING] = "PreparingRebalance",
		[GROUP_COMPLETING] = "CompletingRebalance",
		[GROUP_ASSIGNING] = "Assigning",
		[GROUP_RECONCILING] = "Reconciling",
		[GROUP_STABLE] = "Stable",
		[GROUP_DEAD] = "Dead",
	};

	must((size_t)s < sizeof names / sizeof names[0]);
	return names[s];
}

enum group_state
groups_state(const struct groups *gs, struct span group_id)
{
	const struct group *g = groups_find(gs, group_id);

	return g == NULL ? GROUP_DEAD : g->state;
}

bool
groups_describe(const struct groups *gs, struct span group_id,
    struct group_description *out)
{
	const struct group *g = groups_find(gs, group_id);

	*out = (struct group_description){ .state = GROUP_DEAD,
		.protocol_type = span_str(""), .protocol_name = span_str("") };
	if (g == NULL || g->consumers != NULL)
		return false;
	out->state = g->state;
	out->protocol_type = blob_span(g->protocol_type);
	if (g->state == GROUP_STABLE)
		out->protocol_name = blob_span(g->protocol_name);
	out->generation = g->generation;
	out->n_members = g->members.n;
	return true;
}

static struct group_member_description
describe_member(const struct group *g, const struct member *m)
{
	struct group_member_description d = {
		.member_id = blob_span(m->id),
		.client_id = blob_span(m->client_id),
		.client_host = blob_span(m->client_host),
		.metadata = span_str(""),
		.assignment = span_str(""),
	};

	if (m->instance_id != NULL)
		d.instance_id = blob_span(m->instance_id);
	if (g->state == GROUP_STABLE) {
		d.metadata = member_metadata(m, blob_span(g->protocol_name));
		d.assignment = blob_span(m->assignment);
	}
	return d;
}

size_t
groups_describe_members(const struct groups *gs, struct span group_id,
    struct group_member_description *out, size_t max)
{
	const struct group *g = groups_find(gs, group_id);
	size_t n = 0;

	if (g == NULL)
		return 0;
	list_each(l, &g->members.list) {
		if (n == max)
			break;
		out[n++] = describe_member(g, container_of(l, struct member, link));
	}
	return n;
}

static bool
is_named(struct span s, const char *name)
{
	return s.n == strlen(name) && s.n > 0 &&
	    strncasecmp((const char *)s.p, name, s.n) == 0;
}

struct group_filter
groups_filter(const struct span *states, size_t n_states,
    const struct span *types, size_t n_types)
{
	struct group_filter f = { .states = n_states == 0 ? ~0u : 0,
		.classic = n_types == 0, .consumer = n_types == 0 };
	unsigned s;
	size_t i;

	for (i = 0; i < n_states; i++)
		for (s = GROUP_EMPTY; s <= GROUP_DEAD; s++)
			if (is_named(states[i], group_state_name(s)))
				f.states |= 1u << s;
	for (i = 0; i < n_types; i++) {
		f.classic |= is_named(types[i], "classic");
		f.consumer |= is_named(types[i], "consumer");
	}
	return f;
}

bool
groups_list(const struct groups *gs, struct group_filter filter, size_t *it,
    struct group_listing *out)
{
	const struct group *g;

	while ((g = map_next(&gs->by_id, it)) != NULL) {
		if ((filter.states & 1u << g->state) == 0 ||
		    !(g->consumers == NULL ? filter.classic : filter.consumer))
			continue;
		*out = (struct group_listing){ blob_span(g->id), blob_span(g->protocol_type),
		    g->state, g->consumers == NULL ? "classic" : "consumer" };
		return true;
	}
	return false;
}

enum group_error
groups_delete_check(const struct groups *gs, struct span group_id)
{
	const struct group *g = groups_find(gs, group_id);

	if (g == NULL)
		return groups_is_valid_id(group_id) ? GROUP_ID_NOT_FOUND :
		    GROUP_INVALID_GROUP_ID;
	return g->state == GROUP_EMPTY ? GROUP_OK : GROUP_NON_EMPTY;
}

enum group_error
groups_delete(struct groups *gs, struct span group_id)
{
	enum group_error error = groups_delete_check(gs, group_id);
	struct group *g = groups_find(gs, group_id);

	if (error == GROUP_OK) {
		group_set_state(g, GROUP_DEAD);
		groups_bury(gs, g);
	}
	return error;
}

size_t
groups_count(const struct groups *gs)
{
	return gs->by_id.n;
}

size_t
groups_bytes(const struct groups *gs)
{
	return gs->env.bytes;
}

void
groups_check(const struct groups *gs)
{
	const struct answers *a = &gs->env.answers;
	const struct waiter *w;
	const struct group *g;
	size_t it = 0, n = 0, bytes = 0;

	while ((g = map_next(&gs->by_id, &it)) != NULL) {
		must(groups_find(gs, blob_span(g->id)) == g);
		group_check(g);
		bytes += members_bytes(&g->members);
		n += g->members.n + g->members.n_pending;
		if (g->consumers != NULL) {
			bytes += g->consumers->bytes;
			n += g->consumers->n_members;
		}
	}
	must(gs->env.due.n <= n + gs->by_id.n);
	must(gs->env.bytes == bytes);
	it = 0;
	while ((w = map_next(&a->waiting, &it)) != NULL)
		must(w->kind != WAITS_NOT && w->token != NULL);
}
