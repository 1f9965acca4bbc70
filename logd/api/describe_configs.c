/* describe_configs.c -- DescribeConfigs: the settings of topics and of the broker. */
#include <stdio.h>

#include "api/configs.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"

/* Whose settings are asked for. */
struct subject {
	struct topic *topic; /* NULL: the broker's */
	bool altered_only;   /* only what has been altered at run time */
	bool none;           /* there are none */
};

static bool
subject_entry(const struct api *api, const struct subject *s, size_t i, struct setting_entry *e)
{
	return s->topic != NULL ? topic_config_entry(&s->topic->config, i, e) :
	    api->config.broker_setting(api->config.ctx, i, e);
}

/* As Kafka does, no key at all asks for all of them. */
static bool
wanted(const struct wire_describe_configs_request_resource *asked, const struct subject *s,
    const struct setting_entry *e)
{
	if (s->none || (s->altered_only && e->source != SETTING_FROM_ALTERED))
		return false;
	for (size_t i = 0; i < asked->n_configuration_keys; i++)
		if (span_is(asked->configuration_keys[i], e->name))
			return true;
	return asked->n_configuration_keys == 0;
}

static enum kafka_error
find_subject(const struct request *r, const struct wire_describe_configs_request_resource *asked,
    struct subject *s, char *why, size_t size)
{
	struct span name = asked->resource_name;

	*s = (struct subject){ 0 };
	switch (asked->resource_type) {
	case RESOURCE_TOPIC:
		return configs_find_topic(r->api, name, &s->topic, why, size);
	case RESOURCE_BROKER:
		s->altered_only = name.n == 0;
		return configs_check_broker(r->api, name, true, why, size);
	case RESOURCE_BROKER_LOGGER:
		/* How much is logged is a setting of the broker. */
		s->none = true;
		return configs_check_broker(r->api, name, false, why, size);
	default:
		return configs_unknown_type(asked->resource_type, why, size);
	}
}

static void
fill_synonyms(struct request *r, struct wire_describe_configs_response_config *to,
    const struct setting_entry *e)
{
	to->n_synonyms = e->n_synonyms;
	to->synonyms = request_array(r, e->n_synonyms, sizeof *to->synonyms);
	for (size_t i = 0; i < e->n_synonyms; i++) {
		wire_describe_configs_response_synonym_default(&to->synonyms[i]);
		to->synonyms[i].name = span_str(e->synonyms[i].name);
		to->synonyms[i].value = span_str(e->synonyms[i].value);
		to->synonyms[i].source = e->synonyms[i].source;
	}
}

static void
fill_config(struct request *r, const struct subject *s,
    struct wire_describe_configs_response_config *to, const struct setting_entry *e)
{
	const struct wire_describe_configs_request *q = r->message;

	wire_describe_configs_response_config_default(to);
	to->name = span_str(e->name);
	to->value = span_str(e->value);
	to->read_only = e->read_only;
	to->is_default = e->source == SETTING_FROM_DEFAULT;
	/* What is altered is altered for the broker and for all brokers: they are one. */
	to->config_source = s->altered_only ? CONFIG_SOURCE_ALL_BROKERS : e->source;
	to->config_type = e->type;
	to->documentation = span_str(q->include_documentation ? e->doc : NULL);
	if (q->include_synonyms)
		fill_synonyms(r, to, e);
}

static void
fill_configs(struct request *r, const struct wire_describe_configs_request_resource *asked,
    const struct subject *s, struct wire_describe_configs_response_result *to)
{
	struct setting_entry e;
	size_t n = 0;

	for (size_t i = 0; subject_entry(r->api, s, i, &e); i++)
		n += wanted(asked, s, &e);
	to->configs = request_array(r, n, sizeof *to->configs);
	for (size_t i = 0; subject_entry(r->api, s, i, &e); i++)
		if (wanted(asked, s, &e))
			fill_config(r, s, &to->configs[to->n_configs++], &e);
}

static void
describe(struct request *r, const struct wire_describe_configs_request_resource *asked,
    struct wire_describe_configs_response_result *to)
{
	char why[PENDING_WHY_SIZE];
	struct subject s;
	enum kafka_error error = find_subject(r, asked, &s, why, sizeof why);

	wire_describe_configs_response_result_default(to);
	to->resource_type = asked->resource_type;
	to->resource_name = asked->resource_name;
	pending_outcome(r, error, why, &to->error_code, &to->error_message);
	if (error == KAFKA_NONE)
		fill_configs(r, asked, &s, to);
}

void
describe_configs_run(struct request *r)
{
	const struct wire_describe_configs_request *q = r->message;
	size_t n = q->n_resources;
	struct named seen;
	RESPONSE(response, describe_configs);

	for (size_t i = 0; i < q->n_resources; i++)
		n += q->resources[i].n_configuration_keys;
	if (pending_refused(r, n))
		return;
	named_init(&seen, r);
	response.results = request_array(r, q->n_resources, sizeof *response.results);
	for (size_t i = 0; i < q->n_resources; i++) {
		const struct wire_describe_configs_request_resource *asked = &q->resources[i];

		if (!named_before(&seen, configs_key(r, asked->resource_type, asked->resource_name)))
			describe(r, asked, &response.results[response.n_results++]);
	}
	named_done(&seen);
	request_reply(r, &response);
}
