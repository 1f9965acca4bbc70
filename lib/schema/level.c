/* level.c -- the compatibility levels of a schema registry. */
#include "schema/level.h"

#include <stdio.h>
#include <strings.h>

/* Directions: who must be able to read what the other wrote. */
enum {
	OLD_READS_NEW = 1,
	NEW_READS_OLD = 2
};

static const struct {
	const char *name;
	unsigned directions;
	bool transitive;
} levels[] = {
	[LEVEL_NONE] = { "NONE", 0, false },
	[LEVEL_BACKWARD] = { "BACKWARD", NEW_READS_OLD, false },
	[LEVEL_BACKWARD_TRANSITIVE] = { "BACKWARD_TRANSITIVE", NEW_READS_OLD, true },
	[LEVEL_FORWARD] = { "FORWARD", OLD_READS_NEW, false },
	[LEVEL_FORWARD_TRANSITIVE] = { "FORWARD_TRANSITIVE", OLD_READS_NEW, true },
	[LEVEL_FULL] = { "FULL", OLD_READS_NEW | NEW_READS_OLD, false },
	[LEVEL_FULL_TRANSITIVE] = { "FULL_TRANSITIVE", OLD_READS_NEW | NEW_READS_OLD, true },
};

/* UTF-16 units of an older schema's text that are told. */
enum { TEXT_MAX = 10 * 1024 };

const char *
level_name(enum level level)
{
	return levels[level].name;
}

bool
level_parse(struct span name, enum level *out)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (name.n == strlen(levels[i].name) &&
		    strncasecmp((const char *)name.p, levels[i].name, name.n) == 0) {
			*out = (enum level)i;
			return true;
		}
	return false;
}

bool
level_is_transitive(enum level level)
{
	return levels[level].transitive;
}

/* The messages while they come. */
struct told {
	struct arena *arena;
	struct level_messages *out;
	size_t cap;
};

/* Adds a message that lies in the arena; NULL: there was no room for it. */
static void
put(struct told *t, const char *message)
{
	struct level_messages *out = t->out;

	if (message != NULL && out->n == t->cap) {
		size_t cap = t->cap == 0 ? 16 : t->cap * 2;
		const char **more = arena_array(t->arena, cap, sizeof *more);

		if (more != NULL && out->n > 0)
			memcpy(more, out->list, out->n * sizeof *more);
		out->list = more;
		t->cap = cap;
	}
	if (message == NULL || out->list == NULL)
		out->memory = true;
	else
		out->list[out->n++] = message;
}

/* As much of a text as is told of it; whole characters. */
static struct span
beginning(struct span text)
{
	size_t units = 0, i = 0;

	for (; i < text.n; i++)
		if ((text.p[i] & 0xc0) != 0x80) {
			units += text.p[i] >= 0xf0 ? 2 : 1;
			if (units > TEXT_MAX)
				break;
		}
	return span_of(text.p, i);
}

static void
put_version(struct told *t, const struct level_version *v)
{
	struct span text = beginning(v->text);
	bool cut = text.n < v->text.n;

	put(t, arena_printf(t->arena, "{oldSchemaVersion: %d}", v->version));
	put(t, arena_printf(t->arena, "{oldSchema: %s'%.*s%s'}", cut ? "<truncated> " : "", (int)text.n,
	    (const char *)text.p, cut ? "..." : ""));
}

/* Whether `reader` reads what `writer` wrote; else why not. */
static bool
compare(struct told *t, const struct schema *reader, const char *reader_name,
    const struct schema *writer, const char *writer_name)
{
	struct schema_conflicts conflicts;

	if (schema_can_read(reader, reader_name, writer, writer_name, t->arena, &conflicts))
		return true;
	t->out->memory |= conflicts.memory;
	if (conflicts.broken != NULL)
		put(t, arena_printf(t->arena, "Unexpected exception during compatibility check: %s",
		    conflicts.broken));
	for (size_t i = 0; i < conflicts.n && !t->out->memory; i++) {
		const struct schema_conflict *c = &conflicts.list[i];

		put(t, arena_printf(t->arena, "{errorType:'%s', description:'%s', additionalInfo:'%s'}",
		    c->kind, c->description, c->info));
	}
	return false;
}

/* Compares with one version.  Its text is told with what the newer one can't read. */
static bool
check_version(struct told *t, unsigned directions, const struct schema *fresh,
    const struct level_version *v)
{
	bool ok = true;

	if (schema_type_of(fresh) != schema_type_of(v->schema)) {
		put(t, "Incompatible because of different schema type");
		return false;
	}
	if ((directions & OLD_READS_NEW) != 0 && !compare(t, v->schema, "old", fresh, "new")) {
		ok = false;
		if ((directions & NEW_READS_OLD) == 0)
			put_version(t, v);
	}
	if ((directions & NEW_READS_OLD) != 0 && !compare(t, fresh, "new", v->schema, "old")) {
		ok = false;
		put_version(t, v);
	}
	return ok;
}

bool
level_check(enum level level, const struct schema *fresh, const struct level_version *earlier,
    size_t n_earlier, bool validate_fields, struct arena *a, struct level_messages *out)
{
	struct told t = { .arena = a, .out = out };
	size_t n = levels[level].transitive || n_earlier == 0 ? n_earlier : 1;

	*out = (struct level_messages){ 0 };
	if (levels[level].directions == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!check_version(&t, levels[level].directions, fresh, &earlier[i])) {
			put(&t, arena_printf(a, "{validateFields: '%s', compatibility: '%s'}",
			    validate_fields ? "true" : "false", levels[level].name));
			return false;
		}
	return true;
}
