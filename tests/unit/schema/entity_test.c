/* entity_test.c -- tags inside of Avro schemas: found, added, taken away. */
#include <stdlib.h>
#include <string.h>

#include "schema/schema.h"
#include "unit/schema/help.h"
#include "unit/unit.h"

#define INNER "{\"type\":\"record\",\"name\":\"In\",\"fields\":[{\"name\":\"x\",\"type\":\"int\",\"confluent:tags\":[\"B\",\"C\",\"B\"]}]}"
#define OUTER "{\"type\":\"record\",\"name\":\"Out\",\"namespace\":\"n.s\",\"fields\":[" \
	"{\"name\":\"a\",\"type\":\"int\"}," \
	"{\"name\":\"b\",\"type\":[\"null\",{\"type\":\"array\",\"items\":" INNER "}]}," \
	"{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":\"In\"},\"confluent:tags\":[\"D\"]}," \
	"{\"name\":\"d\",\"type\":\"int\",\"confluent:tags\":\"none\"}],\"confluent:tags\":[\"A\"]}"

static struct schema *
parsed(const char *text)
{
	struct schema_mistake why;
	struct schema *s = schema_parse(SCHEMA_AVRO, span_str(text), false, NULL, 0, &why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

/* All tags: "path:tag,tag path.field=tag". */
static const char *
tags_of(struct arena *a, const char *text)
{
	struct schema *s = parsed(text);
	const char *told = "";
	struct schema_tags *list;
	size_t n;

	CU_ASSERT(schema_tags(s, a, &list, &n));
	schema_free(s); /* what is told outlives it */
	for (size_t i = 0; i < n; i++) {
		told = arena_printf(a, "%s%s%.*s%s", told, i == 0 ? "" : " ", (int)list[i].path.n, (const char *)list[i].path.p,
		    list[i].is_field ? "=" : ":");
		for (size_t k = 0; k < list[i].n; k++)
			told = arena_printf(a, "%s%s%.*s", told, k == 0 ? "" : ",", (int)list[i].tags[k].n,
			    (const char *)list[i].tags[k].p);
	}
	return told;
}

static void
tags_are_found_where_they_stand(void)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	CU_ASSERT(help_same(tags_of(&a, "\"int\""), ""));
	CU_ASSERT(help_same(tags_of(&a, OUTER), "n.s.Out:A n.s.In.x=B,C n.s.Out.c=D"));
	CU_ASSERT(help_same(tags_of(&a, "{\"type\":\"record\",\"name\":\"L\",\"confluent:tags\":[\"T\"],\"fields\":["
	    "{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}"), "L:T"));
	arena_done(&a);
}

static const char *
changed(struct arena *a, const char *text, const char *path, bool is_field, const char *add, const char *remove)
{
	struct schema *s = parsed(text);
	struct span tags[2] = { span_str(add), span_str(remove) }, out;
	struct schema_tags adds = { span_str(path), is_field, &tags[0], 1 }, removes = { span_str(path), is_field, &tags[1], 1 };
	struct schema_mistake why;
	bool good = schema_change_tags(s, &adds, *add != '\0', &removes, *remove != '\0', a, &out, &why);

	schema_free(s);
	return good ? tags_of(a, arena_printf(a, "%.*s", (int)out.n, (const char *)out.p)) : arena_printf(a, "%s", why.text);
}

static void
tags_come_and_go(void)
{
	static const struct {
		const char *path;
		bool is_field;
		const char *add, *remove, *tags;
	} cases[] = {
		{ "n.s.Out", false, "Z", "", "n.s.Out:A,Z n.s.In.x=B,C n.s.Out.c=D" },
		{ ".n.s.Out", false, "A", "", "n.s.Out:A n.s.In.x=B,C n.s.Out.c=D" },
		{ "Out.a", true, "Z", "", "n.s.Out:A n.s.Out.a=Z n.s.In.x=B,C n.s.Out.c=D" },
		{ "n.s.In", false, "Z", "", "n.s.Out:A n.s.In:Z n.s.In.x=B,C n.s.Out.c=D" },
		{ "In.x", true, "", "B", "n.s.Out:A n.s.In.x=C n.s.Out.c=D" },
		{ "n.s.Out.c", true, "", "D", "n.s.Out:A n.s.In.x=B,C" },
		{ "n.s.Out.c", true, "E", "D", "n.s.Out:A n.s.In.x=B,C n.s.Out.c=E" },
		{ "n.s.Out.c", true, "E", "E", "n.s.Out:A n.s.In.x=B,C n.s.Out.c=D" },
		{ "n.s.Out.d", true, "E", "", "n.s.Out:A n.s.In.x=B,C n.s.Out.c=D n.s.Out.d=E" },
		{ "n.s.Out.a", true, "", "Q", "n.s.Out:A n.s.In.x=B,C n.s.Out.c=D" },
		{ "n.t.Out", false, "Z", "", "No matching path 'n.t.Out' found in the schema" },
		{ "n.s.Out.e", true, "Z", "", "No matching path 'n.s.Out.e' found in the schema" },
		{ "", false, "Z", "", "No matching path '' found in the schema" },
		{ "", true, "Z", "", "No matching path '' found in the schema" },
	};
	struct arena a;

	arena_init(&a, 1 << 24);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT(help_same(changed(&a, OUTER, cases[i].path, cases[i].is_field, cases[i].add, cases[i].remove), cases[i].tags));
	CU_ASSERT(help_same(changed(&a, "\"int\"", "int", false, "Z", ""), "No matching path 'int' found in the schema"));
	arena_done(&a);
}

/* All but the tags stays as it was. */
static void
the_text_stays(void)
{
	struct span tags[] = { { (const uint8_t *)"T", 1 } }, out;
	struct schema_tags add = { span_str("R.f"), true, tags, 1 };
	struct schema *s = parsed("{\"type\":\"record\",\"name\":\"R\",\"doc\":\"d\",\"fields\":[{\"name\":\"f\",\"type\":\"double\","
				  "\"default\":1.0,\"p\":12345678901234567890123}]}");
	struct schema_mistake why;
	struct arena a;

	arena_init(&a, 1 << 20);
	CU_ASSERT(schema_change_tags(s, &add, 1, NULL, 0, &a, &out, &why));
	CU_ASSERT(span_is(out, "{\"type\":\"record\",\"name\":\"R\",\"doc\":\"d\",\"fields\":[{\"name\":\"f\",\"type\":\"double\","
			       "\"default\":1.0,\"p\":12345678901234567890123,\"confluent:tags\":[\"T\"]}]}"));
	schema_free(s);
	arena_done(&a);
}

enum { MANY = 2000 };

/* Each of many fields, in any order, and one of them by two paths. */
static void
many_tags_change_at_once(void)
{
	static struct schema_tags add[MANY + 2], remove[MANY];
	struct span t[] = { span_str("T"), span_str("U") }, out;
	struct schema_mistake why;
	struct buf text = { 0 };
	struct schema *s;
	struct arena a;

	arena_init(&a, 1 << 24);
	buf_printf(&text, "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[");
	for (int i = 0; i < MANY; i++) {
		buf_printf(&text, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i > 0 ? "," : "", i);
		add[MANY - 1 - i] = (struct schema_tags){ span_str(arena_printf(&a, "R.f%d", i)), true, t, 2 };
		remove[i] = (struct schema_tags){ span_str(arena_printf(&a, "n.R.f%d", i)), true, t, (size_t)i % 3 };
	}
	buf_printf(&text, "]}");
	buf_u8(&text, '\0');
	add[MANY] = (struct schema_tags){ span_str("n.R.f0"), true, &t[1], 1 };
	add[MANY + 1] = (struct schema_tags){ span_str("n.R"), false, &t[1], 1 };
	s = parsed((char *)text.p);
	buf_done(&text);
	CU_ASSERT(schema_change_tags(s, add, MANY + 2, remove, MANY, &a, &out, &why));
	schema_free(s);
	buf_printf(&text, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[");
	for (int i = 0; i < MANY; i++)
		buf_printf(&text, "%s{\"name\":\"f%d\",\"type\":\"int\"%s}", i > 0 ? "," : "", i,
		    i % 3 == 0 ? ",\"confluent:tags\":[\"T\",\"U\"]" : i % 3 == 1 ? ",\"confluent:tags\":[\"U\"]" : "");
	buf_printf(&text, "],\"confluent:tags\":[\"U\"]}");
	CU_ASSERT(span_eq(out, buf_bytes(&text)));
	buf_done(&text);
	arena_done(&a);
}

/* Of all paths that lead nowhere the first is told, those of tags to be added before the others. */
static void
the_first_path_that_leads_nowhere_is_told(void)
{
	struct span t = span_str("T"), out;
	struct schema_tags list[] = { { span_str("In.x"), true, &t, 1 }, { span_str("In.y"), true, &t, 1 },
		{ span_str("In.z"), true, &t, 1 } };
	struct schema *s = parsed(OUTER);
	struct schema_mistake why;
	struct arena a;

	arena_init(&a, 1 << 20);
	CU_ASSERT(!schema_change_tags(s, list, 3, NULL, 0, &a, &out, &why) && !why.memory);
	CU_ASSERT(help_same(why.text, "No matching path 'In.y' found in the schema"));
	CU_ASSERT(!schema_change_tags(s, &list[2], 1, &list[1], 1, &a, &out, &why) && !why.memory);
	CU_ASSERT(help_same(why.text, "No matching path 'In.z' found in the schema"));
	CU_ASSERT(!schema_change_tags(s, list, 1, &list[1], 2, &a, &out, &why) && !why.memory);
	CU_ASSERT(help_same(why.text, "No matching path 'In.y' found in the schema"));
	arena_done(&a);
	schema_free(s);
}

/* Of records of one name, or fields, the nearest to the root has it. */
static void
the_nearest_to_the_root_is_meant(void)
{
#define R(space, rest) "{\"type\":\"record\",\"name\":\"" space ".R\",\"fields\":[" rest "]}"
#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
	const char *text = R("a", F("x", R("b", F("x", R("c", F("y", "\"int\"")))) ) "," F("z", R("d", F("y", "\"int\""))));
	static const struct {
		const char *path, *tags;
		bool is_field;
	} cases[] = {
		{ "R", "a.R:T", false },
		{ "c.R", "c.R:T", false },
		{ "R.x", "a.R.x=T", true },
		{ "R.y", "d.R.y=T", true },
		{ "c.R.y", "c.R.y=T", true },
		{ "..R.z", "a.R.z=T", true },
		{ "...R.z", "No matching path '...R.z' found in the schema", true },
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT(help_same(changed(&a, text, cases[i].path, cases[i].is_field, "T", ""), cases[i].tags));
	arena_done(&a);
#undef R
#undef F
}

static void
a_small_arena_is_told(void)
{
	struct span tags[] = { { (const uint8_t *)"T", 1 } }, out;
	struct schema_tags add = { span_str("In.x"), true, tags, 1 }, *list;
	struct schema *s = parsed(OUTER);
	struct schema_mistake why;
	struct arena a;
	bool good = false;
	size_t n;

	for (size_t cap = 16; !good && cap < 1 << 20; cap *= 2) {
		arena_init(&a, cap);
		good = schema_change_tags(s, &add, 1, NULL, 0, &a, &out, &why);
		CU_ASSERT(good || why.memory);
		arena_done(&a);
		arena_init(&a, cap);
		CU_ASSERT(!schema_tags(s, &a, &list, &n) || n == 3);
		arena_done(&a);
	}
	CU_ASSERT(good);
	schema_free(s);
}

static void
fields_are_known_by_name(void)
{
	struct schema *s = parsed(OUTER), *plain = parsed("\"int\"");

	CU_ASSERT(schema_has_field(s, span_str("a")) && schema_has_field(s, span_str("d")));
	CU_ASSERT(!schema_has_field(s, span_str("x")) && !schema_has_field(s, span_str("")) && !schema_has_field(plain, span_str("a")));
	schema_free(s);
	schema_free(plain);
}

const struct unit_test entity_tests[] = {
	UNIT(tags_are_found_where_they_stand),
	UNIT(tags_come_and_go),
	UNIT(the_text_stays),
	UNIT(many_tags_change_at_once),
	UNIT(the_first_path_that_leads_nowhere_is_told),
	UNIT(the_nearest_to_the_root_is_meant),
	UNIT(a_small_arena_is_told),
	UNIT(fields_are_known_by_name),
	UNIT_END
};
