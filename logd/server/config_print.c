/* config_print.c -- the daemon's settings, and those of topics, for people. */
#include <stdio.h>

#include "server/config_table.h"

/* Those of a topic under their own names. */
static const struct setting topic_settings[TOPIC_PARAMS] = {
#define TOPIC_PARAM(type, field, name, synonym, fallback, min, max, choices, doc) \
	{ name, SETTING_##type, fallback, min, max, choices, SETTING_NO_FIELD, true, doc },
#define TOPIC_ONLY(type, field, name, fallback, min, max, choices, doc) \
	{ name, SETTING_##type, fallback, min, max, choices, SETTING_NO_FIELD, true, doc },
#include "api/topic_params.tbl"
};

static const struct conf_table topic_table = { .settings = topic_settings, .n = TOPIC_PARAMS };

static const char *
default_of(size_t i)
{
	static char note[96];

	if (config_rows[i].unit != 1)
		return NULL;
	snprintf(note, sizeof note, "The default of topics' %s.", topic_settings[config_rows[i].topic].name);
	return note;
}

static const struct conf_section sections[] = {
	{ "Settings of the daemon", NULL, &config_table, default_of, true, true },
	{ "Settings of a topic",
	    "Given when a topic is made or with the usual tools. What a topic has not been given, it takes from\n"
	    "the daemon's setting of the table above that says so.\n",
	    &topic_table, NULL, false, false },
};

const struct conf_page config_page = { "weir-logd",
	"<!-- Made from logd/server/params.tbl and logd/api/topic_params.tbl by `make docs`: edit those. -->\n\n"
	"The file is one of Java's properties; [operations](../operations.md) tells how it is used, and\n"
	"weir-logd.conf(5) its syntax. Settings marked *restart* are read at the start only, the others\n"
	"are taken up on SIGHUP.\n",
	sections, sizeof sections / sizeof *sections };
