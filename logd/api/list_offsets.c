/* list_offsets.c -- ListOffsets: offsets by time, and the special ones. */
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"
#include "base/must.h"

enum special {
	LATEST = -1,
	EARLIEST = -2,
	MAX_TIMESTAMP = -3,
	EARLIEST_LOCAL = -4,
	LATEST_TIERED = -5
};

/* The version in which each special timestamp came, by its negative. */
static const int16_t since[] = { [-LATEST] = 0, [-EARLIEST] = 0, [-MAX_TIMESTAMP] = 7,
	[-EARLIEST_LOCAL] = 8, [-LATEST_TIERED] = 9 };

/* Look-ups of one request that are under way at a time: others' go in between. */
enum { AT_ONCE = 4 };

/* A question that a thread has to look into the log for. */
struct question {
	struct partition_lookup lookup;
	struct search *search;
	struct span topic;
	struct wire_list_offsets_response_partition *answer;
};

/* All of a request. */
struct search {
	struct pending *pending;
	struct question *questions;
	size_t n, next;
	int under_way;
};

static void
take_found(struct question *q)
{
	const struct partition_lookup *l = &q->lookup;

	q->answer->error_code = (int16_t)request_error(l->error);
	q->answer->offset = l->offset;
	q->answer->timestamp = l->timestamp;
	q->answer->leader_epoch = l->epoch;
}

static void go_on(struct search *);

static void
looked_up(struct partition_lookup *l)
{
	struct question *q = container_of(l, struct question, lookup);
	struct search *s = q->search;

	take_found(q);
	s->under_way--;
	go_on(s);
	pending_release(s->pending);
}

static void
go_on(struct search *s)
{
	struct api *api = s->pending->request->api;

	while (s->next < s->n && s->under_way < AT_ONCE) {
		struct question *q = &s->questions[s->next++];
		/* Others may have deleted it meanwhile. */
		struct topic_partition *tp = topic_partition(topics_find(api, q->topic),
		    q->answer->partition_index);

		q->lookup.done = looked_up;
		if (tp == NULL)
			q->answer->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
		else if (partition_look_up(tp->log, &q->lookup))
			take_found(q);
		else {
			s->under_way++;
			pending_hold(s->pending);
		}
	}
}

static bool
committed_only(const struct request *r)
{
	return ((const struct wire_list_offsets_request *)r->message)->isolation_level != 0;
}

static void
ask(struct search *s, struct span topic, int64_t timestamp,
    struct wire_list_offsets_response_partition *answer)
{
	struct question *q = &s->questions[s->n++];

	q->search = s;
	q->topic = topic;
	q->answer = answer;
	q->lookup.time = timestamp;
	q->lookup.max_time = timestamp == MAX_TIMESTAMP;
	q->lookup.committed = committed_only(s->pending->request);
}

/* An offset that is known without looking into the log. */
static void
tell(struct wire_list_offsets_response_partition *p, const struct partition *log, int64_t offset)
{
	p->offset = offset;
	p->leader_epoch = offset == partition_log_end(log) ? partition_leader_epoch(log) :
	    partition_epoch_at(log, offset);
}

static void
answer_one(struct search *s, struct span topic, const struct partition *log, int64_t timestamp,
    struct wire_list_offsets_response_partition *p)
{
	switch (timestamp) {
	case LATEST:
		tell(p, log, committed_only(s->pending->request) ? partition_last_stable(log) :
		    partition_high_watermark(log));
		break;
	case EARLIEST:
	case EARLIEST_LOCAL:
		tell(p, log, partition_log_start(log));
		break;
	case LATEST_TIERED:
		break; /* nothing is tiered */
	default:
		ask(s, topic, timestamp, p);
	}
}

static enum kafka_error
check(const struct request *r, const struct topic_partition *tp,
    const struct wire_list_offsets_request_partition *asked, bool twice)
{
	int32_t epoch = asked->current_leader_epoch;

	if (twice)
		return KAFKA_INVALID_REQUEST;
	if (tp == NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (epoch != -1 && epoch < partition_leader_epoch(tp->log))
		return KAFKA_FENCED_LEADER_EPOCH;
	if (epoch != -1 && epoch > partition_leader_epoch(tp->log))
		return KAFKA_UNKNOWN_LEADER_EPOCH;
	if (asked->timestamp < LATEST_TIERED ||
	    (asked->timestamp < 0 && r->version < since[-asked->timestamp]))
		return KAFKA_UNSUPPORTED_VERSION;
	return KAFKA_NONE;
}

static void
run_topic(struct search *s, struct named *named, const struct wire_list_offsets_request_topic *from,
    struct wire_list_offsets_response_topic *to)
{
	struct request *r = s->pending->request;
	struct topic *t = topics_find(r->api, from->name);

	wire_list_offsets_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		const struct wire_list_offsets_request_partition *asked = &from->partitions[i];
		struct wire_list_offsets_response_partition *p = &to->partitions[i];
		struct topic_partition *tp = topic_partition(t, asked->partition_index);

		wire_list_offsets_response_partition_default(p);
		p->partition_index = asked->partition_index;
		p->error_code = (int16_t)check(r, tp, asked,
		    named_partition_before(named, t, asked->partition_index));
		if (p->error_code == KAFKA_NONE)
			answer_one(s, from->name, tp->log, asked->timestamp, p);
	}
}

/* Questions take memory: room for those that are asked. */
static size_t
count_questions(const struct wire_list_offsets_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		for (size_t k = 0; k < q->topics[i].n_partitions; k++) {
			int64_t time = q->topics[i].partitions[k].timestamp;

			n += time >= 0 || time == MAX_TIMESTAMP;
		}
	return n;
}

void
list_offsets_run(struct request *r)
{
	const struct wire_list_offsets_request *q = r->message;
	struct wire_list_offsets_response *response = request_alloc(r, sizeof *response);
	struct search *s = request_alloc(r, sizeof *s);
	struct named named;

	wire_list_offsets_response_default(response);
	response->n_topics = q->n_topics;
	response->topics = request_array(r, q->n_topics, sizeof *response->topics);
	s->pending = pending_begin(r, response);
	s->questions = request_array(r, count_questions(q), sizeof *s->questions);
	named_init(&named, r);
	for (size_t i = 0; i < q->n_topics; i++)
		run_topic(s, &named, &q->topics[i], &response->topics[i]);
	named_done(&named);
	go_on(s);
	pending_release(s->pending);
}
