/* members.c -- the members of one group. */
#include "coord/members.h"

#include "base/xalloc.h"

static struct span
id_of(const struct member *m)
{
	return blob_span(m->id);
}

void
members_init(struct members *ms, struct blob_bin *bin, size_t *bytes)
{
	*ms = (struct members){ .bin = bin, .bytes = bytes };
	list_init(&ms->list);
	list_init(&ms->pending);
}

void
members_done(struct members *ms)
{
	must(ms->n == 0 && ms->n_pending == 0 && ms->counts.n == 0);
	map_done(&ms->by_id);
	map_done(&ms->by_instance);
	map_done(&ms->pending_by_id);
	map_done(&ms->counts);
}

struct member *
members_find(const struct members *ms, struct span id)
{
	return map_get(&ms->by_id, id);
}

struct member *
members_find_static(const struct members *ms, struct span instance_id)
{
	return map_get(&ms->by_instance, instance_id);
}

struct pending *
members_find_pending(const struct members *ms, struct span id)
{
	return map_get(&ms->pending_by_id, id);
}

/* ---- bytes ---- */

static size_t
blob_bytes(const struct blob *b)
{
	return b == NULL ? 0 : sizeof *b + b->n;
}

static size_t
member_bytes(const struct member *m)
{
	return sizeof *m + blob_bytes(m->id) + blob_bytes(m->instance_id) +
	    blob_bytes(m->client_id) + blob_bytes(m->client_host) +
	    blob_bytes(m->assignment) + (m->protocols == NULL ? 0 : m->protocols->bytes);
}

static size_t
pending_bytes(const struct pending *p)
{
	return sizeof *p + blob_bytes(p->id);
}

size_t
members_bytes(const struct members *ms)
{
	size_t bytes = 0;

	list_each(l, &ms->list)
		bytes += member_bytes(container_of(l, struct member, link));
	list_each(l, &ms->pending)
		bytes += pending_bytes(container_of(l, struct pending, link));
	return bytes;
}

/* Around each change of a member. */
static void
uncount(struct members *ms, const struct member *m)
{
	must(*ms->bytes >= member_bytes(m));
	*ms->bytes -= member_bytes(m);
}

static void
count(struct members *ms, const struct member *m)
{
	*ms->bytes += member_bytes(m);
}

/* ---- protocols ---- */

/* Equal bytes, null being as good as empty. */
static bool
same_bytes(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
listed_before(const struct group_protocol *list, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (same_bytes(list[j].name, list[i].name))
			return true;
	return false;
}

static struct span
copy(uint8_t **at, struct span from)
{
	struct span to = span_of(*at, from.n);

	if (from.n > 0)
		memcpy(*at, from.p, from.n);
	*at += from.n;
	return to;
}

/* What a copy takes. */
static size_t
protocols_bytes(const struct group_protocol *list, size_t n)
{
	size_t i, bytes = sizeof(struct protocols) + n * sizeof *list;

	for (i = 0; i < n; i++)
		bytes += list[i].name.n + list[i].metadata.n;
	return bytes;
}

/* Owned copy; of a protocol that is listed twice the first counts. */
static struct protocols *
protocols_copy(const struct group_protocol *list, size_t n)
{
	size_t i, bytes = protocols_bytes(list, n);
	struct protocols *ps = xmalloc(bytes);
	uint8_t *at;

	ps->n = 0;
	ps->bytes = bytes;
	at = (uint8_t *)&ps->at[n];
	for (i = 0; i < n; i++)
		if (!listed_before(list, i))
			ps->at[ps->n++] = (struct group_protocol){
			    copy(&at, list[i].name), copy(&at, list[i].metadata) };
	return ps;
}

static void
count_protocols(struct members *ms, const struct protocols *ps)
{
	struct protocol_count *c;
	size_t i;

	for (i = 0; i < ps->n; i++) {
		if ((c = map_get(&ms->counts, ps->at[i].name)) == NULL) {
			c = xcalloc(1, sizeof *c);
			c->name = blob_new(ps->at[i].name);
			must_fit(map_put(&ms->counts, blob_span(c->name), c));
		}
		c->members++;
	}
}

/* Takes a member's protocols away. */
static void
drop_protocols(struct members *ms, struct member *m)
{
	struct protocol_count *c;
	size_t i;

	for (i = 0; m->protocols != NULL && i < m->protocols->n; i++) {
		c = map_get(&ms->counts, m->protocols->at[i].name);
		must(c != NULL && c->members > 0);
		if (--c->members == 0) {
			must(map_del(&ms->counts, blob_span(c->name)) == c);
			free(c->name);
			free(c);
		}
	}
	if (m->protocols != NULL)
		blob_drop(ms->bin, &m->protocols->head);
	m->protocols = NULL;
}

bool
members_support(const struct members *ms, const struct group_protocol *list,
    size_t n)
{
	const struct protocol_count *c;
	size_t i;

	if (ms->n == 0)
		return n > 0;
	for (i = 0; i < n; i++)
		if ((c = map_get(&ms->counts, list[i].name)) != NULL &&
		    c->members == ms->n)
			return true;
	return false;
}

/* The member's first protocol that all have. */
static struct protocol_count *
vote(const struct members *ms, const struct member *m)
{
	struct protocol_count *c;
	size_t i;

	for (i = 0; i < m->protocols->n; i++) {
		c = map_get(&ms->counts, m->protocols->at[i].name);
		if (c->members == ms->n)
			return c;
	}
	return NULL;
}

struct span
members_vote(struct members *ms)
{
	struct protocol_count *c, *best = NULL;
	size_t it = 0;

	while ((c = map_next(&ms->counts, &it)) != NULL)
		c->votes = 0;
	list_each(l, &ms->list) {
		c = vote(ms, container_of(l, struct member, link));
		must(c != NULL);
		c->votes++;
		/* Of two with as many votes, the one that had them first. */
		if (best == NULL || c->votes > best->votes)
			best = c;
	}
	must(best != NULL);
	return blob_span(best->name);
}

struct span
member_metadata(const struct member *m, struct span protocol)
{
	size_t i;

	for (i = 0; i < m->protocols->n; i++)
		if (span_eq(m->protocols->at[i].name, protocol))
			return m->protocols->at[i].metadata;
	return span_of(NULL, 0);
}

size_t
member_growth(const struct member *m, const struct group_join *j)
{
	size_t had = m == NULL ? 0 : m->protocols->bytes;
	size_t has = protocols_bytes(j->protocols, j->n_protocols);

	return has > had ? has - had : 0;
}

bool
member_has_same(const struct member *m, const struct group_join *j)
{
	const struct group_protocol *had;
	size_t i, n = 0;

	for (i = 0; i < j->n_protocols; i++) {
		if (listed_before(j->protocols, i))
			continue;
		if (n == m->protocols->n)
			return false;
		had = &m->protocols->at[n++];
		if (!same_bytes(had->name, j->protocols[i].name) ||
		    !same_bytes(had->metadata, j->protocols[i].metadata))
			return false;
	}
	return n == m->protocols->n;
}

/* ---- members ---- */

struct member *
members_add(struct members *ms, struct group *g, struct blob *id,
    const struct group_join *j)
{
	struct member *m = xcalloc(1, sizeof *m);

	m->group = g;
	m->due.kind = DUE_MEMBER;
	m->is_new = true;
	m->id = id;
	must(members_find(ms, id_of(m)) == NULL);
	must_fit(map_put(&ms->by_id, id_of(m), m));
	if (j->instance_id.p != NULL) {
		m->instance_id = blob_new(j->instance_id);
		must(members_find_static(ms, j->instance_id) == NULL);
		must_fit(map_put(&ms->by_instance, blob_span(m->instance_id), m));
	}
	list_init(&m->link);
	list_add(&ms->list, &m->link);
	ms->n++;
	count(ms, m);
	members_update(ms, m, j);
	return m;
}

static void
drop(struct members *ms, struct blob *b)
{
	if (b != NULL)
		blob_drop(ms->bin, &b->head);
}

void
members_remove(struct members *ms, struct member *m)
{
	must(m->waiter.kind == WAITS_NOT && m->due.node.at == 0);
	uncount(ms, m);
	members_set_owes_sync(ms, m, false);
	drop_protocols(ms, m);
	must(map_del(&ms->by_id, id_of(m)) == m);
	if (m->instance_id != NULL)
		must(map_del(&ms->by_instance, blob_span(m->instance_id)) == m);
	list_del(&m->link);
	ms->n--;
	drop(ms, m->id);
	drop(ms, m->instance_id);
	drop(ms, m->client_id);
	drop(ms, m->client_host);
	drop(ms, m->assignment);
	free(m);
}

void
members_rename(struct members *ms, struct member *m, struct blob *id)
{
	must(map_del(&ms->by_id, id_of(m)) == m);
	uncount(ms, m);
	drop(ms, m->id);
	m->id = id;
	count(ms, m);
	must(members_find(ms, id_of(m)) == NULL);
	must_fit(map_put(&ms->by_id, id_of(m), m));
}

void
members_update(struct members *ms, struct member *m, const struct group_join *j)
{
	uncount(ms, m);
	drop_protocols(ms, m);
	m->protocols = protocols_copy(j->protocols, j->n_protocols);
	count_protocols(ms, m->protocols);
	drop(ms, m->client_id);
	m->client_id = blob_new(j->client_id);
	drop(ms, m->client_host);
	m->client_host = blob_new(j->client_host);
	m->session_timeout_ms = j->session_timeout_ms;
	m->rebalance_timeout_ms = j->rebalance_timeout_ms > 0 ?
	    j->rebalance_timeout_ms : j->session_timeout_ms;
	count(ms, m);
}

void
members_set_assignment(struct members *ms, struct member *m, struct span to)
{
	uncount(ms, m);
	drop(ms, m->assignment);
	m->assignment = to.n == 0 ? NULL : blob_new(to);
	count(ms, m);
}

void
members_set_owes_sync(struct members *ms, struct member *m, bool owes)
{
	if (owes && !m->owes_sync)
		ms->n_owing++;
	else if (!owes && m->owes_sync)
		ms->n_owing--;
	m->owes_sync = owes;
}

int32_t
members_rebalance_timeout_ms(const struct members *ms)
{
	const struct member *m;
	int32_t longest = 0;

	list_each(l, &ms->list) {
		m = container_of(l, struct member, link);
		if (m->rebalance_timeout_ms > longest)
			longest = m->rebalance_timeout_ms;
	}
	return longest;
}

/* ---- pending ids ---- */

struct pending *
members_add_pending(struct members *ms, struct group *g, struct blob *id)
{
	struct pending *p = xcalloc(1, sizeof *p);

	p->group = g;
	p->due.kind = DUE_PENDING;
	p->id = id;
	must(members_find_pending(ms, blob_span(id)) == NULL);
	must_fit(map_put(&ms->pending_by_id, blob_span(id), p));
	list_init(&p->link);
	list_add(&ms->pending, &p->link);
	ms->n_pending++;
	*ms->bytes += pending_bytes(p);
	return p;
}

void
members_remove_pending(struct members *ms, struct pending *p)
{
	must(p->due.node.at == 0);
	must(map_del(&ms->pending_by_id, blob_span(p->id)) == p);
	list_del(&p->link);
	ms->n_pending--;
	*ms->bytes -= pending_bytes(p);
	drop(ms, p->id);
	free(p);
}

/* ---- invariants ---- */

static void
check_member(const struct members *ms, const struct member *m)
{
	const struct protocol_count *c;
	size_t i;

	must(members_find(ms, id_of(m)) == m);
	must(m->instance_id == NULL ||
	    members_find_static(ms, blob_span(m->instance_id)) == m);
	must(members_find_pending(ms, id_of(m)) == NULL);
	must(m->protocols->n > 0);
	for (i = 0; i < m->protocols->n; i++) {
		c = map_get(&ms->counts, m->protocols->at[i].name);
		must(c != NULL && c->members > 0 && c->members <= ms->n);
	}
	must(vote(ms, m) != NULL);
	must(m->waiter.kind != WAITS_NOT || m->waiter.token == NULL);
	/* The heap may be early, never late. */
	must((m->due.node.at != 0) == (m->waiter.kind == WAITS_NOT || m->is_new));
	must(m->due.node.at == 0 || m->due.node.key <= m->expires_ms);
}

void
members_check(const struct members *ms)
{
	size_t n = 0, n_static = 0, n_joining = 0, n_owing = 0, n_pending = 0;
	const struct member *m;
	const struct pending *p;

	list_each(l, &ms->list) {
		m = container_of(l, struct member, link);
		check_member(ms, m);
		n++;
		n_static += m->instance_id != NULL;
		n_joining += m->waiter.kind == WAITS_FOR_JOIN;
		n_owing += m->owes_sync;
	}
	must(n == ms->n && n == ms->by_id.n && n_static == ms->by_instance.n);
	must(n_joining == ms->n_joining && n_owing == ms->n_owing);
	list_each(l, &ms->pending) {
		p = container_of(l, struct pending, link);
		must(members_find_pending(ms, blob_span(p->id)) == p);
		must(p->due.node.at != 0);
		n_pending++;
	}
	must(n_pending == ms->n_pending && n_pending == ms->pending_by_id.n);
	must(n_pending <= GROUP_PENDING_MAX);
}
