/* links.c -- the associations of an export on their way into a registry. */
#include "weir/links.h"

#include <inttypes.h>
#include <string.h>

#include "weir/associations.h"

void
links_begin(struct links *l, struct cli *c, const struct dump *dump)
{
	*l = (struct links){ .cli = c, .n = (size_t)dump->n.associations };
	must_fit((l->list = arena_array(&c->arena, l->n + 1, sizeof *l->list)) != NULL);
	for (size_t i = 0; i < l->n; i++) {
		l->list[i] = (struct link){ .s = dump->associations[i] };
		if (l->list[i].s.frozen)
			must_fit(map_put(&l->frozen, span_str(l->list[i].s.subject), &l->list[i]));
	}
}

void
links_done(struct links *l)
{
	map_done(&l->frozen);
}

struct link *
links_frozen(const struct links *l, const char *subject)
{
	return map_get(&l->frozen, span_str(subject));
}

bool
links_is_due(const struct links *l, const struct link *k)
{
	return !l->lacking && k->state == LINK_MISSING && k->lives && !k->late;
}

int64_t
links_count(const struct links *l, int state)
{
	int64_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += (int)l->list[i].state == state;
	return n;
}

/* A difference is a line. */
static void
tell(struct links *l, struct link *k, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s of %s %s in %s: %s\n", k->s.type, k->s.resource_type, k->s.resource_name, k->s.resource_namespace, what);
	k->state = LINK_TOLD;
	l->differences++;
}

/* ---- what is there ---- */

static void
compare(struct links *l, struct link *k, const struct dump_association *there, struct arena *a)
{
	if (strcmp(there->resource_namespace, k->s.resource_namespace) != 0 ||
	    strcmp(there->resource_type, k->s.resource_type) != 0 || strcmp(there->type, k->s.type) != 0)
		return;
	if (dump_same_association(there, &k->s))
		k->state = LINK_THERE;
	else
		tell(l, k, arena_printf(a, "the registry has another association, with subject %s (%s%s), id %s", there->subject,
		    there->strong ? "STRONG" : "WEAK", there->frozen ? ", frozen" : "", there->resource_id));
}

enum status
links_look(struct links *l)
{
	struct dump_association there;
	enum status status = STATUS_DONE;
	struct pages p;

	for (size_t i = 0; i < l->n && status == STATUS_DONE && !l->lacking; i++) {
		struct link *k = &l->list[i];

		if (cli_interrupted())
			return STATUS_INTERRUPTED;
		if (k->state == LINK_TOLD)
			continue;
		k->state = LINK_MISSING;
		associations_of_resource(&p, l->cli, k->s.resource_namespace, k->s.resource_name);
		while (k->state == LINK_MISSING && associations_next(&p, &there))
			compare(l, k, &there, &p.arena);
		status = p.status;
		l->lacking = p.lacking;
		pages_done(&p);
	}
	return status;
}

/* ---- making them ---- */

static void
put_request(struct buf *to, const struct dump_association *s, struct span schema)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	json_key(&o, "resourceName");
	json_put_str(&o, s->resource_name);
	json_key(&o, "resourceNamespace");
	json_put_str(&o, s->resource_namespace);
	json_key(&o, "resourceId");
	json_put_str(&o, s->resource_id);
	json_key(&o, "resourceType");
	json_put_str(&o, s->resource_type);
	json_key(&o, "associations");
	json_open(&o, '[');
	json_open(&o, '{');
	json_key(&o, "subject");
	json_put_str(&o, s->subject);
	json_key(&o, "associationType");
	json_put_str(&o, s->type);
	json_key(&o, "lifecycle");
	json_put_str(&o, s->strong ? "STRONG" : "WEAK");
	json_key(&o, "frozen");
	json_put_bool(&o, s->frozen);
	if (schema.n > 0) {
		json_key(&o, "schema");
		json_put_raw(&o, schema);
	}
	json_close(&o, '}');
	json_close(&o, ']');
	json_close(&o, '}');
	must_fit(!to->failed);
}

/* Makes one, and tells why the registry does not take it; where it can't be asked that is the status. */
static enum status
make(struct links *l, struct link *k, struct span schema, struct arena *a, struct weir_answer *answer)
{
	struct buf body = { 0 };
	struct weir_error why;
	enum status status = STATUS_DONE;

	put_request(&body, &k->s, schema);
	if (cli_ask(l->cli, &(struct weir_call){ .method = WEIR_POST, .path = { "associations" }, .body = buf_bytes(&body) }, a,
		answer, &why)) {
		k->state = LINK_THERE;
		l->made++;
	} else if (cli_status(&why) == STATUS_REFUSED && answer->status != 401 && answer->status != 403)
		tell(l, k, cli_words(a, answer, &why));
	else
		status = cli_failed(l->cli, answer, &why);
	buf_done(&body);
	return status;
}

enum status
links_make_with(struct links *l, struct link *k, struct span schema, int64_t *id)
{
	struct weir_answer answer;
	const struct json *list;
	enum status status;
	struct arena a;

	*id = 0;
	arena_init(&a, CLI_MEMORY_MAX);
	status = make(l, k, schema, &a, &answer);
	if (k->state == LINK_THERE) {
		list = json_get(answer.json, "associations");
		if (json_is_kind(list, JSON_ARRAY) && list->first != NULL && !json_is_int(json_get(json_get(list->first, "schema"), "id"), id))
			*id = 0;
	}
	arena_done(&a);
	return status;
}

static enum status
make_late(struct links *l, struct link *k)
{
	struct weir_answer answer;
	enum status status = STATUS_DONE;
	struct arena a;

	arena_init(&a, CLI_MEMORY_MAX);
	if (!k->s.frozen)
		status = make(l, k, span_of(NULL, 0), &a, &answer);
	else if (k->late)
		tell(l, k, arena_printf(&a, "it is frozen, and can be made only with the first schema of %s, which has some already: "
		    "delete them for good, and import again", k->s.subject));
	else
		tell(l, k, arena_printf(&a, "it is frozen, and the export has no schemas of %s", k->s.subject));
	arena_done(&a);
	return status;
}

enum status
links_make_rest(struct links *l)
{
	enum status status = STATUS_DONE;

	if (l->lacking) {
		cli_say(l->cli, "the registry has no associations: the %zu of the export are left out", l->n);
		l->differences += l->n;
		return STATUS_DONE;
	}
	for (size_t i = 0; i < l->n && status == STATUS_DONE; i++)
		if (cli_interrupted())
			status = STATUS_INTERRUPTED;
		else if (l->list[i].state == LINK_MISSING)
			status = make_late(l, &l->list[i]);
	return status;
}
