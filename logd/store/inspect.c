/* inspect.c -- a data folder while no daemon runs: marks, index, journal, state. */
#include "store/inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "plat/child.h"
#include "plat/file.h"
#include "store/inspect_internal.h"

const struct finding_text finding_texts[FINDINGS] = {
#define FINDING(id, kind, what, means, action) [FINDING_##id] = { #id, FINDING_##kind, what, means, action },
#include "store/findings.tbl"
#undef FINDING
};

void
inspect_tell(struct inspect *in, const struct finding *f, const char *fmt, ...)
{
	struct finding full = *f;
	char detail[512];
	va_list ap;

	if (fmt != NULL) {
		va_start(ap, fmt);
		vsnprintf(detail, sizeof detail, fmt, ap);
		va_end(ap);
		full.detail = detail;
	}
	in->mended += finding_texts[f->id].kind == FINDING_INDEX;
	if (in->hooks.finding != NULL)
		in->hooks.finding(in->hooks.ctx, &full);
}

/* What concerns a file, or the folder (name NULL), as a whole. */
static void
tell_file(struct inspect *in, enum finding_id id, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s%s%s", in->dir, name == NULL ? "" : "/", name == NULL ? "" : name);
	inspect_tell(in, &(struct finding){ .id = id, .path = path, .pos = -1, .size = -1, .first = -1, .last = -1 },
	    NULL);
}

static bool
is_there(const struct inspect *in, const char *name)
{
	char path[PATH_MAX];

	store_path(in->dir, name, path, sizeof path);
	return access(path, F_OK) == 0;
}

/* ---- opening ---- */

static int
complain(const char *what, const char *path)
{
	diag_error(what, "path=%s error=\"%s\"", path, strerror(errno));
	return -1;
}

static int
lock(struct inspect *in)
{
	in->lock_fd = in->change ? file_lock(in->dir) : file_lock_shared(in->dir);
	if (in->lock_fd != -1)
		return 0;
	if (errno != EWOULDBLOCK)
		return complain("data folder can't be locked", in->dir);
	diag_error("data folder is in use", "path=%s action=\"a weir-logd runs on it, or somebody repairs it: stop that first\"",
	    in->dir);
	return -1;
}

/* What does not say what it is can be looked at. */
static int
check_format(struct inspect *in)
{
	enum folder_format format = store_format(in->dir);

	in->format_lacks = format == FORMAT_LACKING;
	if (!in->format_lacks || !in->change)
		return format == FORMAT_FAILED ? -1 : 0;
	diag_error("nothing is repaired in a folder that does not say its format",
	    "path=%s/format action=\"put it back, as inspecting the folder tells\"", in->dir);
	return -1;
}

int
inspect_open(struct inspect **out, const char *dir, bool change, const struct inspect_hooks *hooks)
{
	struct inspect *in = xcalloc(1, sizeof *in);
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	in->dir = xstrdup(dir);
	in->dir[n] = '\0';
	in->hooks = *hooks;
	in->lock_fd = -1;
	in->change = change;
	if (!is_there(in, "logs")) {
		diag_error("not a data folder of weir-logd",
		    "path=%s action=\"name the folder that log.dirs names, or a snapshot\"", dir);
		goto fail;
	}
	/* In this order: a daemon of another version may run on it. */
	if (lock(in) == -1 || check_format(in) == -1)
		goto fail;
	*out = in;
	return 0;
fail:
	inspect_close(in);
	return -1;
}

static void
free_part(struct part *p)
{
	free(p->looks);
	free(p->stretches);
	free(p);
}

void
inspect_close(struct inspect *in)
{
	struct state_value *v;
	struct part *p;
	size_t it = 0;

	if (in == NULL)
		return;
	while ((p = map_next(&in->parts, &it)) != NULL)
		free_part(p);
	it = 0;
	while ((v = map_next(&in->state, &it)) != NULL)
		free(v);
	map_done(&in->parts);
	map_done(&in->state);
	free(in->sorted);
	replays_free(&in->replays);
	journal_close(in->journal);
	index_cursor_close(in->offsets);
	index_close(in->index);
	if (in->lock_fd != -1)
		file_close(in->lock_fd);
	free(in->dir);
	free(in);
}

/* ---- the index: first in a process that may end of it ---- */

/* What the child says: a finding, the table (INDEX_TABLES: none), and what more there is to say. */
struct said {
	uint8_t id, table;
	uint8_t n;
	uint8_t detail[128];
};

enum { KEYS_TOLD = 20 };

struct verifying {
	const char *dir;
	int out;
	struct said said;
	int told; /* keys of the table */
};

static void
say(struct verifying *v, enum finding_id id, const char *detail)
{
	struct said *s = &v->said;

	s->id = (uint8_t)id;
	s->n = (uint8_t)snprintf((char *)s->detail, sizeof s->detail, "%.100s", detail);
	/* A parent that is gone needs no word. */
	if (write(v->out, s, sizeof *s) == -1)
		return;
}

static void
say_entry(void *ctx, struct span key)
{
	struct verifying *v = ctx;
	char text[101] = "";

	if (v->told++ >= KEYS_TOLD)
		return;
	for (size_t i = 0; i < key.n && i < 50; i++)
		snprintf(text + 2 * i, 3, "%02x", key.p[i]);
	say(v, FINDING_INDEX_ENTRY, text);
}

static void
verify_index(void *ctx, int out)
{
	struct verifying *v = ctx;
	struct index *index;
	const char *why;

	v->out = out;
	v->said.table = INDEX_TABLES;
	if (index_open_to_look(&index, v->dir, &why) == -1) {
		say(v, FINDING_INDEX_UNREADABLE, why);
		return;
	}
	for (int t = 0; t < INDEX_TABLES; t++) {
		enum index_state state;

		v->said.table = (uint8_t)t;
		v->told = 0;
		state = index_verify_table(index, (enum index_table)t, say_entry, v);
		if (state == INDEX_UNREADABLE)
			say(v, FINDING_INDEX_UNREADABLE, "");
		else if (state == INDEX_UNLIKE_SUM && v->told == 0)
			say(v, FINDING_INDEX_SUM, "");
	}
	index_close(index);
}

static void
tell_said(struct inspect *in, const struct said *s)
{
	const char *table = s->table < INDEX_TABLES ? index_table_name((enum index_table)s->table) : NULL;
	char path[PATH_MAX];
	int n = s->n < sizeof s->detail ? s->n : (int)sizeof s->detail;

	store_path(in->dir, "index/data.mdb", path, sizeof path);
	inspect_tell(in, &(struct finding){ .id = (enum finding_id)s->id, .path = path, .pos = -1, .size = -1,
		.first = -1, .last = -1 }, "%s%s%s%s%.*s", table == NULL ? "" : "table=", table == NULL ? "" : table,
	    table == NULL || n == 0 ? "" : " ", s->id == FINDING_INDEX_ENTRY ? "key=" : "", n,
	    (const char *)s->detail);
}

/* 1: all of it is right; 0: it is not, which was told; -1: logged. */
static int
verify_in_child(struct inspect *in, const char *dir)
{
	struct verifying v = { .dir = dir };
	struct buf said = { 0 };
	int r = child_run(verify_index, &v, &said);
	size_t n = said.n / sizeof(struct said);

	if (r == -1)
		complain("no process to read the index can be made", dir);
	for (size_t i = 0; i < n; i++) {
		struct said s;

		memcpy(&s, said.p + i * sizeof s, sizeof s);
		if (s.id < FINDINGS)
			tell_said(in, &s);
	}
	if (r == 1)
		tell_file(in, FINDING_INDEX_ENDS, "index/data.mdb");
	buf_done(&said);
	return r == -1 ? -1 : r == 0 && n == 0;
}

/* Whether a start would go by it, or make it anew. */
static bool
is_used(const struct inspect *in, enum finding_id *why)
{
	struct index_cursor *c = index_cursor_open(in->index, INDEX_META);
	bool committed = false, ours = false;
	struct span key, value;

	while (index_cursor_next(c, &key, &value) == INDEX_ENTRY) {
		/* Every commit puts this: without it, the index was never made to its end. */
		committed |= span_is(key, "applied.0");
		ours |= span_is(key, "format") && value.n == 4 && load32(value.p) == INDEX_FORMAT;
	}
	index_cursor_close(c);
	*why = committed ? FINDING_INDEX_FORMAT : FINDING_INDEX_NONE;
	return committed && ours;
}

static int
open_index(struct inspect *in, bool usable)
{
	enum finding_id unused;
	char dir[PATH_MAX], path[32];
	const char *no_file, *why;
	int right;

	store_path(in->dir, "index", dir, sizeof dir);
	if (!is_there(in, "index/data.mdb")) {
		tell_file(in, FINDING_INDEX_NONE, "index");
		return 0;
	}
	if ((no_file = index_no_file(dir)) != NULL) {
		snprintf(path, sizeof path, "index/%s", no_file);
		tell_file(in, FINDING_INDEX_NO_FILE, path);
		return 0;
	}
	if ((right = verify_in_child(in, dir)) != 1 || !usable)
		return right == -1 ? -1 : 0;
	if (index_open_to_look(&in->index, dir, &why) == -1)
		return complain("index can't be opened", dir);
	if (!is_used(in, &unused)) {
		index_close(in->index);
		in->index = NULL;
		tell_file(in, unused, "index");
	}
	return 0;
}

/* What the marks in the folder say, and the index. */
static int
load_marks(struct inspect *in)
{
	enum clean_mark mark = store_clean_mark(in->dir);
	bool opening = is_there(in, "opening");
	char index[PATH_MAX];

	store_path(in->dir, "index", index, sizeof index);
	if (mark == CLEAN_FAILED)
		return -1;
	in->marked = mark != CLEAN_NONE;
	if (in->format_lacks)
		tell_file(in, FINDING_FORMAT_ABSENT, "format");
	if (mark == CLEAN_NONE)
		tell_file(in, FINDING_UNCLEAN, NULL);
	else if (mark == CLEAN_DAMAGED)
		tell_file(in, FINDING_CLEAN_DAMAGED, "clean");
	else if (mark == CLEAN_OTHER_INDEX && is_there(in, "index/data.mdb") && index_no_file(index) == NULL)
		tell_file(in, FINDING_INDEX_OTHER, "index/data.mdb");
	if (opening)
		tell_file(in, FINDING_OPENING, "opening");
	if (open_index(in, mark != CLEAN_OTHER_INDEX && !opening) == -1)
		return -1;
	in->clean = mark == CLEAN_FITS && in->index != NULL;
	return 0;
}

/* ---- partitions ---- */

void
inspect_folder(const struct inspect *in, const struct part *p, char *path, size_t size)
{
	struct store store = { .dir = in->dir };
	struct partition of = { .store = &store, .id = p->id };

	partition_folder(&of, path, size);
}

void
inspect_path(const struct inspect *in, const struct part *p, const struct look *l, char *path, size_t size)
{
	struct store store = { .dir = in->dir };
	struct partition of = { .store = &store, .id = p->id };
	struct segment s = l->s;

	s.partition = &of;
	segment_path(&s, path, size);
}

struct part *
inspect_find(const struct inspect *in, const struct partition_id *id)
{
	uint8_t key[PARTITION_KEY];

	partition_key(id, key);
	return map_get(&in->parts, span_of(key, sizeof key));
}

static bool
is_internal(const struct partition_id *id)
{
	for (int log = 0; log < STATE_LOGS; log++) {
		struct partition_id internal = state_partition_id((enum state_log)log);

		if (memcmp(internal.topic, id->topic, sizeof id->topic) == 0 && internal.number == id->number)
			return true;
	}
	return false;
}

static struct part *
part_of(struct inspect *in, const struct partition_id *id)
{
	struct part *p = inspect_find(in, id);

	if (p != NULL)
		return p;
	p = xcalloc(1, sizeof *p);
	p->id = *id;
	p->internal = is_internal(id);
	partition_key(id, p->key);
	must_fit(map_put(&in->parts, span_of(p->key, sizeof p->key), p));
	return p;
}

static struct part *
part_by_key(struct inspect *in, const uint8_t *key)
{
	struct partition_id id;

	memcpy(id.topic, key, sizeof id.topic);
	id.number = (int32_t)load32(key + sizeof id.topic);
	return part_of(in, &id);
}

static struct look *
add_look(struct part *p, const struct segment *s)
{
	for (size_t i = 0; i < p->n; i++)
		if (segment_is(&p->looks[i].s, s))
			return &p->looks[i];
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 4 : p->cap * 2;
		p->looks = xrealloc(p->looks, p->cap * sizeof *p->looks);
	}
	p->looks[p->n] = (struct look){ .s = *s };
	p->looks[p->n].s.max_time = INT64_MIN;
	return &p->looks[p->n++];
}

static void
tell_shape(struct inspect *in, enum index_table table)
{
	char path[PATH_MAX];

	store_path(in->dir, "index/data.mdb", path, sizeof path);
	inspect_tell(in, &(struct finding){ .id = FINDING_INDEX_SHAPE, .path = path, .pos = -1, .size = -1,
		.first = -1, .last = -1 }, "table=%s", index_table_name(table));
}

static void
load_segments(struct inspect *in)
{
	struct index_cursor *c = index_cursor_open(in->index, INDEX_SEGMENTS);
	struct span key, value;

	while (index_cursor_next(c, &key, &value) == INDEX_ENTRY) {
		struct segment s = { .fd = -1 };
		struct look *l;

		if (!segment_of_record(&s, key, value) || s.base < 0 || s.epoch < 0 || s.size < 0 || s.end < s.base) {
			tell_shape(in, INDEX_SEGMENTS);
			continue;
		}
		l = add_look(part_by_key(in, key.p), &s);
		l->s = s;
		l->recorded = true;
	}
	index_cursor_close(c);
}

/* Where a list of files belongs. */
struct listing {
	struct inspect *in;
	struct part *part;
	const char *folder; /* below the data folder; NULL: it itself */
};

static void
tell_below(const struct listing *at, enum finding_id id, const char *name)
{
	char below[PATH_MAX];

	snprintf(below, sizeof below, "%s%s%s", at->folder == NULL ? "" : at->folder, at->folder == NULL ? "" : "/", name);
	tell_file(at->in, id, below);
}

static void
tell_foreign(const struct listing *at, const char *name)
{
	tell_below(at, FINDING_FOREIGN, name);
}

static int
found_segment(void *ctx, const char *name)
{
	const struct listing *at = ctx;
	char path[PATH_MAX];
	struct segment s;
	struct look l;

	if (!segment_parse(name, &s)) {
		size_t n = strlen(name);

		tell_below(at, n > 4 && strcmp(name + n - 4, ".tmp") == 0 ? FINDING_UNFINISHED : FINDING_FOREIGN, name);
		return 0;
	}
	l = (struct look){ .s = s };
	inspect_path(at->in, at->part, &l, path, sizeof path);
	/* 1.0.log means the same, but is not what would be opened. */
	if (strcmp(strrchr(path, '/') + 1, name) != 0)
		tell_foreign(at, name);
	else
		add_look(at->part, &s)->there = true;
	return 0;
}

static int
found_folder(void *ctx, const char *name)
{
	const struct listing *logs = ctx;
	struct listing at = { .in = logs->in };
	char path[PATH_MAX], below[PATH_MAX];
	struct partition_id id;

	if (!partition_folder_parse(name, &id)) {
		tell_foreign(logs, name);
		return 0;
	}
	at.part = part_of(logs->in, &id);
	inspect_folder(logs->in, at.part, path, sizeof path);
	if (strcmp(strrchr(path, '/') + 1, name) != 0) {
		tell_foreign(logs, name);
		return 0;
	}
	at.part->there = true;
	snprintf(below, sizeof below, "logs/%s", name);
	at.folder = below;
	if (file_list(path, found_segment, &at) == -1 && errno != ENOTDIR)
		return complain("folder can't be read", path);
	if (errno == ENOTDIR)
		tell_foreign(logs, name);
	return 0;
}

static int
found_name(void *ctx, const char *name)
{
	static const char *const ours[] = { "format", "format.tmp", "clean", "clean.tmp", "opening", "reserve",
		"logs", "journal", "index" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcmp(name, ours[i]) == 0)
			return 0;
	tell_foreign(ctx, name);
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct look *x = a, *y = b;

	if (x->s.base != y->s.base)
		return x->s.base < y->s.base ? -1 : 1;
	if (x->s.epoch != y->s.epoch)
		return x->s.epoch < y->s.epoch ? -1 : 1;
	return (x->s.generation > y->s.generation) - (x->s.generation < y->s.generation);
}

/* Names decide: a compacted segment goes before what it was made of. */
static void
settle_looks(struct part *p)
{
	if (p->n > 0)
		qsort(p->looks, p->n, sizeof *p->looks, by_place);
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->n && !p->looks[i].superseded; k++)
			p->looks[i].superseded = p->looks[k].there && segment_superseded(&p->looks[i].s, &p->looks[k].s);
}

static int
by_key(const void *a, const void *b)
{
	const struct part *const *x = a, *const *y = b;

	return memcmp((*x)->key, (*y)->key, PARTITION_KEY);
}

static int
load_folders(struct inspect *in)
{
	struct listing top = { .in = in }, logs = { .in = in, .folder = "logs" };
	char path[PATH_MAX];
	struct replay *y;
	struct part *p;
	size_t it = 0;

	store_path(in->dir, "logs", path, sizeof path);
	if (file_list(in->dir, found_name, &top) == -1 || file_list(path, found_folder, &logs) == -1)
		return complain("data folder can't be read", path);
	while ((y = map_next(&in->replays, &it)) != NULL) {
		replay_sort(y);
		part_by_key(in, y->key);
	}
	in->sorted = xcalloc(in->parts.n + 1, sizeof(struct part *));
	for (it = 0; (p = map_next(&in->parts, &it)) != NULL; ) {
		settle_looks(p);
		in->sorted[in->n_sorted++] = p;
	}
	qsort(in->sorted, in->n_sorted, sizeof(struct part *), by_key);
	return 0;
}

bool
inspect_partition_at(const struct inspect *in, size_t i, struct partition_id *id)
{
	if (i >= in->n_sorted)
		return false;
	*id = in->sorted[i]->id;
	return true;
}

bool
inspect_has_partition(const struct inspect *in, const struct partition_id *id)
{
	return inspect_find(in, id) != NULL;
}

/* ---- the journal ---- */

static void
found_in_journal(void *ctx, const struct journal_found *found)
{
	static const int findings[] = {
		[JOURNAL_USED] = -1, [JOURNAL_UNUSED] = -1, [JOURNAL_BLOCK] = -1, [JOURNAL_REST] = -1,
		[JOURNAL_NO_HEADER] = FINDING_JOURNAL_HEADER,
		[JOURNAL_DAMAGED] = FINDING_JOURNAL_DAMAGED,
		[JOURNAL_TORN] = FINDING_JOURNAL_TORN,
	};
	struct inspect *in = ctx;
	char path[PATH_MAX];
	int id = findings[found->kind];

	snprintf(path, sizeof path, "%s/journal/%d.journal", in->dir, found->file);
	if (id != -1)
		inspect_tell(in, &(struct finding){ .path = path, .pos = found->pos, .size = found->size, .first = -1,
			.last = -1, .id = in->clean ? FINDING_JOURNAL_NEEDLESS : (enum finding_id)id }, NULL);
}

static void
found_entry(void *ctx, const struct journal_entry *e)
{
	struct inspect *in = ctx;

	in->journal_entries++;
	replay_note(&in->replays, e);
}

static int
load_journal(struct inspect *in)
{
	const struct journal_look look = { in, found_in_journal, found_entry };
	char path[PATH_MAX];

	store_path(in->dir, "journal", path, sizeof path);
	return journal_open_to_look(&in->journal, path) == -1 ? -1 : journal_look(in->journal, &look);
}

static void
give_found(void *ctx, const struct journal_found *found)
{
	const struct inspect *in = ctx;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/journal/%d.journal", in->dir, found->file);
	in->hooks.journal(in->hooks.ctx, path, found);
}

static void
give_entry(void *ctx, const struct journal_entry *e)
{
	const struct inspect *in = ctx;

	in->hooks.entry(in->hooks.ctx, e);
}

int
inspect_journal(struct inspect *in)
{
	return journal_look(in->journal, &(struct journal_look){ in, give_found, give_entry });
}

/* ---- the state ---- */

static void
load_applied(struct inspect *in)
{
	struct index_cursor *c = index_cursor_open(in->index, INDEX_META);
	struct span key, value;

	while (index_cursor_next(c, &key, &value) == INDEX_ENTRY)
		for (int log = 0; log < STATE_LOGS; log++) {
			char name[32];

			snprintf(name, sizeof name, "applied.%d", log);
			if (span_is(key, name) && value.n == 8)
				in->applied[log] = (int64_t)load64(value.p);
		}
	index_cursor_close(c);
}

/* Shapes of what nobody compares: the daemon reads by them. */
static void
check_shapes(struct inspect *in)
{
	static const struct {
		enum index_table table;
		size_t key, value; /* value 0: any */
	} shapes[] = {
		{ INDEX_OFFSETS, OFFSET_KEY, 16 },
		{ INDEX_PRODUCERS, PRODUCER_KEY, 0 },
		{ INDEX_ABORTED, ABORTED_KEY, 24 },
	};

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct index_cursor *c = index_cursor_open(in->index, shapes[i].table);
		struct span key, value;

		while (index_cursor_next(c, &key, &value) == INDEX_ENTRY)
			if (key.n != shapes[i].key || (shapes[i].value != 0 && value.n != shapes[i].value))
				tell_shape(in, shapes[i].table);
		index_cursor_close(c);
	}
}

/* While the internal logs are walked: what the index does not have yet is kept. */
struct loading {
	struct inspect *in;
	struct inspect_hooks asked;
};

static void
apply_record(void *ctx, enum state_log log, int64_t offset, struct span key, struct span value)
{
	const struct loading *l = ctx;

	if (l->asked.record != NULL)
		l->asked.record(l->asked.ctx, log, offset, key, value);
	if (offset >= l->in->applied[log] && key.p != NULL && key.n <= STATE_KEY_MAX)
		state_remember(&l->in->state, log, key, value);
}

static void
tell_asked(void *ctx, const struct finding *f)
{
	const struct loading *l = ctx;

	if (l->asked.finding != NULL)
		l->asked.finding(l->asked.ctx, f);
}

static void
load_log_start(void *ctx, struct span key, struct span value)
{
	struct inspect *in = ctx;
	struct part *p;

	if (key.n != 2 + PARTITION_KEY || key.p[0] != 0 || key.p[1] != 'S' || value.n != 8)
		return;
	p = map_get(&in->parts, span_of(key.p + 2, PARTITION_KEY));
	if (p != NULL)
		p->log_start = (int64_t)load64(value.p);
}

static void
load_state(struct inspect *in)
{
	struct loading l = { in, in->hooks };

	in->hooks = (struct inspect_hooks){ .ctx = &l, .record = apply_record, .finding = tell_asked };
	for (int log = 0; log < STATE_LOGS; log++) {
		struct partition_id id = state_partition_id((enum state_log)log);
		struct part *p = part_of(in, &id);

		inspect_walk(in, p, true, false);
		p->verified = true;
		if (in->applied[log] > p->sum.end)
			tell_file(in, FINDING_INDEX_AHEAD, "index/data.mdb");
	}
	in->hooks = l.asked;
	inspect_state(in, STATE_METADATA, load_log_start, in);
}

int
inspect_load(struct inspect *in)
{
	if (load_marks(in) == -1 || load_journal(in) == -1)
		return -1;
	if (in->index != NULL) {
		load_segments(in);
		load_applied(in);
		check_shapes(in);
		in->offsets = index_cursor_open(in->index, INDEX_OFFSETS);
		in->more_places = index_cursor_next(in->offsets, &in->place_key, &in->place) == INDEX_ENTRY;
	}
	for (int log = 0; log < STATE_LOGS; log++) {
		struct partition_id id = state_partition_id((enum state_log)log);

		part_of(in, &id); /* it is there, if only by being empty */
	}
	if (load_folders(in) == -1)
		return -1;
	load_state(in);
	return 0;
}

void
inspect_partition(struct inspect *in, const struct partition_id *id, bool verify, bool orphan,
    struct inspect_partition *out)
{
	struct part *p = inspect_find(in, id);

	must(p != NULL);
	if (!verify || !p->verified)
		inspect_walk(in, p, verify, orphan && !p->internal);
	*out = p->sum;
}

void
inspect_finish(struct inspect *in)
{
	for (; in->more_places; in->more_places = index_cursor_next(in->offsets, &in->place_key, &in->place) ==
	    INDEX_ENTRY)
		tell_file(in, FINDING_INDEX_ORPHAN, "index/data.mdb");
}

/* ---- the tables of the state ---- */

struct recent {
	struct state_value **values; /* owned; of one log, in the order of keys */
	size_t n, next;
};

static void
collect_recent(const struct inspect *in, enum state_log log, struct recent *r)
{
	struct state_value *v;
	size_t it = 0;

	r->values = xcalloc(in->state.n + 1, sizeof(struct state_value *));
	while ((v = map_next(&in->state, &it)) != NULL)
		if (v->key.p[0] == (uint8_t)log)
			r->values[r->n++] = v;
	qsort(r->values, r->n, sizeof *r->values, state_by_key);
}

/* Gives those before the key (all: p NULL); whether the key itself is among the recent ones. */
static bool
give_recent(struct recent *r, struct span before, void (*each)(void *, struct span, struct span), void *ctx)
{
	for (; r->next < r->n; r->next++) {
		const struct state_value *v = r->values[r->next];

		if (before.p != NULL && span_compare(v->key, before) >= 0)
			return span_eq(v->key, before);
		if (v->value.p != NULL)
			each(ctx, span_of(v->key.p + 1, v->key.n - 1), v->value);
	}
	return false;
}

void
inspect_state(struct inspect *in, enum state_log log, void (*each)(void *, struct span, struct span), void *ctx)
{
	struct index_cursor *c = in->index == NULL ? NULL : index_cursor_open(in->index, INDEX_STATE);
	struct recent r = { 0 };
	struct span key, value;

	collect_recent(in, log, &r);
	while (c != NULL && index_cursor_next(c, &key, &value) == INDEX_ENTRY)
		if (key.n > 0 && key.p[0] == (uint8_t)log && !give_recent(&r, key, each, ctx))
			each(ctx, span_of(key.p + 1, key.n - 1), value);
	give_recent(&r, span_of(NULL, 0), each, ctx);
	index_cursor_close(c);
	free(r.values);
}
