/*
 * fixture.h -- groups under test: requests in few words, answers by token.
 *
 * Tokens are small numbers.  After every call the queue is drained, answers
 * are copied, and the invariants are checked.
 */
#ifndef COORD_FIXTURE_H
#define COORD_FIXTURE_H

#include "coord/groups.h"
#include "unit/unit.h"

enum { TOKENS = 64, TEXT = 512, MS_SESSION = 10000, MS_REBALANCE = 60000,
	MS_DELAY = 3000, MS_NEW_MEMBER = 300000,
	MS_CONSUMER = 45000, MS_BEAT = 5000 };

/* A join; what is left out has a default (see fixture.c). */
struct who {
	const char *group, *member, *instance, *client, *type;
	const char *protocols; /* "range=metadata,sticky=metadata" */
	int32_t session_ms, rebalance_ms;
	bool v4, v9;
};

struct answer {
	int n; /* how often the token was answered */
	enum group_effect_type type;
	enum group_error error;
	int32_t generation;
	bool skip_assignment;
	size_t n_members;
	char member_id[TEXT], leader[TEXT], protocol_type[TEXT], protocol[TEXT];
	char members[TEXT]; /* "id/instance=metadata,..." with "-" for null */
	char assignment[TEXT];
};

extern struct groups *groups;
extern int64_t now_ms;
extern char ids[TOKENS][TEXT]; /* member ids of stable() and its kin */

/* A table of groups with this initial delay and this group.max.size. */
void start(int32_t delay_ms, int32_t max_size);
void stop(void);

const struct answer *join(int token, struct who);
#define JOIN(token, ...) join((token), (struct who){ __VA_ARGS__ })

/* In group "g".  Assignments: "id=bytes,id=bytes". */
const struct answer *sync(int token, const char *member, const char *instance,
    int32_t generation, const char *assignments);
const struct answer *sync_named(int token, const char *member,
    int32_t generation, const char *type, const char *protocol);
enum group_error beat(const char *member, const char *instance, int32_t generation);
enum group_error leave(const char *member, const char *instance);
enum group_error commit(const char *member, const char *instance,
    int32_t generation);
enum group_state state(void);
void pass_ms(int64_t ms);

/* The answer to a token; its n is 0 while there is none. */
const struct answer *answer_to(int token);

/* Forgets all answers, so that tokens can be used again. */
void fresh(void);

/*
 * Group "g" with n members, of which the first leads: ids[0] ... ids[n - 1].
 * Metadata "m", assignments "a0", "a1", ...; all tokens are fresh.
 */
void completing(int n);
void stable(int n);
void preparing(int n); /* as stable(n), then ids[0] joined with token 0 */

struct span text(const char *);

/* A join with this error and, with GROUP_OK, this generation. */
#define JOINED(token, err, gen) \
	CU_ASSERT(answer_to(token)->n == 1 && \
	    answer_to(token)->type == GROUP_JOIN_ANSWER && \
	    answer_to(token)->error == (err) && \
	    answer_to(token)->generation == (gen))
#define REFUSED(token, err) JOINED(token, err, -1)
#define SYNCED(token, err, bytes) \
	CU_ASSERT(answer_to(token)->n == 1 && \
	    answer_to(token)->type == GROUP_SYNC_ANSWER && \
	    answer_to(token)->error == (err) && \
	    strcmp(answer_to(token)->assignment, (bytes)) == 0)
#define WAITS(token) CU_ASSERT(answer_to(token)->n == 0)

#endif
