/* broker_clients.c -- which clients a simulated broker has, and whose turn it is. */
#include "faults/broker_clients.h"

#include "base/must.h"

enum { CLIENTS = 32 };

static struct client clients[CLIENTS];
static int n_clients;

static void
add(const struct client_kind *kind, int n)
{
	for (int i = 0; i < n; i++) {
		must(n_clients < CLIENTS);
		client_begin(&clients[n_clients++], kind, i);
	}
}

void
clients_check(bool final, void (*checked)(void))
{
	add(&checker_kind, 1);
	clients[0].checked = checked;
	clients[0].final = final;
	/* Until then everything that was open is to be over. */
	if (final)
		rest(&clients[0], 2 * (int64_t)past->options.txn_timeout_ms);
}

void
clients_begin(void)
{
	const struct broker_options *o = &past->options;

	txns_begin_life();
	add(&admin_kind, 1);
	add(&plain_kind, o->plain);
	add(&idempotent_kind, o->idempotent);
	add(&transactional_kind, o->transactional);
	add(&reader_kind, o->readers);
	add(&committer_kind, o->committers);
	add(&member_kind, o->members);
	add(&consumer_kind, o->consumers);
}

void
clients_step(void)
{
	for (int i = 0; i < n_clients; i++) {
		struct client *c = &clients[i];

		if (c->n_calls < c->kind->in_flight && now_ms() >= c->rests_until_ms && one_in(3))
			c->kind->step(c);
	}
}
