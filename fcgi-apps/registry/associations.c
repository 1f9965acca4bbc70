/* associations.c -- the resources below /associations, as they are asked about: subjects that belong to topics. */
#include "registry/associations.h"

#include "common/problem.h"

/* ---- lists ---- */

/* Any namespace, where a resource is named. */
static const char any_namespace[] = "-";

static bool
parse_lifecycle(struct span text, enum said *strong)
{
	*strong = text.p == NULL ? SAID_NOTHING : span_is(text, "STRONG") ? SAID_YES : SAID_NO;
	return *strong != SAID_NO || span_is(text, "WEAK");
}

/* resourceType, associationType (any number) and lifecycle of the query; false with the response made. */
static bool
filter_of_query(struct http_request *q, struct http_response *r, struct association_filter *out)
{
	enum said strong;

	*out = (struct association_filter){ .resource_type = http_query(q, "resourceType") };
	if (!entity_query_texts(q, r, "associationType", &out->types, &out->n_types))
		return false;
	if (!parse_lifecycle(http_query(q, "lifecycle"), &strong)) {
		app_problem(r, REGISTRY_INVALID_ASSOCIATION, "lifecycle", "must be either 'STRONG' or 'WEAK'");
		return false;
	}
	out->strong = strong == SAID_YES;
	out->weak = strong == SAID_NO;
	return true;
}

/* Those of a name, an id or a subject; in_namespace null: in any. */
static void
list(struct app *app, struct http_request *q, struct http_response *r, enum association_by by, struct span of,
    struct span in_namespace)
{
	struct association_filter filter;
	struct json_out o = json_out(&r->body);
	const struct association *s;
	struct page page;
	size_t it = 0;

	if (!app_page(q, r, &page) || !filter_of_query(q, r, &filter))
		return;
	app_read(app, true);
	json_open(&o, '[');
	while (!app_page_full(&page) && (s = registry_next_association(app->registry, by, of, &it)) != NULL)
		if ((in_namespace.p == NULL || span_eq(s->resource_namespace, in_namespace)) &&
		    entity_association_fits(s, &filter) && app_on_page(&page))
			entity_put_association(&o, s);
	json_close(&o, ']');
	app_read_end(app);
}

void
associations_of_subject(struct app *app, struct http_request *q, struct http_response *r)
{
	list(app, q, r, ASSOCIATIONS_BY_SUBJECT, q->args[0], span_of(NULL, 0));
}

void
associations_of_id(struct app *app, struct http_request *q, struct http_response *r)
{
	list(app, q, r, ASSOCIATIONS_BY_ID, q->args[0], span_of(NULL, 0));
}

void
associations_of_name(struct app *app, struct http_request *q, struct http_response *r)
{
	list(app, q, r, ASSOCIATIONS_BY_NAME, q->args[1], span_is(q->args[0], any_namespace) ? span_of(NULL, 0) : q->args[0]);
}

/* ---- what is told of a resource ---- */

void
associations_open(struct json_out *o, const struct association_request *resource, bool some)
{
	json_open(o, '{');
	json_put_member(o, "resourceName", resource->resource_name);
	json_put_member(o, "resourceNamespace", resource->resource_namespace);
	json_put_member(o, "resourceId", resource->resource_id);
	json_put_member(o, "resourceType", resource->resource_type.n == 0 ? span_str("topic") : resource->resource_type);
	if (some) {
		json_key(o, "associations");
		json_open(o, '[');
	}
}

void
associations_close(struct json_out *o, bool some)
{
	if (some)
		json_close(o, ']');
	json_close(o, '}');
}

void
associations_open_info(struct json_out *o, const struct association_outcome *s)
{
	json_open(o, '{');
	json_put_member(o, "subject", s->subject);
	json_put_member(o, "associationType", s->type);
	json_put_member(o, "lifecycle", span_str(s->strong ? "STRONG" : "WEAK"));
	json_key(o, "frozen");
	json_put_bool(o, s->frozen);
}

/* ---- batches ---- */

const struct json *
associations_batch(struct http_request *q, struct http_response *r)
{
	const struct json *body = app_body(q, r), *list = json_get(body, "requests");

	if (body == NULL)
		return NULL;
	if (json_is_absent(list) || (list->kind == JSON_ARRAY && list->n == 0))
		app_problem(r, REGISTRY_INVALID_ASSOCIATION, "requests", "cannot be null or empty");
	else if (list->kind != JSON_ARRAY)
		entity_wrong_type(r, "ArrayList", "requests");
	else if (list->n > ASSOCIATION_REQUESTS_MAX)
		app_problem(r, REGISTRY_INVALID_ASSOCIATION, "requests",
		    arena_printf(q->arena, "cannot be more than %d", ASSOCIATION_REQUESTS_MAX));
	else
		return list;
	return NULL;
}

bool
associations_take_lifecycle(struct http_response *r, const struct json *in, enum said *strong)
{
	struct span text;

	return entity_take_text(r, in, "lifecycle", &text) &&
	    (parse_lifecycle(text, strong) || entity_wrong_type(r, "LifecyclePolicy", "lifecycle"));
}

void
associations_put_error(struct json_out *o, const struct http_response *problem)
{
	json_open(o, '{');
	json_key(o, "error");
	json_put_raw(o, buf_bytes(&problem->body));
	json_close(o, '}');
}

/* One request of a batch. */
struct question {
	struct span name, in_namespace, id;
	struct association_filter filter;
};

/* False with the response made: 400. */
static bool
take_question(struct http_request *q, struct http_response *r, const struct json *in, struct question *out)
{
	const struct json *types = json_get(in, "associationTypes");
	enum said strong;

	*out = (struct question){ .name = span_of(NULL, 0) };
	if (in->kind != JSON_OBJECT)
		return entity_wrong_type(r, "AssociationGetRequest", "requests");
	if (!entity_take_text(r, in, "resourceName", &out->name) ||
	    !entity_take_text(r, in, "resourceNamespace", &out->in_namespace) ||
	    !entity_take_text(r, in, "resourceId", &out->id) ||
	    !entity_take_text(r, in, "resourceType", &out->filter.resource_type) || !associations_take_lifecycle(r, in, &strong))
		return false;
	out->filter.strong = strong == SAID_YES;
	out->filter.weak = strong == SAID_NO;
	return json_is_absent(types) ||
	    entity_take_texts(q, r, types, "associationTypes", &out->filter.types, &out->filter.n_types);
}

/* The next that is meant; all are of one resource, that of the `first`. */
static const struct association *
next_answer(struct app *app, const struct question *a, const struct association *first, size_t *it)
{
	bool by_id = a->id.n > 0;
	const struct association *s;

	while ((s = registry_next_association(app->registry, by_id ? ASSOCIATIONS_BY_ID : ASSOCIATIONS_BY_NAME,
		by_id ? a->id : a->name, it)) != NULL)
		if ((by_id || span_is(a->in_namespace, any_namespace) || span_eq(s->resource_namespace, a->in_namespace)) &&
		    entity_association_fits(s, &a->filter) &&
		    (first == NULL || (span_eq(s->resource_name, first->resource_name) &&
			span_eq(s->resource_namespace, first->resource_namespace) &&
			span_eq(s->resource_type, first->resource_type) && span_eq(s->resource_id, first->resource_id))))
			return s;
	return NULL;
}

static void
put_answered(struct app *app, struct http_request *q, struct json_out *o, const struct association *s, bool with_schema)
{
	struct association_outcome told = { .subject = s->subject, .type = s->type, .strong = s->strong, .frozen = s->frozen };
	const struct version_entry *v;
	struct refusal none;

	associations_open_info(o, &told);
	if (with_schema && (v = registry_version(app->registry, s->subject, REGISTRY_LATEST, REGISTRY_LIVE, q->arena, &none)) != NULL) {
		struct telling how = { .text = v->schema->text };

		json_key(o, "schema");
		entity_put_version(o, v, &how);
	}
	json_close(o, '}');
}

static void
put_answer(struct app *app, struct http_request *q, struct json_out *o, const struct question *a, bool with_schemas)
{
	struct association_request resource = { .resource_name = a->name, .resource_namespace = a->in_namespace,
		.resource_id = a->id, .resource_type = a->filter.resource_type };
	size_t it = 0;
	const struct association *first = next_answer(app, a, NULL, &it), *s = first;

	if (first != NULL)
		resource = (struct association_request){ .resource_name = first->resource_name,
			.resource_namespace = first->resource_namespace, .resource_id = first->resource_id,
			.resource_type = first->resource_type };
	json_open(o, '{');
	json_key(o, "result");
	associations_open(o, &resource, first != NULL);
	for (; s != NULL; s = next_answer(app, a, first, &it))
		put_answered(app, q, o, s, with_schemas);
	associations_close(o, first != NULL);
	json_close(o, '}');
}

/* What a question lacks: a problem of its own; false: nothing. */
static bool
put_lack(struct json_out *o, const struct question *a)
{
	struct http_response problem;
	bool lacks = true;

	http_response_init(&problem);
	if (a->id.n == 0 && a->name.n == 0)
		app_problem(&problem, REGISTRY_INVALID_ASSOCIATION, "resourceId", "either resourceId or resourceName must be specified");
	else if (a->name.n > 0 && a->in_namespace.n == 0)
		app_problem(&problem, REGISTRY_INVALID_ASSOCIATION, "resourceNamespace",
		    "resourceNamespace is required when resourceName is specified");
	else
		lacks = false;
	if (lacks)
		associations_put_error(o, &problem);
	http_response_done(&problem);
	return lacks;
}

void
associations_batch_get(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct json *list = associations_batch(q, r);
	bool with_schemas = http_query_bool(q, "includeSchemas");
	struct json_out o = json_out(&r->body);
	struct question *asked;
	size_t n = 0;

	if (list == NULL)
		return;
	if ((asked = arena_array(q->arena, list->n, sizeof *asked)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return;
	}
	for (const struct json *e = list->first; e != NULL; e = e->next)
		if (!take_question(q, r, e, &asked[n++]))
			return;
	r->status = 207;
	app_read(app, true);
	json_open(&o, '{');
	json_key(&o, "results");
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (!put_lack(&o, &asked[i]))
			put_answer(app, q, &o, &asked[i], with_schemas);
	json_close(&o, ']');
	json_close(&o, '}');
	app_read_end(app);
}
