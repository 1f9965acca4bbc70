/*
 * offset_expiry.c -- committed offsets that are of no use any more go.
 *
 * A pass looks through all offsets, in the order of their keys, which is by
 * group; some thousands at a time, with everybody else served in between.
 */
#include "api/offset_expiry.h"

#include <stdlib.h>

#include "api/group_calls.h"
#include "api/offsets.h"
#include "api/record.h"
#include "api/topics.h"
#include "base/must.h"
#include "base/xalloc.h"

enum {
	SLICE = 16384, /* each takes a walk over what has changed of late, too */
	/* Topics are often deleted one after the other: one pass for all of them. */
	SOON_MS = 1000,
	LONGEST_WAIT_MS = INT32_MAX
};

/* What a group has left, as far as a slice can tell. */
enum left { NOTHING, PERHAPS };

struct slice {
	struct api *api;
	size_t n_seen;
	struct buf keys;   /* to be deleted, each behind its length */
	size_t n_keys;
	struct buf groups; /* that lose offsets: each behind its length and what it has left */
	struct buf next;   /* where the next slice begins; empty: this is the last */
	/* The group that is being walked through. */
	uint8_t group[GROUP_ID_MAX_BYTES];
	size_t group_n;
	bool any, whole;   /* there is one; the slice has all of it */
	size_t kept, lost;
	int64_t empty_ms;  /* see groups_empty_ms() */
};

/* ---- the walk ---- */

static void
end_group(struct slice *s)
{
	if (!s->any || s->lost == 0 || (s->whole && s->kept > 0))
		return;
	buf_u16(&s->groups, (uint16_t)s->group_n);
	buf_u8(&s->groups, s->whole ? NOTHING : PERHAPS);
	buf_put(&s->groups, s->group, s->group_n);
}

static void
begin_group(struct slice *s, struct span group)
{
	must(group.n <= sizeof s->group);
	if (group.n > 0)
		memcpy(s->group, group.p, group.n);
	s->group_n = group.n;
	/* What a slice begins with may have begun before it. */
	s->whole = s->any || s->api->offset_expiry.at.n == 0;
	s->any = true;
	s->kept = s->lost = 0;
	s->empty_ms = groups_empty_ms(s->api->groups, group, loop_now_ms(s->api->loop));
}

/* Older clients say themselves how long their offsets are to be kept. */
static bool
is_outlived(const struct slice *s, struct span value)
{
	struct wire_offset_commit_record record;
	int64_t retention_ms = s->api->config.offsets_retention_ms;

	if (s->empty_ms < 0 || !offsets_parse(value, &record))
		return false;
	if (record.expire_ms >= 0)
		retention_ms = record.expire_ms - record.commit_ms;
	return s->empty_ms >= retention_ms &&
	    loop_wall_ms(s->api->loop) - record.commit_ms >= retention_ms;
}

static bool
look_at(void *ctx, struct span key, struct span value)
{
	struct slice *s = ctx;
	const uint8_t *topic;
	struct span group;
	int32_t partition;

	if (s->n_seen++ == SLICE) {
		buf_span(&s->next, key);
		return false;
	}
	if (!offsets_key_parse(key, &group, &topic, &partition))
		return true;
	if (!s->any || !span_eq(group, span_of(s->group, s->group_n))) {
		end_group(s);
		begin_group(s, group);
	}
	if (topics_find_id(s->api, topic) != NULL && !is_outlived(s, value)) {
		s->kept++;
		return true;
	}
	s->lost++;
	s->n_keys++;
	buf_u16(&s->keys, (uint16_t)key.n);
	buf_span(&s->keys, key);
	return true;
}

/* ---- what follows from it ---- */

static bool
delete_keys(struct slice *s)
{
	struct state_entry *entries = xcalloc(s->n_keys, sizeof *entries);
	const uint8_t *p = s->keys.p;
	bool taken;

	for (size_t i = 0; i < s->n_keys; i++, p += 2 + load16(p))
		entries[i].key = span_of(p + 2, load16(p));
	taken = record_put_unawaited(s->api, STATE_OFFSETS, entries, s->n_keys);
	free(entries);
	return taken;
}

static void
tell_groups(struct slice *s)
{
	const uint8_t *p = s->groups.p, *end = p + s->groups.n;

	for (; p < end; p += 3 + load16(p)) {
		struct span group = span_of(p + 3, load16(p));

		if (p[2] == NOTHING)
			groups_note_offsets(s->api->groups, group, false, loop_now_ms(s->api->loop));
		else
			offsets_note(s->api, group);
	}
	group_calls_after(s->api);
}

/* Looks through the next slice.  False: the pass is over. */
static bool
run_slice(struct api *api)
{
	struct buf *at = &api->offset_expiry.at;
	struct slice s = { .api = api };
	bool more;

	state_each_from(api->store, STATE_OFFSETS, buf_bytes(at), look_at, &s);
	more = s.next.n > 0;
	if (more)
		s.whole = false;
	end_group(&s);
	must_fit(!s.keys.failed && !s.groups.failed && !s.next.failed);
	/* On a full disk: another time. */
	if (s.n_keys > 0 && !delete_keys(&s))
		more = false;
	else
		tell_groups(&s);
	buf_done(at);
	*at = s.next;
	if (!more)
		buf_done(at);
	buf_done(&s.keys);
	buf_done(&s.groups);
	return more;
}

/* ---- when ---- */

static void
set_timer(struct api *api, int64_t wait_ms)
{
	loop_timer_set(api->loop, &api->offset_expiry.timer,
	    loop_now_ms(api->loop) + (wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS));
}

static void
on_time(struct timer *timer)
{
	struct api *api = container_of(timer, struct api, offset_expiry.timer);
	struct offset_expiry *e = &api->offset_expiry;

	if (e->at.n == 0)
		e->soon = false;
	if (run_slice(api))
		set_timer(api, 1);
	else
		set_timer(api, e->soon ? SOON_MS : api->config.offsets_retention_check_ms);
}

void
offset_expiry_init(struct api *api)
{
	api->offset_expiry.timer.fire = on_time;
	set_timer(api, api->config.offsets_retention_check_ms);
}

void
offset_expiry_done(struct api *api)
{
	loop_timer_cancel(api->loop, &api->offset_expiry.timer);
	buf_done(&api->offset_expiry.at);
}

void
offset_expiry_soon(struct api *api)
{
	struct offset_expiry *e = &api->offset_expiry;

	if (!e->soon && e->at.n == 0)
		set_timer(api, SOON_MS);
	e->soon = true;
}
