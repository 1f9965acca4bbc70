/* config_print.c -- the table of settings, written for people. */
#include <inttypes.h>
#include <string.h>

#include "server/config_table.h"

/* One line of the listing. */
struct line {
	const struct setting *setting;
	const char *also;  /* another name for it, or NULL */
	const char *topic; /* the topics' setting whose default it is, or NULL */
};

struct format {
	const char *name;
	void (*begin)(FILE *);
	void (*setting)(FILE *, const struct line *);
	void (*begin_topics)(FILE *);
	void (*topic_setting)(FILE *, const struct line *);
};

/* What may be written, beside what the type says. */
static void
put_limits(FILE *to, const struct setting *s)
{
	bool number = s->type == SETTING_INT || s->type == SETTING_LONG || s->type == SETTING_DOUBLE;

	if (number && s->max >= INT32_MAX)
		fprintf(to, " from %" PRId64, s->min);
	else if (number)
		fprintf(to, " from %" PRId64 " to %" PRId64, s->min, s->max);
	else if (s->choices != NULL) {
		fputs(": ", to);
		for (const char *c = s->choices; *c != '\0'; c++)
			fputs(*c == ' ' ? ", " : (char[]){ *c, '\0' }, to);
	}
}

static const char *
default_text(const struct setting *s)
{
	return s->fallback == NULL ? "unset" : s->fallback[0] == '\0' ? "empty" : s->fallback;
}

/* The page of the manual: a dash is a minus sign, a backslash is spelled. */
static void
man_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", to);
		else if (*text == '\\')
			fputs("\\e", to);
		else
			fputc(*text, to);
	}
}

static void
man_head(FILE *to, const char *name, const struct setting *s)
{
	fprintf(to, ".TP\n.B %s\n", name);
	man_text(to, s->doc);
	fputs("\n.br\n", to);
	man_text(to, setting_type_name(s->type));
	put_limits(to, s);
	fputs("; default ", to);
	man_text(to, default_text(s));
}

static void
man_begin(FILE *to)
{
	fputs(".SH SETTINGS OF THE DAEMON\n", to);
}

static void
man_setting(FILE *to, const struct line *l)
{
	man_head(to, l->setting->name, l->setting);
	if (!l->setting->dynamic)
		fputs("; read at the start only", to);
	fputs(".\n", to);
	if (l->also != NULL)
		fprintf(to, "Also called\n.BR %s .\n", l->also);
	if (l->topic != NULL)
		fprintf(to, "The default of topics'\n.BR %s .\n", l->topic);
}

static void
man_begin_topics(FILE *to)
{
	fputs(".SH SETTINGS OF A TOPIC\n", to);
}

static void
man_topic_setting(FILE *to, const struct line *l)
{
	man_head(to, l->setting->name, l->setting);
	fputs(".\n", to);
}

static void
md_begin(FILE *to)
{
	fputs("# Configuration of weir-logd\n\n"
	      "<!-- Made from logd/server/params.tbl and logd/api/topic_params.tbl by `make docs`: edit those. -->\n\n"
	      "The file is one of Java's properties; [operations](../operations.md) tells how it is used, and\n"
	      "weir-logd.conf(5) its syntax. Settings marked *restart* are read at the start only, the others\n"
	      "are taken up on SIGHUP.\n\n"
	      "## Settings of the daemon\n\n"
	      "| Setting | Values | Default | Taken up | Meaning |\n|---|---|---|---|---|\n",
	    to);
}

/* The first cells of a line; no text of the tables holds a bar. */
static void
md_head(FILE *to, const struct line *l)
{
	fprintf(to, "| `%s`", l->setting->name);
	if (l->also != NULL)
		fprintf(to, ", `%s`", l->also);
	fprintf(to, " | %s", setting_type_name(l->setting->type));
	put_limits(to, l->setting);
	if (default_text(l->setting) == l->setting->fallback)
		fprintf(to, " | `%s` | ", l->setting->fallback);
	else
		fprintf(to, " | %s | ", default_text(l->setting));
}

static void
md_setting(FILE *to, const struct line *l)
{
	md_head(to, l);
	fputs(l->setting->dynamic ? "reload | " : "restart | ", to);
	fputs(l->setting->doc, to);
	if (l->topic != NULL)
		fprintf(to, " The default of topics' `%s`.", l->topic);
	fputs(" |\n", to);
}

static void
md_begin_topics(FILE *to)
{
	fputs("\n## Settings of a topic\n\n"
	      "Given when a topic is made or with the usual tools. What a topic has not been given, it takes from\n"
	      "the daemon's setting of the table above that says so.\n\n"
	      "| Setting | Values | Default | Meaning |\n|---|---|---|---|\n",
	    to);
}

static void
md_topic_setting(FILE *to, const struct line *l)
{
	md_head(to, l);
	fprintf(to, "%s |\n", l->setting->doc);
}

static void
properties_begin(FILE *to)
{
	fputs("# The settings of weir-logd with their defaults; weir-logd.conf(5) says more.\n", to);
}

static void
properties_setting(FILE *to, const struct line *l)
{
	fprintf(to, "\n# %s\n#%s = %s\n", l->setting->doc, l->setting->name,
	    l->setting->fallback == NULL ? "" : l->setting->fallback);
}

static void
nothing(FILE *to)
{
	(void)to;
}

static const struct format formats[] = {
	{ "man", man_begin, man_setting, man_begin_topics, man_topic_setting },
	{ "md", md_begin, md_setting, md_begin_topics, md_topic_setting },
	{ "properties", properties_begin, properties_setting, nothing, NULL },
};

static const char *
also_called(size_t i)
{
	for (const struct config_alias *a = config_aliases; a->name != NULL; a++)
		if (a->param == i)
			return a->name;
	return NULL;
}

static void
print(const struct format *f, FILE *to)
{
	f->begin(to);
	for (size_t i = 0; i < CONFIG_PARAMS; i++) {
		const struct config_row *row = &config_rows[i];
		struct line l = { .setting = &row->setting, .also = also_called(i) };

		if (row->unit == 1)
			l.topic = topic_config_setting(row->topic)->setting.name;
		f->setting(to, &l);
	}
	f->begin_topics(to);
	for (size_t i = 0; i < TOPIC_PARAMS && f->topic_setting != NULL; i++)
		f->topic_setting(to, &(struct line){ .setting = &topic_config_setting(i)->setting });
}

bool
config_print(const char *format, FILE *to)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(format, formats[i].name) == 0) {
			print(&formats[i], to);
			return true;
		}
	return false;
}
