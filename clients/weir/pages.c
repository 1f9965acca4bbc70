/* pages.c -- a list that a registry answers page by page. */
#include "weir/pages.h"

#include <string.h>

/* What is asked for at a time; registries may give less, and many give no more than this. */
enum { PAGE_ELEMENTS = 1000 };

void
pages_begin(struct pages *p, struct cli *c, const struct weir_call *call, const char *what)
{
	*p = (struct pages){ .cli = c, .call = *call, .what = what };
	arena_init(&p->arena, CLI_MEMORY_MAX);
}

void
pages_done(struct pages *p)
{
	arena_done(&p->arena);
	buf_done(&p->first);
}

static bool
ask(struct pages *p, struct weir_answer *answer)
{
	struct weir_call call = p->call;
	struct weir_error why;
	char offset[24], limit[12];
	size_t n = 0;

	while (call.query[n].name != NULL)
		n++;
	must(n + 2 <= WEIR_QUERIES_MAX);
	snprintf(offset, sizeof offset, "%zu", p->offset);
	call.query[n] = (struct weir_query){ "offset", offset };
	snprintf(limit, sizeof limit, "%d", PAGE_ELEMENTS);
	call.query[n + 1] = (struct weir_query){ "limit", limit };
	if (cli_ask(p->cli, &call, &p->arena, answer, &why))
		return true;
	p->lacking = p->optional && (answer->status == 404 || answer->status == 405);
	if (!p->lacking)
		p->status = cli_failed(p->cli, answer, &why);
	return false;
}

/* Whether the page begins as the one before it did. */
static bool
is_again(struct pages *p, const struct json *first)
{
	struct buf text = { 0 };
	struct json_out o = json_out(&text);
	bool again;

	json_put_tree(&o, first);
	must_fit(!text.failed);
	again = span_eq(buf_bytes(&text), buf_bytes(&p->first));
	buf_done(&p->first);
	p->first = text;
	return again;
}

/*
 * Gets the next page; false at the end.  A page with nothing is behind the last, since registries may give
 * less than they are asked for.  Some take neither offset nor limit, and answer with everything each time.
 */
static bool
turn(struct pages *p)
{
	struct weir_answer answer;

	arena_done(&p->arena);
	if (p->n_page > PAGE_ELEMENTS)
		return false;
	p->offset += p->n_page;
	if (!ask(p, &answer))
		return false;
	if (!json_is_kind(answer.json, JSON_ARRAY)) {
		cli_say(p->cli, "the registry answered without a list of %s", p->what);
		p->status = STATUS_REFUSED;
		return false;
	}
	p->n_page = answer.json->n;
	if (p->n_page == 0 || is_again(p, answer.json->first))
		return false;
	p->next = answer.json->first;
	return true;
}

const struct json *
pages_next(struct pages *p)
{
	const struct json *got;

	if (p->status != STATUS_DONE || (p->next == NULL && !turn(p)))
		return NULL;
	got = p->next;
	p->next = got->next;
	return got;
}
