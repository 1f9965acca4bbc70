/* text.c -- values for records, which are neither all the same nor all different. */
#include <string.h>

#include "base/must.h"
#include "bench/load.h"

enum { POOL = 2 * LOAD_VALUE_MAX, STEP = 4099, WORD = 16 };

static const char *const words[] = {
	"timestamp", "request", "status", "user", "session", "duration_ms", "path", "/index.html", "/api/v1/orders",
	"GET", "POST", "200", "404", "error", "connection", "timeout", "bytes", "host", "region", "eu-west", "level",
	"info", "warning", "retry", "queue", "partition", "offset", "customer", "invoice", "amount", "currency", "EUR",
};

static char pool[POOL];

/* A generator that is the same everywhere (xorshift). */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Words, and numbers of eight digits after every second one. */
static void
fill_pool(void)
{
	uint64_t state = 88172645463325252u, r;
	size_t n = 0, i;

	while (n < POOL - 2 * WORD) {
		r = next_random(&state);
		for (const char *w = words[r % (sizeof words / sizeof *words)]; *w != '\0'; w++)
			pool[n++] = *w;
		pool[n++] = '=';
		if (r & 1 << 20)
			for (i = 0; i < 8; i++)
				pool[n++] = (char)('0' + (r >> (24 + 4 * i)) % 10);
		pool[n++] = ' ';
	}
	memset(pool + n, ' ', POOL - n);
}

const char *
load_value(uint64_t n, size_t bytes)
{
	must(bytes <= LOAD_VALUE_MAX);
	if (pool[0] == '\0')
		fill_pool();
	return pool + n * STEP % LOAD_VALUE_MAX;
}
