/*
 * alter_configs.c -- AlterConfigs, which replaces all that a resource has been
 * given, and IncrementalAlterConfigs, which changes what it names.
 *
 * Both become a list of changes.  Of one resource all are made, or, when one of
 * them is wrong, none.
 */
#include <stdio.h>

#include "api/configs.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"
#include "base/diag.h"

/* A resource with more changes in one request is refused: it has not so many settings. */
enum { CHANGES_MAX = 200 };

/* One resource, and the place of its answer. */
struct resource {
	int8_t type;
	struct span name;
	struct setting_change *changes; /* arena; filled unless there are too many */
	size_t n;
	bool replace; /* what is not among the changes goes back to its default */
	int16_t *error;
	struct span *text;
};

/* ---- topics ---- */

static enum kafka_error
alter_topic(struct pending *p, const struct resource *res, bool validate_only, char *why, size_t size)
{
	struct api *api = p->request->api;
	struct topic_config config;
	struct topic *t;
	enum kafka_error error = configs_find_topic(api, res->name, &t, why, size);

	if (error != KAFKA_NONE)
		return error;
	if (res->replace)
		topic_config_init(&config, api->config.topic_defaults);
	else
		topic_config_copy(&config, &t->config);
	for (size_t i = 0; i < res->n && error == KAFKA_NONE; i++)
		if (topic_config_alter(&config, res->changes[i].op, res->changes[i].name,
			res->changes[i].value, why, size) == -1)
			error = KAFKA_INVALID_CONFIG;
	if (error == KAFKA_NONE && topic_config_check(&config, why, size) == -1)
		error = KAFKA_INVALID_CONFIG;
	if (error == KAFKA_NONE && !validate_only) {
		struct append *a = pending_append(p, res->error, res->text);

		pending_begun(a, topics_configure(api, t, &config, a));
	}
	topic_config_done(&config);
	return error;
}

/* ---- the broker ---- */

static bool
is_named(const struct resource *res, const char *name)
{
	for (size_t i = 0; i < res->n; i++)
		if (span_is(res->changes[i].name, name))
			return true;
	return false;
}

/* To replace is to take back what has been altered before and is not named now. */
static void
add_deletions(struct request *r, struct resource *res)
{
	const struct api_config *config = &r->api->config;
	struct setting_entry e;
	struct setting_change *all;
	size_t n = 0;

	while (config->broker_setting(config->ctx, n, &e))
		n++;
	all = request_array(r, n + res->n, sizeof *all);
	n = 0;
	for (size_t i = 0; config->broker_setting(config->ctx, i, &e); i++)
		if (e.source == SETTING_FROM_ALTERED && !is_named(res, e.name))
			all[n++] = (struct setting_change){ span_str(e.name), TOPIC_CONFIG_DELETE, span_of(NULL, 0) };
	for (size_t i = 0; i < res->n; i++)
		all[n++] = res->changes[i];
	res->changes = all;
	res->n = n;
}

/* The broker's settings on their way to the disk. */
struct saving {
	struct pending *pending;
	const struct resource *resource;
	struct append *append; /* NULL: nothing was to be saved */
	bool over;
};

/* They stay in force when the disk takes them. */
static bool
save(void *ctx)
{
	struct saving *s = ctx;

	s->append = pending_append(s->pending, s->resource->error, s->resource->text);
	s->over = configs_save_broker(s->pending->request, s->append);
	return s->append->error == STORE_OK;
}

static bool
only_validate(void *ctx)
{
	(void)ctx;
	return false;
}

static enum kafka_error
alter_broker(struct pending *p, struct resource *res, bool validate_only, char *why, size_t size)
{
	struct request *r = p->request;
	const struct api_config *config = &r->api->config;
	struct saving saving = { .pending = p, .resource = res };
	enum kafka_error error = configs_check_broker(r->api, res->name, true, why, size);
	int altered;

	if (error != KAFKA_NONE)
		return error;
	if (res->replace)
		add_deletions(r, res);
	altered = config->broker_alter(config->ctx, res->changes, res->n,
	    validate_only ? only_validate : save, &saving, why, size);
	if (saving.append != NULL)
		pending_begun(saving.append, saving.over);
	return altered == 0 ? KAFKA_NONE : altered == -2 ? KAFKA_INVALID_REQUEST : KAFKA_INVALID_CONFIG;
}

/* ---- both ---- */

static bool
has_duplicates(struct request *r, const struct resource *res)
{
	struct span *names = request_array(r, res->n, sizeof *names);
	bool *twice;

	for (size_t i = 0; i < res->n; i++)
		names[i] = res->changes[i].name;
	twice = named_twice(r, names, res->n);
	for (size_t i = 0; i < res->n; i++)
		if (twice[i])
			return true;
	return false;
}

static bool
is_possible(const struct setting_change *change, char *why, size_t size)
{
	char quoted[80];

	if (change->op < TOPIC_CONFIG_SET || change->op > TOPIC_CONFIG_SUBTRACT) {
		snprintf(why, size, "There is no operation %d: use 0 (set), 1 (delete), 2 (append) or 3 (subtract).",
		    change->op);
		return false;
	}
	if (change->op != TOPIC_CONFIG_DELETE && change->value.p == NULL) {
		snprintf(why, size, "The value of %s is null: name one, or delete it.",
		    diag_quote(quoted, sizeof quoted, change->name));
		return false;
	}
	return true;
}

static enum kafka_error
check(struct request *r, const struct resource *res, bool twice, char *why, size_t size)
{
	if (twice) {
		snprintf(why, size, "The request names this resource more than once.");
		return KAFKA_INVALID_REQUEST;
	}
	if (res->n > CHANGES_MAX) {
		snprintf(why, size, "The request names more settings than there are: at most %d for a resource.",
		    CHANGES_MAX);
		return KAFKA_INVALID_REQUEST;
	}
	if (has_duplicates(r, res)) {
		snprintf(why, size, "The request names a setting of this resource more than once.");
		return KAFKA_INVALID_REQUEST;
	}
	for (size_t i = 0; i < res->n; i++)
		if (!is_possible(&res->changes[i], why, size))
			return KAFKA_INVALID_REQUEST;
	return KAFKA_NONE;
}

static enum kafka_error
alter(struct pending *p, struct resource *res, bool validate_only, char *why, size_t size)
{
	switch (res->type) {
	case RESOURCE_TOPIC:
		return alter_topic(p, res, validate_only, why, size);
	case RESOURCE_BROKER:
		return alter_broker(p, res, validate_only, why, size);
	case RESOURCE_BROKER_LOGGER:
		snprintf(why, size, "Loggers can't be altered singly: set weir.log.level of the broker.");
		return KAFKA_INVALID_REQUEST;
	default:
		return configs_unknown_type(res->type, why, size);
	}
}

/* Makes all changes; the answer is sent when they are durable. */
static void
alter_all(struct pending *p, struct resource *all, size_t n, bool validate_only)
{
	struct request *r = p->request;
	struct span *keys = request_array(r, n, sizeof *keys);
	char why[PENDING_WHY_SIZE];
	bool *twice;

	for (size_t i = 0; i < n; i++)
		keys[i] = configs_key(r, all[i].type, all[i].name);
	twice = named_twice(r, keys, n);
	for (size_t i = 0; i < n; i++) {
		enum kafka_error error = check(r, &all[i], twice[i], why, sizeof why);

		if (error == KAFKA_NONE)
			error = alter(p, &all[i], validate_only, why, sizeof why);
		if (error != KAFKA_NONE)
			pending_outcome(r, error, why, all[i].error, all[i].text);
	}
	pending_release(p);
}

/* A resource with room for its changes, and its answer with nothing wrong yet. */
static struct resource
resource_of(struct request *r, int8_t type, struct span name, size_t n_changes, int16_t *error,
    struct span *text)
{
	pending_outcome(r, KAFKA_NONE, NULL, error, text);
	return (struct resource){ .type = type, .name = name, .n = n_changes, .error = error,
		.text = text,
		.changes = request_array(r, n_changes > CHANGES_MAX ? 0 : n_changes, sizeof(struct setting_change)) };
}

void
alter_configs_run(struct request *r)
{
	const struct wire_alter_configs_request *q = r->message;
	struct wire_alter_configs_response *response;
	struct resource *all;

	if (pending_refused(r, q->n_resources))
		return;
	response = request_alloc(r, sizeof *response);
	wire_alter_configs_response_default(response);
	response->n_responses = q->n_resources;
	response->responses = request_array(r, q->n_resources, sizeof *response->responses);
	all = request_array(r, q->n_resources, sizeof *all);
	for (size_t i = 0; i < q->n_resources; i++) {
		const struct wire_alter_configs_request_resource *from = &q->resources[i];
		struct wire_alter_configs_response_resource *to = &response->responses[i];

		wire_alter_configs_response_resource_default(to);
		to->resource_type = from->resource_type;
		to->resource_name = from->resource_name;
		all[i] = resource_of(r, from->resource_type, from->resource_name, from->n_configs,
		    &to->error_code, &to->error_message);
		all[i].replace = true;
		for (size_t j = 0; all[i].n <= CHANGES_MAX && j < all[i].n; j++)
			all[i].changes[j] = (struct setting_change){ from->configs[j].name,
				TOPIC_CONFIG_SET, from->configs[j].value };
	}
	alter_all(pending_begin(r, response), all, q->n_resources, q->validate_only);
}

void
incremental_alter_configs_run(struct request *r)
{
	const struct wire_incremental_alter_configs_request *q = r->message;
	struct wire_incremental_alter_configs_response *response;
	struct resource *all;

	if (pending_refused(r, q->n_resources))
		return;
	response = request_alloc(r, sizeof *response);
	wire_incremental_alter_configs_response_default(response);
	response->n_responses = q->n_resources;
	response->responses = request_array(r, q->n_resources, sizeof *response->responses);
	all = request_array(r, q->n_resources, sizeof *all);
	for (size_t i = 0; i < q->n_resources; i++) {
		const struct wire_incremental_alter_configs_request_resource *from = &q->resources[i];
		struct wire_incremental_alter_configs_response_resource *to = &response->responses[i];

		wire_incremental_alter_configs_response_resource_default(to);
		to->resource_type = from->resource_type;
		to->resource_name = from->resource_name;
		all[i] = resource_of(r, from->resource_type, from->resource_name, from->n_configs,
		    &to->error_code, &to->error_message);
		for (size_t j = 0; all[i].n <= CHANGES_MAX && j < all[i].n; j++)
			all[i].changes[j] = (struct setting_change){ from->configs[j].name,
				from->configs[j].config_operation, from->configs[j].value };
	}
	alter_all(pending_begin(r, response), all, q->n_resources, q->validate_only);
}
