/*
 * drive.h -- clients that do what some bytes say, and a judge.
 *
 * The bytes choose the events: joins in all forms, syncs, heartbeats, commits,
 * leaves, lost connections, administrators, time.  After every event the
 * invariants hold, each token is answered at most once and with what it asked
 * for; in the end, when time goes by and nobody does anything, every token was
 * answered and nobody is a member any more.  Whatever is wrong ends the
 * process.  Some of the clients speak the newer protocol (drive_consumers.c).
 */
#ifndef COORD_DRIVE_H
#define COORD_DRIVE_H

#include <stddef.h>
#include <stdint.h>

void drive(const uint8_t *bytes, size_t n);

#endif
