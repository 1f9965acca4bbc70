/* handlers.h -- a function per API; api.c has the table of them. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/request.h"

/* Each gets a decoded request (r->message) and ends it, now or later. */
#define HANDLER(api, key) void api##_run(struct request *);
#include "api/handlers.tbl"
#undef HANDLER

#endif
