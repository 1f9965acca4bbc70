/* corpus.c -- the Avro schemas of tests/corpus/avro. */
#include "unit/schema/corpus.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"

static void
read_file(const char *path, struct buf *to)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room;

	must(file != NULL);
	while ((room = buf_room(to, 4096)) != NULL && !feof(file) && !ferror(file))
		to->n += fread(room, 1, 4096, file);
	must(!ferror(file) && !to->failed);
	fclose(file);
}

int
corpus_each(void (*fn)(const char *path, struct span text, void *user), void *user)
{
	const char *top = getenv("srcdir");
	char folder[4096], pattern[4200];
	glob_t found;

	snprintf(folder, sizeof folder, "%s/tests/corpus/avro/", top == NULL ? "." : top);
	snprintf(pattern, sizeof pattern, "%s*/*.avsc", folder);
	must(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 300);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct buf text = { 0 };

		read_file(found.gl_pathv[i], &text);
		fn(found.gl_pathv[i] + strlen(folder), buf_bytes(&text), user);
		buf_done(&text);
	}
	globfree(&found);
	return (int)found.gl_pathc;
}
