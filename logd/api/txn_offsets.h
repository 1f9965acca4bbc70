/*
 * txn_offsets.h -- offsets that were committed within a transaction: pending until
 * its end, which makes them the group's or drops them.
 *
 * They lie in the log of committed offsets, under keys of their own: 0xffff, the
 * producer id, and the key that they are to have.
 */
#ifndef API_TXN_OFFSETS_H
#define API_TXN_OFFSETS_H

#include "api/offsets.h"

enum {
	TXN_OFFSETS_KEY_MAX = 2 + 8 + OFFSETS_KEY_MAX,
	/* Pending in all transactions together: up to 500 bytes of memory each, and the end of a transaction takes time for each. */
	TXN_OFFSETS_MAX = 200000
};

/* At the start: counts those that the state has. */
void txn_offsets_load(struct api *);
void txn_offsets_done(struct api *);

struct span txn_offsets_key(uint8_t key[TXN_OFFSETS_KEY_MAX], int64_t producer_id, struct span group,
    const uint8_t topic[16], int32_t partition);

/* Whether so many more may be pending. */
bool txn_offsets_fit(const struct api *, size_t n);

/* A pending offset has been put into the state under this key. */
void txn_offsets_note(struct api *, struct span key);

/* Whether an offset of the group is pending there, in whatever transaction (KIP-447). */
bool txn_offsets_pending(struct api *, struct span group, const uint8_t topic[16], int32_t partition);

/*
 * Ends what the producer has pending; done() follows, perhaps at once, with
 * false when the disk did not take it: then what is left can be ended again.
 */
struct txn_offsets_end {
	/* set by the user */
	int64_t producer_id;
	bool commit;
	void (*done)(struct txn_offsets_end *, bool ok);
	/* ours */
	struct api *api;
	struct append append;
};
void txn_offsets_end(struct api *, struct txn_offsets_end *);

#endif
