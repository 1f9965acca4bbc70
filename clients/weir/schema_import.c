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
#include <string.h>

#include "weir/import.h"

/* ---- what the export has ---- */

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
		if (import_item(m, m->arena, s->subject, s->version) != NULL) {
			cli_say(m->cli, "%s, version %" PRId64 " is in the export twice", s->subject, s->version);
			return false;
		}
		must_fit(map_put(&m->by_name, import_key(m->arena, s->subject, s->version), item));
		must_fit(map_put(&m->by_id, import_key(m->arena, dump_context(m->arena, s->subject), s->id), item));
		if (!s->deleted && (link = links_frozen(&m->links, s->subject)) != NULL)
			link->lives = true;
	}
	return true;
}

static size_t
count(const struct import *m, enum state state)
{
	size_t n = 0;

	for (int64_t i = 0; i < m->dump.n.schemas; i++)
		n += m->items[i].state == state;
	return n;
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
		    (to = import_item(m, m->arena, referred(m, item, j), version)) != NULL)
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

/* ---- modes ---- */

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
		if ((space = import_space(m, mode_of)) == NULL) {
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

		status = import_mode_of(m, s->mode_of, false, &s->before);
		left = s->before != NULL && strcmp(s->before, "IMPORT") == 0;
		s->after = left ? NULL : s->before;
		/* By force, for what an earlier run has brought; import_look() has seen that nothing else is lost by it. */
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
	import_differs(m, item->s.subject, item->s.version, text);
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

	import_put_request(&body, item, true);
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

/* That of a context which is imported into is set when it is given back. */
static enum status
import_mode(struct import *m, const struct dump_setting *s)
{
	const char *wanted = cli_str(m->arena, s->value->text);
	struct space *space = import_space(m, s->subject);
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
		status = import_look(m);
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
	enum status status = import_look(m);

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
	if ((status = import_look_at_settings(m)) != STATUS_DONE)
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
