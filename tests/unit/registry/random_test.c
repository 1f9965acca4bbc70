/*
 * random_test.c -- random requests, carried out, against a simple model: which id each content has, and which
 * versions each subject.  What was written makes the same registry when it is read again, whole or compacted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/base/random.h"
#include "unit/registry/world.h"
#include "unit/unit.h"

enum { SUBJECTS = 6, TEXTS = 8, STEPS = 400, RUNS = 60, VERSIONS_MAX = STEPS + 1 };

static const char *const subjects[SUBJECTS] = { "a", "ab", "b", ":.c:a", ":.c:b", "" };

/* Each can be read by each, so that compatibility stops nothing. */
static const char *const texts[TEXTS] = { "\"string\"", "\"bytes\"", "{\"type\":\"string\",\"a\":1}", "{\"type\":\"string\",\"a\":2}",
	"{\"type\":\"bytes\",\"a\":1}", "{\"type\":\"bytes\",\"a\":2}", "{\"type\":\"bytes\",\"a\":3}", "{\"type\":\"string\",\"a\":3}" };

struct model {
	uint64_t state;
	int32_t ids[2][TEXTS];  /* of the content in a context; 0: it was never registered, or is unknown again */
	int32_t max_id[2];
	/* By version: the text and 1, 0: none; negative: deleted. */
	int versions[SUBJECTS][VERSIONS_MAX];
};

static int
context_of(size_t subject)
{
	return subjects[subject][0] == ':';
}

static int
highest(const struct model *m, size_t s)
{
	int v = VERSIONS_MAX - 1;

	while (v > 0 && m->versions[s][v] == 0)
		v--;
	return v;
}

static bool
is_used(const struct model *m, int context, int text)
{
	for (size_t s = 0; s < SUBJECTS; s++)
		for (int v = 1; context_of(s) == context && v < VERSIONS_MAX; v++)
			if (abs(m->versions[s][v]) == text + 1)
				return true;
	return false;
}

/* What has no version left is unknown: its id goes with it. */
static void
forget(struct model *m)
{
	for (int c = 0; c < 2; c++)
		for (int t = 0; t < TEXTS; t++)
			if (!is_used(m, c, t))
				m->ids[c][t] = 0;
}

static bool
has(const struct model *m, size_t s, bool live)
{
	for (int v = 1; v < VERSIONS_MAX; v++)
		if (live ? m->versions[s][v] > 0 : m->versions[s][v] != 0)
			return true;
	return false;
}

/* ---- requests: what the registry does, and what the model says ---- */

static void
do_register(struct world *w, struct model *m, size_t s)
{
	int text = (int)random_below(&m->state, TEXTS), c = context_of(s), version = 0;
	char wanted[40];

	for (int v = 1; v < VERSIONS_MAX; v++)
		if (m->versions[s][v] == text + 1)
			version = v;
	if (version == 0) {
		version = highest(m, s) + 1;
		for (int v = 1; v < VERSIONS_MAX; v++)
			if (m->versions[s][v] == -(text + 1))
				m->versions[s][v] = 0;
		m->versions[s][version] = text + 1;
		if (m->ids[c][text] == 0)
			m->ids[c][text] = ++m->max_id[c];
	}
	snprintf(wanted, sizeof wanted, "%d/%d", (int)m->ids[c][text], version);
	SAME(world_register(w, subjects[s], texts[text]), wanted);
}

static void
do_delete(struct world *w, struct model *m, size_t s)
{
	bool permanent = random_below(&m->state, 2) == 0, live = has(m, s, true), any = has(m, s, false);
	const char *told = world_delete(w, subjects[s], permanent);
	bool done = any && live != permanent;

	CU_ASSERT_EQUAL(done, strncmp(told, "404", 3) != 0);
	for (int v = 1; done && v < VERSIONS_MAX; v++)
		m->versions[s][v] = permanent ? 0 : -abs(m->versions[s][v]);
}

static void
do_delete_version(struct world *w, struct model *m, size_t s)
{
	int version = 1 + (int)random_below(&m->state, (size_t)highest(m, s) + 1);
	bool permanent = random_below(&m->state, 2) == 0;
	int *at = &m->versions[s][version];
	const char *told = world_delete_version(w, subjects[s], version, permanent);
	bool done = permanent ? *at < 0 : *at > 0;

	CU_ASSERT_EQUAL(done, strncmp(told, "404", 3) != 0);
	if (done)
		*at = permanent ? 0 : -*at;
}

static void
do_setting(struct world *w, struct model *m, size_t s)
{
	static const char *const updates[] = { "{\"compatibility\":\"FULL\"}", "{\"compatibility\":\"NONE\",\"alias\":\"x\"}",
		"{\"compatibility\":null}" };
	const char *subject = subjects[s][0] == '\0' ? NULL : subjects[s];

	switch (random_below(&m->state, 4)) {
	case 0:
		world_config(w, subject, updates[random_below(&m->state, 3)]);
		break;
	case 1:
		world_unset_config(w, subject);
		break;
	case 2:
		world_mode(w, subject, "READWRITE", false);
		break;
	default:
		world_unset_mode(w, subject, false);
	}
}

/* Somebody else's write, under a key of other bytes. */
static void
do_rewrite(struct world *w, struct model *m, size_t s)
{
	struct record rec = { .type = RECORD_SCHEMA, .subject = span_str(subjects[s]), .version = highest(m, s),
		.schema_type = span_str("AVRO") };
	int text = abs(m->versions[s][rec.version]) - 1;
	struct buf value = { 0 };
	char key[120];

	if (rec.version == 0)
		return;
	rec.id = m->ids[context_of(s)][text];
	rec.schema = span_str(texts[text]);
	rec.deleted = random_below(&m->state, 2) == 0;
	m->versions[s][rec.version] = rec.deleted ? -(text + 1) : text + 1;
	snprintf(key, sizeof key, "{\"subject\":\"%s\",\"version\":%d,\"magic\":1,\"keytype\":\"SCHEMA\"}", subjects[s], (int)rec.version);
	record_put_value(&value, &rec);
	world_apply(w, span_str(key), buf_bytes(&value));
	CU_ASSERT_PTR_NULL(w->passed);
	buf_done(&value);
}

static void
step(struct world *w, struct model *m)
{
	size_t s = random_below(&m->state, SUBJECTS);

	switch (random_below(&m->state, 10)) {
	case 0:
	case 1:
		do_delete(w, m, s);
		break;
	case 2:
	case 3:
	case 4:
		do_delete_version(w, m, s);
		break;
	case 5:
		do_setting(w, m, s);
		break;
	case 6:
		do_rewrite(w, m, s);
		break;
	default:
		do_register(w, m, s);
	}
	forget(m);
}

/* ---- what must hold ---- */

static void
check_versions(struct world *w, const struct model *m)
{
	for (size_t s = 0; s < SUBJECTS; s++) {
		char wanted[VERSIONS_MAX * 5] = "";
		size_t n = 0;

		for (int v = 1; v < VERSIONS_MAX; v++)
			if (m->versions[s][v] != 0)
				n += (size_t)snprintf(wanted + n, sizeof wanted - n, "%s%d", n == 0 ? "" : " ", m->versions[s][v] > 0 ? v : -v);
		SAME(world_versions(w, subjects[s], REGISTRY_ALL), wanted);
	}
}

/* No id stands for two contents, and no content has two ids, at any time. */
static void
check_ids(struct world *w, const struct model *m)
{
	for (int c = 0; c < 2; c++)
		for (int t = 0; t < TEXTS; t++) {
			const struct schema_entry *e = registry_by_id(w->registry, span_str(c == 0 ? "." : ".c"), m->ids[c][t]);

			CU_ASSERT_EQUAL(e != NULL, m->ids[c][t] != 0);
			CU_ASSERT(e == NULL || span_is(e->text, texts[t]));
		}
}

/* Whether a later record has the same key. */
static bool
is_superseded(const struct world *w, size_t i)
{
	for (size_t j = i + 1; j < w->n; j++)
		if (span_eq(w->log[i].key, w->log[j].key))
			return true;
	return false;
}

static void
check_replay(struct world *w, bool compacted)
{
	struct registry *again = registry_new(LEVEL_BACKWARD);
	const char *why;

	for (size_t i = 0; i < w->n; i++)
		if (!compacted || (w->log[i].value.p != NULL && !is_superseded(w, i)))
			CU_ASSERT(registry_apply(again, (int64_t)i, 0, w->log[i].key, w->log[i].value, &why));
	SAME(world_all(w, again), world_all(w, w->registry));
	registry_free(again);
}

static void
what_is_written_makes_the_same_registry(void)
{
	static struct model m;

	for (uint64_t run = 1; run <= RUNS; run++) {
		struct world w;

		world_init(&w);
		m = (struct model){ .state = run };
		for (int i = 0; i < STEPS; i++) {
			step(&w, &m);
			if (i % 50 == 0) {
				check_versions(&w, &m);
				check_ids(&w, &m);
			}
		}
		check_versions(&w, &m);
		check_ids(&w, &m);
		check_replay(&w, false);
		check_replay(&w, true);
		world_done(&w);
	}
}

const struct unit_test random_tests[] = {
	UNIT(what_is_written_makes_the_same_registry),
	UNIT_END
};
