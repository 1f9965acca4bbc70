/* daemon.h -- a weir-logd that is measured. */
#ifndef BENCH_DAEMON_H
#define BENCH_DAEMON_H

#include <sys/types.h>

struct bench;

struct daemon {
	pid_t pid;
	char address[64]; /* host:port of its listener */
	char dir[4096];   /* its data, below the run's folder */
	double ready_s;   /* from fork() to its line that clients are let in */
};

/*
 * Starts one on the folder of this name below the run's, which is made when
 * absent, with settings as NAME=VALUE up to a NULL (or NULL: none); ends the
 * driver when that fails.  One at a time.
 */
void daemon_start(struct daemon *, const struct bench *, const char *name, const char *const *settings);

/* Waits until it has done what a start leaves to be done, such as writing its journal. */
void daemon_settle(const struct daemon *);

/* Ends it in order; its data stay.  Ends the driver when it does not end well. */
void daemon_stop(struct daemon *);

/* Ends it as a cut would end the process. */
void daemon_kill(struct daemon *);

/* Removes its data. */
void daemon_remove(struct daemon *);

/* For the driver's end: kills the one that runs, if any. */
void daemon_kill_all(void);

#endif
