/* fake_worker_test.c -- the workers without threads keep to the header, and to the seed. */
#include "plat/worker.h"

#include <string.h>

#include "fake/worker_fake.h"
#include "unit/unit.h"

enum { JOBS = 8 };

struct task {
	struct job job;
	char name;
};

/* What happened: the name in capitals when run, as it is when done. */
static char story[128];
static size_t n_story;
static struct task tasks[JOBS];
static struct mailbox *box;

static void
run(struct job *job)
{
	story[n_story++] = (char)(container_of(job, struct task, job)->name - 'a' + 'A');
}

static void
done(struct job *job)
{
	story[n_story++] = container_of(job, struct task, job)->name;
}

static void
begin(uint64_t seed)
{
	int i;

	fake_worker_seed(seed);
	memset(story, 0, sizeof story);
	n_story = 0;
	box = mailbox_new();
	for (i = 0; i < JOBS; i++)
		tasks[i] = (struct task){ .job = { .run = run, .done = done }, .name = (char)('a' + i) };
}

static size_t
place(char c)
{
	const char *p = strchr(story, c);

	return p == NULL ? sizeof story : (size_t)(p - story);
}

/* All jobs: even ones to a group of one, odd ones to a group of three. */
static void
play(uint64_t seed)
{
	struct workers *one, *three;
	int i;

	begin(seed);
	one = workers_new("one", 1, box);
	three = workers_new("three", 3, box);
	for (i = 0; i < JOBS; i++)
		workers_submit(i % 2 == 0 ? one : three, &tasks[i].job);
	while (mailbox_run(box) > 0)
		;
	workers_free(one);
	workers_free(three);
	mailbox_free(box);
}

static void
every_job_is_run_and_then_done(void)
{
	uint64_t seed;
	int i;

	for (seed = 0; seed < 200; seed++) {
		play(seed);
		CU_ASSERT_EQUAL_FATAL(n_story, 2 * JOBS);
		for (i = 0; i < JOBS; i++)
			CU_ASSERT_FATAL(place((char)('A' + i)) < place((char)('a' + i)));
	}
}

static void
group_of_one_keeps_its_order(void)
{
	uint64_t seed;
	int i;

	for (seed = 0; seed < 200; seed++) {
		play(seed);
		for (i = 2; i < JOBS; i += 2) {
			CU_ASSERT_FATAL(place((char)('A' + i - 2)) < place((char)('A' + i)));
			CU_ASSERT_FATAL(place((char)('a' + i - 2)) < place((char)('a' + i)));
		}
	}
}

static void
seed_alone_decides_the_order(void)
{
	char first[sizeof story];
	uint64_t seed;
	int differ = 0;

	for (seed = 0; seed < 50; seed++) {
		play(seed);
		memcpy(first, story, sizeof story);
		play(seed);
		CU_ASSERT_STRING_EQUAL(story, first);
		play(seed + 1);
		differ += strcmp(story, first) != 0;
	}
	CU_ASSERT(differ > 40);
}

static void
wait_runs_something(void)
{
	struct workers *w;

	begin(1);
	w = workers_new("one", 1, box);
	workers_submit(w, &tasks[0].job);
	mailbox_wait(box);
	CU_ASSERT_STRING_EQUAL(story, "A");
	mailbox_wait(box);
	CU_ASSERT_STRING_EQUAL(story, "A");
	CU_ASSERT_EQUAL(mailbox_run(box), 1);
	CU_ASSERT_STRING_EQUAL(story, "Aa");
	workers_free(w);
	mailbox_free(box);
}

static void
free_runs_the_rest_and_leaves_it_to_be_done(void)
{
	struct workers *w;

	begin(1);
	w = workers_new("one", 1, box);
	workers_submit(w, &tasks[0].job);
	workers_submit(w, &tasks[1].job);
	workers_free(w);
	CU_ASSERT_STRING_EQUAL(story, "AB");
	while (mailbox_run(box) > 0)
		;
	CU_ASSERT(n_story == 4);
	mailbox_free(box);
}

static void
crash_forgets_what_is_not_done(void)
{
	struct workers *w;

	begin(1);
	w = workers_new("one", 1, box);
	workers_submit(w, &tasks[0].job);
	workers_submit(w, &tasks[1].job);
	mailbox_wait(box);
	fake_worker_drop_all();
	CU_ASSERT_EQUAL(mailbox_run(box), 0);
	CU_ASSERT_STRING_EQUAL(story, "A");
	workers_submit(w, &tasks[2].job);
	CU_ASSERT_EQUAL(mailbox_run(box), 1);
	CU_ASSERT_STRING_EQUAL(story, "ACc");
	CU_ASSERT_EQUAL(mailbox_fd(box), -1);
	workers_free(w);
	mailbox_free(box);
}

const struct unit_test fake_worker_tests[] = {
	UNIT(every_job_is_run_and_then_done),
	UNIT(group_of_one_keeps_its_order),
	UNIT(seed_alone_decides_the_order),
	UNIT(wait_runs_something),
	UNIT(free_runs_the_rest_and_leaves_it_to_be_done),
	UNIT(crash_forgets_what_is_not_done),
	UNIT_END
};
