/*
 * schema_import.c -- weir schema import: brings an exported registry into another, with its ids and versions.
 *
 * First it is found out what is missing, and nothing is changed while anything is there, a setting
 * among it, that is not the same.  Then each context that something is missing of is put into IMPORT mode, the schemas are
 * registered, those that others refer to first, and what is deleted in the export is deleted; then come
 * associations, but for those that have to come with a schema, and the settings.  At the end, whatever
 * happened, each context gets its mode back.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "weir/dump.h"
#include "weir/links.h"
#include "weir/schema.h"
#include "weir/versions.h"

/* What has to be done about a schema of the export. */
enum state {
	MISSING,
	THERE,       /* and the same */
	TO_DELETE,   /* there, but deleted in the export */
	REFUSED      /* the registry does not take it; that was said */
};

/* A schema of the export on its way. */
struct item {
	struct dump_schema s;
	enum state state;
	bool visited;     /* it, and what it refers to, are in the order */
};

/* A config or a mode of the export on its way. */
struct due {
	const struct dump_setting *s;
	bool missing;
};

/* A context that is imported into. */
struct space {
	const char *name;
	const char *mode_of; /* what /mode/ calls it; NULL: that of all */
	const char *before;  /* its mode; NULL: none was set */
	const char *after;   /* the same for when all has been imported */
	bool missing;        /* something of it is, or has to be deleted */
	bool switched;       /* it is in IMPORT mode for us */
};

struct import {
	struct cli *cli;
	struct arena *arena;   /* the command's */
	struct dump dump;
	struct item *items;    /* as many as the dump has schemas */
	struct item **order;   /* the same, what is referred to first */
	size_t n_order;
	struct map by_name;    /* owned; "SUBJECT\nVERSION" -> item */
	struct map by_id;      /* owned; "CONTEXT\nID" -> item */
	struct space *spaces;
	size_t n_spaces;
	struct links links;    /* the associations */
	struct due *configs, *modes; /* as many as the dump has */
	struct map looked_at;  /* owned; the places of which it is known whether they are open */
	size_t strangers;      /* schemas that the registry has and the export has not */
	size_t differences;    /* told so far */
	struct { int64_t registered, there, deleted, configs, modes; } n;
};

/* ---- names ---- */

static struct span
key_of(struct arena *a, const char *name, int64_t number)
{
	const char *key = arena_printf(a, "%s\n%" PRId64, name, number);

	must_fit(key != NULL);
	return span_str(key);
}

static struct item *
find_item(const struct import *m, struct arena *a, const char *subject, int64_t version)
{
	return map_get(&m->by_name, key_of(a, subject, version));
}

/* A difference is a line; version 0: it is of no version. */
static void
tell_difference(struct import *m, const char *subject, int64_t version, const char *what)
{
	fprintf(stderr, "%s", subject == NULL ? "all subjects" : subject);
	if (version > 0)
		fprintf(stderr, ", version %" PRId64, version);
	fprintf(stderr, ": %s\n", what);
	m->differences++;
}

static bool
index_items(struct import *m)
{
	m->items = arena_array(m->arena, (size_t)m->dump.n.schemas + 1, sizeof *m->items);
	must_fit(m->items != NULL);
	for (int64_t i = 0; i < m->dump.n.schemas; i++) {
		struct item *item = &m->items[i];
		const struct dump_schema *s = &m->dump.schemas[i];
		struct link *link;

		item->s = *s;
		if (find_item(m, m->arena, s->subject, s->version) != NULL) {
			cli_say(m->cli, "%s, version %" PRId64 " is in the export twice", s->subject, s->version);
			return false;
		}
		must_fit(map_put(&m->by_name, key_of(m->arena, s->subject, s->version), item));
		must_fit(map_put(&m->by_id, key_of(m->arena, dump_context(m->arena, s->subject), s->id), item));
		if (!s->deleted && (link = links_frozen(&m->links, s->subject)) != NULL)
			link->lives = true;
	}
	return true;
}

/* ---- order ---- */

/* The name of a subject that a schema refers to: without a context it is in that of the schema. */
static const char *
referred(struct import *m, const struct item *from, const struct json *reference)
{
	const char *subject = cli_member(m->arena, reference, "subject"), *context = dump_context(m->arena, from->s.subject);

	if (subject[0] == ':')
		return strncmp(subject, ":.:", 3) == 0 ? subject + 3 : subject;
	if (strcmp(context, ".") == 0)
		return subject;
	must_fit((subject = arena_printf(m->arena, ":%s:%s", context, subject)) != NULL);
	return subject;
}

/* How deep references go: each is another schema, and nobody can read what has many below it. */
enum { REFERENCES_DEEP_MAX = 1000 };

/* Puts it into the order, behind what it refers to. */
static void
visit(struct import *m, struct item *item, int depth)
{
	const struct json *refs = json_get(item->s.entity, "references");

	if (item->visited || depth > REFERENCES_DEEP_MAX)
		return;
	item->visited = true;
	for (const struct json *j = json_is_kind(refs, JSON_ARRAY) ? refs->first : NULL; j != NULL; j = j->next) {
		struct item *to;
		int64_t version;

		if (json_is_int(json_get(j, "version"), &version) &&
		    (to = find_item(m, m->arena, referred(m, item, j), version)) != NULL)
			visit(m, to, depth + 1);
	}
	m->order[m->n_order++] = item;
}

static void
sort_items(struct import *m)
{
	m->order = arena_array(m->arena, (size_t)m->dump.n.schemas + 1, sizeof *m->order);
	must_fit(m->order != NULL);
	for (int64_t i = 0; i < m->dump.n.schemas; i++)
		visit(m, &m->items[i], 0);
}

/* ---- what is there ---- */

/* A schema as requests have it, with the version and the id that it is to get (`numbers`) or as it is looked for. */
static void
put_request(struct buf *to, const struct item *item, bool numbers)
{
	static const char *const names[] = { "schemaType", "references", "metadata", "ruleSet", "schema", "version", "id" };
	struct json_out o = json_out(to);

	json_open(&o, '{');
	for (size_t i = 0; i < sizeof names / sizeof *names - (numbers ? 0 : 2); i++) {
		const struct json *v = json_get(item->s.entity, names[i]);

		if (v == NULL)
			continue;
		json_key(&o, names[i]);
		json_put_tree(&o, v);
	}
	json_close(&o, '}');
}

/*
 * Whether the registry has the same schema.  One whose text is spelled otherwise it is asked for, since it prints what it
 * gets: it knows what is the same.
 */
static bool
is_same(struct import *m, const struct version *v, const struct item *item, struct arena *a)
{
	struct weir_answer answer;
	struct weir_error why;
	struct buf body = { 0 };
	int64_t id = 0;

	if (dump_same(v->entity, item->s.entity) || !dump_same_beside_text(v->entity, item->s.entity))
		return dump_same(v->entity, item->s.entity);
	put_request(&body, item, false);
	must_fit(!body.failed);
	if (!cli_ask(m->cli,
		&(struct weir_call){ .method = WEIR_POST, .path = { "subjects", v->subject }, .query = { { "deleted", "true" } },
		    .body = buf_bytes(&body) },
		a, &answer, &why) || !json_is_int(json_get(answer.json, "id"), &id))
		id = 0;
	buf_done(&body);
	return id == v->id;
}

/* What the registry has and the export has not.  Where it is deleted it would go for good, when the mode is changed. */
static void
meet_stranger(struct import *m, const struct version *v, struct arena *a)
{
	const struct item *same_id = map_get(&m->by_id, key_of(a, dump_context(a, v->subject), v->id));

	m->strangers++;
	if (v->deleted)
		tell_difference(m, v->subject, v->version,
		    "deleted in the registry and not in the export: importing would remove it for good");
	else if (same_id != NULL && !is_same(m, v, same_id, a))
		tell_difference(m, v->subject, v->version,
		    arena_printf(a, "its id %" PRId64 " is another schema's in the export", v->id));
}

/* Compares a schema of the registry with the export. */
static void
compare(struct import *m, const struct version *v, struct arena *a)
{
	struct item *item = find_item(m, a, v->subject, v->version);
	struct link *link = links_frozen(&m->links, v->subject);

	if (link != NULL && !v->deleted)
		link->late = true;
	if (item == NULL) {
		meet_stranger(m, v, a);
		return;
	}
	if (!is_same(m, v, item, a))
		tell_difference(m, v->subject, v->version, "the registry has another schema, or another id");
	else if (v->deleted && !item->s.deleted)
		tell_difference(m, v->subject, v->version, "deleted in the registry, and not in the export");
	item->state = v->deleted == item->s.deleted ? THERE : TO_DELETE;
}

/* Compares all that the registry has with the export. */
static enum status
look(struct import *m)
{
	struct versions all;
	struct version v;

	m->strangers = 0;
	for (int64_t i = 0; i < m->dump.n.schemas; i++)
		if (m->items[i].state != REFUSED)
			m->items[i].state = MISSING;
	versions_begin(&all, m->cli, NULL, true, false);
	while (versions_next(&all, &v))
		compare(m, &v, &all.pages.arena);
	versions_done(&all);
	return all.status;
}

static size_t
count(const struct import *m, enum state state)
{
	size_t n = 0;

	for (int64_t i = 0; i < m->dump.n.schemas; i++)
		n += m->items[i].state == state;
	return n;
}

/* ---- modes ---- */

/* Whether a setting goes for all subjects, of the default context or of each; a registry tells one always. */
static bool
is_for_all(const char *subject)
{
	return subject == NULL || strcmp(subject, ":.__GLOBAL:") == 0;
}

/* The mode that is set at a place, or is in force there; NULL: none.  That of all is READWRITE where none is. */
static enum status
mode_of(struct import *m, const char *subject, bool in_force, const char **out)
{
	struct weir_answer answer;
	struct weir_error why;

	*out = NULL;
	if (!cli_ask(m->cli, &(struct weir_call){ .path = { "mode", subject }, .query = { { "defaultToGlobal", in_force ? "true" : NULL } } },
		m->arena, &answer, &why))
		return why.code == 40409 ? STATUS_DONE : cli_failed(m->cli, &answer, &why);
	*out = cli_member(m->arena, answer.json, "mode");
	if (is_for_all(subject) && strcmp(*out, "READWRITE") == 0)
		*out = NULL;
	return STATUS_DONE;
}

/* Sets the mode of a place; NULL: takes it back. */
static enum status
set_mode(struct import *m, const char *subject, const char *mode, bool force)
{
	struct weir_call call = { .method = mode == NULL ? WEIR_DELETE : WEIR_PUT, .path = { "mode", subject },
		.query = { { "force", force ? "true" : NULL } } };
	struct weir_answer answer;
	struct weir_error why;
	const char *body;

	must_fit((body = arena_printf(m->arena, "{\"mode\":\"%s\"}", mode == NULL ? "" : mode)) != NULL);
	if (mode != NULL)
		call.body = span_str(body);
	/* 40401: there is none to be taken back. */
	if (cli_ask(m->cli, &call, m->arena, &answer, &why) || (mode == NULL && why.code == 40401))
		return STATUS_DONE;
	return cli_failed(m->cli, &answer, &why);
}

static struct space *
find_space(const struct import *m, const char *mode_of)
{
	for (size_t i = 0; i < m->n_spaces; i++)
		if ((mode_of == NULL) == (m->spaces[i].mode_of == NULL) &&
		    (mode_of == NULL || strcmp(mode_of, m->spaces[i].mode_of) == 0))
			return &m->spaces[i];
	return NULL;
}

/* The contexts of the export. */
static void
find_spaces(struct import *m)
{
	m->spaces = arena_array(m->arena, (size_t)m->dump.n.schemas + 1, sizeof *m->spaces);
	must_fit(m->spaces != NULL);
	for (int64_t i = 0; i < m->dump.n.schemas; i++) {
		const char *name = dump_context(m->arena, m->items[i].s.subject), *mode_of = NULL;
		struct space *space;

		if (strcmp(name, ".") != 0)
			must_fit((mode_of = arena_printf(m->arena, ":%s:", name)) != NULL);
		if ((space = find_space(m, mode_of)) == NULL) {
			space = &m->spaces[m->n_spaces++];
			*space = (struct space){ .name = name, .mode_of = mode_of };
		}
		space->missing = space->missing || m->items[i].state != THERE;
	}
}

/*
 * Puts the contexts into IMPORT mode that something is missing of.  One that is in it was left there by an
 * import that was killed, maybe when no schema was missing any more: it is to have none.
 */
static enum status
open_spaces(struct import *m)
{
	enum status status = STATUS_DONE;

	for (size_t i = 0; i < m->n_spaces && status == STATUS_DONE; i++) {
		struct space *s = &m->spaces[i];
		bool left;

		status = mode_of(m, s->mode_of, false, &s->before);
		left = s->before != NULL && strcmp(s->before, "IMPORT") == 0;
		s->after = left ? NULL : s->before;
		/* By force, for what an earlier run has brought; look() has seen that nothing else is lost by it. */
		if (status == STATUS_DONE && s->missing && !left)
			status = set_mode(m, s->mode_of, "IMPORT", true);
		s->switched = status == STATUS_DONE && (s->missing || left);
	}
	return status;
}

/* Gives the contexts the modes that they are to have. */
static enum status
close_spaces(struct import *m, bool whole)
{
	enum status status = STATUS_DONE, one;

	for (size_t i = 0; i < m->n_spaces; i++) {
		struct space *s = &m->spaces[i];
		const char *mode = whole ? s->after : s->before;

		if (!s->switched || (mode != NULL && strcmp(mode, "IMPORT") == 0))
			continue;
		if ((one = set_mode(m, s->mode_of, mode, false)) != STATUS_DONE) {
			cli_say(m->cli, "context %s is still in mode IMPORT: weir schema mode %s %s sets it back", s->name,
			    s->mode_of == NULL ? "" : s->mode_of, mode == NULL ? "--unset" : mode);
			status = one;
		}
	}
	return status;
}

/* ---- schemas ---- */

/* Whether the registry refuses just this schema; of the mode, 42205, it would say the same of all others. */
static bool
is_of_schema(const struct weir_answer *answer, const struct weir_error *why)
{
	return (answer->status == 409 || answer->status == 413 || answer->status == 422) && why->code != 42205;
}

static void
tell_refusal(struct import *m, struct item *item, const char *words, struct arena *a)
{
	const char *text = arena_printf(a, "the registry does not take it, with id %" PRId64 ": %s", item->s.id, words);

	must_fit(text != NULL);
	tell_difference(m, item->s.subject, item->s.version, text);
	item->state = REFUSED;
}

/* What the registry refuses of the schema itself is told, and the item is REFUSED: others wait for nothing. */
static enum status
register_alone(struct import *m, struct item *item, struct span body, int64_t *id)
{
	struct weir_answer answer;
	struct weir_error why;
	struct arena a;
	enum status status = STATUS_DONE;

	arena_init(&a, CLI_MEMORY_MAX);
	if (cli_ask(m->cli,
		&(struct weir_call){ .method = WEIR_POST, .path = { "subjects", item->s.subject, "versions" }, .body = body }, &a, &answer,
		&why)) {
		if (!json_is_int(json_get(answer.json, "id"), id))
			*id = 0;
	} else if (is_of_schema(&answer, &why))
		tell_refusal(m, item, cli_words(&a, &answer, &why), &a);
	else {
		cli_say(m->cli, "%s, version %" PRId64 ":", item->s.subject, item->s.version);
		status = cli_failed(m->cli, &answer, &why);
	}
	arena_done(&a);
	return status;
}

/* With the association that the first schema of its subject has to bring, if there is one. */
static enum status
register_one(struct import *m, struct item *item)
{
	struct link *link = links_frozen(&m->links, item->s.subject);
	struct buf body = { 0 };
	enum status status = STATUS_DONE;
	int64_t id = 0;

	put_request(&body, item, true);
	must_fit(!body.failed);
	if (link != NULL && links_is_due(&m->links, link))
		status = links_make_with(&m->links, link, buf_bytes(&body), &id);
	if (status == STATUS_DONE && id == 0)
		status = register_alone(m, item, buf_bytes(&body), &id);
	if (status == STATUS_DONE && item->state != REFUSED && id != item->s.id) {
		cli_say(m->cli, "%s, version %" PRId64 ": the registry gave it the id %" PRId64 " in place of %" PRId64, item->s.subject,
		    item->s.version, id, item->s.id);
		status = STATUS_REFUSED;
	}
	buf_done(&body);
	return status;
}

static enum status
delete_one(struct import *m, const struct item *item)
{
	struct weir_answer answer;
	struct weir_error why;
	char version[24];

	snprintf(version, sizeof version, "%" PRId64, item->s.version);
	/* 40406: it is deleted, and the answer to an earlier try was lost. */
	if (cli_ask(m->cli, &(struct weir_call){ .method = WEIR_DELETE, .path = { "subjects", item->s.subject, "versions", version } },
		m->arena, &answer, &why) || why.code == 40406)
		return STATUS_DONE;
	cli_say(m->cli, "%s, version %s:", item->s.subject, version);
	return cli_failed(m->cli, &answer, &why);
}

static enum status
register_all(struct import *m)
{
	enum status status = STATUS_DONE;

	for (size_t i = 0; i < m->n_order && status == STATUS_DONE; i++) {
		struct item *item = m->order[i];

		if (cli_interrupted())
			status = STATUS_INTERRUPTED;
		else if (item->state != MISSING)
			m->n.there++;
		else if ((status = register_one(m, item)) == STATUS_DONE && item->state != REFUSED) {
			item->state = item->s.deleted ? TO_DELETE : THERE;
			m->n.registered++;
		}
	}
	return status;
}

/* Deletes what is deleted in the export, what refers to others before these. */
static enum status
delete_all(struct import *m)
{
	enum status status = STATUS_DONE;

	for (size_t i = m->n_order; i > 0 && status == STATUS_DONE; i--) {
		struct item *item = m->order[i - 1];

		if (cli_interrupted())
			status = STATUS_INTERRUPTED;
		else if (item->state == TO_DELETE && (status = delete_one(m, item)) == STATUS_DONE) {
			item->state = THERE;
			m->n.deleted++;
		}
	}
	return status;
}

/* ---- settings ---- */

/* A config as requests have it: the level has another name there. */
static void
put_config(struct buf *to, const struct json *config)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	for (const struct json *v = config->first; v != NULL; v = v->next) {
		if (span_is(v->name, "compatibilityLevel"))
			json_key(&o, "compatibility");
		else
			json_key_span(&o, v->name);
		json_put_tree(&o, v);
	}
	json_close(&o, '}');
}

static enum status
set_config(struct import *m, const struct dump_setting *s)
{
	struct weir_answer answer;
	struct buf body = { 0 };
	enum status status;

	put_config(&body, s->value);
	must_fit(!body.failed);
	status = cli_call(m->cli, &(struct weir_call){ .method = WEIR_PUT, .path = { "config", s->subject }, .body = buf_bytes(&body) },
	    &answer);
	buf_done(&body);
	m->n.configs += status == STATUS_DONE;
	return status;
}

/* Whether a context is put into IMPORT mode for what is missing of it: then only what is set for a subject counts. */
static bool
is_opened(struct import *m, const char *subject)
{
	const char *context = subject == NULL ? "." : dump_context(m->arena, subject);

	for (size_t i = 0; i < m->n_spaces; i++)
		if (strcmp(m->spaces[i].name, context) == 0)
			return m->spaces[i].missing;
	return false;
}

/* Whether a place's mode lets it be changed; else that is told. */
static enum status
look_whether_open(struct import *m, const char *subject)
{
	struct span place = span_str(subject == NULL ? "" : subject);
	bool opened = is_opened(m, subject);
	const char *mode = NULL;
	enum status status;

	if ((opened && find_space(m, subject) != NULL) || map_get(&m->looked_at, place) != NULL)
		return STATUS_DONE;
	must_fit(map_put(&m->looked_at, place, m));
	status = mode_of(m, subject, !opened, &mode);
	if (mode != NULL && strcmp(mode, "READWRITE") != 0 && strcmp(mode, "IMPORT") != 0)
		tell_difference(m, subject, 0, arena_printf(m->arena, "the registry has it in mode %s, and something of it is missing", mode));
	return status;
}

/* The same of all subjects that something is missing of; one without a name has the mode of its context. */
static enum status
look_at_subjects(struct import *m)
{
	enum status status = STATUS_DONE;

	for (int64_t i = 0; i < m->dump.n.schemas && status == STATUS_DONE; i++) {
		const struct item *item = &m->items[i];

		if (item->state != THERE && item->s.subject[0] != '\0')
			status = cli_interrupted() ? STATUS_INTERRUPTED : look_whether_open(m, item->s.subject);
	}
	return status;
}

/*
 * Whether a config has to be set; one that is another is told.  What goes for all subjects may be but the default: it is
 * replaced where the registry has nothing that has not come from the export.
 */
static enum status
look_at_config(struct import *m, struct due *due)
{
	const struct dump_setting *s = due->s;
	struct weir_answer answer;
	struct weir_error why;
	bool set = cli_ask(m->cli, &(struct weir_call){ .path = { "config", s->subject } }, m->arena, &answer, &why);

	if (!set && why.code != 40408)
		return cli_failed(m->cli, &answer, &why);
	if (set && dump_same_value(answer.json, s->value))
		return STATUS_DONE;
	due->missing = !set || (is_for_all(s->subject) && m->strangers == 0);
	if (due->missing)
		return look_whether_open(m, s->subject);
	tell_difference(m, s->subject, 0, "the registry has another config");
	return STATUS_DONE;
}

/* The same of a mode.  IMPORT was left in a context by an import that was killed. */
static enum status
look_at_mode(struct import *m, struct due *due)
{
	const char *wanted = cli_str(m->arena, due->s->value->text), *is;
	enum status status = mode_of(m, due->s->subject, false, &is);

	if (is != NULL && strcmp(is, "IMPORT") == 0 && find_space(m, due->s->subject) != NULL)
		is = NULL;
	if (status != STATUS_DONE || (is == NULL && is_for_all(due->s->subject) && strcmp(wanted, "READWRITE") == 0) ||
	    (is != NULL && strcmp(wanted, is) == 0))
		return status;
	due->missing = is == NULL;
	if (!due->missing)
		tell_difference(m, due->s->subject, 0, "the registry has another mode");
	return STATUS_DONE;
}

static enum status
look_at_settings(struct import *m)
{
	enum status status = STATUS_DONE;

	m->configs = arena_array(m->arena, (size_t)m->dump.n.configs + 1, sizeof *m->configs);
	m->modes = arena_array(m->arena, (size_t)m->dump.n.modes + 1, sizeof *m->modes);
	must_fit(m->configs != NULL && m->modes != NULL);
	for (int64_t i = 0; i < m->dump.n.configs && status == STATUS_DONE; i++) {
		m->configs[i] = (struct due){ .s = &m->dump.configs[i] };
		status = cli_interrupted() ? STATUS_INTERRUPTED : look_at_config(m, &m->configs[i]);
	}
	for (int64_t i = 0; i < m->dump.n.modes && status == STATUS_DONE; i++) {
		m->modes[i] = (struct due){ .s = &m->dump.modes[i] };
		status = cli_interrupted() ? STATUS_INTERRUPTED : look_at_mode(m, &m->modes[i]);
	}
	return status;
}

/* That of a context which is imported into is set when it is given back. */
static enum status
import_mode(struct import *m, const struct dump_setting *s)
{
	const char *wanted = cli_str(m->arena, s->value->text);
	struct space *space = find_space(m, s->subject);
	enum status status = STATUS_DONE;

	if (space != NULL && !space->switched)
		space = NULL;
	if (space != NULL)
		space->after = wanted;
	else
		status = set_mode(m, s->subject, wanted, true);
	/* A context that was in IMPORT mode, and is to be, has not got another. */
	m->n.modes += status == STATUS_DONE && (space == NULL || space->before == NULL || strcmp(space->before, wanted) != 0);
	return status;
}

static enum status
import_settings(struct import *m)
{
	enum status status = STATUS_DONE;

	for (int64_t i = 0; i < m->dump.n.configs && status == STATUS_DONE; i++)
		if (m->configs[i].missing)
			status = cli_interrupted() ? STATUS_INTERRUPTED : set_config(m, m->configs[i].s);
	for (int64_t i = 0; i < m->dump.n.modes && status == STATUS_DONE; i++)
		if (m->modes[i].missing)
			status = cli_interrupted() ? STATUS_INTERRUPTED : import_mode(m, m->modes[i].s);
	return status;
}

/* ---- all of it ---- */

/* Brings what is missing; each context is in IMPORT mode meanwhile. */
static enum status
bring(struct import *m)
{
	bool missing = count(m, THERE) < (size_t)m->dump.n.schemas;
	enum status status, end;

	status = open_spaces(m);
	/* Where the mode was changed, what was deleted is gone for good, and missing now. */
	if (status == STATUS_DONE && missing)
		status = look(m);
	if (status == STATUS_DONE)
		status = register_all(m);
	if (status == STATUS_DONE)
		status = delete_all(m);
	if (status == STATUS_DONE)
		status = links_make_rest(&m->links);
	if (status == STATUS_DONE)
		status = import_settings(m);
	end = close_spaces(m, status == STATUS_DONE);
	return status != STATUS_DONE ? status : end;
}

static size_t
differences(const struct import *m)
{
	return m->differences + m->links.differences;
}

/* Compares all of it: schemas and associations. */
static enum status
look_at_all(struct import *m)
{
	enum status status = look(m);

	return status != STATUS_DONE ? status : links_look(&m->links);
}

/* Looks whether all is as it should be, but for what has been told. */
static enum status
verify(struct import *m)
{
	size_t before = differences(m);
	enum status status = look_at_all(m);

	if (status != STATUS_DONE)
		return status;
	if (count(m, THERE) + count(m, REFUSED) == (size_t)m->dump.n.schemas && differences(m) == before &&
	    (m->links.lacking || links_count(&m->links, LINK_MISSING) == 0))
		return STATUS_DONE;
	cli_say(m->cli, "the registry does not have all of the export now: did somebody else write to it?");
	return STATUS_NO;
}

static void
print_summary(const struct import *m)
{
	struct buf b = { 0 };

	if (!cli_has(m->cli, OPTION_JSON)) {
		printf("%" PRId64 " schemas registered, %" PRId64 " were there; %" PRId64 " deleted; %" PRId64 " associations made, %" PRId64
		       " were there; %" PRId64 " configs and %" PRId64 " modes set\n",
		    m->n.registered, m->n.there, m->n.deleted, m->links.made, m->links.there, m->n.configs, m->n.modes);
		return;
	}
	buf_printf(&b, "{\"registered\":%" PRId64 ",\"there\":%" PRId64 ",\"deleted\":%" PRId64 ",\"configs\":%" PRId64 ",\"modes\":%" PRId64
		       ",\"associations\":{\"made\":%" PRId64 ",\"there\":%" PRId64 "},\"differences\":%zu}",
	    m->n.registered, m->n.there, m->n.deleted, m->n.configs, m->n.modes, m->links.made, m->links.there, differences(m));
	cli_put_json(&b);
}

/* Whether it is of the context that the registry's URL names; NULL: what is set for all. */
static bool
is_meant(struct import *m, const char *subject)
{
	const char *context = subject == NULL ? "." : dump_context(m->arena, subject);

	if (m->cli->context == NULL || strcmp(m->cli->context, context) == 0)
		return true;
	cli_say(m->cli, "the registry's URL names the context %s, and the export has what is of the context %s: "
	    "import it without /contexts/ in the URL, or export that context alone", m->cli->context, context);
	return false;
}

/* Under the URL of a context subjects of the default one would get into that. */
static bool
are_all_meant(struct import *m)
{
	bool good = true;

	for (int64_t i = 0; i < m->dump.n.schemas && good; i++)
		good = is_meant(m, m->dump.schemas[i].subject);
	for (int64_t i = 0; i < m->dump.n.configs && good; i++)
		good = is_meant(m, m->dump.configs[i].subject);
	for (int64_t i = 0; i < m->dump.n.modes && good; i++)
		good = is_meant(m, m->dump.modes[i].subject);
	for (int64_t i = 0; i < m->dump.n.associations && good; i++)
		good = is_meant(m, m->dump.associations[i].subject);
	return good;
}

/* Imports what has been read. */
static enum status
run(struct import *m)
{
	enum status status;

	links_begin(&m->links, m->cli, &m->dump);
	if (!are_all_meant(m) || !index_items(m))
		return STATUS_USAGE;
	sort_items(m);
	if ((status = look_at_all(m)) != STATUS_DONE)
		return status;
	find_spaces(m);
	if ((status = look_at_subjects(m)) != STATUS_DONE || (status = look_at_settings(m)) != STATUS_DONE)
		return status;
	if (differences(m) > 0) {
		cli_say(m->cli, "the registry is not as the export has it in %zu cases, and nothing was changed", differences(m));
		return STATUS_NO;
	}
	m->links.there = links_count(&m->links, LINK_THERE);
	status = bring(m);
	if (status == STATUS_DONE)
		status = verify(m);
	print_summary(m);
	if (status == STATUS_DONE && count(m, REFUSED) > 0)
		cli_say(m->cli, "%zu schemas were refused, and the rest is there", count(m, REFUSED));
	if (status == STATUS_DONE)
		return differences(m) > 0 ? STATUS_NO : cli_end_output(m->cli);
	cli_say(m->cli, "the import is not whole: run it again, and it goes on; until then nobody should register schemas");
	return status;
}

enum status
schema_import(struct cli *c)
{
	struct import m = { .cli = c, .arena = &c->arena };
	char why[256];
	struct span text;
	enum status status = STATUS_USAGE;

	cli_catch_interrupts();
	if (!cli_read_file(c, c->n_args > 0 ? c->args[0] : "-", &text))
		return STATUS_USAGE;
	if (dump_read(&c->arena, text, &m.dump, why, sizeof why))
		status = run(&m);
	else
		cli_say(c, "%s: %s", c->n_args > 0 ? c->args[0] : "standard input", why);
	map_done(&m.by_name);
	map_done(&m.by_id);
	map_done(&m.looked_at);
	links_done(&m.links);
	return status;
}
