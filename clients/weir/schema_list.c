/* schema_list.c -- weir schema list: subjects with their newest versions. */
#include <inttypes.h>

#include "weir/columns.h"
#include "weir/schema.h"
#include "weir/versions.h"

static void
put_json(struct json_out *o, const struct version *v, const char *type)
{
	json_open(o, '{');
	json_key(o, "subject");
	json_put_str(o, v->subject);
	json_key(o, "version");
	json_put_int(o, v->version);
	json_key(o, "id");
	json_put_int(o, v->id);
	json_key(o, "schemaType");
	json_put_str(o, type);
	json_key(o, "deleted");
	json_put_bool(o, v->deleted);
	json_close(o, '}');
}

static void
add_row(struct columns *table, const struct version *v, const char *type)
{
	char version[24], id[24];

	snprintf(version, sizeof version, "%" PRId64, v->version);
	snprintf(id, sizeof id, "%" PRId64, v->id);
	columns_row(table, (const char *const[]){ v->subject, version, id, type, v->deleted ? "deleted" : "", NULL });
}

static const char *
type_of(struct arena *a, const struct version *v)
{
	const char *type = cli_member(a, v->entity, "schemaType");

	return type[0] == '\0' ? "AVRO" : type;
}

enum status
schema_list(struct cli *c)
{
	bool json = cli_has(c, OPTION_JSON);
	struct columns table = { 0 };
	struct buf text = { 0 };
	struct json_out o = json_out(&text);
	struct versions all;
	struct version v;

	columns_row(&table, (const char *const[]){ "SUBJECT", "VERSION", "ID", "TYPE", "", NULL });
	json_open(&o, '[');
	versions_begin(&all, c, c->n_args > 0 ? c->args[0] : NULL, cli_has(c, OPTION_DELETED), true);
	while (versions_next(&all, &v))
		if (json)
			put_json(&o, &v, type_of(&all.pages.arena, &v));
		else
			add_row(&table, &v, type_of(&all.pages.arena, &v));
	versions_done(&all);
	json_close(&o, ']');
	if (!json) {
		buf_reset(&text);
		columns_put(&table, &text);
	}
	buf_done(&table.words);
	must_fit(!text.failed);
	if (all.status == STATUS_DONE) {
		fwrite(text.p, 1, text.n, stdout);
		if (json)
			putchar('\n');
		all.status = cli_end_output(c);
	}
	buf_done(&text);
	return all.status;
}
