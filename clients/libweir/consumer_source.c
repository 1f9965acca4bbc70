/* consumer_source.c -- what a consumer reads: topics that its group shares out, or partitions that it is told. */
#include "libweir/consumer_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/pattern.h"

static const char exclusive[] = "Subscription to topics, partitions and pattern are mutually exclusive";

/* Only one source at a time. */
static bool
may_use(const struct weir_consumer *c, enum source source, struct weir_error *why)
{
	if (c->source == NOWHERE || c->source == source)
		return true;
	error_say(why, WEIR_ILLEGAL_STATE, "%s", exclusive);
	return false;
}

/* The same list, sorted, and each partition once.  Takes the list. */
static rd_kafka_topic_partition_list_t *
as_set(rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_topic_partition_list_t *set = rd_kafka_topic_partition_list_new(list->cnt);

	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &list->elems[i];

		if (i == 0 || p->partition != p[-1].partition || strcmp(p->topic, p[-1].topic) != 0)
			rd_kafka_topic_partition_list_add(set, p->topic, p->partition)->offset = p->offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return set;
}

/* Whether just this set is subscribed to already. */
static bool
is_subscribed(struct weir_consumer *c, const rd_kafka_topic_partition_list_t *topics)
{
	rd_kafka_topic_partition_list_t *now = NULL;
	bool same;

	if (c->source != SUBSCRIPTION || rd_kafka_subscription(c->rk, &now) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	now = as_set(now);
	same = now->cnt == topics->cnt;
	for (int i = 0; same && i < now->cnt; i++)
		same = strcmp(now->elems[i].topic, topics->elems[i].topic) == 0;
	rd_kafka_topic_partition_list_destroy(now);
	return same;
}

/* The same again would make librdkafka leave the group, and go back to what is committed. */
static bool
subscribe(struct weir_consumer *c, rd_kafka_topic_partition_list_t *topics, struct weir_error *why)
{
	bool same = is_subscribed(c, topics);
	bool good = take_error(why, same ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_subscribe(c->rk, topics));

	rd_kafka_topic_partition_list_destroy(topics);
	if (!good || same)
		return good;
	positions_forget(c);
	c->source = SUBSCRIPTION;
	return true;
}

bool
weir_subscribe(struct weir_consumer *c, const char *const *topics, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;

	if (!may_use(c, SUBSCRIPTION, why))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!client_check_topic(topics[i], why))
			return false;
	if (n == 0)
		return weir_unsubscribe(c, why);
	list = rd_kafka_topic_partition_list_new((int)n);
	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
	return subscribe(c, as_set(list), why);
}

bool
weir_subscribe_pattern(struct weir_consumer *c, const char *pattern, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	struct buf whole = { 0 };
	const char *wrong;
	bool good;

	if (!may_use(c, SUBSCRIPTION, why))
		return false;
	/* librdkafka takes what begins with ^ as a pattern, and matches it anywhere. */
	buf_printf(&whole, "^(");
	good = pattern_translate(pattern, &whole, &wrong);
	buf_printf(&whole, ")$");
	buf_u8(&whole, '\0');
	if (!good)
		error_say(why, WEIR_INVALID, "%s", wrong);
	else if (whole.failed) {
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
		good = false;
	} else {
		list = rd_kafka_topic_partition_list_new(1);
		rd_kafka_topic_partition_list_add(list, (const char *)whole.p, RD_KAFKA_PARTITION_UA);
		good = subscribe(c, list, why);
	}
	buf_done(&whole);
	return good;
}

bool
weir_unsubscribe(struct weir_consumer *c, struct weir_error *why)
{
	bool good = c->source == ASSIGNMENT ? take_error(why, rd_kafka_assign(c->rk, NULL))
					    : take_error(why, rd_kafka_unsubscribe(c->rk));

	if (!good)
		return false;
	positions_forget(c);
	c->source = NOWHERE;
	return true;
}

static bool
is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* A pattern is told as the topics of the partitions that it led to. */
bool
weir_subscription(struct weir_consumer *c, struct arena *a, const char ***topics, size_t *n)
{
	rd_kafka_topic_partition_list_t *said = NULL, *given = NULL, *from;
	bool good = true;

	*n = 0;
	*topics = NULL;
	if (c->source != SUBSCRIPTION || rd_kafka_subscription(c->rk, &said) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	from = said;
	if (said->cnt == 1 && said->elems[0].topic[0] == '^' &&
	    rd_kafka_assignment(c->rk, &given) == RD_KAFKA_RESP_ERR_NO_ERROR)
		from = given;
	good = from->cnt == 0 || (*topics = arena_array(a, (size_t)from->cnt, sizeof **topics)) != NULL;
	for (int i = 0; good && i < from->cnt; i++) {
		const char *name = from->elems[i].topic;

		if (is_in(*topics, *n, name))
			continue;
		(*topics)[*n] = arena_copy(a, name, strlen(name) + 1);
		good = (*topics)[(*n)++] != NULL;
	}
	rd_kafka_topic_partition_list_destroy(said);
	if (given != NULL)
		rd_kafka_topic_partition_list_destroy(given);
	return good;
}

/* ---- assignment ---- */

static bool
has_partition(const struct rd_kafka_metadata_topic *t, int32_t partition)
{
	for (int i = 0; i < t->partition_cnt; i++)
		if (t->partitions[i].id == partition)
			return true;
	return false;
}

static int
by_name(const void *a, const void *b)
{
	const struct rd_kafka_metadata_topic *const *x = a, *const *y = b;

	return strcmp((*x)->topic, (*y)->topic);
}

/* Whether all of these are in the metadata. */
static bool
are_in(const struct rd_kafka_metadata *m, const struct weir_offset *list, size_t n, struct weir_error *why)
{
	const struct rd_kafka_metadata_topic **topics = malloc(((size_t)m->topic_cnt + 1) * sizeof *topics);
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (topics == NULL) {
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
		return false;
	}
	for (int i = 0; i < m->topic_cnt; i++)
		topics[i] = &m->topics[i];
	qsort(topics, (size_t)m->topic_cnt, sizeof *topics, by_name);
	for (size_t i = 0; i < n && e == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
		const struct rd_kafka_metadata_topic key = { .topic = (char *)(uintptr_t)list[i].topic }, *wanted = &key;
		const struct rd_kafka_metadata_topic **found =
		    bsearch(&wanted, topics, (size_t)m->topic_cnt, sizeof *topics, by_name);

		if (found == NULL)
			e = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
		else if ((*found)->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			e = (*found)->err;
		else if (!has_partition(*found, list[i].partition))
			e = RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
	}
	free(topics);
	return take_error(why, e);
}

/*
 * Whether the broker has all of these.  librdkafka would wait for what does not exist, and keep memory for it
 * until the process ends.
 */
static bool
exist(struct weir_consumer *c, const struct weir_offset *list, size_t n, struct weir_error *why)
{
	const struct rd_kafka_metadata *m;
	rd_kafka_topic_t *one = NULL;
	rd_kafka_resp_err_t e;
	size_t same = 0;
	bool good;

	while (same < n && strcmp(list[same].topic, list[0].topic) == 0)
		same++;
	if (same == n && (one = rd_kafka_topic_new(c->rk, list[0].topic, NULL)) == NULL)
		return take_error(why, rd_kafka_last_error());
	e = rd_kafka_metadata(c->rk, one == NULL, one, &m, CALL_MS);
	good = take_error(why, e) && are_in(m, list, n, why);
	if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(m);
	if (one != NULL)
		rd_kafka_topic_destroy(one);
	return good;
}

bool
weir_assign(struct weir_consumer *c, const struct weir_offset *partitions, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!may_use(c, ASSIGNMENT, why) || !are_sound(partitions, n, why) || (n > 0 && !exist(c, partitions, n, why)))
		return false;
	list = as_set(make_list(partitions, n));
	good = take_error(why, rd_kafka_assign(c->rk, n == 0 ? NULL : list));
	rd_kafka_topic_partition_list_destroy(list);
	if (!good)
		return false;
	positions_forget(c);
	c->source = n == 0 ? NOWHERE : ASSIGNMENT;
	return true;
}

static bool
copy_list(struct arena *a, const rd_kafka_topic_partition_list_t *list, struct weir_offset **out, size_t *n)
{
	*n = 0;
	*out = arena_array(a, (size_t)list->cnt, sizeof **out);
	if (*out == NULL && list->cnt > 0)
		return false;
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &list->elems[i];
		const char *topic = arena_copy(a, p->topic, strlen(p->topic) + 1);

		if (topic == NULL)
			return false;
		(*out)[(*n)++] = (struct weir_offset){ topic, p->partition, p->offset, NULL };
	}
	return true;
}

bool
weir_assignment(struct weir_consumer *c, struct arena *a, struct weir_offset **out, size_t *n)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	bool good = true;

	*n = 0;
	*out = NULL;
	if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	good = copy_list(a, list, out, n);
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}
