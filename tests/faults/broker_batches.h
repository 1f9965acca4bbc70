/*
 * broker_batches.h -- the batches that simulated producers send: what is in each follows from
 * its number, which its values begin with.
 */
#ifndef FAULTS_BROKER_BATCHES_H
#define FAULTS_BROKER_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/batch.h"

enum { RECORD_VALUE_MAX = 8192, RECORD_KEY_SIZE = 16 };

struct writer;

/* Notes a batch that is to be sent; -1: there is no room for more. */
int batch_new(int slot, const struct writer *, int txn);
/* Its bytes; buf_done(). */
struct buf batch_make(int number);

int record_key_of(int number, int i);
bool record_is_tombstone(int number, int i);
void record_key_text(int key, char to[RECORD_KEY_SIZE]);
size_t record_value(int number, int i, uint8_t to[RECORD_VALUE_MAX]);

/* Which batch this is; -1: none that was sent. */
int batch_number(int slot, const struct batch *, const uint8_t *bytes);
/* Whether it is what was sent; *met: which of its records are there. */
bool batch_fits(int number, const struct batch *, const uint8_t *bytes, uint32_t *met);

#endif
