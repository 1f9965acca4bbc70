/* cli.c -- what the commands of weir have in common. */
#include "weir/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "weir/commands.h"

static void
say(const struct cli *c, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "weir");
	if (c->command != NULL)
		fprintf(stderr, " %s %s", c->command->group, c->command->name);
	fputs(": ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
cli_say(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
}

enum status
cli_usage(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
	if (c->command == NULL)
		fputs("weir --help tells what there is\n", stderr);
	else
		fprintf(stderr, "weir %s %s --help tells more\n", c->command->group, c->command->name);
	return STATUS_USAGE;
}

/* ---- the registry ---- */

/* Percent-decodes; arena. */
static const char *
decode(struct arena *a, struct span text)
{
	char *out = arena_alloc(a, text.n + 1);
	size_t n = 0;

	must_fit(out != NULL);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '%' && text.n - i > 2 && hex_value(text.p[i + 1]) >= 0 && hex_value(text.p[i + 2]) >= 0) {
			out[n++] = (char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2]));
			i += 2;
		} else
			out[n++] = (char)text.p[i];
	out[n] = '\0';
	return out;
}

/* Registries take it with its colons, and without its dot, too. */
const char *
cli_url_context(struct arena *a, struct span url)
{
	static const char before[] = "/contexts/";
	const size_t n_before = sizeof before - 1;
	const char *name;
	size_t at, n;

	for (n = 0; n < url.n && url.p[n] != '?' && url.p[n] != '#'; n++)
		;
	while (n > 0 && (url.p[n - 1] == '/' || url.p[n - 1] == ' '))
		n--;
	for (at = n; at > 0 && url.p[at - 1] != '/'; at--)
		;
	/* What has two slashes before it is the name of a host. */
	if (at <= n_before || memcmp(url.p + at - n_before, before, n_before) != 0 || url.p[at - n_before - 1] == '/')
		return NULL;
	name = decode(a, span_of(url.p + at, n - at));
	name += name[0] == ':';
	n = strlen(name);
	n -= n > 0 && name[n - 1] == ':';
	must_fit((name = arena_printf(a, "%s%.*s", name[0] == '.' ? "" : ".", (int)n, name)) != NULL);
	return name;
}

const char *
cli_whole(struct cli *c)
{
	const char *prefix = c->context == NULL ? ":*:" : arena_printf(&c->arena, ":%s:", c->context);

	must_fit(prefix != NULL);
	return prefix;
}

/* The context of all the URLs, since each of them may be asked; false with what is wrong said. */
static bool
take_context(struct cli *c, const char *urls)
{
	bool first = true;

	for (urls += strspn(urls, ", "); *urls != '\0'; urls += strspn(urls, ", ")) {
		size_t n = strcspn(urls, ",");
		const char *context = cli_url_context(&c->arena, span_of(urls, n));

		if (!first && strcmp(context == NULL ? "" : context, c->context == NULL ? "" : c->context) != 0) {
			cli_usage(c, "the registry's URLs name different contexts: write the same behind each");
			return false;
		}
		c->context = context;
		first = false;
		urls += n;
	}
	return true;
}

bool
cli_registry(struct cli *c)
{
	const char *url = c->given[OPTION_REGISTRY];
	struct weir_setting list[8];
	struct weir_error why;
	size_t n = 0;

	if (url == NULL)
		url = getenv("WEIR_REGISTRY_URL");
	if (url == NULL || url[0] == '\0')
		url = "http://localhost:8081";
	list[n++] = (struct weir_setting){ "schema.registry.url", url };
	/* Somebody waits in front of it; who has typed half a word, not at all. */
	list[n++] = (struct weir_setting){ "retries.wait.ms", "200" };
	list[n++] = (struct weir_setting){ "max.retries", c->command == NULL ? "0" : "3" };
	list[n++] = (struct weir_setting){ "http.connect.timeout.ms", "10000" };
	if (cli_has(c, OPTION_USER))
		list[n++] = (struct weir_setting){ "basic.auth.user.info", c->given[OPTION_USER] };
	if (cli_has(c, OPTION_CACERT))
		list[n++] = (struct weir_setting){ "ssl.ca.location", c->given[OPTION_CACERT] };
	if ((c->registry = weir_registry_new(list, n, &why)) == NULL)
		cli_usage(c, "%s", why.text);
	return c->registry != NULL && take_context(c, url);
}

bool
cli_ask(struct cli *c, const struct weir_call *call, struct arena *a, struct weir_answer *out, struct weir_error *why)
{
	return weir_registry_call(c->registry, call, a, out, why);
}

/* What can be done about what a registry refuses, by its error_code. */
static const struct {
	int code;
	const char *advice;
} hints[] = {
	{ 401, "name who asks with --user USER:PASSWORD" },
	{ 404, "is the URL right?" },
	{ 40401, "weir schema list shows what there is; with --deleted also what was deleted" },
	{ 40402, "weir schema list shows what there is; with --deleted also what was deleted" },
	{ 40404, "it is deleted already; --permanent removes it for good" },
	{ 40405, "delete it without --permanent first" },
	{ 40406, "it is deleted already; --permanent removes it for good" },
	{ 40407, "delete it without --permanent first" },
	{ 42205, "weir schema mode shows, and sets, what may be done" },
	{ 42206, "delete what refers to it first" },
};

enum status
cli_status(const struct weir_error *why)
{
	if (why->kind == WEIR_OK)
		return STATUS_DONE;
	if (why->kind == WEIR_INVALID && why->code == 0)
		return STATUS_USAGE;
	if (why->code == 0 || why->kind == WEIR_RETRIABLE || why->kind == WEIR_TIMEOUT)
		return STATUS_NOT_REACHED;
	return STATUS_REFUSED;
}

/* Of a schema that is no good registries repeat all of it before they say why. */
static const char *
less_the_schema(const char *message, int code)
{
	static const char before[] = ", details: ";
	const char *details = code == 42201 ? strstr(message, before) : NULL;

	for (const char *next = details; next != NULL; next = strstr(next + 1, before))
		details = next;
	return details == NULL ? message : details + sizeof before - 1;
}

const char *
cli_words(struct arena *a, const struct weir_answer *answer, const struct weir_error *why)
{
	const char *words;

	if (answer->message == NULL)
		words = arena_printf(a, "%s", why->text);
	else
		words = arena_printf(a, "%s (%d)", less_the_schema(answer->message, why->code), why->code);
	must_fit(words != NULL);
	return words;
}

enum status
cli_failed(struct cli *c, const struct weir_answer *answer, const struct weir_error *why)
{
	cli_say(c, "%s", cli_words(&c->arena, answer, why));
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
		if (hints[i].code == why->code)
			cli_say(c, "%s", hints[i].advice);
	return cli_status(why);
}

enum status
cli_call(struct cli *c, const struct weir_call *call, struct weir_answer *out)
{
	struct weir_error why;

	return cli_ask(c, call, &c->arena, out, &why) ? STATUS_DONE : cli_failed(c, out, &why);
}

/* ---- interrupts ---- */

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

void
cli_catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool
cli_interrupted(void)
{
	return interrupted != 0;
}

/* ---- texts ---- */

void
cli_put_json(struct buf *b)
{
	must_fit(!b->failed);
	fwrite(b->p, 1, b->n, stdout);
	putchar('\n');
	buf_done(b);
}

enum status
cli_end_output(const struct cli *c)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return STATUS_DONE;
	cli_say(c, "standard output can't be written (%s)", strerror(errno));
	return STATUS_USAGE;
}

bool
cli_read_file(struct cli *c, const char *name, struct span *out)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(name, "rb");
	struct buf b = { 0 };
	uint8_t *to;
	size_t n;

	if (f == NULL) {
		cli_say(c, "%s can't be opened (%s)", name, strerror(errno));
		return false;
	}
	do {
		must_fit((to = buf_room(&b, 65536)) != NULL);
		b.n += n = fread(to, 1, 65536, f);
	} while (n > 0);
	if (ferror(f)) {
		cli_say(c, "%s can't be read (%s)", name, strerror(errno));
		*out = span_of(NULL, 0);
	} else {
		*out = span_of(arena_copy(&c->arena, b.p, b.n), b.n);
		must_fit(out->p != NULL);
	}
	if (!is_stdin)
		fclose(f);
	buf_done(&b);
	return out->p != NULL;
}

const char *
cli_str(struct arena *a, struct span s)
{
	char *text = arena_alloc(a, s.n + 1);

	must_fit(text != NULL);
	if (s.n > 0)
		memcpy(text, s.p, s.n);
	return text;
}

const char *
cli_member(struct arena *a, const struct json *in, const char *name)
{
	const struct json *v = json_get(in, name);

	return json_is_kind(v, JSON_STRING) ? cli_str(a, v->text) : "";
}

/* ---- targets ---- */

static bool
is_version(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return (digits > 0 && text[digits] == '\0') || strcmp(text, "latest") == 0;
}

struct target
cli_target(struct arena *a, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || colon == text || !is_version(colon + 1) ||
	    (text[0] == ':' && memchr(text + 1, ':', (size_t)(colon - text - 1)) == NULL))
		return (struct target){ text, NULL };
	return (struct target){ cli_str(a, span_of(text, (size_t)(colon - text))), colon + 1 };
}
