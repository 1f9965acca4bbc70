/*
 * default.c -- values that stand for fields which a writer did not know.
 *
 * Which values fit is what Avro's Java library (1.12) takes: of a union any branch,
 * of an enum, fixed or bytes any string.
 */
#include "schema/avro/default.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/avro/read.h"

static bool
is_integer(const struct json *j, int64_t *out)
{
	return j->kind == JSON_NUMBER && json_is_int(j, out);
}

/* Makes one of the comparisons that are left, if there is one. */
static bool
take_check(unsigned *left)
{
	if (*left == 0)
		return false;
	--*left;
	return true;
}

/* The value of each member must fit its field, and no field without a default be missing. */
static bool
record_fits(struct reader *r, const struct avro_named *record, const struct json *value)
{
	size_t required = 0;

	if (value->kind != JSON_OBJECT || record->open)
		return false;
	for (const struct json *j = value->first; j != NULL; j = j->next) {
		const struct avro_field *f = avro_field(record, j->name);

		/* All members may be looked for in many records. */
		if (f == NULL && take_check(&r->checks))
			continue;
		if (f == NULL || !avro_default_fits(r, f->type, j))
			return false;
		required += f->fallback.p == NULL;
	}
	return required == record->n_required;
}

static bool
elements_fit(struct reader *r, const struct avro_node *n, const struct json *value,
    enum json_token kind)
{
	if (value->kind != kind)
		return false;
	for (const struct json *j = value->first; j != NULL; j = j->next)
		if (!avro_default_fits(r, n->element, j))
			return false;
	return true;
}

static bool
branch_fits(struct reader *r, const struct avro_node *n, const struct json *value)
{
	for (size_t i = 0; i < n->n_branches; i++)
		if (avro_default_fits(r, n->branches[i], value))
			return true;
	return false;
}

bool
avro_default_fits(struct reader *r, const struct avro_node *n, const struct json *value)
{
	int64_t v;

	/* Each value may be compared with many branches, and what is in it with many of theirs. */
	if (!take_check(&r->checks))
		return false;
	switch (n->type) {
	case AVRO_NULL:
		return value->kind == JSON_NULL;
	case AVRO_BOOLEAN:
		return value->kind == JSON_TRUE || value->kind == JSON_FALSE;
	case AVRO_INT:
		return is_integer(value, &v) && v >= INT32_MIN && v <= INT32_MAX;
	case AVRO_LONG:
		return is_integer(value, &v);
	case AVRO_FLOAT: case AVRO_DOUBLE:
		return value->kind == JSON_NUMBER;
	case AVRO_BYTES: case AVRO_STRING: case AVRO_ENUM: case AVRO_FIXED:
		return value->kind == JSON_STRING;
	case AVRO_RECORD:
		return record_fits(r, n->named, value);
	case AVRO_ARRAY:
		return elements_fit(r, n, value, JSON_ARRAY);
	case AVRO_MAP:
		return elements_fit(r, n, value, JSON_OBJECT);
	case AVRO_UNION:
		return branch_fits(r, n, value);
	}
	return false;
}

static bool
has_point(struct span number)
{
	for (size_t i = 0; i < number.n; i++)
		if (memchr(".eE", number.p[i], 3) != NULL)
			return true;
	return false;
}

/* The number as the nearest float, with the fewest digits that read back as that. */
static bool
to_float(struct json *j, struct casting *c)
{
	char text[32];
	char *number = arena_printf(c->arena, "%.*s", (int)j->text.n, (const char *)j->text.p), *kept;
	float v;

	if (number == NULL)
		return false;
	v = strtof(number, NULL);
	for (int n = 0; n < FLT_DECIMAL_DIG; n++) {
		snprintf(text, sizeof text, "%.*e", n, (double)v);
		if (strtof(text, NULL) >= v && strtof(text, NULL) <= v)
			break;
	}
	kept = arena_printf(c->arena, "%s", text);
	j->text = span_str(kept);
	return kept != NULL;
}

/* A number as one of the type: an int may stand for a double, but not the other way round. */
static bool
cast_number(const struct avro_node *n, struct json *j, struct casting *c)
{
	int64_t v;
	bool integer;
	char *with_point;

	if (n->type < AVRO_INT || n->type > AVRO_DOUBLE)
		return false;
	integer = !has_point(j->text);
	if (integer && !json_is_int(j, &v))
		return false;
	switch (n->type) {
	case AVRO_INT: case AVRO_LONG:
		return integer;
	case AVRO_FLOAT:
		return to_float(j, c);
	case AVRO_DOUBLE:
		if (!integer)
			return true;
		with_point = arena_printf(c->arena, "%.*se0", (int)j->text.n, (const char *)j->text.p);
		j->text = span_str(with_point);
		return with_point != NULL;
	default:
		return false;
	}
}

static bool
cast_branch(const struct avro_node *n, struct json *j, struct casting *c)
{
	for (size_t i = 0; i < n->n_branches; i++)
		if (n->branches[i]->type != AVRO_NULL && avro_default_cast(n->branches[i], j, c))
			return true;
	return false;
}

static void
cast_members(const struct avro_node *n, struct json *value, struct casting *c)
{
	for (struct json *j = value->first; j != NULL; j = j->next) {
		const struct avro_field *f = n->type == AVRO_RECORD ? avro_field(n->named, j->name) : NULL;

		if (f != NULL)
			avro_default_cast(f->type, j, c);
		else if (n->type == AVRO_MAP)
			avro_default_cast(n->element, j, c);
	}
}

static bool
cast_elements(const struct avro_node *n, struct json *value, struct casting *c)
{
	if (n->type != AVRO_ARRAY)
		return false;
	for (struct json *j = value->first; j != NULL; j = j->next)
		avro_default_cast(n->element, j, c);
	return true;
}

bool
avro_default_cast(const struct avro_node *n, struct json *value, struct casting *c)
{
	if (!take_check(&c->checks))
		return false;
	if (value->kind == JSON_NULL)
		return true;
	if (n->type == AVRO_UNION)
		return cast_branch(n, value, c);
	switch (value->kind) {
	case JSON_NUMBER:
		return cast_number(n, value, c);
	case JSON_STRING: /* of a float or double: "NaN" and the like */
		return n->type == AVRO_STRING || n->type == AVRO_ENUM || n->type == AVRO_BYTES ||
		    n->type == AVRO_FIXED || n->type == AVRO_FLOAT || n->type == AVRO_DOUBLE;
	case JSON_ARRAY:
		return cast_elements(n, value, c);
	case JSON_OBJECT:
		cast_members(n, value, c);
		return true;
	default:
		return true;
	}
}
