/*
 * api.h -- the Kafka APIs: where wire, store, net and coord meet.
 *
 * A frame comes from net, becomes a request (request.h), is decoded by the row
 * of its API in the table of handlers (api.c), and run.  One file holds one
 * API or a tight family, named after it.  Everything here runs on the loop's
 * thread.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "api/fetch_sessions.h"
#include "api/setting_entry.h"
#include "api/topic_config.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/stats.h"
#include "coord/groups.h"
#include "coord/pids.h"
#include "coord/transactions.h"
#include "net/conn.h"
#include "net/loop.h"
#include "store/store.h"

struct request;
struct topic;
struct txn_offsets;

/* What the api takes from the daemon's configuration.  Read at each use, so that a reload is taken up. */
struct api_config {
	int32_t node_id;
	int32_t num_partitions;
	int16_t default_replication_factor;
	bool auto_create_topics_enable;
	bool delete_topic_enable;
	bool replication_factor_strict;
	int32_t fetch_max_bytes;
	int32_t fetch_session_slots;
	int32_t max_request_partitions;
	int32_t offset_metadata_max_bytes;
	int64_t offsets_retention_ms;
	int64_t offsets_retention_check_ms;
	int32_t transaction_max_timeout_ms;
	int64_t transactional_id_expiration_ms;
	int64_t transactional_id_check_ms;
	int64_t producer_id_expiration_ms;
	const struct topic_config *topic_defaults; /* outlives the api */
	/* The i-th setting of the daemon; false past the last. */
	bool (*broker_setting)(void *ctx, size_t i, struct setting_entry *out);
	/*
	 * Alters settings of the daemon at run time, all of them or none.  When the
	 * whole is right, it is in force while keep(keep_ctx) is asked whether it
	 * stays so.  0; or with the reason in `why`: -1, a name or a value is wrong;
	 * -2, one can only be changed in the file, with a restart.  What has been
	 * altered has SETTING_FROM_ALTERED from then on.
	 */
	int (*broker_alter)(void *ctx, const struct setting_change *, size_t n,
	    bool (*keep)(void *keep_ctx), void *keep_ctx, char *why, size_t size);
	void *ctx;
	const char *log_dir;
};

/* The tag of a listener: what clients that came by it are told to connect to. */
struct api_listener {
	const char *host;
	int port;
};

struct api_stats {
#define STAT(name, help) stat_t name;
#include "api/stats.tbl"
#undef STAT
};

struct api {
	struct api_config config;
	struct loop *loop;
	struct store *store;
	struct groups *groups;
	struct pids pids;
	char cluster_id[23];
	struct append cluster_append;
	/* topics.c */
	struct map topics_by_name, topics_by_folded, topics_by_id;
	uint64_t topics_version; /* rises when a topic comes or goes */
	/* request.c: requests whose work goes on in the next round */
	struct list paused;
	struct timer paused_timer;
	/* fetch.c: fetches whose partitions have got data; looked at once per round */
	struct list woken;
	int64_t fetch_bytes; /* read for answers that are not whole yet */
	struct fetch_sessions fetch_sessions;
	/* join_group.c: when the groups are to be looked at next */
	struct timer groups_timer;
	/* offset_expiry.c */
	struct offset_expiry {
		struct timer timer;
		struct buf at; /* where the pass goes on; empty: none is under way */
		bool soon;     /* another is needed soon */
	} offset_expiry;
	/* producer_ids.c: requests that wait for a block of producer ids */
	struct list pid_waiters;
	struct append pid_append;
	struct txns *txns;
	struct timer txns_timer;       /* txn_calls.c: one will have lasted too long */
	struct timer txns_expiry_timer; /* txn_calls.c: ids that nobody uses are looked for */
	struct txn_offsets *txn_offsets; /* txn_offsets.c: what is committed in transactions that are open; owned */
	struct round_hook round;
	bool draining; /* nobody waits for others any more */
	struct api_stats stats;
};

/*
 * Reads the topics, offsets and ids that the store holds, and drops from the
 * store what belongs to no topic.  -1: logged.
 */
int api_init(struct api *, const struct api_config *, const struct groups_config *,
    struct loop *, struct store *);
/*
 * The daemon is to end: what waits for something that may be long in coming is
 * answered, as group_calls.h and fetch.h say; what waits for the disk is not
 * hurried.
 */
void api_drain(struct api *);
/* All connections are gone. */
void api_done(struct api *);

/* For struct net_hooks; ctx is the api. */
void api_request(void *ctx, struct exchange *);
void api_gone(void *ctx, struct exchange *);

/* For struct store_hooks; ctx is the api. */
void api_visible(void *ctx, struct partition *);

/* Settings have changed: topics take up their defaults, groups their limits. */
void api_reconfigure(struct api *, const struct api_config *, const struct groups_config *);

#endif
