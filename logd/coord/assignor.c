/*
 * assignor.c -- how partitions are shared out among members.
 *
 * Topics that the same kinds of members subscribe to form a pool.  A pool is
 * shared out among kinds, and what a kind has of all pools among its members:
 * any of them may have any of it.
 */
#include "coord/assignor.h"

#include "base/xalloc.h"

struct pool {
	uint32_t topic;    /* one of them */
	size_t n_members;
	size_t n_kinds;
	uint32_t *kinds;   /* in the array that all pools share */
};

struct sharing {
	const struct assignment *a;
	uint32_t *pool_of; /* each topic's */
	size_t *first;     /* each topic's first partition */
	struct pool *pools;
	size_t n_pools, n_partitions;
	uint32_t *pool_kinds;
};

/* ---- pools ---- */

/*
 * All topics begin in pool 0, of those that nobody subscribes to.  Each kind
 * splits every pool of which it has a topic: what it has goes to a new one.
 */
static void
split_pools(struct sharing *s)
{
	const struct assignment *a = s->a;
	size_t i, k, cap = 16;
	struct split {
		size_t kind;
		uint32_t to;
	} *splits = xcalloc(cap, sizeof *splits); /* kind + 1 */
	uint32_t *pool;

	s->n_pools = 1;
	for (k = 0; k < a->n_kinds; k++)
		for (i = 0; i < a->kinds[k].n_topics; i++) {
			pool = &s->pool_of[a->kinds[k].topics[i]];
			if (splits[*pool].kind != k + 1) {
				if (s->n_pools == cap) {
					splits = xrealloc(splits, cap * 2 * sizeof *splits);
					memset(splits + cap, 0, cap * sizeof *splits);
					cap *= 2;
				}
				splits[*pool] = (struct split){ k + 1, (uint32_t)s->n_pools++ };
			}
			*pool = splits[*pool].to;
		}
	free(splits);
}

/* Calls for each pool that a kind shares, once; the topic stands for the pool. */
#define each_kind_of_pool(s, k, i, p) \
	for (k = 0; k < (s)->a->n_kinds; k++) \
		for (i = 0; i < (s)->a->kinds[k].n_topics; i++) \
			if ((p = &(s)->pools[(s)->pool_of[(s)->a->kinds[k].topics[i]]])->topic == \
			    (s)->a->kinds[k].topics[i])

static void
fill_pools(struct sharing *s)
{
	const struct assignment *a = s->a;
	size_t i, k, n = 0;
	struct pool *p;

	s->pools = xcalloc(s->n_pools, sizeof *s->pools);
	for (i = a->n_topics; i-- > 0;)
		s->pools[s->pool_of[i]].topic = (uint32_t)i;
	each_kind_of_pool(s, k, i, p) {
		p->n_kinds++;
		p->n_members += a->kinds[k].n_members;
		n++;
	}
	s->pool_kinds = xcalloc(n, sizeof *s->pool_kinds);
	for (i = 0, n = 0; i < s->n_pools; i++) {
		s->pools[i].kinds = s->pool_kinds + n;
		n += s->pools[i].n_kinds;
		s->pools[i].n_kinds = 0;
	}
	each_kind_of_pool(s, k, i, p)
		p->kinds[p->n_kinds++] = (uint32_t)k;
}

static void
sharing_init(struct sharing *s, const struct assignment *a)
{
	size_t i;

	*s = (struct sharing){ .a = a };
	s->pool_of = xcalloc(a->n_topics, sizeof *s->pool_of);
	s->first = xcalloc(a->n_topics, sizeof *s->first);
	for (i = 0; i < a->n_topics; i++) {
		s->first[i] = s->n_partitions;
		s->n_partitions += (size_t)a->n_partitions[i];
	}
	split_pools(s);
	fill_pools(s);
}

static void
sharing_done(struct sharing *s)
{
	free(s->pool_of);
	free(s->first);
	free(s->pools);
	free(s->pool_kinds);
}

/* ---- uniform ---- */

/* What a kind gets of the pool that is being shared out, and of all before it. */
struct share {
	uint32_t kind;
	int64_t members, load; /* how many members, and partitions of other pools */
	int64_t had, give;     /* partitions of this pool: before, and now */
};

struct uniform {
	struct sharing sharing;
	int32_t *kind_of;      /* each member's */
	int64_t *load;         /* partitions of each kind so far */
	int32_t *kind_at;      /* of each partition: the kind that it goes to, or NOBODY */
	struct share *shares;  /* of a pool's kinds */
	uint32_t *share_of;    /* each kind's place in `shares`, if it has one */
	uint32_t *topics;      /* in the order of their pools */
	size_t *end;           /* of each pool, in `topics` */
};

static int
by_average_load(const void *x, const void *y)
{
	const struct share *a = x, *b = y;
	int64_t p = a->load * b->members, q = b->load * a->members;

	if (p != q)
		return p < q ? -1 : 1;
	return a->kind < b->kind ? -1 : 1;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Gives n partitions to the kinds whose members have least, up to a level that
 * all of these reach; of what is left then, first to those that had it.
 */
static void
give(struct share *shares, size_t n_shares, int64_t n)
{
	int64_t load = 0, members = 0, level = 0, more;
	size_t i, low;

	qsort(shares, n_shares, sizeof *shares, by_average_load);
	for (low = 0; low < n_shares; low++) {
		if (low > 0 && shares[low].load >= level * shares[low].members)
			break;
		load += shares[low].load;
		members += shares[low].members;
		level = (load + n) / members;
	}
	for (i = 0; i < low; i++) {
		more = level * shares[i].members - shares[i].load;
		shares[i].give = more > 0 ? more : 0;
		n -= shares[i].give;
	}
	for (i = 0; i < 2 * low; i++) {
		struct share *s = &shares[i % low];

		more = least(n, (level + 1) * s->members - s->load - s->give);
		if (i < low)
			more = least(more, s->had - s->give);
		if (more > 0) {
			s->give += more;
			n -= more;
		}
	}
	must(n == 0);
}

/* Calls for each partition of the pool. */
#define each_partition(u, i, p, from, to) \
	for (i = (from); i < (to); i++) \
		for (p = (u)->sharing.first[(u)->topics[i]]; p < (u)->sharing.first[(u)->topics[i]] + \
		    (size_t)(u)->sharing.a->n_partitions[(u)->topics[i]]; p++)

/* The share of the kind whose partition it was; NULL: of none here. */
static struct share *
share_before(struct uniform *u, const struct pool *pool, size_t partition)
{
	int32_t member = u->sharing.a->target[partition];
	uint32_t kind, at;

	if (member == ASSIGNED_TO_NOBODY)
		return NULL;
	kind = (uint32_t)u->kind_of[member];
	at = u->share_of[kind];
	return at < pool->n_kinds && u->shares[at].kind == kind ? &u->shares[at] : NULL;
}

static void
index_shares(struct uniform *u, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		u->share_of[u->shares[i].kind] = (uint32_t)i;
}

static void
share_pool(struct uniform *u, const struct pool *pool, size_t from, size_t to)
{
	size_t i, p, n = 0, at = 0;
	struct share *s;

	for (i = 0; i < pool->n_kinds; i++)
		u->shares[i] = (struct share){ .kind = pool->kinds[i],
		    .members = (int64_t)u->sharing.a->kinds[pool->kinds[i]].n_members,
		    .load = u->load[pool->kinds[i]] };
	index_shares(u, pool->n_kinds);
	each_partition(u, i, p, from, to) {
		n++;
		if ((s = share_before(u, pool, p)) != NULL)
			s->had++;
	}
	give(u->shares, pool->n_kinds, (int64_t)n);
	index_shares(u, pool->n_kinds);
	for (i = 0; i < pool->n_kinds; i++)
		u->load[u->shares[i].kind] += u->shares[i].give;
	each_partition(u, i, p, from, to)
		if ((s = share_before(u, pool, p)) != NULL && s->give > 0) {
			s->give--;
			u->kind_at[p] = (int32_t)s->kind;
		}
	each_partition(u, i, p, from, to) {
		if (u->kind_at[p] != ASSIGNED_TO_NOBODY)
			continue;
		while (u->shares[at].give == 0)
			at++;
		u->shares[at].give--;
		u->kind_at[p] = (int32_t)u->shares[at].kind;
	}
}

/* The topics by their pools: those of the fewest members first, as these have the least choice. */
static int
by_members(const void *x, const void *y)
{
	const struct pool *const *a = x, *const *b = y;

	if ((*a)->n_members != (*b)->n_members)
		return (*a)->n_members < (*b)->n_members ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

static void
share_among_kinds(struct uniform *u)
{
	struct sharing *s = &u->sharing;
	const struct pool **order = xcalloc(s->n_pools, sizeof(struct pool *));
	size_t i, pool, n = 0;

	for (i = 0; i < s->a->n_topics; i++)
		u->end[s->pool_of[i]]++;
	for (i = 0; i < s->n_pools; i++) {
		order[i] = &s->pools[i];
		n += u->end[i];
		u->end[i] = n - u->end[i];
	}
	for (i = 0; i < s->a->n_topics; i++)
		u->topics[u->end[s->pool_of[i]]++] = (uint32_t)i;
	qsort(order, s->n_pools, sizeof(struct pool *), by_members);
	for (i = 0; i < s->n_pools; i++) {
		pool = (size_t)(order[i] - s->pools);
		if (order[i]->n_kinds > 0)
			share_pool(u, order[i], pool == 0 ? 0 : u->end[pool - 1], u->end[pool]);
	}
	free(order);
}

/* Of one kind's members: how many partitions each had of what the kind has now, and how many it may have. */
static void
set_quotas(const struct assign_kind *kind, int64_t load, const int32_t *had, int32_t *quota)
{
	int64_t n = (int64_t)kind->n_members, low = load / n, extra = load % n;
	size_t i;

	for (i = 0; i < kind->n_members; i++) {
		uint32_t m = kind->members[i];
		bool more = extra > 0 && had[m] > low;

		quota[m] = (int32_t)low + more;
		extra -= more;
	}
	for (i = 0; i < kind->n_members && extra > 0; i++) {
		uint32_t m = kind->members[i];

		if (quota[m] == low) {
			quota[m]++;
			extra--;
		}
	}
}

/* What is left of a kind goes round its members, of whom those that are full drop out. */
struct round {
	uint32_t *members;
	size_t n, at;
};

static int32_t
next_in_round(struct round *r, int32_t *quota)
{
	uint32_t m;

	for (;;) {
		must(r->n > 0);
		if (r->at >= r->n)
			r->at = 0;
		m = r->members[r->at];
		if (quota[m] > 0)
			break;
		/* The others keep their order. */
		r->n--;
		memmove(r->members + r->at, r->members + r->at + 1, (r->n - r->at) * sizeof m);
	}
	quota[m]--;
	r->at++;
	return (int32_t)m;
}

static void
share_among_members(struct uniform *u)
{
	const struct assignment *a = u->sharing.a;
	int32_t *had = xcalloc(a->n_members, sizeof *had), *quota = xcalloc(a->n_members, sizeof *quota);
	struct round *rounds = xcalloc(a->n_kinds, sizeof *rounds);
	size_t k, p, n = u->sharing.n_partitions;

	for (p = 0; p < n; p++) {
		if (a->target[p] != ASSIGNED_TO_NOBODY && u->kind_of[a->target[p]] != u->kind_at[p])
			a->target[p] = ASSIGNED_TO_NOBODY;
		if (a->target[p] != ASSIGNED_TO_NOBODY)
			had[a->target[p]]++;
	}
	for (k = 0; k < a->n_kinds; k++) {
		set_quotas(&a->kinds[k], u->load[k], had, quota);
		rounds[k].n = a->kinds[k].n_members;
		rounds[k].members = xmemdup(a->kinds[k].members, rounds[k].n * sizeof *rounds[k].members);
	}
	for (p = 0; p < n; p++) {
		if (a->target[p] == ASSIGNED_TO_NOBODY)
			continue;
		if (quota[a->target[p]] > 0)
			quota[a->target[p]]--;
		else
			a->target[p] = ASSIGNED_TO_NOBODY;
	}
	for (p = 0; p < n; p++)
		if (a->target[p] == ASSIGNED_TO_NOBODY && u->kind_at[p] != ASSIGNED_TO_NOBODY)
			a->target[p] = next_in_round(&rounds[u->kind_at[p]], quota);
	for (k = 0; k < a->n_kinds; k++)
		free(rounds[k].members);
	free(rounds);
	free(quota);
	free(had);
}

static void
share_uniformly(const struct assignment *a)
{
	struct uniform u = { 0 };
	size_t i, k;

	sharing_init(&u.sharing, a);
	u.kind_of = xcalloc(a->n_members, sizeof *u.kind_of);
	for (k = 0; k < a->n_kinds; k++)
		for (i = 0; i < a->kinds[k].n_members; i++)
			u.kind_of[a->kinds[k].members[i]] = (int32_t)k;
	u.load = xcalloc(a->n_kinds, sizeof *u.load);
	u.kind_at = xmalloc(u.sharing.n_partitions * sizeof *u.kind_at);
	for (i = 0; i < u.sharing.n_partitions; i++)
		u.kind_at[i] = ASSIGNED_TO_NOBODY;
	u.shares = xcalloc(a->n_kinds, sizeof *u.shares);
	u.share_of = xcalloc(a->n_kinds, sizeof *u.share_of);
	u.topics = xcalloc(a->n_topics, sizeof *u.topics);
	u.end = xcalloc(u.sharing.n_pools, sizeof *u.end);
	share_among_kinds(&u);
	share_among_members(&u);
	free(u.end);
	free(u.topics);
	free(u.share_of);
	free(u.shares);
	free(u.kind_at);
	free(u.load);
	free(u.kind_of);
	sharing_done(&u.sharing);
}

/* ---- range ---- */

/* One topic, in the order of the kinds and of the members of each: the first get one more where it does not come out even. */
static void
cut(const struct assignment *a, const struct pool *pool, int32_t *target, int32_t n)
{
	int32_t members = (int32_t)pool->n_members, low = n / members, extra = n % members, block;
	size_t k, i;

	for (k = 0; k < pool->n_kinds; k++) {
		const struct assign_kind *kind = &a->kinds[pool->kinds[k]];

		for (i = 0; i < kind->n_members && n > 0; i++) {
			block = low + (extra > 0);
			extra -= extra > 0;
			n -= block;
			while (block-- > 0)
				*target++ = (int32_t)kind->members[i];
		}
	}
	must(n == 0);
}

static void
share_in_ranges(const struct assignment *a)
{
	struct sharing s;
	const struct pool *pool;
	size_t i;
	int32_t p;

	sharing_init(&s, a);
	for (i = 0; i < a->n_topics; i++) {
		pool = &s.pools[s.pool_of[i]];
		if (pool->n_kinds > 0)
			cut(a, pool, a->target + s.first[i], a->n_partitions[i]);
		else
			for (p = 0; p < a->n_partitions[i]; p++)
				a->target[s.first[i] + (size_t)p] = ASSIGNED_TO_NOBODY;
	}
	sharing_done(&s);
}

const struct assignor assignors[ASSIGNORS] = {
	{ "uniform", share_uniformly },
	{ "range", share_in_ranges },
};

int
assignor_find(struct span name)
{
	int i;

	for (i = 0; i < ASSIGNORS; i++)
		if (span_is(name, assignors[i].name))
			return i;
	return -1;
}
