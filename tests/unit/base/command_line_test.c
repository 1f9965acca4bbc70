/* command_line_test.c -- what the command line gives to the program, and what it ends. */
#include "base/command_line.h"

#include <getopt.h>

#include "unit/unit.h"

static const struct conf_page page = { .program = "weir-test" };

/* Parses the words behind the program's name, up to a null. */
static int
parse(struct command_line *line, char **words)
{
	static char name[] = "weir-test";
	char *argv[16] = { name };
	int argc = 1;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = words[argc - 1];
	optind = 0; /* getopt begins anew */
	opterr = 0;
	return command_line_parse(line, &page, "nothing", argc, argv);
}

#define PARSE(line, ...) parse(line, (char *[]){ __VA_ARGS__, NULL })

static void
nothing_is_asked_for(void)
{
	struct command_line line;

	CU_ASSERT_EQUAL(PARSE(&line, NULL), -1);
	CU_ASSERT_PTR_NULL(line.file);
	CU_ASSERT_EQUAL(line.n_overrides, 0);
	CU_ASSERT_FALSE(line.test);
	CU_ASSERT_EQUAL(line.ready_fd, -1);
	command_line_done(&line);
}

static void
all_that_a_program_can_be_given(void)
{
	char o[] = "-o", one[] = "a=1", c[] = "-c", file[] = "x.conf", two[] = "--option=b=2", t[] = "-t", fd[] = "--ready-fd=7";
	struct command_line line;

	CU_ASSERT_EQUAL(PARSE(&line, o, one, c, file, two, t, fd), -1);
	CU_ASSERT_STRING_EQUAL(line.file, "x.conf");
	CU_ASSERT_EQUAL_FATAL(line.n_overrides, 2);
	CU_ASSERT_STRING_EQUAL(line.overrides[0], "a=1");
	CU_ASSERT_STRING_EQUAL(line.overrides[1], "b=2");
	CU_ASSERT_TRUE(line.test);
	CU_ASSERT_EQUAL(line.ready_fd, 7);
	command_line_done(&line);
}

static void
what_is_wrong_ends_the_program(void)
{
	char unknown[] = "-x", word[] = "word", option[] = "-o", format[] = "--print-options=html";
	struct command_line line;

	CU_ASSERT_EQUAL(PARSE(&line, unknown), COMMAND_LINE_USAGE);
	command_line_done(&line);
	CU_ASSERT_EQUAL(PARSE(&line, word), COMMAND_LINE_USAGE);
	command_line_done(&line);
	CU_ASSERT_EQUAL(PARSE(&line, option), COMMAND_LINE_USAGE);
	command_line_done(&line);
	CU_ASSERT_EQUAL(PARSE(&line, format), COMMAND_LINE_USAGE);
	command_line_done(&line);
}

static void
what_is_asked_for_ends_the_program(void)
{
	char help[] = "-h", version[] = "-V";
	struct command_line line;

	CU_ASSERT_EQUAL(PARSE(&line, help), 0);
	command_line_done(&line);
	CU_ASSERT_EQUAL(PARSE(&line, version), 0);
	command_line_done(&line);
}

const struct unit_test command_line_tests[] = {
	UNIT(nothing_is_asked_for),
	UNIT(all_that_a_program_can_be_given),
	UNIT(what_is_wrong_ends_the_program),
	UNIT(what_is_asked_for_ends_the_program),
	UNIT_END
};
