/* consumer_groups.c -- groups of the newer protocol, in the table of all groups. */
#include "coord/consumer_groups.h"

#include "coord/assignor.h"
#include "coord/consumer_group.h"
#include "coord/groups_internal.h"

/* ---- topics ---- */

void
groups_topic(struct groups *gs, struct span name, const uint8_t id[16], int32_t n_partitions)
{
	catalog_set(&gs->env.catalog, name, id, n_partitions);
}

void
groups_topic_gone(struct groups *gs, struct span name)
{
	catalog_unset(&gs->env.catalog, name);
}

/* ---- heartbeats ---- */

static bool
is_id(struct span s)
{
	return s.n > 0 && s.n <= CONSUMER_ID_MAX_BYTES;
}

/* What is missing, or contradicts itself; NULL: nothing. */
static const char *
mistake(const struct consumer_heartbeat *h)
{
	/* A member of v0 gets its id with the answer to its first heartbeat. */
	bool may_have_no_id = h->epoch == CONSUMER_JOINS && !h->chooses_id;

	if (h->group_id.n == 0)
		return "GroupId can't be empty.";
	if (h->epoch < CONSUMER_LEAVES_FOR_A_WHILE)
		return "MemberEpoch is invalid.";
	if (h->instance_id.p != NULL && !is_id(h->instance_id))
		return "InstanceId must have 1 to 255 bytes.";
	if (h->rack_id.p != NULL && !is_id(h->rack_id))
		return "RackId must have 1 to 255 bytes.";
	if (!is_id(h->member_id) && (h->member_id.n > 0 || !may_have_no_id))
		return "MemberId must have 1 to 255 bytes.";
	if (h->epoch == CONSUMER_LEAVES_FOR_A_WHILE && h->instance_id.p == NULL)
		return "InstanceId can't be null when a member leaves for a while.";
	if (h->epoch != CONSUMER_JOINS)
		return NULL;
	if (h->rebalance_timeout_ms <= 0)
		return "RebalanceTimeoutMs must be provided in first request.";
	if (!h->has_owned || h->n_owned > 0)
		return "TopicPartitions must be empty when (re-)joining.";
	if (!h->has_names && h->regex.p == NULL)
		return "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.";
	return NULL;
}

static enum group_error
check(const struct groups *gs, const struct consumer_heartbeat *h, const char **message)
{
	*message = NULL;
	if (gs->closed)
		return GROUP_NOT_COORDINATOR;
	if ((*message = mistake(h)) != NULL)
		return GROUP_INVALID_REQUEST;
	if (!groups_is_member_group_id(h->group_id))
		return GROUP_INVALID_GROUP_ID;
	if (h->assignor.p != NULL && assignor_find(h->assignor) == -1) {
		*message = "The assignor is not supported: uniform and range are.";
		return GROUP_UNSUPPORTED_ASSIGNOR;
	}
	return GROUP_OK;
}

/* The group that is meant, of whichever protocol, or a new one. */
static enum group_error
find_or_create(struct groups *gs, const struct consumer_heartbeat *h, int64_t now_ms,
    struct group **out, const char **message)
{
	struct group *g = groups_find(gs, h->group_id);

	*out = NULL;
	if (g != NULL && g->consumers == NULL && g->state != GROUP_EMPTY) {
		*message = "The group has members of the classic protocol.";
		return GROUP_ID_NOT_FOUND;
	}
	if (h->epoch != CONSUMER_JOINS && (g == NULL || g->consumers == NULL)) {
		*message = "The group has no such member: join with epoch 0.";
		return GROUP_UNKNOWN_MEMBER_ID;
	}
	if (g == NULL)
		g = groups_create(gs, h->group_id, now_ms);
	*out = g;
	if (g != NULL)
		return GROUP_OK;
	*message = "There are as many groups as there may be.";
	return GROUP_COORDINATOR_NOT_AVAILABLE;
}

void
groups_consumer_heartbeat(struct groups *gs, const struct consumer_heartbeat *h,
    int64_t now_ms, struct consumer_answer *out)
{
	const char *message;
	enum group_error error = check(gs, h, &message);
	struct group *g = NULL;
	bool was_classic;

	if (error == GROUP_OK)
		error = find_or_create(gs, h, now_ms, &g, &message);
	if (error != GROUP_OK) {
		*out = (struct consumer_answer){ .error = error, .message = message };
		return;
	}
	if ((was_classic = g->consumers == NULL))
		consumer_group_begin(g);
	consumer_group_heartbeat(g, h, now_ms, out);
	/* Who was refused has taken nothing over. */
	if (was_classic && out->error != GROUP_OK)
		consumer_group_end(g);
	groups_bury(gs, g);
}

enum group_error
groups_fetch_check(const struct groups *gs, struct span group_id, struct span member_id,
    int32_t epoch)
{
	const struct group *g = groups_find(gs, group_id);

	return g == NULL || g->consumers == NULL ? GROUP_OK :
	    consumer_group_fetch_check(g, member_id, epoch);
}

/* ---- for administrators ---- */

bool
groups_consumer_describe(const struct groups *gs, struct span group_id,
    struct consumer_group_description *out)
{
	const struct group *g = groups_find(gs, group_id);

	*out = (struct consumer_group_description){ .state = GROUP_DEAD, .assignor = "" };
	if (g == NULL || g->consumers == NULL)
		return false;
	*out = (struct consumer_group_description){ .state = g->state, .epoch = g->generation,
	    .assignment_epoch = g->consumers->target_epoch,
	    .assignor = assignors[g->consumers->assignor].name,
	    .n_members = g->consumers->n_members };
	return true;
}

size_t
groups_consumer_describe_members(struct groups *gs, struct span group_id,
    struct consumer_description *out, size_t max)
{
	struct group *g = groups_find(gs, group_id);

	return g == NULL || g->consumers == NULL ? 0 : consumer_group_describe(g, out, max);
}
