/* complete.c -- what may stand in place of the last word of a command line. */
#include <string.h>

#include "weir/commands.h"
#include "weir/schema.h"

/* Prints it, if it goes on where the word ends. */
static void
offer(const char *word, const char *candidate)
{
	if (strncmp(candidate, word, strlen(word)) == 0)
		printf("%s\n", candidate);
}

static void
offer_options(const char *word, const struct command *c)
{
	char text[64];

	for (int i = 0; i < OPTIONS; i++)
		if (c == NULL ? i <= OPTION_VERSION : command_takes(c, i)) {
			snprintf(text, sizeof text, "--%s", option_rows[i].name);
			offer(word, text);
		}
}

static void
offer_names(const char *word, const char *const *names)
{
	for (; *names != NULL; names++)
		offer(word, *names);
}

/*
 * Subjects, if the registry answers; where it does not there is nobody to be told.  Those of the context that its
 * URL names may be written without it.
 */
static void
offer_subjects(struct cli *c, const char *word)
{
	struct weir_error why;
	const char **names, *prefix;
	size_t n, less = 0;

	if (!cli_registry(c))
		return;
	prefix = word[0] == ':' ? word : c->context == NULL ? NULL : cli_whole(c);
	if (!weir_registry_subjects(c->registry, prefix, &c->arena, &names, &n, &why))
		return;
	if (prefix != NULL && prefix != word)
		less = strlen(prefix);
	for (size_t i = 0; i < n; i++)
		offer(word, less > 0 && strncmp(names[i], prefix, less) == 0 ? names[i] + less : names[i]);
}

/* The option that a word is, without its value; OPTIONS: it is none. */
static int
option_of(const char *word)
{
	for (int i = 0; i < OPTIONS; i++) {
		const struct option_row *o = &option_rows[i];

		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)
			return i;
		if (o->letter != 0 && word[0] == '-' && word[1] == o->letter && word[2] == '\0')
			return i;
	}
	return OPTIONS;
}

/* What the words before the last one are. */
struct before {
	const char *plain[2 + WORDS_MAX + 1]; /* the words that are no options, as far as they count */
	size_t n;
	int open;                             /* the option whose value the last word is; OPTIONS: none */
};

static void
sort_words(struct cli *c, char **words, int n, struct before *b)
{
	*b = (struct before){ .open = OPTIONS };
	for (int i = 0; i < n; i++) {
		int id = option_of(words[i]);

		if (b->open != OPTIONS) {
			c->given[b->open] = words[i];
			b->open = OPTIONS;
		} else if (id != OPTIONS)
			b->open = option_rows[id].argument != NULL ? id : OPTIONS;
		else if (words[i][0] != '-' && b->n < sizeof b->plain / sizeof *b->plain)
			b->plain[b->n++] = words[i];
	}
}

static void
offer_commands(const char *word, const char *group)
{
	for (size_t i = 0; i < n_commands; i++)
		if (group != NULL && strcmp(commands[i].group, group) == 0)
			offer(word, commands[i].name);
	for (size_t i = 0; i < n_commands; i++)
		if (group == NULL && (i == 0 || strcmp(commands[i].group, commands[i - 1].group) != 0))
			offer(word, commands[i].group);
}

static void
offer_word(struct cli *c, const char *word, const struct command *command, size_t place)
{
	enum word kind = place < WORDS_MAX ? command->words[place] : WORD_NONE;

	if (kind == WORD_SUBJECT)
		offer_subjects(c, word);
	if (kind == WORD_LEVEL || (kind == WORD_SUBJECT && command->words[1] == WORD_LEVEL))
		offer_names(word, schema_levels);
	if (kind == WORD_MODE || (kind == WORD_SUBJECT && command->words[1] == WORD_MODE))
		offer_names(word, schema_modes);
}

void
command_complete(struct cli *c, char **words, int n)
{
	static const char *const types[] = { "AVRO", "JSON", "PROTOBUF", NULL };
	const char *word = n > 0 ? words[n - 1] : "";
	const struct command *command;
	struct before b;

	sort_words(c, words, n > 0 ? n - 1 : 0, &b);
	command = b.n >= 2 ? command_find(b.plain[0], b.plain[1]) : NULL;
	if (b.open == OPTION_TYPE)
		offer_names(word, types);
	else if (b.open != OPTIONS)
		return;
	else if (word[0] == '-')
		offer_options(word, command);
	else if (b.n < 2)
		offer_commands(word, b.n == 0 ? NULL : b.plain[0]);
	else if (command != NULL)
		offer_word(c, word, command, b.n - 2);
}
