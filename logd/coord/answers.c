/* answers.c -- requests that wait, and the queue of answers. */
#include "coord/answers.h"

#include "base/xalloc.h"

static struct span
key_of(void *const *token)
{
	return span_of(token, sizeof *token);
}

void
answers_done(struct answers *a)
{
	must(a->waiting.n == 0);
	map_done(&a->waiting);
	free(a->queue);
	blob_empty_bin(&a->bin);
}

void
answers_park(struct answers *a, struct waiter *w, enum waiter_kind kind,
    void *token)
{
	must(w->kind == WAITS_NOT && kind != WAITS_NOT);
	must(token != NULL && map_get(&a->waiting, key_of(&token)) == NULL);
	*w = (struct waiter){ kind, token };
	must_fit(map_put(&a->waiting, key_of(&w->token), w));
}

void
answers_forget(struct answers *a, void *token)
{
	struct waiter *w = map_del(&a->waiting, key_of(&token));

	if (w != NULL)
		w->token = NULL;
}

static struct group_effect *
push(struct answers *a, enum group_effect_type type, void *token)
{
	struct group_effect *e;

	if (a->n == a->cap) {
		a->cap = a->cap == 0 ? 16 : a->cap * 2;
		a->queue = xrealloc(a->queue, a->cap * sizeof *a->queue);
	}
	e = &a->queue[a->n++];
	*e = (struct group_effect){ .type = type, .token = token };
	return e;
}

void
answers_join(struct answers *a, void *token, const struct group_join_answer *j)
{
	must(token != NULL);
	push(a, GROUP_JOIN_ANSWER, token)->u.join = *j;
}

void
answers_sync(struct answers *a, void *token, const struct group_sync_answer *s)
{
	must(token != NULL);
	push(a, GROUP_SYNC_ANSWER, token)->u.sync = *s;
}

/* The waiter waits no more; its token, or NULL when that was forgotten. */
static void *
release(struct answers *a, struct waiter *w)
{
	void *token = w->token;

	if (token != NULL)
		must(map_del(&a->waiting, key_of(&w->token)) == w);
	*w = (struct waiter){ WAITS_NOT, NULL };
	return token;
}

void
answers_join_waiter(struct answers *a, struct waiter *w,
    const struct group_join_answer *j)
{
	void *token;

	must(w->kind == WAITS_FOR_JOIN);
	if ((token = release(a, w)) != NULL)
		answers_join(a, token, j);
}

void
answers_sync_waiter(struct answers *a, struct waiter *w,
    const struct group_sync_answer *s)
{
	void *token;

	must(w->kind == WAITS_FOR_SYNC);
	if ((token = release(a, w)) != NULL)
		answers_sync(a, token, s);
}

void
answers_fail(struct answers *a, enum waiter_kind kind, void *token,
    enum group_error error)
{
	if (kind == WAITS_FOR_JOIN)
		answers_join(a, token, &(struct group_join_answer){
		    .error = error, .generation = -1,
		    .leader = span_str(""), .member_id = span_str("") });
	else
		answers_sync(a, token, &(struct group_sync_answer){
		    .error = error, .assignment = span_str("") });
}

void
answers_fail_waiter(struct answers *a, struct waiter *w, enum group_error error)
{
	enum waiter_kind kind = w->kind;
	void *token;

	if (kind == WAITS_NOT)
		return;
	if ((token = release(a, w)) != NULL)
		answers_fail(a, kind, token, error);
}

void
answers_fail_all(struct answers *a, enum group_error error)
{
	struct waiter *w;
	size_t it = 0;

	while ((w = map_next(&a->waiting, &it)) != NULL)
		answers_fail(a, w->kind, w->token, error);
	it = 0;
	while ((w = map_next(&a->waiting, &it)) != NULL)
		w->token = NULL;
	map_done(&a->waiting);
}

bool
answers_take(struct answers *a, struct group_effect *out)
{
	if (a->first == a->n) {
		a->first = a->n = 0;
		blob_empty_bin(&a->bin);
		return false;
	}
	*out = a->queue[a->first++];
	return true;
}
