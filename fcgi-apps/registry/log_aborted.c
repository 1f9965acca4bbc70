/*
 * log_aborted.c -- the records of transactions that were aborted.
 *
 * librdkafka does not tell which these are: so the topic is read twice at the same time, with and without them.
 * What only one of the two readers meets was aborted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/monotonic.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "registry/log_internal.h"

struct record {
	struct record *next;
	struct record *same; /* an earlier one of the same key */
	bool last;
	struct span key, value;
	uint8_t bytes[];
};

/* In the order of the topic. */
struct found {
	struct record *first, **end;
	struct map by_key; /* the newest of each key that no committed one has followed */
};

static struct span
copy_to(uint8_t *to, struct span s)
{
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return s.p == NULL ? s : span_of(to, s.n);
}

static void
note_aborted(struct found *f, struct span key, struct span value)
{
	struct record *r = xmalloc(sizeof *r + key.n + value.n);

	*r = (struct record){ .last = true, .key = copy_to(r->bytes, key), .value = copy_to(r->bytes + key.n, value) };
	r->same = map_del(&f->by_key, r->key);
	must(map_put(&f->by_key, r->key, r));
	*f->end = r;
	f->end = &r->next;
}

/* Whoever reads all sees the committed record last. */
static void
note_committed(struct found *f, struct span key)
{
	for (struct record *r = map_del(&f->by_key, key); r != NULL; r = r->same)
		r->last = false;
}

/* ---- the two readers ---- */

struct side {
	rd_kafka_t *rk;
	rd_kafka_message_t *at; /* NULL: not read yet, or over */
	bool over;
};

/* Reads on to the next record before `end`; false: time is up. */
static bool
advance(struct side *s, int64_t end, const struct timespec *deadline)
{
	if (s->at != NULL)
		rd_kafka_message_destroy(s->at);
	s->at = NULL;
	while (!s->over && s->at == NULL) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, LOG_POLL_MS);

		if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->offset < end)
			s->at = m;
		else if (m != NULL) {
			/* What passes is tried again. */
			s->over = m->offset >= end && (m->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
				m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF);
			rd_kafka_message_destroy(m);
		}
		if (s->at == NULL && !s->over && monotonic_left_ms(deadline) == 0)
			return false;
	}
	return true;
}

static bool
compare(struct side *all, struct side *committed, int64_t end, const struct timespec *deadline, struct found *f)
{
	while (advance(all, end, deadline)) {
		struct span key;

		if (all->over)
			return true;
		key = span_of(all->at->key, all->at->key_len);
		while (!committed->over && (committed->at == NULL || committed->at->offset < all->at->offset))
			if (!advance(committed, end, deadline))
				return false;
		if (committed->at != NULL && committed->at->offset == all->at->offset)
			note_committed(f, key);
		else
			note_aborted(f, key, span_of(all->at->payload, all->at->len));
	}
	return false;
}

static void
close_side(struct side *s)
{
	if (s->at != NULL)
		rd_kafka_message_destroy(s->at);
	log_end_reader(s->rk);
}

int64_t
log_end_of_all(struct log *log, const struct timespec *deadline)
{
	rd_kafka_t *rk = log_reader(log, "read_uncommitted", "10", log_applied(log));
	int64_t end = -1;

	while (rk != NULL && end < 0 && monotonic_left_ms(deadline) > 0) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, LOG_POLL_MS);

		if (m != NULL && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			end = m->offset;
		if (m != NULL)
			rd_kafka_message_destroy(m);
	}
	log_end_reader(rk);
	return end;
}

bool
log_find_aborted(struct log *log, int64_t end, const struct timespec *deadline)
{
	struct side all = { 0 }, committed = { 0 };
	struct found found = { .end = &found.first };
	bool good;

	if (log->clean >= end)
		return true;
	all.rk = log_reader(log, "read_uncommitted", "10", log->clean);
	committed.rk = log_reader(log, "read_committed", "10", log->clean);
	good = all.rk != NULL && committed.rk != NULL && compare(&all, &committed, end, deadline, &found);
	for (struct record *r = found.first, *next; r != NULL; r = next) {
		next = r->next;
		if (good) {
			log->n_aborted++;
			log->aborted(log->ctx, r->key, r->value, r->last);
		}
		free(r);
	}
	map_done(&found.by_key);
	close_side(&all);
	close_side(&committed);
	if (good)
		log->clean = end;
	return good;
}
