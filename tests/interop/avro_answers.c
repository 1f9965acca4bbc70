/*
 * avro_answers.c -- what lib/schema makes of Avro schemas, for avro_java_test.py: each line of
 * the input asks, one line answers, both in JSON.  AvroJava.java answers the same.
 *
 *	{"text": TEXT, "strict": BOOLEAN, "refs": [TEXT, ...]}  the schema in each form
 *	{"reader": TEXT, "writer": TEXT}                        what keeps the one from reading the other
 *
 *	"normal": BOOLEAN                                       beside a text: also its normal form, of which
 *	                                                        AvroNormal.java tells
 *
 * and here alone
 *
 *	{"seed": NUMBER}                                        the text of a schema by chance
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "json/tree.h"
#include "schema/avro/avro.h"
#include "unit/schema/random_schema.h"

enum { REFS_MAX = 8 };

static void
put_text(struct json_out *o, const char *key, struct span text)
{
	json_key(o, key);
	json_put_span(o, text);
}

static void
put_form(struct json_out *o, const char *key, const struct avro_schema *s, enum avro_form form)
{
	struct buf text = { 0 };

	avro_print(s, form, &text);
	must(!text.failed);
	put_text(o, key, buf_bytes(&text));
	buf_done(&text);
}

static void
put_schema(struct json_out *o, const struct avro_schema *s)
{
	char rabin[24];
	uint64_t v;

	put_form(o, "text", s, AVRO_TEXT);
	put_form(o, "resolved", s, AVRO_RESOLVED);
	put_form(o, "canonical", s, AVRO_CANONICAL);
	must(avro_fingerprint_rabin(s, &v));
	snprintf(rabin, sizeof rabin, "%llx", (unsigned long long)v);
	put_text(o, "rabin", span_str(rabin));
}

/* The schema of a text; or NULL with the mistake told. */
static struct avro_schema *
parse(struct json_out *o, const struct json *text, bool strict, struct avro_schema *const refs[],
    size_t n_refs)
{
	struct avro_mistake why;
	struct avro_schema *s;

	must(json_is_kind(text, JSON_STRING));
	s = avro_parse(text->text, strict ? AVRO_STRICT : AVRO_STORED, refs, n_refs, &why);
	must(s != NULL || !why.memory);
	if (s == NULL)
		put_text(o, "error", span_str(why.text));
	return s;
}

static void
read_text(struct json_out *o, const struct json *question)
{
	const struct json *list = json_get(question, "refs");
	struct avro_schema *refs[REFS_MAX], *s = NULL;
	size_t n = 0;
	bool ok = true;

	for (const struct json *j = list == NULL ? NULL : list->first; ok && j != NULL; j = j->next) {
		must(n < REFS_MAX);
		ok = (refs[n] = parse(o, j, false, refs, n)) != NULL;
		n += ok;
	}
	if (ok && (s = parse(o, json_get(question, "text"),
	    json_is_kind(json_get(question, "strict"), JSON_TRUE), refs, n)) != NULL) {
		put_schema(o, s);
		if (json_is_kind(json_get(question, "normal"), JSON_TRUE))
			put_form(o, "normal", s, AVRO_NORMALIZED);
	}
	avro_free(s);
	while (n > 0)
		avro_free(refs[--n]);
}

static void
put_conflicts(struct json_out *o, const struct avro_conflicts *c)
{
	json_key(o, "conflicts");
	json_open(o, '[');
	for (size_t i = 0; i < c->n; i++) {
		json_open(o, '[');
		json_put_str(o, avro_incompatibility_name(c->list[i].kind));
		json_put_str(o, c->list[i].message);
		json_put_str(o, c->list[i].location);
		json_close(o, ']');
	}
	json_close(o, ']');
}

static void
compare(struct json_out *o, const struct json *question, struct arena *a)
{
	struct avro_schema *reader = parse(o, json_get(question, "reader"), false, NULL, 0);
	struct avro_schema *writer = reader == NULL ? NULL :
	    parse(o, json_get(question, "writer"), false, NULL, 0);
	struct avro_conflicts conflicts;

	if (writer != NULL) {
		avro_can_read(reader, writer, a, &conflicts);
		if (conflicts.broken != NULL)
			put_text(o, "error", span_str(conflicts.broken));
		else {
			json_key(o, "equal");
			json_put_bool(o, avro_equal(reader, writer));
			put_conflicts(o, &conflicts);
		}
	}
	avro_free(reader);
	avro_free(writer);
}

static void
make_text(struct json_out *o, const struct json *seed)
{
	struct random_schema what = { .tweak = -1 };
	struct buf text = { 0 };
	int64_t v;

	must(json_is_int(seed, &v));
	what.seed = what.layout = (uint64_t)v;
	random_schema(&what, &text);
	put_text(o, "text", span_of(text.p, text.n - 1));
	buf_done(&text);
}

static void
answer(struct span line)
{
	struct buf text = { 0 };
	struct json_out o = json_out(&text);
	struct json_mistake why;
	struct json *question;
	struct arena a;

	arena_init(&a, SIZE_MAX);
	question = json_parse(&a, line, &why);
	must(question != NULL);
	json_open(&o, '{');
	if (json_get(question, "seed") != NULL)
		make_text(&o, json_get(question, "seed"));
	else if (json_get(question, "text") != NULL)
		read_text(&o, question);
	else
		compare(&o, question, &a);
	json_close(&o, '}');
	buf_u8(&text, '\n');
	must(!text.failed && fwrite(text.p, 1, text.n, stdout) == text.n);
	buf_done(&text);
	arena_done(&a);
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0)
		answer(span_of(line, (size_t)n));
	free(line);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
