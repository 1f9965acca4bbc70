/* handlers.h -- answers that all apps give. */
#ifndef COMMON_HANDLERS_H
#define COMMON_HANDLERS_H

#include "common/router.h"

/* "/": an empty object. */
http_handler handler_root;

/* "/-/healthy": the process serves requests. */
http_handler handler_healthy;

#endif
