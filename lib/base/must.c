/* must.c -- the end of a process that can no longer trust itself. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void
must_fail(const char *what, const char *file, int line, const char *func)
{
	fprintf(stderr, "%s:%d: %s: invariant broken: %s (this is a bug in Weir; please report it)\n",
	    file, line, func, what);
	abort();
}

void
must_have_memory(void)
{
	/* Without a buffer that would have to be allocated. */
	static const char text[] = "out of memory: the system, or a limit of this process, gives no more. "
	    "Raise the limit, or lower what may be kept in memory (docs/operations.md, Memory)\n";

	fputs(text, stderr);
	abort();
}
