/* describe_log_dirs.c -- DescribeLogDirs: how many bytes each partition takes in the one folder. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"

static void
add_partition(struct wire_describe_log_dirs_response_topic *to, const struct topic_partition *tp)
{
	struct wire_describe_log_dirs_response_partition *p = &to->partitions[to->n_partitions++];

	wire_describe_log_dirs_response_partition_default(p);
	p->partition_index = tp->number;
	p->partition_size = partition_bytes(tp->log);
}

static void
all_topics(struct request *r, struct wire_describe_log_dirs_response_result *to)
{
	size_t n;
	struct topic **topics = topics_sorted(r->api, &n);

	to->topics = request_array(r, n, sizeof *to->topics);
	for (to->n_topics = 0; to->n_topics < n; to->n_topics++) {
		struct wire_describe_log_dirs_response_topic *answer = &to->topics[to->n_topics];
		struct topic *t = topics[to->n_topics];

		wire_describe_log_dirs_response_topic_default(answer);
		answer->name = t->name;
		answer->partitions = request_array(r, (size_t)t->n_partitions, sizeof *answer->partitions);
		for (int32_t i = 0; i < t->n_partitions; i++)
			add_partition(answer, t->partitions[i]);
	}
	free(topics);
}

/* What is asked for and not there is left out; what is named again, too. */
static void
named_topics(struct request *r, struct wire_describe_log_dirs_response_result *to)
{
	const struct wire_describe_log_dirs_request *q = r->message;
	struct named named;

	named_init(&named, r);
	to->topics = request_array(r, q->n_topics, sizeof *to->topics);
	for (size_t i = 0; i < q->n_topics; i++) {
		const struct wire_describe_log_dirs_request_topic *asked = &q->topics[i];
		struct wire_describe_log_dirs_response_topic *answer = &to->topics[to->n_topics];
		struct topic *t = topics_find(r->api, asked->topic);

		if (t == NULL)
			continue;
		wire_describe_log_dirs_response_topic_default(answer);
		answer->name = t->name;
		answer->partitions = request_array(r, asked->n_partitions < (size_t)t->n_partitions ?
		    asked->n_partitions : (size_t)t->n_partitions, sizeof *answer->partitions);
		for (size_t j = 0; j < asked->n_partitions; j++) {
			struct topic_partition *tp = topic_partition(t, asked->partitions[j]);

			if (tp != NULL && !named_partition_before(&named, t, tp->number))
				add_partition(answer, tp);
		}
		if (answer->n_partitions > 0)
			to->n_topics++;
	}
	named_done(&named);
}

void
describe_log_dirs_run(struct request *r)
{
	const struct wire_describe_log_dirs_request *q = r->message;
	struct wire_describe_log_dirs_response_result dir;
	int64_t total, usable;
	RESPONSE(response, describe_log_dirs);

	wire_describe_log_dirs_response_result_default(&dir);
	dir.log_dir = span_str(r->api->config.log_dir);
	if (q->topics == NULL)
		all_topics(r, &dir);
	else
		named_topics(r, &dir);
	/* Where the disk does not say, -1 stays: "unknown". */
	if (store_space(r->api->store, &total, &usable) == 0) {
		dir.total_bytes = total;
		dir.usable_bytes = usable;
	}
	response.results = &dir;
	response.n_results = 1;
	request_reply(r, &response);
}
