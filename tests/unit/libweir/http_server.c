/* http_server.c -- a server of HTTP for tests: one thread, a connection at a time for each client thread. */
#include "unit/libweir/http_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"

enum { CONNECTIONS_MAX = 32 };

struct connection {
	int fd;
	size_t n;
	char text[SERVER_REQUEST_MAX];
};

struct server {
	const struct scripted *script;
	size_t n_script;
	int listener, wake[2];
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	size_t n_requests, n_connections;
	char *requests[SERVER_REQUESTS_MAX]; /* owned */
	struct connection *open[CONNECTIONS_MAX]; /* the thread's own */
	size_t n_open;
};

/* A socket at a free port, which `url` names. */
static int
listen_at(char *url, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL(fd != -1 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0);
	getsockname(fd, (struct sockaddr *)&at, &n);
	snprintf(url, size, "http://127.0.0.1:%d", ntohs(at.sin_port));
	return fd;
}

/* The length of the request that the text begins with; 0: it is not whole. */
static size_t
whole(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\ncontent-length:");
	size_t n;

	if (end == NULL)
		return 0;
	n = (size_t)(end + 4 - text);
	if (length != NULL && length < end)
		n += strtoul(length + 17, NULL, 10);
	return strlen(text) >= n ? n : 0;
}

/* Keeps the request, and sends what the script has for it; false: the connection ends. */
static bool
answer(struct server *s, int fd, const char *request, size_t n)
{
	const struct scripted *a;
	char text[8192];

	pthread_mutex_lock(&s->lock);
	a = &s->script[s->n_requests < s->n_script ? s->n_requests : s->n_script - 1];
	if (s->n_requests < SERVER_REQUESTS_MAX)
		s->requests[s->n_requests] = strndup(request, n);
	s->n_requests++;
	pthread_mutex_unlock(&s->lock);
	if (a->status == 0)
		return false;
	snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", a->status,
	    a->body == NULL ? 0 : strlen(a->body), a->headers == NULL ? "" : a->headers, a->body == NULL ? "" : a->body);
	return send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
}

/* Takes what has come; false: the connection ends. */
static bool
serve(struct server *s, struct connection *c)
{
	ssize_t n = recv(c->fd, c->text + c->n, sizeof c->text - 1 - c->n, 0);
	size_t length;

	if (n <= 0)
		return false;
	c->n += (size_t)n;
	c->text[c->n] = '\0';
	while ((length = whole(c->text)) > 0) {
		if (!answer(s, c->fd, c->text, length))
			return false;
		c->n -= length;
		memmove(c->text, c->text + length, c->n + 1);
	}
	return true;
}

static void
take_connection(struct server *s)
{
	struct connection *c = calloc(1, sizeof *c);

	c->fd = accept(s->listener, NULL, NULL);
	s->open[s->n_open++] = c;
	pthread_mutex_lock(&s->lock);
	s->n_connections++;
	pthread_mutex_unlock(&s->lock);
}

static void
let_go(struct server *s, size_t i)
{
	close(s->open[i]->fd);
	free(s->open[i]);
	s->open[i] = s->open[--s->n_open];
}

static void *
run(void *arg)
{
	struct server *s = arg;
	struct pollfd fds[CONNECTIONS_MAX + 2];

	for (;;) {
		size_t n = s->n_open;

		fds[0] = (struct pollfd){ .fd = s->wake[0], .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = s->listener, .events = n < CONNECTIONS_MAX ? POLLIN : 0 };
		for (size_t i = 0; i < n; i++)
			fds[i + 2] = (struct pollfd){ .fd = s->open[i]->fd, .events = POLLIN };
		poll(fds, (nfds_t)n + 2, -1);
		if (fds[0].revents != 0)
			break;
		for (size_t i = n; i > 0; i--)
			if (fds[i + 1].revents != 0 && !serve(s, s->open[i - 1]))
				let_go(s, i - 1);
		if (fds[1].revents != 0)
			take_connection(s);
	}
	while (s->n_open > 0)
		let_go(s, 0);
	return NULL;
}

struct server *
server_start(const struct scripted *script, size_t n)
{
	struct server *s = calloc(1, sizeof *s);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	s->script = script;
	s->n_script = n;
	s->listener = listen_at(s->url, sizeof s->url);
	pthread_mutex_init(&s->lock, NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(s->wake), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread, NULL, run, s), 0);
	return s;
}

void
server_stop(struct server *s)
{
	CU_ASSERT_EQUAL(write(s->wake[1], "x", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->wake[0]);
	close(s->wake[1]);
	close(s->listener);
	pthread_mutex_destroy(&s->lock);
	for (size_t i = 0; i < SERVER_REQUESTS_MAX; i++)
		free(s->requests[i]);
	free(s);
}

const char *
server_url(const struct server *s)
{
	return s->url;
}

static size_t
count(struct server *s, const size_t *of)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = *of;
	pthread_mutex_unlock(&s->lock);
	return n;
}

size_t
server_requests(struct server *s)
{
	return count(s, &s->n_requests);
}

size_t
server_connections(struct server *s)
{
	return count(s, &s->n_connections);
}

const char *
server_request(struct server *s, size_t i)
{
	return i < server_requests(s) ? s->requests[i] : NULL;
}

bool
server_was_asked(struct server *s, size_t i, const char *line)
{
	const char *text = server_request(s, i), *at;
	size_t n = strlen(line);

	if (text == NULL)
		return false;
	if (strncmp(text, line, n) == 0 && text[n] == '\r')
		return true;
	for (at = text; (at = strstr(at, line)) != NULL; at += n)
		if (at - text >= 2 && at[-1] == '\n' && at[n] == '\r')
			return true;
	return false;
}

const char *
server_body(struct server *s, size_t i)
{
	const char *text = server_request(s, i), *end = text == NULL ? NULL : strstr(text, "\r\n\r\n");

	return end == NULL ? "" : end + 4;
}

const char *
server_nobody(void)
{
	static char url[64];

	close(listen_at(url, sizeof url));
	return url;
}
