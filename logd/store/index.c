/* index.c -- what is looked up: the only user of LMDB. */
#include "store/index.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"

enum { CRC = 4, SUM = 12, OP_HEADER = 10, NO_ROOM_BYTES = 16 << 20 };

static const MDB_dbi NO_TABLE = UINT_MAX; /* looked for, and not there */

/* Virtual memory only; the file grows with what is in it. */
static const size_t MAP_BYTES = (size_t)64 << 30;

static const char *const table_names[INDEX_TABLES] = {
	[INDEX_META] = "meta",
	[INDEX_SEGMENTS] = "segments",
	[INDEX_OFFSETS] = "offsets",
	[INDEX_PRODUCERS] = "producers",
	[INDEX_ABORTED] = "aborted",
	[INDEX_STATE] = "state",
};

/* How many entries a table has, and the sum of their checksums. */
struct sum {
	uint64_t count;
	uint32_t crcs;
};

struct index {
	MDB_env *env;
	MDB_dbi tables[INDEX_TABLES], sums;
	MDB_txn *reader; /* reset between look-ups */
};

enum op { OP_PUT, OP_DEL, OP_DEL_PREFIX };

static MDB_val
val(struct span s)
{
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct span
span_val(MDB_val v)
{
	return span_of(v.mv_data, v.mv_size);
}

/* An errno for LMDB's codes: its own are negative. */
static int
fail(const char *what, int rc)
{
	diag_error(what, "error=\"%s\"", mdb_strerror(rc));
	errno = rc == MDB_MAP_FULL ? ENOSPC : rc > 0 ? rc : EIO;
	return -1;
}

static void
add_op(struct index_batch *b, enum op op, enum index_table table, struct span key, struct span value)
{
	buf_u8(&b->ops, (uint8_t)op);
	buf_u8(&b->ops, (uint8_t)table);
	buf_u32(&b->ops, (uint32_t)key.n);
	buf_u32(&b->ops, (uint32_t)value.n);
	buf_span(&b->ops, key);
	buf_span(&b->ops, value);
	must_fit(!b->ops.failed);
	b->n++;
}

void
index_put(struct index_batch *b, enum index_table table, struct span key, struct span value)
{
	add_op(b, OP_PUT, table, key, value);
}

void
index_del(struct index_batch *b, enum index_table table, struct span key)
{
	add_op(b, OP_DEL, table, key, span_of(NULL, 0));
}

void
index_del_prefix(struct index_batch *b, enum index_table table, struct span prefix)
{
	add_op(b, OP_DEL_PREFIX, table, prefix, span_of(NULL, 0));
}

void
index_batch_done(struct index_batch *b)
{
	buf_done(&b->ops);
	*b = (struct index_batch){ 0 };
}

static int
open_tables(struct index *idx)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(idx->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < INDEX_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &idx->tables[i]);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "sums", MDB_CREATE, &idx->sums);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

static int
find_table(MDB_txn *txn, const char *name, MDB_dbi *table)
{
	int rc = mdb_dbi_open(txn, name, 0, table);

	if (rc != MDB_NOTFOUND)
		return rc;
	*table = NO_TABLE;
	return 0;
}

/* What there is of them. */
static int
find_tables(struct index *idx)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(idx->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < INDEX_TABLES && rc == 0; i++)
		rc = find_table(txn, table_names[i], &idx->tables[i]);
	if (rc == 0)
		rc = find_table(txn, "sums", &idx->sums);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* An LMDB code. */
static int
open_env(struct index **out, const char *path, unsigned flags)
{
	struct index *idx = xcalloc(1, sizeof *idx);
	int rc = mdb_env_create(&idx->env);

	if (rc != 0) {
		free(idx);
		return rc;
	}
	mdb_env_set_mapsize(idx->env, MAP_BYTES);
	mdb_env_set_maxdbs(idx->env, INDEX_TABLES + 1);
	/* The folder has its own lock (store.c), and readers are our one thread. */
	if ((rc = mdb_env_open(idx->env, path, MDB_NOTLS | MDB_NORDAHEAD | flags, 0640)) != 0 ||
	    (rc = (flags & MDB_RDONLY) ? find_tables(idx) : open_tables(idx)) != 0 ||
	    (rc = mdb_txn_begin(idx->env, NULL, MDB_RDONLY, &idx->reader)) != 0) {
		mdb_env_close(idx->env);
		free(idx);
		return rc;
	}
	mdb_txn_reset(idx->reader);
	*out = idx;
	return 0;
}

int
index_open(struct index **out, const char *dir)
{
	char lock[4096];
	int rc;

	/* What an earlier process left in LMDB's table of readers is of no use: we hold the folder's lock. */
	snprintf(lock, sizeof lock, "%s/lock.mdb", dir);
	file_unlink(lock);
	if (file_mkdir(dir) == -1) {
		diag_error("index folder can't be made", "path=%s error=\"%s\" action=\"%s\"", dir,
		    strerror(errno), file_advice(errno));
		return -1;
	}
	rc = open_env(out, dir, 0);
	return rc == 0 ? 0 : fail("index can't be opened", rc);
}

void
index_close(struct index *idx)
{
	if (idx == NULL)
		return;
	mdb_txn_abort(idx->reader);
	mdb_env_close(idx->env);
	free(idx);
}

int
index_discard(const char *dir)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "renewed.mdb" };
	char path[4096];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		if (file_unlink(path) == -1 && errno != ENOENT)
			return -1;
	}
	return 0;
}

static int
open_part(const char *dir, const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return file_open(path, FILE_READ);
}

const char *
index_no_file(const char *dir)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int fd = open_part(dir, files[i]);

		if (fd != -1)
			file_close(fd);
		else if (errno == ENOTSUP)
			return files[i];
	}
	return NULL;
}

static int
crc_of(int fd, uint32_t *crc)
{
	enum { STEP = 256 * 1024 };
	uint8_t *chunk = xmalloc(STEP);
	int64_t pos = 0, n;

	*crc = 0;
	while ((n = file_read(fd, chunk, STEP, pos)) > 0) {
		*crc = crc32c(*crc, chunk, (size_t)n);
		pos += n;
	}
	free(chunk);
	return n == 0 ? 0 : -1;
}

int
index_file_crc(const char *dir, uint32_t *crc)
{
	int fd = open_part(dir, "data.mdb"), r;
	int64_t size;

	if (fd == -1)
		return -1;
	size = file_size(fd);
	/* A file with holes may claim any size, which would take hours to read. */
	if (size > (int64_t)MAP_BYTES) {
		errno = EFBIG;
		r = -1;
	} else
		r = size == -1 ? -1 : crc_of(fd, crc);
	file_close(fd);
	return r;
}

static uint32_t
entry_crc(struct span key, struct span value)
{
	return crc32c(crc32c(0, key.p, key.n), value.p, value.n);
}

/* Splits the checksum off and compares it. */
static bool
open_value(struct span key, MDB_val stored, struct span *value)
{
	struct span s = span_val(stored);

	if (s.n < CRC)
		return false;
	*value = span_of(s.p, s.n - CRC);
	return load32(s.p + s.n - CRC) == entry_crc(key, *value);
}

/*
 * At once: every answer that went on from here could be a wrong one, such as that
 * a group has committed no offset.
 */
static _Noreturn void
end_process(enum index_table table)
{
	diag_error("index is damaged", "table=%s action=\"the daemon ends; the next start makes the index anew\"",
	    table_names[table]);
	_exit(EXIT_FAILURE);
}

/* Begins a look-up.  LMDB gives none when a commit has failed for good. */
static MDB_txn *
begin_read(struct index *idx, enum index_table table)
{
	if (mdb_txn_renew(idx->reader) != 0)
		end_process(table);
	return idx->reader;
}

bool
index_get(struct index *idx, enum index_table table, struct span key, struct buf *to)
{
	MDB_txn *txn = begin_read(idx, table);
	MDB_val k = val(key), v;
	struct span value;
	int rc = mdb_get(txn, idx->tables[table], &k, &v);

	buf_reset(to);
	if (rc == 0 ? !open_value(key, v, &value) : rc != MDB_NOTFOUND)
		end_process(table);
	if (rc == 0)
		buf_span(to, value);
	must_fit(!to->failed);
	mdb_txn_reset(txn);
	return rc == 0;
}

bool
index_floor(struct index *idx, enum index_table table, struct span key, size_t prefix,
    struct buf *found, struct buf *to)
{
	MDB_txn *txn = begin_read(idx, table);
	MDB_val k = val(key), v;
	MDB_cursor *cursor;
	struct span value;
	bool ok = false;
	int rc;

	buf_reset(found);
	buf_reset(to);
	must_fit(mdb_cursor_open(txn, idx->tables[table], &cursor) == 0);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	else if (rc == 0 && !span_eq(span_val(k), key))
		rc = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
	if (rc != 0 && rc != MDB_NOTFOUND)
		end_process(table);
	if (rc == 0 && k.mv_size >= prefix && memcmp(k.mv_data, key.p, prefix) == 0) {
		if (!open_value(span_val(k), v, &value))
			end_process(table);
		buf_span(found, span_val(k));
		buf_span(to, value);
		ok = true;
	}
	must_fit(!found->failed && !to->failed);
	mdb_cursor_close(cursor);
	mdb_txn_reset(txn);
	return ok;
}

static bool
has_prefix(MDB_val k, struct span prefix)
{
	return k.mv_size >= prefix.n && (prefix.n == 0 || memcmp(k.mv_data, prefix.p, prefix.n) == 0);
}

void
index_each_from(struct index *idx, enum index_table table, struct span prefix, struct span from,
    bool (*each)(void *, struct span, struct span), void *ctx)
{
	MDB_txn *txn = begin_read(idx, table);
	MDB_val k = val(from), v;
	MDB_cursor *cursor;
	struct span value;
	int rc;

	must_fit(mdb_cursor_open(txn, idx->tables[table], &cursor) == 0);
	rc = mdb_cursor_get(cursor, &k, &v, from.n == 0 ? MDB_FIRST : MDB_SET_RANGE);
	for (; rc == 0 && has_prefix(k, prefix); rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (!open_value(span_val(k), v, &value))
			end_process(table);
		if (!each(ctx, span_val(k), value))
			break;
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		end_process(table);
	mdb_cursor_close(cursor);
	mdb_txn_reset(txn);
}

void
index_each(struct index *idx, enum index_table table, struct span prefix,
    bool (*each)(void *, struct span, struct span), void *ctx)
{
	index_each_from(idx, table, prefix, prefix, each, ctx);
}

static int
load_sum(struct index *idx, MDB_txn *txn, int table, struct sum *sum)
{
	MDB_val k = val(span_str(table_names[table])), v;
	int rc = mdb_get(txn, idx->sums, &k, &v);

	*sum = (struct sum){ 0 };
	if (rc == 0 && v.mv_size == SUM)
		*sum = (struct sum){ load64(v.mv_data), load32((char *)v.mv_data + 8) };
	return rc == MDB_NOTFOUND ? 0 : rc == 0 && v.mv_size != SUM ? MDB_CORRUPTED : rc;
}

static int
save_sum(struct index *idx, MDB_txn *txn, int table, const struct sum *sum)
{
	uint8_t bytes[SUM];
	MDB_val k = val(span_str(table_names[table])), v = val(span_of(bytes, sizeof bytes));

	store64(bytes, sum->count);
	store32(bytes + 8, sum->crcs);
	return mdb_put(txn, idx->sums, &k, &v, 0);
}

/*
 * A commit's outcome.  LMDB says EIO when a write was cut short, which is how a
 * disk that gets full begins to say so.  A commit that is tried again writes all
 * of its pages again.
 */
static int
commit(const struct index *idx, MDB_txn *txn)
{
	int64_t total, left;
	const char *path;
	int rc = mdb_txn_commit(txn);

	if (rc == EIO && mdb_env_get_path(idx->env, &path) == 0 && file_space(path, &total, &left) == 0 &&
	    left < NO_ROOM_BYTES)
		rc = ENOSPC;
	return rc;
}

/* Copies a table's entries, each checked, and all against the table's sum. */
static int
copy_table(struct index *from, MDB_txn *source, struct index *to, MDB_txn *target, int table)
{
	struct sum expected, sum = { 0 };
	MDB_cursor *cursor, *end;
	struct span value;
	MDB_val k, v;
	int rc = load_sum(from, source, table, &expected);

	if (rc != 0 || (rc = mdb_cursor_open(source, from->tables[table], &cursor)) != 0)
		return rc;
	if ((rc = mdb_cursor_open(target, to->tables[table], &end)) != 0) {
		mdb_cursor_close(cursor);
		return rc;
	}
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		if (!open_value(span_val(k), v, &value)) {
			rc = MDB_CORRUPTED;
			break;
		}
		sum.count++;
		sum.crcs += load32(value.p + value.n);
		/* Refused where the keys don't rise. */
		if ((rc = mdb_cursor_put(end, &k, &v, MDB_APPEND)) != 0)
			break;
	}
	mdb_cursor_close(end);
	mdb_cursor_close(cursor);
	if (rc != MDB_NOTFOUND)
		return rc;
	if (sum.count != expected.count || sum.crcs != expected.crcs)
		return MDB_CORRUPTED;
	return save_sum(to, target, table, &sum);
}

static int
copy(struct index *from, struct index *to)
{
	MDB_txn *source = begin_read(from, INDEX_META), *target;
	int rc = mdb_txn_begin(to->env, NULL, 0, &target);

	if (rc == 0) {
		for (int i = 0; i < INDEX_TABLES && rc == 0; i++)
			rc = copy_table(from, source, to, target, i);
		if (rc == 0)
			rc = commit(to, target);
		else
			mdb_txn_abort(target);
	}
	mdb_txn_reset(source);
	return rc;
}

static bool
is_there(const char *dir)
{
	int fd = open_part(dir, "data.mdb");

	if (fd == -1)
		return errno != ENOENT;
	file_close(fd);
	return true;
}

int
index_renew(const char *dir)
{
	char data[4096], renewed[4096];
	struct index *from, *to;
	int rc;

	snprintf(data, sizeof data, "%s/data.mdb", dir);
	snprintf(renewed, sizeof renewed, "%s/renewed.mdb", dir);
	if (!is_there(dir))
		return 0;
	file_unlink(renewed); /* of a start that did not get to its end */
	if (index_open(&from, dir) == -1)
		return -1;
	rc = open_env(&to, renewed, MDB_NOSUBDIR | MDB_NOLOCK);
	if (rc == 0) {
		rc = copy(from, to);
		index_close(to);
	}
	index_close(from);
	if (rc != 0)
		return fail("index can't be copied", rc);
	return file_rename(renewed, data) == -1 || file_sync_dir(dir) == -1 ? -1 : 0;
}

int
index_copy(struct index *idx, const char *dir)
{
	int rc = mdb_env_copy(idx->env, dir);

	if (rc != 0)
		return fail("index can't be copied", rc);
	return file_sync_dir(dir);
}

/* Takes what an entry adds out of its table's sum. */
static void
sum_less(struct sum *sum, MDB_val stored)
{
	sum->count--;
	sum->crcs -= load32((char *)stored.mv_data + stored.mv_size - CRC);
}

static int
put(MDB_txn *txn, MDB_dbi dbi, struct sum *sum, struct span key, struct span value)
{
	MDB_val k = val(key), v;
	uint32_t crc = entry_crc(key, value);
	int rc = mdb_get(txn, dbi, &k, &v);

	if (rc == 0 && v.mv_size >= CRC)
		sum_less(sum, v);
	else if (rc != MDB_NOTFOUND)
		return rc == 0 ? MDB_CORRUPTED : rc;
	v = (MDB_val){ value.n + CRC, NULL };
	if ((rc = mdb_put(txn, dbi, &k, &v, MDB_RESERVE)) != 0)
		return rc;
	if (value.n > 0)
		memcpy(v.mv_data, value.p, value.n);
	store32((char *)v.mv_data + value.n, crc);
	sum->count++;
	sum->crcs += crc;
	return 0;
}

static int
del_prefix(MDB_txn *txn, MDB_dbi dbi, struct sum *sum, struct span prefix, bool whole_key)
{
	MDB_val k = val(prefix), v;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &v, whole_key ? MDB_SET_KEY : MDB_SET_RANGE);
	while (rc == 0 && has_prefix(k, prefix)) {
		if (v.mv_size < CRC) {
			rc = MDB_CORRUPTED;
			break;
		}
		sum_less(sum, v);
		if ((rc = mdb_cursor_del(cursor, 0)) != 0)
			break;
		if (whole_key)
			break;
		/* After a deletion the cursor stands at the next entry. */
		rc = mdb_cursor_get(cursor, &k, &v, MDB_GET_CURRENT);
		if (rc == EINVAL)
			rc = MDB_NOTFOUND;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
apply(struct index *idx, MDB_txn *txn, struct sum *sums, const struct index_batch *b)
{
	const uint8_t *p = b->ops.p;
	int rc = 0;

	for (size_t i = 0; i < b->n && rc == 0; i++) {
		enum op op = p[0];
		int table = p[1];
		struct span key = span_of(p + OP_HEADER, load32(p + 2));
		struct span value = span_of(key.p + key.n, load32(p + 6));

		if (op == OP_PUT)
			rc = put(txn, idx->tables[table], &sums[table], key, value);
		else
			rc = del_prefix(txn, idx->tables[table], &sums[table], key, op == OP_DEL);
		p = value.p + value.n;
	}
	return rc;
}

int
index_commit(struct index *idx, const struct index_batch *batches, size_t n)
{
	struct sum sums[INDEX_TABLES];
	MDB_txn *txn;
	int rc = mdb_txn_begin(idx->env, NULL, 0, &txn);

	if (rc != 0)
		return fail("index can't be written", rc);
	for (int i = 0; i < INDEX_TABLES && rc == 0; i++)
		rc = load_sum(idx, txn, i, &sums[i]);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = apply(idx, txn, sums, &batches[i]);
	for (int i = 0; i < INDEX_TABLES && rc == 0; i++)
		rc = save_sum(idx, txn, i, &sums[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return fail("index can't be written", rc);
	}
	rc = commit(idx, txn);
	/* Of room that lacks the checkpoint tells, once. */
	if (rc > 0 && file_lacks(rc)) {
		errno = rc;
		return -1;
	}
	return rc == 0 ? 0 : fail("index can't be committed", rc);
}

/* ---- looking at what nobody vouches for ---- */

struct index_cursor {
	MDB_cursor *cursor; /* NULL: there is no such table */
	struct buf last;    /* owned: the key before */
	bool begun;
};

const char *
index_table_name(enum index_table table)
{
	return table_names[table];
}

int
index_open_to_look(struct index **out, const char *dir, const char **why)
{
	int rc = index_no_file(dir) == NULL ? open_env(out, dir, MDB_RDONLY | MDB_NOLOCK) : ENOTSUP;

	if (rc == 0 && (rc = mdb_txn_renew((*out)->reader)) != 0)
		index_close(*out);
	*why = rc == 0 ? NULL : mdb_strerror(rc);
	errno = rc > 0 ? rc : EIO;
	return rc == 0 ? 0 : -1;
}

struct index_cursor *
index_cursor_open(struct index *idx, enum index_table table)
{
	struct index_cursor *c = xcalloc(1, sizeof *c);

	if (idx->tables[table] != NO_TABLE)
		must_fit(mdb_cursor_open(idx->reader, idx->tables[table], &c->cursor) == 0);
	return c;
}

void
index_cursor_close(struct index_cursor *c)
{
	if (c == NULL)
		return;
	if (c->cursor != NULL)
		mdb_cursor_close(c->cursor);
	buf_done(&c->last);
	free(c);
}

static bool
rises(const struct index_cursor *c, MDB_val k)
{
	return !c->begun || span_compare(buf_bytes(&c->last), span_val(k)) < 0;
}

enum index_entry_state
index_cursor_next(struct index_cursor *c, struct span *key, struct span *value)
{
	MDB_val k, v;
	int rc = c->cursor == NULL ? MDB_NOTFOUND : mdb_cursor_get(c->cursor, &k, &v, MDB_NEXT);

	if (rc != 0)
		return rc == MDB_NOTFOUND ? INDEX_END : INDEX_BROKEN;
	*key = span_val(k);
	*value = span_val(v);
	/* Else a walk through damaged pages might have no end. */
	if (!rises(c, k))
		return INDEX_BROKEN;
	c->begun = true;
	buf_reset(&c->last);
	buf_span(&c->last, *key);
	must_fit(!c->last.failed);
	return open_value(*key, v, value) ? INDEX_ENTRY : INDEX_ENTRY_DAMAGED;
}

enum index_state
index_verify_table(struct index *idx, enum index_table table, void (*damaged)(void *, struct span key),
    void *ctx)
{
	struct index_cursor *c = index_cursor_open(idx, table);
	struct sum expected = { 0 }, sum = { 0 };
	enum index_entry_state found;
	struct span key, value;

	while ((found = index_cursor_next(c, &key, &value)) == INDEX_ENTRY || found == INDEX_ENTRY_DAMAGED)
		if (found == INDEX_ENTRY_DAMAGED)
			damaged(ctx, key);
		else {
			sum.count++;
			sum.crcs += entry_crc(key, value);
		}
	index_cursor_close(c);
	if (found == INDEX_BROKEN || (idx->sums != NO_TABLE && load_sum(idx, idx->reader, (int)table, &expected) != 0))
		return INDEX_UNREADABLE;
	return sum.count == expected.count && sum.crcs == expected.crcs ? INDEX_RIGHT : INDEX_UNLIKE_SUM;
}
