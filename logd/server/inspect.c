/* inspect.c -- weir-logd inspect: what is asked of a data folder, and how it is told. */
#include "server/inspect.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/offsets.h"
#include "base/arena.h"
#include "base/command_line.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/must.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "server/inspect_print.h"
#include "store/codec.h"
#include "store/inspect.h"
#include "wire/wire_text.h"

static const char usage[] =
    "usage: weir-logd inspect FOLDER [--batches TOPIC[-PARTITION] [--records]] [--state [TABLE]] [--journal] [--json]\n"
    "       weir-logd inspect FOLDER --rebuild-index\n"
    "       weir-logd inspect FOLDER --skip-batch TOPIC-PARTITION:OFFSET\n"
    "  (nothing more)     verify the data folder, or a snapshot, while no weir-logd runs on it\n"
    "  --batches WHICH    print the batches of a topic, or of one partition (also ID.PARTITION, as its folder)\n"
    "  --records          and the records in them\n"
    "  --state [TABLE]    print the daemon's own state: metadata, offsets or transactions\n"
    "  --journal          print the journal\n"
    "  --json             an object for each line\n"
    "Repairs; each says what it did:\n"
    "  --rebuild-index    delete the index, if it is damaged, so that the next start makes it anew\n"
    "  --skip-batch WHERE put an empty batch in the place of a damaged one\n";

static const char *const state_names[STATE_LOGS] = {
	[STATE_METADATA] = "metadata",
	[STATE_OFFSETS] = "offsets",
	[STATE_TRANSACTIONS] = "transactions",
};

struct asked {
	const char *dir, *batches, *skip;
	bool records, state, journal, json, rebuild;
	int table; /* -1: all */
};

/* A topic that the state has. */
struct name {
	uint8_t id[16];
	int32_t partitions;
	size_t n;
	char text[];
};

struct inspection {
	struct asked asked;
	struct inspect *in;
	struct print print;
	struct map names;      /* owned; by id */
	bool verify;           /* all is to be told */
	bool notes;            /* notes are */
	bool batches;
	int64_t n_damage, n_notes;
};

/* ---- the command line ---- */

static bool
find_table(const char *name, int *table)
{
	for (int log = 0; log < STATE_LOGS; log++)
		if (strcmp(name, state_names[log]) == 0) {
			*table = log;
			return true;
		}
	return false;
}

static bool
parse(struct asked *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "batches", required_argument, NULL, 'b' },
		{ "records", no_argument, NULL, 'r' },
		{ "state", optional_argument, NULL, 's' },
		{ "journal", no_argument, NULL, 'j' },
		{ "json", no_argument, NULL, 'J' },
		{ "rebuild-index", no_argument, NULL, 'i' },
		{ "skip-batch", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*a = (struct asked){ .table = -1 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'b':
			a->batches = optarg;
			break;
		case 'r':
			a->records = true;
			break;
		case 's':
			a->state = true;
			if (optarg == NULL && optind < argc && find_table(argv[optind], &a->table))
				optind++;
			if (optarg != NULL && !find_table(optarg, &a->table)) {
				fprintf(stderr, "weir-logd inspect: --state: %s: not one of metadata, offsets, transactions\n",
				    optarg);
				return false;
			}
			break;
		case 'j':
			a->journal = true;
			break;
		case 'J':
			a->json = true;
			break;
		case 'i':
			a->rebuild = true;
			break;
		case 'k':
			a->skip = optarg;
			break;
		default:
			return false;
		}
	if (optind + 1 != argc) {
		fprintf(stderr, "weir-logd inspect: name one data folder\n");
		return false;
	}
	a->dir = argv[optind];
	if (a->rebuild + (a->skip != NULL) + (a->batches != NULL || a->state || a->journal) > 1) {
		fprintf(stderr, "weir-logd inspect: a repair is done by itself\n");
		return false;
	}
	if (a->records && a->batches == NULL) {
		fprintf(stderr, "weir-logd inspect: --records: of which --batches?\n");
		return false;
	}
	return true;
}

/* ---- names ---- */

static const struct name *
name_of(const struct inspection *x, const uint8_t topic[16])
{
	return map_get(&x->names, span_of(topic, 16));
}

/* The internal log of that id; -1: it is none. */
static int
log_of(const uint8_t topic[16])
{
	static const uint8_t zeros[15];

	return memcmp(topic, zeros, sizeof zeros) == 0 && topic[15] >= 1 && topic[15] <= STATE_LOGS ? topic[15] - 1 : -1;
}

static void
print_id(struct print *p, const uint8_t topic[16])
{
	char id[UUID_TEXT + 1];

	uuid_text(topic, id);
	print_str(p, "topic_id", id);
}

/* The topic's name, or its id where it has none. */
static void
print_partition(struct inspection *x, const uint8_t topic[16], int32_t number)
{
	const struct name *name = name_of(x, topic);

	if (name != NULL)
		print_span(&x->print, "topic", span_of(name->text, name->n));
	else if (log_of(topic) != -1)
		print_str(&x->print, "internal", state_names[log_of(topic)]);
	else
		print_id(&x->print, topic);
	if (number >= 0)
		print_int(&x->print, "partition", number);
}

static bool
is_orphan(const struct inspection *x, const struct partition_id *id)
{
	const struct name *name = name_of(x, id->topic);

	return name == NULL || id->number >= name->partitions;
}

/* ---- findings ---- */

static void
found(void *ctx, const struct finding *f)
{
	struct inspection *x = ctx;
	const struct finding_text *text = &finding_texts[f->id];
	bool note = text->kind == FINDING_NOTE;

	*(note ? &x->n_notes : &x->n_damage) += 1;
	if (note && !x->notes)
		return;
	print_begin(&x->print, note ? "note" : "damage");
	print_str(&x->print, "finding", text->name);
	print_str(&x->print, "what", text->what);
	if (f->partition != NULL)
		print_partition(x, f->partition->topic, f->partition->number);
	print_str(&x->print, "path", f->path);
	if (f->pos >= 0)
		print_int(&x->print, "position", f->pos);
	if (f->size >= 0)
		print_int(&x->print, "size", f->size);
	if (f->first >= 0)
		print_int(&x->print, "first_offset", f->first);
	if (f->last >= 0)
		print_int(&x->print, "last_offset", f->last);
	print_str(&x->print, "detail", f->detail);
	print_str(&x->print, "means", text->means);
	print_str(&x->print, "action", text->action);
	print_end(&x->print);
}

/* ---- records of the state ---- */

/* What is decoded of one: its kind; the message of its value, or a number. */
struct decoded {
	const char *kind;
	const char *message; /* NULL: `number`, of `number_name` */
	const char *number_name;
	int64_t number;
	struct span group, id;
	const uint8_t *topic; /* NULL: of none */
	int32_t partition;    /* -1: of none */
	int64_t producer_id;  /* -1: of none */
};

/* Metadata: the first byte of the key tells. */
static bool
decode_metadata(struct decoded *d, struct span key, struct span value)
{
	static const struct {
		char first;
		size_t n;
		const char *kind, *message;
	} rows[] = {
		{ 'T', 1 + 16, "topic", "topic_record" },
		{ 'B', 1, "broker_config", "broker_config_record" },
		{ 'C', 1, "cluster", "cluster_record" },
		{ 'P', 1, "producer_ids", "producer_id_record" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (key.n == rows[i].n && key.p[0] == rows[i].first) {
			d->kind = rows[i].kind;
			d->message = rows[i].message;
			d->topic = key.n > 1 ? key.p + 1 : NULL;
			return true;
		}
	if (key.n == 2 && key.p[0] == 0 && key.p[1] == 'E' && (value.p == NULL || value.n == 4)) {
		d->kind = d->number_name = "leader_epoch";
		d->number = value.p == NULL ? -1 : (int32_t)load32(value.p);
		return true;
	}
	if (key.n == 2 + 20 && key.p[0] == 0 && key.p[1] == 'S' && (value.p == NULL || value.n == 8)) {
		d->kind = d->number_name = "log_start";
		d->topic = key.p + 2;
		d->partition = (int32_t)load32(key.p + 18);
		d->number = value.p == NULL ? -1 : (int64_t)load64(value.p);
		return true;
	}
	return false;
}

static bool
decode_offset(struct decoded *d, struct span key)
{
	enum { PENDING = 0xffff, PREFIX = 2 + 8 };

	d->kind = "offset";
	if (key.n > PREFIX && load16(key.p) == PENDING) {
		d->kind = "pending_offset";
		d->producer_id = (int64_t)load64(key.p + 2);
		key = span_of(key.p + PREFIX, key.n - PREFIX);
	}
	d->message = "offset_commit_record";
	return offsets_key_parse(key, &d->group, &d->topic, &d->partition);
}

static bool
decode_key(struct decoded *d, enum state_log log, struct span key, struct span value)
{
	*d = (struct decoded){ .partition = -1, .producer_id = -1 };
	if (key.n == 0)
		return false;
	if (log == STATE_METADATA)
		return decode_metadata(d, key, value);
	if (log == STATE_OFFSETS)
		return decode_offset(d, key);
	d->kind = "transaction";
	d->message = "transaction_record";
	d->id = key;
	return true;
}

/* Decodes the value of a message; what it points to is in the arena, the struct the caller's to free.  NULL: it can't be. */
static void *
decode_value(const char *name, struct span value, struct arena *arena, const struct wire_message **m)
{
	enum { ARRAYS_MAX = 64 * 1024 * 1024 };
	struct wire_in in;
	void *to;

	*m = wire_message_find(span_str(name));
	must(*m != NULL);
	to = xcalloc(1, (*m)->body->size);
	arena_init(arena, ARRAYS_MAX);
	wire_in_init(&in, value, arena);
	if (wire_record_decode(&in, *m, to) != -1)
		return to;
	arena_done(arena);
	free(to);
	return NULL;
}

/* Whether a record of an internal log can be read. */
static bool
decodes(enum state_log log, struct span key, struct span value)
{
	const struct wire_message *m;
	struct decoded d;
	struct arena arena;
	void *to;

	if (!decode_key(&d, log, key, value))
		return false;
	if (d.message == NULL || value.p == NULL)
		return true;
	if ((to = decode_value(d.message, value, &arena, &m)) == NULL)
		return false;
	arena_done(&arena);
	free(to);
	return true;
}

static void
check_record(void *ctx, enum state_log log, int64_t offset, struct span key, struct span value)
{
	struct inspection *x = ctx;

	if (!decodes(log, key, value))
		found(x, &(struct finding){ .id = FINDING_RECORD, .path = state_names[log], .pos = -1, .size = -1,
			.first = offset, .last = offset });
}

/* ---- the state ---- */

struct table {
	struct inspection *x;
	enum state_log log;
};

static void
print_value(struct inspection *x, const struct decoded *d, struct span value)
{
	const struct wire_message *m;
	struct arena arena;
	struct buf text = { 0 };
	void *to = decode_value(d->message, value, &arena, &m);

	if (to == NULL) {
		print_bytes(&x->print, "unreadable", value);
		return;
	}
	wire_print(&text, m, m->max, to);
	print_span(&x->print, "value", buf_bytes(&text));
	buf_done(&text);
	arena_done(&arena);
	free(to);
}

static void
print_entry(void *ctx, struct span key, struct span value)
{
	const struct table *t = ctx;
	struct inspection *x = t->x;
	struct decoded d;

	print_begin(&x->print, "state");
	print_str(&x->print, "table", state_names[t->log]);
	if (!decode_key(&d, t->log, key, value)) {
		print_bytes(&x->print, "key", key);
		print_bytes(&x->print, "value", value);
		print_end(&x->print);
		return;
	}
	print_str(&x->print, "kind", d.kind);
	if (d.id.p != NULL)
		print_bytes(&x->print, "transactional_id", d.id);
	if (d.group.p != NULL)
		print_bytes(&x->print, "group", d.group);
	if (d.producer_id != -1)
		print_int(&x->print, "producer_id", d.producer_id);
	if (d.topic != NULL)
		print_partition(x, d.topic, d.partition);
	if (d.topic != NULL && d.partition == -1 && name_of(x, d.topic) != NULL)
		print_id(&x->print, d.topic);
	if (d.message != NULL)
		print_value(x, &d, value);
	else
		print_int(&x->print, d.number_name, d.number);
	print_end(&x->print);
}

static void
print_state(struct inspection *x)
{
	for (int log = 0; log < STATE_LOGS; log++) {
		struct table t = { x, (enum state_log)log };

		if (x->asked.table == -1 || x->asked.table == log)
			inspect_state(x->in, (enum state_log)log, print_entry, &t);
	}
}

static void
note_topic(void *ctx, struct span key, struct span value)
{
	struct inspection *x = ctx;
	const struct wire_message *m;
	struct wire_topic_record *record;
	struct arena arena;
	struct name *name;

	if (key.n != 1 + 16 || key.p[0] != 'T' ||
	    (record = decode_value("topic_record", value, &arena, &m)) == NULL)
		return;
	name = xcalloc(1, sizeof *name + record->name.n);
	memcpy(name->id, key.p + 1, sizeof name->id);
	name->partitions = record->partitions;
	name->n = record->name.n;
	if (name->n > 0)
		memcpy(name->text, record->name.p, name->n);
	must_fit(map_put(&x->names, span_of(name->id, sizeof name->id), name));
	arena_done(&arena);
	free(record);
}

/* ---- batches ---- */

static void
print_codec(struct print *p, int codec)
{
	static const char *const names[CODECS] = { "none", "gzip", "snappy", "lz4", "zstd" };

	print_str(p, "codec", codec < CODECS ? names[codec] : "unknown");
}

static void
print_records(struct inspection *x, const struct inspect_batch *f)
{
	struct record_walk walk;
	struct record r;

	record_walk(&walk, &f->batch, f->bytes, BATCH_INFLATED_MAX);
	while (record_next(&walk, &r)) {
		print_begin(&x->print, "record");
		print_int(&x->print, "offset", r.offset);
		print_time(&x->print, "timestamp", r.timestamp);
		print_bytes(&x->print, "key", r.key);
		print_bytes(&x->print, "value", r.value);
		if (r.headers.n > 1)
			print_int(&x->print, "headers_size", (int64_t)r.headers.n);
		print_end(&x->print);
	}
	if (walk.broken)
		found(x, &(struct finding){ .id = FINDING_RECORDS, .path = f->path, .pos = f->pos,
			.size = (int64_t)f->batch.size, .first = f->batch.base_offset,
			.last = batch_last_offset(&f->batch), .partition = f->partition });
	record_done(&walk);
}

static void
print_batch(void *ctx, const struct inspect_batch *f)
{
	struct inspection *x = ctx;
	const struct batch *b = &f->batch;
	struct batch_marker marker;

	if (!x->batches)
		return;
	print_begin(&x->print, "batch");
	print_partition(x, f->partition->topic, f->partition->number);
	print_int(&x->print, "base_offset", b->base_offset);
	print_int(&x->print, "last_offset", batch_last_offset(b));
	print_int(&x->print, "position", f->pos);
	print_int(&x->print, "size", (int64_t)b->size);
	print_int(&x->print, "leader_epoch", b->leader_epoch);
	print_str(&x->print, "crc", "ok");
	print_int(&x->print, "count", b->count);
	print_codec(&x->print, b->attributes & BATCH_CODEC);
	print_time(&x->print, "base_timestamp", b->base_timestamp);
	print_time(&x->print, "max_timestamp", b->max_timestamp);
	print_str(&x->print, "timestamp_type", (b->attributes & BATCH_LOG_APPEND_TIME) ? "LogAppendTime" : "CreateTime");
	if (b->producer_id != -1) {
		print_int(&x->print, "producer_id", b->producer_id);
		print_int(&x->print, "producer_epoch", b->producer_epoch);
		print_int(&x->print, "base_sequence", b->base_sequence);
	}
	print_bool(&x->print, "transactional", b->attributes & BATCH_TRANSACTIONAL);
	if (b->attributes & BATCH_CONTROL)
		print_str(&x->print, "marker", !batch_marker_read(&marker, b, f->bytes) ? "unknown" :
		    marker.commit ? "COMMIT" : "ABORT");
	if (f->journal)
		print_bool(&x->print, "only_in_journal", true);
	print_end(&x->print);
	if (x->asked.records && !(b->attributes & BATCH_CONTROL))
		print_records(x, f);
}

/* ID.PARTITION, TOPIC-PARTITION, or, where `whole`, TOPIC (*number is -1 then). */
static bool
find_partition(const struct inspection *x, struct span text, struct partition_id *id)
{
	struct span name = text;
	const struct name *n;
	size_t it = 0, i;

	for (size_t k = 0; inspect_partition_at(x->in, k, id); k++) {
		char folder[UUID_TEXT + 16];
		size_t length;

		uuid_text(id->topic, folder);
		length = strlen(folder);
		snprintf(folder + length, sizeof folder - length, ".%" PRId32, id->number);
		if (span_is(text, folder))
			return true;
	}
	while ((n = map_next(&x->names, &it)) != NULL)
		if (span_eq(text, span_of(n->text, n->n))) {
			memcpy(id->topic, n->id, sizeof id->topic);
			id->number = -1;
			return true;
		}
	for (i = text.n; i > 0 && text.p[i - 1] != '-'; i--)
		if (text.p[i - 1] < '0' || text.p[i - 1] > '9')
			return false;
	if (i < 2 || text.n - i == 0 || text.n - i > 9)
		return false;
	name.n = i - 1;
	id->number = 0;
	for (; i < text.n; i++)
		id->number = id->number * 10 + (text.p[i] - '0');
	for (it = 0; (n = map_next(&x->names, &it)) != NULL; )
		if (span_eq(name, span_of(n->text, n->n))) {
			memcpy(id->topic, n->id, sizeof id->topic);
			return id->number < n->partitions;
		}
	return false;
}

static int
print_batches(struct inspection *x)
{
	struct inspect_partition of;
	struct partition_id wanted, id;

	if (!find_partition(x, span_str(x->asked.batches), &wanted)) {
		fprintf(stderr, "weir-logd inspect: --batches: %s: no such topic or partition\n", x->asked.batches);
		return -1;
	}
	x->batches = true;
	for (size_t i = 0; inspect_partition_at(x->in, i, &id); i++)
		if (memcmp(id.topic, wanted.topic, sizeof id.topic) == 0 && (wanted.number == -1 || wanted.number == id.number))
			inspect_partition(x->in, &id, false, false, &of);
	x->batches = false;
	return 0;
}

/* ---- the journal ---- */

static void
print_block(void *ctx, const char *path, const struct journal_found *f)
{
	static const char *const names[] = {
		[JOURNAL_USED] = "used", [JOURNAL_UNUSED] = "unused", [JOURNAL_NO_HEADER] = "damaged_header",
		[JOURNAL_BLOCK] = "block", [JOURNAL_DAMAGED] = "damaged", [JOURNAL_TORN] = "torn", [JOURNAL_REST] = "rest",
	};
	struct inspection *x = ctx;

	print_begin(&x->print, "journal");
	print_str(&x->print, "path", path);
	print_str(&x->print, "is", names[f->kind]);
	print_int(&x->print, "position", f->pos);
	print_int(&x->print, "size", f->size);
	if (f->kind != JOURNAL_UNUSED && f->kind != JOURNAL_NO_HEADER)
		print_int(&x->print, "lsn", (int64_t)(f->lsn + (uint64_t)f->pos));
	print_end(&x->print);
}

static void
print_journal_entry(void *ctx, const struct journal_entry *e)
{
	struct inspection *x = ctx;
	struct batch b;

	print_begin(&x->print, "entry");
	print_str(&x->print, "kind", e->kind == JOURNAL_BATCH ? "batch" : e->kind == JOURNAL_RESERVE ? "reserve" :
	    e->kind == JOURNAL_SYNCED ? "synced" : "unknown");
	print_partition(x, e->id.topic, e->id.number);
	if (e->kind != JOURNAL_RESERVE) {
		print_int(&x->print, "segment", e->segment_base);
		print_int(&x->print, "leader_epoch", e->segment_epoch);
		print_int(&x->print, "position", e->pos);
	}
	if (e->kind != JOURNAL_BATCH)
		print_int(&x->print, "offset", e->offset);
	else if (batch_header(&b, e->batch) && b.size == e->batch.n) {
		print_int(&x->print, "base_offset", b.base_offset);
		print_int(&x->print, "last_offset", batch_last_offset(&b));
		print_int(&x->print, "size", (int64_t)b.size);
		print_str(&x->print, "crc", batch_crc_ok(&b, e->batch.p) ? "ok" : "wrong");
	}
	print_end(&x->print);
}

/* ---- verifying ---- */

static void
print_summary(struct inspection *x, const struct inspect_partition *of)
{
	print_begin(&x->print, "partition");
	print_partition(x, of->id.topic, of->id.number);
	print_int(&x->print, "log_start", of->log_start);
	print_int(&x->print, "log_end", of->end);
	print_int(&x->print, "segments", of->segments);
	print_int(&x->print, "bytes", of->bytes);
	print_int(&x->print, "batches", of->batches);
	if (of->journaled > 0)
		print_int(&x->print, "only_in_journal", of->journaled);
	print_int(&x->print, "damaged", of->damaged);
	print_end(&x->print);
}

static void
verify(struct inspection *x)
{
	int64_t partitions = 0, segments = 0, bytes = 0, batches = 0;
	struct inspect_partition of;
	struct partition_id id;

	for (size_t i = 0; inspect_partition_at(x->in, i, &id); i++) {
		inspect_partition(x->in, &id, true, is_orphan(x, &id), &of);
		print_summary(x, &of);
		partitions++;
		segments += of.segments;
		bytes += of.bytes;
		batches += of.batches;
	}
	inspect_finish(x->in);
	print_begin(&x->print, "summary");
	print_int(&x->print, "partitions", partitions);
	print_int(&x->print, "segments", segments);
	print_int(&x->print, "bytes", bytes);
	print_int(&x->print, "batches", batches);
	print_int(&x->print, "notes", x->n_notes);
	print_int(&x->print, "damage", x->n_damage);
	print_end(&x->print);
}

/* ---- repairs ---- */

static int
skip(struct inspection *x)
{
	const char *colon = strrchr(x->asked.skip, ':');
	struct inspect_partition of;
	struct partition_id id;
	char *end;
	long long offset = colon == NULL ? -1 : strtoll(colon + 1, &end, 10);

	if (offset < 0 || end == colon + 1 || *end != '\0') {
		fprintf(stderr, "weir-logd inspect: --skip-batch: %s: write TOPIC-PARTITION:OFFSET\n", x->asked.skip);
		return -1;
	}
	if (!find_partition(x, span_of(x->asked.skip, (size_t)(colon - x->asked.skip)), &id) || id.number == -1 ||
	    !inspect_has_partition(x->in, &id)) {
		fprintf(stderr, "weir-logd inspect: --skip-batch: %s: no such partition\n", x->asked.skip);
		return -1;
	}
	inspect_partition(x->in, &id, false, false, &of);
	return inspect_skip(x->in, &id, offset);
}

/* ---- the whole ---- */

static void
free_names(struct map *names)
{
	struct name *n;
	size_t it = 0;

	while ((n = map_next(names, &it)) != NULL)
		free(n);
	map_done(names);
}

/* The status of the program. */
static int
answer(struct inspection *x)
{
	const struct asked *a = &x->asked;

	if (inspect_load(x->in) == -1)
		return EXIT_FAILURE;
	inspect_state(x->in, STATE_METADATA, note_topic, x);
	x->notes = true;
	if (x->verify)
		verify(x);
	if (a->state)
		print_state(x);
	if (a->journal && inspect_journal(x->in) == -1)
		return EXIT_FAILURE;
	if (a->batches != NULL && print_batches(x) == -1)
		return EXIT_FAILURE;
	if (a->rebuild)
		return inspect_rebuild_index(x->in) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (a->skip != NULL)
		return skip(x) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	return x->n_damage > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
inspect_main(int argc, char **argv)
{
	struct inspection x = { .verify = false };
	struct inspect_hooks hooks = { .ctx = &x, .finding = found, .batch = print_batch, .record = check_record,
		.journal = print_block, .entry = print_journal_entry };
	int status = EXIT_FAILURE;

	if (!parse(&x.asked, argc, argv)) {
		fputs(usage, stderr);
		return COMMAND_LINE_USAGE;
	}
	x.verify = x.notes = x.asked.batches == NULL && !x.asked.state && !x.asked.journal && x.asked.skip == NULL;
	x.print.json = x.asked.json;
	if (inspect_open(&x.in, x.asked.dir, x.asked.rebuild || x.asked.skip != NULL, &hooks) == 0) {
		status = answer(&x);
		inspect_close(x.in);
	}
	free_names(&x.names);
	print_done(&x.print);
	return x.print.failed ? EXIT_FAILURE : status;
}
