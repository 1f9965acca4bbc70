/* java_text.c -- a request as Java prints it: messages that clients know quote it so. */
#include "registry/registry_internal.h"

static void
put_text(struct buf *to, const struct json *v)
{
	buf_span(to, json_is_absent(v) ? span_str("null") : v->kind == JSON_TRUE ? span_str("true") :
		v->kind == JSON_FALSE ? span_str("false") : v->text);
}

static void put_value(struct buf *to, const struct json *v);

/* Java's collections: [a, b], {k=v, l=w}. */
static void
put_values(struct buf *to, const struct json *in, bool named)
{
	buf_u8(to, named ? '{' : '[');
	for (const struct json *v = in == NULL ? NULL : in->first; v != NULL; v = v->next) {
		if (v != in->first)
			buf_put(to, ", ", 2);
		if (named) {
			buf_span(to, v->name);
			buf_u8(to, '=');
		}
		put_value(to, v);
	}
	buf_u8(to, named ? '}' : ']');
}

static void
put_value(struct buf *to, const struct json *v)
{
	if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
		put_values(to, v, v->kind == JSON_OBJECT);
	else
		put_text(to, v);
}

static void
put_rule(struct buf *to, const struct json *rule)
{
	/* How each field is printed: %s as it is, %l a list, %m a map. */
	static const struct {
		const char *before, *name;
		char kind;
	} fields[] = {
		{ "Rule{name=", "name", 's' },
		{ ", doc=", "doc", 's' },
		{ ", kind=", "kind", 's' },
		{ ", mode=", "mode", 's' },
		{ ", type='", "type", 's' },
		{ "', tags='", "tags", 'l' },
		{ "', params='", "params", 'm' },
		{ "', expr='", "expr", 's' },
		{ "', onSuccess='", "onSuccess", 's' },
		{ "', onFailure='", "onFailure", 's' },
		{ "', disabled='", "disabled", 's' },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const struct json *v = json_get(rule, fields[i].name);

		buf_span(to, span_str(fields[i].before));
		if (fields[i].kind == 's')
			put_text(to, v);
		else
			put_values(to, v, fields[i].kind == 'm');
	}
	buf_span(to, span_str("'}"));
}

static void
put_rules(struct buf *to, const char *before, const struct json *list)
{
	buf_printf(to, "%s[", before);
	for (const struct json *rule = list == NULL ? NULL : list->first; rule != NULL; rule = rule->next) {
		if (rule != list->first)
			buf_put(to, ", ", 2);
		put_rule(to, rule);
	}
	buf_u8(to, ']');
}

static void
put_rule_set(struct buf *to, const struct json *rules)
{
	if (rules == NULL) {
		buf_span(to, span_str("null"));
		return;
	}
	put_rules(to, "Rules{migrationRules=", json_get(rules, "migrationRules"));
	put_rules(to, ", domainRules=", json_get(rules, "domainRules"));
	put_rules(to, ", encodingRules=", json_get(rules, "encodingRules"));
	buf_span(to, span_str(", enableAt="));
	put_text(to, json_get(rules, "enableAt"));
	buf_u8(to, '}');
}

static void
put_metadata(struct buf *to, const struct json *metadata)
{
	if (metadata == NULL) {
		buf_span(to, span_str("null"));
		return;
	}
	buf_span(to, span_str("Metadata{tags="));
	put_values(to, json_get(metadata, "tags"), true);
	buf_span(to, span_str(", properties="));
	put_values(to, json_get(metadata, "properties"), true);
	buf_span(to, span_str(", sensitive="));
	put_values(to, json_get(metadata, "sensitive"), false);
	buf_u8(to, '}');
}

static void
put_reference(struct buf *to, const struct reference *ref)
{
	struct span name = ref->name.p == NULL ? span_str("null") : ref->name;
	struct span subject = ref->subject.p == NULL ? span_str("null") : ref->subject;

	buf_printf(to, "{name='%.*s', subject='%.*s', version=", (int)name.n, (const char *)name.p, (int)subject.n,
	    (const char *)subject.p);
	if (ref->version == 0)
		buf_span(to, span_str("null}"));
	else
		buf_printf(to, "%d}", (int)ref->version);
}

static const char *
keep(struct arena *a, struct buf *text)
{
	const char *kept;

	buf_u8(text, '\0');
	kept = text->failed ? NULL : arena_copy(a, text->p, text->n);
	buf_done(text);
	return kept == NULL ? "" : kept;
}

const char *
parse_reference_text(struct arena *a, const struct reference *ref)
{
	struct buf text = { 0 };

	put_reference(&text, ref);
	return keep(a, &text);
}

const char *
parse_request_text(struct arena *a, struct span subject, const struct schema_request *q)
{
	struct buf text = { 0 };

	buf_span(&text, span_str("{subject="));
	buf_span(&text, subject);
	buf_printf(&text, ",version=%d,id=%d,schemaType=", (int)q->version, q->id == 0 ? -1 : (int)q->id);
	buf_span(&text, q->schema_type.n == 0 ? span_str("AVRO") : q->schema_type);
	buf_span(&text, span_str(",references=["));
	for (size_t i = 0; i < q->n_references; i++) {
		if (i > 0)
			buf_put(&text, ", ", 2);
		put_reference(&text, &q->references[i]);
	}
	buf_u8(&text, ']');
	buf_span(&text, span_str(",metadata="));
	put_metadata(&text, q->metadata);
	buf_span(&text, span_str(",ruleSet="));
	put_rule_set(&text, q->rule_set);
	buf_span(&text, span_str(",schema="));
	buf_span(&text, q->text);
	buf_u8(&text, '}');
	return keep(a, &text);
}
