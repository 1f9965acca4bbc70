/*
 * setting_entry.h -- one setting, of a topic or of the daemon, as DescribeConfigs
 * tells it and as IncrementalAlterConfigs changes it.
 */
#ifndef API_SETTING_ENTRY_H
#define API_SETTING_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/setting.h"

/* Where a value comes from: the numbers of DescribeConfigs. */
enum setting_source {
	SETTING_FROM_TOPIC = 1,
	SETTING_FROM_ALTERED = 2, /* a setting of the daemon, altered at run time */
	SETTING_FROM_FILE = 4,
	SETTING_FROM_DEFAULT = 5
};

/* One setting as DescribeConfigs tells it.  All text is borrowed from the tables and the config. */
struct setting_entry {
	const char *name;
	const char *value;    /* NULL: none */
	const char *fallback; /* the default; NULL: none */
	const char *doc;
	int8_t type; /* as DescribeConfigs numbers types */
	int8_t source;
	bool read_only;
	struct setting_synonym {
		const char *name, *value;
		int8_t source;
	} synonyms[4]; /* all that has been said about it; what goes before comes first */
	size_t n_synonyms;
};

/* One change of a setting, as IncrementalAlterConfigs has it. */
struct setting_change {
	struct span name;
	int op; /* enum topic_config_op */
	struct span value;
};

/* How DescribeConfigs numbers a type. */
static inline int8_t
setting_wire_type(enum setting_type type)
{
	static const int8_t numbers[] = {
		[SETTING_BOOL] = 1,
		[SETTING_STRING] = 2,
		[SETTING_ENUM] = 2,
		[SETTING_INT] = 3,
		[SETTING_LONG] = 5,
		[SETTING_DOUBLE] = 6,
		[SETTING_LIST] = 7,
		[SETTING_SET] = 7,
	};

	return numbers[type];
}

#endif
