/* types_test.c -- types and places in Avro schemas, for people. */
#include "weir/types.h"

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"x.Person\",\"fields\":["
    "{\"name\":\"name\",\"type\":\"string\"},"
    "{\"name\":\"home\",\"type\":{\"type\":\"record\",\"name\":\"Address\",\"fields\":["
    "{\"name\":\"street\",\"type\":[\"null\",\"string\"]},{\"name\":\"since\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}]}},"
    "{\"name\":\"others\",\"type\":{\"type\":\"array\",\"items\":\"Address\"}},"
    "{\"name\":\"by\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"x.Address\"}}},"
    "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"y.Kind\",\"symbols\":[\"A\"]}},"
    "{\"name\":\"gone\",\"type\":\"z.Gone\"}]}";

struct world {
	struct arena arena;
	struct types types;
	const struct json *schema;
};

static struct world
begin(void)
{
	struct json_mistake why;
	struct world w;

	arena_init(&w.arena, 1 << 20);
	w.schema = json_parse(&w.arena, span_str(schema), &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.schema);
	return w;
}

static void
pointers_lead_to_places(void)
{
	static const struct {
		const char *pointer, *path;
	} rows[] = {
		{ "/", "Person" },
		{ "", "Person" },
		{ "/name", "Person" },
		{ "/fields/0", "Person.name" },
		{ "/fields/0/type", "Person.name" },
		{ "/fields/1/type/fields/0/type/1", "Person.home.street" },
		{ "/fields/2/type/items/fields/1/type", "Person.others[].since" },
		{ "/fields/3/type/values/items/fields/0", "Person.by{}[].street" },
		{ "/fields/4/type/symbols", "Person.kind" },
		{ "/fields/9", NULL },
		{ "/fields/x", NULL },
		{ "/fields/99999999999999999999", NULL },
		{ "/fields", NULL },
		{ "/fields/0/type/fields/0", NULL },
		{ "/fields/0/type/items", NULL },
		{ "/fields/5/type/fields/0", NULL },
	};
	struct world w = begin();

	types_read(&w.types, &w.arena, w.schema);
	for (size_t i = 0; i < N_OF(rows); i++) {
		const char *path = type_path(&w.types, w.schema, span_str(rows[i].pointer));

		CU_ASSERT((path == NULL) == (rows[i].path == NULL));
		if (path != NULL && rows[i].path != NULL)
			CU_ASSERT_STRING_EQUAL(path, rows[i].path);
	}
	types_done(&w.types);
	arena_done(&w.arena);
}

static void
types_are_described_in_few_words(void)
{
	static const char *const words[] = { "string", "record x.Address", "array of record x.Address", "map of array of record x.Address",
		"enum y.Kind", "z.Gone" };
	struct world w = begin();
	const struct json *field = json_get(w.schema, "fields")->first;

	types_read(&w.types, &w.arena, w.schema);
	for (size_t i = 0; i < N_OF(words); i++, field = field->next) {
		struct type t = type_at(&w.types, json_get(field, "type"), span_str("x"));
		struct buf b = { 0 };

		type_describe(&b, &w.types, &t);
		CU_ASSERT(span_is(buf_bytes(&b), words[i]));
		buf_done(&b);
	}
	types_done(&w.types);
	arena_done(&w.arena);
}

const struct unit_test types_tests[] = {
	UNIT(pointers_lead_to_places),
	UNIT(types_are_described_in_few_words),
	UNIT_END
};
