/*
 * pattern_fuzz.c -- any bytes as a pattern of Java.
 *
 * What is taken must be short, have nothing in it that POSIX leaves open, compile, and match in good time; what
 * is refused must have a reason.
 */
#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
match(const regex_t *regex)
{
	enum { NAME_MAX_BYTES = 249 };
	static const char letters[] = "aaabA1_.-";
	char name[NAME_MAX_BYTES + 1] = "";

	for (size_t i = 0; i < NAME_MAX_BYTES; i++)
		name[i] = letters[i % (sizeof letters - 1)];
	regexec(regex, name, 0, NULL, 0);
	memset(name, 'a', NAME_MAX_BYTES);
	regexec(regex, name, 0, NULL, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	enum { LONGEST = 50000 };
	static const char known[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-/[^]\\(|)*+?{,}$";
	char *java = malloc(n + 1);
	const char *why = NULL;
	struct buf b = { 0 };
	regex_t regex;

	must(java != NULL);
	if (n > 0)
		memcpy(java, bytes, n);
	java[n] = '\0';
	buf_printf(&b, "^(");
	if (pattern_translate(java, &b, &why)) {
		buf_printf(&b, ")$");
		buf_u8(&b, '\0');
		must(why == NULL && !b.failed && b.n < LONGEST);
		must(strspn((const char *)b.p, known) == b.n - 1);
		must(regcomp(&regex, (const char *)b.p, REG_EXTENDED | REG_NOSUB) == 0);
		match(&regex);
		regfree(&regex);
	} else
		must(why != NULL && *why != '\0');
	buf_done(&b);
	free(java);
	return 0;
}
