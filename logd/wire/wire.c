/*
 * wire.c -- the walker: descriptors in hand, it goes through bytes and structs.
 *
 * Its recursion follows the descriptors, which are finite trees; no input can
 * deepen it.
 */
#include "wire/wire.h"

#include <string.h>

#include "base/must.h"

enum { STRING_MAX = INT16_MAX, UVARINT_MAX = 5 };

/* The key of the one API whose answer has an old header in every version. */
enum { API_VERSIONS = 18 };

/* A version together with what it means for encoding. */
struct form {
	int version;
	bool flexible;
};

static struct form
form_of(const struct wire_message *m, int version)
{
	return (struct form){ version, version >= m->flexible_from };
}

/* ---- looking up ---- */

const struct wire_api *
wire_api_find(int key)
{
	size_t i;

	for (i = 0; i < wire_n_apis; i++)
		if (wire_apis[i].key == key)
			return &wire_apis[i];
	return NULL;
}

const struct wire_message *
wire_message_find(struct span name)
{
	size_t i;

	for (i = 0; i < wire_n_messages; i++)
		if (span_is(name, wire_messages[i]->name))
			return wire_messages[i];
	return NULL;
}

int
wire_request_header_version(const struct wire_api *api, int version)
{
	return version >= api->flexible_from ? 2 : 1;
}

/* A client that asks for versions cannot know yet that headers have tags. */
int
wire_response_header_version(const struct wire_api *api, int version)
{
	return version >= api->flexible_from && api->key != API_VERSIONS ? 1 : 0;
}

/* ---- values in memory ---- */

_Static_assert(sizeof(bool) == 1, "a bool in memory is as large as on the wire");

/* In memory; for numbers and uuids on the wire, too. */
static const uint8_t value_size[] = {
	[WIRE_KIND_BOOL] = 1, [WIRE_KIND_INT8] = 1, [WIRE_KIND_INT16] = 2,
	[WIRE_KIND_ERROR] = 2, [WIRE_KIND_INT32] = 4, [WIRE_KIND_INT64] = 8,
	[WIRE_KIND_UUID] = 16, [WIRE_KIND_STRING] = sizeof(struct span),
	[WIRE_KIND_BYTES] = sizeof(struct span),
	[WIRE_KIND_RECORDS] = sizeof(struct span),
};

size_t
wire_value_size(const struct wire_field *f)
{
	return f->kind == WIRE_KIND_STRUCT ? f->type->size : value_size[f->kind];
}

static const void *
member(const struct wire_field *f, const void *at)
{
	return (const char *)at + f->offset;
}

static void *
member_to(const struct wire_field *f, void *at)
{
	return (char *)at + f->offset;
}

int64_t
wire_load_number(enum wire_kind kind, const void *at)
{
	if (kind == WIRE_KIND_INT32)
		return *(const int32_t *)at;
	if (kind == WIRE_KIND_INT64)
		return *(const int64_t *)at;
	if (kind == WIRE_KIND_INT8)
		return *(const int8_t *)at;
	if (kind == WIRE_KIND_BOOL)
		return *(const bool *)at;
	return *(const int16_t *)at;
}

void
wire_store_number(enum wire_kind kind, void *at, int64_t value)
{
	if (kind == WIRE_KIND_INT32)
		*(int32_t *)at = (int32_t)value;
	else if (kind == WIRE_KIND_INT64)
		*(int64_t *)at = value;
	else if (kind == WIRE_KIND_INT8)
		*(int8_t *)at = (int8_t)value;
	else if (kind == WIRE_KIND_BOOL)
		*(bool *)at = value != 0;
	else
		*(int16_t *)at = (int16_t)value;
}

/* Pointers to all objects look alike (POSIX), and are moved as bytes. */
void *
wire_load_array(const struct wire_field *f, const void *at, size_t *n)
{
	void *array;

	memcpy(&array, member(f, at), sizeof array);
	memcpy(n, (const char *)at + f->n_offset, sizeof *n);
	return array;
}

void
wire_store_array(const struct wire_field *f, void *at, void *array, size_t n)
{
	memcpy(member_to(f, at), &array, sizeof array);
	memcpy((char *)at + f->n_offset, &n, sizeof n);
}

void *
wire_load_pointer(const struct wire_field *f, const void *at)
{
	void *to;

	memcpy(&to, member(f, at), sizeof to);
	return to;
}

void
wire_store_pointer(const struct wire_field *f, void *at, void *to)
{
	memcpy(member_to(f, at), &to, sizeof to);
}

void *
wire_empty_array(void)
{
	static const max_align_t none;

	return (void *)(uintptr_t)&none;
}

void
wire_default_field(const struct wire_field *f, void *at)
{
	void *to = member_to(f, at);

	if (f->array) {
		wire_store_array(f, at,
		    f->null_default ? NULL : wire_empty_array(), 0);
		return;
	}
	if (wire_is_pointer(f)) {
		wire_store_pointer(f, at, NULL);
		return;
	}
	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		wire_default(f->type, to);
		return;
	case WIRE_KIND_UUID:
		memset(to, 0, 16);
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		*(struct span *)to = span_str(f->null_default ? NULL : "");
		return;
	default:
		wire_store_number(f->kind, to, f->number);
	}
}

void
wire_default(const struct wire_struct *s, void *to)
{
	size_t i;

	for (i = 0; i < s->n_fields; i++)
		wire_default_field(&s->fields[i], to);
}

/* Whether a field holds its default, and so may be left out. */
static bool
is_default(const struct wire_field *f, const void *at)
{
	static const uint8_t no_uuid[16];
	const void *from = member(f, at);
	size_t n, i;

	if (f->array)
		return (wire_load_array(f, at, &n) == NULL || !f->null_default) &&
		    n == 0;
	if (wire_is_pointer(f))
		return wire_load_pointer(f, at) == NULL;
	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		for (i = 0; i < f->type->n_fields; i++)
			if (!is_default(&f->type->fields[i], from))
				return false;
		return true;
	case WIRE_KIND_UUID:
		return memcmp(from, no_uuid, sizeof no_uuid) == 0;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		return span_is(*(const struct span *)from,
		    f->null_default ? NULL : "");
	default:
		return wire_load_number(f->kind, from) == f->number;
	}
}

/* ---- decoding ---- */

static int get_struct(struct wire_in *, const struct wire_struct *,
    struct form, void *to);

static void
fail(struct wire_in *in, const char *why)
{
	if (in->error == NULL)
		in->error = why;
	in->p = in->end; /* so that loops over what is left end */
}

static size_t
left(const struct wire_in *in)
{
	return (size_t)(in->end - in->p);
}

static const uint8_t *
take(struct wire_in *in, size_t n)
{
	const uint8_t *p = in->p;

	if (in->error != NULL || n > left(in)) {
		fail(in, "ends too early");
		return NULL;
	}
	in->p += n;
	return p;
}

/* An unsigned varint of at most 32 bits. */
static uint32_t
get_uvarint(struct wire_in *in)
{
	uint32_t value = 0;
	unsigned shift;

	for (shift = 0; shift < UVARINT_MAX * 7; shift += 7) {
		const uint8_t *p = take(in, 1);

		if (p == NULL)
			return 0;
		if (shift == 28 && *p > 0x0f)
			break;
		value |= (uint32_t)(*p & 0x7f) << shift;
		if (*p < 0x80)
			return value;
	}
	fail(in, "has a varint of more than 32 bits");
	return 0;
}

static int64_t
get_number(struct wire_in *in, enum wire_kind kind)
{
	const uint8_t *p = take(in, value_size[kind]);

	if (p == NULL)
		return 0;
	if (kind == WIRE_KIND_BOOL)
		return *p != 0;
	switch (value_size[kind]) {
	case 1:
		return (int8_t)*p;
	case 2:
		return (int16_t)load16(p);
	case 4:
		return (int32_t)load32(p);
	default:
		return (int64_t)load64(p);
	}
}

/*
 * The length of a string, or of an array its count; -1 for null and after an
 * error.  Null is a value of the field as a whole: an array's elements are
 * never null.
 */
static int64_t
get_length(struct wire_in *in, const struct wire_field *f, struct form form,
    bool is_array)
{
	bool null_ok = f->array == is_array && wire_allows_null(f, form.version);
	int64_t n;

	if (form.flexible && !f->classic)
		n = (int64_t)get_uvarint(in) - 1;
	else if (f->kind == WIRE_KIND_STRING && !is_array)
		n = get_number(in, WIRE_KIND_INT16);
	else
		n = get_number(in, WIRE_KIND_INT32);
	if (in->error != NULL)
		return -1;
	if (n < -1)
		fail(in, "has a negative length");
	else if (n == -1 && !null_ok)
		fail(in, "is null, which this version does not allow");
	return n < -1 ? -1 : n;
}

static struct span
get_span(struct wire_in *in, const struct wire_field *f, struct form form)
{
	int64_t n = get_length(in, f, form, false);
	const uint8_t *p;

	if (n == -1)
		return (struct span){ NULL, 0 };
	if (f->kind == WIRE_KIND_STRING && n > STRING_MAX) {
		fail(in, "is a string of more than 32767 bytes");
		return (struct span){ NULL, 0 };
	}
	p = take(in, (size_t)n);
	return (struct span){ p, p == NULL ? 0 : (size_t)n };
}

static void
get_value(struct wire_in *in, const struct wire_field *f, struct form form,
    void *to)
{
	const uint8_t *p;

	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		get_struct(in, f->type, form, to);
		return;
	case WIRE_KIND_UUID:
		if ((p = take(in, 16)) != NULL)
			memcpy(to, p, 16);
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		*(struct span *)to = get_span(in, f, form);
		return;
	default:
		wire_store_number(f->kind, to, get_number(in, f->kind));
	}
}

static size_t least_size(const struct wire_struct *, struct form);

/* The fewest bytes that a value takes: lets a count be judged before it costs. */
static size_t
least_value(const struct wire_field *f, struct form form, bool is_array)
{
	bool varint = form.flexible && !f->classic;

	if (is_array || f->kind == WIRE_KIND_BYTES || f->kind == WIRE_KIND_RECORDS)
		return varint ? 1 : 4;
	if (f->kind == WIRE_KIND_STRING)
		return varint ? 1 : 2;
	if (wire_is_pointer(f))
		return 1;
	if (f->kind == WIRE_KIND_STRUCT)
		return least_size(f->type, form);
	return value_size[f->kind];
}

static size_t
least_size(const struct wire_struct *s, struct form form)
{
	size_t i, sum = form.flexible ? 1 : 0;

	for (i = 0; i < s->n_fields; i++) {
		const struct wire_field *f = &s->fields[i];

		if (wire_has_field(f, form.version) && f->tag < 0)
			sum += least_value(f, form, f->array);
	}
	return sum == 0 ? 1 : sum;
}

static void
get_array(struct wire_in *in, const struct wire_field *f, struct form form,
    void *at)
{
	int64_t n = get_length(in, f, form, true);
	size_t size = wire_value_size(f), count = (size_t)n, i;
	char *array;

	if (n == -1) {
		wire_store_array(f, at, NULL, 0);
		return;
	}
	if (count > left(in) / least_value(f, form, false)) {
		fail(in, "counts more elements than there are bytes for");
		return;
	}
	array = count == 0 ? wire_empty_array()
	    : arena_array(in->arena, count, size);
	if (array == NULL) {
		fail(in, "needs more memory than a request may take");
		return;
	}
	wire_store_array(f, at, array, count);
	for (i = 0; i < count && in->error == NULL; i++)
		get_value(in, f, form, array + i * size);
}

/* A byte says whether it is there: -1, it is not. */
static void
get_pointer(struct wire_in *in, const struct wire_field *f, struct form form,
    void *at)
{
	void *to;

	wire_store_pointer(f, at, NULL);
	if (get_number(in, WIRE_KIND_INT8) < 0 || in->error != NULL)
		return;
	if ((to = arena_alloc(in->arena, f->type->size)) == NULL) {
		fail(in, "needs more memory than a request may take");
		return;
	}
	wire_store_pointer(f, at, to);
	get_value(in, f, form, to);
}

static void
get_field(struct wire_in *in, const struct wire_field *f, struct form form,
    void *at)
{
	in->field = f->name;
	if (f->array)
		get_array(in, f, form, at);
	else if (wire_is_pointer(f))
		get_pointer(in, f, form, at);
	else
		get_value(in, f, form, member_to(f, at));
}

static const struct wire_field *
find_tag(const struct wire_struct *s, uint32_t tag, int version)
{
	size_t i;

	for (i = 0; s->tags && i < s->n_fields; i++)
		if (s->fields[i].tag >= 0 && (uint32_t)s->fields[i].tag == tag &&
		    wire_has_field(&s->fields[i], version))
			return &s->fields[i];
	return NULL;
}

/* A tagged value sees its own bytes only, and has to use them up. */
static void
get_tagged(struct wire_in *in, const struct wire_field *f, struct form form,
    size_t size, void *at)
{
	const uint8_t *end = in->end;

	in->end = in->p + size;
	get_field(in, f, form, at);
	if (in->p != in->end)
		fail(in, "is shorter than its tag says");
	in->end = end;
	if (in->error != NULL)
		in->p = end;
}

static void
get_tags(struct wire_in *in, const struct wire_struct *s, struct form form,
    void *at)
{
	uint32_t count = get_uvarint(in), i, tag, size;
	int64_t last = -1;

	for (i = 0; i < count && in->error == NULL; i++, last = tag) {
		const struct wire_field *f;

		tag = get_uvarint(in);
		size = get_uvarint(in);
		if (in->error != NULL)
			return;
		if (tag <= last)
			fail(in, "is followed by tags that do not rise");
		else if (size > left(in))
			fail(in, "is followed by a tag that ends too early");
		else if ((f = find_tag(s, tag, form.version)) != NULL)
			get_tagged(in, f, form, size, at);
		else
			in->p += size;
	}
}

static int
get_struct(struct wire_in *in, const struct wire_struct *s, struct form form,
    void *to)
{
	size_t i;

	for (i = 0; i < s->n_fields && in->error == NULL; i++) {
		const struct wire_field *f = &s->fields[i];

		if (f->tag < 0 && wire_has_field(f, form.version))
			get_field(in, f, form, to);
		else
			wire_default_field(f, to);
	}
	if (form.flexible)
		get_tags(in, s, form, to);
	return in->error == NULL ? 0 : -1;
}

int
wire_decode(struct wire_in *in, const struct wire_message *m, int version,
    void *to)
{
	if (version < m->min || version > m->max) {
		in->field = m->name;
		fail(in, "has no such version");
		return -1;
	}
	if (get_struct(in, m->body, form_of(m, version), to) == -1)
		return -1;
	/* Kafka ignores what follows a message, and librdkafka 2.0.2 sends such a byte (ListGroups 4). */
	if (in->p != in->end && m->kind == WIRE_MESSAGE_RECORD) {
		fail(in, "is followed by bytes that belong to no field");
		return -1;
	}
	return 0;
}

int
wire_record_decode(struct wire_in *in, const struct wire_message *m, void *to)
{
	in->field = "version";
	return wire_decode(in, m, (int)get_number(in, WIRE_KIND_INT16), to);
}

/* ---- encoding ---- */

static void put_struct(struct gather *, const struct wire_struct *,
    struct form, const void *from);

/* The next `n` bytes of the buffer, counted; NULL when there is no memory. */
static inline uint8_t *
room(struct gather *out, size_t n)
{
	struct buf *b = &out->buf;
	uint8_t *p = buf_room(b, n);

	if (p != NULL)
		b->n += n;
	return p;
}

static size_t
store_uvarint(uint8_t to[UVARINT_MAX], uint32_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

static void
put_uvarint(struct gather *out, uint32_t value)
{
	uint8_t x[UVARINT_MAX];

	buf_put(&out->buf, x, store_uvarint(x, value));
}

static void
put_number(struct gather *out, enum wire_kind kind, int64_t value)
{
	uint8_t *p;

	switch (kind) {
	case WIRE_KIND_BOOL:
	case WIRE_KIND_INT8:
		if ((p = room(out, 1)) != NULL)
			*p = (uint8_t)value;
		return;
	case WIRE_KIND_INT16:
	case WIRE_KIND_ERROR:
		if ((p = room(out, 2)) != NULL)
			store16(p, (uint16_t)value);
		return;
	case WIRE_KIND_INT32:
		if ((p = room(out, 4)) != NULL)
			store32(p, (uint32_t)value);
		return;
	default:
		if ((p = room(out, 8)) != NULL)
			store64(p, (uint64_t)value);
	}
}

/* A length, or -1 for null. */
static void
put_length(struct gather *out, const struct wire_field *f, struct form form,
    bool is_array, int64_t n)
{
	bool is_string = f->kind == WIRE_KIND_STRING && !is_array;

	if (n == -1)
		must(f->array == is_array && wire_allows_null(f, form.version));
	if (n > (is_string ? STRING_MAX : INT32_MAX - 1))
		out->buf.failed = true;
	else if (form.flexible && !f->classic)
		put_uvarint(out, (uint32_t)(n + 1));
	else
		put_number(out, is_string ? WIRE_KIND_INT16 : WIRE_KIND_INT32, n);
}

static void
put_span(struct gather *out, const struct wire_field *f, struct form form,
    struct span s)
{
	put_length(out, f, form, false, s.p == NULL ? -1 : (int64_t)s.n);
	if (f->kind == WIRE_KIND_RECORDS && s.n > WIRE_COPY_MAX)
		gather_ref(out, s);
	else if (s.p != NULL)
		buf_span(&out->buf, s);
}

static void
put_value(struct gather *out, const struct wire_field *f, struct form form,
    const void *from)
{
	switch ((enum wire_kind)f->kind) {
	case WIRE_KIND_STRUCT:
		put_struct(out, f->type, form, from);
		return;
	case WIRE_KIND_UUID:
		buf_put(&out->buf, from, 16);
		return;
	case WIRE_KIND_STRING:
	case WIRE_KIND_BYTES:
	case WIRE_KIND_RECORDS:
		put_span(out, f, form, *(const struct span *)from);
		return;
	default:
		put_number(out, f->kind, wire_load_number(f->kind, from));
	}
}

static void
put_pointer(struct gather *out, const struct wire_field *f, struct form form,
    const void *at)
{
	const void *from = wire_load_pointer(f, at);

	put_number(out, WIRE_KIND_INT8, from == NULL ? -1 : 1);
	if (from != NULL)
		put_value(out, f, form, from);
}

static void
put_field(struct gather *out, const struct wire_field *f, struct form form,
    const void *at)
{
	size_t n, i, size;
	const char *array;

	if (wire_is_pointer(f)) {
		put_pointer(out, f, form, at);
		return;
	}
	if (!f->array) {
		put_value(out, f, form, member(f, at));
		return;
	}
	array = wire_load_array(f, at, &n);
	must(array != NULL || n == 0);
	if (array == NULL && wire_allows_null(f, form.version)) {
		put_length(out, f, form, true, -1);
		return;
	}
	put_length(out, f, form, true, (int64_t)n);
	size = wire_value_size(f);
	for (i = 0; i < n && !out->buf.failed; i++)
		put_value(out, f, form, array + i * size);
}

static bool
is_sent_tagged(const struct wire_field *f, struct form form, const void *at)
{
	return f->tag >= 0 && wire_has_field(f, form.version) &&
	    !is_default(f, at);
}

/*
 * The size of a tagged value stands before it, and is known after it: the value
 * is written, then moved up.  It is small (ids, endpoints), and never borrowed.
 */
static void
put_tagged(struct gather *out, const struct wire_field *f, struct form form,
    const void *at)
{
	uint8_t x[UVARINT_MAX];
	size_t start, size, n;

	put_uvarint(out, (uint32_t)f->tag);
	start = out->buf.n;
	put_field(out, f, form, at);
	size = out->buf.n - start;
	if (size > INT32_MAX)
		out->buf.failed = true;
	n = store_uvarint(x, (uint32_t)size);
	if (room(out, n) == NULL)
		return;
	memmove(out->buf.p + start + n, out->buf.p + start, size);
	memcpy(out->buf.p + start, x, n);
}

static void
put_tags(struct gather *out, const struct wire_struct *s, struct form form,
    const void *from)
{
	uint32_t count = 0;
	size_t i;

	for (i = 0; s->tags && i < s->n_fields; i++)
		count += is_sent_tagged(&s->fields[i], form, from);
	put_uvarint(out, count);
	for (i = 0; count > 0 && i < s->n_fields; i++)
		if (is_sent_tagged(&s->fields[i], form, from))
			put_tagged(out, &s->fields[i], form, from);
}

static void
put_struct(struct gather *out, const struct wire_struct *s, struct form form,
    const void *from)
{
	size_t i;

	for (i = 0; i < s->n_fields; i++) {
		const struct wire_field *f = &s->fields[i];

		if (!wire_has_field(f, form.version))
			must(!f->must || is_default(f, from));
		else if (f->tag < 0)
			put_field(out, f, form, from);
	}
	if (form.flexible)
		put_tags(out, s, form, from);
}

void
wire_encode(struct gather *out, const struct wire_message *m, int version,
    const void *from)
{
	must(version >= m->min && version <= m->max);
	put_struct(out, m->body, form_of(m, version), from);
}

void
wire_record_encode(struct gather *out, const struct wire_message *m,
    const void *from)
{
	put_number(out, WIRE_KIND_INT16, m->max);
	wire_encode(out, m, m->max, from);
}
