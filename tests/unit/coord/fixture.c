/* fixture.c -- groups under test. */
#include "unit/coord/fixture.h"

#include <stdio.h>
#include <string.h>

struct groups *groups;
int64_t now_ms;
char ids[TOKENS][TEXT];

static struct answer answers[TOKENS];
static char tokens[TOKENS];
static uint32_t randoms;

struct span
text(const char *s)
{
	return span_str(s);
}

void
fresh(void)
{
	memset(answers, 0, sizeof answers);
}

void
start(int32_t delay_ms, int32_t max_size)
{
	fresh();
	now_ms = 1000;
	randoms = 0;
	groups = groups_new(&(struct groups_config){
	    .min_session_timeout_ms = 6000, .max_session_timeout_ms = 1800000,
	    .initial_rebalance_delay_ms = delay_ms, .max_size = max_size,
	    .consumer_session_timeout_ms = MS_CONSUMER, .consumer_heartbeat_interval_ms = MS_BEAT,
	    .consumer_max_size = max_size });
}

void
stop(void)
{
	groups_free(groups);
	groups = NULL;
}

const struct answer *
answer_to(int token)
{
	return &answers[token];
}

static void
print(char to[TEXT], struct span s)
{
	snprintf(to, TEXT, "%.*s", (int)s.n, s.p == NULL ? "" : (const char *)s.p);
}

static void
take_join(struct answer *a, const struct group_join_answer *j)
{
	char *at = a->members, *end = at + sizeof a->members;
	const struct group_join_member *m;
	size_t i;

	a->error = j->error;
	a->generation = j->generation;
	a->skip_assignment = j->skip_assignment;
	print(a->member_id, j->member_id);
	print(a->leader, j->leader);
	print(a->protocol_type, j->protocol_type);
	print(a->protocol, j->protocol_name);
	a->n_members = j->n_members;
	for (i = 0; i < j->n_members && i < 8; i++) {
		m = &j->members[i];
		at += snprintf(at, (size_t)(end - at), "%s%.*s/%.*s=%.*s",
		    i == 0 ? "" : ",", (int)m->member_id.n,
		    (const char *)m->member_id.p,
		    m->instance_id.p == NULL ? 1 : (int)m->instance_id.n,
		    m->instance_id.p == NULL ? "-" : (const char *)m->instance_id.p,
		    (int)m->metadata.n, (const char *)m->metadata.p);
	}
}

static void
drain(void)
{
	struct group_effect e;
	struct answer *a;

	while (groups_next_effect(groups, &e)) {
		a = &answers[(char *)e.token - tokens];
		a->n++;
		a->type = e.type;
		if (e.type == GROUP_JOIN_ANSWER) {
			take_join(a, &e.u.join);
			continue;
		}
		a->error = e.u.sync.error;
		print(a->protocol_type, e.u.sync.protocol_type);
		print(a->protocol, e.u.sync.protocol_name);
		print(a->assignment, e.u.sync.assignment);
	}
	groups_check(groups);
}

/* Splits "name=value,name=value"; returns how many. */
static size_t
split(const char *s, struct group_protocol *out, size_t max)
{
	size_t n = 0, len, name;

	for (; s != NULL && *s != '\0' && n < max; n++) {
		len = strcspn(s, ",");
		name = strcspn(s, "=");
		out[n].name = span_of(s, name);
		out[n].metadata = span_of(s + name + 1, len - name - 1);
		s += len + (s[len] == ',');
	}
	return n;
}

const struct answer *
join(int token, struct who w)
{
	struct group_protocol protocols[16];
	struct group_join j = {
		.group_id = text(w.group == NULL ? "g" : w.group),
		.member_id = text(w.member == NULL ? "" : w.member),
		.instance_id = text(w.instance),
		.client_id = text(w.client == NULL ? "c" : w.client),
		.client_host = text("/127.0.0.1"),
		.protocol_type = text(w.type == NULL ? "consumer" : w.type),
		.protocols = protocols,
		.session_timeout_ms = w.session_ms == 0 ? MS_SESSION : w.session_ms,
		.rebalance_timeout_ms = w.rebalance_ms == 0 ? MS_REBALANCE :
		    w.rebalance_ms,
		.requires_member_id = w.v4 || w.v9,
		.skip_assignment_known = w.v9,
	};

	j.n_protocols = split(w.protocols == NULL ? "range=m" : w.protocols,
	    protocols, 16);
	store32(j.random, ++randoms);
	groups_join(groups, &j, &tokens[token], now_ms);
	drain();
	return &answers[token];
}

static const struct answer *
sync_full(int token, struct group_sync s, const char *assignments)
{
	struct group_protocol pairs[16];
	struct group_assignment list[16];
	size_t i;

	s.group_id = text("g");
	s.n_assignments = split(assignments, pairs, 16);
	s.assignments = list;
	for (i = 0; i < s.n_assignments; i++)
		list[i] = (struct group_assignment){ pairs[i].name, pairs[i].metadata };
	groups_sync(groups, &s, &tokens[token], now_ms);
	drain();
	return &answers[token];
}

const struct answer *
sync(int token, const char *member, const char *instance, int32_t generation,
    const char *assignments)
{
	return sync_full(token, (struct group_sync){ .member_id = text(member),
	    .instance_id = text(instance), .generation = generation }, assignments);
}

const struct answer *
sync_named(int token, const char *member, int32_t generation, const char *type,
    const char *protocol)
{
	return sync_full(token, (struct group_sync){ .member_id = text(member),
	    .generation = generation, .protocol_type = text(type),
	    .protocol_name = text(protocol) }, NULL);
}

enum group_error
beat(const char *member, const char *instance, int32_t generation)
{
	enum group_error error = groups_heartbeat(groups,
	    &(struct group_heartbeat){ text("g"), text(member), text(instance),
		generation }, now_ms);

	drain();
	return error;
}

enum group_error
leave(const char *member, const char *instance)
{
	struct group_leave one = { text(member), text(instance), GROUP_OK };
	enum group_error error = groups_leave(groups, text("g"), &one, 1, now_ms);

	drain();
	return error != GROUP_OK ? error : one.error;
}

enum group_error
commit(const char *member, const char *instance, int32_t generation)
{
	return groups_commit_check(groups, &(struct group_commit){
	    .group_id = text("g"), .member_id = text(member),
	    .instance_id = text(instance), .generation = generation }, now_ms);
}

enum group_state
state(void)
{
	return groups_state(groups, text("g"));
}

void
pass_ms(int64_t ms)
{
	now_ms += ms;
	groups_tick(groups, now_ms);
	drain();
	CU_ASSERT(groups_next_deadline(groups) > now_ms);
}

void
completing(int n)
{
	int i;

	for (i = 0; i < n; i++)
		JOIN(i, .client = "c");
	/* Those that came in the first delay made it start anew. */
	pass_ms(MS_DELAY);
	if (n > 1)
		pass_ms(MS_DELAY);
	for (i = 0; i < n; i++) {
		JOINED(i, GROUP_OK, 1);
		strcpy(ids[i], answers[i].member_id);
	}
	fresh();
	CU_ASSERT(state() == GROUP_COMPLETING);
}

void
stable(int n)
{
	char list[TEXT] = "";
	int i;

	completing(n);
	for (i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof list - strlen(list),
		    "%s%s=a%d", i == 0 ? "" : ",", ids[i], i);
	for (i = n - 1; i >= 0; i--)
		sync(i, ids[i], NULL, 1, i == 0 ? list : NULL);
	for (i = 0; i < n; i++)
		CU_ASSERT(answers[i].n == 1 && answers[i].error == GROUP_OK);
	fresh();
	CU_ASSERT(state() == GROUP_STABLE);
}

void
preparing(int n)
{
	stable(n);
	JOIN(0, .member = ids[0]);
	CU_ASSERT(state() == GROUP_PREPARING);
}
