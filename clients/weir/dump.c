/* dump.c -- an exported registry: lines of JSON, each an object. */
#include "weir/dump.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* ---- writing ---- */

static void
end_line(struct json_out *o)
{
	json_close(o, '}');
	buf_u8(o->to, '\n');
}

void
dump_put_head(struct buf *to, const struct json *contexts)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "weir-schema-export");
	json_put_int(&o, DUMP_FORMAT);
	json_key(&o, "contexts");
	json_put_tree(&o, contexts);
	end_line(&o);
}

/* What of a schema is kept: all but when it was written, and what is derived from its text. */
static const char *const kept[] = { "subject", "version", "id", "guid", "schemaType", "references", "metadata", "ruleSet", "schema" };

void
dump_put_schema(struct buf *to, const struct json *entity, bool deleted)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "schema");
	json_open(&o, '{');
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const struct json *v = json_get(entity, kept[i]);

		if (json_is_absent(v))
			continue;
		json_key(&o, kept[i]);
		json_put_tree(&o, v);
	}
	json_key(&o, "deleted");
	json_put_bool(&o, deleted);
	json_close(&o, '}');
	end_line(&o);
}

static void
put_subject(struct json_out *o, const char *subject)
{
	if (subject == NULL)
		return;
	json_key(o, "subject");
	json_put_str(o, subject);
}

void
dump_put_config(struct buf *to, const char *subject, const struct json *config)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "config");
	json_put_tree(&o, config);
	put_subject(&o, subject);
	end_line(&o);
}

void
dump_put_mode(struct buf *to, const char *subject, const char *mode)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "mode");
	json_put_str(&o, mode);
	put_subject(&o, subject);
	end_line(&o);
}

/* The names that an association has, and what the API calls them. */
static const struct {
	const char *name;
	size_t at;             /* in struct dump_association */
	const char *otherwise; /* where it is not told; NULL: it has to be */
} association_names[] = {
	{ "resourceName", offsetof(struct dump_association, resource_name), NULL },
	{ "resourceNamespace", offsetof(struct dump_association, resource_namespace), NULL },
	{ "resourceId", offsetof(struct dump_association, resource_id), "" },
	{ "resourceType", offsetof(struct dump_association, resource_type), "topic" },
	{ "subject", offsetof(struct dump_association, subject), NULL },
	{ "associationType", offsetof(struct dump_association, type), NULL },
};

enum { ASSOCIATION_NAMES = sizeof association_names / sizeof *association_names };

static const char *
association_name(const struct dump_association *s, size_t i)
{
	return *(const char *const *)((const char *)s + association_names[i].at);
}

void
dump_put_association(struct buf *to, const struct dump_association *s)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "association");
	json_open(&o, '{');
	for (size_t i = 0; i < ASSOCIATION_NAMES; i++) {
		json_key(&o, association_names[i].name);
		json_put_str(&o, association_name(s, i));
	}
	json_key(&o, "lifecycle");
	json_put_str(&o, s->strong ? "STRONG" : "WEAK");
	json_key(&o, "frozen");
	json_put_bool(&o, s->frozen);
	json_close(&o, '}');
	end_line(&o);
}

void
dump_put_end(struct buf *to, const struct dump_counts *n)
{
	buf_printf(to,
	    "{\"end\":{\"schemas\":%" PRId64 ",\"configs\":%" PRId64 ",\"modes\":%" PRId64 ",\"associations\":%" PRId64 "}}\n",
	    n->schemas, n->configs, n->modes, n->associations);
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct dump *out;
	int64_t line;
	bool head, end;
	struct dump_counts told; /* by the last line */
	char *why;
	size_t size;
};

static bool
wrong(struct reader *r, const char *what)
{
	snprintf(r->why, r->size, "line %" PRId64 ": %s", r->line, what);
	return false;
}

/* A name as a string; false: it is none, or has a zero byte in it. */
static bool
take_name(struct arena *a, const struct json *j, const char **out)
{
	if (!json_is_kind(j, JSON_STRING) || memchr(j->text.p, '\0', j->text.n) != NULL)
		return false;
	*out = cli_str(a, j->text);
	return true;
}

static bool
take_head(struct reader *r, const struct json *j)
{
	int64_t format;

	if (!json_is_int(json_get(j, "weir-schema-export"), &format))
		return wrong(r, "this is no export of a registry: such a file begins with {\"weir-schema-export\":1");
	if (format != DUMP_FORMAT)
		return wrong(r, "this export has another format: a newer weir reads it");
	return r->head = true;
}

static bool
take_schema(struct reader *r, const struct json *j)
{
	struct dump_schema s = { .entity = j, .deleted = json_is_kind(json_get(j, "deleted"), JSON_TRUE) };

	if (!take_name(r->arena, json_get(j, "subject"), &s.subject) || !json_is_int(json_get(j, "version"), &s.version) ||
	    s.version < 1 || s.version > INT32_MAX || !json_is_int(json_get(j, "id"), &s.id) || s.id < 1 || s.id > INT32_MAX ||
	    !json_is_kind(json_get(j, "schema"), JSON_STRING))
		return wrong(r, "a schema has subject, version, id and schema");
	r->out->schemas[r->out->n.schemas++] = s;
	return true;
}

static bool
take_setting(struct reader *r, const struct json *j, const struct json *value, struct dump_setting *list, int64_t *n)
{
	struct dump_setting s = { .value = value };

	if (json_get(j, "subject") != NULL && !take_name(r->arena, json_get(j, "subject"), &s.subject))
		return wrong(r, "a subject is a string");
	/* Exports of before had what is set for all once more, where there was a subject with an empty name. */
	if (s.subject != NULL && s.subject[0] == '\0')
		s.subject = NULL;
	list[(*n)++] = s;
	return true;
}

bool
dump_association(struct arena *a, const struct json *j, struct dump_association *out)
{
	const struct json *lifecycle = json_get(j, "lifecycle"), *frozen = json_get(j, "frozen");

	*out = (struct dump_association){ .strong = json_is_text(lifecycle, "STRONG") };
	for (size_t i = 0; i < ASSOCIATION_NAMES; i++) {
		const char **name = (const char **)((char *)out + association_names[i].at), *otherwise = association_names[i].otherwise;

		*name = otherwise;
		if (!take_name(a, json_get(j, association_names[i].name), name) && otherwise == NULL)
			return false;
		if (otherwise == NULL && (*name)[0] == '\0')
			return false;
	}
	/* Newer registries tell it only where it is not as the lifecycle has it. */
	out->frozen = frozen == NULL ? out->strong : json_is_kind(frozen, JSON_TRUE);
	return out->strong || json_is_text(lifecycle, "WEAK");
}

static bool
take_association(struct reader *r, const struct json *j)
{
	if (!dump_association(r->arena, j, &r->out->associations[r->out->n.associations]))
		return wrong(r, "an association has " DUMP_ASSOCIATION_NEEDS);
	r->out->n.associations++;
	return true;
}

static bool
take_end(struct reader *r, const struct json *j)
{
	const struct json *associations = json_get(j, "associations");

	/* Exports of before had no associations, and did not count them. */
	if (!json_is_int(json_get(j, "schemas"), &r->told.schemas) || !json_is_int(json_get(j, "configs"), &r->told.configs) ||
	    !json_is_int(json_get(j, "modes"), &r->told.modes) ||
	    (associations != NULL && !json_is_int(associations, &r->told.associations)))
		return wrong(r, "the last line counts schemas, configs and modes");
	return r->end = true;
}

static bool
take_line(struct reader *r, struct span text)
{
	struct json_mistake mistake;
	const struct json *j = json_parse(r->arena, text, &mistake), *v;

	must_fit(j != NULL || !mistake.memory);
	if (j == NULL)
		return wrong(r, mistake.text);
	if (r->end)
		return wrong(r, "there is something behind the last line");
	if (!r->head)
		return take_head(r, j);
	if (json_is_kind(v = json_get(j, "schema"), JSON_OBJECT))
		return take_schema(r, v);
	if (json_is_kind(v = json_get(j, "config"), JSON_OBJECT))
		return take_setting(r, j, v, r->out->configs, &r->out->n.configs);
	if (json_is_kind(v = json_get(j, "mode"), JSON_STRING))
		return take_setting(r, j, v, r->out->modes, &r->out->n.modes);
	if (json_is_kind(v = json_get(j, "association"), JSON_OBJECT))
		return take_association(r, v);
	if (json_is_kind(v = json_get(j, "end"), JSON_OBJECT))
		return take_end(r, v);
	return wrong(r, "neither schema, config, mode, association nor end");
}

/* Room for as many of each as there are lines. */
static void
make_room(struct arena *a, struct dump *out, size_t lines)
{
	out->schemas = arena_array(a, lines, sizeof *out->schemas);
	out->configs = arena_array(a, lines, sizeof *out->configs);
	out->modes = arena_array(a, lines, sizeof *out->modes);
	out->associations = arena_array(a, lines, sizeof *out->associations);
	must_fit(out->schemas != NULL && out->configs != NULL && out->modes != NULL && out->associations != NULL);
}

static size_t
count_lines(struct span text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

bool
dump_read(struct arena *a, struct span text, struct dump *out, char *why, size_t size)
{
	struct reader r = { .arena = a, .out = out, .why = why, .size = size };

	*out = (struct dump){ 0 };
	make_room(a, out, count_lines(text));
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);

		r.line++;
		if (n > 0 && !take_line(&r, span_of(text.p, n)))
			return false;
		n += end != NULL;
		text = span_of(text.p + n, text.n - n);
	}
	if (!r.end || memcmp(&r.told, &out->n, sizeof r.told) != 0)
		return wrong(&r, r.head ? "the export is not whole: export it again" : "this is no export of a registry: it is empty");
	return true;
}

/* ---- comparing ---- */

static bool
is_nothing(const struct json *j)
{
	return json_is_absent(j) || ((j->kind == JSON_ARRAY || j->kind == JSON_OBJECT) && j->n == 0);
}

/* Whether each member of one is in the other. */
static bool
has_all(const struct json *a, const struct json *b)
{
	for (const struct json *x = a->first; x != NULL; x = x->next) {
		const struct json *y = b->first;

		while (y != NULL && !span_eq(x->name, y->name))
			y = y->next;
		if (!dump_same_value(x, y))
			return false;
	}
	return true;
}

bool
dump_same_value(const struct json *a, const struct json *b)
{
	if (is_nothing(a) || is_nothing(b))
		return is_nothing(a) && is_nothing(b);
	if (a->kind != b->kind)
		return false;
	if (a->kind == JSON_OBJECT)
		return has_all(a, b) && has_all(b, a);
	if (a->kind != JSON_ARRAY)
		return span_eq(a->text, b->text);
	a = a->first;
	b = b->first;
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!dump_same_value(a, b))
			return false;
	return a == b;
}

bool
dump_same_beside_text(const struct json *a, const struct json *b)
{
	static const char *const names[] = { "id", "references", "metadata", "ruleSet" };
	const struct json *x = json_get(a, "schemaType"), *y = json_get(b, "schemaType");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!dump_same_value(json_get(a, names[i]), json_get(b, names[i])))
			return false;
	/* Older registries leave it out of Avro's. */
	return dump_same_value(x, y) || (x == NULL && json_is_text(y, "AVRO")) || (y == NULL && json_is_text(x, "AVRO"));
}

bool
dump_same(const struct json *a, const struct json *b)
{
	return dump_same_beside_text(a, b) && dump_same_value(json_get(a, "schema"), json_get(b, "schema"));
}

bool
dump_same_association(const struct dump_association *a, const struct dump_association *b)
{
	for (size_t i = 0; i < ASSOCIATION_NAMES; i++)
		if (strcmp(association_name(a, i), association_name(b, i)) != 0)
			return false;
	return a->strong == b->strong && a->frozen == b->frozen;
}

const char *
dump_context(struct arena *a, const char *subject)
{
	const char *end = subject[0] == ':' ? strchr(subject + 1, ':') : NULL;

	return end == NULL ? "." : cli_str(a, span_of(subject + 1, (size_t)(end - subject - 1)));
}
