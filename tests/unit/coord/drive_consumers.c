/*
 * drive_consumers.c -- clients of the newer protocol, for drive.c.
 *
 * A client owns what it has been told, until it says in a heartbeat that it owns
 * less.  The judge: of members of a group no two own the same partition.
 */
#include "unit/coord/drive_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

/* Partitions are bits: 8 of each topic. */
enum { TOPICS = 4, PARTITIONS = 8 };

static const char *const names[TOPICS] = { "a", "b", "ab", "c" };

static const uint8_t *
id_of(const struct consumers *all, size_t topic)
{
	static uint8_t ids[TOPICS][16];

	memset(ids[topic], 0, 16);
	ids[topic][0] = (uint8_t)topic;
	ids[topic][1] = (uint8_t)all->topics_made[topic];
	ids[topic][2] = (uint8_t)(all->topics_made[topic] >> 8);
	return ids[topic];
}

static struct span
member_of(const struct consumer_client *c)
{
	return span_of(c->member, strlen(c->member));
}

static bool
is_member(struct drive *d, const struct consumer_client *c)
{
	static struct consumer_description members[CLIENTS * 2];
	size_t i, n = groups_consumer_describe_members(d->groups, c->group, members, CLIENTS * 2);

	for (i = 0; i < n; i++)
		if (span_eq(members[i].member_id, member_of(c)))
			return true;
	return false;
}

static uint32_t
bits_of(const struct consumers *all, const struct consumer_partitions *parts, size_t n)
{
	uint32_t bits = 0;
	size_t i, k, topic;

	for (i = 0; i < n; i++)
		for (k = 0; k < parts[i].n; k++) {
			topic = parts[i].topic_id[0];
			must(topic < TOPICS && memcmp(parts[i].topic_id, id_of(all, topic), 16) == 0);
			must(parts[i].numbers[k] >= 0 && parts[i].numbers[k] < all->n_partitions[topic]);
			must((bits & 1u << (topic * PARTITIONS + (size_t)parts[i].numbers[k])) == 0);
			bits |= 1u << (topic * PARTITIONS + (size_t)parts[i].numbers[k]);
		}
	return bits;
}

static void
judge_owner(struct drive *d, const struct consumer_client *c)
{
	struct consumers *all = &d->consumers;
	size_t i;

	for (i = 0; i < CLIENTS; i++) {
		const struct consumer_client *other = &all->clients[i];

		if (other != c && (other->owned & c->owned) != 0 && span_eq(other->group, c->group) &&
		    strcmp(other->member, c->member) != 0)
			must(!is_member(d, other));
	}
}

static void
take_answer(struct drive *d, struct consumer_client *c, const struct consumer_answer *a)
{
	if (a->error == GROUP_UNKNOWN_MEMBER_ID || a->error == GROUP_FENCED_MEMBER_EPOCH ||
	    a->error == GROUP_FENCED_INSTANCE_ID || a->error == GROUP_ID_NOT_FOUND || a->epoch < 0) {
		c->owned = c->assigned = 0;
		c->epoch = 0;
	}
	if (a->error != GROUP_OK || a->epoch < 0)
		return;
	must(a->epoch > 0 && span_eq(a->member_id, member_of(c)));
	c->epoch = a->epoch;
	if (!a->has_assignment)
		return;
	c->assigned = bits_of(&d->consumers, a->assignment, a->n_assignment);
	c->owned |= c->assigned;
	judge_owner(d, c);
}

static size_t
list_owned(const struct consumers *all, uint32_t bits, struct consumer_partitions *out,
    int32_t numbers[TOPICS * PARTITIONS])
{
	size_t n = 0, topic;
	int32_t p;

	for (topic = 0; topic < TOPICS; topic++) {
		out[n] = (struct consumer_partitions){ .topic_id = id_of(all, topic), .numbers = numbers };
		for (p = 0; p < PARTITIONS; p++)
			if (bits >> (topic * PARTITIONS + (size_t)p) & 1) {
				*numbers++ = p;
				out[n].n++;
			}
		n += out[n].n > 0;
	}
	return n;
}

/* A subscription by some bits; of all bits set, to an expression, too. */
static void
subscribe(struct consumer_heartbeat *h, uint8_t how, struct span to[TOPICS])
{
	static const char *const patterns[] = { "a.*", "[bc]", "", "(" };
	size_t i;

	h->names = to;
	h->has_names = true;
	for (i = 0; i < TOPICS; i++)
		if (how >> i & 1)
			to[h->n_names++] = span_str(names[i]);
	if (how & 0x10)
		h->regex = span_str(patterns[how >> 5 & 3]);
	if ((how & 0x9f) == 0x90)
		h->has_names = false;
	h->assignor = span_str((how & 0xe0) == 0xe0 ? "range" : NULL);
}

static void
heartbeat(struct drive *d, struct consumer_client *c, struct consumer_heartbeat *h, bool lost)
{
	struct consumer_answer a;

	h->group_id = c->group;
	h->member_id = member_of(c);
	h->instance_id = c->instance;
	h->client_id = span_str("c");
	h->client_host = span_str("/h");
	h->chooses_id = true;
	groups_consumer_heartbeat(d->groups, h, d->now_ms, &a);
	if (!lost)
		take_answer(d, c, &a);
}

static void
do_join(struct drive *d, struct consumer_client *c)
{
	uint8_t how = drive_next(d);
	struct span to[TOPICS];
	struct consumer_heartbeat h = { .rebalance_timeout_ms = 3000, .has_owned = true };

	subscribe(&h, how, to);
	c->owned = c->assigned = 0;
	c->epoch = 0;
	if (c->instance.p != NULL || c->member[0] == '\0')
		snprintf(c->member, sizeof c->member, "m%d-%d", (int)(c - d->consumers.clients), ++c->incarnation);
	heartbeat(d, c, &h, false);
}

/* Bits of `how`: says what it owns; gives up before; subscribes anew; the answer is lost; another epoch. */
static void
do_beat(struct drive *d, struct consumer_client *c)
{
	uint8_t how = drive_next(d);
	struct span to[TOPICS];
	struct consumer_partitions owned[TOPICS];
	int32_t numbers[TOPICS * PARTITIONS];
	struct consumer_heartbeat h = { .epoch = c->epoch, .rebalance_timeout_ms = how & 4 ? 3000 : -1,
		.has_owned = (how & 1) != 0, .owned = owned };

	if (how & 2)
		c->owned &= c->assigned;
	h.n_owned = list_owned(&d->consumers, c->owned, owned, numbers);
	if (how & 4)
		subscribe(&h, drive_next(d), to);
	if ((how & 0x70) == 0x70)
		h.epoch++;
	if (h.epoch > 0)
		heartbeat(d, c, &h, (how & 8) != 0);
}

static void
do_leave(struct drive *d, struct consumer_client *c, int32_t epoch)
{
	struct consumer_heartbeat h = { .epoch = epoch, .rebalance_timeout_ms = -1 };

	/* What it owned it has given up. */
	c->owned = c->assigned = 0;
	heartbeat(d, c, &h, false);
}

static void
do_topic(struct drive *d)
{
	struct consumers *all = &d->consumers;
	uint8_t how = drive_next(d);
	size_t topic = how & 3, i;
	int32_t n = how >> 2 & 7;

	if (n > all->n_partitions[topic]) {
		all->topics_made[topic] += all->n_partitions[topic] == 0;
		all->n_partitions[topic] = n;
		groups_topic(d->groups, span_str(names[topic]), id_of(all, topic), n);
	} else if ((how & 0xe0) == 0) {
		all->n_partitions[topic] = 0;
		groups_topic_gone(d->groups, span_str(names[topic]));
		for (i = 0; i < CLIENTS; i++) {
			all->clients[i].owned &= ~(0xffu << (topic * PARTITIONS));
			all->clients[i].assigned &= ~(0xffu << (topic * PARTITIONS));
		}
	}
}

static void
do_look(struct drive *d, struct consumer_client *c)
{
	struct consumer_group_description g;
	struct group_commit commit = { .group_id = c->group, .member_id = member_of(c), .generation = c->epoch,
		.group_not_found_known = true };
	enum group_error committed = groups_commit_check(d->groups, &commit, d->now_ms);

	if (groups_consumer_describe(d->groups, c->group, &g))
		must(g.epoch >= g.assignment_epoch && g.state != GROUP_DEAD);
	if (committed == GROUP_OK && c->member[0] != '\0' && is_member(d, c))
		must(groups_fetch_check(d->groups, c->group, member_of(c), c->epoch) == GROUP_OK);
	groups_offset_delete_check(d->groups, c->group, span_str(names[drive_next(d) & 3]));
}

void
drive_consumers_init(struct drive *d)
{
	static const char *const instances[CLIENTS] = { NULL, NULL, "i", NULL, "i", "j", NULL, NULL };
	size_t i;

	/* Most share a group, and one meets members of the other protocol. */
	for (i = 0; i < CLIENTS; i++) {
		d->consumers.clients[i].group = span_str(i == 6 ? "two" : "three");
		d->consumers.clients[i].instance = span_str(instances[i]);
	}
}

void
drive_consumers_step(struct drive *d, uint8_t op)
{
	struct consumer_client *c = &d->consumers.clients[op >> 5];

	switch (op & 15) {
	case 0: case 1: case 2:
		do_join(d, c);
		break;
	case 3:
		do_leave(d, c, CONSUMER_LEAVES);
		break;
	case 4:
		do_leave(d, c, CONSUMER_LEAVES_FOR_A_WHILE);
		break;
	case 5: case 6:
		do_topic(d);
		break;
	case 7:
		do_look(d, c);
		break;
	default:
		do_beat(d, c);
		break;
	}
}
