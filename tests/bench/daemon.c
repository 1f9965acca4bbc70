/* daemon.c -- a weir-logd that is measured. */
#include "bench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "bench/bench.h"
#include "bench/disk.h"
#include "bench/measure.h"

enum {
	LIMIT_MS = 60000,
	SETTLE_MS = 200, /* without work for so long, it has settled */
	SETTLE_TURNS = 50,
	WORDS_MAX = 32
};

/* Processor time that is no work, in a turn. */
#define SETTLED_S 0.0005

static pid_t running; /* 0: none */

/* In the child: becomes the daemon, whose log goes beside its data. */
static _Noreturn void
become(const struct daemon *d, const char *program, int ready, const char *const *settings)
{
	const char *words[WORDS_MAX] = { program, "-o", "listeners=PLAINTEXT://127.0.0.1:0" };
	size_t n = 3;
	char dirs[sizeof d->dir + 16], log[sizeof d->dir + 16], fd[16];
	int out;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(dirs, sizeof dirs, "log.dirs=%s", d->dir);
	snprintf(log, sizeof log, "%s.log", d->dir);
	snprintf(fd, sizeof fd, "%d", ready);
	if ((out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) == -1 || dup2(out, 1) == -1 ||
	    dup2(out, 2) == -1)
		_exit(EXIT_FAILURE);
	words[n++] = "-o";
	words[n++] = dirs;
	words[n++] = "--ready-fd";
	words[n++] = fd;
	for (; settings != NULL && *settings != NULL; settings++) {
		must(n + 2 < WORDS_MAX);
		words[n++] = "-o";
		words[n++] = *settings;
	}
	execv(program, (char *const *)(uintptr_t)words);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* Prints the end of what the daemon said, and ends the driver. */
static _Noreturn void
die_telling(const struct daemon *d, const char *what)
{
	char log[sizeof d->dir + 16], line[1024];
	FILE *f;

	snprintf(log, sizeof log, "%s.log", d->dir);
	if ((f = fopen(log, "r")) != NULL) {
		while (fgets(line, sizeof line, f) != NULL)
			fputs(line, stderr);
		fclose(f);
	}
	bench_die("the daemon %s; above is what it said", what);
}

/* Reads the daemon's line; false when it ends or takes too long first. */
static bool
read_address(struct daemon *d, int from)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char line[sizeof d->address + 16];
	ssize_t n;

	if (poll(&p, 1, LIMIT_MS) != 1 || (n = read(from, line, sizeof line - 1)) <= 0)
		return false;
	line[n] = '\0';
	return sscanf(line, "ready %63s", d->address) == 1;
}

void
daemon_start(struct daemon *d, const struct bench *b, const char *name, const char *const *settings)
{
	double began;
	int ready[2];

	snprintf(d->dir, sizeof d->dir, "%s/%s", b->dir, name);
	if (pipe2(ready, O_CLOEXEC) == -1)
		bench_die("pipe: %s", strerror(errno));
	fflush(stdout);
	began = measure_now_s();
	if ((d->pid = fork()) == -1)
		bench_die("fork: %s", strerror(errno));
	if (d->pid == 0) {
		fcntl(ready[1], F_SETFD, 0);
		become(d, b->logd, ready[1], settings);
	}
	running = d->pid;
	close(ready[1]);
	if (!read_address(d, ready[0]))
		die_telling(d, "did not start");
	d->ready_s = measure_now_s() - began;
	close(ready[0]);
}

void
daemon_settle(const struct daemon *d)
{
	double before, after = measure_cpu_s(d->pid);
	int i;

	for (i = 0; i < SETTLE_TURNS; i++) {
		before = after;
		if (poll(NULL, 0, SETTLE_MS) == -1)
			bench_die("interrupted");
		after = measure_cpu_s(d->pid);
		if (after - before < SETTLED_S)
			return;
	}
}

void
daemon_stop(struct daemon *d)
{
	struct pollfd p = { .fd = pidfd_open(d->pid, 0), .events = POLLIN };
	int status;

	kill(d->pid, SIGTERM);
	if (poll(&p, 1, LIMIT_MS) != 1)
		die_telling(d, "did not stop");
	close(p.fd);
	waitpid(d->pid, &status, 0);
	running = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die_telling(d, "did not end well");
}

void
daemon_remove(struct daemon *d)
{
	disk_remove(d->dir);
}

void
daemon_kill(struct daemon *d)
{
	must(running == d->pid);
	daemon_kill_all();
}

void
daemon_kill_all(void)
{
	if (running == 0)
		return;
	kill(running, SIGKILL);
	waitpid(running, NULL, 0);
	running = 0;
}
