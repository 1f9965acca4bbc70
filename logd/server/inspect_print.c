/* inspect_print.c -- lines of weir-logd inspect. */
#include "server/inspect_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/utf8.h"

enum { SHOWN_MAX = 256 };

static const int64_t TIME_MAX_MS = 253402300799999; /* the end of the year 9999 */

void
print_begin(struct print *p, const char *type)
{
	buf_reset(&p->line);
	p->out = json_out(&p->line);
	if (p->json) {
		json_open(&p->out, '{');
		json_key(&p->out, "type");
		json_put_str(&p->out, type);
	} else
		buf_printf(&p->line, "%s", type);
}

/* What comes before a value. */
static void
name_it(struct print *p, const char *name)
{
	if (p->json)
		json_key(&p->out, name);
	else
		buf_printf(&p->line, " %s=", name);
}

void
print_int(struct print *p, const char *name, int64_t n)
{
	name_it(p, name);
	if (p->json)
		json_put_int(&p->out, n);
	else
		buf_printf(&p->line, "%" PRId64, n);
}

void
print_bool(struct print *p, const char *name, bool yes)
{
	name_it(p, name);
	if (p->json)
		json_put_bool(&p->out, yes);
	else
		buf_printf(&p->line, "%s", yes ? "true" : "false");
}

/* Whether it can stand in a line without quotes. */
static bool
is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=')
			return false;
	return s.n > 0;
}

void
print_span(struct print *p, const char *name, struct span s)
{
	name_it(p, name);
	if (!p->json && is_word(s))
		buf_span(&p->line, s);
	else {
		p->out.comma &= p->json;
		json_put_span(&p->out, s);
	}
}

void
print_str(struct print *p, const char *name, const char *s)
{
	if (s != NULL)
		print_span(p, name, span_str(s));
}

void
print_time(struct print *p, const char *name, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	if (p->json || ms < 0 || ms > TIME_MAX_MS || gmtime_r(&seconds, &tm) == NULL) {
		print_int(p, name, ms);
		return;
	}
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	name_it(p, name);
	buf_printf(&p->line, "%s.%03dZ", text, (int)(ms % 1000));
}

static struct span
cut_text(struct span s)
{
	size_t n = SHOWN_MAX;

	/* Not within a character. */
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return span_of(s.p, n);
}

void
print_bytes(struct print *p, const char *name, struct span s)
{
	struct buf text = { 0 };
	char more[64];
	bool is_text = s.p == NULL || utf8_is(s);

	if (is_text) {
		print_span(p, name, s.n > SHOWN_MAX ? cut_text(s) : s);
	} else {
		snprintf(more, sizeof more, "%s_base64", name);
		base64_put(&text, span_of(s.p, s.n > SHOWN_MAX ? SHOWN_MAX : s.n));
		print_span(p, more, buf_bytes(&text));
	}
	if (s.n > SHOWN_MAX) {
		snprintf(more, sizeof more, "%s_size", name);
		print_int(p, more, (int64_t)s.n);
	}
	buf_done(&text);
}

void
print_end(struct print *p)
{
	if (p->json)
		json_close(&p->out, '}');
	buf_u8(&p->line, '\n');
	if (p->line.failed || fwrite(p->line.p, 1, p->line.n, stdout) != p->line.n)
		p->failed = true;
}

void
print_done(struct print *p)
{
	if (fflush(stdout) != 0)
		p->failed = true;
	buf_done(&p->line);
}
