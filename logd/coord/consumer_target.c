/* consumer_target.c -- who is to have which partition, and who has it. */
#include "coord/consumer_internal.h"

#include "base/xalloc.h"
#include "coord/assignor.h"

/* ---- parts ---- */

void
part_release(struct part *p)
{
	if (p->holder == NULL)
		return;
	if (!p->revoking)
		p->holder->news = true;
	else if (--p->holder->n_revoking == 0)
		p->holder->revoke_ms = INT64_MAX;
	list_del(&p->held);
	p->topic->n_held--;
	p->holder = NULL;
	p->revoking = false;
}

void
part_revoke(struct part *p)
{
	must(p->holder != NULL && !p->revoking);
	list_del(&p->held);
	list_add(&p->holder->revoking, &p->held);
	p->revoking = true;
	p->holder->n_revoking++;
	p->holder->news = true;
}

void
part_take(struct part *p, struct consumer *m)
{
	must(p->holder == NULL);
	p->holder = m;
	p->topic->n_held++;
	list_add(&m->assigned, &p->held);
	m->news = true;
}

void
part_aim(struct part *p, struct consumer *m)
{
	list_del(&p->aimed);
	p->target = m;
	if (m != NULL)
		list_add(&m->target, &p->aimed);
}

static struct part *
held(struct list *l)
{
	return container_of(l, struct part, held);
}

static struct part *
aimed(struct list *l)
{
	return container_of(l, struct part, aimed);
}

void
consumer_release_revoking(struct consumer *m)
{
	list_each(l, &m->revoking)
		part_release(held(l));
}

void
consumer_release_all(struct consumer *m)
{
	consumer_release_revoking(m);
	list_each(l, &m->assigned)
		part_release(held(l));
}

void
consumer_aim_none(struct consumer *m)
{
	list_each(l, &m->target)
		part_aim(aimed(l), NULL);
}

void
consumer_set_settled(struct consumer *m, bool settled)
{
	struct consumer_group *c = m->group->consumers;

	c->n_unsettled += m->settled;
	c->n_unsettled -= settled;
	m->settled = settled;
}

/* ---- targets ---- */

int
consumer_preferred_assignor(const struct group *g)
{
	size_t votes[ASSIGNORS] = { 0 };
	int i, best = 0;

	list_each(l, &g->consumers->members) {
		const struct consumer *m = container_of(l, struct consumer, link);

		if (m->assignor >= 0)
			votes[m->assignor]++;
	}
	for (i = 1; i < ASSIGNORS; i++)
		if (votes[i] > votes[best])
			best = i;
	return best;
}

/* The group in numbers. */
struct table {
	struct assignment a;
	struct consumer **members;
	struct group_topic **topics;
	struct assign_kind *kinds;
	int32_t *n_partitions;
	uint32_t *numbers; /* what the kinds point into */
};

static void
number_topics(struct table *t, const struct consumer_group *c, size_t *n_partitions)
{
	t->topics = xcalloc(c->n_topics, sizeof(struct group_topic *));
	t->n_partitions = xcalloc(c->n_topics, sizeof *t->n_partitions);
	*n_partitions = 0;
	list_each(l, &c->topics) {
		struct group_topic *topic = container_of(l, struct group_topic, link);

		topic->index = (uint32_t)t->a.n_topics;
		t->topics[t->a.n_topics] = topic;
		t->n_partitions[t->a.n_topics++] = topic->n_parts;
		*n_partitions += (size_t)topic->n_parts;
	}
}

static void
number_members(struct table *t, const struct consumer_group *c)
{
	t->members = xcalloc(c->n_members, sizeof(struct consumer *));
	list_each(l, &c->members) {
		struct consumer *m = container_of(l, struct consumer, link);

		m->index = t->a.n_members;
		t->members[t->a.n_members++] = m;
	}
}

static void
number_kinds(struct table *t, const struct consumer_group *c)
{
	uint32_t *at = t->numbers = xcalloc(c->n_choices + c->n_members, sizeof *at);
	struct assign_kind *kind = t->kinds = xcalloc(c->interests_by_key.n, sizeof *kind);
	size_t i;

	list_each(l, &c->interests) {
		struct interest *in = container_of(l, struct interest, link);

		kind->topics = at;
		kind->n_topics = in->n;
		for (i = 0; i < in->n; i++)
			*at++ = in->topics[i]->index;
		kind->members = at;
		at += in->n_members;
		in->kind = kind++;
	}
	list_each(l, &c->members) {
		struct consumer *m = container_of(l, struct consumer, link);
		struct assign_kind *k = m->interest->kind;

		t->numbers[(size_t)(k->members - t->numbers) + k->n_members++] = (uint32_t)m->index;
	}
	t->a.n_kinds = (size_t)(kind - t->kinds);
}

static void
apply(struct table *t)
{
	const int32_t *target = t->a.target;
	struct consumer *m;
	struct part *p;
	size_t i;
	int32_t n;

	for (i = 0; i < t->a.n_topics; i++)
		for (n = 0; n < t->n_partitions[i]; n++, target++) {
			p = &t->topics[i]->parts[n];
			m = *target == ASSIGNED_TO_NOBODY ? NULL : t->members[*target];
			if (p->target != m)
				part_aim(p, m);
		}
}

void
consumer_assign(struct group *g)
{
	struct consumer_group *c = g->consumers;
	struct table t = { 0 };
	size_t i, n;
	int32_t *target, k;
	const struct consumer *m;

	number_topics(&t, c, &n);
	number_members(&t, c);
	number_kinds(&t, c);
	t.a.kinds = t.kinds;
	t.a.n_partitions = t.n_partitions;
	t.a.target = target = xmalloc(n * sizeof *target);
	for (i = 0; i < t.a.n_topics; i++)
		for (k = 0; k < t.n_partitions[i]; k++) {
			m = t.topics[i]->parts[k].target;
			*target++ = m == NULL ? ASSIGNED_TO_NOBODY : (int32_t)m->index;
		}
	c->assignor = consumer_preferred_assignor(g);
	assignors[c->assignor].share(&t.a);
	apply(&t);
	c->target_epoch = g->generation;
	for (i = 0; i < t.a.n_members; i++)
		consumer_set_settled(t.members[i], false);
	free(t.a.target);
	free(t.numbers);
	free(t.kinds);
	free(t.members);
	free(t.n_partitions);
	free(t.topics);
}

/* ---- the way there ---- */

/* Whether the member still has something that it is to give up.  Who does not say does. */
static bool
owns_revoked(const struct consumer *m, bool has_owned)
{
	if (!has_owned)
		return m->n_revoking > 0;
	list_each(l, &m->revoking)
		if (held(l)->mark == m->group->consumers->mark)
			return true;
	return false;
}

/* True: all of its target is its own now. */
static bool
take_what_is_free(struct consumer *m)
{
	bool all = true;

	list_each(l, &m->target) {
		struct part *p = aimed(l);

		if (p->holder == NULL)
			part_take(p, m);
		else if (p->holder != m)
			all = false;
	}
	return all;
}

void
consumer_reconcile(struct consumer *m, bool has_owned, int64_t now_ms)
{
	struct consumer_group *c = m->group->consumers;

	if (m->settled || owns_revoked(m, has_owned))
		return;
	consumer_release_revoking(m);
	list_each(l, &m->assigned)
		if (held(l)->target != m)
			part_revoke(held(l));
	if (owns_revoked(m, has_owned)) {
		m->revoke_ms = now_ms + m->rebalance_timeout_ms;
		return;
	}
	consumer_release_revoking(m);
	if (m->epoch != c->target_epoch) {
		m->previous_epoch = m->epoch;
		m->epoch = c->target_epoch;
	}
	consumer_set_settled(m, take_what_is_free(m));
}

/* ---- lists of partitions, for answers ---- */

static struct part *
part_at(struct list *l, enum part_list which)
{
	return which == PARTS_HELD ? held(l) : aimed(l);
}

static int
by_number(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

const struct consumer_partitions *
consumer_partitions_of(struct group *g, const struct list *list, enum part_list which, size_t *n)
{
	struct shown {
		struct blob_head head;
		struct consumer_partitions at[];
	} *s;
	struct numbers {
		struct blob_head head;
		int32_t at[];
	} *numbers;
	size_t i, n_parts = 0;
	int32_t *at;

	*n = 0;
	list_each(l, list) {
		n_parts++;
		*n += part_at(l, which)->topic->n_shown++ == 0;
	}
	s = xmalloc(sizeof *s + *n * sizeof s->at[0]);
	numbers = xmalloc(sizeof *numbers + n_parts * sizeof numbers->at[0]);
	blob_drop(&group_answers(g)->bin, &s->head);
	blob_drop(&group_answers(g)->bin, &numbers->head);
	at = numbers->at;
	*n = 0;
	/* Room for each topic; from then on n_shown is where its partitions are in `s`, behind them all. */
	list_each(l, list) {
		struct group_topic *t = part_at(l, which)->topic;

		if (t->n_shown > n_parts)
			continue;
		s->at[(*n)++] = (struct consumer_partitions){ .topic_id = t->id,
		    .name = blob_span(t->known->name), .numbers = at };
		at += t->n_shown;
		t->n_shown = n_parts + *n;
	}
	list_each(l, list) {
		struct part *p = part_at(l, which);
		struct consumer_partitions *to = &s->at[p->topic->n_shown - n_parts - 1];

		numbers->at[(size_t)(to->numbers - numbers->at) + to->n++] = part_number(p);
	}
	list_each(l, list)
		part_at(l, which)->topic->n_shown = 0;
	for (i = 0; i < *n; i++)
		qsort(numbers->at + (s->at[i].numbers - numbers->at), s->at[i].n, sizeof(int32_t), by_number);
	return s->at;
}
