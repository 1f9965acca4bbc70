/* suites.c -- the tests of logd/store. */
#include "unit/unit.h"

extern const struct unit_test batch_tests[], checkpoint_tests[], codec_tests[], compact_tests[], damage_tests[],
    examine_tests[], index_tests[], journal_tests[], kafka_bugs_tests[], partition_tests[], producers_tests[],
    recover_tests[], retention_tests[], segment_tests[], state_tests[], times_tests[], transactions_tests[];

const struct unit_suite unit_suites[] = {
	{ "batch", batch_tests },
	{ "checkpoint", checkpoint_tests },
	{ "codec", codec_tests },
	{ "compact", compact_tests },
	{ "damage", damage_tests },
	{ "examine", examine_tests },
	{ "index", index_tests },
	{ "journal", journal_tests },
	{ "kafka_bugs", kafka_bugs_tests },
	{ "partition", partition_tests },
	{ "producers", producers_tests },
	{ "recover", recover_tests },
	{ "retention", retention_tests },
	{ "segment", segment_tests },
	{ "state", state_tests },
	{ "times", times_tests },
	{ "transactions", transactions_tests },
	{ NULL, NULL }
};
