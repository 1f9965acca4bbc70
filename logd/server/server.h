/*
 * server.h -- the daemon: everything joined, started and ended in order.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/config.h"

struct server;

/* Opens the data folder, recovers, listens.  NULL: a line in the log says why. */
struct server *server_new(struct config *);

/*
 * Serves until SIGTERM or SIGINT, then drains: connections are read no more,
 * what is under way is answered, the data folder is closed in order.  SIGHUP
 * reads the configuration anew.  `ready_fd` (-1: none) gets the line
 * "ready host:port", one for each listener, when clients are let in, and is
 * closed.  The exit status: 0, or 1 when the disk failed.
 */
int server_run(struct server *, int ready_fd);

void server_free(struct server *);

#endif
