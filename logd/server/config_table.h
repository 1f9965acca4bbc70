/* config_table.h -- the rows of params.tbl, shared by config.c and config_print.c only. */
#ifndef SERVER_CONFIG_TABLE_H
#define SERVER_CONFIG_TABLE_H

#include <stdint.h>

#include "api/setting.h"
#include "api/topic_config.h"
#include "server/config.h"

struct config_row {
	struct setting setting;
	enum topic_param topic; /* the topic setting of which it is the default; TOPIC_PARAMS: none */
	int64_t unit;           /* of such a default: 1, or how many ms its unit has */
};

/* Another name for a setting. */
struct config_alias {
	const char *name;
	enum config_param param;
};

extern const struct config_row config_rows[CONFIG_PARAMS];
extern const struct config_alias config_aliases[]; /* ended by a NULL name */

#endif
