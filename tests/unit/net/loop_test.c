/* loop_test.c -- descriptors, timers and rounds. */
#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plat/clock.h"
#include "unit/unit.h"

static struct loop *loop;
static char story[64];

static void
tell(char c)
{
	size_t n = strlen(story);

	if (n + 1 < sizeof story)
		story[n] = c;
}

struct named_timer {
	struct timer timer;
	char name;
};

static void
tell_timer(struct timer *t)
{
	tell(container_of(t, struct named_timer, timer)->name);
}

static void
stop_by_timer(struct timer *t)
{
	tell_timer(t);
	loop_stop(loop);
}

/* A socket pair with one end watched. */
struct named_watch {
	struct watch watch;
	char name;
	int other;
	struct named_watch *victim;
};

static void
open_watch(struct named_watch *w, char name, void (*fn)(struct watch *, unsigned))
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	*w = (struct named_watch){ .name = name, .other = ends[1],
		.watch = { .fd = ends[0], .events = WATCH_READ, .ready = fn } };
	CU_ASSERT_EQUAL_FATAL(loop_watch(loop, &w->watch), 0);
}

static void
poke(struct named_watch *w)
{
	CU_ASSERT_EQUAL(write(w->other, "x", 1), 1);
}

static void
drain(struct named_watch *w)
{
	char c;

	CU_ASSERT_EQUAL(read(w->watch.fd, &c, 1), 1);
}

static void
close_watch(struct named_watch *w)
{
	loop_unwatch(loop, &w->watch);
	close(w->watch.fd);
	close(w->other);
}

static void
tell_watch(struct watch *w, unsigned events)
{
	struct named_watch *n = container_of(w, struct named_watch, watch);

	CU_ASSERT_EQUAL(events, WATCH_READ);
	drain(n);
	tell(n->name);
	loop_stop(loop);
}

static void
begin(void)
{
	loop = loop_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	memset(story, 0, sizeof story);
}

static void
timers_fire_in_the_order_of_their_time(void)
{
	struct named_timer a = { .name = 'a', .timer.fire = tell_timer };
	struct named_timer b = { .name = 'b', .timer.fire = tell_timer };
	struct named_timer c = { .name = 'c', .timer.fire = tell_timer };
	struct named_timer z = { .name = 'z', .timer.fire = stop_by_timer };
	int64_t now;

	begin();
	now = loop_now_ms(loop);
	loop_timer_set(loop, &z.timer, now + 4);
	loop_timer_set(loop, &b.timer, now + 2);
	loop_timer_set(loop, &c.timer, now + 3);
	loop_timer_set(loop, &a.timer, now + 1);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "abcz");
	CU_ASSERT(clock_mono_ms() >= now + 4);
	loop_free(loop);
}

static void
timer_can_be_moved_and_cancelled(void)
{
	struct named_timer a = { .name = 'a', .timer.fire = tell_timer };
	struct named_timer b = { .name = 'b', .timer.fire = tell_timer };
	struct named_timer z = { .name = 'z', .timer.fire = stop_by_timer };
	int64_t now;

	begin();
	now = loop_now_ms(loop);
	loop_timer_set(loop, &a.timer, now + 1);
	loop_timer_set(loop, &b.timer, now + 1);
	loop_timer_set(loop, &z.timer, now + 5);
	loop_timer_set(loop, &a.timer, now + 1000000);
	loop_timer_cancel(loop, &b.timer);
	loop_timer_cancel(loop, &b.timer);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "z");
	loop_timer_cancel(loop, &a.timer);
	loop_free(loop);
}

static void
set_again(struct timer *t)
{
	tell_timer(t);
	if (strlen(story) < 5)
		loop_timer_set(loop, t, loop_now_ms(loop));
	else
		loop_stop(loop);
}

static int n_rounds;

static void
count_round(struct round_hook *h)
{
	(void)h;
	n_rounds++;
}

static void
timer_that_sets_itself_does_not_hold_the_round(void)
{
	struct named_timer a = { .name = 'a', .timer.fire = set_again };
	struct round_hook h = { .run = count_round };

	begin();
	n_rounds = 0;
	loop_hook(loop, &h);
	loop_timer_set(loop, &a.timer, 0);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "aaaaa");
	CU_ASSERT_EQUAL(n_rounds, 5);
	loop_free(loop);
}

static void
tell_hook(struct round_hook *h)
{
	(void)h;
	tell('h');
}

static void
hooks_run_after_events_and_timers(void)
{
	struct named_watch w;
	struct named_timer t = { .name = 't', .timer.fire = tell_timer };
	struct round_hook h = { .run = tell_hook };

	begin();
	open_watch(&w, 'w', tell_watch);
	loop_hook(loop, &h);
	loop_timer_set(loop, &t.timer, 0);
	poke(&w);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "wth");
	close_watch(&w);
	loop_free(loop);
}

static void
end_the_victim(struct watch *w, unsigned events)
{
	struct named_watch *n = container_of(w, struct named_watch, watch);

	tell_watch(w, events);
	close_watch(n->victim);
	memset(n->victim, 0xff, sizeof *n->victim);
}

/* Both are ready in one round; whichever comes first ends the other. */
static void
ended_watch_is_not_called_for_an_event_in_hand(void)
{
	struct named_watch a, b;

	begin();
	open_watch(&a, 'w', end_the_victim);
	open_watch(&b, 'w', end_the_victim);
	a.victim = &b;
	b.victim = &a;
	poke(&a);
	poke(&b);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "w");
	close_watch(a.name == 'w' ? &a : &b);
	loop_free(loop);
}

static void
end_itself(struct watch *w, unsigned events)
{
	struct named_watch *n = container_of(w, struct named_watch, watch);

	tell_watch(w, events);
	close_watch(n);
	memset(n, 0xff, sizeof *n);
}

static void
watch_may_end_itself(void)
{
	struct named_watch a;

	begin();
	open_watch(&a, 'a', end_itself);
	poke(&a);
	poke(&a);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "a");
	loop_free(loop);
}

static void
rest_the_victim(struct watch *w, unsigned events)
{
	struct named_watch *n = container_of(w, struct named_watch, watch);

	tell_watch(w, events);
	loop_watch_set(loop, &n->victim->watch, 0);
}

static void
rested_watch_is_not_called_until_it_is_set_again(void)
{
	struct named_watch a, b;
	struct named_watch *rested;

	begin();
	open_watch(&a, 'w', rest_the_victim);
	open_watch(&b, 'w', rest_the_victim);
	a.victim = &b;
	b.victim = &a;
	poke(&a);
	poke(&b);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "w");
	rested = a.watch.events == 0 ? &a : &b;
	loop_watch_set(loop, &rested->watch, WATCH_READ);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "ww");
	close_watch(&a);
	close_watch(&b);
	loop_free(loop);
}

static void
take_hangup(struct watch *w, unsigned events)
{
	(void)w;
	CU_ASSERT_EQUAL(events, WATCH_HANGUP);
	tell('u');
	loop_stop(loop);
}

static void
rested_watch_hears_of_a_hang_up(void)
{
	struct named_watch a;

	begin();
	open_watch(&a, 'a', take_hangup);
	loop_watch_set(loop, &a.watch, 0);
	shutdown(a.other, SHUT_RDWR);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(story, "u");
	close_watch(&a);
	loop_free(loop);
}

static void
bad_descriptor_is_refused(void)
{
	struct watch w = { .fd = -1 };

	begin();
	CU_ASSERT_EQUAL(loop_watch(loop, &w), -1);
	loop_free(loop);
}

static void
stop_by_signal(int s)
{
	(void)s;
	loop_stop(loop);
}

static void
raise_it(struct timer *t)
{
	(void)t;
	raise(SIGUSR1);
}

static void
stop_comes_from_a_signal_handler(void)
{
	struct timer t = { .fire = raise_it };

	begin();
	signal(SIGUSR1, stop_by_signal);
	loop_timer_set(loop, &t, 0);
	loop_run(loop);
	raise(SIGUSR1);
	loop_run(loop); /* a stop before the run ends it, too */
	signal(SIGUSR1, SIG_DFL);
	CU_PASS("came back twice");
	loop_free(loop);
}

static void *
stop_by_thread(void *arg)
{
	loop_stop(arg);
	return NULL;
}

static void
stop_comes_from_another_thread(void)
{
	pthread_t t;

	begin();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, stop_by_thread, loop), 0);
	loop_run(loop);
	pthread_join(t, NULL);
	loop_free(loop);
}

static void
clocks_are_read_each_round(void)
{
	struct named_timer z = { .name = 'z', .timer.fire = stop_by_timer };
	int64_t mono, wall = clock_wall_ms();

	begin();
	mono = loop_now_ms(loop);
	CU_ASSERT(loop_wall_ms(loop) >= wall);
	loop_timer_set(loop, &z.timer, mono + 3);
	loop_run(loop);
	CU_ASSERT(loop_now_ms(loop) >= mono + 3);
	CU_ASSERT(loop_wall_ms(loop) >= wall);
	loop_free(loop);
}

enum { MANY = 400, STOPPED_MS = 250 };

static int n_heard, heard_before_timer;

static void
hear(struct watch *w, unsigned events)
{
	(void)events;
	drain(container_of(w, struct named_watch, watch));
	n_heard++;
}

static void
note_heard(struct timer *t)
{
	(void)t;
	heard_before_timer = n_heard;
	loop_stop(loop);
}

/* As when the process was stopped: there are more events than a round takes. */
static void
what_came_in_time_goes_before_timers_that_are_late(void)
{
	static struct named_watch w[MANY];
	struct timer t = { .fire = note_heard };

	begin();
	n_heard = heard_before_timer = 0;
	for (int i = 0; i < MANY; i++)
		open_watch(&w[i], 'w', hear);
	loop_timer_set(loop, &t, loop_now_ms(loop) + 1);
	for (int i = 0; i < MANY; i++)
		poke(&w[i]);
	usleep(STOPPED_MS * 1000);
	loop_run(loop);
	CU_ASSERT_EQUAL(heard_before_timer, MANY);
	for (int i = 0; i < MANY; i++)
		close_watch(&w[i]);
	loop_free(loop);
}

const struct unit_test loop_tests[] = {
	UNIT(timers_fire_in_the_order_of_their_time),
	UNIT(timer_can_be_moved_and_cancelled),
	UNIT(timer_that_sets_itself_does_not_hold_the_round),
	UNIT(hooks_run_after_events_and_timers),
	UNIT(ended_watch_is_not_called_for_an_event_in_hand),
	UNIT(watch_may_end_itself),
	UNIT(rested_watch_is_not_called_until_it_is_set_again),
	UNIT(rested_watch_hears_of_a_hang_up),
	UNIT(what_came_in_time_goes_before_timers_that_are_late),
	UNIT(bad_descriptor_is_refused),
	UNIT(stop_comes_from_a_signal_handler),
	UNIT(stop_comes_from_another_thread),
	UNIT(clocks_are_read_each_round),
	UNIT_END
};
