/*
 * avro_fuzz.c -- any bytes as Avro schemas: one, or two with a 0 between.
 *
 * What can be read must, as it is printed, be read again and then print the same.
 * It must be equal to itself and read what it wrote; two must come to an end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "schema/avro/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The schema of a copy of the text's own size, so that a read past the end is seen; or NULL. */
static struct avro_schema *
parse(struct span text, enum avro_strictness strictness)
{
	uint8_t *copy = malloc(text.n == 0 ? 1 : text.n);
	struct avro_schema *s;
	struct avro_mistake why;

	must(copy != NULL);
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	s = avro_parse(span_of(copy, text.n), strictness, NULL, 0, &why);
	must(s != NULL || (why.text[0] != '\0' && !why.memory));
	free(copy);
	return s;
}

static struct buf
print(const struct avro_schema *s, enum avro_form form)
{
	struct buf text = { 0 };

	avro_print(s, form, &text);
	must(!text.failed);
	return text;
}

/*
 * A type without a namespace inside of one that has one can be spelled in the text
 * only while no other hides it, and in full names not at all.
 */
static bool
can_be_spelled(const struct avro_schema *s)
{
	static const char hidden[] = "\"namespace\":\"\"";
	struct buf text = print(s, AVRO_RESOLVED);
	bool can = memmem(text.p, text.n, hidden, strlen(hidden)) == NULL;

	buf_done(&text);
	return can;
}

/* Prints, reads and prints until it must not change any more: aliases may fall together once. */
static void
check_print(const struct avro_schema *s, enum avro_form form)
{
	struct buf first = print(s, form), second, third;
	struct avro_schema *again = parse(buf_bytes(&first), AVRO_STORED), *last;

	must(again != NULL);
	second = print(again, form);
	last = parse(buf_bytes(&second), AVRO_STORED);
	must(last != NULL);
	third = print(last, form);
	must(span_eq(buf_bytes(&second), buf_bytes(&third)));
	must(avro_equal(again, last));
	buf_done(&first);
	buf_done(&second);
	buf_done(&third);
	avro_free(again);
	avro_free(last);
}

/* Whether the reader reads what the writer wrote, or it can't be told. */
static bool
reads(const struct avro_schema *reader, const struct avro_schema *writer)
{
	struct avro_conflicts conflicts;
	struct arena arena;
	bool ok;

	arena_init(&arena, 1 << 24);
	ok = avro_can_read(reader, writer, &arena, &conflicts) || conflicts.n == 0;
	must(ok || conflicts.broken == NULL);
	arena_done(&arena);
	return ok;
}

static void
check(const struct avro_schema *s)
{
	uint64_t rabin;
	bool spelled = can_be_spelled(s);

	for (enum avro_form form = AVRO_TEXT; spelled && form <= AVRO_CANONICAL; form++)
		check_print(s, form);
	must(avro_fingerprint_rabin(s, &rabin));
	must(avro_equal(s, s));
	must(reads(s, s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const uint8_t *zero = n == 0 ? NULL : memchr(bytes, 0, n);
	size_t first = zero == NULL ? n : (size_t)(zero - bytes);
	struct avro_schema *a = parse(span_of(bytes, first), AVRO_STORED), *b = NULL, *strict;

	if (zero != NULL)
		b = parse(span_of(zero + 1, n - first - 1), AVRO_STRICT);
	if (a != NULL)
		check(a);
	if (a != NULL && b != NULL) {
		reads(a, b);
		reads(b, a);
		must(avro_equal(a, b) == avro_equal(b, a));
	}
	/* What is taken as new is taken as stored, too. */
	strict = parse(span_of(bytes, first), AVRO_STRICT);
	must(strict == NULL || a != NULL);
	avro_free(strict);
	avro_free(a);
	avro_free(b);
	return 0;
}
