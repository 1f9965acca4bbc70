/* error.h -- librdkafka's errors as libweir tells them; for libweir alone. */
#ifndef LIBWEIR_ERROR_H
#define LIBWEIR_ERROR_H

#include <librdkafka/rdkafka.h>

#include "libweir/say.h"

/* Fills the error; `text` NULL: librdkafka's words for the code. */
void error_set(struct weir_error *, rd_kafka_resp_err_t, const char *text);

/* What librdkafka returned as an object, which is destroyed; NULL: none, and false. */
bool error_take(struct weir_error *, rd_kafka_error_t *);

/* weir_is_topic_name(); false with `why` filled. */
bool client_check_topic(const char *name, struct weir_error *why);

/*
 * A handle of librdkafka with these settings: `own` first, so that the user's go before them.  NULL
 * with `why` filled.  `finish` (NULL: none) sets callbacks before the handle is made.
 */
rd_kafka_t *client_new(rd_kafka_type_t, const struct weir_setting *own, size_t n_own,
    const struct weir_setting *settings, size_t n, void (*finish)(rd_kafka_conf_t *, void *), void *ctx,
    struct weir_error *why);

#endif
