/*
 * members.h -- the members of one group, those that are about to be, and the
 * protocols that they have in common.  Data only: the rules are in group.c.
 */
#ifndef COORD_MEMBERS_H
#define COORD_MEMBERS_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "coord/answers.h"

struct group;

/* What comes due in the heap that all groups share. */
enum due_kind { DUE_GROUP, DUE_MEMBER, DUE_PENDING, DUE_CONSUMER };

struct due {
	struct heap_node node;
	enum due_kind kind;
};

/* A member's list of protocols, without repetitions; owned by the member. */
struct protocols {
	struct blob_head head;
	size_t n;
	size_t bytes;               /* all that it takes */
	struct group_protocol at[]; /* their bytes follow */
};

struct member {
	struct group *group; /* borrowed */
	struct list link;
	struct blob *id, *client_id, *client_host; /* owned */
	struct blob *instance_id;                  /* owned; NULL: dynamic */
	struct protocols *protocols;               /* owned */
	struct blob *assignment;                   /* owned; NULL: empty */
	int32_t session_timeout_ms, rebalance_timeout_ms;
	struct waiter waiter;
	bool is_new;        /* was not in a generation yet */
	bool owes_sync;     /* did not sync in this generation yet */
	int64_t expires_ms; /* end of the session; the heap may hold an earlier
	                       time, so that a heartbeat need not move it */
	struct due due;     /* in the heap unless a member that is not new waits */
};

/* A member id that was given out (GROUP_MEMBER_ID_REQUIRED), not used yet. */
struct pending {
	struct group *group; /* borrowed */
	struct list link;
	struct blob *id; /* owned */
	struct due due;
};

/* How many members have a protocol. */
struct protocol_count {
	struct blob *name; /* owned */
	size_t members, votes;
};

struct members {
	struct blob_bin *bin; /* borrowed */
	size_t *bytes;        /* borrowed; of these members, and of those of others */
	struct list list;     /* all, in the order in which they came; owned */
	struct list pending;  /* likewise */
	size_t n, n_pending;
	size_t n_joining;     /* members that wait for a join */
	size_t n_owing;       /* members that owe a sync */
	struct map by_id, by_instance, pending_by_id;
	struct map counts;    /* name -> struct protocol_count, owned */
};

/* What they take is counted in `bytes`, too. */
void members_init(struct members *, struct blob_bin *, size_t *bytes);

/* Members and pending ids must be gone. */
void members_done(struct members *);

struct member *members_find(const struct members *, struct span id);
struct member *members_find_static(const struct members *,
    struct span instance_id);
struct pending *members_find_pending(const struct members *, struct span id);

/*
 * A new member, of no protocol yet.  The id is kept, and must not be known.
 * Its place in the heap is the caller's affair, here and below.
 */
struct member *members_add(struct members *, struct group *, struct blob *id,
    const struct group_join *);

/* Takes a member out and frees it; it must not wait. */
void members_remove(struct members *, struct member *);

/* Gives a static member another id, which is kept. */
void members_rename(struct members *, struct member *, struct blob *id);

/* What a join says anew about a member: protocols, timeouts, client. */
void members_update(struct members *, struct member *,
    const struct group_join *);

void members_set_assignment(struct members *, struct member *, struct span);
void members_set_owes_sync(struct members *, struct member *, bool);

struct pending *members_add_pending(struct members *, struct group *,
    struct blob *id);

/* Takes a pending id out and frees it. */
void members_remove_pending(struct members *, struct pending *);

/*
 * Whether one of the protocols is common to all members (what they said
 * before); with no member, whether there is any.
 */
bool members_support(const struct members *, const struct group_protocol *,
    size_t n);

/*
 * The protocol that most members prefer among those that all have; there must
 * be a member.  Borrowed until protocols change.
 */
struct span members_vote(struct members *);

/* The metadata for a protocol; null when the member has it not. */
struct span member_metadata(const struct member *, struct span protocol);

/* Whether the join lists the same protocols with the same metadata. */
bool member_has_same(const struct member *, const struct group_join *);

/*
 * By how much a join makes the member's protocols larger, 0 when they are not;
 * NULL: a new member.
 */
size_t member_growth(const struct member *, const struct group_join *);

/* What members and pending ids take, added up. */
size_t members_bytes(const struct members *);

/* The longest rebalance timeout. */
int32_t members_rebalance_timeout_ms(const struct members *);

void members_check(const struct members *);

#endif
