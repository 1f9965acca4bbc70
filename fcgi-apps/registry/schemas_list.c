/* schemas_list.c -- GET /schemas: the versions of all subjects of a prefix, a page of them. */
#include <stdlib.h>

#include "common/problem.h"
#include "registry/entity.h"

/* What is asked for. */
struct question {
	struct span prefix, rule_type;
	enum registry_which which;
	bool latest_only;
	struct page page;
	bool by_association;    /* only subjects with such associations (`associated`), or without any (`unassociated`) */
	bool associated, unassociated;
	struct association_filter with;
};

/* ---- with associations ---- */

/* resourceType, associationType and lifecycle, of which there may be several; false with the response made. */
static bool
take_associations(struct http_request *q, struct http_response *r, struct question *a)
{
	const struct span *lifecycles;
	size_t n;

	a->with.resource_type = http_query(q, "resourceType");
	if (!entity_query_texts(q, r, "associationType", &a->with.types, &a->with.n_types) ||
	    !entity_query_texts(q, r, "lifecycle", &lifecycles, &n))
		return false;
	a->by_association = n > 0 || a->with.resource_type.n > 0 || a->with.n_types > 0;
	a->associated = n == 0;
	for (size_t i = 0; i < n; i++) {
		bool *named = span_is(lifecycles[i], "NONE") ? &a->unassociated :
		    span_is(lifecycles[i], "STRONG")     ? &a->with.strong :
		    span_is(lifecycles[i], "WEAK")       ? &a->with.weak :
							   NULL;

		if (named == NULL) {
			app_problem(r, REGISTRY_INVALID_ASSOCIATION, "lifecycle", "must be 'NONE', 'STRONG' or 'WEAK'");
			return false;
		}
		*named = true;
		a->associated = a->associated || named != &a->unassociated;
	}
	return true;
}

/* The next of the subject's associations that fits. */
static const struct association *
next_association(struct app *app, const struct association_filter *with, struct span subject, size_t *it)
{
	const struct association *s;

	while ((s = registry_next_association(app->registry, ASSOCIATIONS_BY_SUBJECT, subject, it)) != NULL)
		if (entity_association_fits(s, with))
			return s;
	return NULL;
}

static bool
is_associated_as_asked(struct app *app, const struct question *a, struct span subject)
{
	struct association_filter any = a->with;
	size_t it = 0;

	if (!a->by_association || (a->associated && next_association(app, &a->with, subject, &it) != NULL))
		return true;
	any.strong = any.weak = false;
	it = 0;
	return a->unassociated && next_association(app, &any, subject, &it) == NULL;
}

static void
put_associations(struct app *app, struct json_out *o, const struct question *a, struct span subject)
{
	const struct association *s;
	size_t it = 0;

	if (!a->associated || !a->by_association || (s = next_association(app, &a->with, subject, &it)) == NULL)
		return;
	json_key(o, "associations");
	json_open(o, '[');
	for (; s != NULL; s = next_association(app, &a->with, subject, &it))
		entity_put_association(o, s);
	json_close(o, ']');
}

/* ---- all of a prefix ---- */

/* The newest of its subject: what follows it belongs to another subject. */
static bool
is_latest(struct app *app, const struct version_entry *v, const struct question *a, size_t it)
{
	const struct version_entry *next = registry_next_of_prefix(app->registry, a->prefix, a->which, &it);

	return next == NULL || !span_eq(next->subject, v->subject);
}

static bool
has_rule(const struct version_entry *v, const struct question *a)
{
	return a->rule_type.n == 0 || registry_has_rule_of(v->schema, a->rule_type);
}

static void
put_plain(struct app *app, struct json_out *o, struct question *a)
{
	const struct version_entry *v;
	size_t it = 0;

	while (!app_page_full(&a->page) &&
	    (v = registry_next_of_prefix(app->registry, a->prefix, a->which, &it)) != NULL) {
		struct telling how = { .text = v->schema->text };

		if ((a->latest_only && !is_latest(app, v, a, it)) || !has_rule(v, a) || !is_associated_as_asked(app, a, v->subject) ||
		    !app_on_page(&a->page))
			continue;
		entity_put_more(o, v, &how);
		put_associations(app, o, a, v->subject);
		json_close(o, '}');
	}
}

/* ---- with aliases ---- */

/* A subject under another name, and a list of such. */
struct alias {
	struct span target, alias;
};

struct aliases {
	struct alias *list; /* by target, and by alias; arena */
	size_t n;
};

static int
by_target(const void *x, const void *y)
{
	const struct alias *a = x, *b = y;
	int r = span_compare(a->target, b->target);

	return r != 0 ? r : span_compare(a->alias, b->alias);
}

static bool
find_aliases(struct app *app, struct http_request *q, const struct question *a, struct aliases *out)
{
	struct alias one;
	size_t it = 0, n = 0;

	while (registry_next_alias(app->registry, a->prefix, &it, &one.target).p != NULL)
		n++;
	*out = (struct aliases){ .list = arena_array(q->arena, n + 1, sizeof *out->list) };
	if (out->list == NULL)
		return false;
	for (it = 0; (one.alias = registry_next_alias(app->registry, a->prefix, &it, &one.target)).p != NULL;)
		out->list[out->n++] = one;
	qsort(out->list, n, sizeof *out->list, by_target);
	return true;
}

/* Where the aliases of a subject, or of what comes behind it, begin. */
static size_t
first_alias(const struct aliases *in, struct span subject)
{
	size_t low = 0, high = in->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (span_compare(in->list[middle].target, subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
put_with_aliases(struct app *app, struct json_out *o, const struct question *a, const struct version_entry *v,
    const struct aliases *in)
{
	struct telling how = { .text = v->schema->text };
	size_t i = first_alias(in, v->subject);

	entity_put_more(o, v, &how);
	if (i < in->n && span_eq(in->list[i].target, v->subject)) {
		json_key(o, "aliases");
		json_open(o, '[');
		for (; i < in->n && span_eq(in->list[i].target, v->subject); i++)
			json_put_span(o, in->list[i].alias);
		json_close(o, ']');
	}
	put_associations(app, o, a, v->subject);
	json_close(o, '}');
}

/* The versions of one subject. */
static void
put_subject(struct app *app, struct json_out *o, struct question *a, struct span subject, const struct aliases *in)
{
	const struct version_entry *v, *next;
	size_t it = 0;

	for (v = registry_next_version(app->registry, subject, a->which, &it); v != NULL && !app_page_full(&a->page); v = next) {
		next = registry_next_version(app->registry, subject, a->which, &it);
		if ((!a->latest_only || next == NULL) && has_rule(v, a) && is_associated_as_asked(app, a, v->subject) &&
		    app_on_page(&a->page))
			put_with_aliases(app, o, a, v, in);
	}
}

/* Subjects of the prefix, and among them those that aliases of the prefix stand for. */
static void
put_subjects(struct app *app, struct json_out *o, struct question *a, const struct aliases *in)
{
	struct span subject, target;
	size_t it = 0, i = 0;

	subject = registry_next_subject(app->registry, a->prefix, a->which, &it);
	while ((subject.p != NULL || i < in->n) && !app_page_full(&a->page)) {
		bool is_target;

		target = i < in->n ? in->list[i].target : span_of(NULL, 0);
		is_target = subject.p == NULL || (i < in->n && span_compare(target, subject) < 0);
		put_subject(app, o, a, is_target ? target : subject, in);
		while (i < in->n && span_compare(in->list[i].target, is_target ? target : subject) <= 0)
			i++;
		if (!is_target)
			subject = registry_next_subject(app->registry, a->prefix, a->which, &it);
	}
}

void
schemas_list(struct app *app, struct http_request *q, struct http_response *r)
{
	struct question asked = { .prefix = app_query_prefix(q, ""),
		.rule_type = http_query(q, "ruleType"),
		.which = http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE,
		.latest_only = http_query_bool(q, "latestOnly") };
	struct json_out o = json_out(&r->body);
	struct aliases aliases;

	if (!app_page(q, r, &asked.page) || !take_associations(q, r, &asked))
		return;
	app_page_of_schemas(&asked.page);
	app_read(app, true);
	json_open(&o, '[');
	if (!http_query_bool(q, "aliases"))
		put_plain(app, &o, &asked);
	else if (find_aliases(app, q, &asked, &aliases))
		put_subjects(app, &o, &asked, &aliases);
	json_close(&o, ']');
	app_read_end(app);
}
