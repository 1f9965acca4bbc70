/*
 * consumer_offsets.c -- where a consumer reads next, and what its group has committed.
 *
 * librdkafka knows a position from the last message that it gave out.  What it does not
 * know is kept here: positions that were moved since, and the message that came back.
 */
#include "libweir/consumer_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	STEP_MS = 10,
	NOTE_MAX = INT16_MAX /* of the note that goes with a commit: what the protocol has room for */
};

/* ---- lists of partitions ---- */

bool
are_sound(const struct weir_offset *offsets, size_t n, struct weir_error *why)
{
	for (size_t i = 0; i < n; i++) {
		if (!client_check_topic(offsets[i].topic, why))
			return false;
		if (offsets[i].metadata != NULL && strlen(offsets[i].metadata) > NOTE_MAX) {
			error_set(why, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, NULL);
			return false;
		}
	}
	return true;
}

rd_kafka_topic_partition_list_t *
make_list(const struct weir_offset *offsets, size_t n)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

	for (size_t i = 0; i < n; i++) {
		rd_kafka_topic_partition_t *p =
		    rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition);
		size_t size = offsets[i].metadata == NULL ? 0 : strlen(offsets[i].metadata);

		p->offset = offsets[i].offset;
		/* librdkafka frees it. */
		if (size > 0 && (p->metadata = malloc(size)) != NULL) {
			memcpy(p->metadata, offsets[i].metadata, size);
			p->metadata_size = size;
		}
	}
	return list;
}

/* What the broker answered of the partition; NULL with `why` filled where that is an error. */
static const rd_kafka_topic_partition_t *
answer_of(rd_kafka_topic_partition_list_t *list, const struct weir_offset *asked, struct weir_error *why)
{
	const rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_find(list, asked->topic, asked->partition);

	return p != NULL && take_error(why, p->err) ? p : NULL;
}

static bool
is_assigned(struct weir_consumer *c, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	bool found;

	if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	found = rd_kafka_topic_partition_list_find(list, topic, partition) != NULL;
	rd_kafka_topic_partition_list_destroy(list);
	return found;
}

/*
 * Whether a partition that is assigned has been so since the last message that it gave, if any.  librdkafka takes part
 * in a group's sharing anew by itself, at any time.  What it gave out before is then read anew, from what was committed
 * last: by another, or here, where the partition comes back.
 */
static bool
has_stayed(struct weir_consumer *c, const char *topic, int32_t partition)
{
	const rd_kafka_topic_partition_t *reached = rd_kafka_topic_partition_list_find(c->reached, topic, partition);
	rd_kafka_topic_partition_list_t *now;
	bool same;

	if (reached == NULL)
		return true;
	now = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(now, topic, partition);
	same = rd_kafka_position(c->rk, now) == RD_KAFKA_RESP_ERR_NO_ERROR && now->elems[0].offset == reached->offset;
	rd_kafka_topic_partition_list_destroy(now);
	return same;
}

/* ---- positions ---- */

void
positions_init(struct weir_consumer *c)
{
	c->moved = rd_kafka_topic_partition_list_new(0);
	c->given = rd_kafka_topic_partition_list_new(0);
	c->reached = rd_kafka_topic_partition_list_new(0);
	c->given_last = c->reached_last = 0;
}

static void
drop_returned(struct weir_consumer *c)
{
	if (c->returned != NULL)
		rd_kafka_message_destroy(c->returned);
	c->returned = NULL;
}

void
positions_done(struct weir_consumer *c)
{
	drop_returned(c);
	rd_kafka_topic_partition_list_destroy(c->moved);
	rd_kafka_topic_partition_list_destroy(c->given);
	rd_kafka_topic_partition_list_destroy(c->reached);
}

void
positions_forget(struct weir_consumer *c)
{
	positions_done(c);
	positions_init(c);
}

static void
drop_returned_of(struct weir_consumer *c, const char *topic, int32_t partition)
{
	if (c->returned != NULL && c->returned->partition == partition &&
	    strcmp(rd_kafka_topic_name(c->returned->rkt), topic) == 0)
		drop_returned(c);
}

/* Notes where a partition is read next, which no message has told; what was returned of it is of before. */
static void
note_move(struct weir_consumer *c, const char *topic, int32_t partition, int64_t offset)
{
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_find(c->moved, topic, partition);

	if (p == NULL)
		p = rd_kafka_topic_partition_list_add(c->moved, topic, partition);
	p->offset = offset;
	drop_returned_of(c, topic, partition);
}

/* It was taken away: if it is ours now, then from where the group's commits say. */
static void
forget_place(struct weir_consumer *c, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_del(c->reached, topic, partition);
	rd_kafka_topic_partition_list_del(c->moved, topic, partition);
	drop_returned_of(c, topic, partition);
}

/* The partition's element, made where there is none with `offset`; mostly it is that of the message before. */
static rd_kafka_topic_partition_t *
element_of(rd_kafka_topic_partition_list_t *list, int *last, const char *topic, int32_t partition, int64_t offset)
{
	rd_kafka_topic_partition_t *p = list->elems + *last;

	if (*last < list->cnt && p->partition == partition && strcmp(p->topic, topic) == 0)
		return p;
	if ((p = rd_kafka_topic_partition_list_find(list, topic, partition)) == NULL) {
		p = rd_kafka_topic_partition_list_add(list, topic, partition);
		p->offset = offset;
	}
	*last = (int)(p - list->elems);
	return p;
}

void
positions_give(struct weir_consumer *c, const rd_kafka_message_t *m)
{
	const char *topic = rd_kafka_topic_name(m->rkt);

	if (c->moved->cnt > 0)
		rd_kafka_topic_partition_list_del(c->moved, topic, m->partition);
	element_of(c->given, &c->given_last, topic, m->partition, m->offset);
	element_of(c->reached, &c->reached_last, topic, m->partition, 0)->offset = m->offset + 1;
}

void
positions_return(struct weir_consumer *c, rd_kafka_message_t *m)
{
	note_move(c, rd_kafka_topic_name(m->rkt), m->partition, m->offset);
	c->returned = m;
}

rd_kafka_message_t *
positions_take_returned(struct weir_consumer *c)
{
	rd_kafka_message_t *m = c->returned;
	const char *topic;

	if (m == NULL)
		return NULL;
	topic = rd_kafka_topic_name(m->rkt);
	if (!is_assigned(c, topic, m->partition) || !has_stayed(c, topic, m->partition)) {
		forget_place(c, topic, m->partition);
		return NULL;
	}
	c->returned = NULL;
	return m;
}

static void
nap(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

/* Moves the positions.  Those that were assigned just now can't be until the client knows where they would begin. */
static bool
seek(struct weir_consumer *c, rd_kafka_topic_partition_list_t *list, struct weir_error *why)
{
	rd_kafka_resp_err_t e;

	for (int ms = 0;; ms += STEP_MS) {
		if (error_take(why, rd_kafka_seek_partitions(c->rk, list, CALL_MS)))
			return false;
		e = RD_KAFKA_RESP_ERR_NO_ERROR;
		for (int i = 0; i < list->cnt && e == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
			e = list->elems[i].err;
		if (e != RD_KAFKA_RESP_ERR__STATE || ms >= CALL_MS)
			break;
		nap(STEP_MS);
	}
	if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
		for (int i = 0; i < list->cnt; i++) {
			note_move(c, list->elems[i].topic, list->elems[i].partition, list->elems[i].offset);
			rd_kafka_topic_partition_list_del(c->reached, list->elems[i].topic, list->elems[i].partition);
		}
	return take_error(why, e == RD_KAFKA_RESP_ERR__STATE ? RD_KAFKA_RESP_ERR__TIMED_OUT : e);
}

bool
weir_seek(struct weir_consumer *c, const char *topic, int32_t partition, int64_t offset, struct weir_error *why)
{
	struct weir_offset to = { topic, partition, offset, NULL };
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!is_assigned(c, topic, partition)) {
		error_say(why, WEIR_ILLEGAL_STATE, "No current assignment for partition %s-%d", topic, (int)partition);
		return false;
	}
	list = make_list(&to, 1);
	good = seek(c, list, why);
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

bool
weir_offsets_for_times(struct weir_consumer *c, struct weir_offset *offsets, size_t n, int timeout_ms,
    struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	list = make_list(offsets, n);
	good = take_error(why, rd_kafka_offsets_for_times(c->rk, list, timeout_ms));
	for (size_t i = 0; good && i < n; i++) {
		const rd_kafka_topic_partition_t *p = answer_of(list, &offsets[i], why);

		if ((good = p != NULL))
			offsets[i].offset = p->offset < 0 ? WEIR_END : p->offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

/* Puts the offset of the next message of each partition in; takes out those where it is not known. */
static void
find_positions(struct weir_consumer *c, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_position(c->rk, list);
	for (int i = list->cnt - 1; i >= 0; i--) {
		rd_kafka_topic_partition_t *p = &list->elems[i];
		const rd_kafka_topic_partition_t *moved =
		    rd_kafka_topic_partition_list_find(c->moved, p->topic, p->partition);

		if (moved != NULL)
			p->offset = moved->offset;
		if (p->offset < 0)
			rd_kafka_topic_partition_list_del_by_idx(list, i);
	}
}

/* ---- what its user has ---- */

static void
begin_anew(struct weir_consumer *c)
{
	rd_kafka_topic_partition_list_destroy(c->given);
	c->given = rd_kafka_topic_partition_list_new(0);
	c->given_last = 0;
}

void
weir_consumed(struct weir_consumer *c)
{
	if (c->given->cnt == 0)
		return;
	find_positions(c, c->given);
	/* It fails where a partition is no longer ours: then another reads it anew. */
	rd_kafka_offsets_store(c->rk, c->given);
	begin_anew(c);
}

bool
weir_rewind(struct weir_consumer *c, struct weir_error *why)
{
	bool good = true;

	for (int i = c->given->cnt - 1; i >= 0; i--)
		if (!is_assigned(c, c->given->elems[i].topic, c->given->elems[i].partition))
			rd_kafka_topic_partition_list_del_by_idx(c->given, i);
	*why = (struct weir_error){ .kind = WEIR_OK };
	if (c->given->cnt > 0)
		good = seek(c, c->given, why);
	begin_anew(c);
	return good;
}

/* ---- committed offsets ---- */

/* All that is assigned, with the offsets of the next messages.  Owned. */
static rd_kafka_topic_partition_list_t *
all_positions(struct weir_consumer *c)
{
	rd_kafka_topic_partition_list_t *list;

	if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rd_kafka_topic_partition_list_new(0);
	find_positions(c, list);
	return list;
}

/*
 * Whether all of these are ours, and have been since their last messages.  Else a commit could be taken, since
 * librdkafka makes it as the member that it is then, of whom a coordinator doesn't ask whose the partition is.
 * What was lost is told once: then it counts as what gave nothing yet.
 */
static bool
are_ours(struct weir_consumer *c, const rd_kafka_topic_partition_list_t *list, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *assigned = NULL;
	bool ours = true;

	if (c->source != SUBSCRIPTION)
		return true;
	if (!take_error(why, rd_kafka_assignment(c->rk, &assigned)))
		return false;
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &list->elems[i];

		if (rd_kafka_topic_partition_list_find(assigned, p->topic, p->partition) != NULL &&
		    has_stayed(c, p->topic, p->partition))
			continue;
		ours = false;
		forget_place(c, p->topic, p->partition);
	}
	rd_kafka_topic_partition_list_destroy(assigned);
	return ours || take_error(why, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
}

static bool
commit(struct weir_consumer *c, rd_kafka_topic_partition_list_t *list, struct weir_error *why)
{
	/* By a queue of our own, since rd_kafka_commit() waits without end. */
	rd_kafka_queue_t *queue = rd_kafka_queue_new(c->rk);
	rd_kafka_resp_err_t e = rd_kafka_commit_queue(c->rk, list, queue, NULL, NULL);
	rd_kafka_topic_partition_list_t *answered;
	rd_kafka_event_t *event = NULL;
	bool good;

	if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
		event = rd_kafka_queue_poll(queue, CALL_MS);
		e = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
	}
	good = take_error(why, e);
	answered = event == NULL ? NULL : rd_kafka_event_topic_partition_list(event);
	for (int i = 0; good && answered != NULL && i < answered->cnt; i++)
		good = take_error(why, answered->elems[i].err);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	return good;
}

bool
weir_commit(struct weir_consumer *c, const struct weir_offset *offsets, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list, *needed; /* what is committed; what has to be ours for that */
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	*why = (struct weir_error){ .kind = WEIR_OK };
	list = n > 0 ? make_list(offsets, n) : all_positions(c);
	needed = n > 0 ? list : rd_kafka_topic_partition_list_copy(c->reached);
	/* Once more behind it, for what was taken away meanwhile: whoever has it now may not know of this commit. */
	good = are_ours(c, needed, why) && (list->cnt == 0 || commit(c, list, why)) && are_ours(c, needed, why);
	if (needed != list)
		rd_kafka_topic_partition_list_destroy(needed);
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

bool
weir_committed(struct weir_consumer *c, struct arena *a, struct weir_offset *offsets, size_t n, int timeout_ms,
    struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	list = make_list(offsets, n);
	good = take_error(why, rd_kafka_committed(c->rk, list, timeout_ms));
	for (size_t i = 0; good && i < n; i++) {
		const rd_kafka_topic_partition_t *p = answer_of(list, &offsets[i], why);
		char *note;

		if (!(good = p != NULL))
			break;
		offsets[i].offset = p->offset < 0 ? WEIR_NO_OFFSET : p->offset;
		if ((note = arena_alloc(a, p->metadata_size + 1)) == NULL) {
			error_say(why, WEIR_NO_MEMORY, "Out of memory");
			good = false;
		} else if (p->metadata_size > 0)
			memcpy(note, p->metadata, p->metadata_size);
		offsets[i].metadata = note;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}
