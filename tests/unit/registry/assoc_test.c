/* assoc_test.c -- associations: records, how they are found, what changes them, and what they protect. */
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define KEY(name, namespace, type, subject) \
	"{\"keytype\":\"ASSOC\",\"tenant\":\"default\",\"resourceName\":\"" name "\",\"resourceNamespace\":\"" namespace \
	"\",\"resourceType\":\"topic\",\"associationType\":\"" type "\",\"subject\":\"" subject "\",\"magic\":0}"
#define VALUE(name, namespace, id, type, subject, lifecycle, frozen) \
	"{\"subject\":\"" subject "\",\"guid\":\"g\",\"tenant\":\"default\",\"resourceName\":\"" name "\",\"resourceNamespace\":\"" \
	namespace "\",\"resourceId\":\"" id "\",\"resourceType\":\"topic\",\"associationType\":\"" type "\",\"lifecycle\":\"" \
	lifecycle "\",\"frozen\":" frozen ",\"createTs\":5}"

#define INVALID(property, detail) \
	"42212 The association specified an invalid value for property: '" property "', detail: " detail

/* One change, "value" of topic in ns. */
static const char *
one(struct world *w, struct association_change change)
{
	return world_associate(w, (struct association_request){ .n = 0 }, &change, 1);
}

static const char *
of_resource(struct world *w, const char *name, const char *id, struct association_change change)
{
	return world_associate(w, (struct association_request){ .resource_name = span_str(name), .resource_id = span_str(id) },
	    &change, 1);
}

#define TEXT(s) { (const uint8_t *)(s), sizeof(s) - 1 }
#define CREATE(...) ((struct association_change){ .op = ASSOCIATION_CREATE, __VA_ARGS__ })
#define UPSERT(...) ((struct association_change){ .op = ASSOCIATION_UPSERT, __VA_ARGS__ })
#define OF(s) .subject = span_str(s)

static const struct schema_request an_int = { .text = TEXT("\"int\"") };
static const struct schema_request a_long = { .text = TEXT("\"long\"") };
static const struct schema_request a_record = { .text = TEXT("{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}") };

/* ---- records ---- */

static void
records_are_found_by_name_id_and_subject(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("b", "n", "value", "s"), VALUE("b", "n", "1", "value", "s", "WEAK", "false"));
	world_put(&w, KEY("a", "n", "value", "s"), VALUE("a", "n", "2", "value", "s", "WEAK", "false"));
	world_put(&w, KEY("a", "n", "key", ":.c:s"), VALUE("a", "n", "2", "key", ":.c:s", "STRONG", "true"));
	world_put(&w, KEY("a", "m", "value", "s"), VALUE("a", "m", "3", "value", "s", "WEAK", "false"));
	world_put(&w, KEY("ab", "n", "value", "ss"), VALUE("ab", "n", "22", "value", "ss", "WEAK", "false"));
	SAME(world_associations(&w, ASSOCIATIONS_BY_NAME, "a"),
	    "m/a 3 value s WEAK 5 1003\nn/a 2 key :.c:s STRONG frozen 5 1002\nn/a 2 value s WEAK 5 1001\n");
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "2"), "n/a 2 key :.c:s STRONG frozen 5 1002\nn/a 2 value s WEAK 5 1001\n");
	SAME(world_associations(&w, ASSOCIATIONS_BY_SUBJECT, "s"),
	    "m/a 3 value s WEAK 5 1003\nn/a 2 value s WEAK 5 1001\nn/b 1 value s WEAK 5 1000\n");
	for (int by = 0; by < ASSOCIATIONS_BYS; by++) {
		SAME(world_associations(&w, (enum association_by)by, ""), "");
		SAME(world_associations(&w, (enum association_by)by, "aa"), "");
		SAME(world_associations(&w, (enum association_by)by, "~"), "");
	}
	/* Another value under the same key, and then none. */
	world_put(&w, KEY("a", "n", "value", "s"), VALUE("a", "n", "4", "value", "s", "STRONG", "false"));
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "2"), "n/a 2 key :.c:s STRONG frozen 5 1002\n");
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "4"), "n/a 4 value s STRONG 5 1005\n");
	world_put(&w, KEY("a", "n", "value", "s"), NULL);
	world_put(&w, KEY("a", "n", "value", "s"), NULL);
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "4"), "");
	SAME(world_associations(&w, ASSOCIATIONS_BY_NAME, "a"), "m/a 3 value s WEAK 5 1003\nn/a 2 key :.c:s STRONG frozen 5 1002\n");
	world_done(&w);
}

static void
records_of_others_are_understood_or_passed_over(void)
{
	static const struct {
		const char *key, *value, *told; /* told NULL: passed over */
	} cases[] = {
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"STRONG\"}", "n/a  x s STRONG frozen 0 1000\n" },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"WEAK\",\"frozen\":null,\"resourceId\":null}", "n/a  x s WEAK 0 1000\n" },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"STRONG\",\"frozen\":false,\"more\":{}}", "n/a  x s STRONG 0 1000\n" },
		{ KEY("a", "n", "x", ":.:s"), "{\"lifecycle\":\"WEAK\"}", "n/a  x s WEAK 0 1000\n" },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"weak\"}", NULL },
		{ KEY("a", "n", "x", "s"), "{}", NULL },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"WEAK\",\"guid\":7}", NULL },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"WEAK\",\"resourceId\":\"a\\u0000b\"}", NULL },
		{ KEY("a", "n", "x", "s"), "{\"lifecycle\":\"WEAK\",\"createTs\":\"now\"}", NULL },
		{ KEY("a", "n", "x", "s\\u0000"), "{\"lifecycle\":\"WEAK\"}", NULL },
		{ KEY("a\\u0000", "n", "x", "s"), "{\"lifecycle\":\"WEAK\"}", NULL },
		{ "{\"keytype\":\"ASSOC\",\"resourceName\":[],\"subject\":\"s\"}", "{\"lifecycle\":\"WEAK\"}", NULL },
		/* What is empty is left out. */
		{ "{\"keytype\":\"ASSOC\",\"resourceName\":\"a\",\"subject\":\"s\"}", "{\"lifecycle\":\"WEAK\"}", "/a   s WEAK 0 1000\n" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w);
		world_put(&w, cases[i].key, cases[i].value);
		CU_ASSERT_EQUAL(w.passed == NULL, cases[i].told != NULL);
		SAME(world_associations(&w, ASSOCIATIONS_BY_SUBJECT, "s"), cases[i].told == NULL ? "" : cases[i].told);
		world_done(&w);
	}
}

static void
deletions_end_all_the_keys_that_there_were(void)
{
	static const char odd[] = "{\"magic\":0,\"keytype\":\"ASSOC\",\"subject\":\"s\",\"resourceName\":\"a\",\"resourceNamespace\":\"n\","
	    "\"resourceType\":\"topic\",\"associationType\":\"value\"}";
	struct world w;

	world_init(&w);
	world_put(&w, odd, VALUE("a", "n", "1", "value", "s", "WEAK", "false"));
	world_put(&w, KEY("a", "n", "value", "s"), VALUE("a", "n", "1", "value", "s", "WEAK", "false"));
	SAME(world_dissociate(&w, "1", false), "");
	SAME(world_writes(&w), arena_printf(&w.arena, "%s null\n" KEY("a", "n", "value", "s") " null\n", odd));
	SAME(world_dissociate(&w, "1", false), "40410 Association for '1' not found.");
	world_done(&w);
}

static void
aborted_records_are_put_right(void)
{
	struct refusal why;
	struct world w;

	world_init(&w);
	world_put(&w, KEY("a", "n", "value", "s"), VALUE("a", "n", "1", "value", "s", "WEAK", "false"));
	registry_aborted(w.registry, span_str(KEY("a", "n", "value", "s")), span_of(NULL, 0), true);
	registry_aborted(w.registry, span_str(KEY("a", "n", "key", "s")),
	    span_str(VALUE("a", "n", "1", "key", "s", "WEAK", "false")), true);
	CU_ASSERT(registry_plan_mend(w.registry, &w.arena, &w.plan, &why));
	CU_ASSERT_EQUAL(w.plan.n_writes, 2);
	for (size_t i = 0; i < w.plan.n_writes; i++)
		world_apply(&w, w.plan.writes[i].key, w.plan.writes[i].value);
	CU_ASSERT_PTR_NOT_NULL(strstr(world_writes(&w),
	    KEY("a", "n", "value", "s") " " VALUE("a", "n", "1", "value", "s", "WEAK", "false") "\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(world_writes(&w), KEY("a", "n", "key", "s") " null\n"));
	/* They are put right in no order. */
	CU_ASSERT_EQUAL(strncmp(world_associations(&w, ASSOCIATIONS_BY_SUBJECT, "s"), "n/a 1 value s WEAK 5 100", 24), 0);
	world_done(&w);
}

/* ---- changes ---- */

static void
a_creation_with_schemas_registers_them(void)
{
	static const struct association_change both[] = { { .type = TEXT("key"), .schema = &an_int, .guid = { 1, 2 } },
		{ .schema = &an_int } };
	struct world w;

	world_init(&w);
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, both, 2),
	    "key :.ns:topic-key STRONG frozen 1/1\nvalue :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_writes(&w),
	    "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".ns\",\"magic\":0} {\"tenant\":\"default\",\"context\":\".ns\"}\n"
	    "{\"keytype\":\"SCHEMA\",\"subject\":\":.ns:topic-key\",\"version\":1,\"magic\":1} "
	    "{\"subject\":\":.ns:topic-key\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"schema\":\"\\\"int\\\"\",\"deleted\":false}\n"
	    KEY("topic", "ns", "key", ":.ns:topic-key") " "
	    "{\"subject\":\":.ns:topic-key\",\"guid\":\"01020000-0000-0000-0000-000000000000\",\"tenant\":\"default\","
	    "\"resourceName\":\"topic\",\"resourceNamespace\":\"ns\",\"resourceId\":\"id\",\"resourceType\":\"topic\","
	    "\"associationType\":\"key\",\"lifecycle\":\"STRONG\",\"frozen\":true,\"createTs\":77}\n"
	    "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".ns\",\"magic\":0} {\"tenant\":\"default\",\"context\":\".ns\"}\n"
	    "{\"keytype\":\"SCHEMA\",\"subject\":\":.ns:topic-value\",\"version\":1,\"magic\":1} "
	    "{\"subject\":\":.ns:topic-value\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"schema\":\"\\\"int\\\"\",\"deleted\":false}\n"
	    KEY("topic", "ns", "value", ":.ns:topic-value") " "
	    "{\"subject\":\":.ns:topic-value\",\"guid\":\"00000000-0000-0000-0000-000000000000\",\"tenant\":\"default\","
	    "\"resourceName\":\"topic\",\"resourceNamespace\":\"ns\",\"resourceId\":\"id\",\"resourceType\":\"topic\","
	    "\"associationType\":\"value\",\"lifecycle\":\"STRONG\",\"frozen\":true,\"createTs\":77}\n");
	/* Again it is the same; with another schema it is not. */
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, both, 2),
	    "key :.ns:topic-key STRONG frozen 1/1\nvalue :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_writes(&w), "");
	SAME(one(&w, CREATE(.schema = &a_long)), "40903 An association of type 'value' already exists for resource 'id'");
	/* It can be evolved, by its registration or here. */
	SAME(world_register(&w, ":.ns:topic-value", "\"long\""), "2/2");
	SAME(one(&w, UPSERT(.schema = &a_long)), "value :.ns:topic-value STRONG frozen 2/2\n");
	SAME(world_writes(&w), "");
	world_done(&w);
}

/* Their schemas are written together: none can wait until another is. */
static void
schemas_of_one_request_bring_ids_of_their_own(void)
{
	static const struct schema_request seven = { .text = TEXT("\"int\""), .id = 7, .version = 1 };
	static const struct schema_request eight = { .text = TEXT("\"long\""), .id = 8, .version = 1 };
	static const struct schema_request also_7 = { .text = TEXT("\"long\""), .id = 7, .version = 1 };
	static const struct association_change good[] = { { .type = TEXT("key"), .schema = &seven }, { .schema = &eight } };
	static const struct association_change same_id[] = { { .type = TEXT("key"), .schema = &seven }, { .schema = &also_7 } };
	static const char together[] = "42205 Schemas of one request can't be of the same subject or bring the same id along";
	struct world w;

	world_init(&w);
	SAME(world_mode(&w, ":.ns:", "IMPORT", false), "");
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, same_id, 2), together);
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, good, 2),
	    "key :.ns:topic-key STRONG frozen 7/1\nvalue :.ns:topic-value STRONG frozen 8/1\n");
	world_done(&w);
}

static void
all_or_nothing_is_written(void)
{
	static const struct schema_request bad = { .text = TEXT("\"nonsense\"") };
	static const struct association_change both[] = { { .type = TEXT("key"), .schema = &an_int }, { .schema = &bad } };
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL(strncmp(world_associate(&w, (struct association_request){ .n = 0 }, both, 2), "42201 ", 6), 0);
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "");
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "id"), "");
	world_done(&w);
}

static void
a_trial_says_what_would_be_and_needs_no_id(void)
{
	struct association_change change = { .schema = &an_int };
	struct world w;

	world_init(&w);
	SAME(world_associate(&w, (struct association_request){ .dry_run = true }, &change, 1), "value :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "");
	SAME(one(&w, change), "value :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_associate(&w, (struct association_request){ .dry_run = true }, &change, 1), "value :.ns:topic-value STRONG frozen 1/1\n");
	change.schema = &a_long;
	SAME(world_associate(&w, (struct association_request){ .dry_run = true }, &change, 1),
	    "40903 An association of type 'value' already exists for resource 'topic'");
	world_done(&w);
}

static void
requests_are_checked_before_what_is_there(void)
{
	static const struct {
		struct association_request q;
		struct association_change change;
		const char *told;
	} cases[] = {
		{ { .resource_name = TEXT("") }, { 0 }, INVALID("resourceName", "cannot be null or empty") },
		{ { .resource_name = TEXT("a/b") }, { 0 }, INVALID("resourceName", "illegal character '/'") },
		{ { .resource_namespace = TEXT("a:b") }, { 0 }, INVALID("resourceNamespace", "illegal character ':'") },
		{ { .resource_id = TEXT("") }, { 0 }, INVALID("resourceId", "cannot be null or empty") },
		{ { .resource_id = TEXT("a\1") }, { 0 }, INVALID("resourceId", "cannot have control characters") },
		{ { .resource_type = TEXT("queue") }, { 0 }, INVALID("resourceType", "must be 'topic'") },
		{ { .n = 0 }, { .subject = TEXT(""), .type = TEXT("x") }, INVALID("subject", "must not be empty") },
		{ { .n = 0 }, { .subject = TEXT("a\1") }, INVALID("subject", "must not be empty") },
		{ { .n = 0 }, { .subject = TEXT("__GLOBAL") }, "42208 The specified subject '__GLOBAL' is not a valid." },
		{ { .n = 0 }, { .schema = &an_int, .strong = SAID_NO }, INVALID("lifecycle", "cannot be WEAK when schema is provided") },
		{ { .n = 0 }, { .schema = &an_int, .frozen = SAID_NO }, INVALID("frozen", "cannot be false when a schema is provided") },
		{ { .n = 0 }, { .subject = TEXT("s"), .strong = SAID_YES, .frozen = SAID_YES },
		    INVALID("schema", "schema must be provided when creating a frozen association") },
		{ { .n = 0 }, { .subject = TEXT("s"), .frozen = SAID_YES }, INVALID("frozen", "association with lifecycle of WEAK cannot be frozen") },
		{ { .n = 0 }, { .subject = TEXT("s"), .type = TEXT("header") }, INVALID("associationType", "must be either 'key' or 'value'") },
		{ { .n = 0 }, { .type = TEXT("key") }, INVALID("subject", "must be provided for WEAK associations") },
		{ { .n = 0 }, { .subject = TEXT("s"), .schema = &an_int }, INVALID("subject", "frozen associations must use subject ':.ns:topic-value'") },
		{ { .n = 0 }, { .subject = TEXT(":.ns:topic-value") }, INVALID("subject", "WEAK associations cannot use subject ':.ns:topic-value'") },
		{ { .n = 0 }, { .subject = TEXT("s") }, "40907 No active (non-deleted) version exists for subject 's'" },
		{ { .n = 0 }, { .strong = SAID_YES }, "40907 No active (non-deleted) version exists for subject ':.ns:topic-value'" },
		{ { .n = 0 }, { .op = ASSOCIATION_UPSERT, .schema = &an_int },
		    INVALID("schema", "cannot be provided when adding an association to an existing topic; an association with a schema "
				      "must be created with the topic") },
		{ { .n = 0 }, { .op = ASSOCIATION_UPSERT, .schema = &an_int, .strong = SAID_NO },
		    INVALID("lifecycle", "cannot be WEAK when schema is provided") },
		{ { .n = 0 }, { .op = ASSOCIATION_UPSERT }, INVALID("subject", "must be provided for WEAK associations") },
		{ { .n = 0 }, { .op = ASSOCIATION_DELETE }, "40410 Association for 'id' not found." },
		{ { .n = 0 }, { .op = ASSOCIATION_DELETE, .type = TEXT("x") }, INVALID("associationType", "must be either 'key' or 'value'") },
	};
	static const struct association_change twice[] = { { .subject = TEXT("s") }, { .subject = TEXT("t"), .type = TEXT("value") } };
	struct association_request q = { .n = 0 };
	struct world w;
	char name[258];

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(world_associate(&w, cases[i].q, &cases[i].change, 1), cases[i].told);
	SAME(world_associate(&w, q, twice, 2),
	    INVALID("associationType", "may only appear once per request, but 'value' appears more than once"));
	SAME(world_associate(&w, q, twice, 0), INVALID("associations", "cannot be null or empty"));
	memset(name, 'a', sizeof name);
	q.resource_name = span_of(name, 257);
	SAME(world_associate(&w, q, twice, 2), INVALID("resourceName", "exceeds max length of 256"));
	/* Topics have dots. */
	world_register(&w, "s", "\"int\"");
	q.resource_name = span_str("a.b_c-d");
	SAME(world_associate(&w, q, twice, 1), "value s WEAK\n");
	world_done(&w);
}

static void
only_what_is_not_frozen_is_updated(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	world_register(&w, "t", "\"int\"");
	SAME(one(&w, UPSERT(OF("s"))), "value s WEAK\n");
	SAME(one(&w, UPSERT(OF("s"))), "value s WEAK\n");
	SAME(world_writes(&w), "");
	SAME(one(&w, UPSERT(OF("t"))), INVALID("subject", "subject of association cannot be changed"));
	SAME(one(&w, UPSERT(.frozen = SAID_YES)), INVALID("frozen", "frozen attribute of association cannot be changed"));
	SAME(one(&w, UPSERT(.schema = &an_int)), INVALID("lifecycle", "cannot be WEAK when schema is provided"));
	SAME(one(&w, CREATE(OF("s"), .strong = SAID_YES)), "40903 An association of type 'value' already exists for resource 'id'");
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	SAME(one(&w, UPSERT(.strong = SAID_YES)), "value s STRONG\n");
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "id"), "ns/topic id value s STRONG 77 1003\n");
	SAME(one(&w, UPSERT(.schema = &a_long)), "value s STRONG 2/2\n");
	SAME(one(&w, UPSERT(OF("s"), .strong = SAID_NO)), "value s WEAK\n");
	/* One that is frozen stays so. */
	SAME(of_resource(&w, "u", "9", CREATE(.schema = &an_int)), "value :.ns:u-value STRONG frozen 1/1\n");
	SAME(of_resource(&w, "u", "9", UPSERT(.strong = SAID_NO)), "40908 The association of type  'value' is frozen for subject ':.ns:u-value'");
	SAME(of_resource(&w, "u", "9", UPSERT(.frozen = SAID_NO)), INVALID("frozen", "frozen attribute of association cannot be changed"));
	SAME(world_dissociate(&w, "9", false), "40908 The association of type  'value' is frozen for subject ':.ns:u-value'");
	/* It is made with its subject. */
	world_register(&w, ":.ns:v-value", "\"int\"");
	SAME(of_resource(&w, "v", "10", CREATE(.schema = &an_int)),
	    INVALID("frozen", "cannot create a frozen association when schemas already exist in the subject"));
	world_done(&w);
}

static void
a_strong_association_is_the_only_one_of_its_subject(void)
{
	static const struct association_change same[] = { { .type = TEXT("key"), .subject = TEXT("t") },
		{ .subject = TEXT("t"), .strong = SAID_YES } };
	static const struct association_change turned[] = { { .type = TEXT("key"), .subject = TEXT("t"), .strong = SAID_YES },
		{ .subject = TEXT("t") } };
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	world_register(&w, "t", "\"int\"");
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	SAME(of_resource(&w, "b", "2", CREATE(OF("s"), .strong = SAID_YES)), "40904 An association already exists for subject 's'");
	SAME(of_resource(&w, "b", "2", CREATE(OF("s"))), "value s WEAK\n");
	SAME(one(&w, UPSERT(OF("s"), .strong = SAID_YES)), "40904 An association already exists for subject 's'");
	SAME(world_dissociate(&w, "2", false), "");
	SAME(one(&w, UPSERT(OF("s"), .strong = SAID_YES)), "value s STRONG\n");
	SAME(of_resource(&w, "b", "2", CREATE(OF("s"))), "40905 A strong association already exists for subject 's'");
	SAME(world_associate(&w, (struct association_request){ .resource_id = TEXT("3"), .resource_name = TEXT("c") }, same, 2),
	    "40904 An association already exists for subject 't'");
	SAME(world_associate(&w, (struct association_request){ .resource_id = TEXT("3"), .resource_name = TEXT("c") }, turned, 2),
	    "40905 A strong association already exists for subject 't'");
	world_done(&w);
}

static void
a_resource_has_one_name_and_a_name_one_resource(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	SAME(of_resource(&w, "b", "id", CREATE(OF("s"), .type = TEXT("key"))), INVALID("resourceName", "the resource of this id is 'topic' in 'ns'"));
	SAME(of_resource(&w, "topic", "other", CREATE(OF("s"))), "40903 An association of type 'value' already exists for resource 'topic'");
	world_done(&w);
}

static void
changes_of_a_resource_are_made_together(void)
{
	struct association_change changes[] = { { .op = ASSOCIATION_DELETE }, { .op = ASSOCIATION_CREATE, .type = TEXT("key"), .subject = TEXT("s") } };
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	SAME(one(&w, CREATE(.schema = &a_record)), "value :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, changes, 2),
	    "40908 The association of type  'value' is frozen for subject ':.ns:topic-value'");
	SAME(world_associations(&w, ASSOCIATIONS_BY_SUBJECT, "s"), "");
	changes[0].cascade = true;
	SAME(world_associate(&w, (struct association_request){ .n = 0 }, changes, 2), "key s WEAK\n");
	SAME(world_associations(&w, ASSOCIATIONS_BY_ID, "id"), "ns/topic id key s WEAK 77 1007\n");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "s");
	world_done(&w);
}

/* ---- what they protect ---- */

static void
associated_subjects_are_not_deleted(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	world_register(&w, "s", "\"long\"");
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	SAME(world_delete(&w, "s", false), "40904 An association already exists for subject 's'");
	SAME(world_delete(&w, "s", true), "40904 An association already exists for subject 's'");
	SAME(world_delete_version(&w, "s", 1, false), "1");
	SAME(world_delete_version(&w, "s", 1, true), "1");
	SAME(world_delete_version(&w, "s", 2, false), "40904 An association already exists for subject 's'");
	SAME(one(&w, UPSERT(.strong = SAID_YES)), "value s STRONG\n");
	SAME(world_delete_version(&w, "s", 2, false), "40905 A strong association already exists for subject 's'");
	SAME(world_delete(&w, "s", false), "40904 An association already exists for subject 's'");
	SAME(world_dissociate(&w, "id", false), "");
	SAME(world_delete(&w, "s", false), "2");
	world_done(&w);
}

static void
what_is_a_resources_own_goes_with_it(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	world_config(&w, ":.ns:topic-key", "{\"compatibility\":\"NONE\"}");
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	SAME(one(&w, CREATE(.type = TEXT("key"), .schema = &an_int)), "key :.ns:topic-key STRONG frozen 1/1\n");
	SAME(world_dissociate(&w, "id", true), "");
	SAME(world_writes(&w), KEY("topic", "ns", "key", ":.ns:topic-key") " null\n"
	    "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\":.ns:topic-key\",\"magic\":0} {\"subject\":\":.ns:topic-key\",\"version\":1}\n"
	    "{\"keytype\":\"SCHEMA\",\"subject\":\":.ns:topic-key\",\"version\":1,\"magic\":1} null\n"
	    "{\"keytype\":\"CONFIG\",\"subject\":\":.ns:topic-key\",\"magic\":0} null\n"
	    KEY("topic", "ns", "value", "s") " null\n");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "s");
	world_done(&w);
}

static void
what_is_a_resources_own_is_referred_to_by_nobody_else(void)
{
	static const struct reference to_own = { TEXT("R"), TEXT("topic-value"), 1 }, to_s = { TEXT("R"), TEXT(":.:s"), 1 };
	struct schema_request q = { .text = TEXT("{\"type\":\"array\",\"items\":\"R\"}"), .references = &to_own, .n_references = 1 };
	struct world w;

	world_init(&w);
	SAME(one(&w, CREATE(.schema = &a_record)), "value :.ns:topic-value STRONG frozen 1/1\n");
	SAME(world_request(&w, ":.ns:u", &q), "42205 Subject ':.ns:topic-value' has a strong association and cannot be referenced");
	SAME(world_config(&w, ":.ns:topic-value", "{\"compatibility\":\"NONE\"}"), "");
	SAME(world_request(&w, ":.ns:topic-value", &q), "2/2");
	SAME(world_request(&w, "s", &a_record), "1/1");
	q.references = &to_s;
	SAME(world_request(&w, "u", &q), "2/1");
	SAME(of_resource(&w, "b", "2", CREATE(OF("s"))), "value s WEAK\n");
	SAME(world_request(&w, "v", &q), "2/1");
	/* What is referred to stays, also with its resource gone. */
	SAME(of_resource(&w, "b", "2", UPSERT(.strong = SAID_YES)), "value s STRONG\n");
	SAME(world_dissociate(&w, "2", true),
	    "42206 One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=s,version=1}.");
	SAME(world_dissociate(&w, "2", false), "");
	SAME(world_subjects(&w, "s", REGISTRY_LIVE), "s");
	world_done(&w);
}

static void
read_only_subjects_are_left(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", "\"int\"");
	SAME(one(&w, CREATE(OF("s"), .type = TEXT("key"))), "key s WEAK\n");
	world_mode(&w, "s", "READONLY", false);
	SAME(one(&w, CREATE(OF("s"))), "42205 Subject s in context  is in read-only mode");
	SAME(world_dissociate(&w, "id", false), "42205 Subject s in context  is in read-only mode");
	world_done(&w);
}

static void
there_are_so_many_and_no_more(void)
{
	struct world w;

	world_init(&w);
	for (int i = 0; i < ASSOCIATIONS_MAX; i++) {
		const char *key = arena_printf(&w.arena, "{\"keytype\":\"ASSOC\",\"resourceName\":\"%d\",\"resourceNamespace\":\"n\","
		    "\"resourceType\":\"topic\",\"associationType\":\"value\",\"subject\":\"s\",\"magic\":0}", i);
		const char *why;

		CU_ASSERT_FATAL(registry_apply(w.registry, i, i, span_str(key), span_str("{\"lifecycle\":\"WEAK\"}"), &why));
	}
	world_register(&w, "s", "\"int\"");
	SAME(one(&w, CREATE(OF("s"))), "40902 A maximum of 100000 associations already exist");
	/* One by one they go. */
	world_put(&w, KEY("7", "n", "value", "s"), NULL);
	SAME(one(&w, CREATE(OF("s"))), "value s WEAK\n");
	world_done(&w);
}

const struct unit_test assoc_tests[] = {
	UNIT(records_are_found_by_name_id_and_subject),
	UNIT(records_of_others_are_understood_or_passed_over),
	UNIT(deletions_end_all_the_keys_that_there_were),
	UNIT(aborted_records_are_put_right),
	UNIT(a_creation_with_schemas_registers_them),
	UNIT(schemas_of_one_request_bring_ids_of_their_own),
	UNIT(all_or_nothing_is_written),
	UNIT(a_trial_says_what_would_be_and_needs_no_id),
	UNIT(requests_are_checked_before_what_is_there),
	UNIT(only_what_is_not_frozen_is_updated),
	UNIT(a_strong_association_is_the_only_one_of_its_subject),
	UNIT(a_resource_has_one_name_and_a_name_one_resource),
	UNIT(changes_of_a_resource_are_made_together),
	UNIT(associated_subjects_are_not_deleted),
	UNIT(what_is_a_resources_own_goes_with_it),
	UNIT(what_is_a_resources_own_is_referred_to_by_nobody_else),
	UNIT(read_only_subjects_are_left),
	UNIT(there_are_so_many_and_no_more),
	UNIT_END
};
