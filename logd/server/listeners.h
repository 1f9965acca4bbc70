/*
 * listeners.h -- the text of listeners and advertised.listeners:
 * NAME://host:port, by commas.
 *
 * Pure: nothing is resolved or opened here.
 */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include <stddef.h>

enum { LISTENERS_MAX = 16 };

/* A place to listen at, and what clients that came by it are told. */
struct listener_spec {
	char name[64];
	char host[256];            /* a numeric address, without brackets */
	int port;                  /* 0: any free one */
	char advertised_host[256];
	int advertised_port;       /* 0: the port that it got */
};

/*
 * Reads `listeners` into `out`, which has room for LISTENERS_MAX: their number,
 * or -1 with the reason in `why`.
 */
int listeners_parse(const char *text, struct listener_spec *out, char *why, size_t size);

/*
 * Fills in what is advertised, from `advertised.listeners` or, where that says
 * nothing (or is NULL), from the listener itself.  0, or -1 with the reason.
 */
int listeners_advertise(struct listener_spec *, int n, const char *text, char *why, size_t size);

#endif
