/* settings.c -- what is set, and what is in force: configuration and modes. */
#include <string.h>
#include <strings.h>

#include "registry/registry_internal.h"

/* Where a setting is looked for: the subject, its context or what is global, what is above all contexts. */
enum { SCOPES = 3 };

struct scopes {
	const struct scope *in[SCOPES]; /* those that are there; NULL: not */
};

static struct scopes
scopes_of(const struct registry *r, struct span subject)
{
	struct span name, context = registry_context(subject.p == NULL ? span_str("") : subject, &name);
	struct buf key = { 0 };
	struct scopes s = { { 0 } };

	if (name.n > 0)
		s.in[0] = state_scope(r, subject);
	if (!span_is(context, ".")) {
		buf_u8(&key, ':');
		buf_span(&key, context);
		buf_u8(&key, ':');
	}
	s.in[1] = state_scope(r, key.n == 0 ? span_str("") : buf_bytes(&key));
	s.in[2] = state_scope(r, span_str(":.__GLOBAL:"));
	buf_done(&key);
	return s;
}

const struct json *
registry_own_config(const struct registry *r, struct span subject)
{
	const struct scope *s = state_scope(r, subject);

	return s == NULL ? NULL : s->config;
}

const struct json *
registry_config(const struct registry *r, struct span subject)
{
	struct scopes s = scopes_of(r, subject);

	for (int i = 0; i < SCOPES; i++)
		if (s.in[i] != NULL && s.in[i]->config != NULL)
			return s.in[i]->config;
	return NULL;
}

/* What a subject's config leaves to the global one. */
static bool
is_shared(const char *field)
{
	static const char *const names[] = { "normalize", "validateFields", "validateNewSchemas", "validateRules",
		"compatibilityPolicy", "compatibilityGroup" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(field, names[i]) == 0)
			return true;
	return false;
}

const struct json *
registry_config_field(const struct registry *r, struct span subject, const char *name)
{
	const struct json *own = registry_own_config(r, subject);
	const struct json *v = json_get(own != NULL ? own : registry_config(r, subject), name);

	if (json_is_absent(v) && own != NULL && is_shared(name))
		v = json_get(registry_own_config(r, span_of(NULL, 0)), name);
	return json_is_absent(v) ? NULL : v;
}

enum level
registry_default_level(const struct registry *r)
{
	return r->level;
}

/* The level alone is taken from a wider scope where the nearest config has none. */
enum level
registry_level(const struct registry *r, struct span subject)
{
	struct scopes s = scopes_of(r, subject);
	enum level level;

	for (int i = 0; i < SCOPES; i++) {
		const struct json *v = s.in[i] == NULL ? NULL : json_get(s.in[i]->config, "compatibilityLevel");

		if (json_is_kind(v, JSON_STRING) && level_parse(v->text, &level))
			return level;
	}
	return r->level;
}

bool
registry_normalize(const struct registry *r, struct span subject)
{
	return json_is_kind(registry_config_field(r, subject, "normalize"), JSON_TRUE);
}

/* ---- words, in any case, and as they are stored ---- */

static const char *
one_of(const char *const *words, struct span name)
{
	for (; *words != NULL; words++)
		if (name.n == strlen(*words) && strncasecmp((const char *)name.p, *words, name.n) == 0)
			return *words;
	return NULL;
}

const char *
registry_mode_name(struct span name)
{
	static const char *const modes[] = { "READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD", NULL };

	return one_of(modes, name);
}

const char *
registry_policy_name(struct span name)
{
	static const char *const policies[] = { "STRICT", "LENIENT", "LOGICAL", NULL };

	return one_of(policies, name);
}

const char *
registry_level_name(struct span name)
{
	enum level level;

	return level_parse(name, &level) ? level_name(level) : NULL;
}

/* ---- modes ---- */

struct span
registry_own_mode(const struct registry *r, struct span subject)
{
	const struct scope *s = state_scope(r, subject);

	return s == NULL ? span_of(NULL, 0) : s->mode;
}

struct span
registry_mode(const struct registry *r, struct span subject)
{
	struct scopes s = scopes_of(r, subject);
	struct span mode = span_of(NULL, 0);

	for (int i = 0; i < SCOPES; i++) {
		/* This one wins over what is below it. */
		if (s.in[i] != NULL && span_is(s.in[i]->mode, "READONLY_OVERRIDE"))
			return s.in[i]->mode;
		if (mode.p == NULL && s.in[i] != NULL)
			mode = s.in[i]->mode;
	}
	return mode.p != NULL ? mode : span_str("READWRITE");
}
