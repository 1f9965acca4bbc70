/* diag.c -- what a process tells the people who run it: one event, one line. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static _Atomic int max_level = DIAG_INFO;
static void (*_Atomic line_sink)(const char *, size_t);

void
diag_set_level(enum diag_level level)
{
	max_level = (int)level;
}

bool
diag_level_parse(const char *name, enum diag_level *out)
{
	for (int i = 0; i <= DIAG_DEBUG; i++)
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum diag_level)i;
			return true;
		}
	return false;
}

void
diag_set_sink(void (*sink)(const char *, size_t))
{
	line_sink = sink;
}

static size_t
stamp(char *to, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(to, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(to + n, size - n, ".%03dZ", (int)(ts.tv_nsec / 1000000));
}

/* Adds what snprintf wrote, which may be less than what it would have liked to. */
static size_t
advance(size_t n, int wrote, size_t size)
{
	if (wrote < 0)
		return n;
	return (size_t)wrote > size - 1 - n ? size - 1 : n + (size_t)wrote;
}

void
diag(enum diag_level level, const char *event, const char *fmt, ...)
{
	char line[2048];
	size_t n, size = sizeof line - 1; /* one byte stays for the newline */
	void (*sink)(const char *, size_t) = line_sink;
	va_list ap;

	if ((int)level > max_level)
		return;
	n = stamp(line, size);
	n = advance(n, snprintf(line + n, size - n, " %s %s", level_names[level], event), size);
	if (fmt[0] != '\0') {
		n = advance(n, snprintf(line + n, size - n, " "), size);
		va_start(ap, fmt);
		n = advance(n, vsnprintf(line + n, size - n, fmt, ap), size);
		va_end(ap);
	}
	line[n++] = '\n';
	if (sink != NULL)
		sink(line, n);
	else if (write(STDERR_FILENO, line, n) < 0)
		return; /* there is nobody left to tell */
}

char *
diag_quote(char *to, size_t size, struct span from)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0, i;

	if (from.p == NULL) {
		snprintf(to, size, "null");
		return to;
	}
	to[n++] = '"';
	/* 6 bytes: an escape of 4, the closing quote, the terminator. */
	for (i = 0; i < from.n && n + 6 <= size; i++) {
		uint8_t c = from.p[i];

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			to[n++] = (char)c;
		else {
			to[n++] = '\\';
			to[n++] = 'x';
			to[n++] = hex[c >> 4];
			to[n++] = hex[c & 15];
		}
	}
	to[n++] = '"';
	to[n] = '\0';
	return to;
}
