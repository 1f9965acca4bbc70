/* list_offsets.c -- ListOffsets: offsets by time, and the special ones. */
#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"

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

static enum kafka_error
look_up(struct request *r, const struct wire_list_offsets_request_partition *asked,
    const struct partition *log, struct partition *found_in, struct partition_found *found)
{
	enum store_error error = STORE_OK;

	*found = (struct partition_found){ -1, -1 };
	if (asked->timestamp < LATEST_TIERED ||
	    (asked->timestamp < 0 && r->version < since[-asked->timestamp]))
		return KAFKA_UNSUPPORTED_VERSION;
	switch (asked->timestamp) {
	case LATEST:
		found->offset = partition_high_watermark(log);
		break;
	case EARLIEST:
	case EARLIEST_LOCAL:
		found->offset = partition_log_start(log);
		break;
	case MAX_TIMESTAMP:
		error = partition_find_max_time(found_in, found);
		break;
	case LATEST_TIERED:
		break; /* nothing is tiered */
	default:
		error = partition_find_time(found_in, asked->timestamp, found);
	}
	return request_error(error);
}

static void
run_one(struct request *r, struct topic *t, const struct wire_list_offsets_request_partition *asked,
    bool twice, struct wire_list_offsets_response_partition *p)
{
	struct topic_partition *tp = topic_partition(t, asked->partition_index);
	struct partition_found found;
	int32_t epoch = asked->current_leader_epoch;

	wire_list_offsets_response_partition_default(p);
	p->partition_index = asked->partition_index;
	if (twice)
		p->error_code = KAFKA_INVALID_REQUEST;
	else if (tp == NULL)
		p->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	else if (epoch != -1 && epoch < partition_leader_epoch(tp->log))
		p->error_code = KAFKA_FENCED_LEADER_EPOCH;
	else if (epoch != -1 && epoch > partition_leader_epoch(tp->log))
		p->error_code = KAFKA_UNKNOWN_LEADER_EPOCH;
	else {
		p->error_code = (int16_t)look_up(r, asked, tp->log, tp->log, &found);
		p->offset = found.offset;
		p->timestamp = found.timestamp;
		if (found.offset == -1)
			p->leader_epoch = -1;
		else if (found.offset == partition_log_end(tp->log))
			p->leader_epoch = partition_leader_epoch(tp->log);
		else
			p->leader_epoch = partition_epoch_at(tp->log, found.offset);
	}
}

void
list_offsets_run(struct request *r)
{
	const struct wire_list_offsets_request *q = r->message;
	struct named named;
	RESPONSE(response, list_offsets);

	named_init(&named, r);
	response.n_topics = q->n_topics;
	response.topics = request_array(r, q->n_topics, sizeof *response.topics);
	for (size_t i = 0; i < q->n_topics; i++) {
		const struct wire_list_offsets_request_topic *from = &q->topics[i];
		struct wire_list_offsets_response_topic *to = &response.topics[i];
		struct topic *t = topics_find(r->api, from->name);

		wire_list_offsets_response_topic_default(to);
		to->name = from->name;
		to->n_partitions = from->n_partitions;
		to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
		for (size_t k = 0; k < from->n_partitions; k++)
			run_one(r, t, &from->partitions[k],
			    named_partition_before(&named, t, from->partitions[k].partition_index),
			    &to->partitions[k]);
	}
	named_done(&named);
	request_reply(r, &response);
}
