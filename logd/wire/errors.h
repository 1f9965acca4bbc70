/*
 * errors.h -- Kafka's error codes.  errors.tbl lists them with their meanings.
 */
#ifndef WIRE_ERRORS_H
#define WIRE_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum kafka_error {
#define ERROR(name, code, retriable, text) KAFKA_##name = code,
#include "wire/errors.tbl"
#undef ERROR
	KAFKA_ERROR_MIN = KAFKA_UNKNOWN_SERVER_ERROR,
	KAFKA_ERROR_MAX = KAFKA_SHARE_SESSION_LIMIT_REACHED
};

/* Constant text, also for codes that are not in the table. */

/* OFFSET_OUT_OF_RANGE. */
const char *kafka_error_name(int code);

/* What it means, as one clause without a capital and without a full stop. */
const char *kafka_error_text(int code);

/* Whether the same request may succeed later; false for an unknown code. */
bool kafka_error_retriable(int code);

/* The code of a name; false when there is none. */
bool kafka_error_find(struct span name, int16_t *code);

#endif
