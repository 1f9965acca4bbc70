/*
 * import_look.c -- weir schema import: what of the export is missing in the registry, and what there is not the same.
 */
#include <inttypes.h>
#include <string.h>

#include "weir/import.h"
#include "weir/versions.h"

/* ---- what is known ---- */

struct span
import_key(struct arena *a, const char *name, int64_t number)
{
	const char *key = arena_printf(a, "%s\n%" PRId64, name, number);

	must_fit(key != NULL);
	return span_str(key);
}

struct item *
import_item(const struct import *m, struct arena *a, const char *subject, int64_t version)
{
	return map_get(&m->by_name, import_key(a, subject, version));
}

void
import_differs(struct import *m, const char *subject, int64_t version, const char *what)
{
	fprintf(stderr, "%s", subject == NULL ? "all subjects" : subject);
	if (version > 0)
		fprintf(stderr, ", version %" PRId64, version);
	fprintf(stderr, ": %s\n", what);
	m->differences++;
}

struct space *
import_space(const struct import *m, const char *mode_of)
{
	for (size_t i = 0; i < m->n_spaces; i++)
		if ((mode_of == NULL) == (m->spaces[i].mode_of == NULL) &&
		    (mode_of == NULL || strcmp(mode_of, m->spaces[i].mode_of) == 0))
			return &m->spaces[i];
	return NULL;
}

/* ---- schemas ---- */

void
import_put_request(struct buf *to, const struct item *item, bool numbers)
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

	if (dump_same(v->entity, item->s.entity))
		return true;
	if (!dump_same_beside_text(v->entity, item->s.entity))
		return false;
	import_put_request(&body, item, false);
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
	const struct item *same_id = map_get(&m->by_id, import_key(a, dump_context(a, v->subject), v->id));

	m->strangers++;
	if (v->deleted)
		import_differs(m, v->subject, v->version,
		    "deleted in the registry and not in the export: importing would remove it for good");
	else if (same_id != NULL && !is_same(m, v, same_id, a))
		import_differs(m, v->subject, v->version,
		    arena_printf(a, "its id %" PRId64 " is another schema's in the export", v->id));
}

/* Compares a schema of the registry with the export. */
static void
compare(struct import *m, const struct version *v, struct arena *a)
{
	struct item *item = import_item(m, a, v->subject, v->version);
	struct link *link = links_frozen(&m->links, v->subject);

	if (link != NULL && !v->deleted)
		link->late = true;
	if (item == NULL) {
		meet_stranger(m, v, a);
		return;
	}
	if (!is_same(m, v, item, a))
		import_differs(m, v->subject, v->version, "the registry has another schema, or another id");
	else if (v->deleted && !item->s.deleted)
		import_differs(m, v->subject, v->version, "deleted in the registry, and not in the export");
	item->state = v->deleted == item->s.deleted ? THERE : TO_DELETE;
}

enum status
import_look(struct import *m)
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

/* ---- settings ---- */

/* Whether a setting goes for all subjects, of the default context or of each; a registry tells one always. */
static bool
is_for_all(const char *subject)
{
	return subject == NULL || strcmp(subject, ":.__GLOBAL:") == 0;
}

enum status
import_mode_of(struct import *m, const char *subject, bool in_force, const char **out)
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
	const char *mode = NULL;
	enum status status;
	bool opened;

	if (map_get(&m->looked_at, place) != NULL)
		return STATUS_DONE;
	must_fit(map_put(&m->looked_at, place, m));
	opened = is_opened(m, subject);
	if (opened && import_space(m, subject) != NULL)
		return STATUS_DONE;
	status = import_mode_of(m, subject, !opened, &mode);
	if (mode != NULL && strcmp(mode, "READWRITE") != 0 && strcmp(mode, "IMPORT") != 0)
		import_differs(m, subject, 0, arena_printf(m->arena, "the registry has it in mode %s, and something of it is missing", mode));
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
	import_differs(m, s->subject, 0, "the registry has another config");
	return STATUS_DONE;
}

/* The same of a mode.  IMPORT was left in a context by an import that was killed. */
static enum status
look_at_mode(struct import *m, struct due *due)
{
	const char *wanted = cli_str(m->arena, due->s->value->text), *is;
	enum status status = import_mode_of(m, due->s->subject, false, &is);

	if (is != NULL && strcmp(is, "IMPORT") == 0 && import_space(m, due->s->subject) != NULL)
		is = NULL;
	if (status != STATUS_DONE || (is == NULL && is_for_all(due->s->subject) && strcmp(wanted, "READWRITE") == 0) ||
	    (is != NULL && strcmp(wanted, is) == 0))
		return status;
	due->missing = is == NULL;
	if (!due->missing)
		import_differs(m, due->s->subject, 0, "the registry has another mode");
	return STATUS_DONE;
}

enum status
import_look_at_settings(struct import *m)
{
	enum status status = look_at_subjects(m);

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
