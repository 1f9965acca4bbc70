/* problem.c -- errors as JSON. */
#include "common/problem.h"

#include "json/write.h"

const struct problem problem_bad_request = { 400, 400, "%s" };
const struct problem problem_unauthorized = { 401, 401, "Unauthorized" };
const struct problem problem_forbidden = { 403, 403, "HTTP 403 Forbidden" };
const struct problem problem_not_found = { 404, 404, "HTTP 404 Not Found" };
const struct problem problem_method_not_allowed = { 405, 405, "HTTP 405 Method Not Allowed" };
const struct problem problem_not_acceptable = { 406, 406, "HTTP 406 Not Acceptable" };
const struct problem problem_too_large = { 413, 413, "HTTP 413 Request Entity Too Large" };
const struct problem problem_unsupported_media_type = { 415, 415, "HTTP 415 Unsupported Media Type" };
const struct problem problem_unprocessable = { 422, 422, "%s" };
const struct problem problem_internal = { 500, 500, "Internal Server Error" };
const struct problem problem_unavailable = { 503, 503, "HTTP 503 Service Unavailable" };

void
problem_vanswer(struct http_response *response, const char *type, const struct problem *problem, va_list ap)
{
	struct json_out o = json_out(&response->body);
	struct buf message = { 0 };
	struct span text = span_str(http_reason(problem->status));

	buf_vprintf(&message, problem->format, ap);
	if (!message.failed)
		text = buf_bytes(&message);
	response->status = problem->status;
	response->type = type != NULL ? type : "application/json";
	if (problem->status == 503)
		http_header(response, "Retry-After", span_str("1"));
	buf_reset(&response->body);
	json_open(&o, '{');
	json_key(&o, "error_code");
	json_put_int(&o, problem->error_code);
	json_key(&o, "message");
	json_put_span(&o, text);
	json_close(&o, '}');
	buf_done(&message);
}

void
problem_answer(struct http_response *response, const char *type, const struct problem *problem, ...)
{
	va_list ap;

	va_start(ap, problem);
	problem_vanswer(response, type, problem, ap);
	va_end(ap);
}
