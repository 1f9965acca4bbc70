/* journal_test.c -- entries written, replayed, released. */
#include "store/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

static struct store_stats stats;
static struct mailbox *mailbox;
static struct journal *journal;
static int commits, failures, replayed;
static int64_t last_offset;

static void
committed(void *ctx, int error)
{
	(void)ctx;
	commits++;
	failures += error != 0;
}

static void
each(void *ctx, const struct journal_entry *e)
{
	(void)ctx;
	replayed++;
	last_offset = e->offset;
}

static void
open_journal(void)
{
	struct journal_config c = { .dir = "/disk/journal", .bytes = 4 << 20, .mailbox = mailbox,
		.stats = &stats, .committed = committed };

	CU_ASSERT_FATAL(journal_open(&journal, &c) == 0);
	replayed = 0;
	CU_ASSERT(journal_replay(journal, each, NULL) == 0);
	CU_ASSERT_FATAL(journal_start(journal, false) == 0);
}

static void
begin(void)
{
	fake_disk_reset("/disk");
	mailbox = mailbox_new();
	open_journal();
	commits = failures = 0;
}

static void
end(void)
{
	journal_close(journal);
	mailbox_free(mailbox);
	fake_disk_reset("/disk");
}

static void
open_again(void)
{
	journal_close(journal);
	fake_disk_begin(1, 0);
	open_journal();
}

static uint64_t
add(int64_t offset, size_t n)
{
	struct journal_entry e = { .kind = JOURNAL_RESERVE, .offset = offset };
	uint8_t *bytes = calloc(1, n + 1);
	uint64_t block;

	e.batch = span_of(bytes, n);
	block = journal_add(journal, &e);
	free(bytes);
	return block;
}

static void
commit(void)
{
	journal_flush(journal);
	while (!journal_idle(journal)) {
		mailbox_wait(mailbox);
		mailbox_run(mailbox);
	}
}

static void
what_is_wanted_becomes_durable_and_is_replayed(void)
{
	uint64_t block;

	begin();
	block = add(5, 100);
	CU_ASSERT(block > journal_durable(journal));
	commit();
	CU_ASSERT(commits == 0 && block > journal_durable(journal)); /* nobody wanted it */
	journal_want(journal, block);
	commit();
	CU_ASSERT(commits == 1 && block <= journal_durable(journal));
	fake_disk_power_cut(1);
	open_again();
	CU_ASSERT(replayed == 1 && last_offset == 5);
	open_again();
	CU_ASSERT(replayed == 0); /* the start forgot it */
	end();
}

static void
much_that_nobody_wants_is_written_without_a_sync(void)
{
	begin();
	for (int i = 0; i < 20; i++)
		add(i, 100000);
	commit();
	CU_ASSERT(commits == 1 && journal_durable(journal) == 0 && journal_used(journal) > 1 << 20);
	journal_want(journal, journal_cut(journal));
	commit();
	CU_ASSERT(journal_durable(journal) > 0);
	end();
}

static void
a_torn_block_hides_only_itself(void)
{
	uint8_t byte = 0x55;

	begin();
	for (int i = 0; i < 3; i++) {
		journal_want(journal, add(i, 10));
		commit();
	}
	CU_ASSERT(fake_disk_poke("/disk/journal/0.journal", 2 * 4096 + 30, &byte, 1) == 0);
	open_again();
	CU_ASSERT(replayed == 2 && last_offset == 2);
	end();
}

static void
released_files_are_used_again(void)
{
	begin();
	for (int i = 0; i < 40; i++) {
		journal_want(journal, add(i, 500000));
		commit();
		journal_release(journal, journal_cut(journal));
	}
	CU_ASSERT(journal_used(journal) < 4 << 20);
	CU_ASSERT(fake_disk_peek("/disk/journal/6.journal", 0, NULL, 0) == -1);
	open_again();
	CU_ASSERT(last_offset == 39);
	end();
}

static void
kept_files_outlive_their_release(void)
{
	begin();
	journal_want(journal, add(1, 500000));
	commit();
	journal_keep(journal);
	CU_ASSERT(journal_used(journal) == 0);
	for (int i = 2; i < 20; i++) {
		journal_want(journal, add(i, 500000));
		commit();
		journal_release(journal, journal_cut(journal));
	}
	journal_close(journal);
	fake_disk_begin(1, 0);
	last_offset = 0;
	open_journal();
	CU_ASSERT(replayed >= 2);
	end();
}

static void
what_a_start_forgot_stays_forgotten(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		journal_want(journal, add(i, 10));
		commit();
	}
	open_again();
	open_again(); /* no file has a header by now */
	open_again();
	journal_want(journal, add(7, 10));
	commit();
	open_again();
	CU_ASSERT(replayed == 1 && last_offset == 7);
	end();
}

static void
an_empty_file_is_no_harm(void)
{
	int fd;

	begin();
	fd = file_open("/disk/journal/3.journal", FILE_CREATE);
	CU_ASSERT_FATAL(fd != -1);
	file_close(fd);
	open_again();
	CU_ASSERT(replayed == 0);
	end();
}

static void
a_failed_sync_is_told_and_final(void)
{
	begin();
	fake_disk_fail(0, EIO, false, FAKE_SYNC, "/journal/");
	journal_want(journal, add(1, 10));
	commit();
	CU_ASSERT(failures == 1 && journal_durable(journal) == 0);
	journal_want(journal, add(2, 10));
	commit();
	CU_ASSERT(commits == 1 && journal_durable(journal) == 0);
	end();
}

const struct unit_test journal_tests[] = {
	UNIT(what_is_wanted_becomes_durable_and_is_replayed),
	UNIT(much_that_nobody_wants_is_written_without_a_sync),
	UNIT(a_torn_block_hides_only_itself),
	UNIT(released_files_are_used_again),
	UNIT(kept_files_outlive_their_release),
	UNIT(what_a_start_forgot_stays_forgotten),
	UNIT(an_empty_file_is_no_harm),
	UNIT(a_failed_sync_is_told_and_final),
	UNIT_END
};
