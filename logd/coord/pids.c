/* pids.c -- producer ids, which are never given out twice. */
#include "coord/pids.h"

#include "base/must.h"

void
pids_init(struct pids *p, int64_t end)
{
	must(end >= 0);
	*p = (struct pids){ end, end, end };
}

bool
pids_take(struct pids *p, int64_t *id)
{
	if (p->next == p->end)
		return false;
	*id = p->next++;
	return true;
}

int64_t
pids_reserve(struct pids *p)
{
	if (p->reserving > p->end || p->end > INT64_MAX - PIDS_BLOCK)
		return -1;
	return p->reserving = p->end + PIDS_BLOCK;
}

void
pids_reserved(struct pids *p, bool ok)
{
	must(p->reserving > p->end);
	if (ok)
		p->end = p->reserving;
	p->reserving = p->end;
}
