/* query.c -- questions about the registry's state: versions, ids, names, lists. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "registry/registry_internal.h"

/* ---- refusals ---- */

static const char *const messages[REGISTRY_PROBLEMS] = {
#define PROBLEM(name, status, code, message) [REGISTRY_##name] = message,
#include "registry/problems.tbl"
	[REGISTRY_NO_MEMORY] = "",
	[REGISTRY_WAITS] = "",
	[REGISTRY_AGAIN] = "",
};

static const char *
format(struct arena *a, const char *fmt, va_list ap)
{
	char *text = NULL;
	const char *kept;
	int n = vasprintf(&text, fmt, ap);

	kept = n < 0 ? NULL : arena_copy(a, text, (size_t)n + 1);
	free(text);
	return kept;
}

bool
refuse(struct refusal *why, struct arena *a, enum registry_problem problem, ...)
{
	va_list ap;

	why->problem = problem;
	why->message = "";
	if (problem >= REGISTRY_NO_MEMORY)
		return false;
	va_start(ap, problem);
	/* The formats are the table's own. */
	why->message = format(a, messages[problem], ap);
	va_end(ap);
	if (why->message == NULL)
		*why = (struct refusal){ REGISTRY_NO_MEMORY, "" };
	return false;
}

const char *
text_of(struct arena *a, struct span s)
{
	char *text = arena_alloc(a, s.n + 1);

	if (text != NULL && s.n > 0)
		memcpy(text, s.p, s.n);
	return text == NULL ? "" : text;
}

/* ---- by id and by guid ---- */

const struct schema_entry *
registry_by_id(const struct registry *r, struct span context, int32_t id)
{
	const struct context *c = state_context(r, context);
	const struct content *found;
	uint8_t key[4];

	store32(key, (uint32_t)id);
	found = c == NULL ? NULL : map_get(&c->by_id, span_of(key, sizeof key));
	return found == NULL ? NULL : &found->entry;
}

/* An entry lies at the beginning of its content; the walk keeps the content in `it`. */
const struct schema_entry *
registry_next_by_guid(const struct registry *r, const uint8_t guid[16], size_t *it)
{
	const struct content *before = (const void *)(uintptr_t)*it;
	const struct content *newest = map_get(&r->by_guid, span_of(guid, 16));
	const struct content *c = before == NULL ? newest : container_of(before->same_guid.next, struct content, same_guid);

	if (before != NULL && c == newest)
		c = NULL;
	*it = (size_t)(uintptr_t)c;
	return c == NULL ? NULL : &c->entry;
}

int32_t
registry_max_id(const struct registry *r, struct span context)
{
	const struct context *c = state_context(r, context);

	return c == NULL ? 0 : c->max_id;
}

const struct version_entry *
registry_next_use(const struct registry *r, const struct schema_entry *s, enum registry_which which, size_t *it)
{
	const struct content *c = (const void *)s;
	const struct version *v = (const void *)(uintptr_t)*it;
	const struct list *at = v == NULL ? c->uses.next : v->use.next;

	(void)r;
	for (; at != &c->uses; at = at->next) {
		v = container_of((struct list *)(uintptr_t)at, struct version, use);
		if (state_is(v, which)) {
			*it = (size_t)(uintptr_t)v;
			return &v->entry;
		}
	}
	return NULL;
}

/* ---- versions and subjects ---- */

bool
registry_parse_version(struct span text, int32_t *out)
{
	char digits[16], *end;
	long n;

	while (text.n > 0 && text.p[0] == ' ')
		text = span_of(text.p + 1, text.n - 1);
	while (text.n > 0 && text.p[text.n - 1] == ' ')
		text.n--;
	if (text.n == 6 && strncasecmp((const char *)text.p, "latest", 6) == 0) {
		*out = REGISTRY_LATEST;
		return true;
	}
	if (text.n == 0 || text.n >= sizeof digits)
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	n = strtol(digits, &end, 10);
	if (*end != '\0' || n > INT32_MAX || (n < 1 && n != REGISTRY_LATEST))
		return false;
	*out = (int32_t)n;
	return true;
}

struct span
registry_aliased(const struct registry *r, struct span subject)
{
	const struct scope *s = subject.n == 0 ? NULL : state_scope(r, subject);

	return s == NULL || s->alias.p == NULL ? subject : s->alias;
}

static struct span
name_in(struct buf *to, const struct context *c, struct span name)
{
	buf_reset(to);
	buf_u8(to, ':');
	buf_span(to, c->name);
	buf_u8(to, ':');
	buf_span(to, name);
	must(!to->failed);
	return buf_bytes(to);
}

static bool
in_normal_context(struct span subject)
{
	struct span name;

	return span_is(registry_context(subject, &name), ".");
}

struct span
registry_next_namesake(const struct registry *r, struct span subject, size_t *it)
{
	const struct names_entry *e = NULL;
	const struct subject *found = NULL;
	struct buf name = { 0 };

	while (in_normal_context(subject) && found == NULL && (e = names_next(&r->sorted_contexts, it)) != NULL)
		if (e->value != r->normal)
			found = state_subject(r, name_in(&name, e->value, subject));
	buf_done(&name);
	return found == NULL ? span_of(NULL, 0) : found->name;
}

const struct version_entry *
registry_version(const struct registry *r, struct span subject, int32_t version, enum registry_which which,
    struct arena *a, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);
	const struct version *v = version == REGISTRY_LATEST ? state_newest(s, REGISTRY_LIVE) : state_version(s, version);

	if (v != NULL && state_is(v, which))
		return &v->entry;
	if (state_newest(s, which) == NULL)
		refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	else
		refuse(why, a, REGISTRY_VERSION_NOT_FOUND, (int)version);
	return NULL;
}

const struct version_entry *
registry_find_version(const struct registry *r, struct span subject, int32_t version, enum registry_which which,
    struct arena *a, struct refusal *why)
{
	const struct version_entry *v = registry_version(r, subject, version, which, a, why);
	struct refusal elsewhere;
	struct span namesake;
	size_t it = 0;

	while (v == NULL && (namesake = registry_next_namesake(r, subject, &it)).p != NULL)
		v = registry_version(r, namesake, version, which, a, &elsewhere);
	return v;
}

/* The version of a subject (null: of any) that bears a schema: a live one, if there is one; NULL: none does. */
static const struct version_entry *
bearer(const struct registry *r, const struct schema_entry *s, struct span subject)
{
	const struct version_entry *v, *found = NULL;
	size_t it = 0;

	while (s != NULL && (found == NULL || found->deleted) &&
	    (v = registry_next_use(r, s, found == NULL ? REGISTRY_ALL : REGISTRY_LIVE, &it)) != NULL)
		if (subject.p == NULL || span_eq(v->subject, subject))
			found = v;
	return found;
}

const struct version_entry *
registry_bearer(const struct registry *r, const struct schema_entry *s)
{
	return bearer(r, s, span_of(NULL, 0));
}

const struct version_entry *
registry_find_id(const struct registry *r, struct span subject, int32_t id, bool *certain)
{
	struct span name, context = registry_context(subject, &name), namesake;
	const struct schema_entry *s = registry_by_id(r, context, id);
	const struct version_entry *v = bearer(r, s, name.n == 0 ? span_of(NULL, 0) : subject);
	size_t it = 0;

	*certain = true;
	while (v == NULL && name.n > 0 && (namesake = registry_next_namesake(r, subject, &it)).p != NULL)
		v = bearer(r, registry_by_id(r, registry_context(namesake, &name), id), namesake);
	if (v != NULL || !span_is(context, "."))
		return v;
	*certain = false;
	return bearer(r, s, span_of(NULL, 0));
}

const struct version_entry *
registry_next_version(const struct registry *r, struct span subject, enum registry_which which, size_t *it)
{
	const struct subject *s = state_subject(r, subject);

	while (s != NULL && *it < s->n) {
		const struct version *v = s->versions[(*it)++];

		if (state_is(v, which))
			return &v->entry;
	}
	return NULL;
}

/* What a prefix of subjects means: a part of the sorted names, and of those the ones that fit. */
struct prefix {
	struct span text;
	bool every_context; /* the text is of the names behind the contexts */
};

static struct prefix
prefix_of(struct span text)
{
	struct prefix p = { registry_qualified(text), span_begins(text, span_str(":*:")) };

	if (p.every_context)
		p.text = span_of(text.p + 3, text.n - 3);
	return p;
}

static bool
fits(const struct prefix *p, struct span subject)
{
	struct span name = subject;

	if (p->every_context)
		registry_context(subject, &name);
	return span_begins(name, p->text) &&
	    (p->every_context || span_begins(p->text, span_str(":.")) || in_normal_context(subject));
}

/* The next subject of the prefix; NULL at the end.  `at` 0: its beginning. */
static const struct subject *
next_of_prefix(const struct registry *r, const struct prefix *p, names_place *at)
{
	const struct names_entry *e;

	if (*at == 0 && !p->every_context)
		*at = names_from(&r->sorted, p->text);
	while ((e = names_next(&r->sorted, at)) != NULL) {
		if (fits(p, e->name))
			return e->value;
		if (!p->every_context && !span_begins(e->name, p->text))
			return NULL;
	}
	return NULL;
}

struct span
registry_next_alias(const struct registry *r, struct span prefix, size_t *it, struct span *target)
{
	struct prefix p = prefix_of(prefix);
	const struct scope *s;

	while ((s = map_next(&r->scopes, it)) != NULL)
		if (s->alias.p != NULL && s->name.n > 0 && fits(&p, s->name)) {
			*target = s->alias;
			return s->name;
		}
	return span_of(NULL, 0);
}

static bool
has(const struct subject *s, enum registry_which which)
{
	switch (which) {
	case REGISTRY_LIVE:
		return s->n_live > 0;
	case REGISTRY_DELETED_ONLY:
		return s->n_live < s->n;
	default:
		return s->n > 0;
	}
}

struct span
registry_next_subject(const struct registry *r, struct span prefix, enum registry_which which, size_t *it)
{
	struct prefix p = prefix_of(prefix);
	const struct subject *s;

	while ((s = next_of_prefix(r, &p, it)) != NULL)
		/* Only those are deleted that have nothing else. */
		if (which == REGISTRY_DELETED_ONLY ? s->n_live == 0 : has(s, which))
			return s->name;
	return span_of(NULL, 0);
}

/*
 * `it` is the version within the subject at a place: the place in its upper half, so that
 * one number holds both.
 */
const struct version_entry *
registry_next_of_prefix(const struct registry *r, struct span prefix, enum registry_which which, size_t *it)
{
	enum { HALF = sizeof(size_t) * CHAR_BIT / 2 };
	struct prefix p = prefix_of(prefix);
	names_place at = *it >> HALF, next;
	size_t i = *it & (((size_t)1 << HALF) - 1);
	const struct subject *s;

	for (;; i = 0, at = next) {
		next = at;
		if ((s = next_of_prefix(r, &p, &next)) == NULL)
			return NULL;
		at = next - 1; /* where it lies: what was passed over on the way is not looked at again */
		for (; i < s->n; i++)
			if (state_is(s->versions[i], which)) {
				*it = at << HALF | (i + 1);
				return &s->versions[i]->entry;
			}
	}
}

/* The member of an object by a name that strangers choose; NULL: there is none. */
static const struct json *
member(const struct json *in, struct span name)
{
	const struct json *found = NULL;

	for (const struct json *v = json_is_kind(in, JSON_OBJECT) ? in->first : NULL; v != NULL; v = v->next)
		if (span_eq(v->name, name))
			found = v;
	return found;
}

static bool
counts(const struct property *wanted, size_t i, size_t n)
{
	for (size_t k = i + 1; k < n; k++)
		if (span_eq(wanted[k].name, wanted[i].name))
			return false;
	return true;
}

static bool
has_properties(const struct json *metadata, const struct property *wanted, size_t n)
{
	const struct json *properties = json_get(metadata, "properties");

	for (size_t i = 0; i < n; i++) {
		const struct json *v = member(properties, wanted[i].name);

		if (counts(wanted, i, n) && (v == NULL || !span_eq(v->text, wanted[i].value)))
			return false;
	}
	return metadata != NULL;
}

const struct version_entry *
registry_latest_with(const struct registry *r, struct span subject, const struct property *wanted, size_t n,
    enum registry_which which, struct arena *a, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);

	for (size_t i = s == NULL ? 0 : s->n; i > 0; i--)
		if (state_is(s->versions[i - 1], which) && has_properties(s->versions[i - 1]->entry.schema->metadata, wanted, n))
			return &s->versions[i - 1]->entry;
	if (state_newest(s, which) == NULL)
		refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	else
		refuse(why, a, REGISTRY_SCHEMA_NOT_FOUND);
	return NULL;
}

bool
registry_has_rule_of(const struct schema_entry *s, struct span type)
{
	static const char *const lists[] = { "domainRules", "migrationRules", "encodingRules" };

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct json *list = json_get(s->rule_set, lists[i]);

		for (const struct json *rule = list == NULL ? NULL : list->first; rule != NULL; rule = rule->next) {
			const struct json *v = json_get(rule, "type");

			if (json_is_kind(v, JSON_STRING) && span_eq(v->text, type))
				return true;
		}
	}
	return false;
}

struct span
registry_next_context(const struct registry *r, size_t *it)
{
	const struct names_entry *e;

	while ((e = names_next(&r->sorted_contexts, it)) != NULL) {
		const struct context *c = e->value;

		if (c == r->normal || c->recorded || c->n_subjects > 0)
			return c->name;
	}
	return span_of(NULL, 0);
}

/* ---- references ---- */

static int
by_number(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static bool
is_used(const struct content *c, enum registry_which which)
{
	return which == REGISTRY_ALL || (which == REGISTRY_DELETED_ONLY ? c->n_live < c->n_uses : c->n_live > 0);
}

bool
registry_referenced_by(const struct registry *r, struct span subject, int32_t version,
    enum registry_which which, struct arena *a, int32_t **ids, size_t *n)
{
	const struct target *t = state_target(r, subject, version);
	size_t all = 0;

	*n = 0;
	*ids = arena_array(a, t == NULL ? 1 : t->n, sizeof **ids);
	if (*ids == NULL)
		return false;
	for (const struct link *l = NULL; (l = state_next_link(t, l)) != NULL;)
		if (is_used(l->by, which))
			(*ids)[all++] = l->by->entry.id;
	qsort(*ids, all, sizeof **ids, by_number);
	for (size_t i = 0; i < all; i++)
		if (i == 0 || (*ids)[i] != (*ids)[i - 1])
			(*ids)[(*n)++] = (*ids)[i];
	return true;
}
