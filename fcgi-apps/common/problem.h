/*
 * problem.h -- errors as Confluent's HTTP interfaces tell them:
 * {"error_code":40401,"message":"Subject 'x' not found."}
 *
 * An app keeps its errors in a table, problems.tbl, a line each:
 *
 *	PROBLEM(SUBJECT_NOT_FOUND, 404, 40401, "Subject '%s' not found.")
 *
 * and makes an array of struct problem of it.  Those that every app has stand here.
 */
#ifndef COMMON_PROBLEM_H
#define COMMON_PROBLEM_H

#include <stdarg.h>

#include "common/http.h"

struct problem {
	int status;     /* HTTP's */
	int error_code;
	const char *format; /* of printf; every argument is a span given as (int) length and pointer (%.*s), a string, or an int */
};

extern const struct problem problem_bad_request,   /* 400, message as given: "%s" */
    problem_unauthorized,                          /* 401 "Unauthorized" */
    problem_forbidden,                             /* 403 "HTTP 403 Forbidden" */
    problem_not_found,                             /* 404 "HTTP 404 Not Found" */
    problem_method_not_allowed,                    /* 405 "HTTP 405 Method Not Allowed" */
    problem_not_acceptable,                        /* 406 */
    problem_too_large,                             /* 413 "HTTP 413 Request Entity Too Large" */
    problem_unsupported_media_type,                /* 415 */
    problem_unprocessable,                         /* 422, message as given: "%s" */
    problem_internal,                              /* 500 "Internal Server Error" */
    problem_unavailable;                           /* 503, with Retry-After: 1 */

/*
 * Makes the response this problem: status, type (`type`, or application/json when
 * NULL), body; what the response had before is dropped, but for its headers.
 */
void problem_answer(struct http_response *, const char *type, const struct problem *, ...);
void problem_vanswer(struct http_response *, const char *type, const struct problem *, va_list);

#endif
