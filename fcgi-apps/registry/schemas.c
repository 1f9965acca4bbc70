/* schemas.c -- the resources below /schemas: schemas by id and by guid. */
#include <stdlib.h>
#include <string.h>

#include "common/problem.h"
#include "registry/entity.h"

void
schemas_types(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);

	(void)app;
	(void)q;
	json_open(&o, '[');
	for (int type = SCHEMA_AVRO; type <= SCHEMA_PROTOBUF; type++)
		if (schema_type_supported((enum schema_type)type))
			json_put_str(&o, schema_type_name((enum schema_type)type));
	json_close(&o, ']');
}

/* The id of the path; false with the response made: 404, as for any path that is none. */
static bool
id_arg(struct http_request *q, struct http_response *r, int32_t *out)
{
	struct span text = q->args[0];
	char digits[16], *end;
	long n;

	if (text.n > 0 && text.n < sizeof digits) {
		memcpy(digits, text.p, text.n);
		digits[text.n] = '\0';
		n = strtol(digits, &end, 10);
		if (*end == '\0' && digits[0] != ' ' && n >= INT32_MIN && n <= INT32_MAX) {
			*out = (int32_t)n;
			return true;
		}
	}
	problem_answer(r, r->type, &problem_not_found);
	return false;
}

static void
id_not_found(struct http_request *q, struct http_response *r, int32_t id)
{
	app_problem(r, REGISTRY_SCHEMA_ID_NOT_FOUND, arena_printf(q->arena, "%d", (int)id));
}

/*
 * Finds the path's id, holding the state still.  Ids are for ever, so one that is known is answered at once;
 * for one that is not, the topic is read to its end first.
 */
static const struct version_entry *
find_id(struct app *app, struct http_request *q, int32_t id)
{
	const struct version_entry *v;
	bool certain;

	app_read(app, false);
	v = registry_find_id(app->registry, app_query_subject(app->registry, q), id, &certain);
	if (v == NULL || !certain) {
		app_read_end(app);
		app_read(app, true);
		v = registry_find_id(app->registry, app_query_subject(app->registry, q), id, &certain);
	}
	return v;
}

static void
put_schema(struct app *app, struct http_request *q, struct http_response *r, const struct version_entry *v)
{
	struct json_out o = json_out(&r->body);
	struct telling how;
	int32_t max_id = http_query_bool(q, "fetchMaxId") ? registry_max_id(app->registry, v->schema->context) : 0;

	if (entity_telling(app, q, r, v->schema, &how))
		entity_put_schema(&o, v, true, &how, max_id);
}

void
schemas_by_id(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct version_entry *v;
	int32_t id;

	if (!id_arg(q, r, &id))
		return;
	if ((v = find_id(app, q, id)) != NULL)
		put_schema(app, q, r, v);
	else
		id_not_found(q, r, id);
	app_read_end(app);
}

void
schemas_text_by_id(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct version_entry *v;
	struct span text;
	int32_t id;

	if (!id_arg(q, r, &id))
		return;
	if ((v = find_id(app, q, id)) == NULL)
		id_not_found(q, r, id);
	else if (entity_text(app, q, r, v->schema, &text))
		buf_span(&r->body, text);
	app_read_end(app);
}

static int
by_subject_and_version(const void *x, const void *y)
{
	const struct version_entry *const *a = x, *const *b = y;
	int r = span_compare((*a)->subject, (*b)->subject);

	return r != 0 ? r : ((*a)->version > (*b)->version) - ((*a)->version < (*b)->version);
}

/* The versions that bear a schema, sorted.  NULL: the arena is used up. */
static const struct version_entry **
sorted_uses(struct app *app, struct http_request *q, const struct schema_entry *s, size_t *n)
{
	enum registry_which which = http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE;
	const struct version_entry **list, *v;
	size_t it = 0, count = 0;

	while (registry_next_use(app->registry, s, which, &it) != NULL)
		count++;
	*n = 0;
	if ((list = arena_array(q->arena, count + 1, sizeof *list)) == NULL)
		return NULL;
	for (it = 0; (v = registry_next_use(app->registry, s, which, &it)) != NULL;)
		list[(*n)++] = v;
	qsort(list, *n, sizeof *list, by_subject_and_version);
	return list;
}

static void
put_subject(struct json_out *o, const struct version_entry *v)
{
	json_put_span(o, v->subject);
}

static void
put_uses(struct http_response *r, struct page *page, const struct version_entry **list, size_t n,
    bool each_subject_once, void (*put)(struct json_out *, const struct version_entry *))
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if ((!each_subject_once || i == 0 || !span_eq(list[i]->subject, list[i - 1]->subject)) && app_on_page(page))
			put(&o, list[i]);
	json_close(&o, ']');
}

/* A list made of the versions that bear the path's id. */
static void
list_uses(struct app *app, struct http_request *q, struct http_response *r, bool each_subject_once,
    void (*put)(struct json_out *, const struct version_entry *))
{
	const struct version_entry **list;
	const struct version_entry *v;
	struct page page;
	bool certain;
	int32_t id;
	size_t n;

	if (!id_arg(q, r, &id) || !app_page(q, r, &page))
		return;
	app_read(app, true);
	if ((v = registry_find_id(app->registry, app_query_subject(app->registry, q), id, &certain)) == NULL)
		app_problem(r, REGISTRY_SCHEMA_NOT_FOUND);
	else if ((list = sorted_uses(app, q, v->schema, &n)) == NULL)
		problem_answer(r, r->type, &problem_too_large);
	else
		put_uses(r, &page, list, n, each_subject_once, put);
	app_read_end(app);
}

void
schemas_subjects_of_id(struct app *app, struct http_request *q, struct http_response *r)
{
	list_uses(app, q, r, true, put_subject);
}

void
schemas_versions_of_id(struct app *app, struct http_request *q, struct http_response *r)
{
	list_uses(app, q, r, false, entity_put_subject_version);
}

/* ---- guids ---- */

/* The guid of the path, found as find_id() finds ids: the first of its contexts. */
static const struct schema_entry *
find_guid(struct app *app, struct http_request *q, uint8_t guid[16])
{
	const struct schema_entry *s = NULL;
	bool is_guid = entity_guid_parse(q->args[0], guid);
	size_t it = 0;

	app_read(app, false);
	if (is_guid && (s = registry_next_by_guid(app->registry, guid, &it)) == NULL) {
		app_read_end(app);
		app_read(app, true);
		it = 0;
		s = registry_next_by_guid(app->registry, guid, &it);
	}
	return s;
}

void
schemas_by_guid(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	uint8_t guid[16];
	const struct schema_entry *s = find_guid(app, q, guid);
	struct telling how;

	if (s == NULL)
		app_problem(r, REGISTRY_SCHEMA_ID_NOT_FOUND,
		    arena_printf(q->arena, "%.*s", (int)q->args[0].n, (const char *)q->args[0].p));
	else if (entity_telling(app, q, r, s, &how))
		entity_put_schema(&o, registry_bearer(app->registry, s), false, &how, 0);
	app_read_end(app);
}

void
schemas_ids_of_guid(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	uint8_t guid[16];
	const struct schema_entry *s = find_guid(app, q, guid);
	size_t it = 0;

	json_open(&o, '[');
	while (s != NULL && (s = registry_next_by_guid(app->registry, guid, &it)) != NULL) {
		json_open(&o, '{');
		json_key(&o, "context");
		json_put_span(&o, s->context);
		json_key(&o, "id");
		json_put_int(&o, s->id);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	app_read_end(app);
}
