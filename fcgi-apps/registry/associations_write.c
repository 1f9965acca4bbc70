/* associations_write.c -- the resources below /associations, as they are changed. */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/must.h"
#include "base/uuid.h"
#include "common/problem.h"
#include "registry/associations.h"

static const struct app_words
	associate_words = { "Error while creating or updating associations", "Associations operation timed out",
		"Leader not known.", false, true },
	dissociate_words = { "Error while deleting associations", "Delete associations operation timed out",
		"Leader not known.", false, false };

/* ---- requests ---- */

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The context of subjects that name none: that of the path, or of the query.  False with the response made. */
static bool
find_context(struct http_request *q, struct http_response *r, struct span *out)
{
	struct span said = http_query(q, "context");

	*out = q->scope.p != NULL ? q->scope : span_str(".");
	if (q->scope.p != NULL || said.n == 0)
		return true;
	if (!registry_context_name(q->arena, said, out)) {
		app_problem(r, REGISTRY_INVALID_CONTEXT, arena_printf(q->arena, "%.*s", (int)said.n, (const char *)said.p));
		return false;
	}
	if (out->p == NULL)
		problem_answer(r, r->type, &problem_too_large);
	return out->p != NULL;
}

static bool
take_said(struct http_response *r, const struct json *in, const char *field, enum said *out)
{
	const struct json *v = json_get(in, field);
	bool flag;

	*out = SAID_NOTHING;
	if (json_is_absent(v))
		return true;
	if (!entity_take_flag(r, in, field, &flag))
		return false;
	*out = flag ? SAID_YES : SAID_NO;
	return true;
}

static bool
take_schema(struct http_request *q, struct http_response *r, const struct json *in, struct association_change *out)
{
	const struct json *v = json_get(in, "schema");
	struct schema_request *schema;

	if (json_is_absent(v))
		return true;
	if (v->kind != JSON_OBJECT)
		return entity_wrong_type(r, "RegisterSchemaRequest", "schema");
	if ((schema = arena_alloc(q->arena, sizeof *schema)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	out->schema = schema;
	return entity_take_flag(r, in, "normalize", &schema->normalize) && entity_take_schema(q, r, v, schema);
}

static bool
take_subject(struct http_request *q, struct http_response *r, const struct json *in, struct span context, struct span *out)
{
	struct span name;

	if (!entity_take_text(r, in, "subject", &name))
		return false;
	*out = name.n == 0 ? name : registry_subject(q->arena, context, name);
	if ((out->p == NULL) == (name.p == NULL))
		return true;
	problem_answer(r, r->type, &problem_too_large);
	return false;
}

static bool
take_change(struct http_request *q, struct http_response *r, const struct json *in, struct span context,
    struct association_change *out)
{
	if (in->kind != JSON_OBJECT)
		return entity_wrong_type(r, "AssociationCreateOrUpdateInfo", "associations");
	must(getrandom(out->guid, sizeof out->guid, 0) == sizeof out->guid);
	uuid_set_random(out->guid);
	if (!entity_take_text(r, in, "associationType", &out->type))
		return false;
	if (out->op == ASSOCIATION_DELETE)
		return entity_take_flag(r, in, "cascadeLifecycle", &out->cascade);
	return take_subject(q, r, in, context, &out->subject) && associations_take_lifecycle(r, in, &out->strong) &&
	    take_said(r, in, "frozen", &out->frozen) && take_schema(q, r, in, out);
}

static bool
take_op(struct http_response *r, const struct json *in, enum association_op *out)
{
	static const char *const names[] = { "CREATE", "UPSERT", "DELETE" };
	const struct json *v = json_get(in, "opType");

	for (int i = ASSOCIATION_CREATE; i <= ASSOCIATION_DELETE; i++)
		if (json_is_text(v, names[i])) {
			*out = (enum association_op)i;
			return true;
		}
	return entity_wrong_type(r, "OpType", "opType");
}

/* A resource and what is to be done with its associations; `op` NULL: each says it itself.  False with the response made. */
static bool
take_request(struct http_request *q, struct http_response *r, const struct json *in, const enum association_op *op,
    struct association_request *out)
{
	const struct json *list = json_get(in, "associations");
	struct span context;

	*out = (struct association_request){ .now_ms = now_ms(), .dry_run = http_query_bool(q, "dryRun") };
	if (in->kind != JSON_OBJECT)
		return entity_wrong_type(r, "AssociationOpRequest", "requests");
	if (!find_context(q, r, &context) || !entity_take_text(r, in, "resourceName", &out->resource_name) ||
	    !entity_take_text(r, in, "resourceNamespace", &out->resource_namespace) ||
	    !entity_take_text(r, in, "resourceId", &out->resource_id) ||
	    !entity_take_text(r, in, "resourceType", &out->resource_type))
		return false;
	if (json_is_absent(list))
		return true;
	if (list->kind != JSON_ARRAY)
		return entity_wrong_type(r, "ArrayList", "associations");
	if ((out->changes = arena_array(q->arena, list->n + 1, sizeof *out->changes)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	for (const struct json *e = list->first; e != NULL; e = e->next) {
		struct association_change *c = &out->changes[out->n++];

		if (op != NULL)
			c->op = *op;
		else if (!take_op(r, e, &c->op))
			return false;
		if (!take_change(q, r, e, context, c))
			return false;
	}
	return true;
}

/* ---- changes ---- */

static bool
plan_associate(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	return registry_plan_associate(registry, ctx, a, out, why);
}

/* Makes a plan and carries it out, or, for a trial, not.  False with the response made. */
static bool
write_or_try(struct app *app, struct http_request *q, struct http_response *r, bool dry_run, const struct app_words *words,
    app_plan *make, void *ctx, struct plan *plan)
{
	struct refusal why = { 0 };
	bool good;

	if (!dry_run)
		return app_write(app, q, r, words, make, ctx, plan);
	app_read(app, true);
	good = make(app->registry, ctx, q->arena, plan, &why);
	app_read_end(app);
	if (!good)
		app_refuse(r, &why);
	return good;
}

/* A schema that would be registered. */
static void
put_planned(struct json_out *o, const struct association_outcome *s)
{
	json_key(o, "schema");
	json_open(o, '{');
	json_key(o, "subject");
	json_put_span(o, s->subject);
	json_key(o, "version");
	json_put_int(o, s->version);
	json_key(o, "id");
	json_put_int(o, s->id);
	json_key(o, "schemaType");
	json_put_span(o, s->schema->schema_type.n == 0 ? span_str("AVRO") : s->schema->schema_type);
	json_key(o, "schema");
	json_put_span(o, s->schema->text);
	json_close(o, '}');
}

static void
put_outcome(struct app *app, struct http_request *q, struct json_out *o, const struct association_outcome *s)
{
	const struct version_entry *v = NULL;
	struct refusal none;

	associations_open_info(o, s);
	if (s->version > 0)
		v = registry_version(app->registry, s->subject, s->version, REGISTRY_ALL, q->arena, &none);
	if (v != NULL && v->schema->id == s->id) {
		struct telling how = { .text = v->schema->text };

		json_key(o, "schema");
		entity_put_version(o, v, &how);
	} else if (s->version > 0)
		put_planned(o, s);
	json_close(o, '}');
}

static void
put_outcomes(struct app *app, struct http_request *q, struct json_out *o, const struct association_request *asked,
    const struct plan *plan)
{
	app_read(app, false);
	associations_open(o, asked, plan->n_outcomes > 0);
	for (size_t i = 0; i < plan->n_outcomes; i++)
		put_outcome(app, q, o, &plan->outcomes[i]);
	associations_close(o, plan->n_outcomes > 0);
	app_read_end(app);
}

static void
associate(struct app *app, struct http_request *q, struct http_response *r, struct association_request *asked)
{
	struct json_out o = json_out(&r->body);
	struct plan plan;

	if (write_or_try(app, q, r, asked->dry_run, &associate_words, plan_associate, asked, &plan))
		put_outcomes(app, q, &o, asked, &plan);
}

void
associations_create(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct json *body = app_body(q, r);
	const enum association_op op = ASSOCIATION_CREATE;
	struct association_request asked;

	if (body != NULL && take_request(q, r, body, &op, &asked))
		associate(app, q, r, &asked);
}

/* The path says which resource it is; the body may. */
void
associations_upsert(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct json *body = app_body(q, r);
	const enum association_op op = ASSOCIATION_UPSERT;
	struct association_request asked;

	if (body == NULL || !take_request(q, r, body, &op, &asked))
		return;
	if (asked.resource_id.n > 0 && !span_eq(asked.resource_id, q->args[0])) {
		app_problem(r, REGISTRY_INVALID_ASSOCIATION, "resourceId", "must be that of the path");
		return;
	}
	asked.resource_id = q->args[0];
	associate(app, q, r, &asked);
}

static bool
plan_dissociate(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	return registry_plan_dissociate(registry, ctx, a, out, why);
}

void
associations_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct dissociation d = { .resource_id = q->args[0], .resource_type = http_query(q, "resourceType"),
		.cascade = http_query_bool(q, "cascadeLifecycle") };
	struct plan plan;

	if (!entity_query_texts(q, r, "associationType", &d.types, &d.n_types) ||
	    !write_or_try(app, q, r, http_query_bool(q, "dryRun"), &dissociate_words, plan_dissociate, &d, &plan))
		return;
	r->status = 204;
	r->type = NULL;
}

/* ---- batches ---- */

/*
 * Carries one of a batch out; its result, or its problem, is put.  Where the store failed that is `failure` from then on:
 * the others would do no better.  False: another process is to do all of it.
 */
static bool
put_result(struct app *app, struct http_request *q, struct http_response *r, struct json_out *o,
    struct association_request *asked, struct http_response *failure)
{
	struct http_response one;
	struct plan plan;
	bool is_here = true;

	if (failure->body.n > 0) {
		associations_put_error(o, failure);
		return true;
	}
	http_response_init(&one);
	one.type = r->type;
	if (write_or_try(app, q, &one, asked->dry_run, &associate_words, plan_associate, asked, &plan)) {
		json_open(o, '{');
		json_key(o, "result");
		put_outcomes(app, q, o, asked, &plan);
		json_close(o, '}');
	} else if (one.body.n > 0) {
		associations_put_error(o, &one);
		if (one.status >= 500)
			buf_span(&failure->body, buf_bytes(&one.body));
	} else {
		r->status = one.status;
		for (size_t i = 0; i < one.n_headers; i++)
			http_header(r, one.headers[i].name, one.headers[i].value);
		is_here = false;
	}
	http_response_done(&one);
	return is_here;
}

/* Each is a transaction of its own. */
void
associations_batch_mutate(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct json *list = associations_batch(q, r);
	struct association_request *asked;
	struct json_out o = json_out(&r->body);
	struct http_response failure;
	size_t n = 0, i = 0;

	if (list == NULL)
		return;
	if ((asked = arena_array(q->arena, list->n, sizeof *asked)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return;
	}
	for (const struct json *e = list->first; e != NULL; e = e->next)
		if (!take_request(q, r, e, NULL, &asked[n++]))
			return;
	http_response_init(&failure);
	r->status = 207;
	json_open(&o, '{');
	json_key(&o, "results");
	json_open(&o, '[');
	while (i < n && put_result(app, q, r, &o, &asked[i], &failure))
		i++;
	json_close(&o, ']');
	json_close(&o, '}');
	if (r->status != 207)
		buf_reset(&r->body);
	http_response_done(&failure);
}
