/*
 * fetch_incremental.c -- Fetch with a session (KIP-227): what it keeps is read, what
 * has changed for the client is answered.  The rules are in fetch_sessions.h.
 */
#include "api/fetch_internal.h"

#include "base/must.h"
#include "base/xalloc.h"

static void
tell_stats(struct api *api)
{
	stat_set(&api->stats.incremental_fetch_sessions, api->fetch_sessions.by_id.n);
	stat_set(&api->stats.incremental_fetch_partitions_cached, api->fetch_sessions.n_partitions);
	stat_set(&api->stats.incremental_fetch_session_evictions, api->fetch_sessions.n_evicted);
}

/* What is not parked sees it by itself, see may_wait(). */
static void
session_closed(void *fetch)
{
	struct fetch *f = fetch;

	if (f->parked)
		loop_timer_set(f->request->api->loop, &f->timer, request_now_ms(f->request));
}

/* While it is there, so that missing() knows it afterwards. */
static void
note_name(struct fetch *f, struct fetch_session *session, struct fetched_topic *t)
{
	struct topic *found = fetch_find(f, t);

	if (f->by_id && found != NULL && t->name.p == NULL)
		fetch_session_name(&f->request->api->fetch_sessions, session, t, found->name);
}

/* The session knows what this answer says.  Without a place for it, there is none. */
void
fetch_begin_session(struct fetch *f)
{
	struct request *r = f->request;
	struct fetch_sessions *all = &r->api->fetch_sessions;
	struct fetch_session *session = fetch_sessions_new(all, r->message, f->by_id,
	    (size_t)r->api->config.fetch_session_slots, request_now_ms(r));

	for (size_t i = 0; session != NULL && i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];
		struct fetched_partition *p = fetch_session_put(all, session, s->topic->name, s->topic->id, s->asked);

		if (p == NULL) {
			fetch_sessions_close(all, session->id);
			session = NULL;
		} else {
			note_name(f, session, p->key.topic);
			fetch_session_answer(p, s->answer, fetch_committed_only(f));
		}
	}
	if (session != NULL)
		f->response.session_id = session->id;
	tell_stats(r->api);
}

/* Chooses what of the session's partitions is answered; counts the topics that take turns there. */
static size_t
choose_told(struct fetch *f, size_t *n_told)
{
	const struct fetched_topic *last = NULL;
	size_t n_topics = 0;

	*n_told = 0;
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];

		if (!(s->told = fetch_session_answer(s->kept, s->answer, fetch_committed_only(f))))
			continue;
		if (s->answer->records.n > 0)
			fetch_session_to_end(f->session, s->kept);
		n_topics += s->topic != last;
		last = s->topic;
		(*n_told)++;
	}
	return n_topics;
}

static void
fill_topic(struct fetch *f, struct wire_fetch_response_topic *to, const struct fetched_topic *t,
    struct wire_fetch_response_partition *partitions)
{
	wire_fetch_response_topic_default(to);
	if (f->by_id)
		memcpy(to->topic_id, t->id, sizeof to->topic_id);
	else
		to->topic = request_copy(f->request, t->name);
	to->partitions = partitions;
}

/* What has changed for the client, in the session's order. */
void
fetch_fill_changed(struct fetch *f)
{
	struct request *r = f->request;
	size_t n_told, n_topics = choose_told(f, &n_told);
	struct wire_fetch_response_topic *topic = request_array(r, n_topics, sizeof *topic);
	struct wire_fetch_response_partition *next = request_array(r, n_told, sizeof *next);
	const struct fetched_topic *last = NULL;

	f->response.session_id = f->session->id;
	f->response.responses = topic;
	f->response.n_responses = n_topics;
	for (size_t i = 0; i < f->n_slots; i++) {
		const struct slot *s = &f->slots[i];

		if (!s->told)
			continue;
		if (s->topic != last)
			fill_topic(f, topic++, last = s->topic, next);
		topic[-1].n_partitions++;
		*next++ = *s->answer;
	}
}

/*
 * An earlier request of the session that is still under way: the client has given
 * it up.  As in Kafka it is told so; but one that waits for the disk stays, and
 * the later is refused, so that a session never works for more than one.
 */
static bool
supersede(struct fetch_session *session)
{
	struct fetch *earlier = session->fetch;

	if (earlier != NULL && earlier->reading)
		return false;
	if (earlier != NULL)
		fetch_refuse(earlier, KAFKA_INVALID_FETCH_SESSION_EPOCH);
	return true;
}

/* What the request says of sessions, of this one or of another that it ends. */
static enum kafka_error
open_session(struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;
	struct fetch_sessions *all = &f->request->api->fetch_sessions;
	struct fetch_session *session;
	enum kafka_error error;

	if (!fetch_session_is_incremental(q)) {
		fetch_sessions_close(all, q->session_id);
		f->begins = q->session_epoch == 0;
		return KAFKA_NONE;
	}
	if ((error = fetch_sessions_find(all, q, f->by_id, &session)) != KAFKA_NONE)
		return error;
	if (!supersede(session))
		return KAFKA_INVALID_FETCH_SESSION_EPOCH;
	if ((error = fetch_session_update(all, &session, q, request_now_ms(f->request))) != KAFKA_NONE)
		return error;
	if ((f->session = session) != NULL)
		fetch_session_hold(session, f);
	return KAFKA_NONE;
}

enum kafka_error
fetch_open_session(struct fetch *f)
{
	enum kafka_error error = open_session(f);

	tell_stats(f->request->api);
	return error;
}

/* What the session has. */
void
fetch_add_kept(struct fetch *f)
{
	size_t n = f->session->by_key.n;

	f->slots = xcalloc(n, sizeof *f->slots);
	f->answers = xcalloc(n, sizeof *f->answers);
	list_each(it, &f->session->partitions) {
		struct fetched_partition *p = container_of(it, struct fetched_partition, link);
		struct slot *s = fetch_add_slot(f, p->key.topic, &p->asked, &f->answers[f->n_slots]);

		s->kept = p;
		note_name(f, f->session, p->key.topic);
	}
}

void
fetch_init(struct api *api)
{
	uint64_t seed;

	store_random((uint8_t *)&seed, sizeof seed);
	fetch_sessions_init(&api->fetch_sessions, seed, session_closed);
}

void
fetch_done(struct api *api)
{
	fetch_sessions_done(&api->fetch_sessions);
}
