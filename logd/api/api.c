/* api.c -- from a frame to its handler; what the api starts and ends with. */
#include "api/api.h"

#include <limits.h>
#include <stdio.h>

#include "api/configs.h"
#include "api/fetch.h"
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/offset_expiry.h"
#include "api/producer_ids.h"
#include "api/record.h"
#include "api/topics.h"
#include "api/txn_calls.h"
#include "base/diag.h"
#include "base/uuid.h"
#include "base/xalloc.h"

/*
 * What one request may be decoded to, which bounds how many partitions it can
 * name: some 200,000.  Bulk data is not in it.  And what its answer may take.
 */
enum { DECODED_MAX = 16 * 1024 * 1024, ANSWER_MAX = 1024 * 1024 * 1024 };

/* One row: an API and the function that serves it. */
struct handler {
	int16_t key;
	void (*run)(struct request *);
};

static const struct handler handlers[] = {
#define HANDLER(api, key) { key, api##_run },
#include "api/handlers.tbl"
#undef HANDLER
};

static const struct handler *
find_handler(int key)
{
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (handlers[i].key == key)
			return &handlers[i];
	return NULL;
}

/* ---- ApiVersions: the one API that answers what it does not know ---- */

/* KIP-511: letters and digits, with '-' and '.' inside. */
static bool
software_legal(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || i + 1 == s.n || (c != '-' && c != '.')))
			return false;
	}
	return s.n > 0;
}

/* Features, and the levels that are in force. */
static const struct {
	const char *name;
	int16_t level;
} features[] = {
	{ "group.version", 1 }, /* groups of the newer protocol */
	{ "transaction.version", 2 }, /* KIP-890 */
};

enum { FEATURES = sizeof features / sizeof *features, FEATURES_FROM_0_VERSION = 4 };

static void
fill_features(struct request *r, struct wire_api_versions_response *to)
{
	to->finalized_features_epoch = 0;
	to->finalized_features = request_array(r, FEATURES, sizeof *to->finalized_features);
	for (; to->n_finalized_features < FEATURES; to->n_finalized_features++)
		to->finalized_features[to->n_finalized_features] = (struct wire_api_versions_response_finalized_feature){
			span_str(features[to->n_finalized_features].name),
			features[to->n_finalized_features].level, features[to->n_finalized_features].level };
	/* A range that begins with 0 is an error to older clients of Java. */
	if (r->version < FEATURES_FROM_0_VERSION)
		return;
	to->supported_features = request_array(r, FEATURES, sizeof *to->supported_features);
	for (; to->n_supported_features < FEATURES; to->n_supported_features++)
		to->supported_features[to->n_supported_features] = (struct wire_api_versions_response_supported_feature){
			span_str(features[to->n_supported_features].name), 0,
			features[to->n_supported_features].level };
}

static void
answer_versions(struct request *r, enum kafka_error error, int version)
{
	RESPONSE(response, api_versions);

	response.error_code = (int16_t)error;
	response.api_keys = request_array(r, wire_n_apis, sizeof *response.api_keys);
	for (size_t i = 0; i < wire_n_apis; i++)
		if (find_handler(wire_apis[i].key) != NULL)
			response.api_keys[response.n_api_keys++] = (struct wire_api_versions_response_api_key){
				.api_key = wire_apis[i].key, .min_version = wire_apis[i].min,
				.max_version = wire_apis[i].max };
	fill_features(r, &response);
	request_reply_version(r, &response, version);
}

void
api_versions_run(struct request *r)
{
	const struct wire_api_versions_request *q = r->message;
	bool legal = r->version < 3 || (software_legal(q->client_software_name) &&
	    software_legal(q->client_software_version));

	answer_versions(r, legal ? KAFKA_NONE : KAFKA_INVALID_REQUEST, r->version);
}

/* ---- a request ---- */

static void
refuse(struct request *r, const char *what, const char *field)
{
	char why[256];

	snprintf(why, sizeof why, "%s api=%s version=%d field=%s", what,
	    r->wire == NULL ? "?" : r->wire->name, r->version, field);
	request_refuse(r, why);
}

static void
run(struct request *r, struct span frame)
{
	const struct handler *handler;
	struct wire_request_header header;
	struct wire_in in;
	void *message;
	int key;

	if (frame.n < 8) {
		refuse(r, "frame is too short for a request", "");
		return;
	}
	key = (int16_t)load16(frame.p);
	r->version = (int16_t)load16(frame.p + 2);
	if ((r->wire = wire_api_find(key)) == NULL || (handler = find_handler(key)) == NULL) {
		char why[64];

		snprintf(why, sizeof why, "API key %d is not supported", key);
		request_refuse(r, why);
		return;
	}
	wire_in_init(&in, frame, &r->arena);
	if (wire_request_header_decode(&in, wire_request_header_version(r->wire, r->version), &header) == -1) {
		refuse(r, in.error, in.field);
		return;
	}
	r->correlation_id = header.correlation_id;
	r->client_id = header.client_id.p == NULL ? span_str("") : header.client_id;
	if (r->version < r->wire->min || r->version > r->wire->max) {
		/* The client asks which versions there are: it learns it in the oldest layout. */
		if (key == WIRE_API_VERSIONS)
			answer_versions(r, KAFKA_UNSUPPORTED_VERSION, 0);
		else
			refuse(r, "version is not supported", "");
		return;
	}
	message = arena_alloc(&r->arena, r->wire->request->body->size);
	if (message == NULL) {
		refuse(r, "header is too large", "");
		return;
	}
	if (wire_decode(&in, r->wire->request, r->version, message) == -1) {
		refuse(r, in.error, in.field);
		return;
	}
	r->message = message;
	r->arena.cap = ANSWER_MAX;
	stat_add(&r->api->stats.requests, 1);
	handler->run(r);
}

void
api_request(void *ctx, struct exchange *e)
{
	struct request *r = xcalloc(1, sizeof *r);
	struct span frame;

	frame.p = exchange_frame(e, &frame.n);
	r->api = ctx;
	r->exchange = e;
	r->refs = 1;
	list_init(&r->turn);
	arena_init(&r->arena, DECODED_MAX);
	exchange_set_user(e, r);
	run(r, frame);
}

void
api_gone(void *ctx, struct exchange *e)
{
	struct request *r = exchange_user(e);

	(void)ctx;
	/* Without a hook, what the request waits for comes soon, and ends it. */
	if (r != NULL && r->gone != NULL)
		r->gone(r);
}

void
api_visible(void *ctx, struct partition *p)
{
	struct topic_partition *tp = partition_user(p);

	if (tp != NULL)
		fetch_wake(ctx, tp);
}

/* ---- start and end ---- */

static void
stored(struct append *a)
{
	a->done = NULL;
}

/* Nobody waits for it: it is durable before the first record that is. */
static void
make_cluster(struct api *api, struct span key)
{
	struct wire_cluster_record record;
	uint8_t id[16];

	store_random(id, sizeof id);
	uuid_text(id, api->cluster_id);
	wire_cluster_record_default(&record);
	record.cluster_id = span_str(api->cluster_id);
	api->cluster_append.done = stored;
	record_put(api, STATE_METADATA, key, "cluster_record", &record, &api->cluster_append);
}

/* The cluster's id is made at the first start. */
static int
load_cluster(struct api *api)
{
	struct span key = span_str("C");
	struct wire_cluster_record record;
	struct arena arena;
	int found = record_read(api, STATE_METADATA, key, "cluster_record", &arena, &record);

	if (found == 1 && record.cluster_id.n >= sizeof api->cluster_id) {
		diag_error("cluster id in the daemon's state is too long", "bytes=%zu", record.cluster_id.n);
		found = -1;
	}
	if (found == 1) {
		memcpy(api->cluster_id, record.cluster_id.p, record.cluster_id.n);
		api->cluster_id[record.cluster_id.n] = '\0';
	} else if (found == 0)
		make_cluster(api, key);
	arena_done(&arena);
	return found == -1 ? -1 : 0;
}

static void
each_round(struct round_hook *hook)
{
	struct api *api = container_of(hook, struct api, round);

	request_turns(api);
	fetch_round(api);
	store_flush(api->store);
}

int
api_init(struct api *api, const struct api_config *config, const struct groups_config *groups,
    struct loop *loop, struct store *store)
{
	*api = (struct api){ .config = *config, .loop = loop, .store = store };
	list_init(&api->woken);
	fetch_init(api);
	request_turns_init(api);
	api->groups = groups_new(groups);
	if (load_cluster(api) == -1 || topics_load(api) == -1 || configs_load_broker(api) == -1 ||
	    producer_ids_load(api) == -1)
		return -1;
	store_sweep(store);
	group_calls_load(api);
	if (txn_calls_load(api) == -1)
		return -1;
	offset_expiry_init(api);
	api->round.run = each_round;
	loop_hook(loop, &api->round);
	return 0;
}

void
api_drain(struct api *api)
{
	api->draining = true;
	group_calls_drain(api);
	fetch_drain(api);
}

void
api_done(struct api *api)
{
	loop_timer_cancel(api->loop, &api->groups_timer);
	loop_timer_cancel(api->loop, &api->paused_timer);
	offset_expiry_done(api);
	fetch_done(api);
	txn_calls_done(api);
	groups_free(api->groups);
	topics_free(api);
}

void
api_reconfigure(struct api *api, const struct api_config *config, const struct groups_config *groups)
{
	api->config = *config;
	groups_configure(api->groups, groups);
	topics_rebase(api);
}
