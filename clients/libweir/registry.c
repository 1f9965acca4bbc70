/* registry.c -- a schema registry's client: settings, requests tried in turn and again, refusals told. */
#include "libweir/registry.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/setting.h"
#include "libweir/http.h"
#include "libweir/say.h"

static const char prefix[] = "schema.registry.";

struct values {
	const char *url, *user_info, *token, *ca, *certificate, *key;
	int32_t retries, wait_ms, wait_max_ms, connect_ms, read_ms;
};

#define AT(field) offsetof(struct values, field)
#define INT_ROW(name, fallback, min, field) { name, SETTING_INT, fallback, min, INT32_MAX, NULL, AT(field), false, NULL }
#define TEXT_ROW(name, field) { name, SETTING_STRING, NULL, 0, 0, NULL, AT(field), false, NULL }

static const struct setting table[] = {
	TEXT_ROW("url", url),
	TEXT_ROW("basic.auth.user.info", user_info),
	TEXT_ROW("bearer.auth.token", token),
	TEXT_ROW("ssl.ca.location", ca),
	TEXT_ROW("ssl.certificate.location", certificate),
	TEXT_ROW("ssl.key.location", key),
	INT_ROW("max.retries", "3", 0, retries),
	INT_ROW("retries.wait.ms", "1000", 0, wait_ms),
	INT_ROW("retries.max.wait.ms", "20000", 0, wait_max_ms),
	INT_ROW("http.connect.timeout.ms", "60000", 1, connect_ms),
	INT_ROW("http.read.timeout.ms", "60000", 1, read_ms),
};

enum { N_SETTINGS = sizeof table / sizeof *table };

struct weir_registry {
	struct values values;
	char *texts[N_SETTINGS];   /* owned: what the values point to */
	struct http_place *places; /* owned */
	size_t n_places;
	atomic_size_t next;        /* the place that is asked first */
	struct http *http;         /* owned */
};

/* ---- settings ---- */

static size_t
find_setting(const char *key)
{
	size_t i = 0;

	if (strncmp(key, prefix, sizeof prefix - 1) == 0)
		key += sizeof prefix - 1;
	while (i < N_SETTINGS && strcmp(table[i].name, key) != 0)
		i++;
	return i;
}

static bool
set_one(struct weir_registry *r, const struct weir_setting *s, struct weir_error *why)
{
	size_t i = find_setting(s->key);
	char text[192];

	if (i == N_SETTINGS) {
		error_say(why, WEIR_INVALID, "%s: a schema registry's client has no such setting", s->key);
		return false;
	}
	free(r->texts[i]);
	if ((r->texts[i] = strdup(s->value)) == NULL) {
		error_say(why, WEIR_NO_MEMORY, "no memory for the settings");
		return false;
	}
	if (setting_store(&table[i], span_str(r->texts[i]), &r->values, text, sizeof text) == 0)
		return true;
	error_say(why, WEIR_INVALID, "%s: %s", s->key, text);
	return false;
}

static bool
set_all(struct weir_registry *r, const struct weir_setting *list, size_t n, struct weir_error *why)
{
	char text[192];

	for (size_t i = 0; i < N_SETTINGS; i++)
		if (table[i].fallback != NULL)
			setting_store(&table[i], span_str(table[i].fallback), &r->values, text, sizeof text);
	for (size_t i = 0; i < n; i++)
		if (!set_one(r, &list[i], why))
			return false;
	/* It becomes a line of the request's head. */
	if (r->values.token != NULL && strpbrk(r->values.token, "\r\n") != NULL) {
		error_say(why, WEIR_INVALID, "schema.registry.bearer.auth.token: a token has no line breaks");
		return false;
	}
	return true;
}

/* One more URL of the list: what stands before the next comma. */
static bool
add_place(struct weir_registry *r, struct span text, struct weir_error *why)
{
	struct http_place *more = realloc(r->places, (r->n_places + 1) * sizeof *more);

	if (more == NULL) {
		error_say(why, WEIR_NO_MEMORY, "no memory for the registry's URL");
		return false;
	}
	r->places = more;
	return http_place_read(&r->places[r->n_places++], text, why);
}

static bool
set_places(struct weir_registry *r, struct weir_error *why)
{
	const char *at = r->values.url == NULL ? "" : r->values.url;

	while (*at != '\0') {
		size_t n = strcspn(at, ",");
		struct span text = setting_trim(span_of(at, n));

		if (text.n > 0 && !add_place(r, text, why))
			return false;
		at += at[n] == ',' ? n + 1 : n;
	}
	if (r->n_places > 0)
		return true;
	error_say(why, WEIR_INVALID, "schema.registry.url says where the registry answers, and is not set");
	return false;
}

struct weir_registry *
weir_registry_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	struct weir_registry *r = calloc(1, sizeof *r);
	const struct values *v;

	*why = (struct weir_error){ .kind = WEIR_OK };
	if (r == NULL)
		error_say(why, WEIR_NO_MEMORY, "no memory for the registry's client");
	else if (set_all(r, settings, n, why) && set_places(r, why)) {
		v = &r->values;
		r->http = http_new(&(struct http_settings){ v->user_info, v->token, v->ca, v->certificate, v->key,
		    v->connect_ms, v->read_ms });
		if (r->http != NULL)
			return r;
		error_say(why, WEIR_NO_MEMORY, "no memory for the registry's client");
	}
	weir_registry_free(r);
	return NULL;
}

void
weir_registry_free(struct weir_registry *r)
{
	if (r == NULL)
		return;
	http_free(r->http);
	for (size_t i = 0; i < r->n_places; i++)
		http_place_done(&r->places[i]);
	for (size_t i = 0; i < N_SETTINGS; i++)
		free(r->texts[i]);
	free(r->places);
	free(r);
}

/* ---- targets ---- */

/* Appends it as RFC 3986 has it: all but letters, digits and - . _ ~ by its bytes. */
static void
put_encoded(struct buf *to, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			buf_u8(to, (uint8_t)*text);
		else
			buf_printf(to, "%%%02X", (unsigned)(unsigned char)*text);
}

static void
put_target(struct buf *to, const struct weir_call *call)
{
	const char *before = "?";

	for (size_t i = 0; i < WEIR_SEGMENTS_MAX && call->path[i] != NULL; i++) {
		buf_u8(to, '/');
		put_encoded(to, call->path[i]);
	}
	if (to->n == 0)
		buf_u8(to, '/');
	for (size_t i = 0; i < WEIR_QUERIES_MAX && call->query[i].name != NULL; i++) {
		if (call->query[i].value == NULL)
			continue;
		buf_printf(to, "%s%s=", before, call->query[i].name);
		put_encoded(to, call->query[i].value);
		before = "&";
	}
	buf_u8(to, '\0');
}

/* ---- tries ---- */

/* Statuses that mean something else than that the request is wrong. */
static const struct {
	int status;
	enum weir_kind kind;
	bool again; /* it may go well another time */
} statuses[] = {
	{ 401, WEIR_UNAUTHENTICATED, false },
	{ 403, WEIR_FORBIDDEN, false },
	{ 408, WEIR_RETRIABLE, true },
	{ 413, WEIR_TOO_LARGE, false },
	{ 429, WEIR_RETRIABLE, true },
	{ 500, WEIR_RETRIABLE, true },
	{ 502, WEIR_RETRIABLE, true },
	{ 503, WEIR_RETRIABLE, true },
	{ 504, WEIR_RETRIABLE, true },
};

static bool
status_again(int status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return statuses[i].again;
	return false;
}

static enum weir_kind
status_kind(int status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return statuses[i].kind;
	return status >= 400 && status < 500 ? WEIR_INVALID : WEIR_FAILED;
}

/* Waits before all are tried again: longer each time, and not all clients at the same moment. */
static void
rest(const struct weir_registry *r, int time, long asked_ms)
{
	int64_t ms = r->values.wait_ms, max = r->values.wait_max_ms;
	struct timespec now, wait;

	while (time-- > 0 && ms < max)
		ms *= 2;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms -= ms * (now.tv_nsec / 1000 % 256) / 1024;
	if (ms < asked_ms)
		ms = asked_ms;
	if (ms > max)
		ms = max;
	wait = (struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
	nanosleep(&wait, NULL);
}

/* A request on its way from place to place. */
struct trial {
	struct weir_registry *registry;
	struct http_request request;
	struct http_reply reply;
	bool answered; /* the reply is one */
	bool again;
};

/* Asks the places in turn; true once one has given an answer that is not worth another try. */
static bool
try_all(struct trial *t, struct weir_error *why)
{
	struct weir_registry *r = t->registry;
	size_t first = atomic_load(&r->next);
	bool again = false;

	for (size_t i = 0; i < r->n_places; i++) {
		size_t at = (first + i) % r->n_places;

		buf_done(&t->reply.body);
		t->request.place = &r->places[at];
		t->answered = http_ask(r->http, &t->request, &t->reply, &t->again, why);
		if (t->answered && !status_again(t->reply.status)) {
			atomic_store(&r->next, at);
			return true;
		}
		again = again || t->again || t->answered;
	}
	t->again = again;
	return false;
}

/* A string of JSON as one line; NULL: there is no room for it. */
static const char *
one_line(struct arena *a, struct span text)
{
	char *line = arena_printf(a, "%.*s", (int)text.n, (const char *)text.p);

	for (char *p = line; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	return line;
}

/* The registry's own words, where the answer has them: {"error_code":N,"message":"..."}. */
static void
read_refusal(struct weir_answer *out, const char *url, const char *location, struct arena *a, struct weir_error *why)
{
	const struct json *message = json_get(out->json, "message");
	int64_t code;

	if (json_is_int(json_get(out->json, "error_code"), &code) && json_is_kind(message, JSON_STRING)) {
		out->message = one_line(a, message->text);
		error_say(why, status_kind(out->status), "%s", out->message == NULL ? "no memory for the registry's words" : out->message);
		why->code = (int)code;
		return;
	}
	if (location[0] != '\0')
		error_say(why, WEIR_INVALID, "%s answered %d and points to %s: set schema.registry.url to what is right", url,
		    out->status, location);
	else
		error_say(why, status_kind(out->status),
		    "%s answered %d, but not in a registry's words: is it one, or did something before it answer?", url, out->status);
	why->code = out->status;
}

/* What has come, for the caller. */
static bool
read_answer(struct trial *t, const struct weir_call *call, struct arena *a, struct weir_answer *out,
    struct weir_error *why)
{
	const char *url = t->request.place->url;
	struct json_mistake mistake = { .memory = false };
	struct span body = buf_bytes(&t->reply.body);
	bool good = t->reply.status >= 200 && t->reply.status < 300;

	*why = (struct weir_error){ .kind = WEIR_OK };
	out->status = t->reply.status;
	out->body = span_of(arena_copy(a, body.p, body.n), body.n);
	if (out->body.p != NULL && body.n > 0 && !(call->raw && good))
		out->json = json_parse(a, out->body, &mistake);
	if (out->body.p == NULL || mistake.memory)
		error_say(why, WEIR_TOO_LARGE, "%s answered with more than there is room for", url);
	else if (!good)
		read_refusal(out, url, t->reply.location, a, why);
	else if (out->json == NULL && body.n > 0 && !call->raw)
		error_say(why, WEIR_FAILED, "%s answered with what is no JSON: does this URL lead to a schema registry?", url);
	if (why->kind != WEIR_OK && why->code == 0)
		why->code = out->status;
	return why->kind == WEIR_OK;
}

static const char *const methods[] = { [WEIR_GET] = "GET", [WEIR_POST] = "POST", [WEIR_PUT] = "PUT", [WEIR_DELETE] = "DELETE" };

bool
weir_registry_call(struct weir_registry *r, const struct weir_call *call, struct arena *a, struct weir_answer *out,
    struct weir_error *why)
{
	struct buf target = { 0 };
	struct trial t = { .registry = r };
	bool good = false;
	int time = 0;

	*out = (struct weir_answer){ 0 };
	put_target(&target, call);
	if (target.failed)
		error_say(why, WEIR_NO_MEMORY, "no memory for a request to the registry");
	else {
		t.request = (struct http_request){ .method = methods[call->method], .target = (const char *)target.p,
			.body = call->body, .answer_max = a->cap - a->used };
		while (!try_all(&t, why) && t.again && time < r->values.retries)
			rest(r, time++, t.answered ? t.reply.retry_after_ms : 0);
		/* Of several that failed, the last one's answer is told. */
		good = t.answered && read_answer(&t, call, a, out, why);
	}
	buf_done(&t.reply.body);
	buf_done(&target);
	return good;
}
