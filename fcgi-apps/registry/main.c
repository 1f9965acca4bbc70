/* main.c -- weir-registry: the schema registry behind nginx. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "common/fcgi.h"
#include "common/program.h"
#include "registry/app.h"

/* The index of each setting. */
enum param {
#define PARAM(type, field, ...) PARAM_##field,
#define PARAM_ALIAS(name, field)
#include "registry/params.tbl"
	PARAMS
};

struct settings {
#define PARAM(type, field, ...) SETTING_C_##type field;
#define PARAM_ALIAS(name, field)
#include "registry/params.tbl"
};

static const struct setting rows[PARAMS] = {
#define PARAM(type, field, name, fallback, min, max, choices, doc) \
	{ name, SETTING_##type, fallback, min, max, choices, offsetof(struct settings, field), false, doc },
#define PARAM_ALIAS(name, field)
#include "registry/params.tbl"
};

static const struct conf_alias aliases[] = {
#define PARAM(type, field, ...)
#define PARAM_ALIAS(name, field) { name, PARAM_##field },
#include "registry/params.tbl"
	{ NULL, 0 },
};

static const char kafka_prefix[] = "kafkastore.";

static const struct conf_prefix prefixes[] = {
	{ kafka_prefix, "A setting of librdkafka's for the connection to the brokers: kafkastore.security.protocol, kafkastore.sasl.username, kafkastore.ssl.ca.location ..." },
	{ NULL, NULL },
};

static const struct conf_table table = { rows, PARAMS, aliases, prefixes, "weir-registry.conf(5)", NULL };

static const struct conf_section sections[] = { { "Settings", NULL, &table, NULL, false, true } };

static const struct conf_page page = { "weir-registry",
	"<!-- Made from fcgi-apps/registry/params.tbl by `make docs`: edit that. -->\n\n"
	"The file is one of Java's properties; weir-logd.conf(5) tells its syntax. All settings are read at the\n"
	"start only.\n",
	sections, sizeof sections / sizeof *sections };

/* librdkafka's settings: the brokers, and those with the prefix.  Owned. */
static struct log_property *
kafka_properties(const struct conf *conf, const struct settings *s, size_t *n)
{
	struct log_property *list = xcalloc(conf->n_extras + 1, sizeof *list);

	list[0] = (struct log_property){ "bootstrap.servers", s->bootstrap_servers };
	for (size_t i = 0; i < conf->n_extras; i++)
		list[i + 1] = (struct log_property){ conf->extras[i].key + strlen(kafka_prefix),
			conf->extras[i].value };
	*n = conf->n_extras + 1;
	return list;
}

static struct log *
open_log(struct app *app, const struct conf *conf, const struct settings *s)
{
	struct log_settings settings = { .topic = s->topic,
		.replication_factor = s->replication_factor,
		.writer = s->leader_eligibility,
		.group = s->group_id,
		.take_over = s->take_over,
		.timeout_ms = s->timeout_ms,
		.init_timeout_ms = s->init_timeout_ms };
	struct log_property *properties = kafka_properties(conf, s, &settings.n_properties);
	struct log *log;

	settings.properties = properties;
	log = log_open(&settings, app_apply, app_aborted, app);
	free(properties);
	return log;
}

struct ready {
	struct app *app;
	int fd;
};

static void
on_ready(void *ctx)
{
	struct ready *ready = ctx;

	atomic_store(&ready->app->ready, true);
	program_ready(ready->fd);
}

/* Two sockets where this process may write, so that writes, which wait, take no thread from questions. */
static int
serve(struct app *app, const struct settings *s, int ready_fd)
{
	struct router *router = router_new(app_routes);
	struct fcgi_app fcgi = { .name = "registry",
		.app = app,
		.router = router,
		.problem_type = "application/vnd.schemaregistry.v1+json",
		.body_max = (size_t)s->body_max,
		.arena_max = (size_t)s->body_max * 32,
		.arrive = app_arrive,
		.before = app_before };
	struct fcgi_pool pools[] = {
		{ "requests", program_socket(s->socket, ".sock"), s->connections, s->requests },
		{ APP_WRITES, program_socket(s->socket, "-writes.sock"), s->connections, s->connections },
	};
	struct ready ready = { app, ready_fd };
	int r = fcgi_run(&fcgi, pools, s->leader_eligibility ? 2 : 1, s->stop_ms, on_ready, &ready);

	router_free(router);
	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
		free(pools[i].path);
	return r;
}

static int
open_and_serve(struct app *app, const struct conf *conf, const struct settings *s, int ready_fd)
{
	int r;

	if ((app->log = open_log(app, conf, s)) == NULL)
		return -1;
	r = serve(app, s, ready_fd);
	log_close(app->log);
	return r;
}

/* Readers come without a break: the log's thread, which writes, goes before them. */
static void
init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static int
run(const struct conf *conf, const struct settings *s, int ready_fd)
{
	struct app app = { .registry = registry_new((enum level)s->level),
		.timeout_ms = s->timeout_ms,
		.mode_mutability = s->mode_mutability,
		.group = s->group_id,
		.attributes = s->attributes };
	int status = EXIT_FAILURE;

	app_tell_incompatible(s->incompatible == 0 ? 409 : 40901);
	init_lock(&app.lock);
	turns_init(&app.turns);
	if (open_and_serve(&app, conf, s, ready_fd) == 0)
		status = EXIT_SUCCESS;
	registry_free(app.registry);
	turns_done(&app.turns);
	pthread_rwlock_destroy(&app.lock);
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
