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
	arena_init(&s->trees, RECORD_ARENA);
	must(map_put(&r->scopes, s->name, s));
	return s;
}

void
state_free_scope(struct scope *s)
{
	arena_done(&s->trees);
	free((void *)(uintptr_t)s->mode.p);
	state_free_keys(&s->config_keys);
	state_free_keys(&s->mode_keys);
	free(s);
}

static void
drop_idle_scope(struct registry *r, struct scope *s)
{
	if (s->config != NULL || s->mode.p != NULL)
		return;
	map_del(&r->scopes, s->name);
	state_free_scope(s);
}

static struct span
scope_name(const struct record *rec)
{
	return rec->subject.p == NULL ? span_str("") : rec->subject;
}

/* What is unset has no key that matters. */
static void
note_key(struct odd_key **keys, const struct record *rec, struct span key)
{
	if (rec->tombstone)
		state_free_keys(keys);
	else
		state_note_key(keys, rec, key);
}

static bool
is_level(const struct json *config)
{
	const struct json *v = json_get(config, "compatibilityLevel");
	enum level level;

	return v == NULL || v->kind == JSON_NULL || (v->kind == JSON_STRING && level_parse(v->text, &level));
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

bool
state_apply_config(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	struct scope *s;

	if (!rec->tombstone && !is_level(rec->config)) {
		*why = "its compatibility level is unknown";
		return false;
	}
	s = need_scope(r, scope_name(rec));
	arena_done(&s->trees);
	s->config = rec->tombstone ? NULL : state_keep_tree(&s->trees, rec->config);
	s->alias = alias_of(s);
	note_key(&s->config_keys, rec, key);
	drop_idle_scope(r, s);
	return true;
}

bool
state_apply_mode(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	struct scope *s;

	if (!rec->tombstone && registry_mode_name(rec->mode) == NULL) {
		*why = "its mode is unknown";
		return false;
	}
	s = need_scope(r, scope_name(rec));
	free((void *)(uintptr_t)s->mode.p);
	s->mode = rec->tombstone ? span_of(NULL, 0) : span_of(xmemdup(rec->mode.p, rec->mode.n), rec->mode.n);
	note_key(&s->mode_keys, rec, key);
	drop_idle_scope(r, s);
	return true;
}
