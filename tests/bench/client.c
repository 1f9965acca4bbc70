/* client.c -- a client that is measured. */
#include "bench/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/measure.h"

enum {
	LIMIT_S = 240,
	SAMPLE_MS = 200 /* reading a large process's smaps holds it up for some ms */
};

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

static _Noreturn void
become(client_fn *fn, const void *arg, pid_t logd, struct outcome *o)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Else the kernel may let a wait take 50 us more, to wake others at the same time. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	alarm(LIMIT_S);
	fn(arg, logd, o);
	_exit(EXIT_SUCCESS);
}

/* Samples until the client has closed its end of the pipe. */
static void
watch(int end, pid_t client, pid_t logd, struct outcome *o)
{
	struct pollfd p = { .fd = end, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, SAMPLE_MS);
		o->client_pss = larger(o->client_pss, measure_pss(client));
		if (logd != 0)
			o->logd_pss = larger(o->logd_pss, measure_pss(logd));
	} while (n == 0);
	if (n == -1) {
		kill(client, SIGKILL);
		bench_die("interrupted");
	}
	o->client_pss = larger(o->client_pss, o->client_end_pss);
}

static bool
collect(pid_t client, struct outcome *o)
{
	int status;

	waitpid(client, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(o->error, sizeof o->error, "the client was not done within %d s", LIMIT_S);
	else if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) && o->error[0] == '\0')
		snprintf(o->error, sizeof o->error, "the client ended with status %#x", (unsigned)status);
	return o->error[0] == '\0';
}

bool
client_run(client_fn *fn, const void *arg, pid_t logd, struct outcome *out)
{
	struct outcome *o = mmap(NULL, sizeof *o, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int end[2];
	pid_t client;
	bool ok;

	if (o == MAP_FAILED || pipe2(end, O_CLOEXEC) == -1)
		bench_die("a client can't be started: %s", strerror(errno));
	fflush(stdout);
	if ((client = fork()) == -1)
		bench_die("fork: %s", strerror(errno));
	if (client == 0)
		become(fn, arg, logd, o);
	close(end[1]);
	watch(end[0], client, logd, o);
	close(end[0]);
	ok = collect(client, o);
	*out = *o;
	munmap(o, sizeof *o);
	return ok;
}

void
client_fail(struct outcome *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->error, sizeof o->error, fmt, ap);
	va_end(ap);
	_exit(EXIT_FAILURE);
}

void
window_begin(struct window *w, pid_t logd)
{
	w->logd = logd;
	w->client_cpu_s = measure_cpu_s(getpid());
	w->logd_cpu_s = logd == 0 ? 0 : measure_cpu_s(logd);
	w->now_s = measure_now_s();
}

void
window_end(const struct window *w, struct outcome *o)
{
	o->seconds += measure_now_s() - w->now_s;
	window_cpu(w, &o->client_cpu_s, &o->logd_cpu_s);
	o->client_end_pss = measure_pss(getpid());
}

void
window_cpu(const struct window *w, double *client_cpu_s, double *logd_cpu_s)
{
	*client_cpu_s += measure_cpu_s(getpid()) - w->client_cpu_s;
	if (w->logd != 0)
		*logd_cpu_s += measure_cpu_s(w->logd) - w->logd_cpu_s;
}
