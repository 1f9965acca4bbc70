/* state_scope.c -- what is set for a subject, a context or all: configuration and mode. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "registry/registry_internal.h"

const struct scope *
state_scope(const struct registry *r, struct span name)
{
	return map_get(&r->scopes, name.p == NULL ? span_str("") : name);
}

static struct scope *
need_scope(struct registry *r, struct span name)
{
	struct scope *s = map_get(&r->scopes, name);

	if (s != NULL)
		return s;
	s = xcalloc(1, sizeof *s + name.n);
	if (name.n > 0)
		memcpy(s->bytes, name.p, name.n);
	s->name = span_of(s->bytes, name.n);
	must(map_put(&r->scopes, s->name, s));
	return s;
}

void
state_free_scope(struct registry *r, struct scope *s)
{
	arena_done(&s->trees);
	free((void *)(uintptr_t)s->mode.p);
	state_free_keys(r, &s->config_keys);
	state_free_keys(r, &s->mode_keys);
	free(s);
}

static void
drop_idle_scope(struct registry *r, struct scope *s)
{
	if (s->config != NULL || s->mode.p != NULL)
		return;
	map_del(&r->scopes, s->name);
	state_free_scope(r, s);
}

static struct span
scope_name(const struct record *rec)
{
	return rec->subject.p == NULL ? span_str("") : rec->subject;
}

/* What is unset has no key that matters. */
static void
note_key(struct registry *r, struct odd_key **keys, const struct record *rec, struct span key)
{
	if (rec->tombstone)
		state_free_keys(r, keys);
	else
		state_note_key(r, keys, rec, key);
}

/* An alias without a context is of that of its subject. */
static struct span
alias_of(struct scope *s)
{
	const struct json *alias = json_get(s->config, "alias");
	struct span name, subject;

	if (!json_is_kind(alias, JSON_STRING) || alias->text.n == 0)
		return span_of(NULL, 0);
	subject = registry_subject(&s->trees, registry_context(s->name, &name), alias->text);
	must(subject.p != NULL);
	return subject;
}

static void
keep_config(struct scope *s, const struct json *config, size_t cap)
{
	arena_done(&s->trees);
	arena_init(&s->trees, cap);
	s->config = state_keep_tree(&s->trees, config);
	s->alias = alias_of(s);
}

/* NULL: none. */
static void
set_config(struct registry *r, const struct record *rec, const struct json *config, struct span key)
{
	struct scope *s = need_scope(r, scope_name(rec));

	/* Once to see how much memory it needs, and then in that. */
	keep_config(s, config, RECORD_ARENA);
	keep_config(s, config, s->trees.used);
	note_key(r, &s->config_keys, rec, key);
	drop_idle_scope(r, s);
}

bool
state_apply_config(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	const struct json *config = NULL;
	bool good = true;
	struct arena a;

	arena_init(&a, RECORD_ARENA);
	if (!rec->tombstone && !(good = state_form_config(&a, rec->config, &config)))
		*why = "one of its settings is unknown";
	if (good)
		set_config(r, rec, config, key);
	arena_done(&a);
	return good;
}

bool
state_apply_mode(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	const char *name = rec->tombstone ? NULL : registry_mode_name(rec->mode);
	struct scope *s;

	/* Others read no mode in small letters. */
	if (!rec->tombstone && (name == NULL || !span_is(rec->mode, name))) {
		*why = "its mode is unknown";
		return false;
	}
	s = need_scope(r, scope_name(rec));
	free((void *)(uintptr_t)s->mode.p);
	s->mode = rec->tombstone ? span_of(NULL, 0) : span_of(xmemdup(rec->mode.p, rec->mode.n), rec->mode.n);
	note_key(r, &s->mode_keys, rec, key);
	drop_idle_scope(r, s);
	return true;
}
