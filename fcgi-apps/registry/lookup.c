/* lookup.c -- whether a schema is there already, in whatever spelling, and what it gets beside what a request says. */
#include "registry/fingerprint.h"
#include "registry/merge.h"
#include "registry/registry_internal.h"

/* ---- what a schema gets beside its request ---- */

bool
state_adds_extras(const struct registry *r, struct span subject)
{
	static const char *const names[] = { "defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (registry_config_field(r, subject, names[i]) != NULL)
			return true;
	return false;
}

/* Metadata or rules of the configuration; what the topic has in their place is none. */
static const struct json *
extra(const struct registry *r, struct span subject, const char *name)
{
	const struct json *v = registry_config_field(r, subject, name);

	return json_is_kind(v, JSON_OBJECT) ? v : NULL;
}

bool
state_add_extras(const struct registry *r, struct span subject, const struct version *before, int32_t version,
    struct arena *a, struct schema_request *q)
{
	const struct json *metadata = q->metadata, *rules = q->rule_set;
	bool good;

	if (metadata == NULL && before != NULL)
		metadata = before->entry.schema->metadata;
	if (rules == NULL && before != NULL)
		rules = before->entry.schema->rule_set;
	good = merge_metadata(a, extra(r, subject, "defaultMetadata"), metadata, &metadata) &&
	    merge_metadata(a, metadata, extra(r, subject, "overrideMetadata"), &q->metadata) &&
	    merge_rules(a, extra(r, subject, "defaultRuleSet"), rules, &rules) &&
	    merge_rules(a, rules, extra(r, subject, "overrideRuleSet"), &q->rule_set);
	/* Who says for which version it is wants to see that; and what is there is kept right. */
	if (good && version > 0 && (q->version != 0 || merge_has_version(q->metadata)))
		good = merge_put_version(a, q->metadata, version, &q->metadata);
	return good;
}

/* ---- the same schema in another spelling ---- */

/*
 * Metadata of an old and a new schema where they are compared: one that says for which version it was made is the
 * same without that, if it is so.  False: they differ by their versions.
 */
static bool
settle_versions(const struct version *v, struct arena *a, const struct json **old, const struct json **fresh)
{
	int32_t before = merge_version(*old), now = merge_version(*fresh);

	if ((before != 0) == (now != 0))
		return true;
	if (now != 0 && now != v->entry.version)
		return false;
	return merge_drop_version(a, *old, old) && merge_drop_version(a, *fresh, fresh);
}

/* ---- fingerprints: who differs by them needn't be parsed again ---- */

/*
 * A look-up: of a schema among the versions of subjects.  While the state is held still it makes fingerprints of so many
 * bytes of stored text, some tens of milliseconds; when these are used up it finds nothing, and what it has made is kept.
 */
enum { PIECE_BYTES = 8 << 20 };

struct search {
	struct resolution parser;
	size_t left;    /* bytes; 0: used up */
	const struct parsed_schema *fresh;
	uint64_t text;  /* a fingerprint of its text, whatever it gets beside that; 0: not known yet */
	uint32_t print; /* of it; 0: not known yet */
	struct refusal ignored;
};

static void
begin(struct search *f, const struct registry *r, size_t bytes, struct arena *a)
{
	*f = (struct search){ .parser = { .registry = r, .arena = a, .scratch = a, .why = &f->ignored }, .left = bytes };
}

/* Takes so much of what is left. */
static void
spend(struct search *f, size_t bytes)
{
	f->left -= bytes < f->left ? bytes : f->left;
}

/* Of a schema that is printed, as it is stored or in a format, and the length of that.  0: memory is used up. */
static uint64_t
print_of_text(const struct schema *s, struct span format, size_t *n)
{
	struct buf text = { 0 };
	uint64_t print;

	schema_print_format(s, format, &text);
	print = text.failed ? 0 : fingerprint_json(buf_bytes(&text));
	*n = text.n;
	buf_done(&text);
	return print;
}

/*
 * The fingerprint of a text with references, metadata (whatever version they say) and rules: where is_same() says
 * that two are the same they have the same.  0: memory is used up.
 */
static uint32_t
print_of(uint64_t text, struct record with)
{
	uint8_t hash[16];
	uint32_t print = 0;
	struct arena a;

	if (text == 0)
		return 0;
	arena_init(&a, RECORD_ARENA);
	with.schema = span_of(NULL, 0);
	if (merge_drop_version(&a, with.metadata, &with.metadata)) {
		record_hash(&with, hash);
		print = (uint32_t)text ^ (uint32_t)(text >> 32) ^ load32(hash);
		print += print == 0;
	}
	arena_done(&a);
	return print;
}

/* Of what is looked for: not in its normal form, as that is not what is compared. */
static uint32_t
print_of_fresh(struct search *f)
{
	size_t n;

	if (f->text == 0)
		f->text = print_of_text(f->fresh->schema, span_of(NULL, 0), &n);
	if (f->print == 0)
		f->print = print_of(f->text, f->fresh->record);
	return f->print;
}

/*
 * Of what is stored, printed as we would: other registries keep other spellings.  Or with its references written out.
 * It takes parsing, but not again, unless there are references, and one of them moves.
 */
static uint32_t
print_of_stored(struct search *f, struct content *c, bool inlined)
{
	enum { NONE = 1 }; /* of what can't be parsed, which is never the same */
	const struct schema_entry *e = &c->entry;
	struct record with = { .metadata = e->metadata, .rule_set = e->rule_set };
	_Atomic uint64_t *at = inlined ? &c->resolved : &c->printed;
	uint32_t moved = e->n_references == 0 ? 0 : f->parser.registry->moved, print = NONE;
	uint64_t kept = atomic_load_explicit(at, memory_order_relaxed);
	size_t n = 0;
	struct schema *s;

	if ((uint32_t)kept == moved && kept >> 32 != 0)
		return (uint32_t)(kept >> 32);
	if (!inlined) {
		with.references = e->references;
		with.n_references = e->n_references;
	}
	s = state_schema(&f->parser, e);
	if (s != NULL)
		print = print_of(print_of_text(s, inlined ? span_str("resolved") : span_of(NULL, 0), &n), with);
	else if (f->ignored.problem == REGISTRY_NO_MEMORY)
		print = 0;
	schema_free(s);
	atomic_store_explicit(at, (uint64_t)print << 32 | moved, memory_order_relaxed);
	/* Only for what is kept: who begins again has to come farther. */
	if (print != 0)
		spend(f, e->text.n + f->parser.bytes + n);
	return print;
}

/* False: they differ for certain. */
static bool
may_be_same(struct search *f, const struct version *v, bool inlined)
{
	uint32_t old = print_of_stored(f, v->content, inlined);

	return old == 0 || print_of_fresh(f) == 0 || old == print_of_fresh(f);
}

/*
 * Whether a version says the same as a new schema though its text differs: with the same metadata and rules, and
 * the same references, or with references where the new one has all written out.
 */
static bool
is_same(struct search *f, const struct version *v)
{
	const struct schema_entry *old = v->entry.schema;
	const struct parsed_schema *fresh = f->fresh;
	bool inlined = fresh->record.n_references == 0 && old->n_references > 0, same;
	struct record as_old = { .references = old->references, .n_references = old->n_references,
		.metadata = old->metadata, .rule_set = old->rule_set };
	struct record as_fresh = fresh->record;
	uint8_t hashes[2][16];
	struct schema *s;

	if (!span_eq(old->schema_type, fresh->record.schema_type) || !may_be_same(f, v, inlined))
		return false;
	as_fresh.schema = as_old.schema;
	if (inlined) {
		as_fresh.references = old->references;
		as_fresh.n_references = old->n_references;
	}
	if (!settle_versions(v, f->parser.arena, &as_old.metadata, &as_fresh.metadata))
		return false;
	record_hash(&as_old, hashes[0]);
	record_hash(&as_fresh, hashes[1]);
	if (memcmp(hashes[0], hashes[1], sizeof hashes[0]) != 0 ||
	    (s = state_schema(&f->parser, old)) == NULL)
		return false;
	same = schema_equal(s, fresh->schema);
	schema_free(s);
	return same;
}

static bool
has_hash(const struct version *v, const struct parsed_schema *p)
{
	return memcmp(v->entry.schema->guid, p->hash, sizeof p->hash) == 0;
}

static const struct version *
find(struct search *f, const struct subject *s, const struct parsed_schema *p, enum registry_which which)
{
	const struct content *c = s == NULL ? NULL : state_by_hash(f->parser.registry, s->context, p->hash);

	f->fresh = p;
	f->print = 0;
	for (size_t i = s == NULL ? 0 : s->n; i > 0 && c != NULL; i--)
		if (has_hash(s->versions[i - 1], p) && state_is(s->versions[i - 1], which))
			return s->versions[i - 1];
	for (size_t i = s == NULL ? 0 : s->n; i > 0 && f->left > 0; i--)
		if (state_is(s->versions[i - 1], which) && is_same(f, s->versions[i - 1]))
			return s->versions[i - 1];
	return NULL;
}

const struct version *
state_lookup(const struct registry *r, const struct subject *s, const struct parsed_schema *p,
    enum registry_which which, struct arena *a)
{
	const struct version *v;
	struct search f;

	begin(&f, r, SIZE_MAX, a);
	v = find(&f, s, p, which);
	state_forget(&f.parser);
	return v;
}

/* ---- look-ups ---- */

/* Once more with what a registration would add. */
static const struct version *
look_up_with_extras(struct search *f, struct span subject, const struct schema_request *q, const struct parsed_schema *p,
    enum registry_which which)
{
	const struct registry *r = f->parser.registry;
	const struct version *before = state_newest(state_subject(r, subject), REGISTRY_LIVE);
	struct schema_request more = *q;
	struct parsed_schema fuller = *p;

	if (before == NULL || !state_add_extras(r, subject, before, 0, f->parser.arena, &more) ||
	    (more.metadata == q->metadata && more.rule_set == q->rule_set))
		return NULL;
	fuller.record.metadata = more.metadata;
	fuller.record.rule_set = more.rule_set;
	record_hash(&fuller.record, fuller.hash);
	return find(f, state_subject(r, subject), &fuller, which);
}

static const struct version *
look_up(struct search *f, struct span subject, const struct schema_request *q, const struct parsed_schema *p,
    enum registry_which which)
{
	const struct version *v = find(f, state_subject(f->parser.registry, subject), p, which);

	return v != NULL ? v : look_up_with_extras(f, subject, q, p, which);
}

/*
 * Whether a request means the same in another subject, parsed: what it refers to lies in the context of who
 * refers, and whether it is brought to its normal form is set for subjects.
 */
static bool
means_the_same(const struct registry *r, const struct schema_request *q, struct span a, struct span b)
{
	return q->n_references == 0 && state_wants_normal(r, a, q) == state_wants_normal(r, b, q);
}

/* So many times a request is parsed anew for namesakes of its subject. */
enum { NAMESAKES_PARSED = 32 };

static const struct version *
look_up_namesakes(struct search *f, struct span subject, const struct schema_request *q, const struct parsed_schema *p,
    enum registry_which which)
{
	const struct registry *r = f->parser.registry;
	const struct version *v = NULL;
	struct parsed_schema other;
	struct refusal ignored;
	struct span namesake;
	size_t it = 0;
	int parsed = 0;

	while (v == NULL && f->left > 0 && (namesake = registry_next_namesake(r, subject, &it)).p != NULL) {
		if (means_the_same(r, q, subject, namesake))
			v = look_up(f, namesake, q, p, which);
		else if (parsed++ < NAMESAKES_PARSED && registry_parse(r, namesake, q, f->parser.arena, &other, &ignored)) {
			f->text = 0;
			v = look_up(f, namesake, q, &other, which);
			f->text = 0;
			schema_free(other.schema);
		}
	}
	return v;
}

const struct version_entry *
registry_lookup(const struct registry *r, struct span subject, const struct schema_request *q,
    enum registry_which which, struct arena *a, struct refusal *why)
{
	struct schema_request known = *q;
	const struct version *v = NULL;
	struct parsed_schema p;
	struct search f;

	begin(&f, r, PIECE_BYTES, a);
	known.known = true;
	if (!state_is_blank(q->text)) {
		if (!registry_parse(r, subject, &known, a, &p, why))
			return NULL;
		v = look_up(&f, subject, &known, &p, which);
		if (v == NULL)
			v = look_up_namesakes(&f, subject, &known, &p, which);
		schema_free(p.schema);
		state_forget(&f.parser);
	}
	if (v != NULL)
		return &v->entry;
	if (f.left == 0)
		refuse(why, a, REGISTRY_AGAIN);
	else if (state_newest(state_subject(r, subject), which) == NULL)
		refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	else
		refuse(why, a, REGISTRY_SCHEMA_NOT_FOUND);
	return NULL;
}

/* ---- what a registration would find again ---- */

/* The version that a request asks for by its id and number: the one that was found, or the same under that number. */
static const struct version *
asked_for(const struct subject *s, const struct version *found, const struct schema_request *q)
{
	const struct version *other = state_version(s, q->version);

	if (q->id > 0 && q->id != found->entry.schema->id)
		return NULL;
	if (q->version <= 0)
		return found;
	/* A number alone asks for that version to be made. */
	return q->id > 0 && other != NULL && !other->entry.deleted && other->content == found->content ? other : NULL;
}

/* One that is to be the latest is looked for there only. */
static const struct version *
find_again(struct search *f, const struct subject *s, const struct parsed_schema *p, int32_t version)
{
	const struct version *newest = state_newest(s, REGISTRY_LIVE);

	if (version >= 0)
		return find(f, s, p, REGISTRY_LIVE);
	f->fresh = p;
	return newest != NULL && (has_hash(newest, p) || is_same(f, newest)) ? newest : NULL;
}

static const struct version_entry *
registered(const struct registry *r, struct span subject, const struct schema_request *q, size_t bytes, struct arena *a,
    struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);
	struct schema_request known = *q;
	struct parsed_schema parsed;
	const struct version *v;
	struct search f;

	*why = (struct refusal){ 0 };
	known.known = true;
	if (!plan_check_rules(q->rule_set, a, why) || !plan_check_subject(subject, a, why))
		return NULL;
	/* Where something is added it is not the request alone that says what is the same. */
	if (q->n_tags_to_add + q->n_tags_to_remove > 0 || q->propagate_tags || state_is_blank(q->text) ||
	    state_adds_extras(r, subject) || !registry_parse(r, subject, &known, a, &parsed, why))
		return NULL;
	begin(&f, r, bytes, a);
	v = find_again(&f, s, &parsed, q->version);
	state_forget(&f.parser);
	schema_free(parsed.schema);
	if (v == NULL && f.left == 0)
		refuse(why, a, REGISTRY_AGAIN);
	if (v != NULL)
		v = asked_for(s, v, q);
	return v == NULL ? NULL : &v->entry;
}

const struct version_entry *
registry_registered(const struct registry *r, struct span subject, const struct schema_request *q, struct arena *a,
    struct refusal *why)
{
	return registered(r, subject, q, PIECE_BYTES, a, why);
}

const struct version_entry *
state_registered(const struct registry *r, struct span subject, const struct schema_request *q, struct arena *a,
    struct refusal *why)
{
	return registered(r, subject, q, SIZE_MAX, a, why);
}
