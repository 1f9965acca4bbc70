/*
 * net_fake.h -- what tests tell the connections that tests/fake/net.c fakes, of
 * which the daemon sees the exchanges of net/conn.h.
 *
 * A client sends frames (without their length) and is handed answers; both
 * take as many turns as the seed has it, in their order.
 */
#ifndef FAKE_NET_FAKE_H
#define FAKE_NET_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/conn.h"

struct fake_conn;

/* Begins: no connections, a new order of events.  The hooks are copied. */
void fake_net_begin(const struct net_hooks *, uint64_t seed);

/* Never freed, as the life ends with its process. */
struct fake_conn *fake_conn_new(const void *tag, void (*answered)(void *ctx, struct span answer),
    void (*refused)(void *ctx), void *ctx);
/* The bytes are copied. */
void fake_conn_send(struct fake_conn *, struct span frame);
/* The client hangs up: nothing more is answered. */
void fake_conn_close(struct fake_conn *);
bool fake_conn_is_open(const struct fake_conn *);

/* Lets frames and answers arrive.  Not within a hook.  Whether anything is on its way. */
bool fake_net_turn(void);
/* All clients hang up. */
void fake_net_end(void);

#endif
