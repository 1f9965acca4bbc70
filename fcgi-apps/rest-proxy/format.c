/* format.c -- the embedded formats of the v2 interface. */
#include "rest-proxy/format.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"

/* ---- binary ---- */

static bool
read_binary(struct json_scan *s, struct buf *to, const char **why)
{
	struct buf plain = { 0 };
	bool good;

	if (s->token != JSON_STRING) {
		*why = "data=%s is not a base64 string.";
		return false;
	}
	if (!s->escaped)
		good = base64_take(to, s->text);
	else {
		json_text(s, &plain);
		good = base64_take(to, buf_bytes(&plain));
		buf_done(&plain);
	}
	if (!good)
		*why = "data=%s is not a valid base64 string.";
	return good;
}

static bool
put_binary(struct json_out *o, struct span bytes)
{
	json_put_base64(o, bytes);
	return true;
}

/* ---- json ---- */

static bool
put_json(struct json_out *o, struct span bytes)
{
	struct json_scan s;

	if (bytes.p == NULL) {
		json_put_null(o);
		return true;
	}
	/* What anybody wrote into the topic is put into an answer of ours. */
	json_begin(&s, bytes);
	json_next(&s);
	if (json_skip(&s).p == NULL || json_next(&s) != JSON_END)
		return false;
	json_put_compact(o, bytes);
	return true;
}

/* ---- all of them ---- */

static const struct {
	const char *name, *type;
	bool (*put)(struct json_out *, struct span);
} formats[FORMATS] = {
	[FORMAT_BINARY] = { "binary", "application/vnd.kafka.binary.v2+json", put_binary },
	[FORMAT_JSON] = { "json", "application/vnd.kafka.json.v2+json", put_json },
};

bool
format_parse(struct span name, enum format *out)
{
	for (int i = 0; i < FORMATS; i++)
		if (name.n == strlen(formats[i].name) && strncasecmp((const char *)name.p, formats[i].name, name.n) == 0) {
			*out = (enum format)i;
			return true;
		}
	return false;
}

bool
format_of_type(struct span type, enum format *out)
{
	for (int i = 0; i < FORMATS; i++)
		if (span_is(type, formats[i].type)) {
			*out = (enum format)i;
			return true;
		}
	return false;
}

const char *
format_type(enum format format)
{
	return formats[format].type;
}

bool
format_read(enum format format, struct json_scan *s, struct buf *to, bool *null, struct span *value, const char **why)
{
	enum json_token first = json_next(s);
	struct json_scan at = *s; /* where a string begins: json_skip() passes it */
	struct json_out o = json_out(to);

	*why = NULL;
	*value = json_skip(s);
	if (value->p == NULL)
		return false;
	*null = first == JSON_NULL;
	if (*null)
		return true;
	if (format == FORMAT_BINARY)
		return read_binary(&at, to, why);
	json_put_compact(&o, *value);
	return true;
}

bool
format_put(enum format format, struct json_out *o, struct span bytes)
{
	return formats[format].put(o, bytes);
}
