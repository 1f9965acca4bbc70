/* field.c -- the fields of a record. */
#include <ctype.h>
#include <stdlib.h>

#include "json/write.h"
#include "schema/avro/read.h"

/* Attributes that have a meaning, so that they are no properties. */
static const char *const of_fields[] = { "name", "type", "doc", "default", "order", "aliases", NULL };

static bool
read_order(struct reader *r, const struct json *j, enum avro_order *to)
{
	static const char *const orders[] = { "ASCENDING", "DESCENDING", "IGNORE" };
	const struct json *order = json_get(j, "order");
	struct span name = avro_text_of(order);

	if (order == NULL)
		return true;
	if (name.p == NULL)
		return avro_fail(r, "order not a string: ", j);
	buf_reset(&r->text);
	for (size_t i = 0; i < name.n; i++)
		buf_u8(&r->text, (uint8_t)toupper(name.p[i]));
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (span_is(buf_bytes(&r->text), orders[i])) {
			*to = (enum avro_order)i;
			return true;
		}
	buf_span(&r->told, span_str("No enum constant org.apache.avro.Schema.Field.Order."));
	buf_span(&r->told, buf_bytes(&r->text));
	return false;
}

/* The number that Java reads in a text: decimal, "NaN" or "Infinity", perhaps with a type's letter. */
static bool
java_double(struct span text, double *out)
{
	char copy[64], *end;
	const char *at = copy;

	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	at += *at == '+' || *at == '-';
	if (strcmp(at, "NaN") != 0 && strcmp(at, "Infinity") != 0) {
		if (strspn(at, "0123456789.eE+-fFdD") != text.n - (size_t)(at - copy))
			return false;
		if (strchr("fFdD", copy[text.n - 1]) != NULL)
			copy[text.n - 1] = '\0';
	}
	*out = strtod(copy, &end);
	return end != copy && *end == '\0';
}

/* The default of a float or double that was written as a string. */
static bool
read_number(struct reader *r, struct span text, struct span *to)
{
	struct json_out o = json_out(&r->text);
	double v;

	text = avro_trim(text);
	if (!java_double(text, &v)) {
		buf_span(&r->told, span_str(text.n == 0 ? "empty String" : "For input string: \""));
		buf_span(&r->told, text);
		buf_span(&r->told, span_str(text.n == 0 ? "" : "\""));
		return false;
	}
	buf_reset(&r->text);
	json_put_double(&o, v);
	r->memory |= r->text.failed;
	*to = avro_keep(r, buf_bytes(&r->text));
	return !r->memory;
}

static bool
refuse_default(struct reader *r, const struct avro_field *f, const struct json *value)
{
	buf_span(&r->told, span_str("Invalid default for field "));
	buf_span(&r->told, f->name);
	buf_span(&r->told, span_str(": "));
	json_print(&r->told, value);
	buf_span(&r->told,
	    span_str(r->checks == 0 ? " takes too long to be compared with " : " not a "));
	avro_print_node(f->type, &r->told);
	return false;
}

static bool
read_default(struct reader *r, const struct json *in, struct avro_field *f)
{
	const struct json *value = json_get(in, "default");

	if (value == NULL)
		return true;
	if ((f->type->type == AVRO_FLOAT || f->type->type == AVRO_DOUBLE) && value->kind == JSON_STRING)
		return read_number(r, value->text, &f->fallback);
	if (r->strict && !avro_default_fits(r, f->type, value))
		return refuse_default(r, f, value);
	return avro_keep_json(r, value, &f->fallback);
}

/* The type of a field, where a name that is unknown has a sentence of its own. */
static struct avro_node *
read_field_type(struct reader *r, const struct json *in, struct avro_field *f, struct span space)
{
	const struct json *type = json_get(in, "type");
	struct avro_node *n;

	if (type == NULL)
		return avro_fail(r, "No field type: ", in);
	if (type->kind != JSON_STRING)
		return avro_read(r, type, space);
	if ((n = avro_find_type(r, type->text, space)) != NULL || avro_has_failed(r))
		return n;
	json_print(&r->told, type);
	buf_span(&r->told, span_str(" is not a defined name. The type of the \""));
	buf_span(&r->told, f->name);
	buf_span(&r->told, span_str("\" field must be a defined name or a {\"type\": ...} expression."));
	return NULL;
}

bool
avro_read_field(struct reader *r, const struct json *j, struct span space, struct avro_field *f)
{
	f->name = avro_keep(r, avro_text_at(j, "name"));
	if (f->name.p == NULL)
		return avro_fail(r, "No field name: ", j);
	f->doc = avro_keep(r, avro_text_at(j, "doc"));
	f->type = read_field_type(r, j, f, space);
	return f->type != NULL && read_order(r, j, &f->order) && avro_check_name(r, f->name) &&
	    read_default(r, j, f) && avro_read_props(r, j, of_fields, &f->props) &&
	    avro_read_aliases(r, j, NULL, &f->aliases) && !r->memory;
}

static int
compare_fields(const void *a, const void *b)
{
	const struct avro_field *x = *(struct avro_field *const *)a, *y = *(struct avro_field *const *)b;
	int order = avro_compare(x->name, y->name);

	return order != 0 ? order : (x > y) - (x < y);
}

/* A field as Avro's Java library names it in sentences. */
static void
tell_field(struct reader *r, const struct avro_named *record, const struct avro_field *f)
{
	buf_span(&r->told, f->name);
	buf_span(&r->told, span_str(" type:"));
	for (const char *p = avro_type_name(f->type->type); *p != '\0'; p++)
		buf_u8(&r->told, (uint8_t)toupper((unsigned char)*p));
	buf_printf(&r->told, " pos:%zu", (size_t)(f - record->fields));
}

static bool
refuse_repeated(struct reader *r, const struct avro_named *record, struct avro_field *first,
    struct avro_field *again)
{
	buf_span(&r->told, span_str("Duplicate field "));
	buf_span(&r->told, again->name);
	buf_span(&r->told, span_str(" in record "));
	buf_span(&r->told, record->full);
	buf_span(&r->told, span_str(": "));
	tell_field(r, record, again);
	buf_span(&r->told, span_str(" and "));
	tell_field(r, record, first);
	buf_span(&r->told, span_str("."));
	return false;
}

bool
avro_sort_fields(struct reader *r, struct avro_named *record)
{
	size_t n = record->n_fields, again = 0;

	if ((record->by_name = avro_take(r, n, sizeof *record->by_name)) == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		record->by_name[i] = &record->fields[i];
		record->n_required += record->fields[i].fallback.p == NULL;
	}
	qsort(record->by_name, n, sizeof *record->by_name, compare_fields);
	for (size_t i = 1; i < n; i++)
		if (span_eq(record->by_name[i - 1]->name, record->by_name[i]->name) &&
		    (again == 0 || record->by_name[i] < record->by_name[again]))
			again = i;
	return again == 0 ||
	    refuse_repeated(r, record, record->by_name[again - 1], record->by_name[again]);
}
