/* plan_assoc.c -- what changes of associations write: which subject a resource's keys or values have. */
#include "base/uuid.h"
#include "registry/registry_internal.h"

enum { NAME_MAX_BYTES = 256 }; /* of resources and namespaces */

/* A request on its way through the checks. */
struct association_plan {
	const struct registry *registry;
	const struct association_request *request;
	struct span resource_type;
	struct arena *arena;
	struct plan *plan;
	struct refusal *why;
	const struct plan *registered; /* the last registration so far; NULL: none */
};

/* One change of it. */
struct change {
	struct association_change asked; /* with what goes without saying */
	struct span default_subject;
	const struct association *existing; /* NULL: none */
	struct association_outcome *outcome; /* NULL: of a deletion */
	bool writes;                     /* a record of the association */
};

static bool
invalid(const struct association_plan *g, const char *property, const char *detail)
{
	return refuse(g->why, g->arena, REGISTRY_INVALID_ASSOCIATION, property, detail == NULL ? "" : detail);
}

/* ---- what a request says ---- */

/* Letters, digits, _ and -, and the dot that topics have; letters may be of any alphabet. */
static bool
is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
	    c >= 0x80;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static bool
check_name(const struct association_plan *g, struct span name, const char *property)
{
	if (name.n == 0)
		return invalid(g, property, "cannot be null or empty");
	if (name.n > NAME_MAX_BYTES)
		return invalid(g, property, arena_printf(g->arena, "exceeds max length of %d", NAME_MAX_BYTES));
	for (size_t i = 0; i < name.n; i++)
		if (!is_name_byte(name.p[i]))
			return invalid(g, property, arena_printf(g->arena, "illegal character '%c'", name.p[i]));
	return true;
}

static bool
check_resource(struct association_plan *g)
{
	const struct association_request *q = g->request;

	if (!check_name(g, q->resource_name, "resourceName") || !check_name(g, q->resource_namespace, "resourceNamespace"))
		return false;
	if (q->resource_id.n == 0 && !q->dry_run)
		return invalid(g, "resourceId", "cannot be null or empty");
	if (has_control(q->resource_id))
		return invalid(g, "resourceId", "cannot have control characters");
	g->resource_type = q->resource_type.n == 0 ? span_str("topic") : q->resource_type;
	if (!span_is(g->resource_type, "topic"))
		return invalid(g, "resourceType", "must be 'topic'");
	return q->n > 0 || invalid(g, "associations", "cannot be null or empty");
}

/* A schema makes an association strong and frozen when it is made; without one it is neither unless it is said. */
static bool
settle_creation(const struct association_plan *g, struct association_change *c)
{
	if (c->schema != NULL) {
		if (c->strong == SAID_NO)
			return invalid(g, "lifecycle", "cannot be WEAK when schema is provided");
		if (c->frozen == SAID_NO)
			return invalid(g, "frozen", "cannot be false when a schema is provided");
		c->strong = c->frozen = SAID_YES;
		return true;
	}
	if (c->strong == SAID_NOTHING)
		c->strong = SAID_NO;
	if (c->frozen == SAID_YES && c->strong == SAID_YES)
		return invalid(g, "schema", "schema must be provided when creating a frozen association");
	if (c->frozen == SAID_YES)
		return invalid(g, "frozen", "association with lifecycle of WEAK cannot be frozen");
	c->frozen = SAID_NO;
	return true;
}

static bool
settle_type(const struct association_plan *g, struct association_change *c)
{
	if (c->type.n == 0)
		c->type = span_str("value");
	return span_is(c->type, "key") || span_is(c->type, "value") ||
	    invalid(g, "associationType", "must be either 'key' or 'value'");
}

/* The subject that a resource has for itself. */
static bool
name_default_subject(const struct association_plan *g, struct change *c)
{
	const struct span parts[] = { span_str(":."), g->request->resource_namespace, span_str(":"),
		g->request->resource_name, span_str("-"), c->asked.type };

	c->default_subject = state_join(g->arena, parts, sizeof parts / sizeof *parts);
	return c->default_subject.p != NULL || refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* What is frozen has the subject of its own, and what is weak has another. */
static bool
settle_subject_of_creation(const struct association_plan *g, struct change *c)
{
	struct association_change *asked = &c->asked;

	if (asked->subject.p == NULL && asked->strong == SAID_NO)
		return invalid(g, "subject", "must be provided for WEAK associations");
	if (asked->subject.p == NULL)
		asked->subject = c->default_subject;
	if (asked->frozen == SAID_YES && !span_eq(asked->subject, c->default_subject))
		return invalid(g, "subject",
		    arena_printf(g->arena, "frozen associations must use subject '%s'", text_of(g->arena, c->default_subject)));
	if (asked->strong == SAID_NO && span_eq(asked->subject, c->default_subject))
		return invalid(g, "subject",
		    arena_printf(g->arena, "WEAK associations cannot use subject '%s'", text_of(g->arena, c->default_subject)));
	return true;
}

static bool
check_subject(const struct association_plan *g, struct span subject)
{
	if (subject.p == NULL)
		return true;
	if (subject.n == 0 || has_control(subject))
		return invalid(g, "subject", "must not be empty");
	return plan_check_subject(subject, g->arena, g->why);
}

static bool
check_change(const struct association_plan *g, struct change *c)
{
	struct association_change *asked = &c->asked;

	if (asked->op == ASSOCIATION_DELETE)
		return settle_type(g, asked);
	if (!check_subject(g, asked->subject) || (asked->op == ASSOCIATION_CREATE && !settle_creation(g, asked)) ||
	    !settle_type(g, asked) || !name_default_subject(g, c))
		return false;
	if (asked->strong == SAID_NO && asked->schema != NULL)
		return invalid(g, "lifecycle", "cannot be WEAK when schema is provided");
	if (asked->strong == SAID_NO && asked->frozen == SAID_YES)
		return invalid(g, "frozen", "association with lifecycle of WEAK cannot be frozen");
	return asked->op != ASSOCIATION_CREATE || settle_subject_of_creation(g, c);
}

/* There are two types, so this is short. */
static bool
check_types(const struct association_plan *g, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(changes[i].asked.type, changes[n].asked.type))
			return invalid(g, "associationType",
			    arena_printf(g->arena, "may only appear once per request, but '%s' appears more than once",
				text_of(g->arena, changes[n].asked.type)));
	return true;
}

/* ---- what is there ---- */

/* The association of the resource that is asked about: by its id, or (on trial, of one that has none) by its name. */
static const struct association *
find_existing(const struct association_plan *g, struct span type)
{
	const struct association_request *q = g->request;
	bool by_id = q->resource_id.n > 0;
	const struct association *s;
	size_t it = 0;

	while ((s = registry_next_association(g->registry, by_id ? ASSOCIATIONS_BY_ID : ASSOCIATIONS_BY_NAME,
		by_id ? q->resource_id : q->resource_name, &it)) != NULL)
		if (span_eq(s->resource_type, g->resource_type) && span_eq(s->type, type) &&
		    (by_id || span_eq(s->resource_namespace, q->resource_namespace)))
			return s;
	return NULL;
}

/* A resource has one name, and what has that name is one resource, with one association of a type. */
static bool
check_identity(const struct association_plan *g, const struct change *c)
{
	const struct association_request *q = g->request;
	const struct association *s;
	size_t it = 0;

	while (q->resource_id.n > 0 && (s = registry_next_association(g->registry, ASSOCIATIONS_BY_ID, q->resource_id, &it)) != NULL)
		if (span_eq(s->resource_type, g->resource_type) &&
		    (!span_eq(s->resource_name, q->resource_name) || !span_eq(s->resource_namespace, q->resource_namespace)))
			return invalid(g, "resourceName",
			    arena_printf(g->arena, "the resource of this id is '%s' in '%s'", text_of(g->arena, s->resource_name),
				text_of(g->arena, s->resource_namespace)));
	for (it = 0; (s = registry_next_association(g->registry, ASSOCIATIONS_BY_NAME, q->resource_name, &it)) != NULL;)
		if (span_eq(s->resource_namespace, q->resource_namespace) && span_eq(s->resource_type, g->resource_type) &&
		    span_eq(s->type, c->asked.type) && q->resource_id.n > 0 && !span_eq(s->resource_id, q->resource_id))
			return refuse(g->why, g->arena, REGISTRY_ASSOCIATION_EXISTS, text_of(g->arena, s->type),
			    text_of(g->arena, q->resource_name));
	return true;
}

/* Its names are copied: when what was planned has been written, the association is made anew. */
static bool
tell_existing(const struct association_plan *g, struct change *c)
{
	const struct association *s = c->existing;
	const void *subject = arena_copy(g->arena, s->subject.p, s->subject.n);

	*c->outcome = (struct association_outcome){ .subject = span_of(subject, s->subject.n), .type = c->asked.type,
		.strong = s->strong, .frozen = s->frozen, .schema = c->asked.schema };
	return subject != NULL || refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* A creation again of what is there is well, with a schema that is there. */
static bool
create_again(const struct association_plan *g, struct change *c)
{
	const struct association *s = c->existing;
	const struct association_change *asked = &c->asked;
	const struct version_entry *v = NULL;
	struct refusal ignored;

	if (asked->schema != NULL)
		v = state_registered(g->registry, s->subject, asked->schema, g->arena, &ignored);
	if (!span_eq(s->subject, asked->subject) || s->strong != (asked->strong == SAID_YES) ||
	    s->frozen != (asked->frozen == SAID_YES) || (asked->schema != NULL && v == NULL))
		return refuse(g->why, g->arena, REGISTRY_ASSOCIATION_EXISTS, text_of(g->arena, s->type),
		    text_of(g->arena, g->request->resource_id.n > 0 ? g->request->resource_id : g->request->resource_name));
	if (!tell_existing(g, c))
		return false;
	if (v != NULL) {
		c->outcome->version = v->version;
		c->outcome->id = v->schema->id;
	}
	c->asked.schema = NULL;
	return true;
}

/* Only the lifecycle may change, of what is not frozen. */
static bool
update(const struct association_plan *g, struct change *c)
{
	const struct association *s = c->existing;
	const struct association_change *asked = &c->asked;
	bool strong = asked->strong == SAID_NOTHING ? s->strong : asked->strong == SAID_YES;

	if (asked->subject.p != NULL && !span_eq(asked->subject, s->subject))
		return invalid(g, "subject", "subject of association cannot be changed");
	if (asked->frozen != SAID_NOTHING && s->frozen != (asked->frozen == SAID_YES))
		return invalid(g, "frozen", "frozen attribute of association cannot be changed");
	if (strong != s->strong && s->frozen)
		return refuse(g->why, g->arena, REGISTRY_ASSOCIATION_FROZEN, text_of(g->arena, s->type), text_of(g->arena, s->subject));
	if (asked->schema != NULL && !strong)
		return invalid(g, "lifecycle", "cannot be WEAK when schema is provided");
	if (!tell_existing(g, c))
		return false;
	c->writes = strong != s->strong;
	c->outcome->strong = strong;
	return true;
}

/* What is not there can be added to a resource that is there, but not with a schema. */
static bool
settle_addition(const struct association_plan *g, struct change *c)
{
	if (c->asked.schema != NULL)
		return invalid(g, "schema", "cannot be provided when adding an association to an existing topic; "
		    "an association with a schema must be created with the topic");
	if (!settle_creation(g, &c->asked))
		return false;
	if (c->asked.subject.p == NULL && c->asked.strong == SAID_YES)
		c->asked.subject = c->default_subject;
	return c->asked.subject.p != NULL || invalid(g, "subject", "must be provided for WEAK associations");
}

static bool
make(const struct association_plan *g, struct change *c)
{
	const struct association_change *asked = &c->asked;
	bool live = state_newest(state_subject(g->registry, asked->subject), REGISTRY_LIVE) != NULL;

	if (asked->schema == NULL && !live)
		return refuse(g->why, g->arena, REGISTRY_NO_ACTIVE_VERSION, text_of(g->arena, asked->subject));
	if (asked->frozen == SAID_YES && live)
		return invalid(g, "frozen", "cannot create a frozen association when schemas already exist in the subject");
	c->writes = true;
	*c->outcome = (struct association_outcome){ .subject = asked->subject, .type = asked->type,
		.strong = asked->strong == SAID_YES, .frozen = asked->frozen == SAID_YES, .schema = asked->schema };
	return true;
}

/* Whether the subject may have one more that is (or becomes) as the outcome says. */
static bool
check_others(const struct association_plan *g, const struct change *c)
{
	const struct association_outcome *mine = c->outcome;
	const struct association *s;
	size_t it = 0;

	while ((s = registry_next_association(g->registry, ASSOCIATIONS_BY_SUBJECT, mine->subject, &it)) != NULL) {
		if (s == c->existing)
			continue;
		if (mine->strong)
			return refuse(g->why, g->arena, REGISTRY_SUBJECT_ASSOCIATED, text_of(g->arena, mine->subject));
		if (s->strong)
			return refuse(g->why, g->arena, REGISTRY_SUBJECT_OWNED, text_of(g->arena, mine->subject));
	}
	for (const struct association_outcome *o = g->plan->outcomes; o != mine; o++) {
		if (!span_eq(o->subject, mine->subject) || (!o->strong && !mine->strong))
			continue;
		return refuse(g->why, g->arena, mine->strong ? REGISTRY_SUBJECT_ASSOCIATED : REGISTRY_SUBJECT_OWNED,
		    text_of(g->arena, mine->subject));
	}
	return true;
}

/* ---- what is written ---- */

static bool
register_schema(struct association_plan *g, struct change *c)
{
	struct plan *made;

	if (c->asked.schema == NULL)
		return true;
	if ((made = arena_alloc(g->arena, sizeof *made)) == NULL)
		return refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
	if (!registry_plan_register(g->registry, c->outcome->subject, c->asked.schema, g->registered, g->arena, made, g->why))
		/* They are written together: one that waits for another of them would wait for ever. */
		return g->why->problem != REGISTRY_WAITS ? false :
		    refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED, "Schemas of one request can't be of the same subject or bring the same id along");
	made->earlier = g->registered;
	g->registered = made;
	c->outcome->version = made->version;
	c->outcome->id = made->id;
	return plan_add_all(g->plan, g->arena, made) || refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

static bool
write_record(struct association_plan *g, const struct change *c)
{
	struct record rec = { .type = RECORD_ASSOC, .resource_name = g->request->resource_name,
		.resource_namespace = g->request->resource_namespace, .resource_id = g->request->resource_id,
		.resource_type = g->resource_type, .association_type = c->asked.type, .create_ts_ms = g->request->now_ms };
	char guid[UUID_RFC_TEXT + 1];

	if (!plan_refuse_read_only(g->registry, c->outcome->subject, g->arena, g->why))
		return false;
	if (c->existing != NULL)
		rec = plan_record_of_association(c->existing);
	else {
		uuid_rfc_text(c->asked.guid, guid);
		rec.guid = span_str(guid);
	}
	rec.subject = c->outcome->subject;
	rec.strong = c->outcome->strong;
	rec.frozen = c->outcome->frozen;
	return plan_add(g->plan, g->arena, &rec) || refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* A node begins with its entry. */
static const struct association_node *
node_of(const struct association *s)
{
	return (const void *)s;
}

/* Deletes one, and (if asked to) the subject that was the resource's own. */
static bool
dissociate(const struct registry *r, const struct association *s, bool cascade, struct arena *a, struct plan *plan,
    struct refusal *why)
{
	if (s->frozen && !cascade)
		return refuse(why, a, REGISTRY_ASSOCIATION_FROZEN, text_of(a, s->type), text_of(a, s->subject));
	if (!plan_refuse_read_only(r, s->subject, a, why))
		return false;
	if (!plan_add_association_tombstones(plan, a, node_of(s)))
		return refuse(why, a, REGISTRY_NO_MEMORY);
	return !cascade || !s->strong || plan_delete_whole(r, s->subject, a, plan, why);
}

/* ---- the whole ---- */

static bool
decide(const struct association_plan *g, struct change *c)
{
	if (c->asked.op == ASSOCIATION_DELETE)
		return c->existing != NULL ||
		    refuse(g->why, g->arena, REGISTRY_ASSOCIATION_NOT_FOUND, text_of(g->arena, g->request->resource_id));
	c->outcome = &g->plan->outcomes[g->plan->n_outcomes++];
	if (c->existing != NULL)
		return c->asked.op == ASSOCIATION_CREATE ? create_again(g, c) : update(g, c);
	return (c->asked.op == ASSOCIATION_CREATE || settle_addition(g, c)) && make(g, c);
}

static bool
carry_out(struct association_plan *g, struct change *c)
{
	if (c->asked.op == ASSOCIATION_DELETE)
		return dissociate(g->registry, c->existing, c->asked.cascade, g->arena, g->plan, g->why);
	return register_schema(g, c) && (!c->writes || write_record(g, c));
}

static bool
plan_changes(struct association_plan *g, struct change *changes, size_t n)
{
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct change){ .asked = g->request->changes[i] };
		if (!check_change(g, &changes[i]) || !check_types(g, changes, i))
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		changes[i].existing = find_existing(g, changes[i].asked.type);
		if (!check_identity(g, &changes[i]) || !decide(g, &changes[i]) ||
		    (changes[i].writes && !check_others(g, &changes[i])))
			return false;
		made += changes[i].writes && changes[i].existing == NULL;
	}
	if (g->registry->n_associations + made > ASSOCIATIONS_MAX && made > 0)
		return refuse(g->why, g->arena, REGISTRY_TOO_MANY_ASSOCIATIONS, ASSOCIATIONS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!carry_out(g, &changes[i]))
			return false;
	return true;
}

bool
registry_plan_associate(const struct registry *r, const struct association_request *q, struct arena *a, struct plan *plan,
    struct refusal *why)
{
	struct association_plan g = { .registry = r, .request = q, .arena = a, .plan = plan, .why = why };
	struct change *changes;

	*plan = (struct plan){ 0 };
	if (!check_resource(&g))
		return false;
	changes = arena_array(a, q->n, sizeof *changes);
	plan->outcomes = arena_array(a, q->n, sizeof *plan->outcomes);
	if (changes == NULL || plan->outcomes == NULL)
		return refuse(why, a, REGISTRY_NO_MEMORY);
	return plan_changes(&g, changes, q->n);
}

static bool
is_meant(const struct dissociation *q, const struct association *s)
{
	size_t i = 0;

	while (i < q->n_types && !span_eq(q->types[i], s->type))
		i++;
	return (q->n_types == 0 || i < q->n_types) && (q->resource_type.n == 0 || span_eq(q->resource_type, s->resource_type));
}

bool
registry_plan_dissociate(const struct registry *r, const struct dissociation *q, struct arena *a, struct plan *plan,
    struct refusal *why)
{
	const struct association *s;
	size_t found = 0;

	*plan = (struct plan){ 0 };
	for (size_t it = 0; (s = registry_next_association(r, ASSOCIATIONS_BY_ID, q->resource_id, &it)) != NULL;)
		if (is_meant(q, s)) {
			found++;
			if (!dissociate(r, s, q->cascade, a, plan, why))
				return false;
		}
	return found > 0 || refuse(why, a, REGISTRY_ASSOCIATION_NOT_FOUND, text_of(a, q->resource_id));
}
