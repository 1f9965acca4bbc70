/*
 * errors.h -- what the store answers.  The api turns it into Kafka's codes.
 */
#ifndef STORE_ERRORS_H
#define STORE_ERRORS_H

enum store_error {
	STORE_OK,
	STORE_CORRUPT_MESSAGE,       /* length or checksum of a batch is wrong */
	STORE_INVALID_RECORD,        /* fields or records contradict each other */
	STORE_NO_KEY,                /* a compacted partition takes keyed records only */
	STORE_MESSAGE_TOO_LARGE,
	STORE_RECORD_LIST_TOO_LARGE, /* larger than a segment */
	STORE_UNSUPPORTED_CODEC,
	STORE_INVALID_TIMESTAMP,
	STORE_OUT_OF_ORDER_SEQUENCE,
	STORE_INVALID_PRODUCER_EPOCH,
	STORE_INVALID_TXN_STATE,     /* a batch outside of the transaction that its producer has open */
	STORE_OFFSET_OUT_OF_RANGE,
	STORE_DISK,                  /* the disk failed or is full, the partition is offline */
	STORE_GONE                   /* the partition was deleted meanwhile */
};

#endif
