/* print_test.c -- the texts of Avro schemas, byte for byte. */
#include <stdlib.h>

#include "unit/schema/help.h"
#include "unit/unit.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(rest) RECORD("{\"name\":\"f\"," rest "}")

/* A text, and what the registry stores; NULL: the same. */
static const struct {
	const char *text, *stored;
} texts[] = {
	/* Primitives. */
	{ "\"int\"", NULL },
	{ " { \"type\" : \"string\" } ", "\"string\"" },
	{ "{\"type\":\"string\",\"doc\":\"d\",\"name\":\"n\"}", "\"string\"" },
	{ "{\"logicalType\":\"date\",\"type\":\"int\"}", "{\"type\":\"int\",\"logicalType\":\"date\"}" },
	/* Records: all attributes, in another order. */
	{ "{\"z\":1,\"aliases\":[\"Old\",\"b.Other\"],\"fields\":[],\"doc\":\"d\",\"a\":[true,null],"
	    "\"namespace\":\"a\",\"name\":\"R\",\"type\":\"record\"}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"doc\":\"d\",\"fields\":[],\"z\":1,"
	    "\"a\":[true,null],\"aliases\":[\"Old\",\"b.Other\"]}" },
	{ "{\"type\":\"error\",\"name\":\"R\",\"fields\":[]}", NULL },
	{ "{\"type\":\"record\",\"name\":\"a.b.R\",\"fields\":[]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a.b\",\"fields\":[]}" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"\",\"fields\":[]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"doc\":\"\",\"fields\":[]}", NULL },
	{ "{\"type\":\"record\",\"name\":\"R\",\"doc\":7,\"namespace\":null,\"fields\":[]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[],\"default\":1,\"order\":2}", NULL },
	{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[],\"symbols\":1,\"size\":2,\"items\":3}",
	    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}" },
	/* Fields. */
	{ FIELD("\"p\":1,\"aliases\":[\"g\",\"h\",\"g\"],\"order\":\"IGNORE\",\"default\":7,\"doc\":\"d\","
	    "\"type\":\"int\",\"namespace\":\"n\""),
	    FIELD("\"type\":\"int\",\"doc\":\"d\",\"default\":7,\"order\":\"ignore\",\"aliases\":[\"g\",\"h\"],"
	    "\"p\":1,\"namespace\":\"n\"") },
	{ FIELD("\"type\":\"int\",\"order\":\"ascending\",\"aliases\":[]"), FIELD("\"type\":\"int\"") },
	{ FIELD("\"type\":\"int\",\"order\":\"descending\""), NULL },
	{ FIELD("\"type\":{\"type\":\"int\"}"), FIELD("\"type\":\"int\"") },
	/* A property given twice: the last value, in the place of the first. */
	{ FIELD("\"p\":1,\"q\":2,\"p\":3,\"type\":\"int\""), FIELD("\"type\":\"int\",\"p\":3,\"q\":2") },
	/* Enums and fixed. */
	{ "{\"aliases\":[\"O\"],\"p\":1,\"default\":\"B\",\"symbols\":[\"B\",\"A\"],\"doc\":\"d\","
	    "\"namespace\":\"a\",\"name\":\"E\",\"type\":\"enum\"}",
	    "{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"a\",\"doc\":\"d\",\"symbols\":[\"B\",\"A\"],"
	    "\"default\":\"B\",\"p\":1,\"aliases\":[\"O\"]}" },
	{ "{\"aliases\":[\"O\"],\"logicalType\":\"duration\",\"size\":12,\"doc\":\"d\",\"name\":\"F\","
	    "\"type\":\"fixed\"}",
	    "{\"type\":\"fixed\",\"name\":\"F\",\"doc\":\"d\",\"size\":12,\"logicalType\":\"duration\","
	    "\"aliases\":[\"O\"]}" },
	/* Containers and unions. */
	{ "{\"p\":1,\"items\":\"int\",\"type\":\"array\"}", "{\"type\":\"array\",\"items\":\"int\",\"p\":1}" },
	{ "{\"p\":1,\"values\":\"int\",\"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"int\",\"p\":1}" },
	{ " [ \"null\" , {\"type\":\"long\"} ] ", "[\"null\",\"long\"]" },
	{ "[]", NULL },
	/* Names of types that were defined before. */
	{ "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{\"name\":\"f\",\"type\":[\"null\",\"a.R\"]},"
	    "{\"name\":\"g\",\"type\":{\"type\":\"fixed\",\"name\":\"b.F\",\"size\":1}},"
	    "{\"name\":\"h\",\"type\":\"b.F\"}]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "[\"null\",\"R\"]},{\"name\":\"g\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":"
	    "\"b\",\"size\":1}},{\"name\":\"h\",\"type\":\"b.F\"}]}" },
	{ "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":\"fixed\","
	    "\"name\":\"F\",\"namespace\":\"\",\"size\":1}},{\"name\":\"g\",\"type\":\"F\"}]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":\"\",\"size\":1}},{\"name\":\"g\",\"type\":\"F\"}]}" },
	{ "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":\"fixed\","
	    "\"name\":\"map\",\"size\":1}},{\"name\":\"g\",\"type\":\"a.map\"}]}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "{\"type\":\"fixed\",\"name\":\"map\",\"size\":1}},{\"name\":\"g\",\"type\":\"a.map\"}]}" },
	{ "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"map\",\"values\":{\"type\":\"F\",\"p\":1}}]",
	    "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"map\",\"values\":\"F\"}]" },
	{ "{\"type\":\"fixed\",\"name\":\"a.F\",\"aliases\":[\"a.G\",\"G\",\"b.G\"],\"size\":1}",
	    "{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":\"a\",\"size\":1,\"aliases\":[\"G\",\"b.G\"]}" },
	/* Values. */
	{ FIELD("\"type\":\"double\",\"default\":1.0"), NULL },
	{ FIELD("\"type\":\"double\",\"default\":1e3"), FIELD("\"type\":\"double\",\"default\":1000.0") },
	{ FIELD("\"type\":\"double\",\"default\":1"), NULL },
	{ FIELD("\"type\":\"double\",\"default\":\" -1.5f\""), FIELD("\"type\":\"double\",\"default\":-1.5") },
	{ FIELD("\"type\":\"double\",\"default\":\"NaN\""), NULL },
	{ FIELD("\"type\":\"float\",\"default\":\"-Infinity\""), NULL },
	{ FIELD("\"type\":\"string\",\"default\":\"\\u00e4\\/\\u0001\\n\""),
	    FIELD("\"type\":\"string\",\"default\":\"\xc3\xa4/\\u0001\\n\"") },
	{ "{\"type\":\"int\",\"p\":{ \"b\":123456789012345678901234567890, \"a\":[ ] }}",
	    "{\"type\":\"int\",\"p\":{\"b\":123456789012345678901234567890,\"a\":[]}}" },
};

static void
text_is_what_the_registry_stores(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char *stored = texts[i].stored == NULL ? texts[i].text : texts[i].stored;

		CU_ASSERT(help_prints(texts[i].text, AVRO_TEXT, stored));
		CU_ASSERT(help_prints(texts[i].text, AVRO_RESOLVED, stored));
		CU_ASSERT(help_prints(stored, AVRO_TEXT, stored));
	}
}

static const struct {
	const char *text, *canonical;
} canonicals[] = {
	{ "{\"type\":\"int\",\"logicalType\":\"date\"}", "\"int\"" },
	{ "[ \"null\", \"int\" ]", "[\"null\",\"int\"]" },
	{ "{\"items\":{\"type\":\"map\",\"values\":\"long\",\"p\":1},\"type\":\"array\"}",
	    "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"long\"}}" },
	{ "{\"type\":\"error\",\"doc\":\"d\",\"namespace\":\"a\",\"name\":\"R\",\"aliases\":[\"Q\"],\"fields\":["
	    "{\"type\":\"int\",\"name\":\"f\",\"default\":1,\"order\":\"ignore\",\"doc\":\"d\",\"aliases\":[\"g\"]},"
	    "{\"name\":\"g\",\"type\":[\"null\",\"R\"]}]}",
	    "{\"name\":\"a.R\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"},"
	    "{\"name\":\"g\",\"type\":[\"null\",\"a.R\"]}]}" },
	{ "{\"type\":\"enum\",\"symbols\":[\"B\",\"A\"],\"default\":\"A\",\"name\":\"a.E\"}",
	    "{\"name\":\"a.E\",\"type\":\"enum\",\"symbols\":[\"B\",\"A\"]}" },
	{ "{\"size\":16,\"type\":\"fixed\",\"name\":\"F\",\"p\":1}",
	    "{\"name\":\"F\",\"type\":\"fixed\",\"size\":16}" },
};

static void
canonical_form_is_the_specifications(void)
{
	for (size_t i = 0; i < sizeof canonicals / sizeof *canonicals; i++)
		CU_ASSERT(help_prints(canonicals[i].text, AVRO_CANONICAL, canonicals[i].canonical));
}

static const struct {
	const char *text, *normalized; /* NULL: the same */
} normals[] = {
	{ "\"string\"", NULL },
	{ "{\"type\":\"string\",\"b\":1,\"a\":{\"y\":[],\"x\":2}}",
	    "{\"type\":\"string\",\"a\":{\"x\":2,\"y\":[]},\"b\":1}" },
	/* A logical type goes first, with what belongs to it. */
	{ "{\"type\":\"int\",\"connect.name\":\"n\",\"logicalType\":\"date\"}",
	    "{\"type\":\"int\",\"logicalType\":\"date\",\"connect.name\":\"n\"}" },
	{ "{\"type\":\"bytes\",\"a\":1,\"scale\":2,\"precision\":4,\"logicalType\":\"decimal\"}",
	    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2,\"a\":1}" },
	{ "{\"type\":\"bytes\",\"a\":1,\"scale\":0,\"precision\":4,\"logicalType\":\"decimal\"}",
	    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"a\":1,\"scale\":0}" },
	/* Where it is none of its type, it is a property like others. */
	{ "{\"type\":\"string\",\"logicalType\":\"date\",\"a\":1}",
	    "{\"type\":\"string\",\"a\":1,\"logicalType\":\"date\"}" },
	{ "{\"type\":\"bytes\",\"scale\":5,\"precision\":4,\"logicalType\":\"decimal\"}",
	    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":5}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":4,\"a\":1}",
	    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":4,\"a\":1}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":5,\"a\":1}",
	    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"a\":1,\"logicalType\":\"decimal\",\"precision\":5}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":11,\"logicalType\":\"duration\",\"a\":1}",
	    "{\"type\":\"fixed\",\"name\":\"F\",\"size\":11,\"a\":1,\"logicalType\":\"duration\"}" },
	/* Records: an error becomes a record, an empty doc none; aliases are sorted. */
	{ "{\"type\":\"error\",\"name\":\"a.R\",\"doc\":\"\",\"aliases\":[\"c.Z\",\"B\",\"A\"],\"fields\":[],"
	    "\"q\":1,\"p\":2}",
	    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":[],\"p\":2,\"q\":1,"
	    "\"aliases\":[\"A\",\"B\",\"c.Z\"]}" },
	{ FIELD("\"type\":\"int\",\"doc\":\"\",\"aliases\":[\"h\",\"g\"],\"order\":\"descending\",\"q\":1,\"p\":2"),
	    FIELD("\"type\":\"int\",\"doc\":\"\",\"order\":\"descending\",\"aliases\":[\"g\",\"h\"],\"p\":2,\"q\":1") },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"],\"default\":\"A\",\"aliases\":[\"Y\",\"X\"]}",
	    "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"],\"default\":\"A\",\"aliases\":[\"X\",\"Y\"]}" },
	/* Defaults become values of their types. */
	{ FIELD("\"type\":\"double\",\"default\":1"), FIELD("\"type\":\"double\",\"default\":1.0") },
	{ FIELD("\"type\":\"float\",\"default\":0.1000000001"), FIELD("\"type\":\"float\",\"default\":0.1") },
	{ FIELD("\"type\":\"double\",\"default\":\"NaN\""), NULL },
	{ FIELD("\"type\":[\"null\",\"double\"],\"default\":null"), NULL },
	{ FIELD("\"type\":[\"null\",\"double\"],\"default\":3"),
	    FIELD("\"type\":[\"null\",\"double\"],\"default\":3.0") },
	{ FIELD("\"type\":{\"type\":\"array\",\"items\":\"float\"},\"default\":[1,2.5]"),
	    FIELD("\"type\":{\"type\":\"array\",\"items\":\"float\"},\"default\":[1.0,2.5]") },
	{ FIELD("\"type\":{\"type\":\"map\",\"values\":\"double\"},\"default\":{\"b\":1,\"a\":2}"),
	    FIELD("\"type\":{\"type\":\"map\",\"values\":\"double\"},\"default\":{\"a\":2.0,\"b\":1.0}") },
};

static void
normalized_form_is_what_the_registry_stores(void)
{
	for (size_t i = 0; i < sizeof normals / sizeof *normals; i++) {
		const char *expected =
		    normals[i].normalized == NULL ? normals[i].text : normals[i].normalized;

		CU_ASSERT(help_prints(normals[i].text, AVRO_NORMALIZED, expected));
		CU_ASSERT(help_prints(expected, AVRO_NORMALIZED, expected));
	}
}

static void
references_are_named_or_written_out(void)
{
	struct avro_schema *ref = help_avro("{\"type\":\"record\",\"name\":\"a.Ref\",\"fields\":["
	    "{\"name\":\"in\",\"type\":{\"type\":\"fixed\",\"name\":\"In\",\"size\":1}}]}");
	struct avro_schema *s = help_avro_with("{\"type\":\"record\",\"name\":\"b.R\",\"fields\":["
	    "{\"name\":\"f\",\"type\":\"a.Ref\"},{\"name\":\"g\",\"type\":\"a.Ref\"}]}", ref);
	static const char *const expected[] = {
		[AVRO_TEXT] = "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"b\",\"fields\":["
		    "{\"name\":\"f\",\"type\":\"a.Ref\"},{\"name\":\"g\",\"type\":\"a.Ref\"}]}",
		[AVRO_RESOLVED] = "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"b\",\"fields\":["
		    "{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"Ref\",\"namespace\":\"a\",\"fields\":["
		    "{\"name\":\"in\",\"type\":{\"type\":\"fixed\",\"name\":\"In\",\"size\":1}}]}},"
		    "{\"name\":\"g\",\"type\":\"a.Ref\"}]}",
		[AVRO_NORMALIZED] = "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"b\",\"fields\":["
		    "{\"name\":\"f\",\"type\":\"a.Ref\"},{\"name\":\"g\",\"type\":\"a.Ref\"}]}",
		[AVRO_CANONICAL] = "{\"name\":\"b.R\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":"
		    "{\"name\":\"a.Ref\",\"type\":\"record\",\"fields\":[{\"name\":\"in\",\"type\":"
		    "{\"name\":\"a.In\",\"type\":\"fixed\",\"size\":1}}]}},{\"name\":\"g\",\"type\":\"a.Ref\"}]}",
	};

	for (enum avro_form form = AVRO_TEXT; form <= AVRO_CANONICAL; form++) {
		char *text = help_print(s, form);

		CU_ASSERT(help_same(text, expected[form]));
		free(text);
	}
	avro_free(s);
	avro_free(ref);
}

/* As Java's toString() does it, which knows the references only by the names of their roots. */
static void
type_inside_a_reference_is_written_out_where_it_is_used_alone(void)
{
	struct avro_schema *ref = help_avro("{\"type\":\"record\",\"name\":\"a.Ref\",\"fields\":["
	    "{\"name\":\"in\",\"type\":{\"type\":\"fixed\",\"name\":\"In\",\"size\":1}}]}");
	struct avro_schema *s = help_avro_with("{\"type\":\"array\",\"items\":\"a.In\"}", ref), *again;
	char *text = help_print(s, AVRO_TEXT);

	CU_ASSERT(help_same(text, "{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"In\","
	    "\"namespace\":\"a\",\"size\":1}}"));
	again = help_avro_with(text, ref);
	CU_ASSERT(avro_equal(s, again));
	free(text);
	avro_free(again);
	avro_free(s);
	avro_free(ref);
}

static void
order_is_that_of_utf16(void)
{
	/* U+FF5E is less than U+1F600 in UTF-8, but not in the units of UTF-16. */
	CU_ASSERT(help_prints("{\"type\":\"int\",\"\xef\xbd\x9e\":1,\"\xf0\x9f\x98\x80\":2,\"z\":3}",
	    AVRO_NORMALIZED,
	    "{\"type\":\"int\",\"z\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xbd\x9e\":1}"));
}

/* n numbers that are none of any of n types, once more than a long can be. */
static bool
prints_many_numbers(int n)
{
	struct buf text = { 0 }, normal = { 0 };
	struct avro_schema *s;
	bool printed;

	buf_span(&text, span_str("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":"
	    "{\"type\":\"array\",\"items\":[\"double\""));
	for (int i = 0; i < n; i++)
		buf_printf(&text, ",{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":1}", i);
	buf_span(&text, span_str("]},\"default\":[1"));
	for (int i = 0; i < n; i++)
		buf_span(&text, span_str(",9223372036854775808"));
	buf_span(&text, span_str("]}]}"));
	buf_u8(&text, '\0');
	s = help_avro((char *)text.p);
	avro_print(s, AVRO_NORMALIZED, &normal);
	printed = !normal.failed;
	avro_free(s);
	buf_done(&normal);
	buf_done(&text);
	return printed;
}

static void
normalizing_defaults_is_bounded(void)
{
	CU_ASSERT(prints_many_numbers(500));
	CU_ASSERT(!prints_many_numbers(2100));
}

const struct unit_test print_tests[] = {
	UNIT(text_is_what_the_registry_stores),
	UNIT(canonical_form_is_the_specifications),
	UNIT(normalized_form_is_what_the_registry_stores),
	UNIT(normalizing_defaults_is_bounded),
	UNIT(references_are_named_or_written_out),
	UNIT(type_inside_a_reference_is_written_out_where_it_is_used_alone),
	UNIT(order_is_that_of_utf16),
	UNIT_END
};
