/* fetch_partition.c -- one partition of a Fetch: what is read from it, and what the answer says of it. */
#include "api/fetch_internal.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"

/* What is found is kept as long as no topic comes or goes, in a session's topic over many fetches. */
struct topic *
fetch_find(const struct fetch *f, struct fetched_topic *t)
{
	struct api *api = f->request->api;

	if (t->as_of == api->topics_version)
		return t->topic;
	t->topic = f->by_id ? topics_find_id(api, t->id) : topics_find(api, t->name);
	t->as_of = api->topics_version;
	return t->topic;
}

struct topic_partition *
fetch_partition(const struct slot *s)
{
	return topic_partition(fetch_find(s->fetch, s->topic), s->asked->partition);
}

bool
fetch_committed_only(const struct fetch *f)
{
	return ((const struct wire_fetch_request *)f->request->message)->isolation_level != 0;
}

void
fetch_count_bytes(struct fetch *f, int64_t n)
{
	f->bytes += n;
	f->request->api->fetch_bytes += n;
}

/* ---- how much ---- */

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What the memory for answers has left, less what other fetches have read. */
static int64_t
room(const struct fetch *f)
{
	size_t n = exchange_room(f->request->exchange);
	int64_t left = n > INT64_MAX ? INT64_MAX : (int64_t)n;

	left -= f->request->api->fetch_bytes - f->bytes;
	return left < 0 ? 0 : left;
}

/* What the client and the configuration allow. */
static int64_t
allowed_bytes(const struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;

	return least(q->max_bytes, f->request->api->config.fetch_max_bytes);
}

static int64_t
max_bytes(const struct fetch *f)
{
	return least(allowed_bytes(f), room(f));
}

/* More than can be had is never waited for.  A first batch can be had without room, too. */
int64_t
fetch_min_bytes(const struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;
	int64_t left = room(f);

	return least(q->min_bytes, least(allowed_bytes(f), left < 1 ? 1 : left));
}

int64_t
fetch_readable(const struct slot *s, int64_t want)
{
	const struct topic_partition *tp = fetch_partition(s);
	int64_t most = s->asked->partition_max_bytes;

	if (tp == NULL || s->asked->fetch_offset < partition_log_start(tp->log))
		return want; /* it has to be told */
	return least(partition_readable(tp->log, s->asked->fetch_offset, fetch_committed_only(s->fetch), want),
	    most < 1 ? 1 : most);
}

/* ---- what the answer says ---- */

static void
set_error(struct slot *s, enum kafka_error error)
{
	s->answer->error_code = (int16_t)error;
	s->answer->high_watermark = -1;
	s->answer->last_stable_offset = -1;
	s->answer->log_start_offset = -1;
	s->fetch->any_error = true;
}

/*
 * What a partition is told that is not there.  Of a session's topic the name is
 * known when the id is no more: so the client learns whether there is another.
 */
static enum kafka_error
missing(const struct slot *s)
{
	const struct topic *t = fetch_find(s->fetch, s->topic);

	if (!s->fetch->by_id || t != NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (s->topic->name.p == NULL)
		return KAFKA_UNKNOWN_TOPIC_ID;
	t = topics_find(s->fetch->request->api, s->topic->name);
	return topic_partition(t, s->asked->partition) == NULL ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION :
	    KAFKA_INCONSISTENT_TOPIC_ID;
}

/* What the answer says of a partition whatever is read from it. */
static void
fill_offsets(struct slot *s, const struct topic_partition *tp)
{
	static const struct wire_fetch_response_aborted_transaction none;
	struct wire_fetch_response_partition *p = s->answer;

	p->high_watermark = partition_high_watermark(tp->log);
	p->last_stable_offset = partition_last_stable(tp->log);
	p->log_start_offset = partition_log_start(tp->log);
	/* read_uncommitted gets no list, read_committed may get an empty one. */
	p->aborted_transactions = !fetch_committed_only(s->fetch) ? NULL :
	    (struct wire_fetch_response_aborted_transaction *)(uintptr_t)&none;
	p->records = span_of("", 0);
}

/* KIP-320: whether the client's idea of the leader's epoch is ours. */
static enum kafka_error
check_epoch(int32_t asked, const struct partition *log)
{
	if (asked == -1 || asked == partition_leader_epoch(log))
		return KAFKA_NONE;
	return asked < partition_leader_epoch(log) ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

/* KIP-595: a reader whose last record is of an epoch that ended before it must cut back. */
static bool
diverges(struct slot *s, const struct partition *log)
{
	int32_t epoch;
	int64_t end;

	if (s->asked->last_fetched_epoch < 0)
		return false;
	partition_epoch_end(log, s->asked->last_fetched_epoch, &epoch, &end);
	if (epoch == s->asked->last_fetched_epoch && end >= s->asked->fetch_offset)
		return false;
	s->answer->diverging_epoch.epoch = epoch;
	s->answer->diverging_epoch.end_offset = end;
	return true;
}

/* Which of the records that are given are to be left out by a reader of what is committed. */
static void
fill_aborted(struct slot *s)
{
	struct wire_fetch_response_partition *p = s->answer;
	struct aborted *aborted;
	size_t n = partition_aborted(s->read.partition, s->asked->fetch_offset, s->read.next_offset, &aborted);

	/* Not from the arena: a fetch that waits begins anew, again and again. */
	if (n > 0) {
		p->aborted_transactions = xcalloc(n, sizeof *p->aborted_transactions);
		p->n_aborted_transactions = n;
		request_keep(s->fetch->request, p->aborted_transactions);
	}
	for (size_t i = 0; i < n; i++) {
		wire_fetch_response_aborted_transaction_default(&p->aborted_transactions[i]);
		p->aborted_transactions[i].producer_id = aborted[i].producer_id;
		p->aborted_transactions[i].first_offset = aborted[i].first;
	}
	free(aborted);
}

static void
take_records(struct slot *s)
{
	struct fetch *f = s->fetch;
	struct partition_read *read = &s->read;

	if (read->error != STORE_OK) {
		set_error(s, request_error(read->error));
		/* It may have moved while the disk was awaited. */
		if (read->error == STORE_OFFSET_OUT_OF_RANGE)
			s->answer->log_start_offset = partition_log_start(read->partition);
		return;
	}
	if (read->n == 0)
		return;
	request_keep(f->request, read->bytes);
	s->answer->records = span_of(read->bytes, read->n);
	if (read->committed)
		fill_aborted(s);
	fetch_count_bytes(f, (int64_t)read->n);
	f->read_one = true;
}

static void
read_done(struct partition_read *read)
{
	struct slot *s = container_of(read, struct slot, read);
	struct fetch *f = s->fetch;
	struct request *r = f->request;

	f->reading = false;
	if (r->exchange == NULL) {
		request_keep(r, read->bytes); /* its connection went meanwhile */
		free(f->slots);
		free(f->answers);
	} else {
		take_records(s);
		fetch_go_on(f);
	}
	request_release(r);
}

/* Reads one partition.  False: the disk is awaited. */
bool
fetch_read(struct slot *s)
{
	struct fetch *f = s->fetch;
	struct request *r = f->request;
	struct topic_partition *tp = fetch_partition(s);
	int64_t left = max_bytes(f) - f->bytes;
	enum kafka_error error;

	if (tp == NULL) {
		set_error(s, missing(s));
		return true;
	}
	if (s->repeated) {
		/* Reading the same again and again would be much work for a small request. */
		set_error(s, KAFKA_INVALID_REQUEST);
		return true;
	}
	if ((error = check_epoch(s->asked->current_leader_epoch, tp->log)) != KAFKA_NONE) {
		set_error(s, error);
		return true;
	}
	fill_offsets(s, tp);
	if (diverges(s, tp->log)) {
		f->any_error = true; /* it is to know at once */
		return true;
	}
	s->read = (struct partition_read){
		.offset = s->asked->fetch_offset,
		.max_bytes = (size_t)(left <= 0 || s->asked->partition_max_bytes <= 0 ? 0 :
		    least(left, s->asked->partition_max_bytes)),
		.at_least_one = !f->read_one, .committed = fetch_committed_only(f), .done = read_done };
	if (partition_read(tp->log, &s->read)) {
		take_records(s);
		return true;
	}
	request_hold(r);
	f->reading = true;
	return false;
}
