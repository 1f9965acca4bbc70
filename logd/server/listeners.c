/* listeners.c -- the text of listeners and advertised.listeners. */
#include "server/listeners.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/diag.h"

/* One NAME://host:port, as written. */
struct place {
	char name[64];
	char host[256];
	int port;
};

/* Copies into a field; false when it does not fit. */
static bool
copy(char *to, size_t size, struct span from)
{
	if (from.n >= size)
		return false;
	memcpy(to, from.p, from.n);
	to[from.n] = '\0';
	return true;
}

/* Cuts what stands before `mark` off the front of `s`; false when it is not there. */
static bool
cut(struct span *s, const char *mark, struct span *before)
{
	size_t n = strlen(mark);

	for (size_t i = 0; i + n <= s->n; i++)
		if (memcmp(s->p + i, mark, n) == 0) {
			*before = span_of(s->p, i);
			*s = span_of(s->p + i + n, s->n - i - n);
			return true;
		}
	return false;
}

static bool
valid_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", name.p[i], 38) == NULL)
			return false;
	return name.n > 0;
}

static bool
parse_port(struct span s, int *port)
{
	*port = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*port = *port * 10 + (s.p[i] - '0');
		if (*port > 65535)
			return false;
	}
	return s.n > 0;
}

/* Takes one piece of a list apart: NULL, or what is wrong and what to do. */
static const char *
parse_place(struct span piece, struct place *out)
{
	static const char *const secure[] = { "SSL", "SASL_SSL", "SASL_PLAINTEXT" };
	struct span name, host;

	if (!cut(&piece, "://", &name) || !valid_name(name) ||
	    !copy(out->name, sizeof out->name, name))
		return "does not begin with a name: write it as PLAINTEXT://127.0.0.1:9092, the name in capitals";
	for (size_t i = 0; i < sizeof secure / sizeof *secure; i++)
		if (strcmp(out->name, secure[i]) == 0)
			return "asks for a protocol that is not spoken here: write PLAINTEXT://, and let nginx in front speak TLS";
	if (piece.n > 0 && piece.p[0] == '[') {
		piece = span_of(piece.p + 1, piece.n - 1);
		if (!cut(&piece, "]:", &host))
			return "has no end of its IPv6 address: write it as PLAINTEXT://[::1]:9092";
	} else if (!cut(&piece, ":", &host))
		return "has no port: write it as PLAINTEXT://127.0.0.1:9092";
	if (memchr(piece.p, ':', piece.n) != NULL)
		return "has an IPv6 address without brackets: write it as PLAINTEXT://[::1]:9092";
	if (!copy(out->host, sizeof out->host, host))
		return "has a host name of more than 255 letters: use a shorter one";
	if (!parse_port(piece, &out->port))
		return "has no port from 0 to 65535: write it as PLAINTEXT://127.0.0.1:9092";
	return NULL;
}

static bool
numeric(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* An address that stands for all of a machine's, and so can't be given to a client. */
static bool
every_address(const char *host)
{
	unsigned char address[16];
	static const unsigned char none[16];

	return (inet_pton(AF_INET, host, address) == 1 && memcmp(address, none, 4) == 0) ||
	    (inet_pton(AF_INET6, host, address) == 1 && memcmp(address, none, 16) == 0);
}

static int
complain(char *why, size_t size, struct span piece, const char *what)
{
	char quoted[128];

	snprintf(why, size, "%s %s", diag_quote(quoted, sizeof quoted, piece), what);
	return -1;
}

/* The next piece of a list, without the blanks around it; false at the end. */
static bool
next_piece(const char **at, struct span *piece)
{
	const char *start = *at + strspn(*at, " \t");
	size_t n = strcspn(start, ",");

	if (*start == '\0')
		return false;
	*at = start + n + (start[n] == ',');
	while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
		n--;
	*piece = span_of(start, n);
	return true;
}

static struct listener_spec *
find(struct listener_spec *specs, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(specs[i].name, name) == 0)
			return &specs[i];
	return NULL;
}

int
listeners_parse(const char *text, struct listener_spec *out, char *why, size_t size)
{
	struct span piece;
	int n = 0;

	while (next_piece(&text, &piece)) {
		struct place place;
		const char *wrong = parse_place(piece, &place);

		if (wrong != NULL)
			return complain(why, size, piece, wrong);
		if (place.host[0] == '\0')
			strcpy(place.host, "0.0.0.0");
		else if (strcmp(place.host, "localhost") == 0)
			strcpy(place.host, "127.0.0.1");
		if (!numeric(place.host))
			return complain(why, size, piece,
			    "has a host name: write the address to listen at in digits, and the name in advertised.listeners");
		if (find(out, n, place.name) != NULL)
			return complain(why, size, piece,
			    "has the name of another listener: give each a name of its own, as PLAINTEXT and LAN");
		if (n == LISTENERS_MAX)
			return complain(
			    why, size, piece, "is one too many: 16 listeners are possible");
		out[n] = (struct listener_spec){ .port = place.port };
		strcpy(out[n].name, place.name);
		strcpy(out[n].host, place.host);
		n++;
	}
	if (n == 0) {
		snprintf(why, size, "there is none: write one, as PLAINTEXT://127.0.0.1:9092");
		return -1;
	}
	return n;
}

/* What `advertised.listeners` says. */
static int
take_advertised(struct listener_spec *specs, int n, const char *text, char *why, size_t size)
{
	struct span piece;

	while (next_piece(&text, &piece)) {
		struct place place;
		const char *wrong = parse_place(piece, &place);
		struct listener_spec *spec;

		if (wrong != NULL)
			return complain(why, size, piece, wrong);
		if ((spec = find(specs, n, place.name)) == NULL)
			return complain(why, size, piece,
			    "has a name that no listener has: use a name that stands in listeners");
		if (spec->advertised_host[0] != '\0')
			return complain(
			    why, size, piece, "is the second for its listener: leave one");
		if (place.host[0] == '\0' || every_address(place.host))
			return complain(why, size, piece,
			    "is no address that a client could connect to: write a name or address of this machine");
		strcpy(spec->advertised_host, place.host);
		spec->advertised_port = place.port;
	}
	return 0;
}

int
listeners_advertise(struct listener_spec *specs, int n, const char *text, char *why, size_t size)
{
	for (int i = 0; i < n; i++) {
		specs[i].advertised_host[0] = '\0';
		specs[i].advertised_port = specs[i].port;
	}
	if (text != NULL && take_advertised(specs, n, text, why, size) == -1)
		return -1;
	for (int i = 0; i < n; i++) {
		if (specs[i].advertised_host[0] != '\0')
			continue;
		if (every_address(specs[i].host)) {
			snprintf(why, size,
			    "listener %s is on every address, so clients must be told one: add %s://NAME-OF-THIS-MACHINE:%d",
			    specs[i].name, specs[i].name, specs[i].port);
			return -1;
		}
		strcpy(specs[i].advertised_host, specs[i].host);
	}
	return 0;
}
