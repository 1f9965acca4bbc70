/* consumers.c -- groups of the newer protocol under test. */
#include "unit/coord/consumers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *
id_of(const char *name, uint8_t id[16])
{
	memset(id, 0, 16);
	memcpy(id, name, strlen(name));
	return id;
}

void
topic(const char *name, int32_t n_partitions)
{
	uint8_t id[16];

	groups_topic(groups, text(name), id_of(name, id), n_partitions);
}

void
no_topic(const char *name)
{
	groups_topic_gone(groups, text(name));
}

static size_t
split_names(const char *s, struct span *out)
{
	size_t n = 0, len;

	for (; s != NULL && *s != '\0'; s += len + (s[len] == ',')) {
		len = strcspn(s, ",");
		out[n++] = span_of(s, len);
	}
	return n;
}

/* "a:0,1 b:2" */
static size_t
split_parts(const char *s, struct consumer_partitions *out, int32_t *numbers, uint8_t topic_ids[][16])
{
	size_t n = 0, len;
	char *end;

	while (s != NULL && *s != '\0') {
		len = strcspn(s, ":");
		memset(topic_ids[n], 0, 16);
		memcpy(topic_ids[n], s, len);
		out[n] = (struct consumer_partitions){ .topic_id = topic_ids[n], .numbers = numbers };
		s += len;
		do {
			*numbers++ = (int32_t)strtol(s + 1, &end, 10);
			out[n].n++;
			s = end;
		} while (*s == ',');
		s += *s == ' ';
		n++;
	}
	return n;
}

static int
by_id(const void *x, const void *y)
{
	const struct consumer_partitions *a = x, *b = y;

	return memcmp(a->topic_id, b->topic_id, 16);
}

static void
print_parts(char *to, size_t size, const struct consumer_partitions *parts, size_t n)
{
	struct consumer_partitions sorted[64];
	size_t i, k, at = 0;

	to[0] = '\0';
	CU_ASSERT_FATAL(n <= 64);
	if (n == 0)
		return;
	memcpy(sorted, parts, n * sizeof *parts);
	qsort(sorted, n, sizeof *sorted, by_id);
	for (i = 0; i < n; i++)
		for (k = 0; k < sorted[i].n; k++)
			at += (size_t)snprintf(to + at, size - at, "%s%s%d", k > 0 ? "," : i > 0 ? " " : "",
			    k > 0 ? "" : (char[18]){ (char)sorted[i].topic_id[0], ':', '\0' }, sorted[i].numbers[k]);
}

static void
drained(void)
{
	struct group_effect e;

	CU_ASSERT(!groups_next_effect(groups, &e));
	groups_check(groups);
}

struct told
say(struct says s)
{
	static uint8_t randoms;
	struct span names[64];
	struct consumer_partitions owned[64];
	int32_t numbers[256];
	uint8_t topic_ids[64][16];
	struct consumer_answer a;
	struct told t = { 0 };
	struct consumer_heartbeat h = {
		.group_id = text(s.group == NULL ? "g" : s.group),
		.member_id = text(s.member == NULL ? "" : s.member),
		.instance_id = text(s.instance), .rack_id = text(s.rack),
		.client_id = text("c"), .client_host = text("/h"), .epoch = s.epoch,
		.rebalance_timeout_ms = s.rebalance_ms == 0 ? -1 : s.rebalance_ms,
		.has_names = s.names != NULL, .names = names, .n_names = split_names(s.names, names),
		.regex = text(s.regex), .assignor = text(s.assignor),
		.has_owned = s.owned != NULL, .owned = owned, .n_owned = split_parts(s.owned, owned, numbers, topic_ids),
		.chooses_id = !s.v0, .random = { ++randoms },
	};

	groups_consumer_heartbeat(groups, &h, now_ms, &a);
	t.error = a.error;
	t.epoch = a.epoch;
	t.has_assignment = a.has_assignment;
	CU_ASSERT((a.error == GROUP_OK) == (a.member_id.p != NULL));
	CU_ASSERT((a.error == GROUP_OK && a.epoch >= 0) == (a.heartbeat_interval_ms == MS_BEAT));
	snprintf(t.member, sizeof t.member, "%.*s", (int)a.member_id.n, a.member_id.p == NULL ? "" : (const char *)a.member_id.p);
	print_parts(t.assignment, sizeof t.assignment, a.assignment, a.n_assignment);
	drained();
	return t;
}

bool
is_told(struct told t, enum group_error error, int32_t epoch, const char *parts)
{
	if (t.error == error && t.epoch == epoch && t.has_assignment == (parts != NULL) &&
	    (parts == NULL || strcmp(parts, t.assignment) == 0))
		return true;
	printf("error %d epoch %d %s\n", t.error, t.epoch, t.has_assignment ? t.assignment : "nothing told");
	return false;
}

struct told
enters(const char *member, const char *names)
{
	return SAY(.member = member, .names = names, .owned = "", .rebalance_ms = MS_REBALANCE);
}

struct told
beats(const char *member, int32_t epoch, const char *owned)
{
	return SAY(.member = member, .epoch = epoch, .owned = owned);
}

const char *
described(const char *group)
{
	static char all[4 * TEXT];
	struct consumer_description d[16];
	size_t i, at = 0, n = groups_consumer_describe_members(groups, text(group), d, 16);
	char has[TEXT], target[TEXT];

	all[0] = '\0';
	for (i = 0; i < n; i++) {
		print_parts(has, sizeof has, d[i].assignment, d[i].n_assignment);
		print_parts(target, sizeof target, d[i].target, d[i].n_target);
		at += (size_t)snprintf(all + at, sizeof all - at, "%s%.*s %s -> %s", i > 0 ? "; " : "",
		    (int)d[i].member_id.n, (const char *)d[i].member_id.p, has, target);
	}
	drained();
	return all;
}

int32_t
epoch_of(const char *group)
{
	struct consumer_group_description d;

	groups_consumer_describe(groups, text(group), &d);
	return d.epoch;
}
