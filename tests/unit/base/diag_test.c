/* diag_test.c -- one event, one line. */
#include "base/diag.h"

#include <string.h>

#include "unit/unit.h"

static char line[4096];
static size_t line_n;
static int n_lines;

static void
keep(const char *p, size_t n)
{
	memcpy(line, p, n);
	line[n] = '\0';
	line_n = n;
	n_lines++;
}

/* The line after its time, which is 24 characters and a space. */
static const char *
after_time(void)
{
	return line_n > 25 ? line + 25 : "";
}

static void
begin(enum diag_level level)
{
	diag_set_sink(keep);
	diag_set_level(level);
	n_lines = 0;
	line[0] = '\0';
	line_n = 0;
}

static void
end(void)
{
	diag_set_sink(NULL);
	diag_set_level(DIAG_INFO);
}

static void
line_has_time_level_event_and_fields(void)
{
	begin(DIAG_INFO);
	diag_warn("segment sync failed", "topic=%s partition=%d", "a", 3);
	CU_ASSERT_EQUAL(n_lines, 1);
	CU_ASSERT_STRING_EQUAL(after_time(), "warn segment sync failed topic=a partition=3\n");
	CU_ASSERT(line[4] == '-' && line[10] == 'T' && line[19] == '.' && line[23] == 'Z');
	end();
}

static void
line_without_fields_ends_after_the_event(void)
{
	begin(DIAG_INFO);
	diag_info("started", "");
	CU_ASSERT_STRING_EQUAL(after_time(), "info started\n");
	end();
}

static void
lines_below_the_level_are_dropped(void)
{
	begin(DIAG_WARN);
	diag_info("x", "");
	diag_debug("x", "");
	CU_ASSERT_EQUAL(n_lines, 0);
	diag_warn("x", "");
	diag_error("x", "");
	CU_ASSERT_EQUAL(n_lines, 2);
	diag_set_level(DIAG_DEBUG);
	diag_debug("x", "");
	CU_ASSERT_EQUAL(n_lines, 3);
	end();
}

static void
endless_line_is_cut_and_still_ends(void)
{
	char big[4000];

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	begin(DIAG_INFO);
	diag_info("event", "v=%s more=%d", big, 1);
	CU_ASSERT(line_n <= 2048 && line_n > 2000 && line[line_n - 1] == '\n');
	CU_ASSERT(strchr(line, '\n') == line + line_n - 1);
	diag_info(big, "v=%d", 1);
	CU_ASSERT(line_n <= 2048 && line[line_n - 1] == '\n');
	end();
}

static void
levels_have_names(void)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	enum diag_level level;
	int i;

	for (i = 0; i < 4; i++)
		CU_ASSERT(diag_level_parse(names[i], &level) && (int)level == i);
	CU_ASSERT(!diag_level_parse("loud", &level));
	CU_ASSERT(!diag_level_parse("", &level));
}

static void
quote_lets_nothing_out(void)
{
	char to[100];

	CU_ASSERT_STRING_EQUAL(diag_quote(to, sizeof to, span_str("a b")), "\"a b\"");
	CU_ASSERT_STRING_EQUAL(diag_quote(to, sizeof to, span_str("a\"\\\n\x7f\xc3")),
	    "\"a\\x22\\x5c\\x0a\\x7f\\xc3\"");
	CU_ASSERT_STRING_EQUAL(diag_quote(to, sizeof to, span_str(NULL)), "null");
	CU_ASSERT_STRING_EQUAL(diag_quote(to, sizeof to, span_str("")), "\"\"");
}

static void
quote_is_cut_to_any_size(void)
{
	char to[64];
	size_t size;

	for (size = 3; size < sizeof to; size++) {
		memset(to, 'Z', sizeof to);
		diag_quote(to, size, span_str("abc\n\n\n\ndefghijklmnopqrstuvwxyz\n\n\n\n\n\n\n\n\n"));
		CU_ASSERT(memchr(to, '\0', size) != NULL);
		CU_ASSERT(to[0] == '"' && to[strlen(to) - 1] == '"');
		CU_ASSERT(to[size] == 'Z');
	}
}

const struct unit_test diag_tests[] = {
	UNIT(line_has_time_level_event_and_fields),
	UNIT(line_without_fields_ends_after_the_event),
	UNIT(lines_below_the_level_are_dropped),
	UNIT(endless_line_is_cut_and_still_ends),
	UNIT(levels_have_names),
	UNIT(quote_lets_nothing_out),
	UNIT(quote_is_cut_to_any_size),
	UNIT_END
};
