/*
 * config.h -- the daemon's configuration: defaults, a file over them, and what
 * the command line sets over that.
 *
 * All comes from params.tbl and, for the defaults of topics, from
 * api/topic_params.tbl.  Belongs to one thread, the loop's.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/setting_entry.h"
#include "api/topic_config.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/conf.h"
#include "base/conf_print.h"
#include "server/listeners.h"

/* The index of each setting, as config_entry() counts. */
enum config_param {
#define PARAM(type, field, ...) CONFIG_##field,
#define PARAM_ALIAS(name, field)
#define PARAM_TOPIC(id, ...) CONFIG_##id,
#include "server/params.tbl"
#define TOPIC_PARAM(type, field, ...) CONFIG_topic_##field,
#define TOPIC_ONLY(type, field, ...)
#include "api/topic_params.tbl"
	CONFIG_PARAMS
};

struct config {
#define PARAM(type, field, ...) SETTING_C_##type field;
#define PARAM_ALIAS(name, field)
#define PARAM_TOPIC(id, ...)
#include "server/params.tbl"

	/* Made of the above. */
	struct listener_spec listen[LISTENERS_MAX];
	int n_listen;
	struct topic_config topic_defaults; /* what topics take that have not been given their own: what was altered, */
	struct topic_config written_topic_defaults; /* and behind it, what has been written */

	struct conf conf;             /* what has been written, and where */
	char *altered[CONFIG_PARAMS]; /* owned; what was altered at run time, which goes before; NULL: nothing */

	/* Where from, for config_reload(); borrowed for life. */
	const char *file;          /* NULL: none */
	const char *const *overrides;
	size_t n_overrides;
};

/*
 * Reads the file (NULL: none), then the overrides, each "key=value"; both
 * strings are borrowed for the life of the config.  0, or -1 with a line for
 * each mistake in `mistakes`: "FILE:LINE: key: what is wrong and what to do".
 * config_done() is needed in both cases.  The struct must not move afterwards:
 * topics point at its topic_defaults.
 */
int config_load(struct config *, const char *file, const char *const *overrides,
    size_t n_overrides, struct buf *mistakes);

/* The same for text in memory, `name` being what mistakes call it.  Reads no file. */
int config_parse(struct config *, const char *name, struct span text,
    const char *const *overrides, size_t n_overrides, struct buf *mistakes);

void config_done(struct config *);

/*
 * Reads the file anew.  Settings that may change are taken up; of others that
 * have changed, a warning names them and says that a restart is needed.  One
 * line in the log for each.  Returns how many were taken up, or -1 with the
 * mistakes, as config_load(); then nothing has changed.
 *
 * Unless it returns -1, the caller calls topic_config_rebase() for every topic
 * at once, and hands new values to those who keep copies.
 */
int config_reload(struct config *, struct buf *mistakes);

/*
 * Alters dynamic settings at run time, over what the file and the command line
 * say: all of them or none.  When the whole is right, it is in force while
 * keep(ctx) is asked; where that says no, all is as before.  0; -1 with the
 * reason in `why`: a name or a value is wrong; -2: only a restart can change
 * one.  As after config_reload(), the caller hands new values on.
 */
int config_alter(struct config *, const struct setting_change *, size_t n,
    bool (*keep)(void *ctx), void *ctx, char *why, size_t size);

/* The i-th setting, as DescribeConfigs tells it; false past the last.  Borrowed until a reload. */
bool config_entry(const struct config *, size_t i, struct setting_entry *out);

/* The settings for people: the daemon's, and those of a topic. */
extern const struct conf_page config_page;

#endif
