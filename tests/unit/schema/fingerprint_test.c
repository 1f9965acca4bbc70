/* fingerprint_test.c -- the fingerprints of the specification, worked out elsewhere. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unit/schema/help.h"
#include "unit/unit.h"

static const struct {
	const char *text;
	uint64_t rabin;
	const char *md5, *sha256;
} cases[] = {
	{ "\"null\"", UINT64_C(0x63dd24e7cc258f8a), "9b41ef67651c18488a8b08bb67c75699",
	    "f072cbec3bf8841871d4284230c5e983dc211a56837aed862487148f947d1a1f" },
	{ "\"int\"", UINT64_C(0x7275d51a3f395c8f), "ef524ea1b91e73173d938ade36c1db32",
	    "3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45" },
	{ "{\"type\":\"string\",\"p\":1}", UINT64_C(0x8f014872634503c7), "095d71cf12556b9d5e330ad575b3df5d",
	    "e9e5c1c9e4f6277339d1bcde0733a59bd42f8731f449da6dc13010a916930d48" },
	{ "[]", UINT64_C(0xeec6e173d23fb9d1), "d751713988987e9331980363e24189ce",
	    "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945" },
	{ "{\"type\":\"fixed\",\"size\":15,\"doc\":\"d\",\"name\":\"F\",\"namespace\":\"a\"}",
	    UINT64_C(0x1786c133db2962ea), "b2c61534c8e5421022e29c3ac491032e",
	    "ee60c5def8372d4350487804611a14feceff8da7634abcda28da0393369876c8" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"type\":\"int\",\"name\":\"f\",\"default\":1}]}",
	    UINT64_C(0xec87de40207b60be), "7133efbd28f478240ea1634bebd37940",
	    "d7445efb4d32db3ccf18a2b1266c016edc91fb05c2d1f1c677e9ef90b2a42581" },
};

static void
to_hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void
fingerprints_are_of_the_canonical_form(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct avro_schema *s = help_avro(cases[i].text);
		uint64_t rabin = 0;
		uint8_t md5[16], sha256[32];
		char hex[65];

		CU_ASSERT(avro_fingerprint_rabin(s, &rabin));
		CU_ASSERT_EQUAL(rabin, cases[i].rabin);
		CU_ASSERT(avro_fingerprint_md5(s, md5));
		to_hex(md5, sizeof md5, hex);
		CU_ASSERT(help_same(hex, cases[i].md5));
		CU_ASSERT(avro_fingerprint_sha256(s, sha256));
		to_hex(sha256, sizeof sha256, hex);
		CU_ASSERT(help_same(hex, cases[i].sha256));
		avro_free(s);
	}
}

const struct unit_test fingerprint_tests[] = {
	UNIT(fingerprints_are_of_the_canonical_form),
	UNIT_END
};
