/* pattern_chars.c -- what stands for one character in a pattern: always a set of those that names may have. */
#include "base/pattern_internal.h"
#include "base/utf8.h"

/* What names of topics have in them; - is last, since there it is itself in brackets. */
static const char names[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-";

enum { NAMES = sizeof names - 1 };

/* Which of `names` may stand at a place. */
struct set {
	bool has[NAMES];
};

/* With any_case, of letters both cases. */
static void
add_range(struct set *set, uint32_t first, uint32_t last, bool any_case)
{
	for (size_t i = 0; i < NAMES; i++) {
		unsigned char c = (unsigned char)names[i], other = c;

		if (any_case && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			other = c ^ 0x20;
		set->has[i] |= (c >= first && c <= last) || (other >= first && other <= last);
	}
}

static void
complement(struct set *set)
{
	for (size_t i = 0; i < NAMES; i++)
		set->has[i] = !set->has[i];
}

/* The set as brackets that mean the same in every locale, hence without ranges; / is in no name. */
static void
write_set(struct scan *s, const struct set *set)
{
	size_t n = 0;
	bool most;

	for (size_t i = 0; i < NAMES; i++)
		n += set->has[i];
	if (n == 0 || n == NAMES) {
		buf_u8(s->to, n == 0 ? '/' : '.');
		return;
	}
	most = n > NAMES / 2;
	if (n > 1)
		buf_printf(s->to, most ? "[^" : "[");
	for (size_t i = 0; i < NAMES; i++)
		if (set->has[i] != most)
			buf_printf(s->to, n == 1 && names[i] == '.' ? "\\%c" : "%c", names[i]);
	if (n > 1)
		buf_u8(s->to, ']');
}

/* Classes by their names, as pairs of first and last. */
static const struct {
	const char *name, *ranges;
} classes[] = {
	{ "d", "09" }, { "w", "09AZaz__" }, { "s", "" },
	{ "Lower", "az" }, { "Upper", "AZ" }, { "Alpha", "AZaz" }, { "Digit", "09" }, { "Alnum", "09AZaz" },
	{ "Punct", "__..--" }, { "Graph", "-z" }, { "Print", "-z" }, { "ASCII", "-z" }, { "XDigit", "09AFaf" },
	{ "Space", "" }, { "Blank", "" }, { "Cntrl", "" },
	{ "L", "AZaz" }, { "Lu", "AZ" }, { "Ll", "az" }, { "N", "09" }, { "Nd", "09" }, { "P", "__..--" },
	{ "IsAlphabetic", "AZaz" }, { "IsDigit", "09" },
};

/* The class of this name; false when there is none. */
static bool
add_class(struct set *set, const char *name, size_t n, bool negated)
{
	struct set class = { { false } };
	size_t i = 0;

	while (i < sizeof classes / sizeof *classes && (strlen(classes[i].name) != n || memcmp(classes[i].name, name, n) != 0))
		i++;
	if (i == sizeof classes / sizeof *classes)
		return false;
	for (const char *r = classes[i].ranges; *r != '\0'; r += 2)
		add_range(&class, (unsigned char)r[0], (unsigned char)r[1], false);
	if (negated)
		complement(&class);
	for (size_t k = 0; k < NAMES; k++)
		set->has[k] |= class.has[k];
	return true;
}

/* \pL, \p{Name} and \P, from behind the p. */
static void
property(struct scan *s, struct set *set, bool negated)
{
	bool braces = *s->at == '{';
	const char *name = s->at + braces;
	size_t n = braces ? strcspn(name, "}") : 1;

	if (*name == '\0' || (braces && name[n] == '\0')) {
		refuse(s, "\\p has no name behind it");
		return;
	}
	/* Releases of Java do not agree on these. */
	if (s->any_case && n > 1 && (*name == 'L' || *name == 'U'))
		refuse(s, "\\p of one case of letters and (?i) do not go together: write [A-Za-z]");
	else if (*name >= 'a' || !add_class(set, name, n, negated))
		refuse(s, "\\p of this name is not known here: write out the characters, such as [A-Za-z]");
	else
		s->at = name + n + braces;
}

/* A character that means itself. */
static uint32_t
literal(struct scan *s)
{
	const uint8_t *p = (const uint8_t *)s->at;
	int n = utf8_length(p, p + strlen(s->at));
	uint32_t code = n == 1 ? *p : *p & (0x7fu >> n);

	for (int i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	s->at += n;
	return code;
}

/* \xhh, \x{h} and \uhhhh, from behind their letter. */
static uint32_t
numeric(struct scan *s, char letter)
{
	bool braces = letter == 'x' && *s->at == '{';
	int wanted = letter == 'u' ? 4 : braces ? 6 : 2;
	const char *from = s->at += braces;
	uint32_t code = number(s, 16, wanted);

	if (braces ? s->at == from || *s->at != '}' : s->at < from + wanted)
		refuse(s, "\\x must have two digits behind it, or up to six in {}, and \\u four");
	else
		s->at += braces;
	if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		refuse(s, "\\u and \\x must name whole characters: write \\x{1F600}, not its two surrogates");
	return code;
}

/* Whatever follows a \.  True: one character, `code`; false: a class, which is added to the set, or a refusal. */
static bool
escape(struct scan *s, struct set *set, uint32_t *code)
{
	static const char letters[] = "tnrfae", controls[] = "\t\n\r\f\a\033";
	char c = *s->at;
	const char *control = c == '\0' ? NULL : strchr(letters, c);

	if (c == '\0')
		refuse(s, "The pattern ends with a \\");
	else if (digit_of(c) < 10 || c == 'k')
		refuse(s, "Back references such as \\1, and \\0, are not supported: write out what is to stand there");
	else if (strchr("bBG", c) != NULL)
		refuse(s, "The boundaries \\b, \\B and \\G are not supported: write out the characters on both sides");
	else if (strchr("hHvVRXN", c) != NULL)
		refuse(s, "\\h, \\v, \\R, \\X and \\N are not supported: names of topics have only letters, digits, . _ and -");
	else if (strchr("dDwWsSpP", c) != NULL) {
		char lower = (char)(c | 0x20);

		s->at++;
		if (lower == 'p')
			property(s, set, c == 'P');
		else
			add_class(set, &lower, 1, c != lower);
		return false;
	} else if (control != NULL) {
		*code = (unsigned char)controls[control - letters];
		s->at++;
	} else if (c == 'x' || c == 'u') {
		s->at++;
		*code = numeric(s, c);
	} else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		refuse(s, "A \\ before this letter means nothing here: \\\\ is the character itself");
	else
		*code = literal(s);
	return s->why == NULL;
}

/* As escape(), of whatever is not . or []. */
static bool
character(struct scan *s, struct set *set, uint32_t *code)
{
	if (take(s, "\\"))
		return escape(s, set, code);
	*code = literal(s);
	return true;
}

/* A character, a class, or a range: what [] is a list of. */
static void
add_item(struct scan *s, struct set *set)
{
	uint32_t first, last;
	struct scan before;

	if (!character(s, set, &first))
		return;
	last = first;
	before = *s;
	if (take(s, "-")) {
		if (comes(s, "]") || comes(s, "[") || at_end(s))
			*s = before;
		else if (!character(s, set, &last) || last < first)
			refuse(s, "A range such as [a-z] must begin and end with characters, the lesser first");
	}
	add_range(set, first, last, s->any_case);
}

/* From behind the [. */
static void
brackets(struct scan *s, struct set *set)
{
	bool negated = take(s, "^");

	/* The first ] is one of the characters. */
	for (bool first = true; first || !comes(s, "]"); first = false) {
		if (at_end(s)) {
			refuse(s, "A [ has no ]");
			return;
		}
		if (comes(s, "[") || comes(s, "&&")) {
			refuse(s, "[] within [], and &&, are not supported: write one list of characters, and \\[ or \\& for these");
			return;
		}
		add_item(s, set);
	}
	take(s, "]");
	if (negated)
		complement(set);
}

void
pattern_character(struct scan *s)
{
	struct set set = { { false } };
	uint32_t code;

	if (take(s, "."))
		complement(&set);
	else if (take(s, "["))
		brackets(s, &set);
	else if (character(s, &set, &code))
		add_range(&set, code, code, s->any_case);
	write_set(s, &set);
}
