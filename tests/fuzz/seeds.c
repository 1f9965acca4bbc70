/* seeds.c -- what the programs share that make a fuzzer's first inputs. */
#include "fuzz/seeds.h"

#include <stdio.h>
#include <stdlib.h>

const char *
seeds_folder(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		exit(2);
	}
	return argv[1];
}

void
seeds_write(const char *folder, const char *name, struct span bytes)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	if ((file = fopen(path, "wb")) == NULL || fwrite(bytes.p, 1, bytes.n, file) != bytes.n ||
	    fclose(file) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}
