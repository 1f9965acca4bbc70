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

static void
random_bytes_become_an_id_of_version_4(void)
{
	static const struct {
		uint8_t fill;
		const char *text;
	} rows[] = {
		{ 0x00, "00000000-0000-4000-8000-000000000000" },
		{ 0xff, "ffffffff-ffff-4fff-bfff-ffffffffffff" },
		{ 0xa7, "a7a7a7a7-a7a7-47a7-a7a7-a7a7a7a7a7a7" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t id[UUID_BYTES];
		char text[UUID_RFC_TEXT + 1];

		memset(id, rows[i].fill, sizeof id);
		uuid_set_random(id);
		uuid_rfc_text(id, text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
	}
}

const struct unit_test uuid_tests[] = {
	{ "known_ids_agree", known_ids_agree },
	{ "what_is_written_is_read", what_is_written_is_read },
	{ "other_texts_are_refused", other_texts_are_refused },
	{ "random_bytes_become_an_id_of_version_4", random_bytes_become_an_id_of_version_4 },
	{ NULL, NULL }
};
