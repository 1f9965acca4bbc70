/*
 * trivial.c -- the least that a FastCGI program can do: it drains the body of each
 * request, and answers so many bytes of JSON.  What Weir's apps are measured beside.
 *
 *	trivial SOCKET THREADS BYTES
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 1024, PIECE = 16384 };

static int listener;
static char *answer; /* head and body */
static int answer_n;

static void
drain(FCGX_Stream *in)
{
	char piece[PIECE];

	while (FCGX_GetStr(piece, sizeof piece, in) == (int)sizeof piece)
		continue;
}

static void *
serve(void *unused)
{
	FCGX_Request request;

	(void)unused;
	FCGX_InitRequest(&request, listener, 0);
	while (FCGX_Accept_r(&request) == 0) {
		drain(request.in);
		FCGX_PutStr(answer, answer_n, request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

/* An answer whose body is a JSON string of so many bytes. */
static void
make_answer(size_t n)
{
	size_t room = n + 128;
	int head;

	answer = malloc(room);
	if (answer == NULL)
		exit(EXIT_FAILURE);
	head = snprintf(answer, room, "Status: 200\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
	memset(answer + head, 'x', n);
	answer[head] = answer[(size_t)head + n - 1] = '"';
	answer_n = head + (int)n;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	long n = argc == 4 ? atol(argv[3]) : 0;

	if (n < 2) {
		fprintf(stderr, "usage: trivial SOCKET THREADS BYTES\n");
		return EXIT_FAILURE;
	}
	make_answer((size_t)n);
	if (FCGX_Init() != 0 || (listener = FCGX_OpenSocket(argv[1], BACKLOG)) < 0)
		return EXIT_FAILURE;
	for (int i = 1; i < atoi(argv[2]); i++)
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return EXIT_FAILURE;
	serve(NULL);
	return EXIT_FAILURE;
}
