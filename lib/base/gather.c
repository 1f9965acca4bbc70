/* gather.c -- a message to be sent, made of copied and of borrowed bytes. */
#include "base/gather.h"

#include <stdlib.h>

#include "base/must.h"

void
gather_init(struct gather *g)
{
	*g = (struct gather){ 0 };
}

void
gather_done(struct gather *g)
{
	buf_done(&g->buf);
	free(g->slices);
	gather_init(g);
}

void
gather_ref(struct gather *g, struct span s)
{
	if (s.n == 0 || g->buf.failed)
		return;
	if (g->n_slices == g->cap_slices) {
		size_t cap = g->cap_slices == 0 ? 4 : g->cap_slices * 2;
		struct gather_slice *p = realloc(g->slices, cap * sizeof *p);

		if (p == NULL) {
			g->buf.failed = true;
			return;
		}
		g->slices = p;
		g->cap_slices = cap;
	}
	g->slices[g->n_slices++] = (struct gather_slice){ g->buf.n, s };
	g->slice_bytes += s.n;
}

/* Adds one run, less what is still to be skipped. */
static int
add(struct iovec *iov, int n, const uint8_t *p, size_t len, size_t *skip)
{
	if (*skip >= len) {
		*skip -= len;
		return n;
	}
	iov[n].iov_base = (void *)(uintptr_t)(p + *skip);
	iov[n].iov_len = len - *skip;
	*skip = 0;
	return n + 1;
}

int
gather_iov(const struct gather *g, size_t skip, struct iovec *iov, int max)
{
	size_t at = 0, i;
	int n = 0;

	must(!g->buf.failed);
	for (i = 0; i < g->n_slices && n < max; i++) {
		const struct gather_slice *s = &g->slices[i];

		if (s->at > at)
			n = add(iov, n, g->buf.p + at, s->at - at, &skip);
		at = s->at;
		if (n < max)
			n = add(iov, n, s->bytes.p, s->bytes.n, &skip);
		else
			return n;
	}
	if (n < max && g->buf.n > at)
		n = add(iov, n, g->buf.p + at, g->buf.n - at, &skip);
	return n;
}
