/* write.c -- how a request changes the registry: its turn, a plan, a transaction. */
#include "base/must.h"
#include "common/problem.h"
#include "registry/app.h"

/* The location of nginx's configuration that leads to the process that writes. */
static const char writer[] = "@weir_registry_writer";

enum { MEND_ARENA = 256 << 20 };

/* A request that waits for its turn. */
struct request {
	struct turn turn;
	const struct app_words *words;
	app_plan *make;
	void *ctx;
	struct http_request *http;
	struct plan *plan;
	struct refusal why;
	enum log_result result; /* where there is no refusal */
};

static struct request *
request_of(struct turn *turn)
{
	return container_of(turn, struct request, turn);
}

/* ---- plans ---- */

/*
 * Nobody waits for it any more, because this process did not answer in time as a rule: nginx may have asked another, and its
 * client may have gone on since.  What is done now would undo that.  Asked when this process writes already: who takes
 * over behind that fences it.
 */
static bool
is_late(struct request *q)
{
	if (!http_gone(q->http))
		return false;
	q->why = (struct refusal){ REGISTRY_STORE_TIMED_OUT, q->words->timed_out };
	return true;
}

/*
 * Plans each behind those before it.  What can't be planned together waits for the next transaction; the first can
 * always.
 */
static void
plan_all(struct app *app, struct turn **turns, size_t n)
{
	struct plan *newest = NULL;

	pthread_rwlock_rdlock(&app->lock);
	for (size_t i = 0; i < n; i++) {
		struct request *q = request_of(turns[i]);

		turns[i]->again = false;
		q->why = (struct refusal){ 0 };
		q->plan->earlier = newest;
		if (is_late(q))
			continue;
		if (q->make(app->registry, q->ctx, q->http->arena, q->plan, &q->why)) {
			q->plan->earlier = newest;
			newest = q->plan;
		} else if (q->why.problem == REGISTRY_WAITS) {
			must(newest != NULL);
			turns[i]->again = true;
		}
	}
	pthread_rwlock_unlock(&app->lock);
}

static bool
is_planned(struct turn *turn)
{
	return !turn->again && request_of(turn)->why.problem == REGISTRY_OK;
}

/* ---- writes ---- */

static enum log_result
write_plans(struct app *app, const struct plan *const *plans, size_t n_plans, struct arena *a)
{
	size_t n = 0, at = 0;
	struct log_write *writes;

	for (size_t i = 0; i < n_plans; i++)
		n += plans[i]->n_writes;
	if (n == 0)
		return LOG_WRITTEN;
	if ((writes = arena_array(a, n, sizeof *writes)) == NULL)
		return LOG_TOO_LARGE;
	for (size_t i = 0; i < n_plans; i++)
		for (size_t k = 0; k < plans[i]->n_writes; k++)
			writes[at++] = (struct log_write){ plans[i]->writes[k].key, plans[i]->writes[k].value };
	return log_write(app->log, writes, n);
}

/* What was aborted is put right, before anything else is written. */
static enum log_result
mend(struct app *app)
{
	enum log_result r = LOG_WRITTEN;
	struct plan plan = { .n_writes = 1 };
	const struct plan *only = &plan;

	while (r == LOG_WRITTEN && plan.n_writes > 0) {
		struct refusal why;
		struct arena a;
		bool good;

		arena_init(&a, MEND_ARENA);
		pthread_rwlock_rdlock(&app->lock);
		good = registry_plan_mend(app->registry, &a, &plan, &why);
		pthread_rwlock_unlock(&app->lock);
		r = good ? write_plans(app, &only, 1, &a) : LOG_FAILED;
		arena_done(&a);
	}
	return r;
}

/* Plans and writes these in one transaction. */
static enum log_result
write_together(struct app *app, struct turn **turns, size_t n)
{
	const struct plan *plans[TURNS_TOGETHER];
	struct arena *a = request_of(turns[0])->http->arena;
	enum log_result r = log_lead(app->log);
	size_t n_plans = 0;

	if (r == LOG_WRITTEN)
		r = mend(app);
	if (r != LOG_WRITTEN)
		return r;
	plan_all(app, turns, n);
	for (size_t i = 0; i < n; i++)
		if (is_planned(turns[i]))
			plans[n_plans++] = request_of(turns[i])->plan;
	return write_plans(app, plans, n_plans, a);
}

/* Where another has become the one that writes, this one takes over again, once: the plans are made anew. */
static enum log_result
write_or_retry(struct app *app, struct turn **turns, size_t n)
{
	enum log_result r = write_together(app, turns, n);

	return r == LOG_FENCED ? write_together(app, turns, n) : r;
}

static void
work(void *ctx, struct turn **turns, size_t n)
{
	struct app *app = ctx;
	enum log_result r = write_or_retry(app, turns, n);

	/* One alone was it: each by itself, then. */
	if (r == LOG_TOO_LARGE && n > 1) {
		for (size_t i = 0; i < n; i++)
			request_of(turns[i])->result = write_or_retry(app, &turns[i], 1);
		return;
	}
	for (size_t i = 0; i < n; i++)
		request_of(turns[i])->result = r;
}

/* ---- requests ---- */

static bool
answer(struct http_response *r, const struct request *q)
{
	if (q->why.problem != REGISTRY_OK) {
		app_refuse(r, &q->why);
		return false;
	}
	switch (q->result) {
	case LOG_WRITTEN:
		return true;
	case LOG_TOO_LARGE:
		if (q->words->registers)
			app_problem(r, REGISTRY_SCHEMA_TOO_LARGE);
		else
			problem_answer(r, r->type, &problem_too_large);
		return false;
	case LOG_TIMED_OUT:
		app_problem(r, REGISTRY_STORE_TIMED_OUT, q->words->timed_out);
		return false;
	case LOG_FENCED:
		app_problem(r, REGISTRY_NO_LEADER, q->words->no_leader);
		return false;
	case LOG_FOREIGN:
		app_problem(r, REGISTRY_FOREIGN_WRITER);
		return false;
	default:
		app_problem(r, REGISTRY_STORE_FAILED, q->words->failed);
		return false;
	}
}

bool
app_write(struct app *app, struct http_request *q, struct http_response *r, const struct app_words *words,
    app_plan *plan, void *ctx, struct plan *out)
{
	struct request mine = { .turn.together = words->shares, .words = words, .make = plan, .ctx = ctx, .http = q,
		.plan = out, .result = LOG_TIMED_OUT };

	*out = (struct plan){ 0 };
	if (strcmp(q->pool, APP_WRITES) != 0) {
		r->status = 307;
		http_header(r, "X-Accel-Redirect", span_str(writer));
		return false;
	}
	if (is_late(&mine)) {
		app_refuse(r, &mine.why);
		return false;
	}
	turns_take(&app->turns, &mine.turn, app->timeout_ms, work, app);
	return answer(r, &mine);
}
