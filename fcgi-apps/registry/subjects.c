/* subjects.c -- the resources below /subjects: registration, look-up, versions, deletion. */
#include <stdio.h>

#include "common/problem.h"
#include "registry/entity.h"

static void
put_version(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	struct json_out o = json_out(&r->body);
	struct telling how;

	if (entity_telling(app, q, r, v->schema, &how))
		entity_put_version(&o, v, &how);
}

static enum registry_which
live_or_all(const struct http_request *q)
{
	return http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE;
}

void
subjects_list(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span prefix = app_query_prefix(q, ":*:"), subject;
	enum registry_which which = app_which(q);
	struct json_out o = json_out(&r->body);
	struct page page;
	size_t it = 0;

	if (!app_page(q, r, &page))
		return;
	app_read(app, true);
	json_open(&o, '[');
	while (!app_page_full(&page) &&
	    (subject = registry_next_subject(app->registry, prefix, which, &it)).p != NULL)
		if (app_on_page(&page))
			json_put_span(&o, subject);
	json_close(&o, ']');
	app_read_end(app);
}

/* Whether a look-up goes on, now that others have had the state: as long as somebody waits for it. */
static bool
goes_on(struct http_request *q, const struct version_entry *found, const struct refusal *why)
{
	return found == NULL && why->problem == REGISTRY_AGAIN && !http_gone(q);
}

/* What is not found here may have been registered elsewhere: then it is looked for once more. */
void
subjects_lookup(struct app *app, struct http_request *q, struct http_response *r)
{
	enum registry_which which = live_or_all(q);
	const struct version_entry *v = NULL;
	struct schema_request wanted;
	struct refusal why = { 0 };

	if (!entity_request(q, r, &wanted))
		return;
	for (int fresh = 0; fresh < 2 && v == NULL; fresh++)
		do {
			app_read(app, fresh);
			v = registry_lookup(app->registry, app_subject(app->registry, q), &wanted, which, q->arena, &why);
			if (v != NULL)
				put_version(app, q, r, v);
			app_read_end(app);
		} while (goes_on(q, v, &why));
	if (v == NULL)
		app_refuse(r, &why);
}

/* key=...&value=...&key=..., as many as a query may have; a key without a value is none.  NULL: the arena is used up. */
static struct property *
wanted_properties(struct http_request *q, size_t *n)
{
	struct property *list = arena_array(q->arena, HTTP_VALUES_MAX, sizeof *list), p;

	for (*n = 0; list != NULL && *n < HTTP_VALUES_MAX; (*n)++) {
		p.name = http_query_nth(q, "key", *n);
		p.value = http_query_nth(q, "value", *n);
		if (p.name.p == NULL || p.value.p == NULL)
			break;
		list[*n] = p;
	}
	return list;
}

void
subjects_latest_with(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct version_entry *v;
	struct refusal why;
	size_t n;
	const struct property *wanted = wanted_properties(q, &n);

	if (wanted == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return;
	}
	app_read(app, true);
	v = registry_latest_with(app->registry, app_subject(app->registry, q), wanted, n, live_or_all(q), q->arena, &why);
	if (v != NULL)
		put_version(app, q, r, v);
	app_read_end(app);
	if (v == NULL)
		app_refuse(r, &why);
}

/* ---- registration ---- */

struct registration {
	const struct http_request *request;
	struct schema_request wanted;
	struct span subject; /* what the plan was made for: arena */
};

static const struct app_words register_words = { "Register schema operation failed while writing to the Kafka store",
	"Register operation timed out", "Leader not known.", true, true };

/* A subject that was told while the state was held, for later.  Arena; false: used up. */
static bool
keep(struct arena *a, struct span *subject, struct refusal *why)
{
	const void *copy = arena_copy(a, subject->p, subject->n);

	*subject = span_of(copy, subject->n);
	*why = (struct refusal){ copy == NULL ? REGISTRY_NO_MEMORY : REGISTRY_OK, "" };
	return copy != NULL;
}

static bool
plan_register(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct registration *reg = ctx;

	reg->subject = app_subject(registry, reg->request);
	return keep(a, &reg->subject, why) &&
	    registry_plan_register(registry, reg->subject, &reg->wanted, out->earlier, a, out, why);
}

static void
put_registered(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v, bool fresh)
{
	struct json_out o = json_out(&r->body);
	struct telling how;

	if (entity_telling(app, q, r, v->schema, &how))
		entity_put_registered(&o, v, &how, fresh);
}

static void
answer_version(struct app *app, struct http_response *r, struct http_request *q, struct span subject,
    const struct plan *plan)
{
	const struct version_entry *v;
	struct refusal why;

	app_read(app, false);
	v = registry_version(app->registry, subject, plan->version, REGISTRY_ALL, q->arena, &why);
	if (v != NULL)
		put_registered(app, q, r, v, plan->n_writes > 0);
	app_read_end(app);
	if (v == NULL) /* somebody has deleted it in the meantime */
		app_refuse(r, &why);
}

/* A schema that the subject has already is answered without a write. */
static bool
answer_known(struct app *app, struct http_request *q, struct http_response *r, const struct registration *reg)
{
	const struct version_entry *v;
	struct refusal why;

	do {
		app_read(app, false);
		v = registry_registered(app->registry, app_subject(app->registry, q), &reg->wanted, q->arena, &why);
		if (v != NULL)
			put_registered(app, q, r, v, false);
		app_read_end(app);
	} while (goes_on(q, v, &why));
	return v != NULL;
}

void
subjects_register(struct app *app, struct http_request *q, struct http_response *r)
{
	struct registration reg = { .request = q };
	struct plan plan;

	if (entity_request(q, r, &reg.wanted) && !answer_known(app, q, r, &reg) &&
	    app_write(app, q, r, &register_words, plan_register, &reg, &plan))
		answer_version(app, r, q, reg.subject, &plan);
}

/* ---- versions ---- */

static void
put_versions(struct app *app, struct http_request *q, struct http_response *r, struct span subject, struct page *page)
{
	bool negative = http_query_bool(q, "deletedAsNegative");
	enum registry_which which = negative ? REGISTRY_ALL : app_which(q);
	struct json_out o = json_out(&r->body);
	const struct version_entry *v;
	size_t it = 0;

	json_open(&o, '[');
	while ((v = registry_next_version(app->registry, subject, which, &it)) != NULL)
		if (app_on_page(page))
			json_put_int(&o, negative && v->deleted ? -v->version : v->version);
	json_close(&o, ']');
}

/* A subject that is there has a list, if an empty one. */
void
subjects_versions(struct app *app, struct http_request *q, struct http_response *r)
{
	enum registry_which which = app_which(q) == REGISTRY_LIVE ? REGISTRY_LIVE : REGISTRY_ALL;
	struct span subject;
	struct page page;
	size_t it = 0;

	if (!app_page(q, r, &page))
		return;
	app_read(app, true);
	subject = app_subject(app->registry, q);
	if (registry_next_version(app->registry, subject, which, &it) != NULL)
		put_versions(app, q, r, subject, &page);
	else
		app_problem(r, REGISTRY_SUBJECT_NOT_FOUND,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	app_read_end(app);
}

/* The version that the path names; false with the response made. */
static bool
version_arg(struct http_request *q, struct http_response *r, size_t arg, int32_t *out)
{
	struct span text = q->args[arg];

	if (registry_parse_version(text, out))
		return true;
	app_problem(r, REGISTRY_INVALID_VERSION, arena_printf(q->arena, "%.*s", (int)text.n, (const char *)text.p));
	return false;
}

/* It looks at the subject's versions, so it waits for its turn. */
static const struct app_words tag_words = { "Register schema operation failed while writing to the Kafka store",
	"Register operation timed out", "Leader not known.", false, true };

struct tagging {
	const struct http_request *request;
	int32_t version;
	struct tag_request wanted;
	struct span subject; /* what the plan was made for: arena */
};

static bool
plan_tag(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct tagging *t = ctx;

	t->subject = app_subject(registry, t->request);
	return keep(a, &t->subject, why) && registry_plan_tag(registry, t->subject, t->version, &t->wanted, a, out, why);
}

void
subjects_tag(struct app *app, struct http_request *q, struct http_response *r)
{
	struct tagging t = { .request = q };
	struct plan plan;

	if (version_arg(q, r, 1, &t.version) && entity_tag_request(q, r, &t.wanted) &&
	    app_write(app, q, r, &tag_words, plan_tag, &t, &plan))
		answer_version(app, r, q, t.subject, &plan);
}

/* Finds a version and lets `put` write the answer, while the state is held still. */
static void
with_version(struct app *app, struct http_request *q, struct http_response *r, enum registry_which which,
    void (*put)(struct app *, struct http_request *, struct http_response *, const struct version_entry *))
{
	const struct version_entry *v;
	struct refusal why;
	int32_t version;

	if (!version_arg(q, r, 1, &version))
		return;
	app_read(app, true);
	v = registry_find_version(app->registry, app_subject(app->registry, q), version, which, q->arena, &why);
	if (v != NULL)
		put(app, q, r, v);
	app_read_end(app);
	if (v == NULL)
		app_refuse(r, &why);
}

static void
put_text(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	struct span text;

	if (entity_text(app, q, r, v->schema, &text))
		buf_span(&r->body, text);
}

static void
put_referenced_by(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	struct json_out o = json_out(&r->body);
	struct page page;
	int32_t *ids;
	size_t n;

	if (!app_page(q, r, &page))
		return;
	app_page_of_schemas(&page);
	if (!registry_referenced_by(app->registry, v->subject, v->version, live_or_all(q), q->arena, &ids, &n)) {
		problem_answer(r, r->type, &problem_too_large);
		return;
	}
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (app_on_page(&page))
			json_put_int(&o, ids[i]);
	json_close(&o, ']');
}

void
subjects_version(struct app *app, struct http_request *q, struct http_response *r)
{
	with_version(app, q, r, live_or_all(q), put_version);
}

void
subjects_version_schema(struct app *app, struct http_request *q, struct http_response *r)
{
	with_version(app, q, r, live_or_all(q), put_text);
}

void
subjects_referenced_by(struct app *app, struct http_request *q, struct http_response *r)
{
	with_version(app, q, r, REGISTRY_ALL, put_referenced_by);
}

/* ---- deletion ---- */

struct deletion {
	const struct http_request *request;
	int32_t version;
	bool permanent;
};

static const struct app_words
	delete_subject_words = { "Delete Subject operation failed while writing to the Kafka store",
		"Delete subject operation timed out", "Leader not known.", false, false },
	delete_version_words = { "Delete Schema Version operation failed while writing to the Kafka store",
		"Delete Schema Version operation timed out", "Leader not known.", false, false };

static bool
plan_delete_subject(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct deletion *d = ctx;

	return registry_plan_delete_subject(registry, app_subject(registry, d->request), d->permanent, a, out, why);
}

void
subjects_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct deletion d = { q, 0, http_query_bool(q, "permanent") };
	struct json_out o = json_out(&r->body);
	struct plan plan;

	if (!app_write(app, q, r, &delete_subject_words, plan_delete_subject, &d, &plan))
		return;
	json_open(&o, '[');
	for (size_t i = 0; i < plan.n_versions; i++)
		json_put_int(&o, plan.versions[i]);
	json_close(&o, ']');
}

static bool
plan_delete_version(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct deletion *d = ctx;

	return registry_plan_delete_version(registry, app_subject(registry, d->request), d->version, d->permanent, a, out, why);
}

void
subjects_delete_version(struct app *app, struct http_request *q, struct http_response *r)
{
	struct deletion d = { q, 0, http_query_bool(q, "permanent") };
	struct json_out o = json_out(&r->body);
	struct plan plan;

	if (version_arg(q, r, 1, &d.version) &&
	    app_write(app, q, r, &delete_version_words, plan_delete_version, &d, &plan))
		json_put_int(&o, plan.version);
}
