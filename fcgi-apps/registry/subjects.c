/* subjects.c -- the resources below /subjects: registration, look-up, versions, deletion. */
#include <stdio.h>

#include "common/problem.h"
#include "registry/entity.h"

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

/* Looks a schema up that has been parsed; true with the response made. */
static bool
lookup(struct app *app, struct http_request *q, struct http_response *r, struct span subject,
    const struct schema_request *wanted, enum registry_which which, struct refusal *why)
{
	struct parsed_schema parsed;
	const struct version_entry *v = NULL;
	struct json_out o = json_out(&r->body);

	if (registry_parse(app->registry, subject, wanted, q->arena, &parsed, why)) {
		v = registry_lookup(app->registry, subject, &parsed, which, q->arena, why);
		if (v != NULL)
			entity_put_version(&o, v, entity_text(app, q, v->schema));
		schema_free(parsed.schema);
	}
	return v != NULL;
}

/* What is not found here may have been registered elsewhere: then it is looked for once more. */
void
subjects_lookup(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_subject(q);
	enum registry_which which = http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE;
	struct schema_request wanted;
	struct refusal why = { 0 };
	bool found = false;

	if (!entity_request(q, r, &wanted))
		return;
	wanted.known = true;
	for (int fresh = 0; fresh < 2 && !found; fresh++) {
		app_read(app, fresh);
		found = lookup(app, q, r, subject, &wanted, which, &why);
		app_read_end(app);
	}
	if (!found)
		app_refuse(r, &why);
}

/* ---- registration ---- */

struct registration {
	struct span subject;
	struct schema_request wanted;
};

static const struct app_words register_words = { "Register schema operation failed while writing to the Kafka store",
	"Register operation timed out", "Leader not known.", true };

static bool
plan_register(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct registration *reg = ctx;

	return registry_plan_register(registry, reg->subject, &reg->wanted, out->earlier, a, out, why);
}

static void
answer_version(struct app *app, struct http_response *r, struct http_request *q, struct span subject,
    const struct plan *plan)
{
	struct json_out o = json_out(&r->body);
	const struct version_entry *v;
	struct refusal why;

	app_read(app, false);
	v = registry_version(app->registry, subject, plan->version, REGISTRY_ALL, q->arena, &why);
	if (v != NULL)
		entity_put_registered(&o, v, plan->n_writes > 0);
	app_read_end(app);
	if (v == NULL) /* somebody has deleted it in the meantime */
		app_refuse(r, &why);
}

/* A schema that the subject has already is answered without a write. */
static bool
answer_known(struct app *app, struct http_request *q, struct http_response *r, const struct registration *reg)
{
	struct json_out o = json_out(&r->body);
	const struct version_entry *v;
	struct refusal why;

	app_read(app, false);
	v = registry_registered(app->registry, reg->subject, &reg->wanted, q->arena, &why);
	if (v != NULL)
		entity_put_registered(&o, v, false);
	app_read_end(app);
	return v != NULL;
}

void
subjects_register(struct app *app, struct http_request *q, struct http_response *r)
{
	struct registration reg = { .subject = app_subject(q) };
	struct plan plan;

	if (entity_request(q, r, &reg.wanted) && !answer_known(app, q, r, &reg) &&
	    app_write(app, q, r, &register_words, plan_register, &reg, &plan))
		answer_version(app, r, q, reg.subject, &plan);
}

/* ---- versions ---- */

void
subjects_versions(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_subject(q);
	bool negative = http_query_bool(q, "deletedAsNegative");
	enum registry_which which = negative ? REGISTRY_ALL : app_which(q);
	struct json_out o = json_out(&r->body);
	const struct version_entry *v;
	struct page page;
	size_t it = 0;

	if (!app_page(q, r, &page))
		return;
	app_read(app, true);
	json_open(&o, '[');
	while ((v = registry_next_version(app->registry, subject, which, &it)) != NULL)
		if (app_on_page(&page))
			json_put_int(&o, negative && v->deleted ? -v->version : v->version);
	json_close(&o, ']');
	app_read_end(app);
	if (page.seen == 0)
		app_problem(r, REGISTRY_SUBJECT_NOT_FOUND, arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
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
	v = registry_version(app->registry, app_subject(q), version, which, q->arena, &why);
	if (v != NULL)
		put(app, q, r, v);
	app_read_end(app);
	if (v == NULL)
		app_refuse(r, &why);
}

static void
put_version(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	struct json_out o = json_out(&r->body);

	entity_put_version(&o, v, entity_text(app, q, v->schema));
}

static void
put_text(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	buf_span(&r->body, entity_text(app, q, v->schema));
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
	if (!registry_referenced_by(app->registry, v->subject, v->version, app_which(q), q->arena, &ids, &n)) {
		problem_answer(r, r->type, &problem_too_large);
		return;
	}
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (app_on_page(&page))
			json_put_int(&o, ids[i]);
	json_close(&o, ']');
}

static enum registry_which
live_or_all(const struct http_request *q)
{
	return http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE;
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
	with_version(app, q, r, live_or_all(q), put_referenced_by);
}

/* ---- deletion ---- */

struct deletion {
	struct span subject;
	int32_t version;
	bool permanent;
};

static const struct app_words
	delete_subject_words = { "Delete Subject operation failed while writing to the Kafka store",
		"Delete subject operation timed out", "Leader not known.", false },
	delete_version_words = { "Delete Schema Version operation failed while writing to the Kafka store",
		"Delete Schema Version operation timed out", "Leader not known.", false };

static bool
plan_delete_subject(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct deletion *d = ctx;

	return registry_plan_delete_subject(registry, d->subject, d->permanent, a, out, why);
}

void
subjects_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct deletion d = { app_subject(q), 0, http_query_bool(q, "permanent") };
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

	return registry_plan_delete_version(registry, d->subject, d->version, d->permanent, a, out, why);
}

void
subjects_delete_version(struct app *app, struct http_request *q, struct http_response *r)
{
	struct deletion d = { app_subject(q), 0, http_query_bool(q, "permanent") };
	struct json_out o = json_out(&r->body);
	struct plan plan;

	if (version_arg(q, r, 1, &d.version) &&
	    app_write(app, q, r, &delete_version_words, plan_delete_version, &d, &plan))
		json_put_int(&o, plan.version);
}
