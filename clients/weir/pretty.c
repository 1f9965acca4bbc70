/* pretty.c -- JSON laid out for people. */
#include "weir/pretty.h"

static void
put_string(struct buf *to, struct span text)
{
	struct json_out o = json_out(to);

	json_put_span(&o, text);
}

static void
new_line(struct buf *to, int level)
{
	buf_printf(to, "\n%*s", 2 * level, "");
}

static void
put_value(struct buf *to, const struct json *j, int level)
{
	bool object = j->kind == JSON_OBJECT;

	if (j->kind == JSON_NUMBER)
		buf_span(to, j->text);
	else if ((!object && j->kind != JSON_ARRAY) || j->first == NULL)
		json_print(to, j);
	else {
		buf_u8(to, object ? '{' : '[');
		for (const struct json *e = j->first; e != NULL; e = e->next) {
			new_line(to, level + 1);
			if (object) {
				put_string(to, e->name);
				buf_printf(to, ": ");
			}
			put_value(to, e, level + 1);
			if (e->next != NULL)
				buf_u8(to, ',');
		}
		new_line(to, level);
		buf_u8(to, object ? '}' : ']');
	}
}

void
pretty_put(struct buf *to, const struct json *j)
{
	put_value(to, j, 0);
}
