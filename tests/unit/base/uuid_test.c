/* uuid_test.c -- ids as text, there and back. */
#include "base/uuid.h"

#include <string.h>

#include "unit/base/random.h"
#include "unit/unit.h"

/* The ids that KRaft reserves, as Kafka's tools print them. */
static void
known_ids_agree(void)
{
	uint8_t id[UUID_BYTES] = { 0 };
	char text[UUID_TEXT + 1];

	uuid_text(id, text);
	CU_ASSERT_STRING_EQUAL(text, "AAAAAAAAAAAAAAAAAAAAAA");
	id[15] = 1;
	uuid_text(id, text);
	CU_ASSERT_STRING_EQUAL(text, "AAAAAAAAAAAAAAAAAAAAAQ");
	memset(id, 0xff, sizeof id);
	uuid_text(id, text);
	CU_ASSERT_STRING_EQUAL(text, "_____________________w");
}

static void
what_is_written_is_read(void)
{
	uint64_t seed = 1;

	for (int k = 0; k < 1000; k++) {
		uint8_t id[UUID_BYTES], back[UUID_BYTES];
		char text[UUID_TEXT + 1];

		random_fill(&seed, id, sizeof id);
		uuid_text(id, text);
		CU_ASSERT_EQUAL(strlen(text), UUID_TEXT);
		CU_ASSERT_TRUE(uuid_parse(span_str(text), back));
		CU_ASSERT_EQUAL(memcmp(id, back, sizeof id), 0);
	}
}

static void
other_texts_are_refused(void)
{
	static const char *bad[] = {
		"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAA+AAAAAAAAAAA", "AAAAAAAAAA/AAAAAAAAAAA", "AAAAAAAAAA AAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAB" /* bits that no id has */
	};
	uint8_t id[UUID_BYTES];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(uuid_parse(span_str(bad[i]), id));
}

const struct unit_test uuid_tests[] = {
	{ "known_ids_agree", known_ids_agree },
	{ "what_is_written_is_read", what_is_written_is_read },
	{ "other_texts_are_refused", other_texts_are_refused },
	{ NULL, NULL }
};
