/*
 * expression.c -- a regular expression as a graph (Thompson's construction).
 *
 * pattern_translate() judges it and leaves little: sets of characters, groups,
 * alternatives, repetitions.  What is repeated a number of times is read as often.
 */
#include "coord/expression.h"

#include "base/buf.h"
#include "base/pattern.h"
#include "base/xalloc.h"

enum { NOWHERE = -1, CHARACTERS = 128 };

struct node {
	enum { CHARACTER, FORK, BEGIN, END, DONE } kind;
	uint64_t set[CHARACTERS / 64]; /* CHARACTER: one of these */
	int next, other;               /* FORK: either; NOWHERE: none */
};

struct expression {
	int begin, n, cap;
	struct node *nodes; /* owned */
};

/* What is being read. */
struct reader {
	const char *at;
	struct expression *e;
};

/* A part of the graph: what comes next is to be put behind `end`, which is a FORK to nowhere. */
struct part {
	int begin, end;
};

static int
node(struct reader *r, struct node n)
{
	struct expression *e = r->e;

	if (e->n == EXPRESSION_MAX_NODES)
		return 0; /* it is too large, which expression_new() sees */
	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? 16 : e->cap * 2;
		e->nodes = xrealloc(e->nodes, (size_t)e->cap * sizeof *e->nodes);
	}
	e->nodes[e->n] = n;
	return e->n++;
}

static int
fork_to(struct reader *r, int next, int other)
{
	return node(r, (struct node){ .kind = FORK, .next = next, .other = other });
}

static void
put(struct node *n, char c)
{
	n->set[(unsigned char)c / 64] |= UINT64_C(1) << (unsigned char)c % 64;
}

static void
complement(struct node *n)
{
	n->set[0] = ~n->set[0];
	n->set[1] = ~n->set[1];
}

/* A character, a set, or ^ or $. */
static struct part
single(struct reader *r)
{
	struct node n = { .kind = CHARACTER };
	bool others;
	struct part p;

	if (*r->at == '^' || *r->at == '$') {
		n.kind = *r->at == '^' ? BEGIN : END;
	} else if (*r->at == '.') {
		complement(&n);
	} else if (*r->at == '[') {
		if ((others = r->at[1] == '^'))
			r->at++;
		for (r->at++; *r->at != ']'; r->at++)
			put(&n, *r->at);
		if (others)
			complement(&n);
	} else {
		r->at += *r->at == '\\';
		put(&n, *r->at);
	}
	r->at++;
	p.end = fork_to(r, NOWHERE, NOWHERE);
	n.next = p.end;
	p.begin = node(r, n);
	return p;
}

static struct part alternatives(struct reader *);

static struct part
once(struct reader *r)
{
	struct part p;

	if (*r->at != '(')
		return single(r);
	r->at++;
	p = alternatives(r);
	r->at++;
	return p;
}

static struct part
behind(struct reader *r, struct part a, struct part b)
{
	r->e->nodes[a.end].next = b.begin;
	return (struct part){ a.begin, b.end };
}

/* None or one; or none or many. */
static struct part
at_will(struct reader *r, struct part p, bool many)
{
	int end = fork_to(r, NOWHERE, NOWHERE), begin = fork_to(r, p.begin, end);

	r->e->nodes[p.end].next = many ? begin : end;
	return (struct part){ begin, end };
}

/* How often something comes: most is -1 where that has no end. */
static void
times(struct reader *r, int *least, int *most)
{
	char *end;

	*least = *r->at == '+' ? 1 : 0;
	*most = *r->at == '*' || *r->at == '+' ? -1 : 1;
	if (*r->at != '{') {
		r->at++;
		return;
	}
	*least = *most = (int)strtol(r->at + 1, &end, 10);
	if (*end == ',')
		*most = end[1] == '}' ? -1 : (int)strtol(end + 1, &end, 10);
	r->at = strchr(end, '}') + 1;
}

static struct part
nothing(struct reader *r)
{
	int end = fork_to(r, NOWHERE, NOWHERE);

	return (struct part){ end, end };
}

static struct part
repeated(struct reader *r)
{
	const char *from = r->at, *behind_it;
	int i, least, most, n = r->e->n;
	struct part one = once(r), all;

	if (*r->at == '\0' || strchr("*+?{", *r->at) == NULL)
		return one;
	times(r, &least, &most);
	behind_it = r->at;
	r->e->n = n; /* it is read anew, as often as it comes */
	all = nothing(r);
	for (i = 0; (i < least || i < most || (most == -1 && i == least)) && r->e->n < EXPRESSION_MAX_NODES; i++) {
		r->at = from;
		one = once(r);
		if (i >= least)
			one = at_will(r, one, most == -1);
		all = behind(r, all, one);
	}
	r->at = behind_it;
	return all;
}

static struct part
sequence(struct reader *r)
{
	struct part all = nothing(r);

	while (*r->at != '\0' && *r->at != '|' && *r->at != ')')
		all = behind(r, all, repeated(r));
	return all;
}

static struct part
alternatives(struct reader *r)
{
	struct part all = sequence(r), one;
	int end;

	while (*r->at == '|') {
		r->at++;
		one = sequence(r);
		end = fork_to(r, NOWHERE, NOWHERE);
		r->e->nodes[all.end].next = r->e->nodes[one.end].next = end;
		all = (struct part){ fork_to(r, all.begin, one.begin), end };
	}
	return all;
}

/* As pattern_translate() has it, with a zero behind it. */
static bool
translate(struct span text, struct buf *to, const char **why)
{
	char *copy;
	bool good;

	if (memchr(text.p, '\0', text.n) != NULL) {
		*why = "The expression has a zero byte in it";
		return false;
	}
	copy = xcalloc(1, text.n + 1);
	memcpy(copy, text.p, text.n);
	good = pattern_translate(copy, to, why);
	buf_u8(to, '\0');
	must_fit(!to->failed);
	free(copy);
	return good;
}

struct expression *
expression_new(struct span text, const char **why)
{
	struct expression *e = xcalloc(1, sizeof *e);
	struct buf translated = { 0 };
	struct reader r = { .e = e };
	struct part all;
	int done;
	bool good = translate(text, &translated, why);

	if (good) {
		r.at = (const char *)translated.p;
		all = alternatives(&r);
		done = node(&r, (struct node){ .kind = DONE });
		e->begin = all.begin;
		e->nodes[all.end].next = done;
		*why = "The expression repeats too much";
		good = e->n < EXPRESSION_MAX_NODES;
	}
	buf_done(&translated);
	if (good)
		return e;
	expression_free(e);
	return NULL;
}

void
expression_free(struct expression *e)
{
	if (e == NULL)
		return;
	free(e->nodes);
	free(e);
}

size_t
expression_bytes(const struct expression *e)
{
	return sizeof *e + (size_t)e->cap * sizeof *e->nodes;
}

size_t
expression_steps(const struct expression *e, size_t name_bytes)
{
	return (size_t)e->n * (name_bytes + 1);
}

/* ---- matching ---- */

/* Nodes at which a name may be, each once. */
struct places {
	int at[EXPRESSION_MAX_NODES];
	int n;
};

struct matching {
	const struct expression *e;
	struct places lists[2];
	int seen[EXPRESSION_MAX_NODES]; /* the step in which a node was reached, + 1 */
	int step, end;
};

/* Goes on to all that is reached without a character. */
static void
reach(struct matching *m, struct places *to, int from)
{
	int rest[EXPRESSION_MAX_NODES], n = 0, i;

	for (i = from;;) {
		const struct node *at = &m->e->nodes[i == NOWHERE ? 0 : i];
		bool goes_on = i != NOWHERE && m->seen[i] != m->step + 1;

		if (goes_on) {
			m->seen[i] = m->step + 1;
			if (at->kind == CHARACTER || at->kind == DONE)
				to->at[to->n++] = i;
			goes_on = at->kind == FORK || (at->kind == BEGIN && m->step == 0) ||
			    (at->kind == END && m->step == m->end);
		}
		if (goes_on) {
			if (at->kind == FORK && at->other != NOWHERE)
				rest[n++] = at->other;
			i = at->next;
		} else if (n > 0) {
			i = rest[--n];
		} else {
			return;
		}
	}
}

static bool
has(const struct node *n, uint8_t c)
{
	return n->kind == CHARACTER && c < CHARACTERS && (n->set[c / 64] >> c % 64 & 1) != 0;
}

bool
expression_matches(const struct expression *e, struct span name)
{
	struct matching m;
	struct places *now = &m.lists[0], *next = &m.lists[1], *other;
	int i;

	m.e = e;
	m.end = (int)name.n;
	m.step = now->n = 0;
	memset(m.seen, 0, (size_t)e->n * sizeof m.seen[0]);
	reach(&m, now, e->begin);
	while (m.step < m.end && now->n > 0) {
		uint8_t c = name.p[m.step++];

		next->n = 0;
		for (i = 0; i < now->n; i++)
			if (has(&e->nodes[now->at[i]], c))
				reach(&m, next, e->nodes[now->at[i]].next);
		other = now;
		now = next;
		next = other;
	}
	for (i = 0; i < now->n; i++)
		if (e->nodes[now->at[i]].kind == DONE)
			return m.step == m.end;
	return false;
}
