/* config_table.h -- the rows of params.tbl, shared by config.c and config_print.c only. */
#ifndef SERVER_CONFIG_TABLE_H
#define SERVER_CONFIG_TABLE_H

#include <stdint.h>

#include "api/topic_config.h"
#include "base/conf.h"
#include "server/config.h"

extern const struct conf_table config_table; /* of CONFIG_PARAMS settings */

/* What else a row says. */
struct config_row {
	enum topic_param topic; /* the topic setting of which it is the default; TOPIC_PARAMS: none */
	int64_t unit;           /* of such a default: 1, or how many ms its unit has */
};

extern const struct config_row config_rows[CONFIG_PARAMS];

#endif
