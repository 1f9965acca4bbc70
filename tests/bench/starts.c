/* starts.c -- what starts of a daemon take. */
#include "bench/starts.h"

#include "bench/bench.h"
#include "bench/daemon.h"
#include "bench/table.h"

void
starts_init(struct starts *s, int n)
{
	*s = (struct starts){ .pss = 0 };
	samples_init(&s->ms, (size_t)n);
	samples_init(&s->cpu_ms, (size_t)n);
}

void
starts_once(struct starts *s, struct bench *b, struct daemon *d, const char *name, const char *const *settings)
{
	double pss;

	daemon_start(d, b, name, settings);
	samples_add(&s->ms, d->ready_s * 1e3);
	samples_add(&s->cpu_ms, measure_cpu_s(d->pid) * 1e3);
	if ((pss = measure_pss(d->pid)) > s->pss)
		s->pss = pss;
}

void
starts_put(struct starts *s, struct bench *b, struct table *t, const char *what, const struct target *target)
{
	double p50 = samples_percentile(&s->ms, 0.5);

	table_row(t);
	table_cell(t, "%s", what);
	table_cell(t, "%.1f ms", p50);
	table_cell(t, "%.1f ms", samples_percentile(&s->ms, 1));
	table_cell(t, "%.1f", samples_percentile(&s->cpu_ms, 0.5));
	table_cell(t, "%.1f", s->pss / 1e6);
	table_cell(t, "%s", bench_judge(b, target, p50));
	bench_pass(b, "%s: %.1f ms", what, p50);
	samples_done(&s->ms);
	samples_done(&s->cpu_ms);
}
