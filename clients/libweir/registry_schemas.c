/* registry_schemas.c -- schemas in the requests and answers of a registry. */
#include <stdio.h>
#include <string.h>

#include "json/write.h"
#include "libweir/registry.h"
#include "libweir/say.h"

void
weir_schema_put_request(struct buf *to, const struct weir_schema *s)
{
	struct json_out o = json_out(to);

	json_open(&o, '{');
	/* Registries of before 5.5 know no other type, and no field for it. */
	if (s->type != NULL && strcmp(s->type, "AVRO") != 0) {
		json_key(&o, "schemaType");
		json_put_str(&o, s->type);
	}
	if (s->n_refs > 0) {
		json_key(&o, "references");
		json_open(&o, '[');
		for (size_t i = 0; i < s->n_refs; i++) {
			json_open(&o, '{');
			json_key(&o, "name");
			json_put_str(&o, s->refs[i].name);
			json_key(&o, "subject");
			json_put_str(&o, s->refs[i].subject);
			json_key(&o, "version");
			json_put_int(&o, s->refs[i].version);
			json_close(&o, '}');
		}
		json_close(&o, ']');
	}
	json_key(&o, "schema");
	json_put_span(&o, s->text);
	json_close(&o, '}');
}

/* ---- answers ---- */

/* A string member; NULL where there is none, or (*full) no memory. */
static const char *
text_of(const struct json *in, const char *name, struct arena *a, bool *full)
{
	const struct json *v = json_get(in, name);
	char *text;

	if (!json_is_kind(v, JSON_STRING))
		return NULL;
	/* Arena memory is zeroed: the string ends. */
	if ((text = arena_alloc(a, v->text.n + 1)) == NULL)
		*full = true;
	else
		memcpy(text, v->text.p, v->text.n);
	return text;
}

static int32_t
number_of(const struct json *in, const char *name)
{
	int64_t n;

	return json_is_int(json_get(in, name), &n) && n >= INT32_MIN && n <= INT32_MAX ? (int32_t)n : 0;
}

static void
read_refs(const struct json *list, struct arena *a, struct weir_schema *out, bool *full)
{
	struct weir_schema_ref *refs;

	if (!json_is_kind(list, JSON_ARRAY) || list->n == 0)
		return;
	if ((refs = arena_array(a, list->n, sizeof *refs)) == NULL) {
		*full = true;
		return;
	}
	for (const struct json *j = list->first; j != NULL; j = j->next)
		refs[out->n_refs++] = (struct weir_schema_ref){ text_of(j, "name", a, full), text_of(j, "subject", a, full),
			number_of(j, "version") };
	out->refs = refs;
}

static bool
read_schema(const struct json *in, struct arena *a, struct weir_schema *out, struct weir_error *why)
{
	const struct json *text = json_get(in, "schema");
	bool full = false;

	*out = (struct weir_schema){ .subject = text_of(in, "subject", a, &full), .version = number_of(in, "version"),
		.id = number_of(in, "id"), .type = text_of(in, "schemaType", a, &full) };
	if (json_is_kind(text, JSON_STRING))
		out->text = text->text;
	if (out->type == NULL)
		out->type = "AVRO";
	read_refs(json_get(in, "references"), a, out, &full);
	if (full)
		error_say(why, WEIR_NO_MEMORY, "no memory for what the registry answered");
	return !full;
}

/* A schema, or why there is none. */
static bool
ask(struct weir_registry *r, const struct weir_call *call, struct arena *a, struct weir_answer *answer,
    struct weir_schema *out, struct weir_error *why)
{
	bool good = weir_registry_call(r, call, a, answer, why) && read_schema(answer->json, a, out, why);

	if (!good)
		*out = (struct weir_schema){ .message = answer->message };
	return good;
}

/* One that must have its text. */
static bool
ask_schema(struct weir_registry *r, const struct weir_call *call, struct arena *a, struct weir_schema *out,
    struct weir_error *why)
{
	struct weir_answer answer;

	if (!ask(r, call, a, &answer, out, why))
		return false;
	if (out->text.p != NULL)
		return true;
	error_say(why, WEIR_FAILED, "the registry answered without a schema");
	why->code = answer.status;
	return false;
}

static bool
no_memory(struct weir_error *why)
{
	error_say(why, WEIR_NO_MEMORY, "no memory for a schema");
	return false;
}

bool
weir_registry_register(struct weir_registry *r, const char *subject, const struct weir_schema *schema, bool normalize,
    struct arena *a, struct weir_schema *out, struct weir_error *why)
{
	struct buf body = { 0 };
	struct weir_answer answer;
	bool good;

	weir_schema_put_request(&body, schema);
	*out = (struct weir_schema){ 0 };
	good = body.failed ? no_memory(why)
			   : ask(r,
				 &(struct weir_call){ .method = WEIR_POST, .path = { "subjects", subject, "versions" },
				     .query = { { "normalize", normalize ? "true" : NULL } }, .body = buf_bytes(&body) },
				 a, &answer, out, why);
	buf_done(&body);
	if (good && out->id == 0) {
		error_say(why, WEIR_FAILED, "the registry answered without an id");
		why->code = answer.status;
		return false;
	}
	return good;
}

bool
weir_registry_lookup(struct weir_registry *r, const char *subject, const struct weir_schema *schema, bool normalize,
    struct arena *a, struct weir_schema *out, struct weir_error *why)
{
	struct buf body = { 0 };
	bool good;

	weir_schema_put_request(&body, schema);
	*out = (struct weir_schema){ 0 };
	good = body.failed ? no_memory(why)
			   : ask_schema(r,
				 &(struct weir_call){ .method = WEIR_POST, .path = { "subjects", subject },
				     .query = { { "normalize", normalize ? "true" : NULL } }, .body = buf_bytes(&body) },
				 a, out, why);
	buf_done(&body);
	return good;
}

bool
weir_registry_by_id(struct weir_registry *r, int32_t id, const char *subject, struct arena *a,
    struct weir_schema *out, struct weir_error *why)
{
	char number[16];
	bool good;

	snprintf(number, sizeof number, "%d", (int)id);
	good = ask_schema(r, &(struct weir_call){ .path = { "schemas", "ids", number }, .query = { { "subject", subject } } },
	    a, out, why);
	out->id = good ? id : 0;
	return good;
}

bool
weir_registry_version(struct weir_registry *r, const char *subject, int32_t version, struct arena *a,
    struct weir_schema *out, struct weir_error *why)
{
	char number[16] = "latest";

	if (version != WEIR_LATEST)
		snprintf(number, sizeof number, "%d", (int)version);
	return ask_schema(r, &(struct weir_call){ .path = { "subjects", subject, "versions", number } }, a, out, why);
}

bool
weir_registry_subjects(struct weir_registry *r, const char *prefix, struct arena *a, const char ***out, size_t *n,
    struct weir_error *why)
{
	const struct weir_call call = { .path = { "subjects" }, .query = { { "subjectPrefix", prefix == NULL ? ":*:" : prefix } } };
	struct weir_answer answer;
	bool full = false;

	*out = NULL;
	*n = 0;
	if (!weir_registry_call(r, &call, a, &answer, why))
		return false;
	if (!json_is_kind(answer.json, JSON_ARRAY)) {
		error_say(why, WEIR_FAILED, "the registry answered without a list of subjects");
		why->code = answer.status;
		return false;
	}
	if ((*out = arena_array(a, answer.json->n, sizeof **out)) == NULL)
		return no_memory(why);
	for (const struct json *j = answer.json->first; j != NULL && !full; j = j->next)
		if (json_is_kind(j, JSON_STRING)) {
			(*out)[*n] = arena_printf(a, "%.*s", (int)j->text.n, (const char *)j->text.p);
			full = (*out)[(*n)++] == NULL;
		}
	return full ? no_memory(why) : true;
}
