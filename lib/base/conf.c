/* conf.c -- a table of settings, and what has been written of them. */
#include "base/conf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/properties.h"
#include "base/xalloc.h"

void
conf_init(struct conf *c, const struct conf_table *table, void *into)
{
	char why[320];

	*c = (struct conf){ .table = table,
		.into = into,
		.text = xcalloc(table->n, sizeof *c->text),
		.line = xcalloc(table->n, sizeof *c->line) };
	for (size_t i = 0; i < table->n; i++) {
		const struct setting *s = &table->settings[i];

		must(setting_store(s, span_str(s->fallback), into, why, sizeof why) == 0);
	}
}

void
conf_done(struct conf *c)
{
	for (size_t i = 0; c->table != NULL && i < c->table->n; i++)
		free(c->text[i]);
	for (size_t i = 0; i < c->n_extras; i++) {
		free(c->extras[i].key);
		free(c->extras[i].value);
	}
	free(c->extras);
	free(c->text);
	free(c->line);
	*c = (struct conf){ 0 };
}

size_t
conf_find(const struct conf_table *t, struct span key)
{
	for (size_t i = 0; i < t->n; i++)
		if (span_is(key, t->settings[i].name))
			return i;
	for (const struct conf_alias *a = t->aliases; a != NULL && a->name != NULL; a++)
		if (span_is(key, a->name))
			return a->setting;
	return t->n;
}

const char *
conf_also(const struct conf_table *t, size_t setting)
{
	for (const struct conf_alias *a = t->aliases; a != NULL && a->name != NULL; a++)
		if (a->setting == setting)
			return a->name;
	return NULL;
}

const char *
conf_text(const struct conf *c, size_t i)
{
	return c->text[i] != NULL ? c->text[i] : c->table->settings[i].fallback;
}

void
conf_mistake(
    struct buf *to, const char *file, int line, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (line > 0)
		buf_printf(to, "%s:%d: ", file, line);
	else if (line == 0 || file == NULL)
		buf_printf(to, "-o: ");
	else
		buf_printf(to, "%s: ", file);
	if (key != NULL)
		buf_printf(to, "%s: ", key);
	buf_printf(to, "%s\n", text);
}

void
conf_late_mistake(
    const struct conf *c, const char *file, size_t i, const char *why, struct buf *mistakes)
{
	conf_mistake(mistakes, file, c->text[i] == NULL ? -1 : c->line[i],
	    c->table->settings[i].name, "%s", why);
}

/* The name that an unknown key may have been meant for, or NULL. */
static const char *
nearest(const struct conf_table *t, struct span key)
{
	const char *name = t->instead == NULL ? NULL : t->instead(key);
	size_t best = SIZE_MAX;

	if (name != NULL)
		return name;
	for (size_t i = 0; i < t->n; i++) {
		size_t distance = setting_distance(t->settings[i].name, key);

		if (distance < best) {
			best = distance;
			name = t->settings[i].name;
		}
	}
	return name;
}

static void
unknown_key(
    const struct conf_table *t, const char *file, int line, struct span key, struct buf *mistakes)
{
	const char *meant = nearest(t, key);
	char quoted[80];

	diag_quote(quoted, sizeof quoted, key);
	if (meant != NULL)
		conf_mistake(mistakes, file, line, quoted,
		    "there is no such setting; did you mean %s?", meant);
	else
		conf_mistake(mistakes, file, line, quoted,
		    "there is no such setting: take it out, or look for its name in %s", t->manual);
}

static char *
text_of(struct span s)
{
	char *text = xmalloc(s.n + 1);

	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

/* Keeps a key that begins with a prefix; false when it begins with none. */
static bool
take_extra(struct conf *c, int line, struct span key, struct span value)
{
	for (const struct conf_prefix *p = c->table->prefixes; p != NULL && p->prefix != NULL; p++) {
		size_t n = strlen(p->prefix);

		if (key.n <= n || memcmp(key.p, p->prefix, n) != 0)
			continue;
		c->extras = xrealloc(c->extras, (c->n_extras + 1) * sizeof *c->extras);
		c->extras[c->n_extras++] = (struct conf_extra){ text_of(key), text_of(value), line };
		return true;
	}
	return false;
}

/* One "key = value" from line `line` of the file, or from the command line (0). */
static void
take(struct conf *c, const char *file, int line, struct span key, struct span value,
    struct buf *mistakes)
{
	size_t i = conf_find(c->table, key);
	const struct setting *s;
	char why[320];
	char *text;

	if (i == c->table->n) {
		if (!take_extra(c, line, key, value))
			unknown_key(c->table, file, line, key, mistakes);
		return;
	}
	s = &c->table->settings[i];
	if (line > 0 && c->line[i] > 0) {
		conf_mistake(mistakes, file, line, s->name,
		    "stands on line %d already: take one of them out", c->line[i]);
		return;
	}
	text = text_of(value);
	if (setting_store(s, span_of(text, value.n), c->into, why, sizeof why) == -1) {
		conf_mistake(mistakes, file, line, s->name, "%s", why);
		free(text);
		return;
	}
	free(c->text[i]);
	c->text[i] = text;
	c->line[i] = line;
}

void
conf_take_file(struct conf *c, const char *file, struct span text, struct buf *mistakes)
{
	struct properties p;

	properties_init(&p, text);
	while (properties_next(&p)) {
		char quoted[80];

		if (p.mistake != NULL)
			conf_mistake(mistakes, file, p.line,
			    diag_quote(quoted, sizeof quoted, p.key), "%s", p.mistake);
		else
			take(c, file, p.line, p.key, p.value, mistakes);
	}
	properties_done(&p);
}

void
conf_take_override(struct conf *c, const char *assignment, struct buf *mistakes)
{
	const char *equals = strchr(assignment, '=');
	char quoted[80];

	if (equals == NULL)
		conf_mistake(mistakes, NULL, 0,
		    diag_quote(quoted, sizeof quoted, span_str(assignment)),
		    "has no value: write -o key=value");
	else
		take(c, NULL, 0, span_of(assignment, (size_t)(equals - assignment)),
		    span_str(equals + 1), mistakes);
}
