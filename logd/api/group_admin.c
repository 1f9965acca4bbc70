/* group_admin.c -- ListGroups, DescribeGroups, DeleteGroups. */
#include <stdlib.h>

#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "api/operations.h"
#include "base/must.h"
#include "base/xalloc.h"

enum { NOT_FOUND_VERSION = 6, SLICE = 16 /* groups that are deleted at a time */ };

void
list_groups_run(struct request *r)
{
	const struct wire_list_groups_request *q = r->message;
	struct group_filter filter = groups_filter(q->states_filter, q->n_states_filter,
	    q->types_filter, q->n_types_filter);
	struct group_listing listing;
	size_t it = 0;
	RESPONSE(response, list_groups);

	response.groups = request_array(r, groups_count(r->api->groups), sizeof *response.groups);
	while (groups_list(r->api->groups, filter, &it, &listing))
		response.groups[response.n_groups++] = (struct wire_list_groups_response_group){
			.group_id = listing.group_id, .protocol_type = listing.protocol_type,
			.group_state = span_str(group_state_name(listing.state)),
			.group_type = span_str(listing.type) };
	request_reply(r, &response);
}

static void
describe_members(struct request *r, struct span group, size_t n,
    struct wire_describe_groups_response_group *to)
{
	struct group_member_description *members = request_array(r, n, sizeof *members);

	to->n_members = groups_describe_members(r->api->groups, group, members, n);
	to->members = request_array(r, to->n_members, sizeof *to->members);
	for (size_t i = 0; i < to->n_members; i++)
		to->members[i] = (struct wire_describe_groups_response_member){
			.member_id = members[i].member_id, .group_instance_id = members[i].instance_id,
			.client_id = members[i].client_id, .client_host = members[i].client_host,
			.member_metadata = members[i].metadata, .member_assignment = members[i].assignment };
}

void
describe_groups_run(struct request *r)
{
	const struct wire_describe_groups_request *q = r->message;
	struct named seen;
	RESPONSE(response, describe_groups);

	named_init(&seen, r);
	response.groups = request_array(r, q->n_groups, sizeof *response.groups);
	for (size_t i = 0; i < q->n_groups; i++) {
		struct wire_describe_groups_response_group *to = &response.groups[response.n_groups];
		struct group_description d;
		bool known = groups_describe(r->api->groups, q->groups[i], &d);

		if (named_before(&seen, q->groups[i]))
			continue;
		response.n_groups++;
		wire_describe_groups_response_group_default(to);
		to->group_id = q->groups[i];
		to->group_state = span_str(group_state_name(d.state));
		to->protocol_type = d.protocol_type;
		to->protocol_data = d.protocol_name;
		if (q->include_authorized_operations)
			to->authorized_operations = OPERATIONS_ON_GROUP;
		if (known)
			describe_members(r, q->groups[i], d.n_members, to);
		else if (r->version >= NOT_FOUND_VERSION) {
			to->error_code = KAFKA_GROUP_ID_NOT_FOUND;
			to->error_message = span_str("There is no group of this id.");
		}
	}
	named_done(&seen);
	request_reply(r, &response);
}

/*
 * ---- DeleteGroups ----
 *
 * Each group by itself, some at a time.  Its offsets go first: when the disk
 * refuses that, the group stays, with what it has left.
 */

struct deletion {
	struct pending *pending;
	struct wire_delete_groups_response response;
	size_t next;
};

/* Keys to be deleted, as one buffer. */
struct keys {
	struct buf bytes; /* each behind its length */
	size_t n;
};

static bool
collect_key(void *ctx, struct span key, struct span value)
{
	struct keys *keys = ctx;

	(void)value;
	buf_u16(&keys->bytes, (uint16_t)key.n);
	buf_span(&keys->bytes, key);
	keys->n++;
	return true;
}

static bool
delete_keys(struct deletion *d, const struct keys *keys, int16_t *error)
{
	struct state_entry *entries = xcalloc(keys->n, sizeof *entries);
	const uint8_t *p = keys->bytes.p;
	bool deleted;

	must_fit(!keys->bytes.failed);
	for (size_t i = 0; i < keys->n; i++, p += 2 + load16(p))
		entries[i].key = span_of(p + 2, load16(p));
	deleted = offsets_delete(d->pending, entries, keys->n, error);
	free(entries);
	return deleted;
}

static void
delete_group(struct deletion *d, struct span group, int16_t *error)
{
	struct api *api = d->pending->request->api;
	uint8_t key[OFFSETS_KEY_MAX];
	struct keys keys = { 0 };

	*error = (int16_t)groups_delete_check(api->groups, group);
	if (*error != KAFKA_NONE)
		return;
	state_each(api->store, STATE_OFFSETS, offsets_prefix(key, group), collect_key, &keys);
	if (delete_keys(d, &keys, error))
		groups_delete(api->groups, group);
	buf_done(&keys.bytes);
}

static void
go_on(struct request *r)
{
	const struct wire_delete_groups_request *q = r->message;
	struct deletion *d = r->state;
	struct wire_delete_groups_response_result *to = d->response.results;

	for (size_t i = 0; i < SLICE && d->next < q->n_groups_names; i++, d->next++)
		delete_group(d, q->groups_names[d->next], &to[d->next].error_code);
	group_calls_after(r->api);
	if (d->next < q->n_groups_names) {
		request_pause(r, go_on);
		return;
	}
	r->gone = NULL; /* what is awaited comes soon */
	pending_release(d->pending);
}

/* The connection is gone: groups that were not begun stay. */
static void
gone(struct request *r)
{
	struct deletion *d = r->state;

	list_del(&r->turn);
	r->gone = NULL;
	pending_release(d->pending);
}

void
delete_groups_run(struct request *r)
{
	const struct wire_delete_groups_request *q = r->message;
	struct deletion *d = request_alloc(r, sizeof *d);

	wire_delete_groups_response_default(&d->response);
	d->response.n_results = q->n_groups_names;
	d->response.results = request_array(r, q->n_groups_names, sizeof *d->response.results);
	for (size_t i = 0; i < q->n_groups_names; i++) {
		wire_delete_groups_response_result_default(&d->response.results[i]);
		d->response.results[i].group_id = q->groups_names[i];
	}
	d->pending = pending_begin(r, &d->response);
	r->state = d;
	r->gone = gone;
	go_on(r);
}
