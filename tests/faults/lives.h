/*
 * lives.h -- what simulations share: lives as processes that end as a crash
 * would end them, chance, the folder of LMDB's files, and the program around it.
 *
 * The history lies in memory that the lives share.  A life that sees a promise
 * broken says so and ends with SIM_BROKEN.
 */
#ifndef FAULTS_LIVES_H
#define FAULTS_LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* How a life ends: as it was told to, because the store failed, or badly. */
enum { SIM_FINE = 0, SIM_FAILED = EXIT_FAILURE, SIM_BROKEN = 3, SIM_NOT_OPENED = 4, SIM_SIGNAL = 256 };

/* ---- chance: of this process, so that a life's own begins when it is seeded there ---- */

void chance_begin(uint64_t seed);
size_t below(size_t n);
bool one_in(size_t n);

/* ---- lives ---- */

/* Memory, zeroed, that lives share. */
void *lives_memory(size_t n);

/* Runs a life in a child; how it ended (FAKE_CUT_STATUS: cut), SIM_SIGNAL + n: by signal n. */
int lives_run(void (*live)(const void *plan), const void *plan);

/* Ends the life: a promise is broken. */
_Noreturn void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- the folder ---- */

/* Where the store is said to lie, and where LMDB's files really lie. */
const char *sim_dir(void);

/* LMDB's file, between two lives: deletes it, keeps a copy, brings the copy back. */
void lives_index_delete(void);
void lives_index_keep(void);
bool lives_index_bring_back(void);
/* Whether the next start will make the index anew, since it finds the mark of a death. */
bool lives_index_marked(void);

/* ---- a program ---- */

/*
 * A whole program, NAME [-v] [A [B]]: makes the store's folder, runs, ends with
 * the counts of sim_judge().  -v lets the daemon's lines through.  Returns the
 * exit status.
 */
struct sim_program {
	const char *name;
	uint64_t a, b;           /* what the arguments are when they are not given */
	void (*run)(uint64_t a, uint64_t b);
};
int sim_main(const struct sim_program *, int argc, char **argv);
/* Whether -v was given. */
bool sim_verbose(void);

/* Counts one history. */
void sim_judge(bool ok);
/* How many were counted, and of these were broken. */
uint64_t sim_judged(void);
uint64_t sim_judged_broken(void);
/* Whether a life of a history ended as it was told to, or was cut where it may be; else says so. */
bool sim_fine(uint64_t seed, int life, int status, bool cut);
/* Says which history a life was of that ended as it should not; returns false. */
bool sim_blame(int status, const char *what, int64_t at, uint64_t seed);

#endif
