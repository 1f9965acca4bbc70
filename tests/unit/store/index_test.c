/* index_test.c -- looking up, and telling damage. */
#include "store/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

static char dir[64];
static struct index *idx;

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[96];

	snprintf(dir, sizeof dir, "%.40s/lookup.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	fake_disk_reset(dir);
	snprintf(path, sizeof path, "%s/index", dir);
	CU_ASSERT_FATAL(index_open(&idx, path) == 0);
}

static void
end(void)
{
	char path[96];

	index_close(idx);
	snprintf(path, sizeof path, "%s/index", dir);
	CU_ASSERT(index_discard(path) == 0);
	rmdir(path);
	rmdir(dir);
}

/* Closes the index, renews it and opens it again. */
static bool
renewed(void)
{
	char path[96];
	int r;

	index_close(idx);
	snprintf(path, sizeof path, "%s/index", dir);
	r = index_renew(path);
	CU_ASSERT_FATAL(index_open(&idx, path) == 0);
	return r == 0;
}

static void
put(const char *key, const char *value)
{
	struct index_batch b = { 0 };

	if (value == NULL)
		index_del(&b, INDEX_STATE, span_str(key));
	else
		index_put(&b, INDEX_STATE, span_str(key), span_str(value));
	CU_ASSERT(index_commit(idx, &b, 1) == 0);
	index_batch_done(&b);
}

static bool
has(const char *key, const char *value)
{
	struct buf v = { 0 };
	bool ok = index_get(idx, INDEX_STATE, span_str(key), &v) && span_is(buf_bytes(&v), value);

	buf_done(&v);
	return ok;
}

static void
what_is_put_is_found_until_it_is_deleted(void)
{
	begin();
	put("a", "1");
	CU_ASSERT(has("a", "1"));
	put("a", "two");
	CU_ASSERT(has("a", "two"));
	CU_ASSERT(renewed());
	CU_ASSERT(has("a", "two"));
	put("a", NULL);
	CU_ASSERT(!has("a", "two"));
	CU_ASSERT(renewed());
	CU_ASSERT(!has("a", "two"));
	end();
}

static void
the_floor_is_found_within_the_prefix(void)
{
	struct buf key = { 0 }, value = { 0 };

	begin();
	put("aa1", "x");
	put("aa5", "y");
	put("ab1", "z");
	CU_ASSERT(index_floor(idx, INDEX_STATE, span_str("aa5"), 2, &key, &value) && span_is(buf_bytes(&key), "aa5"));
	CU_ASSERT(index_floor(idx, INDEX_STATE, span_str("aa4"), 2, &key, &value) && span_is(buf_bytes(&value), "x"));
	CU_ASSERT(index_floor(idx, INDEX_STATE, span_str("ab9"), 2, &key, &value) && span_is(buf_bytes(&key), "ab1"));
	CU_ASSERT(!index_floor(idx, INDEX_STATE, span_str("ab0"), 2, &key, &value));
	CU_ASSERT(!index_floor(idx, INDEX_STATE, span_str("aa0"), 2, &key, &value));
	buf_done(&key);
	buf_done(&value);
	end();
}

static bool
join(void *ctx, struct span key, struct span value)
{
	(void)value;
	buf_span(ctx, key);
	return true;
}

static void
a_prefix_is_walked_and_deleted(void)
{
	struct index_batch b = { 0 };
	struct buf keys = { 0 };

	begin();
	put("b2", "");
	put("a", "first");
	put("b1", "");
	put("c", "last");
	index_each(idx, INDEX_STATE, span_str("b"), join, &keys);
	CU_ASSERT(span_is(buf_bytes(&keys), "b1b2"));
	index_del_prefix(&b, INDEX_STATE, span_str("b"));
	CU_ASSERT(index_commit(idx, &b, 1) == 0);
	index_batch_done(&b);
	buf_reset(&keys);
	index_each(idx, INDEX_STATE, span_of(NULL, 0), join, &keys);
	CU_ASSERT(span_is(buf_bytes(&keys), "ac"));
	CU_ASSERT(renewed());
	CU_ASSERT(has("a", "first") && has("c", "last"));
	buf_done(&keys);
	end();
}

/* A value as it lies in the file. */
static void
flip_in_file(const char *what)
{
	char path[96];
	static uint8_t bytes[1 << 18];
	uint8_t *at;
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s/index/data.mdb", dir);
	f = fopen(path, "rb");
	CU_ASSERT_FATAL(f != NULL);
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	while ((at = memmem(bytes, n, what, strlen(what))) != NULL)
		*at ^= 1;
	f = fopen(path, "wb");
	CU_ASSERT_FATAL(f != NULL && fwrite(bytes, 1, n, f) == n);
	fclose(f);
}

static void
a_changed_value_is_not_copied_and_is_not_given_out(void)
{
	char path[96];
	uint32_t before, after;
	pid_t child;
	int status;

	begin();
	put("key", "some value");
	index_close(idx);
	snprintf(path, sizeof path, "%s/index", dir);
	CU_ASSERT(index_file_crc(path, &before) == 0);
	flip_in_file("some value");
	CU_ASSERT(index_file_crc(path, &after) == 0 && before != after);
	CU_ASSERT(index_renew(path) == -1);
	CU_ASSERT_FATAL(index_open(&idx, path) == 0);
	if ((child = fork()) == 0) {
		has("key", "some value");
		_exit(EXIT_SUCCESS);
	}
	CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
	end();
}

const struct unit_test index_tests[] = {
	UNIT(what_is_put_is_found_until_it_is_deleted),
	UNIT(the_floor_is_found_within_the_prefix),
	UNIT(a_prefix_is_walked_and_deleted),
	UNIT(a_changed_value_is_not_copied_and_is_not_given_out),
	UNIT_END
};
