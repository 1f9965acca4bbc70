/*
 * consumer_topics.c -- what the members of a group subscribe to.
 *
 * Members that subscribe to the same share it, so that nothing here grows with
 * members times topics.
 */
#include "coord/consumer_internal.h"

#include "base/buf.h"
#include "base/xalloc.h"

enum {
	LENGTH_BYTES = 4,
	/* Of a topic in a subscription, whose room is doubled. */
	POINTER_BYTES = 2 * sizeof(struct group_topic *),
	/* Steps of comparing with expressions that are taken at a time: some milliseconds. */
	STEPS_MAX = 1000000
};

/* ---- partitions ---- */

/* Puts a link in the place of another, which is in no list then. */
static void
link_move(struct list *to, struct list *from)
{
	list_init(to);
	if (!list_empty(from)) {
		list_add(from, to); /* before `from`, as if that were a head */
		list_del(from);
	}
}

static void
resize_parts(struct group *g, struct group_topic *t, int32_t n)
{
	struct part *parts = n == 0 ? NULL : xcalloc((size_t)n, sizeof *parts), *old;
	int32_t i;

	for (i = n; i < t->n_parts; i++) {
		part_release(&t->parts[i]);
		part_aim(&t->parts[i], NULL);
	}
	for (i = 0; i < n; i++) {
		parts[i].topic = t;
		list_init(&parts[i].held);
		list_init(&parts[i].aimed);
		if (i >= t->n_parts)
			continue;
		old = &t->parts[i];
		parts[i].holder = old->holder;
		parts[i].target = old->target;
		parts[i].revoking = old->revoking;
		link_move(&parts[i].held, &old->held);
		link_move(&parts[i].aimed, &old->aimed);
	}
	consumer_discharge(g, (size_t)t->n_parts * sizeof *parts);
	consumer_charge(g, (size_t)n * sizeof *parts);
	free(t->parts);
	t->parts = parts;
	t->n_parts = n;
}

/*
 * Takes up what the topic is now.  Partitions that there is no room for are
 * left out until there is.  True: it has changed.
 */
static bool
fit(struct group *g, struct group_topic *t)
{
	const struct catalog_topic *known = t->known;
	int32_t n = known->n_partitions, had = t->n_parts;
	bool same = had > 0 && memcmp(t->id, known->id, sizeof t->id) == 0;
	size_t more = (size_t)(n - (same ? had : 0)) * sizeof *t->parts;

	if (same && n == had)
		return false;
	if (had > 0 && !same)
		resize_parts(g, t, 0);
	memcpy(t->id, known->id, sizeof t->id);
	if (n > t->n_parts && !consumer_has_room(g, more)) {
		g->consumers->version = 0; /* look again */
		n = t->n_parts;
	}
	if (n != t->n_parts)
		resize_parts(g, t, n);
	return same ? n != had : had > 0 || n > 0;
}

struct part *
consumer_part(const struct group *g, const uint8_t *topic_id, int32_t number)
{
	const struct catalog_topic *known = catalog_find_id(&g->env->catalog, topic_id);
	struct group_topic *t = known == NULL ? NULL :
	    map_get(&g->consumers->topics_by_name, blob_span(known->name));

	return t == NULL || number < 0 || number >= t->n_parts ? NULL : &t->parts[number];
}

/* ---- topics ---- */

static size_t
topic_bytes(struct span name)
{
	return sizeof(struct group_topic) + sizeof(struct catalog_topic) + name.n;
}

static struct group_topic *
hold_topic(struct group *g, struct span name)
{
	struct consumer_group *c = g->consumers;
	struct group_topic *t = map_get(&c->topics_by_name, name);

	if (t == NULL) {
		t = xcalloc(1, sizeof *t);
		t->known = catalog_hold(&g->env->catalog, name);
		list_init(&t->link);
		list_init(&t->orphan);
		list_add(&c->topics, &t->link);
		must_fit(map_put(&c->topics_by_name, blob_span(t->known->name), t));
		c->n_topics++;
		consumer_charge(g, topic_bytes(name));
		fit(g, t);
	}
	t->users++;
	list_del(&t->orphan);
	return t;
}

static void
release_topic(struct group *g, struct group_topic *t)
{
	must(t->users > 0);
	if (--t->users == 0)
		list_add(&g->consumers->orphans, &t->orphan);
}

static void
free_topic(struct group *g, struct group_topic *t)
{
	struct consumer_group *c = g->consumers;

	resize_parts(g, t, 0);
	must(map_del(&c->topics_by_name, blob_span(t->known->name)) == t);
	list_del(&t->link);
	list_del(&t->orphan);
	c->n_topics--;
	consumer_discharge(g, topic_bytes(blob_span(t->known->name)));
	catalog_release(&g->env->catalog, t->known);
	free(t);
}

/* What members hold they may still read: somebody else must not get it meanwhile. */
void
consumer_free_orphans(struct group *g)
{
	list_each(l, &g->consumers->orphans) {
		struct group_topic *t = container_of(l, struct group_topic, orphan);

		if (t->n_held == 0)
			free_topic(g, t);
	}
}

bool
consumer_group_subscribes(const struct group *g, struct span topic)
{
	const struct group_topic *t = map_get(&g->consumers->topics_by_name, topic);

	return t != NULL && t->users > 0;
}

/* ---- subscriptions ---- */

static struct span
names_of(const struct interest *i)
{
	return span_of(i->key->p + LENGTH_BYTES, i->names_bytes);
}

struct span
consumer_interest_regex(const struct interest *i)
{
	return i->regex == NULL ? span_of(NULL, 0) :
	    span_of(i->key->p + LENGTH_BYTES + i->names_bytes, i->key->n - LENGTH_BYTES - i->names_bytes);
}

/* Takes the first name off. */
static struct span
next_name(struct span *names)
{
	struct span name = span_of(names->p + LENGTH_BYTES, load32(names->p));

	*names = span_of(name.p + name.n, names->n - LENGTH_BYTES - name.n);
	return name;
}

size_t
consumer_interest_names(const struct interest *i, struct span *out, size_t max)
{
	struct span names = names_of(i);
	size_t n;

	for (n = 0; names.n > 0 && n < max; n++)
		out[n] = next_name(&names);
	return n;
}

static int
compare_names(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return span_compare(*x, *y);
}

/* Each name once, in their order; clients send them so already. */
static void
put_names(struct buf *key, const struct span *names, size_t n)
{
	struct span *sorted = xmemdup(names, n * sizeof *names);
	size_t i;
	bool in_order = true;

	for (i = 1; i < n && in_order; i++)
		in_order = span_compare(sorted[i - 1], sorted[i]) <= 0;
	if (!in_order)
		qsort(sorted, n, sizeof *sorted, compare_names);
	for (i = 0; i < n; i++) {
		if (i > 0 && span_compare(sorted[i - 1], sorted[i]) == 0)
			continue;
		buf_u32(key, (uint32_t)sorted[i].n);
		buf_span(key, sorted[i]);
	}
	free(sorted);
}

static bool
names_too_large(const struct consumer_heartbeat *h)
{
	size_t i, bytes = 0;

	for (i = 0; i < h->n_names && bytes <= CONSUMER_NAMES_MAX_BYTES; i++)
		bytes += LENGTH_BYTES + h->names[i].n;
	return bytes > CONSUMER_NAMES_MAX_BYTES;
}

/* All that a new one takes, at most, but for partitions and what matches. */
static size_t
interest_bytes(size_t key_bytes, size_t n_names, const struct expression *regex)
{
	return sizeof(struct interest) + key_bytes + n_names * POINTER_BYTES +
	    (regex == NULL ? 0 : expression_bytes(regex));
}

static void
add_topic(struct group *g, struct interest *i, struct group_topic *t)
{
	if (i->n == i->cap) {
		i->cap = i->cap == 0 ? 4 : i->cap * 2;
		i->topics = xrealloc(i->topics, i->cap * sizeof(struct group_topic *));
	}
	i->topics[i->n++] = t;
	g->consumers->n_choices++;
}

static struct interest *
new_interest(struct group *g, const struct buf *key, size_t n_names, struct expression *regex)
{
	struct consumer_group *c = g->consumers;
	struct interest *i = xcalloc(1, sizeof *i);
	struct span names;

	i->key = blob_new(buf_bytes(key));
	i->names_bytes = load32(key->p);
	i->regex = regex;
	i->bytes = interest_bytes(key->n, n_names, regex);
	consumer_charge(g, i->bytes);
	list_init(&i->link);
	list_add(&c->interests, &i->link);
	must_fit(map_put(&c->interests_by_key, blob_span(i->key), i));
	for (names = names_of(i); names.n > 0;)
		add_topic(g, i, hold_topic(g, next_name(&names)));
	i->n_named = i->n;
	if (regex != NULL)
		c->version = 0; /* there is something to compare */
	return i;
}

static size_t
count_names(struct span names)
{
	size_t n;

	for (n = 0; names.n > 0; n++)
		next_name(&names);
	return n;
}

static struct interest *
make_interest(struct group *g, const struct buf *key, enum group_error *error,
    const char **message)
{
	struct span names = span_of(key->p + LENGTH_BYTES, load32(key->p));
	struct span pattern = span_of(names.p + names.n, key->n - LENGTH_BYTES - names.n);
	size_t n = count_names(names);
	struct expression *regex = NULL;

	*error = GROUP_OK;
	if (g->consumers->n_choices + n > CONSUMER_CHOICES_MAX) {
		*error = GROUP_INVALID_REQUEST;
		*message = "The members of the group subscribe to too many topics.";
	} else if (pattern.n > 0 && (regex = expression_new(pattern, message)) == NULL) {
		*error = GROUP_INVALID_REGULAR_EXPRESSION;
	} else if (!consumer_has_room(g, interest_bytes(key->n, n, regex) +
	    n * topic_bytes(span_of(NULL, 0)) + names.n)) {
		*error = GROUP_COORDINATOR_NOT_AVAILABLE;
		*message = "The members of all groups take all the memory that they may.";
	}
	if (*error == GROUP_OK)
		return new_interest(g, key, n, regex);
	expression_free(regex);
	return NULL;
}

struct interest *
consumer_interest(struct group *g, const struct interest *old,
    const struct consumer_heartbeat *h, enum group_error *error, const char **message)
{
	struct interest *found;
	struct buf key = { 0 };

	*error = GROUP_INVALID_REQUEST;
	if (h->has_names && names_too_large(h)) {
		*message = "The names of the topics are larger than 1 MiB.";
		return NULL;
	}
	buf_u32(&key, 0);
	if (h->has_names)
		put_names(&key, h->names, h->n_names);
	else if (old != NULL)
		buf_span(&key, names_of(old));
	must_fit(!key.failed);
	store32(key.p, (uint32_t)(key.n - LENGTH_BYTES));
	if (h->regex.p != NULL)
		buf_span(&key, h->regex);
	else if (old != NULL && old->regex != NULL)
		buf_span(&key, consumer_interest_regex(old));
	must_fit(!key.failed);
	found = map_get(&g->consumers->interests_by_key, buf_bytes(&key));
	if (found == NULL)
		found = make_interest(g, &key, error, message);
	buf_done(&key);
	return found;
}

void
consumer_interest_hold(struct interest *i)
{
	i->n_members++;
}

void
consumer_interest_release(struct group *g, struct interest *i)
{
	struct consumer_group *c = g->consumers;
	size_t k;

	must(i->n_members > 0);
	if (--i->n_members > 0)
		return;
	for (k = 0; k < i->n; k++)
		release_topic(g, i->topics[k]);
	c->n_choices -= i->n;
	must(map_del(&c->interests_by_key, blob_span(i->key)) == i);
	list_del(&i->link);
	consumer_discharge(g, i->bytes);
	expression_free(i->regex);
	free(i->topics);
	free(i->key);
	free(i);
}

/* ---- expressions ---- */

static bool
is_named(const struct interest *i, struct span name)
{
	size_t low = 0, high = i->n_named, middle;
	int r;

	while (low < high) {
		middle = low + (high - low) / 2;
		r = span_compare(name, blob_span(i->topics[middle]->known->name));
		if (r == 0)
			return true;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Drops topics that are gone, or that are others now: those come again. */
static bool
forget_gone(struct group *g, struct interest *i)
{
	size_t k, n = i->n_named;

	for (k = n; k < i->n; k++) {
		const struct catalog_topic *known = i->topics[k]->known;

		if (known->n_partitions > 0 && known->serial <= i->serial)
			i->topics[n++] = i->topics[k];
		else
			release_topic(g, i->topics[k]);
	}
	if (n == i->n)
		return false;
	g->consumers->n_choices -= i->n - n;
	i->bytes -= (i->n - n) * POINTER_BYTES;
	consumer_discharge(g, (i->n - n) * POINTER_BYTES);
	i->n = n;
	return true;
}

static bool
has_room_to_match(const struct group *g, struct span name)
{
	return g->consumers->n_choices < CONSUMER_CHOICES_MAX &&
	    consumer_has_room(g, topic_bytes(name) + POINTER_BYTES);
}

/* Compares some topics that came since, as long as there are steps left. */
static bool
match_more(struct group *g, struct interest *i, size_t *steps)
{
	struct catalog *catalog = &g->env->catalog;
	size_t at = catalog_after(catalog, i->serial);
	const struct catalog_topic *t;
	bool any = false;

	for (; at < catalog->n_order && *steps < STEPS_MAX; at++) {
		i->serial = catalog->order[at].serial;
		t = catalog->order[at].topic;
		if (t == NULL)
			continue;
		*steps += expression_steps(i->regex, t->name->n);
		if (!is_named(i, blob_span(t->name)) && expression_matches(i->regex, blob_span(t->name)) &&
		    has_room_to_match(g, blob_span(t->name))) {
			add_topic(g, i, hold_topic(g, blob_span(t->name)));
			i->bytes += POINTER_BYTES;
			consumer_charge(g, POINTER_BYTES);
			any = true;
		}
	}
	return any;
}

static bool
is_behind(const struct group *g, const struct interest *i)
{
	return i->regex != NULL && catalog_after(&g->env->catalog, i->serial) < g->env->catalog.n_order;
}

bool
consumer_is_behind(const struct group *g)
{
	list_each(l, &g->consumers->interests)
		if (is_behind(g, container_of(l, struct interest, link)))
			return true;
	return false;
}

bool
consumer_refresh(struct group *g)
{
	struct consumer_group *c = g->consumers;
	uint64_t version = g->env->catalog.version;
	size_t steps = 0;
	bool changed = false;

	if (c->version == version)
		return false;
	c->version = version;
	list_each(l, &c->interests) {
		struct interest *i = container_of(l, struct interest, link);

		if (i->regex != NULL) {
			changed |= forget_gone(g, i);
			changed |= match_more(g, i, &steps);
		}
	}
	list_each(l, &c->topics)
		changed |= fit(g, container_of(l, struct group_topic, link));
	if (consumer_is_behind(g))
		c->version = 0;
	return changed;
}
