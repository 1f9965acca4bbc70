/* record.c -- the records of the topic `_schemas`, as Confluent's registry writes them. */
#include "registry/record.h"

#include <md5.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "json/write.h"
#include "registry/canonical.h"

/* ---- reading ---- */

static const struct keytype {
	const char *name;
	int magic_max;   /* from 0 */
	bool subject;    /* its key names one: where it has none, that of the empty name */
} keytypes[RECORD_TYPES] = {
	[RECORD_SCHEMA] = { "SCHEMA", 1, true },
	[RECORD_CONFIG] = { "CONFIG", 0, false },
	[RECORD_MODE] = { "MODE", 0, false },
	[RECORD_NOOP] = { "NOOP", 0, false },
	[RECORD_DELETE_SUBJECT] = { "DELETE_SUBJECT", 0, true },
	[RECORD_CLEAR_SUBJECT] = { "CLEAR_SUBJECT", 0, false },
	[RECORD_CONTEXT] = { "CONTEXT", 0, false },
	[RECORD_ASSOC] = { "ASSOC", 0, true },
};

static bool
fail(const char **why, const char *text)
{
	*why = text;
	return false;
}

/* A field that is text or absent (then null); false when it is anything else. */
static bool
read_text(const struct json *in, const char *name, struct span *out)
{
	const struct json *v = json_get(in, name);

	*out = json_is_absent(v) ? span_of(NULL, 0) : v->text;
	return json_is_absent(v) || v->kind == JSON_STRING;
}

static bool
read_int(const struct json *in, const char *name, int32_t *out)
{
	int64_t n;

	if (!json_is_int(json_get(in, name), &n) || n < INT32_MIN || n > INT32_MAX)
		return false;
	*out = (int32_t)n;
	return true;
}

/* A name that an association is found by, without the byte that stands between such names.  What is left out is empty. */
static bool
read_name(const struct json *in, const char *field, struct span *out)
{
	if (!read_text(in, field, out))
		return false;
	if (out->p == NULL)
		*out = span_str("");
	return memchr(out->p, '\0', out->n) == NULL;
}

static bool
read_resource(const struct json *key, struct record *r)
{
	return read_name(key, "resourceName", &r->resource_name) && read_name(key, "resourceNamespace", &r->resource_namespace) &&
	    read_name(key, "resourceType", &r->resource_type) && read_name(key, "associationType", &r->association_type) &&
	    memchr(r->subject.p, '\0', r->subject.n) == NULL;
}

static bool
read_key(const struct json *key, struct record *r, const char **why)
{
	const struct json *type = json_get(key, "keytype");
	int32_t magic = 0;

	while (r->type < RECORD_TYPES && !json_is_text(type, keytypes[r->type].name))
		r->type++;
	if (r->type == RECORD_TYPES)
		return fail(why, "its key is of no known type");
	if (json_get(key, "magic") != NULL && !read_int(key, "magic", &magic))
		return fail(why, "its key's magic is no number");
	if (magic < 0 || magic > keytypes[r->type].magic_max)
		return fail(why, "its key has an unknown magic number");
	if (!json_is_absent(json_get(key, "seq")) && (!json_is_int(json_get(key, "seq"), &r->seq) || r->seq < 0))
		return fail(why, "its key's seq is no offset");
	if (!read_text(key, "subject", &r->subject) || !read_text(key, "context", &r->context))
		return fail(why, "its key's names are no texts");
	if (keytypes[r->type].subject && r->subject.p == NULL)
		r->subject = span_str("");
	if (r->type == RECORD_SCHEMA && (!read_int(key, "version", &r->version) || r->version < 1))
		return fail(why, "its key has no version");
	if (r->type == RECORD_ASSOC && !read_resource(key, r))
		return fail(why, "its key's names are no texts, or have bytes of zero");
	return true;
}

static bool
read_references(struct arena *a, const struct json *value, struct record *r)
{
	const struct json *v = json_get(value, "references");
	struct reference *list;

	if (json_is_absent(v) || v->n == 0)
		return true;
	if (v->kind != JSON_ARRAY || (list = arena_array(a, v->n, sizeof *list)) == NULL)
		return false;
	r->references = list;
	for (const struct json *e = v->first; e != NULL; e = e->next) {
		struct reference *to = &list[r->n_references++];

		if (!read_text(e, "name", &to->name) || !read_text(e, "subject", &to->subject) ||
		    !read_int(e, "version", &to->version))
			return false;
		/* What is empty may be left out. */
		if (to->name.p == NULL)
			to->name = span_str("");
		if (to->subject.p == NULL)
			to->subject = span_str("");
	}
	return true;
}

static bool
read_schema(struct arena *a, const struct json *value, struct record *r, const char **why)
{
	const struct json *deleted = json_get(value, "deleted");
	struct misfit misfit;

	if (!read_int(value, "id", &r->id) || r->id < 1)
		return fail(why, "it has no id");
	if (!read_text(value, "schema", &r->schema) || r->schema.p == NULL)
		return fail(why, "it has no schema");
	if (!read_text(value, "schemaType", &r->schema_type))
		return fail(why, "its schemaType is no text");
	if (r->schema_type.p == NULL)
		r->schema_type = span_str("AVRO");
	if (!read_references(a, value, r))
		return fail(why, "its references can't be read");
	if (!canonical_metadata(a, json_get(value, "metadata"), &r->metadata, &misfit) ||
	    !canonical_rules(a, json_get(value, "ruleSet"), &r->rule_set, &misfit))
		return fail(why, "its metadata or rule set can't be read");
	r->deleted = json_is_kind(deleted, JSON_TRUE);
	return true;
}

/* What is not said of being frozen goes by the lifecycle. */
static bool
read_association(const struct json *value, struct record *r, const char **why)
{
	const struct json *lifecycle = json_get(value, "lifecycle"), *frozen = json_get(value, "frozen");
	const struct json *created = json_get(value, "createTs");

	r->strong = json_is_text(lifecycle, "STRONG");
	if (!r->strong && !json_is_text(lifecycle, "WEAK"))
		return fail(why, "its lifecycle is unknown");
	r->frozen = json_is_absent(frozen) ? r->strong : frozen->kind == JSON_TRUE;
	if (!read_text(value, "guid", &r->guid) || !read_text(value, "resourceId", &r->resource_id) ||
	    (r->resource_id.n > 0 && memchr(r->resource_id.p, '\0', r->resource_id.n) != NULL))
		return fail(why, "its guid or resourceId is no text, or has a byte of zero");
	if (!json_is_absent(created) && !json_is_int(created, &r->create_ts_ms))
		return fail(why, "its createTs is no number");
	return true;
}

static bool
read_value(struct arena *a, const struct json *value, struct record *r, const char **why)
{
	int32_t version = 0;

	switch (r->type) {
	case RECORD_SCHEMA:
		return read_schema(a, value, r, why);
	case RECORD_CONFIG:
		r->config = value;
		return true;
	case RECORD_MODE:
		if (!read_text(value, "mode", &r->mode) || r->mode.p == NULL)
			return fail(why, "it has no mode");
		return true;
	case RECORD_DELETE_SUBJECT:
		if (!read_int(value, "version", &version))
			return fail(why, "it has no version");
		r->version = version;
		return true;
	case RECORD_ASSOC:
		return read_association(value, r, why);
	default:
		return true;
	}
}

bool
record_read(struct arena *a, struct span key, struct span value, struct record *r, const char **why)
{
	struct json_mistake mistake;
	const struct json *tree;

	*r = (struct record){ .tombstone = value.p == NULL, .seq = -1 };
	if (key.p == NULL)
		return fail(why, "it has no key");
	tree = json_parse(a, key, &mistake);
	if (tree == NULL || tree->kind != JSON_OBJECT)
		return fail(why, "its key is no JSON object");
	if (!read_key(tree, r, why))
		return false;
	if (r->tombstone || r->type == RECORD_NOOP)
		return true;
	tree = json_parse(a, value, &mistake);
	if (tree == NULL || tree->kind != JSON_OBJECT)
		return fail(why, "its value is no JSON object");
	return read_value(a, tree, r, why);
}

/* ---- writing: what is empty is left out, as it is by Confluent's ---- */

static void
put_int(struct json_out *o, const char *name, int32_t n)
{
	json_key(o, name);
	json_put_int(o, n);
}

/* What identifies an association, less the subject. */
static void
put_resource_key(struct json_out *o, const struct record *r)
{
	json_put_member(o, "tenant", span_str("default"));
	json_put_member(o, "resourceName", r->resource_name);
	json_put_member(o, "resourceNamespace", r->resource_namespace);
	json_put_member(o, "resourceType", r->resource_type);
	json_put_member(o, "associationType", r->association_type);
}

void
record_put_key(struct buf *to, const struct record *r)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "keytype");
	json_put_str(&o, keytypes[r->type].name);
	if (r->type == RECORD_CONTEXT) {
		json_put_member(&o, "tenant", span_str("default"));
		json_put_member(&o, "context", r->context);
	}
	if (r->type == RECORD_ASSOC)
		put_resource_key(&o, r);
	json_put_member(&o, "subject", r->subject);
	if (r->type == RECORD_SCHEMA)
		put_int(&o, "version", r->version);
	put_int(&o, "magic", keytypes[r->type].magic_max);
	json_close(&o, '}');
}

static void
put_references(struct json_out *o, const struct record *r)
{
	if (r->n_references == 0)
		return;
	json_key(o, "references");
	json_open(o, '[');
	for (size_t i = 0; i < r->n_references; i++) {
		json_open(o, '{');
		json_put_member(o, "name", r->references[i].name);
		json_put_member(o, "subject", r->references[i].subject);
		put_int(o, "version", r->references[i].version);
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
put_schema(struct json_out *o, const struct record *r)
{
	put_int(o, "version", r->version);
	put_int(o, "id", r->id);
	json_put_member(o, "schemaType", r->schema_type);
	put_references(o, r);
	put_tree(o, "metadata", r->metadata);
	put_tree(o, "ruleSet", r->rule_set);
	/* One without is none, so that of an empty one is told, too. */
	json_key(o, "schema");
	json_put_span(o, r->schema);
	json_key(o, "deleted");
	json_put_bool(o, r->deleted);
}

static void
put_association(struct json_out *o, const struct record *r)
{
	json_put_member(o, "guid", r->guid);
	json_put_member(o, "tenant", span_str("default"));
	json_put_member(o, "resourceName", r->resource_name);
	json_put_member(o, "resourceNamespace", r->resource_namespace);
	json_put_member(o, "resourceId", r->resource_id);
	json_put_member(o, "resourceType", r->resource_type);
	json_put_member(o, "associationType", r->association_type);
	json_put_member(o, "lifecycle", span_str(r->strong ? "STRONG" : "WEAK"));
	json_key(o, "frozen");
	json_put_bool(o, r->frozen);
	if (r->create_ts_ms != 0) {
		json_key(o, "createTs");
		json_put_int(o, r->create_ts_ms);
	}
}

void
record_put_value(struct buf *to, const struct record *r)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_put_member(&o, "subject", r->subject);
	if (r->type == RECORD_SCHEMA)
		put_schema(&o, r);
	else if (r->type == RECORD_MODE)
		json_put_member(&o, "mode", r->mode);
	else if (r->type == RECORD_DELETE_SUBJECT)
		put_int(&o, "version", r->version);
	else if (r->type == RECORD_CONTEXT) {
		json_put_member(&o, "tenant", span_str("default"));
		json_put_member(&o, "context", r->context);
	} else if (r->type == RECORD_ASSOC)
		put_association(&o, r);
	json_close(&o, '}');
}

/* ---- identity ---- */

static void
hash_span(MD5_CTX *md5, struct span s)
{
	if (s.n > 0)
		MD5Update(md5, s.p, s.n);
}

static void
hash_one(MD5_CTX *md5)
{
	MD5Update(md5, (const uint8_t *)"\x01", 1);
}

static int
by_name(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;
	struct span s = (*x)->name.p != NULL ? (*x)->name : (*x)->text;
	struct span t = (*y)->name.p != NULL ? (*y)->name : (*y)->text;
	size_t n = s.n < t.n ? s.n : t.n;
	int r = n == 0 ? 0 : memcmp(s.p, t.p, n);

	return r != 0 ? r : (s.n > t.n) - (s.n < t.n);
}

/* The members of an object by name, or the texts of an array, sorted: names, and what is under them. */
static void
hash_sorted(MD5_CTX *md5, const struct json *in)
{
	const struct json **list;
	size_t n = 0;

	if (in == NULL || in->n == 0 || (in->kind != JSON_OBJECT && in->kind != JSON_ARRAY))
		return;
	list = xcalloc(in->n, sizeof *list);
	for (const struct json *v = in->first; v != NULL; v = v->next)
		list[n++] = v;
	qsort(list, n, sizeof *list, by_name);
	for (size_t i = 0; i < n; i++) {
		hash_span(md5, list[i]->name);
		if (list[i]->kind == JSON_ARRAY || list[i]->kind == JSON_OBJECT)
			hash_sorted(md5, list[i]);
		else
			hash_span(md5, list[i]->text);
	}
	free(list);
}

static void
hash_field(MD5_CTX *md5, const struct json *in, const char *name)
{
	const struct json *v = json_get(in, name);

	if (json_is_kind(v, JSON_STRING) || json_is_kind(v, JSON_NUMBER))
		hash_span(md5, v->text);
	else
		hash_sorted(md5, v);
}

static void
hash_rules(MD5_CTX *md5, const struct json *rules)
{
	static const char *const fields[] = { "name", "doc", "kind", "mode", "type", "tags", "params",
		"expr", "onSuccess", "onFailure" };

	if (!json_is_kind(rules, JSON_ARRAY))
		return;
	for (const struct json *rule = rules->first; rule != NULL; rule = rule->next) {
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			hash_field(md5, rule, fields[i]);
		if (json_is_kind(json_get(rule, "disabled"), JSON_TRUE))
			hash_one(md5);
	}
}

void
record_hash(const struct record *r, uint8_t out[16])
{
	uint8_t number[4];
	MD5_CTX md5;

	MD5Init(&md5);
	hash_span(&md5, r->schema);
	for (size_t i = 0; i < r->n_references; i++) {
		hash_span(&md5, r->references[i].name);
		hash_span(&md5, r->references[i].subject);
		store32(number, (uint32_t)r->references[i].version);
		MD5Update(&md5, number, sizeof number);
	}
	if (r->metadata != NULL) {
		hash_one(&md5);
		hash_field(&md5, r->metadata, "tags");
		hash_field(&md5, r->metadata, "properties");
		hash_field(&md5, r->metadata, "sensitive");
	}
	if (r->rule_set != NULL) {
		hash_one(&md5);
		hash_rules(&md5, json_get(r->rule_set, "migrationRules"));
		hash_rules(&md5, json_get(r->rule_set, "domainRules"));
		hash_rules(&md5, json_get(r->rule_set, "encodingRules"));
		hash_field(&md5, r->rule_set, "enableAt");
	}
	MD5Final(out, &md5);
}
