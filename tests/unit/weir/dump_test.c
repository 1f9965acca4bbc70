/* dump_test.c -- exported registries, written and read. */
#include "weir/dump.h"

#include <string.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static const struct json *
parse(struct arena *a, const char *text)
{
	struct json_mistake why;
	const struct json *j = json_parse(a, span_str(text), &why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static void
what_is_written_is_read(void)
{
	static const char entity[] = "{\"subject\":\":.c:s\",\"version\":2,\"id\":7,\"guid\":\"g\",\"schemaType\":\"AVRO\",\"ts\":1,"
				     "\"references\":[{\"name\":\"n\",\"subject\":\"t\",\"version\":1}],\"schema\":\"\\\"n\\\"\"}";
	struct dump_counts counts = { 1, 1, 2, 1 };
	struct dump_association association = { "t", "lkc", "id", "topic", ":.lkc:t-key", "key", .strong = true, .frozen = true };
	struct buf b = { 0 };
	struct arena a;
	struct dump d;
	char why[200];

	arena_init(&a, 1 << 20);
	dump_put_head(&b, parse(&a, "[\".\",\".c\"]"));
	dump_put_schema(&b, parse(&a, entity), true);
	dump_put_config(&b, ":.c:", parse(&a, "{\"compatibilityLevel\":\"FULL\"}"));
	dump_put_mode(&b, NULL, "READONLY");
	dump_put_mode(&b, "s", "IMPORT");
	dump_put_association(&b, &association);
	dump_put_end(&b, &counts);
	CU_ASSERT(span_is(buf_bytes(&b),
	    "{\"weir-schema-export\":1,\"contexts\":[\".\",\".c\"]}\n"
	    "{\"schema\":{\"subject\":\":.c:s\",\"version\":2,\"id\":7,\"guid\":\"g\",\"schemaType\":\"AVRO\","
	    "\"references\":[{\"name\":\"n\",\"subject\":\"t\",\"version\":1}],\"schema\":\"\\\"n\\\"\",\"deleted\":true}}\n"
	    "{\"config\":{\"compatibilityLevel\":\"FULL\"},\"subject\":\":.c:\"}\n"
	    "{\"mode\":\"READONLY\"}\n"
	    "{\"mode\":\"IMPORT\",\"subject\":\"s\"}\n"
	    "{\"association\":{\"resourceName\":\"t\",\"resourceNamespace\":\"lkc\",\"resourceId\":\"id\",\"resourceType\":\"topic\","
	    "\"subject\":\":.lkc:t-key\",\"associationType\":\"key\",\"lifecycle\":\"STRONG\",\"frozen\":true}}\n"
	    "{\"end\":{\"schemas\":1,\"configs\":1,\"modes\":2,\"associations\":1}}\n"));
	CU_ASSERT_FATAL(dump_read(&a, buf_bytes(&b), &d, why, sizeof why));
	CU_ASSERT(d.n.schemas == 1 && d.n.configs == 1 && d.n.modes == 2 && d.n.associations == 1);
	CU_ASSERT(dump_same_association(&d.associations[0], &association));
	CU_ASSERT(strcmp(d.schemas[0].subject, ":.c:s") == 0 && d.schemas[0].version == 2 && d.schemas[0].id == 7 && d.schemas[0].deleted);
	CU_ASSERT(strcmp(d.configs[0].subject, ":.c:") == 0 && json_is_text(json_get(d.configs[0].value, "compatibilityLevel"), "FULL"));
	CU_ASSERT(d.modes[0].subject == NULL && json_is_text(d.modes[0].value, "READONLY"));
	CU_ASSERT_STRING_EQUAL(d.modes[1].subject, "s");
	/* Whatever is cut off is missed. */
	for (size_t n = 0; n + 1 < b.n; n++) {
		arena_done(&a);
		CU_ASSERT_FALSE(dump_read(&a, span_of(b.p, n), &d, why, sizeof why));
	}
	buf_done(&b);
	arena_done(&a);
}

/* Whether a text is a dump. */
static bool
reads(const char *text, struct arena *a, struct dump *d)
{
	char why[200];

	return dump_read(a, span_str(text), d, why, sizeof why);
}

#define HEAD "{\"weir-schema-export\":1}\n"
#define ASSOCIATION                                                                                           \
	"{\"association\":{\"resourceName\":\"t\",\"resourceNamespace\":\"n\",\"subject\":\"s\",\"associationType\":\"key\"," \
	"\"lifecycle\":\"WEAK\"}}\n"

static void
dumps_of_before_count_no_associations(void)
{
	struct arena a;
	struct dump d;

	arena_init(&a, 1 << 20);
	CU_ASSERT(reads(HEAD "{\"end\":{\"schemas\":0,\"configs\":0,\"modes\":0}}\n", &a, &d));
	CU_ASSERT(reads(HEAD ASSOCIATION "{\"end\":{\"schemas\":0,\"configs\":0,\"modes\":0,\"associations\":1}}\n", &a, &d));
	CU_ASSERT(d.n.associations == 1);
	CU_ASSERT_FALSE(reads(HEAD ASSOCIATION "{\"end\":{\"schemas\":0,\"configs\":0,\"modes\":0}}\n", &a, &d));
	CU_ASSERT_FALSE(reads(HEAD "{\"end\":{\"schemas\":0,\"configs\":0,\"modes\":0,\"associations\":1}}\n", &a, &d));
	CU_ASSERT_FALSE(reads(HEAD "{\"end\":{\"schemas\":0,\"configs\":0,\"modes\":0,\"associations\":\"0\"}}\n", &a, &d));
	arena_done(&a);
}

static void
the_empty_name_is_that_of_all(void)
{
	struct arena a;
	struct dump d;

	arena_init(&a, 1 << 20);
	CU_ASSERT_FATAL(reads(HEAD "{\"config\":{},\"subject\":\"\"}\n{\"mode\":\"IMPORT\",\"subject\":\"\"}\n"
				   "{\"end\":{\"schemas\":0,\"configs\":1,\"modes\":1}}\n", &a, &d));
	CU_ASSERT(d.configs[0].subject == NULL && d.modes[0].subject == NULL);
	arena_done(&a);
}

static void
associations_are_read_as_registries_tell_them(void)
{
#define NAMES "\"resourceName\":\"t\",\"resourceNamespace\":\"n\",\"subject\":\"s\",\"associationType\":\"value\""
	static const struct {
		const char *text;
		bool good, strong, frozen;
	} rows[] = {
		{ "{" NAMES ",\"lifecycle\":\"STRONG\",\"frozen\":false}", true, true, false },
		{ "{" NAMES ",\"lifecycle\":\"STRONG\",\"frozen\":true,\"guid\":\"g\"}", true, true, true },
		/* What is not told is as the lifecycle has it. */
		{ "{" NAMES ",\"lifecycle\":\"STRONG\"}", true, true, true },
		{ "{" NAMES ",\"lifecycle\":\"WEAK\"}", true, false, false },
		{ "{" NAMES "}", false, false, false },
		{ "{" NAMES ",\"lifecycle\":\"strong\"}", false, false, false },
		{ "{\"subject\":\"s\",\"lifecycle\":\"WEAK\"}", false, false, false },
		{ "{" NAMES ",\"resourceName\":\"\",\"lifecycle\":\"WEAK\"}", false, false, false },
		{ "{" NAMES ",\"subject\":\"a\\u0000b\",\"lifecycle\":\"WEAK\"}", false, false, false },
		{ "{" NAMES ",\"subject\":7,\"lifecycle\":\"WEAK\"}", false, false, false },
	};
	struct dump_association s, other;
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < N_OF(rows); i++) {
		CU_ASSERT_EQUAL(dump_association(&a, parse(&a, rows[i].text), &s), rows[i].good);
		if (!rows[i].good)
			continue;
		CU_ASSERT(s.strong == rows[i].strong && s.frozen == rows[i].frozen);
		CU_ASSERT_STRING_EQUAL(s.resource_type, "topic");
		CU_ASSERT_STRING_EQUAL(s.resource_id, "");
	}
	CU_ASSERT_FATAL(dump_association(&a, parse(&a, rows[0].text), &s));
	other = s;
	CU_ASSERT(dump_same_association(&s, &other));
	other.frozen = true;
	CU_ASSERT_FALSE(dump_same_association(&s, &other));
	other = s;
	other.resource_id = "id";
	CU_ASSERT_FALSE(dump_same_association(&s, &other));
	arena_done(&a);
}

static void
what_is_the_same_is_found_so(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "{\"id\":1,\"schema\":\"x\"}", "{\"schema\":\"x\",\"id\":1,\"ts\":5,\"guid\":\"g\",\"deleted\":true}", true },
		{ "{\"id\":1,\"schema\":\"x\"}", "{\"id\":2,\"schema\":\"x\"}", false },
		{ "{\"id\":1,\"schema\":\"x\"}", "{\"id\":1,\"schema\":\"y\"}", false },
		{ "{\"id\":1,\"schema\":\"x\"}", "{\"id\":1,\"schema\":\"x\",\"schemaType\":\"AVRO\"}", true },
		{ "{\"id\":1,\"schema\":\"x\"}", "{\"id\":1,\"schema\":\"x\",\"schemaType\":\"JSON\"}", false },
		{ "{\"id\":1,\"schema\":\"x\",\"references\":[],\"metadata\":null}", "{\"id\":1,\"schema\":\"x\",\"ruleSet\":{}}", true },
		{ "{\"metadata\":{\"a\":{\"k\":[1,2]},\"b\":1}}", "{\"metadata\":{\"b\":1,\"a\":{\"k\":[1,2]}}}", true },
		{ "{\"metadata\":{\"a\":[1,2]}}", "{\"metadata\":{\"a\":[2,1]}}", false },
		{ "{\"metadata\":{\"a\":[1,2]}}", "{\"metadata\":{\"a\":[1]}}", false },
		{ "{\"metadata\":{\"a\":1}}", "{\"metadata\":{\"a\":1,\"b\":true}}", false },
		{ "{\"metadata\":{\"a\":true}}", "{\"metadata\":{\"a\":false}}", false },
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < N_OF(rows); i++) {
		CU_ASSERT_EQUAL(dump_same(parse(&a, rows[i].a), parse(&a, rows[i].b)), rows[i].same);
		CU_ASSERT_EQUAL(dump_same(parse(&a, rows[i].b), parse(&a, rows[i].a)), rows[i].same);
	}
	arena_done(&a);
}

static void
contexts_are_in_the_names_of_subjects(void)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	CU_ASSERT_STRING_EQUAL(dump_context(&a, "s"), ".");
	CU_ASSERT_STRING_EQUAL(dump_context(&a, "a:b:c"), ".");
	CU_ASSERT_STRING_EQUAL(dump_context(&a, ":.:s"), ".");
	CU_ASSERT_STRING_EQUAL(dump_context(&a, ":.ctx:s:t"), ".ctx");
	CU_ASSERT_STRING_EQUAL(dump_context(&a, ":.ctx:"), ".ctx");
	CU_ASSERT_STRING_EQUAL(dump_context(&a, ":x"), ".");
	arena_done(&a);
}

const struct unit_test dump_tests[] = {
	UNIT(what_is_written_is_read),
	UNIT(dumps_of_before_count_no_associations),
	UNIT(the_empty_name_is_that_of_all),
	UNIT(associations_are_read_as_registries_tell_them),
	UNIT(what_is_the_same_is_found_so),
	UNIT(contexts_are_in_the_names_of_subjects),
	UNIT_END
};
