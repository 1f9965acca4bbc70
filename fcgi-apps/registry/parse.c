/* parse.c -- schemas parsed with those that they refer to, and compared with the versions of a subject. */
#include <stdlib.h>
#include <string.h>

#include "registry/registry_internal.h"

/*
 * Schemas that refer to schemas that refer ...: so deep, and so many in all, of so many bytes of text, whether it is a
 * request's schema or a stored one that refers to them.
 */
enum { REFERENCE_DEPTH_MAX = 32, REFERENCES_MAX = 1000, REFERENCES_BYTES_MAX = 8 << 20 };

/* A schema that another refers to, parsed. */
struct known {
	const struct schema_entry *entry;
	struct schema *schema; /* counted */
	struct known *next;
};

static bool
no_memory(struct resolution *z)
{
	return refuse(z->why, z->arena, REGISTRY_NO_MEMORY);
}

void
state_forget(struct resolution *z)
{
	struct known *k;

	while ((k = z->known) != NULL) {
		z->known = k->next;
		schema_free(k->schema);
		free(k);
	}
	z->n_known = 0;
	z->known_bytes = 0;
}

/* Without memory for it, it is parsed anew where it comes again. */
static void
remember(struct resolution *z, const struct schema_entry *e, struct schema *made)
{
	struct known *k = malloc(sizeof *k);

	if (k == NULL)
		return;
	*k = (struct known){ e, schema_share(made), z->known };
	z->known = k;
	z->n_known++;
	z->known_bytes += e->text.n;
}

static struct schema *parse_reference(struct resolution *, const struct schema_entry *);

/* The type of a name, if its schemas can be parsed; else the refusal. */
static bool
find_type(struct resolution *z, struct span name, enum schema_type *out)
{
	if (schema_type_parse(name, out) && schema_type_supported(*out))
		return true;
	return refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA,
	    arena_printf(z->arena, "Invalid schema type %s", text_of(z->arena, name)));
}

/* The schema that a reference means; NULL with the refusal.  Counted. */
static struct schema *
resolve(struct resolution *z, struct span context, const struct reference *ref, bool stored)
{
	struct span subject = registry_subject(z->scratch, context, ref->subject);
	const struct subject *s = state_subject(z->registry, subject);
	const struct version *v = ref->version == REGISTRY_LATEST ? state_newest(s, REGISTRY_LIVE)
								  : state_version(s, ref->version);

	/* What is stored may refer to what was deleted since. */
	if (v != NULL && (stored || !v->entry.deleted))
		return parse_reference(z, v->entry.schema);
	refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA,
	    arena_printf(z->arena, "No schema reference found for subject \"%s\" and version %d",
		text_of(z->arena, subject), (int)ref->version));
	return NULL;
}

static void
free_refs(struct schema_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schema_free(refs[i].schema);
}

/* Parses a text with its references; NULL with the refusal, or (from the parser) with `mistake`. */
static struct schema *
parse(struct resolution *z, struct span context, enum schema_type type, struct span text, bool stored,
    const struct reference *references, size_t n, struct schema_mistake *mistake)
{
	struct schema_ref *refs = arena_array(z->scratch, n, sizeof *refs);
	struct schema *made = NULL;
	size_t i = 0;

	*mistake = (struct schema_mistake){ 0 };
	if (refs == NULL && n > 0) {
		no_memory(z);
		return NULL;
	}
	for (; i < n; i++) {
		refs[i].name = references[i].name;
		if ((refs[i].schema = resolve(z, context, &references[i], stored)) == NULL)
			break;
	}
	if (i == n)
		made = schema_parse(type, text, stored, refs, n, mistake);
	free_refs(refs, i);
	if (made == NULL && mistake->memory)
		no_memory(z);
	return made;
}

/* A stored schema; NULL with the refusal. */
static struct schema *
parse_stored(struct resolution *z, const struct schema_entry *e)
{
	struct schema_mistake mistake;
	struct schema *made;
	enum schema_type type;

	if (!find_type(z, e->schema_type, &type))
		return NULL;
	made = parse(z, e->context, type, e->text, true, e->references, e->n_references, &mistake);
	if (made == NULL && mistake.text[0] != '\0')
		refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA,
		    arena_printf(z->arena, "Invalid schema of type %s, details: %s", text_of(z->arena, e->schema_type),
			mistake.text));
	return made;
}

static struct schema *
parse_reference(struct resolution *z, const struct schema_entry *e)
{
	struct known *k = z->known;
	struct schema *made;

	while (k != NULL && k->entry != e)
		k = k->next;
	if (k != NULL)
		return schema_share(k->schema);
	z->bytes += e->text.n;
	if (z->bytes > REFERENCES_BYTES_MAX) {
		refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA, "What it refers to is too large");
		return NULL;
	}
	if (z->depth == REFERENCE_DEPTH_MAX || z->total == REFERENCES_MAX) {
		refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA, "Too many references");
		return NULL;
	}
	z->depth++;
	z->total++;
	made = parse_stored(z, e);
	z->depth--;
	if (made != NULL)
		remember(z, e, made);
	return made;
}

struct schema *
state_schema(struct resolution *z, const struct schema_entry *e)
{
	/* What others before it referred to is known still, as long as that is not too much. */
	if (z->n_known > REFERENCES_MAX || z->known_bytes > REFERENCES_BYTES_MAX)
		state_forget(z);
	z->depth = z->total = 0;
	z->bytes = 0;
	return parse_stored(z, e);
}

struct schema *
registry_schema(const struct registry *r, const struct schema_entry *e, struct arena *a, struct refusal *why)
{
	struct resolution z = { .registry = r, .arena = a, .scratch = a, .why = why };
	struct schema *s = state_schema(&z, e);

	state_forget(&z);
	return s;
}

/* ---- what requests bring ---- */

static int
by_reference_name(const void *x, const void *y)
{
	const struct reference *a = x, *b = y;
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int r = n == 0 ? 0 : memcmp(a->name.p, b->name.p, n);

	return r != 0 ? r : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static bool
same_reference(const struct reference *a, const struct reference *b)
{
	return span_eq(a->name, b->name) && span_eq(a->subject, b->subject) && a->version == b->version;
}

/* Each has all that it needs; -1 becomes the number of the latest version; in the normal form they are sorted, each once. */
static bool
settle_references(struct resolution *z, struct span context, const struct schema_request *q, struct record *rec)
{
	struct reference *list = arena_array(z->arena, q->n_references, sizeof *list);
	size_t n = 0;

	if (list == NULL && q->n_references > 0)
		return no_memory(z);
	for (size_t i = 0; i < q->n_references; i++) {
		struct reference *ref = &list[i];

		*ref = q->references[i];
		if (ref->name.p == NULL || ref->subject.p == NULL || ref->version == 0)
			return refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA,
			    arena_printf(z->arena, "Invalid reference: %s", parse_reference_text(z->arena, ref)));
		if (ref->version == REGISTRY_LATEST) {
			const struct version *v = state_newest(
			    state_subject(z->registry, registry_subject(z->arena, context, ref->subject)),
			    REGISTRY_LIVE);

			if (v != NULL)
				ref->version = v->entry.version;
		}
	}
	if (q->normalize && q->n_references > 1)
		qsort(list, q->n_references, sizeof *list, by_reference_name);
	for (size_t i = 0; i < q->n_references; i++)
		if (!q->normalize || n == 0 || !same_reference(&list[n - 1], &list[i]))
			list[n++] = list[i];
	rec->references = list;
	rec->n_references = n;
	return true;
}

bool
state_is_import(const struct registry *r, struct span subject)
{
	struct span mode = registry_mode(r, subject);

	return span_is(mode, "IMPORT") || span_is(mode, "FORWARD");
}

bool
state_is_blank(struct span text)
{
	while (text.n > 0 && text.p[text.n - 1] <= ' ')
		text.n--;
	return text.n == 0;
}

static bool
is_lenient(const struct registry *r, struct span subject)
{
	return state_is_import(r, subject) ||
	    json_is_kind(registry_config_field(r, subject, "validateNewSchemas"), JSON_FALSE);
}

static bool
print(struct resolution *z, const struct schema *s, bool normalize, struct span *out)
{
	struct buf text = { 0 };
	void *copy;

	schema_print(s, normalize, &text);
	copy = text.failed ? NULL : arena_copy(z->arena, text.p, text.n);
	*out = span_of(copy, text.n);
	buf_done(&text);
	return copy != NULL || no_memory(z);
}

static bool
parse_request(struct resolution *z, struct span subject, const struct schema_request *q, struct parsed_schema *out)
{
	struct span name, context = registry_context(subject, &name);
	struct schema_mistake mistake;
	struct record *rec = &out->record;
	bool stored = q->known || is_lenient(z->registry, subject);
	enum schema_type type;

	*rec = (struct record){ .type = RECORD_SCHEMA, .metadata = q->metadata, .rule_set = q->rule_set };
	rec->schema_type = q->schema_type.n == 0 ? span_str("AVRO") : q->schema_type;
	if (state_is_blank(q->text))
		return refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA, "Empty schema");
	if (!find_type(z, rec->schema_type, &type))
		return false;
	if (!settle_references(z, context, q, rec))
		return false;
	z->why->problem = REGISTRY_OK;
	out->schema = parse(z, context, type, q->text, stored, rec->references,
	    rec->n_references, &mistake);
	if (out->schema != NULL)
		return print(z, out->schema, q->normalize, &rec->schema);
	/* Where a reference was to blame that has been said. */
	if (z->why->problem == REGISTRY_OK)
		refuse(z->why, z->arena, REGISTRY_INVALID_SCHEMA,
		    arena_printf(z->arena, "Invalid schema %s, details: %s",
			parse_request_text(z->arena, subject, q), mistake.text));
	return false;
}

/* What is imported stays as it was elsewhere. */
bool
state_wants_normal(const struct registry *r, struct span subject, const struct schema_request *q)
{
	return !state_is_import(r, subject) && (q->normalize || registry_normalize(r, subject));
}

bool
registry_parse(const struct registry *r, struct span subject, const struct schema_request *q,
    struct arena *a, struct parsed_schema *out, struct refusal *why)
{
	struct resolution z = { .registry = r, .arena = a, .scratch = a, .why = why };
	struct schema_request asked = *q;
	bool good;

	*out = (struct parsed_schema){ 0 };
	asked.normalize = state_wants_normal(r, subject, q);
	good = parse_request(&z, subject, &asked, out);
	state_forget(&z);
	if (good)
		record_hash(&out->record, out->hash);
	else {
		schema_free(out->schema);
		out->schema = NULL;
	}
	return good;
}

/* ---- compatibility ---- */

/* Adds sentences behind the others; false with the refusal. */
static bool
add_messages(struct resolution *z, struct level_messages *to, const char *const *more, size_t n)
{
	const char **list = arena_array(z->arena, to->n + n + 1, sizeof *list);

	if (list == NULL)
		return no_memory(z);
	for (size_t i = 0; i < to->n; i++)
		list[i] = to->list[i];
	for (size_t i = 0; i < n; i++) {
		if (more[i] == NULL)
			return no_memory(z);
		list[to->n + i] = more[i];
	}
	*to = (struct level_messages){ .list = list, .n = to->n + n };
	return true;
}

/* What stands behind all other messages. */
static const char *
last_message(struct arena *a, enum level level, bool fields)
{
	return arena_printf(a, "{validateFields: '%s', compatibility: '%s'}", fields ? "true" : "false",
	    level_name(level));
}

/* What is told where types differ, which no level but NONE allows. */
static bool
tell_types(struct resolution *z, enum level level, bool fields, bool *compatible, struct level_messages *messages)
{
	const char *told[] = { "Incompatible because of different schema type", last_message(z->arena, level, fields) };

	*compatible = level == LEVEL_NONE;
	return *compatible || add_messages(z, messages, told, 2);
}

/* ---- reserved fields: those of the property confluent:reserved ---- */

/* The next name of a list by commas; false at its end. */
static bool
next_reserved(struct span *list, struct span *name)
{
	while (list->n > 0) {
		const uint8_t *comma = memchr(list->p, ',', list->n);
		size_t n = comma == NULL ? list->n : (size_t)(comma - list->p);

		*name = span_of(list->p, n);
		*list = span_of(list->p + n + (comma != NULL), list->n - n - (comma != NULL));
		while (name->n > 0 && name->p[0] <= ' ')
			*name = span_of(name->p + 1, name->n - 1);
		while (name->n > 0 && name->p[name->n - 1] <= ' ')
			name->n--;
		if (name->n > 0)
			return true;
	}
	return false;
}

static struct span
reserved_by(const struct json *metadata)
{
	const struct json *v = json_get(json_get(metadata, "properties"), "confluent:reserved");

	return json_is_kind(v, JSON_STRING) ? v->text : span_of("", 0);
}

/* So many fields are looked at in either schema: each is looked for among all others. */
enum { RESERVED_MAX = 1000 };

static bool
is_reserved(struct span list, struct span wanted)
{
	struct span name;

	for (int seen = 0; seen < RESERVED_MAX && next_reserved(&list, &name); seen++)
		if (span_eq(name, wanted))
			return true;
	return false;
}

static bool
check_reserved(struct resolution *z, const struct json *before, const struct parsed_schema *p,
    struct level_messages *messages)
{
	struct span now = reserved_by(p->record.metadata), list, name;
	const char *text;
	int seen = 0;

	for (list = reserved_by(before); next_reserved(&list, &name) && seen++ < RESERVED_MAX;) {
		if (is_reserved(now, name))
			continue;
		text = arena_printf(z->arena, "The new schema has reserved field %.*s removed from its metadata which is present "
		    "in the old schema's metadata.", (int)name.n, (const char *)name.p);
		if (!add_messages(z, messages, &text, 1))
			return false;
	}
	for (list = now, seen = 0; next_reserved(&list, &name) && seen++ < RESERVED_MAX;) {
		if (!schema_has_field(p->schema, name))
			continue;
		text = arena_printf(z->arena, "The new schema has field that conflicts with the reserved field %.*s.", (int)name.n,
		    (const char *)name.p);
		if (!add_messages(z, messages, &text, 1))
			return false;
	}
	return true;
}

/* Adds those that end with a comparison. */
static bool
keep_messages(struct resolution *z, struct level_messages *to, const struct level_messages *from)
{
	if (from->n == 0)
		return true;
	for (size_t i = 0; i < from->n; i++)
		from->list[i] = arena_copy(z->arena, from->list[i], strlen(from->list[i]) + 1);
	return add_messages(z, to, from->list, from->n);
}

/* Compares with one version, in memory that ends with it: so much there is for each, however many there are. */
static bool
check_version(struct resolution *z, enum level level, bool fields, const struct version *v, const struct parsed_schema *p,
    bool *compatible, struct level_messages *messages)
{
	struct level_version earlier = { .version = v->entry.version, .text = v->entry.schema->text };
	struct level_messages told = { 0 };
	struct arena scratch;
	struct schema *s;
	bool good = false;

	arena_init(&scratch, z->arena->cap);
	z->scratch = &scratch;
	earlier.schema = s = state_schema(z, v->entry.schema);
	if (s != NULL) {
		*compatible = level_check(level, p->schema, &earlier, 1, fields, &scratch, &told);
		good = told.memory ? no_memory(z) : keep_messages(z, messages, &told);
	}
	schema_free(s);
	z->scratch = z->arena;
	arena_done(&scratch);
	/* Not the body, but what it takes to compare, say, unions of 500 records each. */
	if (!good && z->why->problem == REGISTRY_NO_MEMORY)
		refuse(z->why, z->arena, REGISTRY_SCHEMA_TOO_LARGE);
	return good;
}

/* Compares with versions up to the first that conflicts, or is of another type, which need not be one that we can parse. */
static bool
check_versions(struct resolution *z, enum level level, bool fields, const struct version *const *versions, size_t n,
    const struct parsed_schema *p, bool *compatible, struct level_messages *messages)
{
	for (size_t i = 0; i < n && *compatible; i++) {
		if (!span_eq(versions[i]->entry.schema->schema_type, p->record.schema_type))
			return tell_types(z, level, fields, compatible, messages);
		if (!check_version(z, level, fields, versions[i], p, compatible, messages))
			return false;
	}
	return true;
}

/* Fields that are reserved are told first, whatever the level; `newest`: of the versions that are asked for, NULL: none. */
static bool
check(struct resolution *z, struct span subject, const struct version *newest, const struct version *const *versions,
    size_t n, const struct parsed_schema *p, bool *compatible, struct level_messages *messages)
{
	bool fields = json_is_kind(registry_config_field(z->registry, subject, "validateFields"), JSON_TRUE);
	enum level level = registry_level(z->registry, subject);
	struct level_messages more = { 0 };
	const char *last;

	if (fields && !check_reserved(z, newest == NULL ? NULL : newest->entry.schema->metadata, p, messages))
		return false;
	if (!check_versions(z, level, fields, versions, n, p, compatible, &more))
		return false;
	if (messages->n == 0) {
		*messages = more;
		return true;
	}
	if (*compatible) {
		*compatible = false;
		last = last_message(z->arena, level, fields);
		return add_messages(z, messages, &last, 1);
	}
	return add_messages(z, messages, more.list, more.n);
}

/* The value of the property that the config names as its group; null: it names none, or the schema has no such property. */
static struct span
group_of(const struct json *name, const struct json *metadata)
{
	char text[128];
	const struct json *v;

	if (!json_is_kind(name, JSON_STRING) || name->text.n >= sizeof text || memchr(name->text.p, '\0', name->text.n) != NULL)
		return span_of(NULL, 0);
	memcpy(text, name->text.p, name->text.n);
	text[name->text.n] = '\0';
	v = json_get(json_get(metadata, "properties"), text);
	return json_is_kind(v, JSON_STRING) ? v->text : span_of(NULL, 0);
}

/* A live version of the same group as the new schema: with others it is not compared. */
static bool
concerns(const struct version *v, const struct json *group_name, const struct parsed_schema *p)
{
	return !v->entry.deleted &&
	    span_eq(group_of(group_name, p->record.metadata), group_of(group_name, v->entry.schema->metadata));
}

/* Those that a schema is to be compared with, newest first: those that the subject's level asks for, or just `one`. */
static const struct version **
asked_for(const struct registry *r, struct span subject, const struct subject *s, const struct version *one,
    const struct parsed_schema *p, struct arena *a, size_t *n)
{
	const struct json *group_name = registry_config_field(r, subject, "compatibilityGroup");
	enum level level = registry_level(r, subject);
	bool all = level_is_transitive(level);
	const struct version **list = arena_array(a, s == NULL ? 1 : s->n + 1, sizeof *list);

	*n = 0;
	if (list != NULL && one != NULL && concerns(one, group_name, p))
		list[(*n)++] = one;
	if (list == NULL || s == NULL || one != NULL || level == LEVEL_NONE)
		return list;
	for (size_t i = s->n; i > 0 && (all || *n == 0); i--)
		if (concerns(s->versions[i - 1], group_name, p))
			list[(*n)++] = s->versions[i - 1];
	return list;
}

/* With `one` (NULL: with those that the level asks for). */
static bool
compare(const struct registry *r, struct span subject, const struct version *one, const struct parsed_schema *p,
    struct arena *a, bool *compatible, struct level_messages *messages, struct refusal *why)
{
	struct resolution z = { .registry = r, .arena = a, .scratch = a, .why = why };
	const struct subject *s = state_subject(r, subject);
	const struct version **list;
	bool good;
	size_t n;

	*messages = (struct level_messages){ 0 };
	*compatible = true;
	if ((list = asked_for(r, subject, s, one, p, a, &n)) == NULL)
		return no_memory(&z);
	good = check(&z, subject, one != NULL ? one : state_newest(s, REGISTRY_LIVE), list, n, p, compatible, messages);
	state_forget(&z);
	return good;
}

bool
state_check(const struct registry *r, struct span subject, const struct parsed_schema *p, struct arena *a,
    bool *compatible, struct level_messages *messages, struct refusal *why)
{
	return compare(r, subject, NULL, p, a, compatible, messages, why);
}

bool
registry_check(const struct registry *r, struct span subject, int32_t version, const struct schema_request *q,
    struct arena *a, bool *compatible, struct level_messages *messages, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);
	const struct version *one = version == REGISTRY_LATEST ? state_newest(s, REGISTRY_LIVE) : state_version(s, version);
	struct parsed_schema p;
	bool good;

	if (version > 0 && (one == NULL || one->entry.deleted))
		return refuse(why, a, REGISTRY_VERSION_NOT_FOUND, (int)version);
	if (!registry_parse(r, subject, q, a, &p, why))
		return false;
	good = compare(r, subject, one, &p, a, compatible, messages, why);
	schema_free(p.schema);
	return good;
}
