/* measure.c -- time, processor time and memory of processes; percentiles. */
#include "bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "base/xalloc.h"

static double
read_clock(clockid_t id)
{
	struct timespec t;

	return clock_gettime(id, &t) == 0 ? (double)t.tv_sec + (double)t.tv_nsec / 1e9 : 0;
}

double
measure_now_s(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void
measure_wait_until(double now_s)
{
	struct timespec t = { (time_t)now_s, (long)((now_s - floor(now_s)) * 1e9) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

double
measure_cpu_s(pid_t pid)
{
	clockid_t id;

	return clock_getcpuclockid(pid, &id) == 0 ? read_clock(id) : 0;
}

double
measure_pss(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Pss: %lf kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

void
samples_init(struct samples *s, size_t cap)
{
	*s = (struct samples){ xcalloc(cap, sizeof *s->values), 0, cap };
}

void
samples_add(struct samples *s, double value)
{
	must(s->n < s->cap);
	s->values[s->n++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
sort(struct samples *s)
{
	if (s->n > 0)
		qsort(s->values, s->n, sizeof *s->values, compare);
}

/* Of sorted ones. */
static double
value_at(const struct samples *s, double share)
{
	size_t rank = (size_t)ceil(share * (double)s->n);

	return s->n == 0 ? 0 : s->values[rank == 0 ? 0 : rank - 1];
}

double
samples_percentile(struct samples *s, double share)
{
	sort(s);
	return value_at(s, share);
}

void
samples_latency(struct samples *s, struct latency *to)
{
	sort(s);
	*to = (struct latency){ value_at(s, 0.5), value_at(s, 0.99), value_at(s, 0.999), value_at(s, 1) };
}

void
samples_done(struct samples *s)
{
	free(s->values);
}
