/* associations.c -- a registry's associations: which subject the keys or the values of a topic have. */
#include "weir/associations.h"

static void
begin(struct pages *p, struct cli *c, const struct weir_call *call)
{
	pages_begin(p, c, call, "associations");
	p->optional = true;
}

void
associations_of_subject(struct pages *p, struct cli *c, const char *subject)
{
	begin(p, c, &(struct weir_call){ .path = { "associations", "subjects", subject } });
}

void
associations_of_resource(struct pages *p, struct cli *c, const char *resource_namespace, const char *resource_name)
{
	begin(p, c, &(struct weir_call){ .path = { "associations", "resources", resource_namespace, resource_name } });
}

bool
associations_next(struct pages *p, struct dump_association *out)
{
	const struct json *entity = pages_next(p);

	if (entity == NULL)
		return false;
	if (dump_association(&p->arena, entity, out))
		return true;
	cli_say(p->cli, "the registry listed an association without %s", DUMP_ASSOCIATION_NEEDS);
	p->status = STATUS_REFUSED;
	return false;
}
