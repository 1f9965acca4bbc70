/* errors.c -- Kafka's error codes. */
#include "wire/errors.h"

#include <stddef.h>

static const struct {
	const char *name, *text;
	bool retriable;
} errors[] = {
#define ERROR(name, code, retriable, text) \
	[code - KAFKA_ERROR_MIN] = { #name, text, retriable },
#include "wire/errors.tbl"
#undef ERROR
};

static bool
is_known(int code)
{
	return code >= KAFKA_ERROR_MIN && code <= KAFKA_ERROR_MAX;
}

const char *
kafka_error_name(int code)
{
	return is_known(code) ? errors[code - KAFKA_ERROR_MIN].name
	    : "UNKNOWN_CODE";
}

const char *
kafka_error_text(int code)
{
	return is_known(code) ? errors[code - KAFKA_ERROR_MIN].text
	    : "a code that this version does not know";
}

bool
kafka_error_retriable(int code)
{
	return is_known(code) && errors[code - KAFKA_ERROR_MIN].retriable;
}

bool
kafka_error_find(struct span name, int16_t *code)
{
	size_t i;

	for (i = 0; i < sizeof errors / sizeof *errors; i++)
		if (span_is(name, errors[i].name)) {
			*code = (int16_t)((int)i + KAFKA_ERROR_MIN);
			return true;
		}
	return false;
}
