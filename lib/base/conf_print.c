/* conf_print.c -- tables of settings, written for people. */
#include "base/conf_print.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

struct format {
	const char *name;
	void (*begin)(struct buf *, const struct conf_page *);
	void (*section)(struct buf *, const struct conf_section *);
	void (*setting)(struct buf *, const struct conf_section *, size_t i);
	void (*prefix)(struct buf *, const struct conf_section *, const struct conf_prefix *);
};

static void
put(struct buf *to, const char *text)
{
	buf_span(to, span_str(text));
}

/* What may be written, beside what the type says. */
static void
put_limits(struct buf *to, const struct setting *s)
{
	bool number = s->type == SETTING_INT || s->type == SETTING_LONG || s->type == SETTING_DOUBLE;

	if (number && (s->max == INT32_MAX || s->max == INT64_MAX))
		buf_printf(to, " from %" PRId64, s->min);
	else if (number)
		buf_printf(to, " from %" PRId64 " to %" PRId64, s->min, s->max);
	else if (s->choices != NULL) {
		put(to, ": ");
		for (const char *c = s->choices; *c != '\0'; c++)
			put(to, *c == ' ' ? ", " : (char[]){ *c, '\0' });
	}
}

static const char *
default_text(const struct setting *s)
{
	return s->fallback == NULL ? "unset" : s->fallback[0] == '\0' ? "empty" : s->fallback;
}

static const char *
note_of(const struct conf_section *s, size_t i)
{
	return s->note == NULL ? NULL : s->note(i);
}

/* The page of the manual: a dash is a minus sign, a backslash is spelled. */
static void
man_text(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			put(to, "\\-");
		else if (*text == '\\')
			put(to, "\\e");
		else
			buf_u8(to, (uint8_t)*text);
	}
}

static void
man_begin(struct buf *to, const struct conf_page *p)
{
	(void)to;
	(void)p;
}

static void
man_section(struct buf *to, const struct conf_section *s)
{
	put(to, ".SH ");
	for (const char *c = s->title; *c != '\0'; c++)
		buf_u8(to, (uint8_t)toupper((unsigned char)*c));
	put(to, "\n");
}

static void
man_setting(struct buf *to, const struct conf_section *section, size_t i)
{
	const struct setting *s = &section->table->settings[i];
	const char *also = conf_also(section->table, i), *note = note_of(section, i);

	buf_printf(to, ".TP\n.B %s\n", s->name);
	man_text(to, s->doc);
	put(to, "\n.br\n");
	man_text(to, setting_type_name(s->type));
	put_limits(to, s);
	put(to, "; default ");
	man_text(to, default_text(s));
	if (section->reloaded && !s->dynamic)
		put(to, "; read at the start only");
	put(to, ".\n");
	if (also != NULL)
		buf_printf(to, "Also called\n.BR %s .\n", also);
	if (note != NULL) {
		man_text(to, note);
		put(to, "\n");
	}
}

static void
man_prefix(struct buf *to, const struct conf_section *section, const struct conf_prefix *p)
{
	(void)section;
	buf_printf(to, ".TP\n.BI %s NAME\n", p->prefix);
	man_text(to, p->doc);
	put(to, "\n");
}

static void
md_begin(struct buf *to, const struct conf_page *p)
{
	buf_printf(to, "# Configuration of %s\n\n%s", p->program, p->intro);
}

static void
md_section(struct buf *to, const struct conf_section *s)
{
	buf_printf(to, "\n## %s\n\n%s%s", s->title, s->intro == NULL ? "" : s->intro,
	    s->intro == NULL ? "" : "\n");
	put(to, s->reloaded ? "| Setting | Values | Default | Taken up | Meaning |\n|---|---|---|---|---|\n"
			    : "| Setting | Values | Default | Meaning |\n|---|---|---|---|\n");
}

/* No text of the tables holds a bar. */
static void
md_setting(struct buf *to, const struct conf_section *section, size_t i)
{
	const struct setting *s = &section->table->settings[i];
	const char *also = conf_also(section->table, i), *note = note_of(section, i);
	const char *quote = default_text(s) == s->fallback ? "`" : "";

	buf_printf(to, "| `%s`", s->name);
	if (also != NULL)
		buf_printf(to, ", `%s`", also);
	buf_printf(to, " | %s", setting_type_name(s->type));
	put_limits(to, s);
	buf_printf(to, " | %s%s%s | ", quote, default_text(s), quote);
	if (section->reloaded)
		put(to, s->dynamic ? "reload | " : "restart | ");
	buf_printf(to, "%s%s%s |\n", s->doc, note == NULL ? "" : " ", note == NULL ? "" : note);
}

static void
md_prefix(struct buf *to, const struct conf_section *section, const struct conf_prefix *p)
{
	buf_printf(to, "| `%s`*name* | text | unset | %s%s |\n", p->prefix,
	    section->reloaded ? "restart | " : "", p->doc);
}

static void
properties_begin(struct buf *to, const struct conf_page *p)
{
	buf_printf(to, "# The settings of %s with their defaults; %s says more.\n", p->program,
	    p->sections[0].table->manual);
}

static void
properties_section(struct buf *to, const struct conf_section *s)
{
	(void)to;
	(void)s;
}

static void
properties_setting(struct buf *to, const struct conf_section *section, size_t i)
{
	const struct setting *s = &section->table->settings[i];

	if (section->in_file)
		buf_printf(to, "\n# %s\n#%s = %s\n", s->doc, s->name,
		    s->fallback == NULL ? "" : s->fallback);
}

static void
properties_prefix(struct buf *to, const struct conf_section *section, const struct conf_prefix *p)
{
	if (section->in_file)
		buf_printf(to, "\n# %s\n#%sNAME =\n", p->doc, p->prefix);
}

static const struct format formats[] = {
	{ "man", man_begin, man_section, man_setting, man_prefix },
	{ "md", md_begin, md_section, md_setting, md_prefix },
	{ "properties", properties_begin, properties_section, properties_setting, properties_prefix },
};

static void
print(const struct format *f, const struct conf_page *p, struct buf *to)
{
	f->begin(to, p);
	for (size_t i = 0; i < p->n_sections; i++) {
		f->section(to, &p->sections[i]);
		for (size_t j = 0; j < p->sections[i].table->n; j++)
			f->setting(to, &p->sections[i], j);
		for (const struct conf_prefix *x = p->sections[i].table->prefixes; x != NULL && x->prefix != NULL; x++)
			f->prefix(to, &p->sections[i], x);
	}
}

bool
conf_print(const struct conf_page *p, const char *format, struct buf *to)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(format, formats[i].name) == 0) {
			print(&formats[i], p, to);
			return true;
		}
	return false;
}
