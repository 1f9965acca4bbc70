/* entity.c -- the objects of the registry's API. */
#include "registry/entity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/setting.h"
#include "base/uuid.h"
#include "common/problem.h"

/* ---- requests ---- */

bool
entity_wrong_type(struct http_response *r, const char *type, const char *field)
{
	char text[160];

	snprintf(text, sizeof text, "Cannot deserialize value of type `%s` (field \"%s\")", type, field);
	problem_answer(r, r->type, &problem_bad_request, text);
	return false;
}

/* Jackson makes text of numbers and booleans, and so do we. */
bool
entity_take_text(struct http_response *r, const struct json *in, const char *field, struct span *out)
{
	const struct json *v = json_get(in, field);

	*out = span_of(NULL, 0);
	if (json_is_absent(v))
		return true;
	if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
		return entity_wrong_type(r, "String", field);
	*out = v->kind == JSON_TRUE ? span_str("true") : v->kind == JSON_FALSE ? span_str("false") : v->text;
	return true;
}

/* Jackson makes integers of texts, and cuts fractions off; an empty text, and "null", is none. */
static bool
int_of(const struct json *v, int32_t *out)
{
	struct span text = v->kind == JSON_STRING ? setting_trim(v->text) : v->text;
	char digits[32] = "0", *end;
	double n;

	if ((v->kind != JSON_NUMBER && v->kind != JSON_STRING) || text.n >= sizeof digits)
		return false;
	if (text.n > 0 && !span_is(text, "null")) {
		memcpy(digits, text.p, text.n);
		digits[text.n] = '\0';
	}
	n = v->kind == JSON_NUMBER ? strtod(digits, &end) : (double)strtoll(digits, &end, 10);
	if (*end != '\0' || !(n > INT32_MIN - 1.0 && n < INT32_MAX + 1.0))
		return false;
	*out = (int32_t)n;
	return true;
}

static bool
take_int(struct http_response *r, const struct json *in, const char *field, int32_t *out)
{
	const struct json *v = json_get(in, field);

	*out = 0;
	return json_is_absent(v) || int_of(v, out) || entity_wrong_type(r, "Integer", field);
}

bool
entity_misfit(struct http_response *r, const struct misfit *why, const char *field)
{
	if (why->type != NULL)
		return entity_wrong_type(r, why->type, why->field != NULL ? why->field : field);
	problem_answer(r, r->type, &problem_too_large);
	return false;
}

bool
entity_take_extras(struct http_request *q, struct http_response *r, const struct json *in, const struct json **metadata,
    const struct json **rule_set)
{
	struct misfit why;

	if (!canonical_metadata(q->arena, json_get(in, "metadata"), metadata, &why))
		return entity_misfit(r, &why, "metadata");
	return canonical_rules(q->arena, json_get(in, "ruleSet"), rule_set, &why) || entity_misfit(r, &why, "ruleSet");
}

static bool
take_reference(struct http_response *r, const struct json *in, struct reference *out)
{
	if (in->kind != JSON_OBJECT)
		return entity_wrong_type(r, "SchemaReference", "references");
	return entity_take_text(r, in, "name", &out->name) && entity_take_text(r, in, "subject", &out->subject) &&
	    take_int(r, in, "version", &out->version);
}

static bool
take_references(struct http_request *q, struct http_response *r, const struct json *body, struct schema_request *out)
{
	const struct json *v = json_get(body, "references");
	struct reference *list;
	size_t i = 0;

	if (json_is_absent(v))
		return true;
	if (v->kind != JSON_ARRAY)
		return entity_wrong_type(r, "ArrayList", "references");
	if (v->n > 0 && (list = arena_array(q->arena, v->n, sizeof *list)) != NULL) {
		for (const struct json *e = v->first; e != NULL; e = e->next)
			if (!take_reference(r, e, &list[i++]))
				return false;
		out->references = list;
		out->n_references = v->n;
	} else if (v->n > 0) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	return true;
}

/* ---- tags ---- */

bool
entity_take_texts(struct http_request *q, struct http_response *r, const struct json *list, const char *field,
    const struct span **out, size_t *n)
{
	struct span *texts;

	*n = 0;
	if (!json_is_kind(list, JSON_ARRAY))
		return entity_wrong_type(r, "ArrayList", field);
	if ((texts = arena_array(q->arena, list->n + 1, sizeof *texts)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	for (const struct json *v = list->first; v != NULL; v = v->next) {
		if (v->kind != JSON_STRING)
			return entity_wrong_type(r, "String", field);
		texts[(*n)++] = v->text;
	}
	*out = texts;
	return true;
}

bool
entity_query_texts(struct http_request *q, struct http_response *r, const char *name, const struct span **out, size_t *n)
{
	struct span *texts = arena_array(q->arena, HTTP_VALUES_MAX, sizeof *texts);

	*out = texts;
	*n = 0;
	if (texts == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	while (*n < HTTP_VALUES_MAX && (texts[*n] = http_query_nth(q, name, *n)).p != NULL)
		(*n)++;
	return true;
}

static bool
take_entity(struct http_response *r, const struct json *in, struct schema_tags *out)
{
	const struct json *entity = json_get(in, "schemaEntity"), *type = json_get(entity, "entityType");

	if (!json_is_kind(json_get(entity, "entityPath"), JSON_STRING))
		return entity_wrong_type(r, "SchemaEntity", "schemaEntity");
	out->path = json_get(entity, "entityPath")->text;
	out->is_field = json_is_text(type, "sr_field") || json_is_text(type, "SR_FIELD");
	return out->is_field || json_is_text(type, "sr_record") || json_is_text(type, "SR_RECORD") ||
	    entity_wrong_type(r, "EntityType", "entityType");
}

bool
entity_take_tags(struct http_request *q, struct http_response *r, const struct json *in, const char *field,
    const struct schema_tags **out, size_t *n)
{
	const struct json *v = json_get(in, field);
	struct schema_tags *list;

	*n = 0;
	if (json_is_absent(v))
		return true;
	if (v->kind != JSON_ARRAY)
		return entity_wrong_type(r, "ArrayList", field);
	if ((list = arena_array(q->arena, v->n + 1, sizeof *list)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	*out = list;
	for (const struct json *e = v->first; e != NULL; e = e->next, (*n)++)
		if (!take_entity(r, e, &list[*n]) || !entity_take_texts(q, r, json_get(e, "tags"), "tags", &list[*n].tags, &list[*n].n))
			return false;
	return true;
}

bool
entity_take_flag(struct http_response *r, const struct json *in, const char *field, bool *out)
{
	return canonical_truth(json_get(in, field), out) || entity_wrong_type(r, "Boolean", field);
}

bool
entity_tag_request(struct http_request *q, struct http_response *r, struct tag_request *out)
{
	const struct json *body = app_body(q, r), *names = json_get(body, "rulesToRemove");
	const struct span *ignored;
	struct misfit why;
	size_t n;

	*out = (struct tag_request){ 0 };
	if (body == NULL || !take_int(r, body, "newVersion", &out->new_version) ||
	    !entity_take_tags(q, r, body, "tagsToAdd", &out->add, &out->n_add) ||
	    !entity_take_tags(q, r, body, "tagsToRemove", &out->remove, &out->n_remove) ||
	    !entity_take_extras(q, r, body, &out->metadata, &out->rule_set))
		return false;
	if (!canonical_rules(q->arena, json_get(body, "rulesToMerge"), &out->rules_to_merge, &why))
		return entity_misfit(r, &why, "rulesToMerge");
	if (json_is_absent(names))
		return true;
	out->rules_to_remove = names;
	return entity_take_texts(q, r, names, "rulesToRemove", &ignored, &n);
}

bool
entity_take_schema(struct http_request *q, struct http_response *r, const struct json *in, struct schema_request *out)
{
	return entity_take_text(r, in, "schema", &out->text) && entity_take_text(r, in, "schemaType", &out->schema_type) &&
	    take_int(r, in, "id", &out->id) && take_int(r, in, "version", &out->version) &&
	    entity_take_extras(q, r, in, &out->metadata, &out->rule_set) && take_references(q, r, in, out) &&
	    entity_take_tags(q, r, in, "schemaTagsToAdd", &out->tags_to_add, &out->n_tags_to_add) &&
	    entity_take_tags(q, r, in, "schemaTagsToRemove", &out->tags_to_remove, &out->n_tags_to_remove) &&
	    entity_take_flag(r, in, "propagateSchemaTags", &out->propagate_tags);
}

bool
entity_request(struct http_request *q, struct http_response *r, struct schema_request *out)
{
	const struct json *body = app_body(q, r);

	*out = (struct schema_request){ .normalize = http_query_bool(q, "normalize"), .force = http_query_bool(q, "force") };
	return body != NULL && entity_take_schema(q, r, body, out);
}

/* ---- answers ---- */

bool
entity_guid_parse(struct span text, uint8_t guid[16])
{
	size_t at = 0;

	for (int i = 0; i < 16; i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (at >= text.n || text.p[at++] != '-')
				return false;
		}
		if (text.n - at < 2 || (high = hex_value(text.p[at])) == -1 || (low = hex_value(text.p[at + 1])) == -1)
			return false;
		guid[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	return at == text.n;
}

static void
put_guid(struct json_out *o, const struct schema_entry *s)
{
	char text[UUID_RFC_TEXT + 1];

	uuid_rfc_text(s->guid, text);
	json_key(o, "guid");
	json_put_str(o, text);
}

static void
put_type(struct json_out *o, const struct schema_entry *s)
{
	json_key(o, "schemaType");
	json_put_span(o, s->schema_type);
}

/* Whether a reference's subject lies in the context of who refers without saying so. */
static bool
is_unqualified(const struct schema_entry *s, struct span subject)
{
	struct span name;

	return !span_is(s->context, ".") && span_is(registry_context(subject, &name), ".");
}

static void
put_reference_subject(struct json_out *o, const struct schema_entry *s, struct span subject, bool qualified)
{
	struct buf full = { 0 };

	if (qualified && is_unqualified(s, subject)) {
		buf_u8(&full, ':');
		buf_span(&full, s->context);
		buf_u8(&full, ':');
	}
	buf_span(&full, registry_qualified(subject));
	json_put_span(o, full.n == 0 || full.failed || !qualified ? subject : buf_bytes(&full));
	buf_done(&full);
}

static void
put_references(struct json_out *o, const struct schema_entry *s, bool qualified)
{
	if (s->n_references == 0)
		return;
	json_key(o, "references");
	json_open(o, '[');
	for (size_t i = 0; i < s->n_references; i++) {
		json_open(o, '{');
		json_key(o, "name");
		json_put_span(o, s->references[i].name);
		json_key(o, "subject");
		put_reference_subject(o, s, s->references[i].subject, qualified);
		json_key(o, "version");
		json_put_int(o, s->references[i].version);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void
put_tree(struct json_out *o, const char *name, const struct json *tree)
{
	if (tree == NULL)
		return;
	json_key(o, name);
	json_put_tree(o, tree);
}

static void
put_extras(struct json_out *o, const struct schema_entry *s, bool qualified)
{
	put_references(o, s, qualified);
	put_tree(o, "metadata", s->metadata);
	put_tree(o, "ruleSet", s->rule_set);
}

static void
put_text(struct json_out *o, struct span text)
{
	json_key(o, "schema");
	json_put_span(o, text);
}

static void
put_state(struct json_out *o, int64_t timestamp_ms, bool deleted)
{
	json_key(o, "ts");
	json_put_int(o, timestamp_ms);
	json_key(o, "deleted");
	json_put_bool(o, deleted);
}

static void
put_number(struct json_out *o, const char *name, int32_t n)
{
	json_key(o, name);
	json_put_int(o, n);
}

static void
put_tags(struct json_out *o, const struct telling *how)
{
	if (how->n_tags == 0)
		return;
	json_key(o, "schemaTags");
	json_open(o, '[');
	for (size_t i = 0; i < how->n_tags; i++) {
		const struct schema_tags *t = &how->tags[i];

		json_open(o, '{');
		json_key(o, "schemaEntity");
		json_open(o, '{');
		json_key(o, "entityPath");
		json_put_span(o, t->path);
		json_key(o, "entityType");
		json_put_str(o, t->is_field ? "sr_field" : "sr_record");
		json_close(o, '}');
		json_key(o, "tags");
		json_open(o, '[');
		for (size_t k = 0; k < t->n; k++)
			json_put_span(o, t->tags[k]);
		json_close(o, ']');
		json_close(o, '}');
	}
	json_close(o, ']');
}

void
entity_put_more(struct json_out *o, const struct version_entry *v, const struct telling *how)
{
	json_open(o, '{');
	json_key(o, "subject");
	json_put_span(o, v->subject);
	put_number(o, "version", v->version);
	put_number(o, "id", v->schema->id);
	put_guid(o, v->schema);
	put_type(o, v->schema);
	put_extras(o, v->schema, how->qualified);
	put_text(o, how->text);
	put_tags(o, how);
	put_state(o, v->timestamp_ms, v->deleted);
}

void
entity_put_version(struct json_out *o, const struct version_entry *v, const struct telling *how)
{
	entity_put_more(o, v, how);
	json_close(o, '}');
}

void
entity_put_registered(struct json_out *o, const struct version_entry *v, const struct telling *how, bool fresh)
{
	json_open(o, '{');
	put_number(o, "id", v->schema->id);
	put_number(o, "version", v->version);
	put_guid(o, v->schema);
	put_type(o, v->schema);
	put_extras(o, v->schema, false);
	put_text(o, how->text);
	if (!fresh)
		put_state(o, v->timestamp_ms, v->deleted);
	json_close(o, '}');
}

void
entity_put_schema(struct json_out *o, const struct version_entry *v, bool named, const struct telling *how,
    int32_t max_id)
{
	json_open(o, '{');
	if (named) {
		json_key(o, "subject");
		json_put_span(o, v->subject);
		put_number(o, "version", v->version);
	}
	put_guid(o, v->schema);
	put_type(o, v->schema);
	put_text(o, how->text);
	put_extras(o, v->schema, how->qualified);
	put_tags(o, how);
	if (max_id > 0)
		put_number(o, "maxId", max_id);
	put_state(o, v->timestamp_ms, v->deleted);
	json_close(o, '}');
}

bool
entity_association_fits(const struct association *s, const struct association_filter *f)
{
	size_t i = 0;

	while (i < f->n_types && !span_eq(f->types[i], s->type))
		i++;
	return (f->n_types == 0 || i < f->n_types) && (f->resource_type.n == 0 || span_eq(f->resource_type, s->resource_type)) &&
	    (f->strong == f->weak || f->strong == s->strong);
}

static void
put_some(struct json_out *o, const char *name, struct span text)
{
	if (text.n == 0)
		return;
	json_key(o, name);
	json_put_span(o, text);
}

void
entity_put_association(struct json_out *o, const struct association *s)
{
	json_open(o, '{');
	put_some(o, "subject", s->subject);
	put_some(o, "guid", s->guid);
	put_some(o, "resourceName", s->resource_name);
	put_some(o, "resourceNamespace", s->resource_namespace);
	put_some(o, "resourceId", s->resource_id);
	put_some(o, "resourceType", s->resource_type);
	put_some(o, "associationType", s->type);
	put_some(o, "lifecycle", span_str(s->strong ? "STRONG" : "WEAK"));
	json_key(o, "frozen");
	json_put_bool(o, s->frozen);
	if (s->create_ts_ms != 0) {
		json_key(o, "createTs");
		json_put_int(o, s->create_ts_ms);
	}
	json_key(o, "updateTs");
	json_put_int(o, s->update_ts_ms);
	json_close(o, '}');
}

void
entity_put_subject_version(struct json_out *o, const struct version_entry *v)
{
	json_open(o, '{');
	json_key(o, "subject");
	json_put_span(o, v->subject);
	put_number(o, "version", v->version);
	json_close(o, '}');
}

/* A schema printed in a format; false with the refusal. */
static bool
print_text(struct http_request *q, const struct schema *schema, struct span format, struct span *out, struct refusal *why)
{
	struct buf text = { 0 };
	void *copy;

	schema_print_format(schema, format, &text);
	copy = text.failed ? NULL : arena_copy(q->arena, text.p, text.n);
	*out = span_of(copy, text.n);
	buf_done(&text);
	*why = (struct refusal){ REGISTRY_NO_MEMORY, "" };
	return copy != NULL;
}

bool
entity_text(struct app *app, struct http_request *q, struct http_response *r, const struct schema_entry *s, struct span *out)
{
	struct span format = http_query(q, "format");
	struct refusal why;
	struct schema *schema;
	bool good;

	*out = s->text;
	if (format.n == 0)
		return true;
	schema = registry_schema(app->registry, s, q->arena, &why);
	good = schema != NULL && print_text(q, schema, format, out, &why);
	schema_free(schema);
	/* Without references the stored text says all of it. */
	if (!good && span_is(format, "resolved") && s->n_references > 0) {
		app_refuse(r, &why);
		return false;
	}
	if (!good)
		*out = s->text;
	return true;
}

/* Whether a record or field has one of the tags that were asked for; * is any. */
static bool
has_one_of(const struct schema_tags *t, const struct span *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span_is(wanted[i], "*"))
			return true;
		for (size_t k = 0; k < t->n; k++)
			if (span_eq(t->tags[k], wanted[i]))
				return true;
	}
	return false;
}

/* findTags, as often as a query may have it. */
static void
find_tags(struct app *app, struct http_request *q, const struct schema_entry *s, struct telling *how)
{
	struct span wanted[HTTP_VALUES_MAX];
	struct refusal why;
	struct schema *schema;
	size_t n_wanted = 0, n;

	while (n_wanted < HTTP_VALUES_MAX && (wanted[n_wanted] = http_query_nth(q, "findTags", n_wanted)).p != NULL)
		n_wanted++;
	if (n_wanted == 0 || (schema = registry_schema(app->registry, s, q->arena, &why)) == NULL)
		return;
	if (schema_tags(schema, q->arena, &how->tags, &n))
		for (size_t i = 0; i < n; i++)
			if (has_one_of(&how->tags[i], wanted, n_wanted))
				how->tags[how->n_tags++] = how->tags[i];
	schema_free(schema);
}

bool
entity_telling(struct app *app, struct http_request *q, struct http_response *r, const struct schema_entry *s,
    struct telling *how)
{
	*how = (struct telling){ .qualified = span_is(http_query(q, "referenceFormat"), "qualified") };
	if (!entity_text(app, q, r, s, &how->text))
		return false;
	find_tags(app, q, s, how);
	return true;
}
