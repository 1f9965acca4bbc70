/* looks_test.c -- looks: never one that began before it was asked for, one for all who wait, not for ever. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/must.h"
#include "registry/looks.h"
#include "unit/unit.h"

enum { THREADS = 8, EACH = 500, LONG_MS = 60000 };

struct place {
	struct looks looks;
	atomic_int inside;
	_Atomic int64_t begun; /* looks; each gives its number */
	atomic_bool held;      /* a look waits as long as it is set */
	bool fails;
	int timeout_ms;        /* of the last one */
};

static int64_t
ask(void *ctx, int timeout_ms)
{
	struct place *p = ctx;
	int64_t n;

	CU_ASSERT_EQUAL(atomic_fetch_add(&p->inside, 1), 0);
	n = atomic_fetch_add(&p->begun, 1) + 1;
	p->timeout_ms = timeout_ms;
	while (atomic_load(&p->held))
		sched_yield();
	atomic_fetch_sub(&p->inside, 1);
	return p->fails ? -1 : n;
}

struct asking {
	struct place *place;
	int timeout_ms;
	int64_t end;
	int stale;
};

static void *
take_many(void *arg)
{
	struct asking *a = arg;

	for (int i = 0; i < EACH; i++) {
		int64_t before = atomic_load(&a->place->begun);

		a->stale += looks_take(&a->place->looks, LONG_MS, ask, a->place) <= before;
	}
	return NULL;
}

static void
no_look_is_older_than_the_question(void)
{
	struct place p = { 0 };
	struct asking askings[THREADS];
	pthread_t threads[THREADS];

	looks_init(&p.looks);
	for (int i = 0; i < THREADS; i++) {
		askings[i] = (struct asking){ .place = &p };
		must(pthread_create(&threads[i], NULL, take_many, &askings[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(askings[i].stale, 0);
	}
	CU_ASSERT(atomic_load(&p.begun) <= THREADS * EACH);
	CU_ASSERT_FALSE(p.looks.busy);
	looks_done(&p.looks);
}

static void *
take_one(void *arg)
{
	struct asking *a = arg;

	a->end = looks_take(&a->place->looks, a->timeout_ms, ask, a->place);
	return NULL;
}

static size_t
waiting(struct looks *l)
{
	size_t n = 0;

	pthread_mutex_lock(&l->mutex);
	list_each(at, &l->waiting)
		n++;
	pthread_mutex_unlock(&l->mutex);
	return n;
}

/* The first is at a look that is held, the others wait for the next; those have so long. */
static void
hold(struct place *p, struct asking *askings, pthread_t *threads, size_t n, int timeout_ms)
{
	looks_init(&p->looks);
	atomic_store(&p->held, true);
	for (size_t i = 0; i < n; i++) {
		askings[i] = (struct asking){ .place = p, .timeout_ms = i == 0 ? LONG_MS : timeout_ms };
		must(pthread_create(&threads[i], NULL, take_one, &askings[i]) == 0);
		while (waiting(&p->looks) != i || atomic_load(&p->inside) == 0)
			sched_yield();
	}
}

static void
one_serves_all_who_wait(void)
{
	struct place p = { 0 };
	struct asking askings[THREADS];
	pthread_t threads[THREADS];

	hold(&p, askings, threads, THREADS, LONG_MS);
	atomic_store(&p.held, false);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(askings[i].end, i == 0 ? 1 : 2);
	}
	CU_ASSERT_EQUAL(atomic_load(&p.begun), 2);
	looks_done(&p.looks);
}

static void
who_is_late_gives_up_and_the_others_go_on(void)
{
	struct place p = { 0 };
	struct asking askings[2];
	pthread_t threads[2];

	hold(&p, askings, threads, 2, LONG_MS);
	CU_ASSERT_EQUAL(looks_take(&p.looks, 1, ask, &p), -1);
	CU_ASSERT_EQUAL(waiting(&p.looks), 1);
	atomic_store(&p.held, false);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(askings[1].end, 2);
	looks_done(&p.looks);
}

static void
nobody_waits_long_while_there_is_no_answer(void)
{
	struct place p = { .fails = true };

	looks_init(&p.looks);
	CU_ASSERT_EQUAL(looks_take(&p.looks, LONG_MS, ask, &p), -1);
	CU_ASSERT(p.timeout_ms > LONG_MS / 2);
	p.fails = false;
	CU_ASSERT_EQUAL(looks_take(&p.looks, LONG_MS, ask, &p), 2);
	CU_ASSERT(p.timeout_ms <= 1000);
	CU_ASSERT_EQUAL(looks_take(&p.looks, LONG_MS, ask, &p), 3);
	CU_ASSERT(p.timeout_ms > LONG_MS / 2);
	looks_done(&p.looks);
}

const struct unit_test looks_tests[] = {
	UNIT(no_look_is_older_than_the_question),
	UNIT(one_serves_all_who_wait),
	UNIT(who_is_late_gives_up_and_the_others_go_on),
	UNIT(nobody_waits_long_while_there_is_no_answer),
	UNIT_END
};
