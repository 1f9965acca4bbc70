/* group_admin.c -- ListGroups, DescribeGroups, DeleteGroups. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/offsets.h"
#include "api/operations.h"
#include "base/must.h"
#include "base/xalloc.h"

enum { NOT_FOUND_VERSION = 6 };

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
			.group_type = span_str("classic") };
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

/* ---- DeleteGroups: the groups go at once, the answer waits for their offsets ---- */

struct deletion {
	struct request *request;
	struct wire_delete_groups_response response;
	struct append append;
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

static void
finish(struct deletion *d)
{
	for (size_t i = 0; i < d->response.n_results; i++)
		if (d->append.error != STORE_OK && d->response.results[i].error_code == KAFKA_NONE)
			d->response.results[i].error_code = (int16_t)request_error(d->append.error);
	request_reply(d->request, &d->response);
}

static void
deleted(struct append *a)
{
	struct deletion *d = a->user;

	finish(d);
	request_release(d->request);
}

static void
delete_offsets(struct deletion *d, const struct keys *keys)
{
	struct state_entry *entries = request_array(d->request, keys->n, sizeof *entries);
	const uint8_t *p = keys->bytes.p;

	must(!keys->bytes.failed);
	for (size_t i = 0; i < keys->n; i++, p += 2 + load16(p))
		entries[i].key = span_of(p + 2, load16(p));
	d->append = (struct append){ .done = deleted, .user = d };
	if (state_put(d->request->api->store, STATE_OFFSETS, entries, keys->n,
	    request_wall_ms(d->request), &d->append))
		finish(d);
	else
		request_hold(d->request);
}

void
delete_groups_run(struct request *r)
{
	const struct wire_delete_groups_request *q = r->message;
	struct deletion *d = request_alloc(r, sizeof *d);
	uint8_t key[OFFSETS_KEY_MAX];
	struct keys keys = { 0 };

	d->request = r;
	wire_delete_groups_response_default(&d->response);
	d->response.n_results = q->n_groups_names;
	d->response.results = request_array(r, q->n_groups_names, sizeof *d->response.results);
	for (size_t i = 0; i < q->n_groups_names; i++) {
		struct span group = q->groups_names[i];
		enum group_error error = groups_delete(r->api->groups, group);

		wire_delete_groups_response_result_default(&d->response.results[i]);
		d->response.results[i].group_id = group;
		d->response.results[i].error_code = (int16_t)error;
		if (error == GROUP_OK)
			state_each(r->api->store, STATE_OFFSETS, offsets_prefix(key, group), collect_key, &keys);
	}
	group_calls_after(r->api);
	if (keys.n == 0)
		finish(d);
	else
		delete_offsets(d, &keys);
	buf_done(&keys.bytes);
}
