/*
 * corpus.h -- the Avro schemas of tests/corpus/avro, which projects ship.
 */
#ifndef UNIT_SCHEMA_CORPUS_H
#define UNIT_SCHEMA_CORPUS_H

#include "base/bytes.h"

/*
 * Calls fn for each, with its path below the folder, which is looked for below the environment's
 * `srcdir`.  Returns how many there are; ends the program when it can't find some hundreds.
 */
int corpus_each(void (*fn)(const char *path, struct span text, void *user), void *user);

#endif
