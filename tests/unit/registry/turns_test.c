/* turns_test.c -- turns: in order, together where they may, again where the work says so, not for ever. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/must.h"
#include "registry/turns.h"
#include "unit/unit.h"

enum { THREADS = 8, EACH = 200 };

struct place {
	struct turns turns;
	atomic_int inside;      /* threads in the work */
	atomic_int done, again; /* turns; and those that were put back */
	atomic_bool held;       /* the work waits as long as it is set */
	size_t largest;         /* turns at a time */
};

static void
work(void *ctx, struct turn **turns, size_t n)
{
	struct place *p = ctx;

	CU_ASSERT_EQUAL(atomic_fetch_add(&p->inside, 1), 0);
	CU_ASSERT(n == 1 || turns[0]->together);
	while (atomic_load(&p->held))
		sched_yield();
	if (n > p->largest)
		p->largest = n;
	/* The last of several waits on; alone, it is done. */
	if (n > 1) {
		turns[n - 1]->again = true;
		atomic_fetch_add(&p->again, 1);
	}
	atomic_fetch_add(&p->done, (int)(n > 1 ? n - 1 : n));
	atomic_fetch_sub(&p->inside, 1);
}

struct asking {
	struct place *place;
	bool together;
	int taken;
};

static void *
ask(void *arg)
{
	struct asking *a = arg;

	for (int i = 0; i < EACH; i++) {
		struct turn turn = { .together = a->together };

		a->taken += turns_take(&a->place->turns, &turn, 60000, work, a->place);
	}
	return NULL;
}

static void
every_turn_is_done_once(void)
{
	struct place p = { 0 };
	struct asking askings[THREADS];
	pthread_t threads[THREADS];
	int taken = 0;

	turns_init(&p.turns);
	for (int i = 0; i < THREADS; i++) {
		askings[i] = (struct asking){ &p, i % 4 != 0, 0 };
		must(pthread_create(&threads[i], NULL, ask, &askings[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		taken += askings[i].taken;
	}
	CU_ASSERT_EQUAL(taken, THREADS * EACH);
	CU_ASSERT_EQUAL(atomic_load(&p.done), THREADS * EACH);
	turns_done(&p.turns);
}

static void *
ask_once(void *arg)
{
	struct asking *a = arg;
	struct turn turn = { .together = a->together };

	a->taken = turns_take(&a->place->turns, &turn, 60000, work, a->place);
	return NULL;
}

static bool
waits(struct turns *t, size_t n)
{
	size_t waiting = 0;

	pthread_mutex_lock(&t->mutex);
	list_each(at, &t->waiting)
		waiting++;
	pthread_mutex_unlock(&t->mutex);
	return waiting == n;
}

static void
those_who_wait_meanwhile_come_together(void)
{
	struct place p = { .held = true };
	struct asking askings[THREADS];
	pthread_t threads[THREADS];

	turns_init(&p.turns);
	for (int i = 0; i < THREADS; i++) {
		askings[i] = (struct asking){ &p, true, 0 };
		must(pthread_create(&threads[i], NULL, ask_once, &askings[i]) == 0);
		/* The first is at work, the others wait. */
		while (!waits(&p.turns, (size_t)i) || atomic_load(&p.inside) == 0)
			sched_yield();
	}
	atomic_store(&p.held, false);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(p.largest, THREADS - 1);
	CU_ASSERT_EQUAL(atomic_load(&p.done), THREADS);
	turns_done(&p.turns);
}

static void
a_turn_that_does_not_come_is_given_up(void)
{
	struct place p = { .held = true };
	struct asking first = { &p, true, 0 };
	struct turn late = { .together = true };
	pthread_t thread;

	turns_init(&p.turns);
	must(pthread_create(&thread, NULL, ask_once, &first) == 0);
	while (atomic_load(&p.inside) == 0)
		sched_yield();
	CU_ASSERT_FALSE(turns_take(&p.turns, &late, 1, work, &p));
	atomic_store(&p.held, false);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(first.taken, 1);
	CU_ASSERT_EQUAL(atomic_load(&p.done), 1);
	CU_ASSERT(turns_take(&p.turns, &late, 1, work, &p));
	turns_done(&p.turns);
}

const struct unit_test turns_tests[] = {
	UNIT(every_turn_is_done_once),
	UNIT(those_who_wait_meanwhile_come_together),
	UNIT(a_turn_that_does_not_come_is_given_up),
	UNIT_END
};
