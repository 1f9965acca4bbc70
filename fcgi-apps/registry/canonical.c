/* canonical.c -- metadata and sets of rules as Confluent's registry writes them. */
#include "registry/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "base/setting.h"
#include "json/write.h"

/* An object that is being written anew. */
struct canon {
	struct arena *arena;
	struct json_out out;
	struct misfit *why;
};

static bool
fail(struct canon *c, const char *type, const char *field)
{
	*c->why = (struct misfit){ type, field };
	return false;
}

static bool
is_scalar(const struct json *v)
{
	return v->kind == JSON_STRING || v->kind == JSON_NUMBER || v->kind == JSON_TRUE || v->kind == JSON_FALSE;
}

/* Jackson makes text of numbers and booleans, and so do we. */
static struct span
text_of_scalar(const struct json *v)
{
	return v->text;
}

/* ---- sorted, each once ---- */

struct item {
	struct span key;
	const struct json *value;
	size_t place;
};

static int
by_key(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int r = span_compare(a->key, b->key);

	return r != 0 ? r : (a->place > b->place) - (a->place < b->place);
}

/* Of those with the same key the last counts.  NULL: the arena is used up. */
static const struct item *
sort(struct arena *a, const struct json *in, struct span (*key)(const struct json *), size_t *n)
{
	struct item *list = arena_array(a, in->n + 1, sizeof *list);
	size_t all = 0;

	*n = 0;
	if (list == NULL)
		return NULL;
	for (const struct json *v = in->first; v != NULL; v = v->next, all++)
		list[all] = (struct item){ key(v), v, all };
	qsort(list, all, sizeof *list, by_key);
	for (size_t i = 0; i < all; i++)
		if (i + 1 == all || !span_eq(list[i].key, list[i + 1].key))
			list[(*n)++] = list[i];
	return list;
}

static struct span
name_of(const struct json *v)
{
	return v->name;
}

static bool
put_texts(struct canon *c, const struct json *list, const char *field)
{
	const struct item *items;
	size_t n;

	if (list->kind != JSON_ARRAY)
		return fail(c, "TreeSet", field);
	for (const struct json *v = list->first; v != NULL; v = v->next)
		if (!is_scalar(v))
			return fail(c, "String", field);
	if ((items = sort(c->arena, list, text_of_scalar, &n)) == NULL)
		return fail(c, NULL, NULL);
	json_open(&c->out, '[');
	for (size_t i = 0; i < n; i++)
		json_put_span(&c->out, items[i].key);
	json_close(&c->out, ']');
	return true;
}

static bool
put_text(struct canon *c, const struct json *v, const char *field)
{
	if (!is_scalar(v))
		return fail(c, "String", field);
	json_put_span(&c->out, text_of_scalar(v));
	return true;
}

typedef bool put_value(struct canon *, const struct json *, const char *field);

/* An object by its names; values that are null are none. */
static bool
put_map(struct canon *c, const struct json *map, const char *field, put_value *put)
{
	const struct item *items;
	size_t n;

	if (map->kind != JSON_OBJECT)
		return fail(c, "TreeMap", field);
	if ((items = sort(c->arena, map, name_of, &n)) == NULL)
		return fail(c, NULL, NULL);
	json_open(&c->out, '{');
	for (size_t i = 0; i < n; i++) {
		if (json_is_absent(items[i].value))
			continue;
		json_key_span(&c->out, items[i].key);
		if (!put(c, items[i].value, field))
			return false;
	}
	json_close(&c->out, '}');
	return true;
}

static bool
put_map_of_texts(struct canon *c, const struct json *map, const char *field)
{
	return put_map(c, map, field, put_text);
}

static bool
put_map_of_lists(struct canon *c, const struct json *map, const char *field)
{
	return put_map(c, map, field, put_texts);
}

/* ---- fields from tables ---- */

/* A field, and how its value is written.  What is null or empty is left out. */
struct field {
	const char *name;
	put_value *put;
};

/* A rule without a name and one with an empty name are refused in different words. */
static bool
put_name(struct canon *c, const struct json *v, const char *field)
{
	return put_text(c, v, field);
}

static bool
is_empty(const struct json *v)
{
	return json_is_absent(v) || ((v->kind == JSON_ARRAY || v->kind == JSON_OBJECT) && v->n == 0) ||
	    (v->kind == JSON_STRING && v->text.n == 0);
}

typedef const struct json *get_value(const struct json *in, const char *name);

static bool
put_fields(struct canon *c, const struct json *in, get_value *get, const struct field *fields, size_t n)
{
	json_open(&c->out, '{');
	for (size_t i = 0; i < n; i++) {
		const struct json *v = get(in, fields[i].name);

		if (json_is_absent(v) || (is_empty(v) && fields[i].put != put_name))
			continue;
		json_key(&c->out, fields[i].name);
		if (!fields[i].put(c, v, fields[i].name))
			return false;
	}
	json_close(&c->out, '}');
	return true;
}

/* The object that was written, parsed; false with the misfit where it could not be. */
static bool
settle(struct canon *c, bool good, const struct json **out)
{
	struct buf *text = c->out.to;
	struct json_mistake mistake;
	void *copy = good && !text->failed ? arena_copy(c->arena, text->p, text->n) : NULL;

	*out = copy == NULL ? NULL : json_parse(c->arena, span_of(copy, text->n), &mistake);
	buf_done(text);
	return *out != NULL || (good && fail(c, NULL, NULL));
}

static bool
write_anew(struct arena *a, const struct json *given, const char *type, const struct field *fields, size_t n,
    const struct json **out, struct misfit *why)
{
	struct buf text = { 0 };
	struct canon c = { a, json_out(&text), why };

	*out = NULL;
	if (json_is_absent(given))
		return true;
	if (given->kind != JSON_OBJECT)
		return fail(&c, type, NULL);
	return settle(&c, put_fields(&c, given, json_get, fields, n), out);
}

bool
canonical_metadata(struct arena *a, const struct json *given, const struct json **out, struct misfit *why)
{
	static const struct field fields[] = {
		{ "tags", put_map_of_lists },
		{ "properties", put_map_of_texts },
		{ "sensitive", put_texts },
	};

	return write_anew(a, given, "Metadata", fields, sizeof fields / sizeof *fields, out, why);
}

/* ---- rules ---- */

/* Words that a field may be; the first is meant where it is absent, if it always is told. */
static const char *const kinds[] = { "TRANSFORM", "CONDITION", NULL },
	*const modes[] = { "WRITEREAD", "WRITE", "READ", "UPGRADE", "DOWNGRADE", "UPDOWN", NULL },
	*const environments[] = { "ALL", "CLIENT", "GATEWAY", "SERVER", "NONE", NULL };

static bool
put_word(struct canon *c, const struct json *v, const char *field, const char *const *words, const char *type)
{
	while (*words != NULL && !json_is_text(v, *words))
		words++;
	if (*words == NULL)
		return fail(c, type, field);
	json_put_str(&c->out, *words);
	return true;
}

static bool
put_kind(struct canon *c, const struct json *v, const char *field)
{
	return put_word(c, v, field, kinds, "RuleKind");
}

static bool
put_mode(struct canon *c, const struct json *v, const char *field)
{
	return put_word(c, v, field, modes, "RuleMode");
}

static bool
put_environment(struct canon *c, const struct json *v, const char *field)
{
	return put_word(c, v, field, environments, "ExecutionEnvironment");
}

static bool
is_whole(struct span number)
{
	size_t i = 0;

	while (i < number.n && (number.p[i] == '-' || (number.p[i] >= '0' && number.p[i] <= '9')))
		i++;
	return i == number.n;
}

/* A text says what it says without the blanks around it; an empty one, and "null", is none; of whole numbers 0 is false. */
static enum json_token
truth_of(const struct json *v)
{
	static const struct {
		const char *text;
		enum json_token is;
	} texts[] = {
		{ "", JSON_NULL }, { "null", JSON_NULL }, { "true", JSON_TRUE }, { "True", JSON_TRUE }, { "TRUE", JSON_TRUE },
		{ "false", JSON_FALSE }, { "False", JSON_FALSE }, { "FALSE", JSON_FALSE },
	};

	if (v->kind == JSON_NUMBER && is_whole(v->text))
		return span_is(v->text, "0") ? JSON_FALSE : JSON_TRUE;
	for (size_t i = 0; v->kind == JSON_STRING && i < sizeof texts / sizeof *texts; i++)
		if (span_is(setting_trim(v->text), texts[i].text))
			return texts[i].is;
	return v->kind;
}

/* True, false or (none) null; whether it is one of these. */
static bool
take_truth(const struct json *given, enum json_token *out)
{
	*out = json_is_absent(given) ? JSON_NULL : truth_of(given);
	return *out == JSON_TRUE || *out == JSON_FALSE || *out == JSON_NULL;
}

bool
canonical_truth(const struct json *given, bool *out)
{
	enum json_token truth;
	bool good = take_truth(given, &truth);

	*out = truth == JSON_TRUE;
	return good;
}

static bool
put_flag(struct canon *c, const struct json *v, const char *field)
{
	bool flag;

	if (!canonical_truth(v, &flag))
		return fail(c, "boolean", field);
	json_put_bool(&c->out, flag);
	return true;
}

/* What is told of every rule, whether it was said or not. */
static const struct standing {
	const char *name;
	struct json value;
} standing[] = {
	{ "kind", { .kind = JSON_STRING, .text = { (const uint8_t *)"TRANSFORM", 9 } } },
	{ "mode", { .kind = JSON_STRING, .text = { (const uint8_t *)"WRITEREAD", 9 } } },
	{ "disabled", { .kind = JSON_FALSE } },
};

static const struct json *
field_of_rule(const struct json *rule, const char *name)
{
	const struct json *v = json_get(rule, name);

	for (size_t i = 0; json_is_absent(v) && i < sizeof standing / sizeof *standing; i++)
		if (strcmp(standing[i].name, name) == 0)
			return &standing[i].value;
	return v;
}

static bool
put_rule(struct canon *c, const struct json *rule, const char *in)
{
	static const struct field fields[] = {
		{ "name", put_name },
		{ "doc", put_text },
		{ "kind", put_kind },
		{ "mode", put_mode },
		{ "type", put_text },
		{ "tags", put_texts },
		{ "params", put_map_of_texts },
		{ "expr", put_text },
		{ "onSuccess", put_text },
		{ "onFailure", put_text },
		{ "disabled", put_flag },
	};

	return rule->kind == JSON_OBJECT ? put_fields(c, rule, field_of_rule, fields, sizeof fields / sizeof *fields) :
					   fail(c, "Rule", in);
}

static bool
put_rules(struct canon *c, const struct json *list, const char *field)
{
	if (list->kind != JSON_ARRAY)
		return fail(c, "ArrayList", field);
	json_open(&c->out, '[');
	for (const struct json *rule = list->first; rule != NULL; rule = rule->next)
		if (!put_rule(c, rule, field))
			return false;
	json_close(&c->out, ']');
	return true;
}

bool
canonical_rules(struct arena *a, const struct json *given, const struct json **out, struct misfit *why)
{
	static const struct field fields[] = {
		{ "migrationRules", put_rules },
		{ "domainRules", put_rules },
		{ "encodingRules", put_rules },
		{ "enableAt", put_environment },
	};

	return write_anew(a, given, "RuleSet", fields, sizeof fields / sizeof *fields, out, why);
}

/* ---- scalars ---- */

static bool
make_scalar(struct arena *a, struct json value, const struct json **out, struct misfit *why)
{
	*out = arena_copy(a, &value, sizeof value);
	*why = (struct misfit){ 0 };
	return *out != NULL;
}

bool
canonical_text(struct arena *a, const struct json *given, const struct json **out, struct misfit *why)
{
	*out = given;
	if (json_is_absent(given) || given->kind == JSON_STRING)
		return true;
	*why = (struct misfit){ "String", NULL };
	return is_scalar(given) && make_scalar(a, (struct json){ .kind = JSON_STRING, .text = text_of_scalar(given) }, out, why);
}

bool
canonical_flag(struct arena *a, const struct json *given, const struct json **out, struct misfit *why)
{
	enum json_token truth;
	bool good = take_truth(given, &truth);
	const char *text = truth == JSON_TRUE ? "true" : truth == JSON_FALSE ? "false" : "null";

	*out = given;
	if (json_is_absent(given) || given->kind == JSON_TRUE || given->kind == JSON_FALSE)
		return true;
	*why = (struct misfit){ "Boolean", NULL };
	return good && make_scalar(a, (struct json){ .kind = truth, .text = span_str(text) }, out, why);
}
