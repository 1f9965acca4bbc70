/* plan_settings.c -- what changes of compatibility levels, other configuration and modes write. */
#include <string.h>

#include "json/write.h"
#include "registry/canonical.h"
#include "registry/registry_internal.h"

/* The form of a field's value: false with the misfit where it has another type. */
typedef bool form(struct arena *, const struct json *, const struct json **, struct misfit *);

/* The fields of a CONFIG record in their order, what they are called in requests, and the form they get. */
static const struct field {
	const char *stored, *asked;
	form *form;
} fields[] = {
	{ "alias", "alias", canonical_text },
	{ "aliasForDeks", "aliasForDeks", canonical_text },
	{ "normalize", "normalize", canonical_flag },
	{ "validateFields", "validateFields", canonical_flag },
	{ "validateNewSchemas", "validateNewSchemas", canonical_flag },
	{ "validateRules", "validateRules", canonical_flag },
	{ "compatibilityLevel", "compatibility", canonical_text },
	{ "compatibilityPolicy", "compatibilityPolicy", canonical_text },
	{ "compatibilityGroup", "compatibilityGroup", canonical_text },
	{ "defaultMetadata", "defaultMetadata", canonical_metadata },
	{ "overrideMetadata", "overrideMetadata", canonical_metadata },
	{ "defaultRuleSet", "defaultRuleSet", canonical_rules },
	{ "overrideRuleSet", "overrideRuleSet", canonical_rules },
};

/* Those that are one of some words: as it is stored, in whatever case it is said (NULL: it is none), and how others are refused. */
static const struct vocabulary {
	const char *stored, *asked;
	const char *(*word)(struct span);
	enum registry_problem refusal;
} vocabularies[] = {
	{ "compatibilityLevel", "compatibility", registry_level_name, REGISTRY_INVALID_COMPATIBILITY },
	{ "compatibilityPolicy", "compatibilityPolicy", registry_policy_name, REGISTRY_INVALID_POLICY },
};

enum { FIELDS = sizeof fields / sizeof *fields, VOCABULARIES = sizeof vocabularies / sizeof *vocabularies };

/* NULL: any text will do. */
static const struct vocabulary *
vocabulary_of(struct span stored)
{
	for (size_t i = 0; i < VOCABULARIES; i++)
		if (span_is(stored, vocabularies[i].stored))
			return &vocabularies[i];
	return NULL;
}

/* A record of a scope: the global one has no subject. */
static struct record
scope_record(enum record_type type, struct span subject)
{
	return (struct record){ .type = type, .subject = subject.n == 0 ? span_of(NULL, 0) : subject };
}

/* ---- configuration ---- */

static bool
check_words(const struct json *update, struct arena *a, struct refusal *why)
{
	for (size_t i = 0; i < VOCABULARIES; i++) {
		const struct json *v = json_get(update, vocabularies[i].asked);

		if (!json_is_absent(v) && vocabularies[i].word(v->text) == NULL)
			return refuse(why, a, vocabularies[i].refusal);
	}
	return true;
}

/* What the update says of a field, in its form, else what was there; NULL or null: nothing.  False: the arena is used up. */
static bool
new_value(const struct field *field, const struct json *before, const struct json *update, struct arena *a,
    const struct json **out)
{
	const struct json *v = json_get(update, field->asked);
	struct misfit why;

	*out = v == NULL ? json_get(before, field->stored) : v;
	return v == NULL || field->form(a, v, out, &why);
}

/* The new value of all. */
static bool
put_config(struct buf *to, struct span subject, const struct json *before, const struct json *update, struct arena *a)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	if (subject.n > 0) {
		json_key(&o, "subject");
		json_put_span(&o, subject);
	}
	for (size_t i = 0; i < FIELDS; i++) {
		const struct vocabulary *words = vocabulary_of(span_str(fields[i].stored));
		const struct json *v;

		if (!new_value(&fields[i], before, update, a, &v))
			return false;
		if (json_is_absent(v))
			continue;
		json_key(&o, fields[i].stored);
		/* In capitals, however it was asked for. */
		if (words != NULL)
			json_put_str(&o, words->word(v->text));
		else
			json_put_tree(&o, v);
	}
	json_close(&o, '}');
	return true;
}

bool
registry_check_config(const struct json *update, struct arena *a, struct misfit *why)
{
	const struct json *ignored;

	for (size_t i = 0; i < FIELDS; i++) {
		if (fields[i].form(a, json_get(update, fields[i].asked), &ignored, why))
			continue;
		if (why->type != NULL && why->field == NULL)
			why->field = fields[i].asked;
		return false;
	}
	return true;
}

bool
registry_plan_put_config(const struct registry *r, struct span subject, const struct json *update, struct arena *a,
    struct plan *plan, struct refusal *why)
{
	const struct scope *s = state_scope(r, subject);
	struct record rec = scope_record(RECORD_CONFIG, subject);
	struct buf value = { 0 };

	*plan = (struct plan){ 0 };
	if (!check_words(update, a, why) || !plan_check_rules(json_get(update, "defaultRuleSet"), a, why) ||
	    !plan_check_rules(json_get(update, "overrideRuleSet"), a, why) || !plan_check_scope(subject, a, why) ||
	    !plan_refuse_read_only(r, subject, a, why))
		return false;
	if (!put_config(&value, subject, s == NULL ? NULL : s->config, update, a)) {
		buf_done(&value);
		return refuse(why, a, REGISTRY_NO_MEMORY);
	}
	return plan_add_value(plan, a, &rec, &value) || refuse(why, a, REGISTRY_NO_MEMORY);
}

bool
registry_plan_delete_config(const struct registry *r, struct span subject, struct arena *a, struct plan *plan,
    struct refusal *why)
{
	const struct scope *s = state_scope(r, subject);

	*plan = (struct plan){ 0 };
	if ((s == NULL || s->config == NULL) && subject.n > 0 && !span_is(subject, ":.__GLOBAL:"))
		return refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	if (!plan_refuse_read_only(r, subject, a, why))
		return false;
	if (s == NULL || s->config == NULL)
		return true;
	return plan_add_tombstones(plan, a, RECORD_CONFIG, scope_record(RECORD_CONFIG, subject).subject, 0, s->config_keys) ||
	    refuse(why, a, REGISTRY_NO_MEMORY);
}

/* ---- records ---- */

/* Others read no words in small letters. */
static bool
is_as_stored(const struct json *v)
{
	const struct vocabulary *words = vocabulary_of(v->name);
	const char *word = words == NULL || v->kind != JSON_STRING ? NULL : words->word(v->text);

	return words == NULL || (word != NULL && span_is(v->text, word));
}

/* A field of a record: in its form where it is known, as it came where it is not.  False: it can't be that. */
static bool
put_field(struct json_out *o, const struct json *v, struct arena *a)
{
	const struct json *formed = v;
	struct misfit why;
	size_t i = 0;

	while (i < FIELDS && !span_is(v->name, fields[i].stored))
		i++;
	if (i < FIELDS && !json_is_absent(v) && (!fields[i].form(a, v, &formed, &why) || !is_as_stored(v)))
		return false;
	json_key_span(o, v->name);
	json_put_tree(o, formed);
	return true;
}

bool
state_form_config(struct arena *a, const struct json *value, const struct json **out)
{
	struct json_mistake mistake;
	struct buf text = { 0 };
	struct json_out o = json_out(&text);
	bool good = true;
	void *copy;

	json_open(&o, '{');
	for (const struct json *v = value->first; good && v != NULL; v = v->next)
		good = put_field(&o, v, a);
	json_close(&o, '}');
	good = good && !text.failed && (copy = arena_copy(a, text.p, text.n)) != NULL &&
	    (*out = json_parse(a, span_of(copy, text.n), &mistake)) != NULL;
	buf_done(&text);
	return good;
}

/* ---- modes ---- */

/*
 * To import is to begin anew: nothing may be live in the scope, and what is deleted goes for good, if nobody
 * refers to it.
 */
static bool
plan_import(const struct registry *r, struct span scope, struct arena *a, struct plan *plan, struct refusal *why)
{
	struct record clear = { .type = RECORD_CLEAR_SUBJECT, .subject = scope.n == 0 ? span_of(NULL, 0) : scope };
	const struct names_entry *e;

	for (names_place at = 0; (e = names_next(&r->sorted, &at)) != NULL;) {
		const struct subject *s = e->value;

		if (state_in_scope(s, scope) && s->n_live > 0)
			return refuse(why, a, REGISTRY_NOT_PERMITTED, "Cannot import since found existing subjects");
	}
	for (names_place at = 0; (e = names_next(&r->sorted, &at)) != NULL;) {
		const struct subject *s = e->value;

		for (size_t i = 0; state_in_scope(s, scope) && i < s->n; i++) {
			const struct version *v = s->versions[i];

			if (state_target(r, s->name, v->entry.version) != NULL)
				return refuse(why, a, REGISTRY_REFERENCE_EXISTS, text_of(a, s->name), (int)v->entry.version);
			if (!plan_add_tombstones(plan, a, RECORD_SCHEMA, s->name, v->entry.version, v->keys))
				return refuse(why, a, REGISTRY_NO_MEMORY);
		}
	}
	return plan->n_writes == 0 || plan_add(plan, a, &clear) || refuse(why, a, REGISTRY_NO_MEMORY);
}

/* What may not be changed at all is refused behind what can't be. */
static bool
check_mutable(const struct mode_request *q, struct arena *a, struct refusal *why)
{
	return !q->fixed || refuse(why, a, REGISTRY_NOT_PERMITTED, "Mode changes are not allowed");
}

static bool
unset_mode(const struct scope *s, struct plan *plan, struct arena *a)
{
	return s == NULL || s->mode.p == NULL ||
	    plan_add_tombstones(plan, a, RECORD_MODE, scope_record(RECORD_MODE, s->name).subject, 0, s->mode_keys);
}

bool
registry_plan_put_mode(const struct registry *r, struct span subject, const struct mode_request *q, struct arena *a,
    struct plan *plan, struct refusal *why)
{
	const char *name = q->mode.p == NULL ? "" : registry_mode_name(q->mode);
	struct record rec = scope_record(RECORD_MODE, subject);
	bool good;

	*plan = (struct plan){ 0 };
	if (!plan_check_scope(subject, a, why))
		return false;
	if (name == NULL)
		return refuse(why, a, REGISTRY_INVALID_MODE);
	if (strcmp(name, "FORWARD") == 0 && !span_is(subject, ":.__GLOBAL:"))
		return refuse(why, a, REGISTRY_FORWARD_NOT_GLOBAL);
	if (!check_mutable(q, a, why))
		return false;
	/* Where schemas are imported already nothing begins anew. */
	if (strcmp(name, "IMPORT") == 0 && !span_is(registry_mode(r, subject), "IMPORT") && !q->force &&
	    !plan_import(r, subject, a, plan, why))
		return false;
	rec.mode = span_str(name);
	good = rec.mode.n == 0 ? unset_mode(state_scope(r, subject), plan, a) : plan_add(plan, a, &rec);
	return good || refuse(why, a, REGISTRY_NO_MEMORY);
}

/* Modes of subjects in a context, whether these have schemas or not. */
static bool
unset_modes_below(const struct registry *r, struct span scope, struct plan *plan, struct arena *a)
{
	struct span name, context = registry_context(scope.p == NULL ? span_str("") : scope, &name);
	const struct scope *s;

	for (size_t it = 0; (s = map_next(&r->scopes, &it)) != NULL;)
		if (span_eq(registry_context(s->name, &name), context) && name.n > 0 && !unset_mode(s, plan, a))
			return false;
	return true;
}

bool
registry_plan_delete_mode(const struct registry *r, struct span subject, const struct mode_request *q, struct arena *a,
    struct plan *plan, struct refusal *why)
{
	const struct scope *s = state_scope(r, subject);
	struct span name;

	*plan = (struct plan){ 0 };
	registry_context(subject.p == NULL ? span_str("") : subject, &name);
	if ((s == NULL || s->mode.p == NULL) && !q->recursive && subject.n > 0 && !span_is(subject, ":.__GLOBAL:"))
		return refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	if (!check_mutable(q, a, why))
		return false;
	return (unset_mode(s, plan, a) && (!q->recursive || name.n > 0 || unset_modes_below(r, subject, plan, a))) ||
	    refuse(why, a, REGISTRY_NO_MEMORY);
}
