/* merge.c -- metadata of several sources in one, and what is wrong with rules. */
#include "registry/merge.h"

#include <stdlib.h>
#include <string.h>

#include "json/write.h"

/* ---- metadata ---- */

/* The member of this name; as json_get(), but of names that strangers choose. */
static const struct json *
member(const struct json *in, struct span name)
{
	const struct json *found = NULL;

	if (in != NULL && in->kind == JSON_OBJECT)
		for (const struct json *v = in->first; v != NULL; v = v->next)
			if (span_eq(v->name, name))
				found = v;
	return found;
}

static bool
contains(const struct json *list, struct span text)
{
	if (list != NULL && list->kind == JSON_ARRAY)
		for (const struct json *v = list->first; v != NULL; v = v->next)
			if (span_eq(v->text, text))
				return true;
	return false;
}

static void
put_both_lists(struct json_out *o, const struct json *base, const struct json *over)
{
	json_open(o, '[');
	if (json_is_kind(base, JSON_ARRAY))
		for (const struct json *v = base->first; v != NULL; v = v->next)
			json_put_tree(o, v);
	if (json_is_kind(over, JSON_ARRAY))
		for (const struct json *v = over->first; v != NULL; v = v->next)
			if (!contains(base, v->text))
				json_put_tree(o, v);
	json_close(o, ']');
}

/* Objects member by member; `lists`: those of the same name are lists that are added. */
static void
put_both_objects(struct json_out *o, const struct json *base, const struct json *over, bool lists)
{
	json_open(o, '{');
	if (json_is_kind(base, JSON_OBJECT))
		for (const struct json *v = base->first; v != NULL; v = v->next) {
			const struct json *other = member(over, v->name);

			json_key_span(o, v->name);
			if (other != NULL && lists)
				put_both_lists(o, v, other);
			else
				json_put_tree(o, other != NULL ? other : v);
		}
	if (json_is_kind(over, JSON_OBJECT))
		for (const struct json *v = over->first; v != NULL; v = v->next)
			if (member(base, v->name) == NULL) {
				json_key_span(o, v->name);
				json_put_tree(o, v);
			}
	json_close(o, '}');
}

static void
put_both(struct json_out *o, const struct json *base, const struct json *over)
{
	static const char *const names[] = { "tags", "properties", "sensitive" };

	json_open(o, '{');
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *a = json_get(base, names[i]), *b = json_get(over, names[i]);

		if (a == NULL && b == NULL)
			continue;
		json_key(o, names[i]);
		if (strcmp(names[i], "sensitive") == 0)
			put_both_lists(o, a, b);
		else
			put_both_objects(o, a, b, strcmp(names[i], "tags") == 0);
	}
	json_close(o, '}');
}

/* Members are found one by one: so many of both at most. */
enum { MEMBERS_MAX = 1000 };

static bool
is_large(const struct json *metadata)
{
	static const char *const names[] = { "tags", "properties", "sensitive" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *part = json_get(metadata, names[i]);

		n += part == NULL ? 0 : part->n;
		for (const struct json *v = part == NULL ? NULL : part->first; v != NULL; v = v->next)
			n += v->n;
	}
	return n > MEMBERS_MAX;
}

bool
merge_metadata(struct arena *a, const struct json *base, const struct json *over, const struct json **out)
{
	struct json_mistake mistake;
	struct buf text = { 0 };
	struct json_out o = json_out(&text);
	void *copy = NULL;

	*out = base == NULL ? over : base;
	if (base == NULL || over == NULL)
		return true;
	if (!is_large(base) && !is_large(over))
		put_both(&o, base, over);
	if (!text.failed && text.n > 0)
		copy = arena_copy(a, text.p, text.n);
	*out = copy == NULL ? NULL : json_parse(a, span_of(copy, text.n), &mistake);
	buf_done(&text);
	return *out != NULL;
}

/* ---- rules ---- */

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static const char *
with(struct arena *a, const char *before, struct span name, const char *after)
{
	const char *text = arena_printf(a, "%s%.*s%s", before, (int)name.n, (const char *)name.p, after);

	return text == NULL ? before : text;
}

static const char *
name_mistake(struct arena *a, const struct json *name)
{
	if (!json_is_kind(name, JSON_STRING))
		return "Missing rule name";
	if (name->text.n == 0)
		return "Empty rule name";
	if (!is_letter(name->text.p[0]))
		return with(a, "Illegal initial character in rule name: ", name->text, "");
	for (size_t i = 1; i < name->text.n; i++)
		if (!is_letter(name->text.p[i]) && name->text.p[i] != '-' && !(name->text.p[i] >= '0' && name->text.p[i] <= '9'))
			return with(a, "Illegal character in rule name: ", name->text, "");
	return NULL;
}

/* The lists of a set of rules, and the modes that each may have. */
static const struct list {
	const char *name, *modes[3], *mistake;
} lists[] = {
	{ "migrationRules", { "UPGRADE", "DOWNGRADE", "UPDOWN" }, "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN" },
	{ "domainRules", { "WRITE", "READ", "WRITEREAD" }, "Domain rules can only be WRITE, READ, WRITEREAD" },
};

static const char *
rule_mistake(struct arena *a, const struct json *rule, const struct list *list)
{
	const struct json *type = json_get(rule, "type"), *mode = json_get(rule, "mode");
	const char *mistake;

	if (!json_is_kind(type, JSON_STRING) || type->text.n == 0)
		return "Missing rule type";
	if ((mistake = name_mistake(a, json_get(rule, "name"))) != NULL)
		return mistake;
	if (mode == NULL || mode->kind == JSON_NULL)
		return NULL;
	for (size_t i = 0; i < sizeof list->modes / sizeof *list->modes; i++)
		if (json_is_text(mode, list->modes[i]))
			return NULL;
	return list->mistake;
}

static int
by_text(const void *x, const void *y)
{
	const struct span *a = x, *b = y;
	int r = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return r != 0 ? r : (a->n > b->n) - (a->n < b->n);
}

const char *
merge_rules_mistake(struct arena *a, const struct json *rule_set)
{
	const char *mistake = NULL;
	struct span *names;
	size_t n = 0, most = 0;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		most += json_is_kind(json_get(rule_set, lists[i].name), JSON_ARRAY) ? json_get(rule_set, lists[i].name)->n : 0;
	if (most == 0 || (names = arena_array(a, most, sizeof *names)) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct json *list = json_get(rule_set, lists[i].name);

		for (const struct json *rule = json_is_kind(list, JSON_ARRAY) ? list->first : NULL; rule != NULL; rule = rule->next) {
			if ((mistake = rule_mistake(a, rule, &lists[i])) != NULL)
				return mistake;
			names[n++] = json_get(rule, "name")->text;
		}
	}
	qsort(names, n, sizeof *names, by_text);
	for (size_t i = 1; i < n; i++)
		if (span_eq(names[i - 1], names[i]))
			return with(a, "Found rule with duplicate name '", names[i], "'");
	return NULL;
}
