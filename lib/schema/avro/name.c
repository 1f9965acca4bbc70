/* name.c -- the names in an Avro schema. */
#include "schema/avro/read.h"

/*
 * What may stand in a name.  In texts that were accepted before, whatever is not
 * ASCII may: which of it Unicode counts as letters was looked at then.
 */
static bool
is_letter(const struct reader *r, uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!r->strict && c >= 0x80);
}

/* What is wrong with a name, as the beginning of a sentence that it ends; NULL when nothing is. */
static const char *
mistake_in(const struct reader *r, struct span name)
{
	if (name.p == NULL)
		return "Null name";
	if (name.n == 0)
		return "Empty name";
	if (!is_letter(r, name.p[0]))
		return "Illegal initial character: ";
	for (size_t i = 1; i < name.n; i++)
		if (!is_letter(r, name.p[i]) && (name.p[i] < '0' || name.p[i] > '9'))
			return "Illegal character in: ";
	return NULL;
}

static bool
tell(struct reader *r, const char *mistake, struct span name)
{
	if (mistake != NULL) {
		buf_span(&r->told, span_str(mistake));
		buf_span(&r->told, name);
	}
	return mistake == NULL;
}

bool
avro_check_name(struct reader *r, struct span name)
{
	return tell(r, mistake_in(r, name), name);
}

bool
avro_check_space(struct reader *r, struct span space)
{
	while (space.n > 0) {
		const uint8_t *dot = memchr(space.p, '.', space.n);
		struct span part = span_of(space.p, dot == NULL ? space.n : (size_t)(dot - space.p));
		const char *mistake = mistake_in(r, part);

		if (mistake != NULL) {
			buf_printf(&r->told, "Namespace part \"%.*s\" is invalid: ", (int)part.n,
			    (const char *)part.p);
			return tell(r, mistake, part);
		}
		if (dot == NULL)
			break;
		space = span_of(dot + 1, space.n - part.n - 1);
		if (space.n == 0)
			return tell(r, "Namespace part \"\" is invalid: Empty name", space);
	}
	return true;
}

/* Where the last dot is, or NULL. */
static const uint8_t *
last_dot(struct span text)
{
	const uint8_t *p = text.p + text.n;

	while (p > text.p)
		if (*--p == '.')
			return p;
	return NULL;
}

bool
avro_make_name(struct reader *r, struct span text, struct span space, bool check,
    struct avro_name *out)
{
	const uint8_t *dot = last_dot(text);

	*out = (struct avro_name){ space, text };
	if (dot != NULL) {
		out->space = span_of(text.p, (size_t)(dot - text.p));
		out->simple = span_of(dot + 1, text.n - out->space.n - 1);
	}
	if (out->space.n == 0)
		out->space = (struct span){ 0 };
	if (out->space.n + out->simple.n >= AVRO_NAME_MAX)
		return tell(r, "Name too long: ", text);
	return !check || avro_check_name(r, out->simple);
}

struct span
avro_full_name(struct reader *r, const struct avro_name *name)
{
	buf_reset(&r->text);
	if (name->space.p != NULL) {
		buf_span(&r->text, name->space);
		buf_u8(&r->text, '.');
	}
	buf_span(&r->text, name->simple);
	r->memory |= r->text.failed;
	return buf_bytes(&r->text);
}
