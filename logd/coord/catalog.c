/* catalog.c -- the topics there are, as groups know them. */
#include "coord/catalog.h"

#include "base/xalloc.h"

static struct span
id_span(const struct catalog_topic *t)
{
	return span_of(t->id, sizeof t->id);
}

static struct catalog_topic *
find_or_make(struct catalog *c, struct span name)
{
	struct catalog_topic *t = map_get(&c->by_name, name);

	if (t != NULL)
		return t;
	t = xcalloc(1, sizeof *t);
	t->name = blob_new(name);
	must_fit(map_put(&c->by_name, blob_span(t->name), t));
	return t;
}

static void
drop_unused(struct catalog *c, struct catalog_topic *t)
{
	if (t->users > 0 || t->n_partitions > 0)
		return;
	must(map_del(&c->by_name, blob_span(t->name)) == t);
	free(t->name);
	free(t);
}

size_t
catalog_after(const struct catalog *c, uint64_t serial)
{
	size_t low = 0, high = c->n_order, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (c->order[middle].serial <= serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
enter(struct catalog *c, struct catalog_topic *t)
{
	t->serial = ++c->serial;
	if (c->n_order == c->cap_order) {
		c->cap_order = c->cap_order == 0 ? 16 : c->cap_order * 2;
		c->order = xrealloc(c->order, c->cap_order * sizeof *c->order);
	}
	c->order[c->n_order++] = (struct catalog_slot){ t->serial, t };
	must_fit(map_put(&c->by_id, id_span(t), t));
}

static void
leave(struct catalog *c, struct catalog_topic *t)
{
	size_t i, n = 0, at = catalog_after(c, t->serial) - 1;

	must(c->order[at].topic == t);
	c->order[at].topic = NULL;
	must(map_del(&c->by_id, id_span(t)) == t);
	t->n_partitions = 0;
	if (c->by_id.n >= c->n_order / 2)
		return;
	for (i = 0; i < c->n_order; i++)
		if (c->order[i].topic != NULL)
			c->order[n++] = c->order[i];
	c->n_order = n;
}

void
catalog_set(struct catalog *c, struct span name, const uint8_t id[TOPIC_ID_BYTES],
    int32_t n_partitions)
{
	struct catalog_topic *t = find_or_make(c, name);

	must(n_partitions > 0);
	if (t->n_partitions > 0 && !span_eq(id_span(t), span_of(id, TOPIC_ID_BYTES)))
		leave(c, t);
	if (t->n_partitions == 0) {
		memcpy(t->id, id, TOPIC_ID_BYTES);
		enter(c, t);
	}
	t->n_partitions = n_partitions;
	c->version++;
}

void
catalog_unset(struct catalog *c, struct span name)
{
	struct catalog_topic *t = map_get(&c->by_name, name);

	if (t == NULL || t->n_partitions == 0)
		return;
	leave(c, t);
	drop_unused(c, t);
	c->version++;
}

struct catalog_topic *
catalog_find_id(const struct catalog *c, const uint8_t id[TOPIC_ID_BYTES])
{
	return map_get(&c->by_id, span_of(id, TOPIC_ID_BYTES));
}

struct catalog_topic *
catalog_hold(struct catalog *c, struct span name)
{
	struct catalog_topic *t = find_or_make(c, name);

	t->users++;
	return t;
}

void
catalog_release(struct catalog *c, struct catalog_topic *t)
{
	must(t->users > 0);
	t->users--;
	drop_unused(c, t);
}

void
catalog_done(struct catalog *c)
{
	struct catalog_topic *t;
	size_t it = 0;

	while ((t = map_next(&c->by_name, &it)) != NULL) {
		must(t->users == 0);
		free(t->name);
		free(t);
	}
	map_done(&c->by_name);
	map_done(&c->by_id);
	free(c->order);
}
