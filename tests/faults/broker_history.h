/* broker_history.h -- what those who judge a simulated broker by its history share. */
#ifndef FAULTS_BROKER_HISTORY_H
#define FAULTS_BROKER_HISTORY_H

#include "faults/broker_sim.h"

/* Of this life: what was seen, by whomever. */
struct seen {
	int64_t high_watermark[SLOTS], last_stable[SLOTS];
	bool scanning; /* everything is looked at, by one reader */
};
extern struct seen seen;

static inline void
raise_to(int64_t *what, int64_t to)
{
	if (to > *what)
		*what = to;
}

static inline void
lower_to(int64_t *what, int64_t to)
{
	if (to < *what)
		*what = to;
}

/* It was sent to the topic that is there now. */
static inline bool
sent_is_current(const struct sent *s)
{
	return s->incarnation == past->topics[topic_of(s->slot)].incarnation;
}

/* The batch lies there: nobody else was ever seen at these offsets, nor itself elsewhere. */
void history_place(int number, int64_t base);
/* The first of the two; number: -1, or a batch that may. */
void history_check_free(int slot, int64_t from, int64_t to, int number);

#endif
