/* fingerprint.c -- a number by which JSON texts that differ are told apart. */
#include "registry/fingerprint.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "json/scan.h"

struct walk {
	struct json_scan scan;
	struct buf text; /* of a string with escapes; owned */
};

static uint64_t of_value(struct walk *, bool in_any_order);

/* In this order (the finalizer of splitmix64). */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t z = (a ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9 + b;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t
of_text(struct walk *w)
{
	if (!w->scan.escaped)
		return map_hash(w->scan.text);
	buf_reset(&w->text);
	json_text(&w->scan, &w->text);
	return map_hash(buf_bytes(&w->text));
}

static uint64_t
of_number(struct walk *w)
{
	double value = json_double(&w->scan);
	uint64_t bits = 0;

	/* Zero has one sign here. */
	if (value != 0)
		memcpy(&bits, &value, sizeof bits);
	return bits;
}

static uint64_t
of_array(struct walk *w, bool in_any_order)
{
	uint64_t all = 0;

	while (json_next(&w->scan) < JSON_NAME) {
		uint64_t one = of_value(w, false);

		all = in_any_order ? all + mix(0, one) : mix(all, one);
	}
	return all;
}

static uint64_t
of_object(struct walk *w)
{
	uint64_t all = 0;

	while (json_next(&w->scan) == JSON_NAME) {
		bool is_type = json_is(&w->scan, "type"), aliases = json_is(&w->scan, "aliases");
		uint64_t name = of_text(w), value;

		if (json_next(&w->scan) == JSON_STRING && is_type && json_is(&w->scan, "error"))
			value = mix(JSON_STRING, map_hash(span_str("record")));
		else
			value = of_value(w, aliases);
		all += mix(name, value);
	}
	return all;
}

/* Of the value whose first token was just given out. */
static uint64_t
of_value(struct walk *w, bool in_any_order)
{
	enum json_token kind = w->scan.token;

	switch (kind) {
	case JSON_NUMBER:
		return mix(kind, of_number(w));
	case JSON_STRING:
		return mix(kind, of_text(w));
	case JSON_ARRAY:
		return mix(kind, of_array(w, in_any_order));
	case JSON_OBJECT:
		return mix(kind, of_object(w));
	default:
		return mix(kind, 0);
	}
}

uint64_t
fingerprint_json(struct span text)
{
	struct walk w = { 0 };
	uint64_t print;

	json_begin(&w.scan, text);
	json_next(&w.scan);
	print = of_value(&w, false);
	if (json_next(&w.scan) != JSON_END || w.text.failed)
		print = map_hash(text);
	buf_done(&w.text);
	return print;
}
