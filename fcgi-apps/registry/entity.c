/* entity.c -- the objects of the registry's API. */
#include "registry/entity.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "common/problem.h"

/* ---- requests ---- */

static bool
wrong_type(struct http_response *r, const char *type, const char *field)
{
	char text[160];

	snprintf(text, sizeof text, "Cannot deserialize value of type `%s` (field \"%s\")", type, field);
	problem_answer(r, r->type, &problem_bad_request, text);
	return false;
}

static bool
is_absent(const struct json *v)
{
	return v == NULL || v->kind == JSON_NULL;
}

/* Jackson makes text of numbers and booleans, and so do we. */
static bool
take_text(struct http_response *r, const struct json *in, const char *field, struct span *out)
{
	const struct json *v = json_get(in, field);

	*out = span_of(NULL, 0);
	if (is_absent(v))
		return true;
	if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
		return wrong_type(r, "String", field);
	*out = v->kind == JSON_TRUE ? span_str("true") : v->kind == JSON_FALSE ? span_str("false") : v->text;
	return true;
}

static bool
take_int(struct http_response *r, const struct json *in, const char *field, int32_t *out)
{
	const struct json *v = json_get(in, field);
	int64_t n;

	*out = 0;
	if (is_absent(v))
		return true;
	if (!json_is_int(v, &n) || n < INT32_MIN || n > INT32_MAX)
		return wrong_type(r, "Integer", field);
	*out = (int32_t)n;
	return true;
}

bool
entity_misfit(struct http_response *r, const struct misfit *why, const char *field)
{
	if (why->type != NULL)
		return wrong_type(r, why->type, why->field != NULL ? why->field : field);
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
		return wrong_type(r, "SchemaReference", "references");
	return take_text(r, in, "name", &out->name) && take_text(r, in, "subject", &out->subject) &&
	    take_int(r, in, "version", &out->version);
}

static bool
take_references(struct http_request *q, struct http_response *r, const struct json *body, struct schema_request *out)
{
	const struct json *v = json_get(body, "references");
	struct reference *list;
	size_t i = 0;

	if (is_absent(v))
		return true;
	if (v->kind != JSON_ARRAY)
		return wrong_type(r, "ArrayList", "references");
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

bool
entity_request(struct http_request *q, struct http_response *r, struct schema_request *out)
{
	const struct json *body = app_body(q, r);

	*out = (struct schema_request){ .normalize = http_query_bool(q, "normalize"), .force = http_query_bool(q, "force") };
	return body != NULL && take_text(r, body, "schema", &out->text) &&
	    take_text(r, body, "schemaType", &out->schema_type) && take_int(r, body, "id", &out->id) &&
	    take_int(r, body, "version", &out->version) &&
	    entity_take_extras(q, r, body, &out->metadata, &out->rule_set) && take_references(q, r, body, out);
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
	if (max_id > 0)
		put_number(o, "maxId", max_id);
	put_state(o, v->timestamp_ms, v->deleted);
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

struct span
entity_text(struct app *app, struct http_request *q, const struct schema_entry *s)
{
	struct span format = http_query(q, "format"), made = s->text;
	struct buf text = { 0 };
	struct refusal why;
	struct schema *schema;
	void *copy;

	if (format.n == 0 || (schema = registry_schema(app->registry, s, q->arena, &why)) == NULL)
		return s->text;
	schema_print_format(schema, format, &text);
	schema_free(schema);
	if (!text.failed && (copy = arena_copy(q->arena, text.p, text.n)) != NULL)
		made = span_of(copy, text.n);
	buf_done(&text);
	return made;
}

struct telling
entity_telling(struct app *app, struct http_request *q, const struct schema_entry *s)
{
	return (struct telling){ entity_text(app, q, s), span_is(http_query(q, "referenceFormat"), "qualified") };
}
