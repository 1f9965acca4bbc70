/* record_test.c -- the records of `_schemas`: their bytes, what is read of them, and what makes schemas the same. */
#include "registry/record.h"

#include <stdio.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

static const struct reference two[] = { { { (const uint8_t *)"n", 1 }, { (const uint8_t *)"s", 1 }, 1 },
	{ { (const uint8_t *)"m", 1 }, { (const uint8_t *)":.c:t", 5 }, 2 } };

#define S(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static bool
has(const struct buf *b, const char *want)
{
	bool same = !b->failed && span_is(buf_bytes(b), want);

	if (!same)
		printf("\n    got    %.*s\n    wanted %s\n", (int)b->n, (const char *)b->p, want);
	return same;
}

static void
keys_have_their_bytes(void)
{
	static const struct {
		struct record record;
		const char *key;
	} cases[] = {
		{ { .type = RECORD_SCHEMA, .subject = S("s"), .version = 1 },
		    "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}" },
		{ { .type = RECORD_SCHEMA, .subject = S(":.c:a/\"b"), .version = 2147483647 },
		    "{\"keytype\":\"SCHEMA\",\"subject\":\":.c:a/\\\"b\",\"version\":2147483647,\"magic\":1}" },
		{ { .type = RECORD_SCHEMA, .subject = S(""), .version = 1 },
		    "{\"keytype\":\"SCHEMA\",\"version\":1,\"magic\":1}" },
		{ { .type = RECORD_CONFIG, .subject = S("s") }, "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0}" },
		{ { .type = RECORD_CONFIG }, "{\"keytype\":\"CONFIG\",\"magic\":0}" },
		{ { .type = RECORD_MODE, .subject = S(":.c:") }, "{\"keytype\":\"MODE\",\"subject\":\":.c:\",\"magic\":0}" },
		{ { .type = RECORD_MODE }, "{\"keytype\":\"MODE\",\"magic\":0}" },
		{ { .type = RECORD_NOOP }, "{\"keytype\":\"NOOP\",\"magic\":0}" },
		{ { .type = RECORD_DELETE_SUBJECT, .subject = S("s") },
		    "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}" },
		{ { .type = RECORD_CLEAR_SUBJECT, .subject = S("s") },
		    "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0}" },
		{ { .type = RECORD_CONTEXT, .context = S(".x") },
		    "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".x\",\"magic\":0}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = { 0 };

		record_put_key(&b, &cases[i].record);
		CU_ASSERT(has(&b, cases[i].key));
		buf_done(&b);
	}
}

static void
values_have_their_bytes(void)
{
	static const struct {
		struct record record;
		const char *value;
	} cases[] = {
		{ { .type = RECORD_SCHEMA, .subject = S("t-value"), .version = 1, .id = 1, .schema_type = S("AVRO"),
		      .schema = S("\"string\"") },
		    "{\"subject\":\"t-value\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"schema\":\"\\\"string\\\"\","
		    "\"deleted\":false}" },
		{ { .type = RECORD_SCHEMA, .subject = S("s"), .version = 3, .id = 7, .schema_type = S("JSON"),
		      .references = two, .n_references = 2, .schema = S("{\"a\":\"\xc3\xa9/\"}"), .deleted = true },
		    "{\"subject\":\"s\",\"version\":3,\"id\":7,\"schemaType\":\"JSON\",\"references\":[{\"name\":\"n\","
		    "\"subject\":\"s\",\"version\":1},{\"name\":\"m\",\"subject\":\":.c:t\",\"version\":2}],"
		    "\"schema\":\"{\\\"a\\\":\\\"\xc3\xa9/\\\"}\",\"deleted\":true}" },
		{ { .type = RECORD_MODE, .subject = S("s"), .mode = S("READONLY") },
		    "{\"subject\":\"s\",\"mode\":\"READONLY\"}" },
		{ { .type = RECORD_MODE, .mode = S("IMPORT") }, "{\"mode\":\"IMPORT\"}" },
		{ { .type = RECORD_DELETE_SUBJECT, .subject = S("s"), .version = 4 }, "{\"subject\":\"s\",\"version\":4}" },
		{ { .type = RECORD_CLEAR_SUBJECT, .subject = S("s") }, "{\"subject\":\"s\"}" },
		{ { .type = RECORD_CONTEXT, .context = S(".x") }, "{\"tenant\":\"default\",\"context\":\".x\"}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = { 0 };

		record_put_value(&b, &cases[i].record);
		CU_ASSERT(has(&b, cases[i].value));
		buf_done(&b);
	}
}

static void
metadata_stands_before_the_schema(void)
{
	struct world w;
	struct record rec = { .type = RECORD_SCHEMA, .subject = S("s"), .version = 1, .id = 1, .schema_type = S("AVRO"),
		.schema = S("\"int\"") };
	struct buf b = { 0 };

	world_init(&w);
	rec.metadata = world_json(&w, "{ \"properties\" : { \"k\" : \"v\" } }");
	rec.rule_set = world_json(&w, "{\"domainRules\":[]}");
	record_put_value(&b, &rec);
	CU_ASSERT(has(&b, "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"metadata\":{\"properties\":"
			  "{\"k\":\"v\"}},\"ruleSet\":{\"domainRules\":[]},\"schema\":\"\\\"int\\\"\",\"deleted\":false}"));
	buf_done(&b);
	world_done(&w);
}

/* ---- reading ---- */

static void
whatever_is_tolerable_is_read(void)
{
	static const struct {
		const char *key, *value;
		enum record_type type;
	} cases[] = {
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
		    "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schema\":\"\\\"string\\\"\",\"deleted\":false}", RECORD_SCHEMA },
		/* of old, by others, with more in it */
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":0}", "{\"id\":1,\"schema\":\"x\"}",
		    RECORD_SCHEMA },
		{ "{\"subject\":\"s\",\"version\":1,\"magic\":1,\"keytype\":\"SCHEMA\"}", "{\"schema\":\"x\",\"id\":1}",
		    RECORD_SCHEMA },
		{ " { \"keytype\" : \"SCHEMA\", \"subject\":\"s\",\"version\":1 ,\"magic\":1,\"seq\":3,\"node\":0}",
		    "{\"schema\":\"x\",\"id\":1,\"md5\":\"AAAA\",\"new\":[{}],\"references\":null,\"metadata\":null}",
		    RECORD_SCHEMA },
		{ "{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}", RECORD_CONFIG },
		{ "{\"keytype\":\"CONFIG\",\"magic\":0}", NULL, RECORD_CONFIG },
		{ "{\"keytype\":\"MODE\",\"subject\":null,\"magic\":0}", "{\"mode\":\"IMPORT\"}", RECORD_MODE },
		{ "{\"keytype\":\"NOOP\",\"magic\":0}", NULL, RECORD_NOOP },
		{ "{\"keytype\":\"NOOP\",\"magic\":0}", "anything", RECORD_NOOP },
		{ "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{\"subject\":\"s\",\"version\":2}",
		    RECORD_DELETE_SUBJECT },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{\"subject\":\"s\"}", RECORD_CLEAR_SUBJECT },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"magic\":0}", "{}", RECORD_CLEAR_SUBJECT },
		{ "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".x\",\"magic\":0}",
		    "{\"tenant\":\"default\",\"context\":\".x\"}", RECORD_CONTEXT },
		{ "{\"keytype\":\"ASSOC\",\"tenant\":\"default\",\"resourceName\":\"r\",\"resourceNamespace\":\"n\",\"resourceType\":\"topic\","
		  "\"associationType\":\"value\",\"subject\":\"s\",\"magic\":0}",
		    "{\"subject\":\"s\",\"guid\":\"g\",\"lifecycle\":\"WEAK\"}", RECORD_ASSOC },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record r;
		struct arena a;
		const char *why = "";

		arena_init(&a, 1 << 20);
		CU_ASSERT(record_read(&a, span_str(cases[i].key), span_str(cases[i].value), &r, &why));
		CU_ASSERT_EQUAL(r.type, cases[i].type);
		CU_ASSERT_EQUAL(r.tombstone, cases[i].value == NULL);
		CU_ASSERT(r.type != RECORD_SCHEMA || (span_is(r.schema_type, "AVRO") && r.id == 1 && !r.deleted));
		arena_done(&a);
	}
}

static void
what_can_not_be_understood_is_refused(void)
{
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
		{ NULL, "{}", "it has no key" },
		{ "", "{}", "its key is no JSON object" },
		{ "{\"keytype\":", "{}", "its key is no JSON object" },
		{ "[]", "{}", "its key is no JSON object" },
		{ "{\"magic\":0}", "{}", "its key is of no known type" },
		{ "{\"keytype\":\"schema\",\"magic\":0}", "{}", "its key is of no known type" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":2}", "{}",
		    "its key has an unknown magic number" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":-1}", "{}",
		    "its key has an unknown magic number" },
		{ "{\"keytype\":\"MODE\",\"magic\":1}", "{}", "its key has an unknown magic number" },
		{ "{\"keytype\":\"MODE\",\"magic\":\"0\"}", "{}", "its key's magic is no number" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":7,\"version\":1,\"magic\":1}", "{}", "its key's names are no texts" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"magic\":1}", "{}", "its key has no version" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":0,\"magic\":1}", "{}", "its key has no version" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2147483648,\"magic\":1}", "{}",
		    "its key has no version" },
		{ "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1,\"seq\":-1}", "{}",
		    "its key's seq is no offset" },
#define KEY "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}"
		{ KEY, "", "its value is no JSON object" },
		{ KEY, "7", "its value is no JSON object" },
		{ KEY, "{\"schema\":\"x\"}", "it has no id" },
		{ KEY, "{\"schema\":\"x\",\"id\":0}", "it has no id" },
		{ KEY, "{\"schema\":\"x\",\"id\":2147483648}", "it has no id" },
		{ KEY, "{\"id\":1}", "it has no schema" },
		{ KEY, "{\"id\":1,\"schema\":{}}", "it has no schema" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"schemaType\":1}", "its schemaType is no text" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"references\":[7]}", "its references can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"references\":[{\"name\":\"n\",\"subject\":\"s\"}]}",
		    "its references can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"references\":{\"a\":1}}", "its references can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"metadata\":[]}", "its metadata or rule set can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"metadata\":{\"properties\":{\"a\":[]}}}", "its metadata or rule set can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"ruleSet\":{\"domainRules\":5}}", "its metadata or rule set can't be read" },
		{ KEY, "{\"id\":1,\"schema\":\"x\",\"ruleSet\":{\"domainRules\":[{\"kind\":\"SIDEWAYS\"}]}}",
		    "its metadata or rule set can't be read" },
#undef KEY
		{ "{\"keytype\":\"MODE\",\"magic\":0}", "{}", "it has no mode" },
		{ "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{}", "it has no version" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record r;
		struct arena a;
		const char *why = "";

		arena_init(&a, 1 << 20);
		CU_ASSERT(!record_read(&a, span_str(cases[i].key), span_str(cases[i].value), &r, &why));
		SAME(why, cases[i].why);
		arena_done(&a);
	}
}

/* ---- identity ---- */

static const char *
guid_of(const struct record *rec, char text[37])
{
	uint8_t hash[16];
	size_t n = 0;

	record_hash(rec, hash);
	for (int i = 0; i < 16; i++)
		n += (size_t)sprintf(text + n, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", hash[i]);
	return text;
}

static const struct reference nm_sub_1 = { S("nm"), S("sub"), 1 };

static void
guids_are_those_of_the_reference(void)
{
	struct record rec = { .type = RECORD_SCHEMA, .schema_type = S("AVRO"), .schema = S("\"string\"") };
	struct record referring = rec, described = rec;
	struct world w;
	char text[37];

	world_init(&w);
	SAME(guid_of(&rec, text), "095d71cf-1255-6b9d-5e33-0ad575b3df5d");
	referring.references = &nm_sub_1;
	referring.n_references = 1;
	SAME(guid_of(&referring, text), "26197877-1757-6952-b220-534aeb123176");
	described.metadata = world_json(&w, "{\"properties\":{\"k\":\"v\"}}");
	SAME(guid_of(&described, text), "27593e84-e584-f2c4-de4b-bc8cccc28a51");
	/* Neither the type nor the subject belong to it. */
	rec.schema_type = span_str("JSON");
	rec.subject = span_str("s");
	rec.version = 7;
	SAME(guid_of(&rec, text), "095d71cf-1255-6b9d-5e33-0ad575b3df5d");
	world_done(&w);
}

static void
order_matters_in_lists_only(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "{\"properties\":{\"a\":\"1\",\"b\":\"2\"}}", "{\"properties\":{\"b\":\"2\",\"a\":\"1\"}}", true },
		{ "{\"tags\":{\"a\":[\"x\",\"y\"]}}", "{\"tags\":{\"a\":[\"y\",\"x\"]}}", true },
		{ "{\"sensitive\":[\"x\",\"y\"],\"tags\":{}}", "{\"sensitive\":[\"y\",\"x\"]}", true },
		{ "{\"properties\":{\"a\":\"1\"}}", "{\"properties\":{\"a\":\"2\"}}", false },
		{ "{\"properties\":{\"a\":\"1\"}}", "{\"tags\":{\"a\":[\"1\"]}}", true }, /* no separators are hashed */
		{ "{}", "{\"properties\":{}}", true },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record a = { .schema = S("x"), .metadata = world_json(&w, cases[i].a) };
		struct record b = { .schema = S("x"), .metadata = world_json(&w, cases[i].b) };
		uint8_t x[16], y[16];

		record_hash(&a, x);
		record_hash(&b, y);
		CU_ASSERT_EQUAL(memcmp(x, y, sizeof x) == 0, cases[i].same);
	}
	world_done(&w);
}

static void
what_is_there_counts_even_when_empty(void)
{
	struct record none = { .schema = S("x") }, empty = none, rules = none, disabled = none, turned = none;
	const struct record *all[] = { &none, &empty, &rules, &disabled, &turned };
	struct reference list[2] = { two[0], two[1] }, other[2] = { two[1], two[0] };
	uint8_t hashes[5][16];
	struct world w;

	world_init(&w);
	empty.metadata = world_json(&w, "{}");
	rules.rule_set = world_json(&w, "{\"domainRules\":[{\"name\":\"r\",\"disabled\":false}]}");
	disabled.rule_set = world_json(&w, "{\"domainRules\":[{\"name\":\"r\",\"disabled\":true}]}");
	none.references = list;
	turned.references = other;
	none.n_references = turned.n_references = 2;
	for (size_t i = 0; i < 5; i++)
		record_hash(all[i], hashes[i]);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < i; j++)
			CU_ASSERT(memcmp(hashes[i], hashes[j], 16) != 0);
	world_done(&w);
}

const struct unit_test record_tests[] = {
	UNIT(keys_have_their_bytes),
	UNIT(values_have_their_bytes),
	UNIT(metadata_stands_before_the_schema),
	UNIT(whatever_is_tolerable_is_read),
	UNIT(what_can_not_be_understood_is_refused),
	UNIT(guids_are_those_of_the_reference),
	UNIT(order_matters_in_lists_only),
	UNIT(what_is_there_counts_even_when_empty),
	UNIT_END
};
