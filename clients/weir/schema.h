/* schema.h -- the commands of `weir schema`; each is told in the table of commands. */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include "weir/cli.h"

enum status schema_list(struct cli *);
enum status schema_get(struct cli *);
enum status schema_register(struct cli *);
enum status schema_check(struct cli *);
enum status schema_diff(struct cli *);
enum status schema_delete(struct cli *);
enum status schema_compat(struct cli *);
enum status schema_mode(struct cli *);
enum status schema_export(struct cli *);
enum status schema_import(struct cli *);

/* The names of levels and modes, for the command line; ended by NULL. */
extern const char *const schema_levels[], *const schema_modes[];

#endif
