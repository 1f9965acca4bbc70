/*
 * state_assoc.c -- associations as they are kept: by the resource's name, by its id and by the subject, in order.
 *
 * One is sorted by rows of names, each with a byte of zero behind it, which none has inside.  The three lie in each other:
 *
 *	id  name  namespace  type  association  subject  name  namespace  type  association  (guid)
 *	'-------------------- by id ------------------'
 *	    '-------- by name, the identity ----------'
 *	                                        '------------- by subject ---------------'
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "registry/registry_internal.h"

/* ---- identity ---- */

static void
name_of(struct buf *to, const struct record *rec)
{
	const struct span row[] = { rec->resource_name, rec->resource_namespace, rec->resource_type, rec->association_type,
		rec->subject };

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		buf_span(to, row[i]);
		buf_u8(to, '\0');
	}
	must(!to->failed);
}

struct association_node *
state_association(const struct registry *r, const struct record *rec)
{
	const struct names *in = &r->associations[ASSOCIATIONS_BY_NAME];
	const struct names_entry *e;
	struct buf name = { 0 };
	names_place at;
	bool found;

	name_of(&name, rec);
	at = names_from(in, buf_bytes(&name));
	e = names_next(in, &at);
	found = e != NULL && span_eq(e->name, buf_bytes(&name));
	buf_done(&name);
	return found ? e->value : NULL;
}

/* ---- changes ---- */

/* Puts a name where the row goes on. */
static struct span
put_name(char **at, struct span name)
{
	struct span put = span_of(*at, name.n);

	if (name.n > 0)
		memcpy(*at, name.p, name.n);
	(*at)[name.n] = '\0';
	*at += name.n + 1;
	return put;
}

static struct association_node *
make_node(const struct record *rec, int64_t timestamp_ms)
{
	size_t resource = rec->resource_name.n + rec->resource_namespace.n + rec->resource_type.n + rec->association_type.n + 4;
	struct association_node *node = xcalloc(1,
	    sizeof *node + rec->resource_id.n + 1 + 2 * resource + rec->subject.n + 1 + rec->guid.n + 1);
	struct association *s = &node->entry;
	char *at = node->bytes, *name, *subject;

	*s = (struct association){ .strong = rec->strong, .frozen = rec->frozen, .create_ts_ms = rec->create_ts_ms,
		.update_ts_ms = timestamp_ms };
	s->resource_id = put_name(&at, rec->resource_id);
	name = at;
	s->resource_name = put_name(&at, rec->resource_name);
	s->resource_namespace = put_name(&at, rec->resource_namespace);
	s->resource_type = put_name(&at, rec->resource_type);
	s->type = put_name(&at, rec->association_type);
	subject = at;
	s->subject = put_name(&at, rec->subject);
	node->sorted[ASSOCIATIONS_BY_ID] = span_of(node->bytes, (size_t)(at - node->bytes));
	node->sorted[ASSOCIATIONS_BY_NAME] = span_of(name, (size_t)(at - name));
	memcpy(at, name, resource);
	at += resource;
	node->sorted[ASSOCIATIONS_BY_SUBJECT] = span_of(subject, (size_t)(at - subject));
	if (rec->guid.p != NULL)
		s->guid = put_name(&at, rec->guid);
	return node;
}

static void
free_node(struct registry *r, struct association_node *node)
{
	state_free_keys(r, &node->keys);
	free(node);
}

static void
drop_node(struct registry *r, struct association_node *node)
{
	for (int by = 0; by < ASSOCIATIONS_BYS; by++)
		names_del(&r->associations[by], node->sorted[by]);
	r->n_associations--;
}

static void
put_node(struct registry *r, struct association_node *node)
{
	for (int by = 0; by < ASSOCIATIONS_BYS; by++)
		names_put(&r->associations[by], node->sorted[by], node);
	r->n_associations++;
}

/* One that is written anew may have another id, so it is made anew, too; its keys are those of before. */
void
state_apply_association(struct registry *r, const struct record *rec, int64_t timestamp_ms, struct span key)
{
	struct association_node *old = state_association(r, rec), *made;

	if (old != NULL)
		drop_node(r, old);
	if (!rec->tombstone) {
		made = make_node(rec, timestamp_ms);
		if (old != NULL) {
			made->keys = old->keys;
			old->keys = NULL;
		}
		state_note_key(r, &made->keys, rec, key);
		put_node(r, made);
	}
	if (old != NULL)
		free_node(r, old);
}

void
state_free_associations(struct registry *r)
{
	const struct names_entry *e;

	for (names_place at = 0; (e = names_next(&r->associations[ASSOCIATIONS_BY_NAME], &at)) != NULL;)
		free_node(r, e->value);
	for (int by = 0; by < ASSOCIATIONS_BYS; by++)
		names_done(&r->associations[by]);
}

/* ---- questions ---- */

/* Whether a row begins with this name. */
static bool
leads(struct span row, struct span name)
{
	return row.n > name.n && row.p[name.n] == '\0' && (name.n == 0 || memcmp(row.p, name.p, name.n) == 0);
}

const struct association *
registry_next_association(const struct registry *r, enum association_by by, struct span of, size_t *it)
{
	const struct names *in = &r->associations[by];
	const struct names_entry *e;

	if (of.n > 0 && memchr(of.p, '\0', of.n) != NULL)
		return NULL;
	if (*it == 0)
		*it = names_from(in, of);
	e = names_next(in, it);
	return e != NULL && leads(e->name, of) ? &((const struct association_node *)e->value)->entry : NULL;
}

const struct association *
state_owner(const struct registry *r, struct span subject)
{
	const struct association *s, *any = NULL;
	size_t it = 0;

	while ((s = registry_next_association(r, ASSOCIATIONS_BY_SUBJECT, subject, &it)) != NULL) {
		if (s->strong)
			return s;
		any = s;
	}
	return any;
}
