/* seeds.h -- what the programs share that make a fuzzer's first inputs. */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include "base/bytes.h"

/* The only argument, a folder; ends the program where there is another number of them. */
const char *seeds_folder(int argc, char **argv);

/* Writes the folder's file of this name; ends the program when it can't. */
void seeds_write(const char *folder, const char *name, struct span bytes);

#endif
