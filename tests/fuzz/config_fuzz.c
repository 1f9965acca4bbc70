/*
 * config_fuzz.c -- any bytes as a configuration file.
 *
 * What is taken without a mistake must be taken again when it is written as
 * the entries say it, and then mean the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A file of what the entries say; each byte that could mean something is escaped. */
static void
write_entries(const struct config *c, struct buf *to)
{
	struct setting_entry e;

	for (size_t i = 0; config_entry(c, i, &e); i++) {
		if (e.source != SETTING_FROM_FILE)
			continue;
		buf_printf(to, "%s=", e.name);
		for (const char *p = e.value; *p != '\0'; p++) {
			if (strchr("\\ \t", *p) != NULL)
				buf_u8(to, '\\');
			buf_u8(to, (uint8_t)*p);
		}
		buf_u8(to, '\n');
	}
}

static void
check_same(const struct config *a, const struct config *b)
{
	struct setting_entry ea, eb;

	for (size_t i = 0; config_entry(a, i, &ea) && config_entry(b, i, &eb); i++) {
		must((ea.value == NULL) == (eb.value == NULL));
		must(ea.value == NULL || strcmp(ea.value, eb.value) == 0);
	}
	must(a->n_listen == b->n_listen);
	must(a->topic_defaults.retention_ms == b->topic_defaults.retention_ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct config c, again;
	struct buf mistakes = { 0 }, text = { 0 };
	/* A copy of its own size, so that a read past the end is seen. */
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	must(copy != NULL);
	if (n > 0)
		memcpy(copy, bytes, n);
	if (config_parse(&c, "fuzz", span_of(copy, n), NULL, 0, &mistakes) == 0) {
		buf_u8(&text, '\n');
		write_entries(&c, &text);
		must(config_parse(&again, "again", buf_bytes(&text), NULL, 0, &mistakes) == 0);
		check_same(&c, &again);
		config_done(&again);
	} else
		must(mistakes.n > 0 && mistakes.p[mistakes.n - 1] == '\n');
	config_done(&c);
	buf_done(&text);
	buf_done(&mistakes);
	free(copy);
	return 0;
}
