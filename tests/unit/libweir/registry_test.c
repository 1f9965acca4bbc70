/* registry_test.c -- the client of schema registries, with a server of the test's own. */
#include "libweir/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "unit/libweir/http_server.h"
#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static const struct scripted fine[] = { { 200, NULL, "{}" } };

struct world {
	struct server *server;
	struct weir_registry *registry;
	struct arena arena;
	struct weir_answer answer;
	struct weir_error why;
};

/* A server with this script and a client of it; `url`: before the server's, where there are several. */
static struct world
begin(const struct scripted *script, size_t n, const char *url, const struct weir_setting *more)
{
	struct world w = { .server = server_start(script, n) };
	struct weir_setting list[5] = { { "schema.registry.url", NULL }, { "retries.wait.ms", "1" }, { "max.retries", "2" } };
	size_t n_list = 3;
	char urls[200];

	snprintf(urls, sizeof urls, "%s%s%s", url == NULL ? "" : url, url == NULL ? "" : ",", server_url(w.server));
	list[0].value = urls;
	if (more != NULL)
		list[n_list++] = *more;
	arena_init(&w.arena, 1 << 20);
	w.registry = weir_registry_new(list, n_list, &w.why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.registry);
	return w;
}

static void
end(struct world *w)
{
	weir_registry_free(w->registry);
	server_stop(w->server);
	arena_done(&w->arena);
}

static bool
call(struct world *w, const struct weir_call *c)
{
	return weir_registry_call(w->registry, c, &w->arena, &w->answer, &w->why);
}

static const struct weir_call subjects = { .path = { "subjects" } };

/* ---- requests ---- */

static void
segments_and_queries_are_encoded(void)
{
	static const struct {
		struct weir_call call;
		const char *line;
	} rows[] = {
		{ { .path = { NULL } }, "GET / HTTP/1.1" },
		{ { .path = { "subjects" } }, "GET /subjects HTTP/1.1" },
		{ { .path = { "subjects", "a/b c%2F?#\xc3\xa9", "versions", "latest" } },
		    "GET /subjects/a%2Fb%20c%252F%3F%23%C3%A9/versions/latest HTTP/1.1" },
		{ { .path = { "subjects", ":.ctx:s~_-." } }, "GET /subjects/%3A.ctx%3As~_-. HTTP/1.1" },
		{ { .path = { "subjects", ".." } }, "GET /subjects/.. HTTP/1.1" },
		{ { .path = { "subjects", "" } }, "GET /subjects/ HTTP/1.1" },
		{ { .method = WEIR_DELETE, .path = { "subjects", "s" }, .query = { { "permanent", "true" } } },
		    "DELETE /subjects/s?permanent=true HTTP/1.1" },
		{ { .path = { "schemas" }, .query = { { "a", NULL }, { "b", "&=+" }, { "c", "" } } },
		    "GET /schemas?b=%26%3D%2B&c= HTTP/1.1" },
	};
	struct world w = begin(fine, 1, NULL, NULL);

	for (size_t i = 0; i < N_OF(rows); i++) {
		CU_ASSERT(call(&w, &rows[i].call));
		CU_ASSERT(server_was_asked(w.server, i, rows[i].line));
	}
	CU_ASSERT_EQUAL(server_connections(w.server), 1);
	end(&w);
}

static void
bodies_and_heads_are_what_registries_take(void)
{
	struct world w = begin(fine, 1, NULL, NULL);
	struct weir_call put = { .method = WEIR_PUT, .path = { "config" }, .body = span_str("{\"compatibility\":\"FULL\"}") };

	CU_ASSERT(call(&w, &put));
	CU_ASSERT(server_was_asked(w.server, 0, "PUT /config HTTP/1.1"));
	CU_ASSERT(server_was_asked(w.server, 0, "Content-Type: application/vnd.schemaregistry.v1+json"));
	CU_ASSERT(server_was_asked(w.server, 0, "Content-Length: 24"));
	CU_ASSERT_STRING_EQUAL(server_body(w.server, 0), "{\"compatibility\":\"FULL\"}");
	CU_ASSERT_PTR_NULL(strstr(server_request(w.server, 0), "Authorization"));
	CU_ASSERT_PTR_NULL(strstr(server_request(w.server, 0), "Expect"));
	end(&w);
}

static void
a_schemas_request_has_what_differs_from_the_usual(void)
{
	static const struct weir_schema_ref ref = { "x.T", ":.c:\"s\"", 3 };
	struct weir_schema s = { .text = span_str("\"int\"") };
	struct buf b = { 0 };

	weir_schema_put_request(&b, &s);
	CU_ASSERT(span_is(buf_bytes(&b), "{\"schema\":\"\\\"int\\\"\"}"));
	buf_reset(&b);
	s.type = "AVRO";
	weir_schema_put_request(&b, &s);
	CU_ASSERT(span_is(buf_bytes(&b), "{\"schema\":\"\\\"int\\\"\"}"));
	buf_reset(&b);
	s = (struct weir_schema){ .type = "JSON", .text = span_str("{}"), .refs = &ref, .n_refs = 1 };
	weir_schema_put_request(&b, &s);
	CU_ASSERT(span_is(buf_bytes(&b), "{\"schemaType\":\"JSON\",\"references\":[{\"name\":\"x.T\",\"subject\":\":.c:\\\"s\\\"\","
					 "\"version\":3}],\"schema\":\"{}\"}"));
	buf_done(&b);
}

static void
who_asks_is_told_as_the_settings_say(void)
{
	static const struct {
		const char *user; /* in the URL */
		struct weir_setting setting;
		const char *line;
	} rows[] = {
		{ "", { "schema.registry.basic.auth.user.info", "me:se:cret" }, "Authorization: Basic bWU6c2U6Y3JldA==" },
		{ "", { "basic.auth.user.info", "me:se:cret" }, "Authorization: Basic bWU6c2U6Y3JldA==" },
		{ "me:p%40ss@", { "max.retries", "0" }, "Authorization: Basic bWU6cEBzcw==" },
		{ "me:p%40ss@", { "basic.auth.user.info", "you:x" }, "Authorization: Basic bWU6cEBzcw==" },
		{ "", { "bearer.auth.token", "t0.k-n" }, "Authorization: Bearer t0.k-n" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct server *server = server_start(fine, 1);
		struct weir_setting list[2] = { { "url", NULL }, rows[i].setting };
		struct arena arena;
		struct weir_registry *r;
		struct weir_answer answer;
		struct weir_error why;
		char url[128];

		arena_init(&arena, 1 << 20);
		snprintf(url, sizeof url, "http://%s%s/", rows[i].user, server_url(server) + strlen("http://"));
		list[0].value = url;
		r = weir_registry_new(list, 2, &why);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		CU_ASSERT(weir_registry_call(r, &subjects, &arena, &answer, &why));
		CU_ASSERT(server_was_asked(server, 0, "GET /subjects HTTP/1.1"));
		CU_ASSERT(server_was_asked(server, 0, rows[i].line));
		weir_registry_free(r);
		server_stop(server);
		arena_done(&arena);
	}
}

static void
settings_that_are_wrong_are_told(void)
{
	static const struct {
		struct weir_setting list[2];
		const char *told;
	} rows[] = {
		{ { { "url", "" } }, "is not set" },
		{ { { "url", " , " } }, "is not set" },
		{ { { "url", "localhost:8081" } }, "write http://host:port" },
		{ { { "url", "ftp://me:secret@host" } }, "write http://host:port" },
		{ { { "url", "http://h" }, { "schema.registry.no.such", "1" } }, "schema.registry.no.such: " },
		{ { { "url", "http://h" }, { "max.retries", "often" } }, "max.retries: " },
		{ { { "url", "http://h" }, { "http.read.timeout.ms", "0" } }, "http.read.timeout.ms: " },
		{ { { "url", "http://h" }, { "bearer.auth.token", "a\r\nb: c" } }, "no line breaks" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		size_t n = rows[i].list[1].key == NULL ? 1 : 2;
		struct weir_error why;

		CU_ASSERT_PTR_NULL(weir_registry_new(rows[i].list, n, &why));
		CU_ASSERT_EQUAL(why.kind, WEIR_INVALID);
		CU_ASSERT_EQUAL(why.code, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(why.text, rows[i].told));
		CU_ASSERT_PTR_NULL(strstr(why.text, "secret"));
	}
}

/* ---- tries ---- */

static void
what_may_pass_is_tried_again(void)
{
	static const int passing[] = { 408, 429, 500, 502, 503, 504 };

	for (size_t i = 0; i < N_OF(passing); i++) {
		struct scripted script[] = { { passing[i], NULL, "busy" }, { passing[i], NULL, NULL }, { 200, NULL, "[]" } };
		struct world w = begin(script, 3, NULL, NULL);

		CU_ASSERT(call(&w, &subjects));
		CU_ASSERT(w.answer.status == 200 && w.why.kind == WEIR_OK);
		CU_ASSERT(json_is_kind(w.answer.json, JSON_ARRAY));
		CU_ASSERT_EQUAL(server_requests(w.server), 3);
		end(&w);
	}
}

static void
tries_have_an_end(void)
{
	static const struct scripted script[] = { { 503, NULL, "{\"error_code\":50004,\"message\":\"Leader not known.\"}" } };
	struct world w = begin(script, 1, NULL, NULL);

	CU_ASSERT_FALSE(call(&w, &subjects));
	CU_ASSERT_EQUAL(server_requests(w.server), 3);
	CU_ASSERT(w.why.kind == WEIR_RETRIABLE && w.why.code == 50004 && w.answer.status == 503);
	CU_ASSERT_STRING_EQUAL(w.why.text, "Leader not known.");
	end(&w);
}

static void
what_is_refused_is_not_tried_again(void)
{
	static const struct {
		struct scripted answer;
		enum weir_kind kind;
		int code;
		const char *told;
	} rows[] = {
		{ { 404, NULL, "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}" }, WEIR_INVALID, 40401, "Subject 's' not found." },
		{ { 401, NULL, "{\"error_code\":401,\"message\":\"Unauthorized\"}" }, WEIR_UNAUTHENTICATED, 401, "Unauthorized" },
		{ { 403, NULL, "{\"error_code\":403,\"message\":\"No\"}" }, WEIR_FORBIDDEN, 403, "No" },
		{ { 413, NULL, "<html>" }, WEIR_TOO_LARGE, 413, "answered 413, but not in a registry's words" },
		{ { 404, NULL, "<html>nginx</html>" }, WEIR_INVALID, 404, "answered 404, but not in a registry's words" },
		{ { 404, NULL, "{\"error\":\"none\"}" }, WEIR_INVALID, 404, "answered 404, but not in a registry's words" },
		{ { 301, "Location: https://other.example/x\r\n", NULL }, WEIR_INVALID, 301, "points to https://other.example/x: set schema.registry.url" },
		{ { 200, NULL, "<html>Welcome</html>" }, WEIR_FAILED, 200, "does this URL lead to a schema registry?" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct world w = begin(&rows[i].answer, 1, NULL, NULL);

		CU_ASSERT_FALSE(call(&w, &subjects));
		CU_ASSERT_EQUAL(server_requests(w.server), 1);
		CU_ASSERT_EQUAL(w.answer.status, rows[i].answer.status);
		CU_ASSERT_EQUAL(w.why.kind, rows[i].kind);
		CU_ASSERT_EQUAL(w.why.code, rows[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(w.why.text, rows[i].told));
		end(&w);
	}
}

static void
a_refusal_is_told_whole(void)
{
	static char body[1200];
	struct scripted script[] = { { 409, NULL, body } };
	struct world w;
	char words[1001] = "";

	memset(words, 'x', sizeof words - 1);
	snprintf(body, sizeof body, "{\"error_code\":409,\"message\":\"%s\"}", words);
	w = begin(script, 1, NULL, NULL);
	CU_ASSERT_FALSE(call(&w, &subjects));
	CU_ASSERT_STRING_EQUAL(w.answer.message, words);
	CU_ASSERT_EQUAL(strlen(w.why.text), sizeof w.why.text - 1);
	end(&w);
}

static void
the_next_url_is_asked_where_one_is_away(void)
{
	struct world w = begin(fine, 1, server_nobody(), NULL);

	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT_EQUAL(server_requests(w.server), 2);
	end(&w);
}

static void
the_url_that_answered_last_is_asked_first(void)
{
	static const struct scripted busy[] = { { 503, NULL, NULL }, { 200, NULL, "{\"first\":1}" } };
	struct server *first = server_start(busy, 2);
	struct world w = begin(fine, 1, server_url(first), NULL);

	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT_EQUAL(server_requests(first), 1);
	CU_ASSERT_EQUAL(server_requests(w.server), 2);
	end(&w);
	server_stop(first);
}

static void
who_is_away_is_told_by_name(void)
{
	struct weir_setting list[] = { { "url", server_nobody() }, { "max.retries", "1" }, { "retries.wait.ms", "1" } };
	struct weir_error why;
	struct weir_registry *r = weir_registry_new(list, 3, &why);
	struct weir_answer answer;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_FALSE(weir_registry_call(r, &subjects, &arena, &answer, &why));
	CU_ASSERT(why.kind == WEIR_RETRIABLE && why.code == 0 && answer.status == 0);
	CU_ASSERT_EQUAL(strncmp(why.text, list[0].value, strlen(list[0].value)), 0);
	weir_registry_free(r);
	arena_done(&arena);
}

static void
a_connection_that_ends_is_tried_anew(void)
{
	static const struct scripted script[] = { { 200, NULL, "{}" }, { 0, NULL, NULL }, { 0, NULL, NULL }, { 200, NULL, "[1]" } };
	struct world w = begin(script, 4, NULL, NULL);

	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT(json_is_kind(w.answer.json, JSON_ARRAY));
	end(&w);
}

static void
an_answer_has_to_fit(void)
{
	static char body[4000];
	struct scripted script[] = { { 200, NULL, body } };
	struct world w;

	memset(body, ' ', sizeof body - 1);
	body[0] = '[';
	body[sizeof body - 2] = ']';
	w = begin(script, 1, NULL, NULL);
	for (size_t cap = 1000; cap <= 100000; cap *= 10) {
		arena_done(&w.arena);
		arena_init(&w.arena, cap);
		CU_ASSERT_EQUAL(call(&w, &subjects), cap == 100000 || cap == 10000);
		CU_ASSERT_EQUAL(w.why.kind, cap == 1000 ? WEIR_TOO_LARGE : WEIR_OK);
	}
	end(&w);
}

static void
raw_answers_and_none_are_fine(void)
{
	static const struct scripted script[] = { { 200, NULL, "syntax = \"proto3\";" }, { 204, NULL, NULL } };
	struct world w = begin(script, 2, NULL, NULL);
	struct weir_call raw = { .path = { "schemas", "ids", "1", "schema" }, .raw = true };

	CU_ASSERT(call(&w, &raw));
	CU_ASSERT(w.answer.json == NULL && span_is(w.answer.body, "syntax = \"proto3\";"));
	CU_ASSERT(call(&w, &subjects));
	CU_ASSERT(w.answer.json == NULL && w.answer.body.n == 0 && w.answer.status == 204);
	end(&w);
}

/* ---- schemas ---- */

static void
registering_gives_what_there_is(void)
{
	static const struct scripted script[] = { { 200, NULL, "{\"id\":7}" },
		{ 200, NULL, "{\"id\":8,\"version\":2,\"schemaType\":\"JSON\",\"schema\":\"{}\"}" }, { 200, NULL, "{}" } };
	struct world w = begin(script, 3, NULL, NULL);
	struct weir_schema in = { .text = span_str("\"int\"") }, out;

	CU_ASSERT(weir_registry_register(w.registry, "s/t", &in, false, &w.arena, &out, &w.why));
	CU_ASSERT(out.id == 7 && out.version == 0 && out.text.p == NULL && strcmp(out.type, "AVRO") == 0);
	CU_ASSERT(server_was_asked(w.server, 0, "POST /subjects/s%2Ft/versions HTTP/1.1"));
	CU_ASSERT_STRING_EQUAL(server_body(w.server, 0), "{\"schema\":\"\\\"int\\\"\"}");
	CU_ASSERT(weir_registry_register(w.registry, "s", &in, true, &w.arena, &out, &w.why));
	CU_ASSERT(out.id == 8 && out.version == 2 && strcmp(out.type, "JSON") == 0 && span_is(out.text, "{}"));
	CU_ASSERT(server_was_asked(w.server, 1, "POST /subjects/s/versions?normalize=true HTTP/1.1"));
	CU_ASSERT_FALSE(weir_registry_register(w.registry, "s", &in, true, &w.arena, &out, &w.why));
	CU_ASSERT(w.why.kind == WEIR_FAILED && w.why.code == 200);
	end(&w);
}

static void
schemas_are_found_by_what_is_known_of_them(void)
{
	static const struct scripted script[] = { { 200, NULL,
		"{\"subject\":\"s\",\"version\":3,\"id\":9,\"references\":[{\"name\":\"n\",\"subject\":\"t\",\"version\":2}],\"schema\":\"\\\"T\\\"\"}" } };
	struct world w = begin(script, 1, NULL, NULL);
	struct weir_schema in = { .text = span_str("\"T\"") }, out[5];

	CU_ASSERT(weir_registry_lookup(w.registry, "s", &in, false, &w.arena, &out[0], &w.why));
	CU_ASSERT(weir_registry_version(w.registry, "s", 3, &w.arena, &out[1], &w.why));
	CU_ASSERT(weir_registry_version(w.registry, "s", WEIR_LATEST, &w.arena, &out[2], &w.why));
	CU_ASSERT(weir_registry_by_id(w.registry, 9, NULL, &w.arena, &out[3], &w.why));
	CU_ASSERT(weir_registry_by_id(w.registry, 9, ":.c:", &w.arena, &out[4], &w.why));
	for (size_t i = 0; i < 5; i++) {
		CU_ASSERT(out[i].version == 3 && out[i].id == 9 && span_is(out[i].text, "\"T\"") && strcmp(out[i].subject, "s") == 0);
		CU_ASSERT(out[i].n_refs == 1 && strcmp(out[i].refs[0].name, "n") == 0 &&
		    strcmp(out[i].refs[0].subject, "t") == 0 && out[i].refs[0].version == 2);
	}
	CU_ASSERT(server_was_asked(w.server, 0, "POST /subjects/s HTTP/1.1"));
	CU_ASSERT(server_was_asked(w.server, 1, "GET /subjects/s/versions/3 HTTP/1.1"));
	CU_ASSERT(server_was_asked(w.server, 2, "GET /subjects/s/versions/latest HTTP/1.1"));
	CU_ASSERT(server_was_asked(w.server, 3, "GET /schemas/ids/9 HTTP/1.1"));
	CU_ASSERT(server_was_asked(w.server, 4, "GET /schemas/ids/9?subject=%3A.c%3A HTTP/1.1"));
	end(&w);
}

static void
subjects_are_listed(void)
{
	static const struct scripted script[] = { { 200, NULL, "[\"a\",\":.c:b\"]" }, { 200, NULL, "[]" }, { 200, NULL, "{}" } };
	struct world w = begin(script, 3, NULL, NULL);
	const char **names;
	size_t n;

	CU_ASSERT(weir_registry_subjects(w.registry, NULL, &w.arena, &names, &n, &w.why));
	CU_ASSERT_FATAL(n == 2);
	CU_ASSERT(strcmp(names[0], "a") == 0 && strcmp(names[1], ":.c:b") == 0);
	CU_ASSERT(server_was_asked(w.server, 0, "GET /subjects?subjectPrefix=%3A%2A%3A HTTP/1.1"));
	CU_ASSERT(weir_registry_subjects(w.registry, ":.c:", &w.arena, &names, &n, &w.why) && n == 0);
	CU_ASSERT(server_was_asked(w.server, 1, "GET /subjects?subjectPrefix=%3A.c%3A HTTP/1.1"));
	CU_ASSERT_FALSE(weir_registry_subjects(w.registry, NULL, &w.arena, &names, &n, &w.why));
	end(&w);
}

enum { CALLERS = 8, CALLS = 50 };

static void *
call_many(void *arg)
{
	struct world *w = arg;
	size_t good = 0;

	for (int i = 0; i < CALLS; i++) {
		struct weir_answer answer;
		struct weir_error why;
		struct arena arena;

		arena_init(&arena, 1 << 20);
		good += weir_registry_call(w->registry, &subjects, &arena, &answer, &why) && answer.status == 200;
		arena_done(&arena);
	}
	return good == CALLS ? arg : NULL;
}

static void
threads_share_a_handle_and_its_connections(void)
{
	struct world w = begin(fine, 1, NULL, NULL);
	pthread_t threads[CALLERS];
	void *good;

	for (size_t i = 0; i < CALLERS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, call_many, &w), 0);
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(threads[i], &good);
		CU_ASSERT_PTR_NOT_NULL(good);
	}
	CU_ASSERT_EQUAL(server_requests(w.server), CALLERS * CALLS);
	CU_ASSERT(server_connections(w.server) <= CALLERS);
	end(&w);
}

const struct unit_test registry_tests[] = {
	UNIT(segments_and_queries_are_encoded),
	UNIT(bodies_and_heads_are_what_registries_take),
	UNIT(a_schemas_request_has_what_differs_from_the_usual),
	UNIT(who_asks_is_told_as_the_settings_say),
	UNIT(settings_that_are_wrong_are_told),
	UNIT(what_may_pass_is_tried_again),
	UNIT(tries_have_an_end),
	UNIT(what_is_refused_is_not_tried_again),
	UNIT(a_refusal_is_told_whole),
	UNIT(the_next_url_is_asked_where_one_is_away),
	UNIT(the_url_that_answered_last_is_asked_first),
	UNIT(who_is_away_is_told_by_name),
	UNIT(a_connection_that_ends_is_tried_anew),
	UNIT(an_answer_has_to_fit),
	UNIT(raw_answers_and_none_are_fine),
	UNIT(registering_gives_what_there_is),
	UNIT(schemas_are_found_by_what_is_known_of_them),
	UNIT(subjects_are_listed),
	UNIT(threads_share_a_handle_and_its_connections),
	UNIT_END
};
