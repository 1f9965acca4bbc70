/* drive.c -- clients that do what some bytes say, and a judge. */
#include "unit/coord/drive_internal.h"

#include <string.h>

#include "base/must.h"

uint8_t
drive_next(struct drive *d)
{
	return d->at < d->end ? *d->at++ : 0;
}

/* Some of the bytes that come next, as they are. */
static struct span
next_bytes(struct drive *d)
{
	size_t n = drive_next(d) & 15, left = (size_t)(d->end - d->at);
	struct span s = span_of(d->at, n < left ? n : left);

	d->at += s.n;
	return s;
}

static struct request *
request(struct drive *d, enum group_effect_type type, struct client *c)
{
	size_t i;

	for (i = 0; i < REQUESTS; i++)
		if (!d->requests[i].live) {
			d->requests[i] = (struct request){ true, type, c, 0 };
			return &d->requests[i];
		}
	return NULL;
}

/* Every byte of an answer can be read. */
static size_t
read_all(struct span s)
{
	size_t i, sum = 0;

	for (i = 0; i < s.n; i++)
		sum += s.p[i];
	return sum;
}

static void
learn_roster(struct client *c, const struct group_join_answer *j)
{
	size_t i;

	c->n_roster = 0;
	for (i = 0; i < j->n_members && i < ROSTER; i++) {
		must(j->members[i].member_id.n < ID_MAX);
		read_all(j->members[i].metadata);
		read_all(j->members[i].instance_id);
		memcpy(c->roster[i], j->members[i].member_id.p, j->members[i].member_id.n);
		c->roster_n[i] = j->members[i].member_id.n;
		c->n_roster++;
	}
}

static void
judge_join(struct drive *d, struct request *r, const struct group_join_answer *j)
{
	struct client *c = r->client;
	struct group_description g;

	read_all(j->leader);
	read_all(j->protocol_type);
	read_all(j->protocol_name);
	must(j->member_id.n < ID_MAX && j->leader.n < ID_MAX);
	if (j->error == GROUP_OK) {
		must(j->generation > 0 && j->member_id.n > 0 && j->leader.n > 0);
		must(j->protocol_type.n > 0 && j->protocol_name.p != NULL);
		must(j->n_members == 0 || span_eq(j->leader, j->member_id));
		must(!j->skip_assignment || j->n_members > 0);
		groups_describe(d->groups, c->group, &g);
		must(j->generation <= g.generation || g.state == GROUP_DEAD);
	} else {
		must(j->generation == -1 && j->n_members == 0 && j->leader.n == 0);
		must((j->error == GROUP_MEMBER_ID_REQUIRED) == (j->member_id.n > 0));
	}
	if (j->error == GROUP_OK || j->error == GROUP_MEMBER_ID_REQUIRED) {
		memcpy(c->member_id, j->member_id.p, j->member_id.n);
		c->member_id_n = j->member_id.n;
		c->generation = j->generation;
		c->leads = j->n_members > 0 && !j->skip_assignment;
		learn_roster(c, j);
	} else if (j->error != GROUP_REBALANCE_IN_PROGRESS) {
		c->member_id_n = 0;
	}
}

/* Leaders assign to everybody the generation's number. */
static void
judge_sync(const struct request *r, const struct group_sync_answer *s)
{
	read_all(s->protocol_type);
	read_all(s->protocol_name);
	must(s->assignment.n == 0 || s->error == GROUP_OK);
	must((s->protocol_name.p != NULL) == (s->error == GROUP_OK));
	if (s->assignment.n > 0)
		must(s->assignment.n == 4 &&
		    load32(s->assignment.p) == (uint32_t)r->generation);
}

static void
drain(struct drive *d)
{
	struct group_effect e;
	struct request *r;

	while (groups_next_effect(d->groups, &e)) {
		r = e.token;
		must(r->live && r->type == e.type);
		r->live = false;
		if (e.type == GROUP_JOIN_ANSWER)
			judge_join(d, r, &e.u.join);
		else
			judge_sync(r, &e.u.sync);
	}
	groups_check(d->groups);
}

static struct span
member_of(const struct client *c)
{
	return span_of(c->member_id, c->member_id_n);
}

static void
do_join(struct drive *d, struct client *c)
{
	static const char *const names[] = { "range", "sticky", "roundrobin" };
	static const int32_t sessions[] = { 6000, 10000, 45000, 100 };
	uint8_t how = drive_next(d), list = drive_next(d);
	struct group_protocol protocols[4];
	struct group_join j = {
		.group_id = c->group,
		.member_id = how & 1 ? member_of(c) : span_str(""),
		.instance_id = c->instance,
		.client_id = span_str("c"),
		.client_host = span_str("/h"),
		.protocol_type = span_str((how & 6) == 6 ? "connect" : "consumer"),
		.protocols = protocols,
		.session_timeout_ms = sessions[how >> 3 & 3],
		.rebalance_timeout_ms = (int32_t)(how >> 5) * 9000 - 9000,
		.requires_member_id = (list & 0x80) != 0,
		.skip_assignment_known = (list & 0xc0) == 0xc0,
	};
	struct request *r = request(d, GROUP_JOIN_ANSWER, c);

	if (r == NULL)
		return;
	for (j.n_protocols = 0; j.n_protocols < (list & 3u) + (list >> 4 & 1u);
	    j.n_protocols++)
		protocols[j.n_protocols] = (struct group_protocol){
		    span_str(names[(j.n_protocols + (list >> 2)) % 3]),
		    list & 0x20 ? next_bytes(d) : span_str("same") };
	store32(j.random, ++d->randoms);
	groups_join(d->groups, &j, r, d->now_ms);
}

static void
do_sync(struct drive *d, struct client *c)
{
	static struct group_assignment list[ROSTER];
	uint8_t generation[4], how = drive_next(d);
	struct group_sync s = { .group_id = c->group, .member_id = member_of(c),
		.instance_id = c->instance, .generation = c->generation,
		.assignments = list };
	struct request *r = request(d, GROUP_SYNC_ANSWER, c);

	if (r == NULL)
		return;
	if ((how & 7) == 7)
		s.generation++;
	r->generation = s.generation;
	store32(generation, (uint32_t)s.generation);
	if (c->leads)
		for (; s.n_assignments < c->n_roster; s.n_assignments++)
			list[s.n_assignments] = (struct group_assignment){
			    span_of(c->roster[s.n_assignments],
			    c->roster_n[s.n_assignments]), span_of(generation, 4) };
	if ((how & 0x70) == 0x70)
		s.protocol_name = span_str("sticky");
	groups_sync(d->groups, &s, r, d->now_ms);
}

static void
do_leave(struct drive *d, struct client *c)
{
	uint8_t how = drive_next(d);
	struct client *other = &d->clients[how % CLIENTS];
	struct group_leave who[2] = {
		{ how & 0x40 ? span_str("") : member_of(c), c->instance, GROUP_OK },
		{ member_of(other), span_of(NULL, 0), GROUP_OK },
	};

	groups_leave(d->groups, c->group, who, how & 0x80 ? 2 : 1, d->now_ms);
	must(who[0].error != GROUP_INVALID_GROUP_ID);
}

static void
do_commit(struct drive *d, struct client *c)
{
	uint8_t how = drive_next(d);
	struct group_commit commit = { .group_id = c->group,
		.member_id = how & 1 ? member_of(c) : span_str(""),
		.instance_id = how & 2 ? c->instance : span_of(NULL, 0),
		.generation = how & 4 ? c->generation : -1,
		.transactional = (how & 0x18) == 0x18,
		.group_not_found_known = (how & 0x20) != 0 };

	if (groups_commit_check(d->groups, &commit, d->now_ms) == GROUP_OK &&
	    (how & 0x40) != 0)
		groups_note_offsets(d->groups, c->group, true, d->now_ms);
}

static void
do_forget(struct drive *d)
{
	struct request *r = &d->requests[drive_next(d) % 8];

	groups_forget(d->groups, r);
	r->live = false;
}

static void
do_admin(struct drive *d, struct client *c)
{
	struct group_member_description members[4];
	struct group_listing l;
	struct group_description g;
	size_t i, it = 0, n;

	switch (drive_next(d) % 4) {
	case 0:
		groups_delete(d->groups, c->group);
		break;
	case 1:
		groups_note_offsets(d->groups, c->group, false, d->now_ms);
		break;
	case 2:
		groups_offset_delete_check(d->groups, c->group, next_bytes(d));
		break;
	default:
		groups_describe(d->groups, c->group, &g);
		n = groups_describe_members(d->groups, c->group, members, 4);
		must(n == (g.n_members < 4 ? g.n_members : 4));
		for (i = 0; i < n; i++)
			read_all(members[i].assignment);
		for (n = 0; groups_list(d->groups,
		    groups_filter(NULL, 0, NULL, 0), &it, &l); n++)
			read_all(l.group_id);
		must(n == groups_count(d->groups));
	}
}

static void
do_time(struct drive *d, int64_t ms)
{
	d->now_ms += ms;
	groups_tick(d->groups, d->now_ms);
	must(groups_next_deadline(d->groups) > d->now_ms);
}

static void
step(struct drive *d)
{
	uint8_t op = drive_next(d);
	struct client *c = &d->clients[op >> 5];

	if (op & 0x10) {
		drive_consumers_step(d, op);
		drain(d);
		return;
	}
	switch (op & 15) {
	case 0: case 1: case 2: case 3:
		do_join(d, c);
		break;
	case 4: case 5: case 6:
		do_sync(d, c);
		break;
	case 7: case 8:
		groups_heartbeat(d->groups, &(struct group_heartbeat){ c->group,
		    member_of(c), c->instance, c->generation }, d->now_ms);
		break;
	case 9:
		do_leave(d, c);
		break;
	case 10:
		do_commit(d, c);
		break;
	case 11:
		do_forget(d);
		break;
	case 12:
		do_admin(d, c);
		break;
	case 13:
		do_time(d, drive_next(d) * (int64_t)400);
		break;
	default:
		do_time(d, drive_next(d) * (int64_t)20);
		break;
	}
	drain(d);
}

/* Nobody does anything any more: all answers come, and all members go. */
static void
judge_end(struct drive *d)
{
	struct group_listing l;
	size_t i, it = 0;

	for (i = 0; i < 20; i++) {
		do_time(d, GROUP_LINGER_MS);
		drain(d);
	}
	for (i = 0; i < REQUESTS; i++)
		must(!d->requests[i].live);
	while (groups_list(d->groups, groups_filter(NULL, 0, NULL, 0), &it, &l)) {
		must(l.state == GROUP_EMPTY);
		must(groups_delete(d->groups, l.group_id) == GROUP_OK);
		it = 0;
	}
	must(groups_count(d->groups) == 0 && groups_bytes(d->groups) == 0);
	must(groups_next_deadline(d->groups) == INT64_MAX);
}

void
drive(const uint8_t *bytes, size_t n)
{
	static const char *const group_names[] = { "one", "two" };
	static const char *const instances[] = { NULL, NULL, "i", NULL, "i", "j",
		NULL, "j" };
	static struct drive d;
	uint8_t config;
	size_t i;

	d = (struct drive){ .at = bytes, .end = bytes + n, .now_ms = 1000 };
	config = drive_next(&d);
	d.groups = groups_new(&(struct groups_config){ 6000, 1800000,
	    config & 1 ? 3000 : 0, config & 2 ? 3 : INT32_MAX, 10000, 1000, config & 2 ? 3 : INT32_MAX });
	for (i = 0; i < CLIENTS; i++) {
		/* Most share a group, so that they meet. */
		d.clients[i].group = span_str(group_names[i == 6]);
		d.clients[i].instance = span_str(instances[i]);
	}
	drive_consumers_init(&d);
	while (d.at < d.end)
		step(&d);
	judge_end(&d);
	groups_free(d.groups);
}
