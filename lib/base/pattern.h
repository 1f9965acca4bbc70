/*
 * pattern.h -- patterns of Java (java.util.regex.Pattern) as extended regular expressions of POSIX (section 9.4).
 *
 * Clients of the REST proxy write topic_pattern for Java, and members of consumer groups a regular expression for
 * RE2/J, which takes a part of that; it is the C library's regcomp() that librdkafka and logd have, to which \d, (?:a|b) or [\w.-] mean something else.  A translation matches the same names of topics, as wholes:
 * letters, digits, . _ -, and nothing else is matched, so that whatever stands for one character is a set of these.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/buf.h"

/*
 * Appends what means the same, without a terminator, to stand within ^( and )$.  False: `why` says in a sentence
 * (without its full stop, never freed) what is wrong, or has no counterpart, or could take long to match; what was
 * appended is of no use then.  The caller looks at to->failed.
 */
bool pattern_translate(const char *java, struct buf *to, const char **why);

#endif
