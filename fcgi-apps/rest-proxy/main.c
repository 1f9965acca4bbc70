/* main.c -- weir-rest-proxy: Kafka over HTTP, behind nginx. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "common/fcgi.h"
#include "common/program.h"
#include "rest-proxy/app.h"
#include "rest-proxy/consumers.h"

/* The index of each setting. */
enum param {
#define PARAM(type, field, ...) PARAM_##field,
#include "rest-proxy/params.tbl"
	PARAMS
};

struct settings {
#define PARAM(type, field, ...) SETTING_C_##type field;
#include "rest-proxy/params.tbl"
};

static const struct setting rows[PARAMS] = {
#define PARAM(type, field, name, fallback, min, max, choices, doc) \
	{ name, SETTING_##type, fallback, min, max, choices, offsetof(struct settings, field), false, doc },
#include "rest-proxy/params.tbl"
};

/* Whose settings of librdkafka's begin so. */
static const char for_all[] = "client.", for_producer[] = "producer.", for_consumers[] = "consumer.", for_admin[] = "admin.";

static const struct conf_prefix prefixes[] = {
	{ for_all, "A setting of librdkafka's for all connections to the brokers: client.security.protocol ..." },
	{ for_producer, "The same for the producer, over that: producer.acks, producer.linger.ms, producer.compression.type ... Without them: acks=all and enable.idempotence=true." },
	{ for_consumers, "The same for consumers: consumer.isolation.level ..." },
	{ for_admin, "The same for questions about the cluster." },
	{ NULL, NULL },
};

static const struct conf_table table = { rows, PARAMS, NULL, prefixes, "weir-rest-proxy.conf(5)", NULL };

static const struct conf_section sections[] = { { "Settings", NULL, &table, NULL, false, true } };

static const struct conf_page page = { "weir-rest-proxy",
	"<!-- Made from fcgi-apps/rest-proxy/params.tbl by `make docs`: edit that. -->\n\n"
	"The file is one of Java's properties; weir-logd.conf(5) tells its syntax. All settings are read at the\n"
	"start only.\n",
	sections, sizeof sections / sizeof *sections };

/* The settings with a prefix; how many, added behind `n`. */
static size_t
add_extras(struct weir_setting *list, size_t n, const struct conf *conf, const char *prefix)
{
	size_t skip = strlen(prefix);

	for (size_t i = 0; i < conf->n_extras; i++)
		if (strncmp(conf->extras[i].key, prefix, skip) == 0)
			list[n++] = (struct weir_setting){ conf->extras[i].key + skip, conf->extras[i].value };
	return n;
}

/* What a kind of client is made with: the brokers, what is for all, what is for it.  Owned. */
static struct weir_setting *
kafka_settings(const struct conf *conf, const struct settings *s, const char *prefix, const char *client, size_t *n)
{
	struct weir_setting *list = xcalloc(conf->n_extras + 2, sizeof *list);

	list[0] = (struct weir_setting){ "bootstrap.servers", s->bootstrap_servers };
	list[1] = (struct weir_setting){ "client.id", client };
	*n = add_extras(list, add_extras(list, 2, conf, for_all), conf, prefix);
	return list;
}

static bool
tell(bool good, const char *what, const struct weir_error *why)
{
	if (!good)
		diag_error("the Kafka client can't be made", "for=%s reason=\"%s\"", what, why->text);
	return good;
}

/* Makes what speaks to Kafka; false after a line in the log. */
static bool
connect_kafka(struct app *app, const struct conf *conf, const struct settings *s)
{
	struct weir_error why;
	struct weir_setting *list;
	size_t n;

	list = kafka_settings(conf, s, for_producer, "weir-rest-proxy", &n);
	app->producer = weir_producer_new(list, n, &why);
	free(list);
	if (!tell(app->producer != NULL, "producer", &why))
		return false;
	list = kafka_settings(conf, s, for_admin, "weir-rest-proxy-admin", &n);
	app->admin = weir_admin_new(list, n, &why);
	free(list);
	return tell(app->admin != NULL, "admin", &why);
}

static void
on_ready(void *fd)
{
	program_ready(*(int *)fd);
}

/* Three sockets, so that polls and streams take no thread from requests that are over at once. */
static int
serve(struct app *app, const struct settings *s, int ready_fd)
{
	struct router *router = router_new(app_routes);
	struct fcgi_app fcgi = { .name = "rest-proxy",
		.app = app,
		.router = router,
		.body_max = (size_t)s->body_max,
		.arena_max = (size_t)s->body_max * 8,
		.before = app_before };
	struct fcgi_pool pools[] = {
		{ "requests", program_socket(s->socket, ".sock"), s->connections, s->requests },
		{ "consumers", program_socket(s->socket, "-consumers.sock"), s->connections, s->polls },
		{ "streams", program_socket(s->socket, "-streams.sock"), s->connections, s->streams },
	};
	size_t n = sizeof pools / sizeof *pools;
	int r = fcgi_run(&fcgi, pools, n, s->stop_ms, on_ready, &ready_fd);

	for (size_t i = 0; i < n; i++)
		free(pools[i].path);
	router_free(router);
	return r;
}

static int
run(const struct conf *conf, const struct settings *s, int ready_fd)
{
	struct app app = { .id = s->id, .authority = s->authority, .request_timeout_ms = s->request_timeout_ms,
		.batch_max = s->produce_batch_max, .stream_max_ms = s->stream_max_ms, .stream_grace_ms = s->stream_grace_ms };
	struct consumers_settings c = { .max = s->consumers_max, .instance_timeout_ms = s->consumer_instance_timeout_ms,
		.request_timeout_ms = s->consumer_request_timeout_ms, .min_bytes = s->fetch_min_bytes,
		.max_bytes = s->consumer_request_max_bytes };
	struct weir_setting *kafka = kafka_settings(conf, s, for_consumers, "weir-rest-proxy-consumer", &c.n_kafka);
	int status = EXIT_FAILURE;

	c.kafka = kafka;
	if (connect_kafka(&app, conf, s)) {
		app.consumers = consumers_new(&c);
		status = serve(&app, s, ready_fd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		consumers_free(app.consumers);
	}
	weir_producer_free(app.producer, s->stop_ms);
	weir_admin_free(app.admin);
	free(kafka);
	return status;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	struct conf conf;
	int ready_fd, status = program_begin(&page, argc, argv, &conf, &settings, &ready_fd);

	if (status == -1) {
		diag_set_level((enum diag_level)settings.log_level);
		status = run(&conf, &settings, ready_fd);
	}
	conf_done(&conf);
	return status;
}
