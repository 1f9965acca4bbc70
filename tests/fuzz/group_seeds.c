/*
 * group_seeds.c -- a corpus for group_fuzz.c: what groups go through, in the
 * bytes that tests/unit/coord/drive.c reads.
 *
 *	group_seeds DIRECTORY
 */
#include <stdlib.h>

#include "fuzz/seeds.h"

/* The first byte: how the groups are configured. */
enum { PLAIN = 0, DELAYED = 1, SMALL = 2 };

/* Then events: whose (0 to 7) and which, with what follows each. */
#define BY(client, event) (client) << 5 | (event)
#define JOIN(client)            BY(client, 0), 0x40, 0x01 /* 6 s of session, one protocol */
#define JOIN_AGAIN(client)      BY(client, 0), 0x41, 0x01 /* with its member id */
#define JOIN_MANY(client, list) BY(client, 0), 0x48, list
#define JOIN_ID(client)         BY(client, 0), 0x40, 0x81 /* knows that an id is to be asked for */
#define JOIN_AGAIN_ID(client)   BY(client, 0), 0x41, 0x81
#define JOIN_STATIC(client)     BY(client, 0), 0x40, 0xc1
#define JOIN_CONNECT(client)    BY(client, 0), 0x46, 0x01
#define SYNC(client)            BY(client, 4), 0x00
#define SYNC_OLD(client)        BY(client, 4), 0x07
#define BEAT(client)            BY(client, 7)
#define LEAVE(client)           BY(client, 9), 0x00
#define LEAVE_BOTH(client, other) BY(client, 9), 0x80 | (other)
#define COMMIT(client)          BY(client, 10), 0x45
#define COMMIT_SIMPLE(client)   BY(client, 10), 0x40
#define COMMIT_STATIC(client)   BY(client, 10), 0x47
#define FORGET(request)         BY(0, 11), request
#define DELETE(client)          BY(client, 12), 0
#define NO_OFFSETS(client)      BY(client, 12), 1
#define DESCRIBE(client)        BY(client, 12), 3
/* The newer protocol: with a byte of subscription, or of how. */
#define NEWER(client, event) BY(client, 0x10 | (event))
#define ENTER(client, topics) NEWER(client, 0), topics
#define BEATS(client, how)   NEWER(client, 8), how /* 1 says what it owns, 2 gives up, 4 subscribes, 8 is lost */
#define LEAVES(client)       NEWER(client, 3)
#define AWAY(client)         NEWER(client, 4)
#define TOPIC(topic, n)      NEWER(0, 5), (n) << 2 | (topic)
#define LOOK(client)         NEWER(client, 7), 0
#define WAIT(n)                 BY(0, 13), n /* so many times 400 ms */
#define TICK(n)                 BY(0, 14), n /* 20 ms */

#define SEED(...) span_of((const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

int
main(int argc, char **argv)
{
	const char *dir = seeds_folder(argc, argv);
	const struct {
		const char *name;
		struct span bytes;
	} seeds[] = {
		{ "one", SEED(PLAIN, JOIN(0), SYNC(0), BEAT(0), COMMIT(0), DESCRIBE(0), LEAVE(0), COMMIT_SIMPLE(0),
		    NO_OFFSETS(0), DELETE(0)) },
		{ "three-meet", SEED(DELAYED, JOIN(0), JOIN(1), JOIN(3), WAIT(20), SYNC(1), SYNC(3), SYNC(0),
		    BEAT(0), BEAT(1), BEAT(3), COMMIT(1), DESCRIBE(0), LEAVE_BOTH(0, 3), LEAVE(1)) },
		{ "one-comes-later", SEED(PLAIN, JOIN(0), SYNC(0), JOIN(1), BEAT(0), JOIN_AGAIN(0), SYNC(0), SYNC(1),
		    BEAT(0), BEAT(1), LEAVE(0), BEAT(1), JOIN_AGAIN(1), SYNC(1)) },
		{ "ids-are-asked-for", SEED(PLAIN, JOIN_ID(0), JOIN_AGAIN_ID(0), SYNC(0), JOIN_ID(1), WAIT(20),
		    JOIN_AGAIN_ID(1), JOIN_AGAIN_ID(0)) },
		{ "static", SEED(PLAIN, JOIN_STATIC(2), SYNC(2), COMMIT_STATIC(2), JOIN_STATIC(4), SYNC(4), BEAT(2),
		    JOIN_STATIC(5), JOIN_STATIC(4), SYNC(4), SYNC(5), LEAVE(5)) },
		{ "silence", SEED(DELAYED, JOIN(0), JOIN(1), WAIT(10), SYNC(0), SYNC(1), WAIT(10), BEAT(0), WAIT(10),
		    BEAT(0), JOIN_AGAIN(0), SYNC(0), WAIT(255)) },
		{ "leader-never-assigns", SEED(DELAYED, JOIN(0), JOIN(1), WAIT(10), SYNC(1), WAIT(60), JOIN_AGAIN(1),
		    SYNC(1), TICK(100)) },
		{ "late-for-the-round", SEED(PLAIN, JOIN(0), SYNC(0), JOIN(1), WAIT(10), BEAT(0), WAIT(20), SYNC(1),
		    SYNC_OLD(1), JOIN_AGAIN(0)) },
		{ "protocols", SEED(PLAIN, JOIN_MANY(0, 0x13), SYNC(0), JOIN_MANY(1, 0x05), JOIN_MANY(3, 0x23), 3, 'a', 'b',
		    'c', 2, 'd', 'e', 0, JOIN_CONNECT(5), JOIN_AGAIN(0), SYNC(0), SYNC(1)) },
		{ "full", SEED(SMALL, JOIN(0), JOIN(1), JOIN(2), JOIN(3), JOIN(5), JOIN(6), WAIT(20), SYNC(0), SYNC(6)) },
		{ "connections-lost", SEED(DELAYED, JOIN(0), JOIN(1), FORGET(0), FORGET(1), WAIT(30), JOIN(0), SYNC(0),
		    JOIN(1), FORGET(1), WAIT(30)) },
		{ "newer-share", SEED(PLAIN, TOPIC(0, 7), TOPIC(1, 3), ENTER(0, 3), ENTER(1, 1), BEATS(0, 1), BEATS(0, 3),
		    BEATS(1, 1), LOOK(0), ENTER(3, 3), BEATS(0, 3), BEATS(0, 3), BEATS(1, 3), BEATS(1, 11), BEATS(1, 3),
		    BEATS(3, 3), LEAVES(0), BEATS(1, 3), BEATS(3, 3), WAIT(30)) },
		{ "newer-static", SEED(PLAIN, TOPIC(0, 4), ENTER(2, 1), ENTER(4, 1), AWAY(2), ENTER(0, 1), ENTER(4, 1), BEATS(4, 3),
		    BEATS(0, 3), BEATS(4, 3), AWAY(4), WAIT(30), BEATS(0, 3)) },
		{ "newer-topics", SEED(PLAIN, TOPIC(0, 2), ENTER(0, 0x90), ENTER(1, 0x93), TOPIC(2, 4), BEATS(0, 1), TOPIC(0, 3),
		    BEATS(1, 1), NEWER(0, 5), 0, BEATS(0, 3), BEATS(1, 3), BEATS(0, 5), 2, BEATS(1, 5), 0xe1, BEATS(0, 3), BEATS(1, 3)) },
		{ "newer-and-classic", SEED(PLAIN, TOPIC(0, 2), JOIN(6), SYNC(6), ENTER(6, 1), LEAVE(6), ENTER(6, 1), JOIN(6),
		    BEATS(6, 3), LEAVES(6), JOIN(6)) },
		{ "newer-in-vain", SEED(SMALL, TOPIC(1, 7), ENTER(0, 2), ENTER(1, 2), ENTER(3, 2), ENTER(6, 2), ENTER(7, 2), BEATS(0, 0x71),
		    ENTER(1, 0x70), WAIT(8), BEATS(0, 1), WAIT(20), BEATS(0, 1)) },
		{ "offsets-alone", SEED(PLAIN, COMMIT_SIMPLE(0), COMMIT_SIMPLE(6), DESCRIBE(0), NO_OFFSETS(0), DELETE(6),
		    BY(0, 12), 2, 2, 'x', 'y') },
	};

	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
		seeds_write(dir, seeds[i].name, seeds[i].bytes);
	return EXIT_SUCCESS;
}
