/*
 * setting.h -- one named setting: its type, its limits, and text made a value.
 *
 * Settings are rows of tables, one for each program and one for topics.  A row gives
 * a field of a struct, the parser, the default and the manual's line.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum setting_type {
	SETTING_BOOL,
	SETTING_INT,
	SETTING_LONG,
	SETTING_DOUBLE,
	SETTING_STRING,
	SETTING_LIST, /* anything, by commas: kept as text */
	SETTING_ENUM, /* one of the choices: its index */
	SETTING_SET   /* any of the choices, by commas: bit 1 << index for each */
};

/* The fields' types, for the structs made from the tables. */
#define SETTING_C_BOOL bool
#define SETTING_C_INT int32_t
#define SETTING_C_LONG int64_t
#define SETTING_C_DOUBLE double
#define SETTING_C_STRING const char *
#define SETTING_C_LIST const char *
#define SETTING_C_ENUM int
#define SETTING_C_SET unsigned

/* Of a row that is only checked and kept as text. */
#define SETTING_NO_FIELD SIZE_MAX

struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback; /* the default, as text; NULL: there is none */
	int64_t min, max;     /* of numbers */
	const char *choices;  /* of ENUM, SET and restricted BOOL: words with a blank between */
	size_t field;         /* where the value lies in its struct, or SETTING_NO_FIELD */
	bool dynamic;         /* false: read at the start only */
	const char *doc;      /* one sentence or two */
};

/*
 * Makes the text a value and stores it in the field of the struct `into`, or
 * only checks it where `into` is NULL or the
 * row has no field.  Blanks around it are ignored.  Returns
 * 0, or -1 with what is wrong and what to write in `why`; then nothing is
 * stored.  Text that is stored (STRING, LIST) is borrowed: it must be ended by
 * a zero and live as long as the struct.  A null span stores no value: NULL or 0.
 */
int setting_store(const struct setting *, struct span text, void *into, char *why, size_t size);

/* The text without the blanks around it. */
struct span setting_trim(struct span);

/* How the manual calls a type. */
const char *setting_type_name(enum setting_type);

/*
 * How many single letters apart the two are, to find the name that was meant;
 * SIZE_MAX when they are too far apart to be worth a guess.
 */
size_t setting_distance(const char *name, struct span written);

#endif
