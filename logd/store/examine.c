/*
 * examine.c -- looking into batches that are to be appended: whether a consumer
 * will be able to read them (docs/decisions/0007-compressed-batches.md).
 */
#include "store/store_internal.h"

/*
 * Compressed batches of up to so many bytes are looked into at once, if they
 * inflate to no more than this: that takes as long as to hand one to a thread.
 */
enum { SMALL_COMPRESSED = 4 * 1024, SMALL_INFLATED = 32 * 1024 };

static struct batch_rules
rules_of(const struct partition *p, const struct append *a, size_t inflated_max)
{
	const struct partition_config *c = &p->config;

	return (struct batch_rules){ .max_bytes = c->max_message_bytes, .segment_bytes = c->segment_bytes,
		.keyed = c->compacted, .zstd_allowed = a->zstd_allowed, .inflated_max = inflated_max,
		.log_append_time = c->log_append_time, .now_ms = a->now_ms,
		.before_max_ms = c->timestamp_before_max_ms, .after_max_ms = c->timestamp_after_max_ms };
}

/* Notes what is found, for the append. */
static void
look_into(struct append *a, const struct batch_rules *rules)
{
	struct batch b;

	a->error = batch_check(span_of(a->bytes, a->n), rules, &b, &a->bad_record);
	if (a->error == STORE_OK)
		a->max_timestamp = b.max_timestamp;
	a->examined = true;
}

void
examine(const struct partition *p, struct append *a)
{
	struct batch_rules rules = rules_of(p, a, BATCH_INFLATED_MAX);

	look_into(a, &rules);
}

static void
run_examination(struct job *job)
{
	struct partition_examination *e = container_of(job, struct partition_examination, job);

	look_into(e->append, &e->rules);
}

static void
examination_done(struct job *job)
{
	struct partition_examination *e = container_of(job, struct partition_examination, job);

	e->store->jobs--;
	e->done(e);
}

bool
partition_examine(struct partition *p, struct partition_examination *e)
{
	struct append *a = e->append;
	struct batch b;

	a->examined = false;
	if (!batch_header(&b, span_of(a->bytes, a->n)) || !batch_is_compressed(&b))
		return true;
	e->rules = rules_of(p, a, SMALL_INFLATED);
	if (a->n <= SMALL_COMPRESSED) {
		look_into(a, &e->rules);
		if (a->error != STORE_MESSAGE_TOO_LARGE)
			return true;
	}
	e->rules.inflated_max = BATCH_INFLATED_MAX;
	e->store = p->store;
	e->store->jobs++;
	stat_add(&e->store->stats.examinations, 1);
	e->job = (struct job){ .run = run_examination, .done = examination_done };
	workers_submit(e->store->checkers, &e->job);
	return false;
}
