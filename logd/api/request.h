/*
 * request.h -- the life of one request: decoded, run, perhaps parked, answered.
 *
 * A handler gets the decoded message and answers with request_reply(), now or
 * later.  Memory: everything that belongs to the request is in its arena, which
 * ends when the answer is sent and nobody holds the request any more.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/list.h"
#include "wire/errors.h"
#include "wire/kafka_wire.h"

struct request {
	struct api *api;
	struct exchange *exchange;   /* NULL once answered */
	struct arena arena;
	bool full;                   /* the answer takes more than it may */
	const struct wire_api *wire; /* the API */
	int16_t version;
	int32_t correlation_id;
	struct span client_id;       /* never null */
	const void *message;         /* the decoded request: struct wire_<api>_request */
	int refs;                    /* the answer, and each thing that is under way */
	void *state;                 /* the handler's own, usually from the arena */
	void (*gone)(struct request *); /* a parked request's connection is gone: unpark and request_drop() */
	struct buffer *buffers;      /* owned bytes that the answer points to */
	struct list turn;            /* api.paused, while it is paused */
	void (*go_on)(struct request *); /* what follows the pause */
	bool awaiting;               /* the pause ends with request_go_on() */
};

/*
 * Memory for the answer, zeroed, and `n` elements of it.  It is always there:
 * beyond the answer's cap (api.c), r->full is set and the memory is given all the
 * same, so that only the sending has to look: request_reply() ends the connection
 * then, with a line in the log.  Who fills an answer with more than the request
 * names looks at r->full, too, and stops.
 */
void *request_alloc(struct request *, size_t n);
void *request_array(struct request *, size_t n, size_t size);

/* A copy for the answer, of what may end before it is sent.  Null stays null. */
struct span request_copy(struct request *, struct span);

/* A text for the answer: formatted into the arena. */
struct span request_printf(struct request *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes from malloc that live until the answer is sent; then freed. */
void request_keep(struct request *, void *bytes);

/* Frees what was kept: the answer will not point to it after all. */
void request_forget(struct request *);

/*
 * Answers with this response (struct wire_<api>_response of the request's API),
 * and lets go of the request.  Refuses it when the answer is too large.
 */
void request_reply(struct request *, const void *response);

/* The same for an answer in another version's layout (ApiVersions). */
void request_reply_version(struct request *, const void *response, int version);

/* Ends it without an answer (acks=0), or because its connection is gone. */
void request_drop(struct request *);

/* Ends the connection, with a line in the log. */
void request_refuse(struct request *, const char *why);

/* Holds the request while something is under way that points to it, and lets go. */
void request_hold(struct request *);
void request_release(struct request *);

/*
 * Long work is done a part at a time, with everybody else served in between:
 * `go_on` follows in the next round of the loop.  There it may end the request,
 * pause anew, or return, when all is begun and the rest is awaited; until then
 * nothing that came after the request on its connection begins.  When the
 * request ends before (r->gone, a timer), nothing follows.  So who pauses has
 * r->gone.
 */
void request_pause(struct request *, void (*go_on)(struct request *));

/*
 * The same for what is done elsewhere: `go_on` follows at the end of the round in
 * which request_go_on() is called.
 */
void request_await(struct request *, void (*go_on)(struct request *));
void request_go_on(struct request *);

/* At the start: nothing is paused.  Once per round: those that are paused go on. */
void request_turns_init(struct api *);
void request_turns(struct api *);

/* Times: monotonic, and since 1970. */
int64_t request_now_ms(const struct request *);
int64_t request_wall_ms(const struct request *);

/* What the store's answer is called on the wire. */
enum kafka_error request_error(enum store_error);

/* The address of this broker as the client of this request is to know it. */
struct api_listener request_listener(const struct request *);

/* A new answer with its defaults: struct wire_<api>_response. */
#define RESPONSE(name, api) \
	struct wire_##api##_response name; \
	wire_##api##_response_default(&name)

#endif
