/* listen.h -- a socket in the file system that the web server connects to. */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

/*
 * Makes a unix socket at the path that listens, with mode 0660 and not blocking.  A
 * socket that a dead process has left there is taken over.  -1, with a line in the
 * log, when that can't be done or another process listens there.  Changes the umask
 * for a moment, so it is called while there is one thread.
 */
int listen_open(const char *path);

/*
 * No more connections: the path is removed, new connections are refused, and those
 * that wait to be accepted can still be; who waits for them is woken.  The descriptor
 * stays open.
 */
void listen_stop(int fd, const char *path);

#endif
