/* http.c -- requests of HTTP and their answers, by libcurl. */
#include "libweir/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libweir/say.h"

/* Connections that are kept while nobody uses them. */
enum { IDLE_MAX = 16 };

struct http {
	struct http_settings set;
	struct curl_slist *headers; /* owned */
	char *authorization;        /* owned; NULL: none */
	pthread_mutex_t lock;
	CURL *idle[IDLE_MAX];       /* owned; each with its connections */
	size_t n_idle;
};

/* libcurl wants to be made ready once, by one thread. */
static void
make_ready(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- places ---- */

/* A part of the URL as a string of our own; *to is NULL where there is none.  False: no memory. */
static bool
take_part(CURLU *u, CURLUPart part, char **to)
{
	char *text = NULL;

	*to = NULL;
	if (curl_url_get(u, part, &text, CURLU_URLDECODE) != CURLUE_OK)
		return true;
	*to = strdup(text);
	curl_free(text);
	return *to != NULL;
}

/* All of the URL but for who asks, what is asked and where in a page. */
static bool
take_rest(CURLU *u, char **to)
{
	static const CURLUPart parts[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	char *text = NULL;
	size_t n;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		curl_url_set(u, parts[i], NULL, 0);
	if (curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return false;
	for (n = strlen(text); n > 0 && text[n - 1] == '/'; n--)
		text[n - 1] = '\0';
	*to = strdup(text);
	curl_free(text);
	return *to != NULL;
}

static bool
is_http(CURLU *u)
{
	char *scheme = NULL;
	bool is = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

	curl_free(scheme);
	return is;
}

bool
http_place_read(struct http_place *p, struct span text, struct weir_error *why)
{
	char *whole = strndup((const char *)text.p, text.n);
	CURLU *u = curl_url();
	bool good = false;

	*p = (struct http_place){ 0 };
	*why = (struct weir_error){ .kind = WEIR_OK };
	if (whole == NULL || u == NULL)
		error_say(why, WEIR_NO_MEMORY, "no memory for the registry's URL");
	/* Not shown: there may be a password in it. */
	else if (curl_url_set(u, CURLUPART_URL, whole, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS) != CURLUE_OK || !is_http(u))
		error_say(why, WEIR_INVALID, "schema.registry.url: write http://host:port or https://host:port, several by commas");
	else if (!take_part(u, CURLUPART_USER, &p->user) || !take_part(u, CURLUPART_PASSWORD, &p->password) ||
	    !take_rest(u, &p->url))
		error_say(why, WEIR_NO_MEMORY, "no memory for the registry's URL");
	else
		good = true;
	curl_url_cleanup(u);
	free(whole);
	return good;
}

void
http_place_done(struct http_place *p)
{
	free(p->url);
	free(p->user);
	free(p->password);
}

/* ---- clients ---- */

static bool
add_header(struct http *h, const char *line)
{
	struct curl_slist *more = curl_slist_append(h->headers, line);

	if (more != NULL)
		h->headers = more;
	return more != NULL;
}

static bool
add_token(struct http *h)
{
	static const char name[] = "Authorization: Bearer ";
	size_t size;

	if (h->set.token == NULL)
		return true;
	size = sizeof name + strlen(h->set.token);
	if ((h->authorization = malloc(size)) == NULL)
		return false;
	snprintf(h->authorization, size, "%s%s", name, h->set.token);
	return add_header(h, h->authorization);
}

struct http *
http_new(const struct http_settings *set)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h = calloc(1, sizeof *h);

	pthread_once(&once, make_ready);
	if (h == NULL)
		return NULL;
	h->set = *set;
	pthread_mutex_init(&h->lock, NULL);
	if (add_header(h, "Accept: application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json; q=0.9, "
			  "application/json; q=0.5") &&
	    add_header(h, "Content-Type: application/vnd.schemaregistry.v1+json") &&
	    /* Bodies go with their heads: nobody is to say first that he wants them. */
	    add_header(h, "Expect:") && add_token(h))
		return h;
	http_free(h);
	return NULL;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (h->n_idle > 0)
		curl_easy_cleanup(h->idle[--h->n_idle]);
	pthread_mutex_destroy(&h->lock);
	curl_slist_free_all(h->headers);
	free(h->authorization);
	free(h);
}

/* A handle for one request; NULL: no memory. */
static CURL *
take(struct http *h)
{
	CURL *c = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->n_idle > 0)
		c = h->idle[--h->n_idle];
	pthread_mutex_unlock(&h->lock);
	return c != NULL ? c : curl_easy_init();
}

static void
give_back(struct http *h, CURL *c)
{
	/* Connections stay, all else goes. */
	curl_easy_reset(c);
	pthread_mutex_lock(&h->lock);
	if (h->n_idle < IDLE_MAX) {
		h->idle[h->n_idle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	if (c != NULL)
		curl_easy_cleanup(c);
}

/* ---- one request ---- */

/* An answer while it comes. */
struct arrival {
	struct buf *body;
	size_t max;
	bool too_large;
};

static size_t
on_body(char *p, size_t size, size_t count, void *ctx)
{
	struct arrival *a = ctx;
	size_t n = size * count;

	a->too_large = n > a->max - a->body->n;
	if (a->too_large)
		return 0;
	buf_put(a->body, p, n);
	return a->body->failed ? 0 : n;
}

static void
set_identity(struct http *h, CURL *c, const struct http_place *place)
{
	curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	if (place->user != NULL) {
		curl_easy_setopt(c, CURLOPT_USERNAME, place->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, place->password == NULL ? "" : place->password);
	} else if (h->set.user_info != NULL)
		curl_easy_setopt(c, CURLOPT_USERPWD, h->set.user_info);
	if (h->set.ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, h->set.ca);
	if (h->set.certificate != NULL)
		curl_easy_setopt(c, CURLOPT_SSLCERT, h->set.certificate);
	if (h->set.key != NULL)
		curl_easy_setopt(c, CURLOPT_SSLKEY, h->set.key);
}

static void
set_request(struct http *h, CURL *c, const struct http_request *q, const char *url, struct arrival *a, char *told)
{
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, h->set.connect_ms);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, h->set.connect_ms + h->set.read_ms);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, told);
	if (q->body.p != NULL) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)q->body.p);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	set_identity(h, c, q->place);
}

/* What libcurl can't do for us, and what it means.  What is not here may go well another time. */
static const struct {
	CURLcode code;
	enum weir_kind kind;
	bool again;
	const char *advice;
} failures[] = {
	{ CURLE_OPERATION_TIMEDOUT, WEIR_TIMEOUT, true, "" },
	{ CURLE_OUT_OF_MEMORY, WEIR_NO_MEMORY, false, "" },
	{ CURLE_PEER_FAILED_VERIFICATION, WEIR_FAILED, false, ": name who signed its certificate with schema.registry.ssl.ca.location" },
	{ CURLE_SSL_CACERT_BADFILE, WEIR_INVALID, false, ": look at schema.registry.ssl.ca.location" },
	{ CURLE_SSL_CERTPROBLEM, WEIR_INVALID, false, ": look at schema.registry.ssl.certificate.location and ssl.key.location" },
	{ CURLE_URL_MALFORMAT, WEIR_INVALID, false, ": look at schema.registry.url" },
};

static void
tell_failure(const struct http_request *q, CURLcode code, const char *told, bool *again, struct weir_error *why)
{
	size_t i = 0, n = sizeof failures / sizeof *failures;

	while (i < n && failures[i].code != code)
		i++;
	*again = i == n || failures[i].again;
	error_say(why, i == n ? WEIR_RETRIABLE : failures[i].kind, "%s can't be reached (%s)%s", q->place->url,
	    told[0] != '\0' ? told : curl_easy_strerror(code), i == n ? "" : failures[i].advice);
}

static void
read_head(CURL *c, struct http_reply *r)
{
	char *location = NULL;
	curl_off_t seconds = 0;
	long status = 0;

	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &location);
	curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &seconds);
	r->status = (int)status;
	r->retry_after_ms = seconds > 3600 ? 3600000 : (long)seconds * 1000;
	snprintf(r->location, sizeof r->location, "%s", location == NULL ? "" : location);
}

bool
http_ask(struct http *h, const struct http_request *q, struct http_reply *r, bool *again, struct weir_error *why)
{
	size_t size = strlen(q->place->url) + strlen(q->target) + 1;
	struct arrival arrival = { &r->body, q->answer_max, false };
	char *url = malloc(size), told[CURL_ERROR_SIZE] = "";
	CURL *c = url == NULL ? NULL : take(h);
	CURLcode code = CURLE_OUT_OF_MEMORY;

	*r = (struct http_reply){ 0 };
	*why = (struct weir_error){ .kind = WEIR_OK };
	*again = false;
	if (c != NULL) {
		snprintf(url, size, "%s%s", q->place->url, q->target);
		set_request(h, c, q, url, &arrival, told);
		code = curl_easy_perform(c);
		read_head(c, r);
		give_back(h, c);
	}
	free(url);
	if (arrival.too_large)
		error_say(why, WEIR_TOO_LARGE, "%s answered with more than %zu bytes", q->place->url, q->answer_max);
	else if (r->body.failed)
		error_say(why, WEIR_NO_MEMORY, "no memory for what %s answered", q->place->url);
	else if (code != CURLE_OK)
		tell_failure(q, code, told, again, why);
	return why->kind == WEIR_OK;
}
