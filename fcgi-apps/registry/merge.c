/* merge.c -- metadata and rules of several sources in one, and what is wrong with rules. */
#include "registry/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/must.h"
#include "json/write.h"
#include "registry/canonical.h"

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

/* Members and rules are found one by one: so many of either at most. */
enum { MANY = 1000 };

/* What was written, parsed; the buffer is freed.  False: the arena is used up. */
static bool
settle(struct arena *a, struct buf *text, const struct json **out)
{
	struct json_mistake mistake;
	void *copy = text->failed ? NULL : arena_copy(a, text->p, text->n);

	*out = copy == NULL ? NULL : json_parse(a, span_of(copy, text->n), &mistake);
	buf_done(text);
	return *out != NULL;
}

/* The same, in order. */
static bool
settle_metadata(struct arena *a, struct buf *text, const struct json **out)
{
	struct misfit why;

	return settle(a, text, out) && canonical_metadata(a, *out, out, &why);
}

static void
put_both_lists(struct json_out *o, const struct json *base, const struct json *over)
{
	json_open(o, '[');
	for (const struct json *v = json_is_kind(base, JSON_ARRAY) ? base->first : NULL; v != NULL; v = v->next)
		json_put_tree(o, v);
	for (const struct json *v = json_is_kind(over, JSON_ARRAY) ? over->first : NULL; v != NULL; v = v->next)
		json_put_tree(o, v);
	json_close(o, ']');
}

static void
put_member(struct json_out *o, const struct json *v)
{
	json_key_span(o, v->name);
	json_put_tree(o, v);
}

static void
put_both_objects(struct json_out *o, const struct json *base, const struct json *over)
{
	json_open(o, '{');
	for (const struct json *v = json_is_kind(base, JSON_OBJECT) ? base->first : NULL; v != NULL; v = v->next)
		if (member(over, v->name) == NULL)
			put_member(o, v);
	for (const struct json *v = json_is_kind(over, JSON_OBJECT) ? over->first : NULL; v != NULL; v = v->next)
		put_member(o, v);
	json_close(o, '}');
}

static bool
is_large(const struct json *in, const char *const *names, size_t n)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++) {
		const struct json *part = json_get(in, names[i]);

		all += part == NULL ? 0 : part->n;
	}
	return all > MANY;
}

/* ---- metadata ---- */

enum { TAGS, PROPERTIES, SENSITIVE, PARTS };

static const char *const parts[PARTS] = { "tags", "properties", "sensitive" };

bool
merge_metadata(struct arena *a, const struct json *base, const struct json *over, const struct json **out)
{
	struct buf text = { 0 };
	struct json_out o = json_out(&text);

	*out = base == NULL ? over : base;
	if (base == NULL || over == NULL)
		return true;
	*out = NULL;
	if (is_large(base, parts, PARTS) || is_large(over, parts, PARTS))
		return false;
	json_open(&o, '{');
	for (int i = 0; i < PARTS; i++) {
		json_key(&o, parts[i]);
		(i == SENSITIVE ? put_both_lists : put_both_objects)(&o, json_get(base, parts[i]), json_get(over, parts[i]));
	}
	json_close(&o, '}');
	return settle_metadata(a, &text, out);
}

#define VERSION "confluent:version"

bool
merge_has_version(const struct json *metadata)
{
	return json_get(json_get(metadata, parts[PROPERTIES]), VERSION) != NULL;
}

int32_t
merge_version(const struct json *metadata)
{
	const struct json *v = json_get(json_get(metadata, parts[PROPERTIES]), VERSION);
	char digits[16], *end;
	long n;

	if (!json_is_kind(v, JSON_STRING) || v->text.n == 0 || v->text.n >= sizeof digits)
		return 0;
	memcpy(digits, v->text.p, v->text.n);
	digits[v->text.n] = '\0';
	n = strtol(digits, &end, 10);
	return *end != '\0' || n < 1 || n > INT32_MAX ? 0 : (int32_t)n;
}

/* The metadata with another version, or (0) with none. */
static bool
set_version(struct arena *a, const struct json *metadata, int32_t version, const struct json **out)
{
	const struct json *properties = json_get(metadata, parts[PROPERTIES]);
	struct buf text = { 0 };
	struct json_out o = json_out(&text);

	json_open(&o, '{');
	for (int i = 0; i < PARTS; i++) {
		const struct json *v = json_get(metadata, parts[i]);

		if (v == NULL || i == PROPERTIES)
			continue;
		json_key(&o, parts[i]);
		json_put_tree(&o, v);
	}
	json_key(&o, parts[PROPERTIES]);
	json_open(&o, '{');
	for (const struct json *v = json_is_kind(properties, JSON_OBJECT) ? properties->first : NULL; v != NULL; v = v->next)
		if (!span_is(v->name, VERSION))
			put_member(&o, v);
	if (version > 0) {
		char digits[16];

		snprintf(digits, sizeof digits, "%d", (int)version);
		json_key(&o, VERSION);
		json_put_str(&o, digits);
	}
	json_close(&o, '}');
	json_close(&o, '}');
	return settle_metadata(a, &text, out);
}

bool
merge_put_version(struct arena *a, const struct json *metadata, int32_t version, const struct json **out)
{
	return set_version(a, metadata, version, out);
}

bool
merge_drop_version(struct arena *a, const struct json *metadata, const struct json **out)
{
	return set_version(a, metadata, 0, out);
}

/* ---- rules ---- */

enum { LISTS = 3 };

static const char *const list_names[LISTS] = { "migrationRules", "domainRules", "encodingRules" };

/* Whether a list has a rule of the name that this one has. */
static bool
has_namesake(const struct json *list, const struct json *rule)
{
	const struct json *name = json_get(rule, "name");

	for (const struct json *v = json_is_kind(list, JSON_ARRAY) ? list->first : NULL; v != NULL; v = v->next) {
		const struct json *other = json_get(v, "name");

		if (name == NULL || other == NULL ? name == other : span_eq(name->text, other->text))
			return true;
	}
	return false;
}

static bool
is_among(const struct json *names, const struct json *rule)
{
	const struct json *name = json_get(rule, "name");

	for (const struct json *v = json_is_kind(names, JSON_ARRAY) ? names->first : NULL; v != NULL; v = v->next)
		if (name != NULL && span_eq(v->text, name->text))
			return true;
	return false;
}

/* Of the first list what the second does not have, nor the names; and the second behind it. */
static void
put_rules(struct json_out *o, const char *field, const struct json *base, const struct json *over, const struct json *names)
{
	json_key(o, field);
	json_open(o, '[');
	for (const struct json *v = json_is_kind(base, JSON_ARRAY) ? base->first : NULL; v != NULL; v = v->next)
		if (!has_namesake(over, v) && !is_among(names, v))
			json_put_tree(o, v);
	for (const struct json *v = json_is_kind(over, JSON_ARRAY) ? over->first : NULL; v != NULL; v = v->next)
		json_put_tree(o, v);
	json_close(o, ']');
}

static bool
put_rule_sets(struct arena *a, const struct json *base, const struct json *over, const struct json *names,
    const struct json **out)
{
	const struct json *environment = json_get(over, "enableAt");
	struct misfit why;
	struct buf text = { 0 };
	struct json_out o = json_out(&text);

	if (environment == NULL)
		environment = json_get(base, "enableAt");
	*out = NULL;
	if (is_large(base, list_names, LISTS) || is_large(over, list_names, LISTS) || (names != NULL && names->n > MANY))
		return false;
	json_open(&o, '{');
	for (int i = 0; i < LISTS; i++)
		put_rules(&o, list_names[i], json_get(base, list_names[i]), json_get(over, list_names[i]), names);
	if (environment != NULL) {
		json_key(&o, "enableAt");
		json_put_tree(&o, environment);
	}
	json_close(&o, '}');
	return settle(a, &text, out) && canonical_rules(a, *out, out, &why);
}

bool
merge_rules(struct arena *a, const struct json *base, const struct json *over, const struct json **out)
{
	*out = base == NULL ? over : base;
	return base == NULL || over == NULL || put_rule_sets(a, base, over, NULL, out);
}

bool
merge_without_rules(struct arena *a, const struct json *rules, const struct json *names, const struct json **out)
{
	*out = rules;
	return rules == NULL || put_rule_sets(a, rules, NULL, names, out);
}

/* ---- what is wrong with them ---- */

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

enum { NAME_MAX_LENGTH = 256 }; /* in UTF-16, as Java counts */

static size_t
java_length(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80 ? 1 + (size_t)(s.p[i] >= 0xf0) : 0;
	return n;
}

static const char *
name_mistake(struct arena *a, const struct json *name)
{
	if (!json_is_kind(name, JSON_STRING))
		return "Missing rule name";
	if (name->text.n == 0)
		return "Empty rule name";
	if (java_length(name->text) > NAME_MAX_LENGTH)
		return "Rule name too long";
	if (!is_letter(name->text.p[0]))
		return with(a, "Illegal initial character in rule name: ", name->text, "");
	for (size_t i = 1; i < name->text.n; i++)
		if (!is_letter(name->text.p[i]) && name->text.p[i] != '-' && !(name->text.p[i] >= '0' && name->text.p[i] <= '9'))
			return with(a, "Illegal character in rule name: ", name->text, "");
	return NULL;
}

/* The modes that rules of each list may have; the first is meant where none is said. */
static const struct list {
	const char *modes[3], *mistake;
} lists[LISTS] = {
	{ { "UPGRADE", "DOWNGRADE", "UPDOWN" }, "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN" },
	{ { "WRITEREAD", "WRITE", "READ" }, "Domain rules can only be WRITE, READ, WRITEREAD" },
	{ { "WRITEREAD", "WRITE", "READ" }, "Encoding rules can only be WRITE, READ, WRITEREAD" },
};

/* Several actions are one for each direction. */
static bool
has_too_many_actions(const struct json *rule, const char *mode)
{
	static const char *const actions[] = { "onSuccess", "onFailure" };

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		const struct json *v = json_get(rule, actions[i]);

		if (json_is_kind(v, JSON_STRING) && v->text.n > 0 && memchr(v->text.p, ',', v->text.n) != NULL)
			return strcmp(mode, "WRITEREAD") != 0 && strcmp(mode, "UPDOWN") != 0;
	}
	return false;
}

static const char *
rule_mistake(struct arena *a, const struct json *rule, const struct list *list)
{
	const struct json *type = json_get(rule, "type"), *mode = json_get(rule, "mode");
	const char *word = json_is_kind(mode, JSON_STRING) ? with(a, "", mode->text, "") : "WRITEREAD";
	const char *mistake = name_mistake(a, json_get(rule, "name"));

	if (mistake != NULL)
		return mistake;
	if (!json_is_kind(type, JSON_STRING))
		return "Missing rule type";
	if (has_too_many_actions(rule, word))
		return "Multiple actions only valid with WRITEREAD and UPDOWN";
	for (size_t i = 0; i < sizeof list->modes / sizeof *list->modes; i++)
		if (strcmp(word, list->modes[i]) == 0)
			return NULL;
	return list->mistake;
}

static const char *
list_mistake(struct arena *a, const struct json *rules, const struct list *list, struct map *names)
{
	const char *mistake = NULL;

	for (const struct json *rule = json_is_kind(rules, JSON_ARRAY) ? rules->first : NULL; rule != NULL; rule = rule->next) {
		const struct json *name = json_get(rule, "name");

		if (json_is_kind(name, JSON_STRING) && map_get(names, name->text) != NULL)
			return with(a, "Found rule with duplicate name '", name->text, "'");
		if ((mistake = rule_mistake(a, rule, list)) != NULL)
			return mistake;
		must(map_put(names, name->text, (void *)(uintptr_t)rule));
	}
	return NULL;
}

const char *
merge_rules_mistake(struct arena *a, const struct json *rule_set)
{
	struct map names = { 0 };
	const char *mistake = NULL;

	for (int i = 0; i < LISTS && mistake == NULL; i++)
		mistake = list_mistake(a, json_get(rule_set, list_names[i]), &lists[i], &names);
	map_done(&names);
	return mistake;
}
