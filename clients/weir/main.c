/* main.c -- weir: the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "weir/commands.h"

/* What the table of options is for getopt. */
struct getopt_table {
	struct option longs[OPTIONS + 1];
	char letters[2 * OPTIONS + 1];
};

static void
fill_table(struct getopt_table *t)
{
	size_t n = 0;

	*t = (struct getopt_table){ 0 };
	for (int i = 0; i < OPTIONS; i++) {
		const struct option_row *o = &option_rows[i];

		t->longs[i] = (struct option){ o->name, o->argument != NULL ? required_argument : no_argument, NULL, 256 + i };
		if (o->letter != 0)
			t->letters[n++] = (char)o->letter;
		if (o->letter != 0 && o->argument != NULL)
			t->letters[n++] = ':';
	}
}

static int
by_letter(int letter)
{
	int i = 0;

	while (i < OPTIONS && option_rows[i].letter != letter)
		i++;
	return i;
}

/* Takes the options out of the words, wherever they stand; false: one is wrong, and getopt has said so. */
static bool
take_options(struct cli *c, int argc, char **argv)
{
	struct getopt_table t;
	int found;

	fill_table(&t);
	while ((found = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
		int id = found >= 256 ? found - 256 : by_letter(found);

		if (found == '?')
			return false;
		c->given[id] = optarg == NULL ? "" : optarg;
		if (id == OPTION_REFERENCE)
			c->references[c->n_references++] = optarg;
	}
	c->args = argv + optind;
	c->n_args = argc - optind;
	return true;
}

/* What is wrong with the words before those of a command, and which words would do. */
static void
tell_commands(const struct cli *c)
{
	if (c->n_args == 0)
		cli_usage(c, "which command?");
	else if (!command_is_group(c->args[0]))
		cli_usage(c, "there is no group of commands %s", c->args[0]);
	else {
		if (c->n_args == 1)
			cli_say(c, "%s: which command?", c->args[0]);
		else
			cli_say(c, "%s: there is no command %s", c->args[0], c->args[1]);
		command_list(stderr, c->args[0]);
		fprintf(stderr, "weir %s COMMAND --help tells more\n", c->args[0]);
	}
}

/* Takes the command off the words; false with what is wrong said. */
static bool
take_command(struct cli *c)
{
	if (c->n_args < 2 || (c->command = command_find(c->args[0], c->args[1])) == NULL) {
		tell_commands(c);
		return false;
	}
	c->args += 2;
	c->n_args -= 2;
	return true;
}

/* Whether the command takes what it was given. */
static bool
check_command(const struct cli *c)
{
	for (int i = 0; i < OPTIONS; i++)
		if (c->given[i] != NULL && !command_takes(c->command, i)) {
			cli_usage(c, "--%s is for other commands", option_rows[i].name);
			return false;
		}
	if (c->n_args < c->command->min)
		cli_usage(c, "a word is missing: it takes %s", c->command->args);
	else if (c->n_args > c->command->max)
		cli_usage(c, "%s: this word is too much: it takes %s", c->args[c->command->max], c->command->args);
	return c->n_args >= c->command->min && c->n_args <= c->command->max;
}

static enum status
help(const struct cli *c)
{
	const char *group = c->n_args > 0 && command_is_group(c->args[0]) ? c->args[0] : NULL;

	command_help(stdout, group, group != NULL && c->n_args > 1 ? command_find(group, c->args[1]) : NULL);
	return cli_end_output(c);
}

/* `weir --manual GROUP FORMAT`, by which pages of the documentation are made. */
static enum status
manual(const struct cli *c, int argc, char **argv)
{
	struct buf text = { 0 };

	if (argc != 4 || !command_is_group(argv[2]) || !command_manual(argv[2], argv[3], &text))
		return STATUS_USAGE;
	must_fit(!text.failed);
	fwrite(text.p, 1, text.n, stdout);
	buf_done(&text);
	return cli_end_output(c);
}

static enum status
run(struct cli *c, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--manual") == 0)
		return manual(c, argc, argv);
	if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
		command_complete(c, argv + 2, argc - 2);
		return STATUS_DONE;
	}
	if (!take_options(c, argc, argv)) {
		fputs("weir --help tells what there is\n", stderr);
		return STATUS_USAGE;
	}
	if (cli_has(c, OPTION_HELP))
		return help(c);
	if (cli_has(c, OPTION_VERSION)) {
		printf("weir " WEIR_VERSION "\n");
		return cli_end_output(c);
	}
	if (!take_command(c) || !check_command(c) || !cli_registry(c))
		return STATUS_USAGE;
	return c->command->run(c);
}

/* Seeds the hash tables (base/map.h), since their keys come from files and registries. */
static void
seed_maps(void)
{
	uint64_t seed[2];

	must(getrandom(seed, sizeof seed, 0) == sizeof seed);
	map_seed(seed[0], seed[1]);
}

int
main(int argc, char **argv)
{
	/* There can't be more of them than words. */
	struct cli c = { .references = xcalloc((size_t)argc + 1, sizeof *c.references) };
	enum status status;

	seed_maps();
	arena_init(&c.arena, CLI_MEMORY_MAX);
	status = run(&c, argc, argv);
	weir_registry_free(c.registry);
	arena_done(&c.arena);
	free(c.references);
	return (int)status;
}
