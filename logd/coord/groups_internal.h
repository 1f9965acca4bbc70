/*
 * groups_internal.h -- the table of groups, for groups.c and consumer_groups.c.
 * Nobody else includes it.
 */
#ifndef COORD_GROUPS_INTERNAL_H
#define COORD_GROUPS_INTERNAL_H

#include "coord/group_internal.h"

struct groups {
	struct group_env env;
	struct map by_id; /* struct group, owned */
	bool closed;
};

/* NULL: there is none. */
struct group *groups_find(const struct groups *, struct span id);

/* The only way into the table; NULL when there is no room. */
struct group *groups_create(struct groups *, struct span id, int64_t now_ms);

/* After an event: a group that is Dead leaves the table. */
void groups_bury(struct groups *, struct group *);

bool groups_is_valid_id(struct span id);

/* Offsets may be of the group "", members not. */
bool groups_is_member_group_id(struct span id);

#endif
