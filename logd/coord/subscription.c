/* subscription.c -- the topics in a consumer's member metadata. */
#include "coord/subscription.h"

enum { VERSION_BYTES = 2, COUNT_BYTES = 4, LENGTH_BYTES = 2 };

static struct span
skip(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

bool
subscription_next(struct span *topics, struct span *name)
{
	size_t n;

	if (topics->n < LENGTH_BYTES)
		return false;
	n = load16(topics->p);
	/* Lengths are signed: from 0x8000 on they are negative. */
	if (n > INT16_MAX || n > topics->n - LENGTH_BYTES)
		return false;
	*name = span_of(topics->p + LENGTH_BYTES, n);
	*topics = skip(*topics, LENGTH_BYTES + n);
	return true;
}

bool
subscription_topics(struct span metadata, struct span *topics)
{
	struct span rest, name;
	uint32_t count, i;

	if (metadata.n < VERSION_BYTES + COUNT_BYTES ||
	    load16(metadata.p) > INT16_MAX)
		return false;
	count = load32(metadata.p + VERSION_BYTES);
	rest = *topics = skip(metadata, VERSION_BYTES + COUNT_BYTES);
	if (count > rest.n / LENGTH_BYTES)
		return false;
	for (i = 0; i < count; i++)
		if (!subscription_next(&rest, &name))
			return false;
	topics->n -= rest.n;
	return true;
}

bool
subscription_same(struct span a, struct span b)
{
	struct span in_a, in_b;

	if (subscription_topics(a, &in_a) && subscription_topics(b, &in_b))
		return span_eq(in_a, in_b);
	return span_eq(a, b);
}
