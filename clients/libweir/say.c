/* say.c -- errors of libweir's own. */
#include "libweir/say.h"

#include <stdarg.h>
#include <stdio.h>

void
error_put_text(struct weir_error *e, const char *text)
{
	snprintf(e->text, sizeof e->text, "%s", text);
	for (char *p = e->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
}

void
error_say(struct weir_error *e, enum weir_kind kind, const char *fmt, ...)
{
	char text[sizeof e->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	e->kind = kind;
	e->code = 0;
	error_put_text(e, text);
}
