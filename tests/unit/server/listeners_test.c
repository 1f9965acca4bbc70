/* listeners_test.c -- where clients are let in and what they are told. */
#include "server/listeners.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

/* One line per listener: name, where it listens, what it advertises; or the reason. */
static const char *
shown(const char *listeners, const char *advertised)
{
	static char text[4096];
	struct listener_spec specs[LISTENERS_MAX];
	char why[480] = "";
	size_t n = 0;
	int count = listeners_parse(listeners, specs, why, sizeof why);

	text[0] = '\0';
	if (count == -1 || listeners_advertise(specs, count, advertised, why, sizeof why) == -1) {
		snprintf(text, sizeof text, "%s", why);
		return text;
	}
	for (int i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s %s %d, %s %d;", specs[i].name,
		    specs[i].host, specs[i].port, specs[i].advertised_host,
		    specs[i].advertised_port);
	return text;
}

#define SHOWS(listeners, advertised, text) \
	CU_ASSERT_STRING_EQUAL(shown(listeners, advertised), text)
#define REFUSES(listeners, advertised, part) \
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(listeners, advertised), part))

static void
listener_advertises_itself(void)
{
	SHOWS("PLAINTEXT://127.0.0.1:9092", NULL, "PLAINTEXT 127.0.0.1 9092, 127.0.0.1 9092;");
	SHOWS("PLAINTEXT://localhost:0", NULL, "PLAINTEXT 127.0.0.1 0, 127.0.0.1 0;");
	SHOWS("PLAINTEXT://[::1]:9092", "", "PLAINTEXT ::1 9092, ::1 9092;");
}

static void
several_listeners_advertise_by_name(void)
{
	SHOWS(" PLAINTEXT://127.0.0.1:9092 , LAN://:9093,V6://[fe80::1]:9094 ",
	    "LAN://weir.example.org:19093 , V6://[2001:db8::1]:0",
	    "PLAINTEXT 127.0.0.1 9092, 127.0.0.1 9092;"
	    "LAN 0.0.0.0 9093, weir.example.org 19093;"
	    "V6 fe80::1 9094, 2001:db8::1 0;");
}

static void
address_of_everything_needs_an_advertised_one(void)
{
	REFUSES("PLAINTEXT://0.0.0.0:9092", NULL, "add PLAINTEXT://NAME-OF-THIS-MACHINE:9092");
	REFUSES("PLAINTEXT://:9092", NULL, "is on every address");
	REFUSES("PLAINTEXT://[::]:9092", NULL, "is on every address");
	REFUSES("PLAINTEXT://[::]:9092", "PLAINTEXT://0.0.0.0:9092", "is no address that a client");
	REFUSES("PLAINTEXT://[::]:9092", "PLAINTEXT://:9092", "is no address that a client");
	SHOWS("PLAINTEXT://[::]:9092", "PLAINTEXT://here:1", "PLAINTEXT :: 9092, here 1;");
}

static void
mistakes_in_listeners_are_explained(void)
{
	REFUSES("", NULL, "there is none");
	REFUSES(" ", NULL, "there is none");
	REFUSES("127.0.0.1:9092", NULL, "does not begin with a name");
	REFUSES("plaintext://127.0.0.1:9092", NULL, "the name in capitals");
	REFUSES("://127.0.0.1:9092", NULL, "does not begin with a name");
	REFUSES("SSL://127.0.0.1:9092", NULL, "let nginx in front speak TLS");
	REFUSES("SASL_PLAINTEXT://127.0.0.1:9092", NULL, "not spoken here");
	REFUSES("PLAINTEXT://127.0.0.1", NULL, "has no port");
	REFUSES("PLAINTEXT://127.0.0.1:", NULL, "no port from 0 to 65535");
	REFUSES("PLAINTEXT://127.0.0.1:65536", NULL, "no port from 0 to 65535");
	REFUSES("PLAINTEXT://127.0.0.1:99999999999999999999", NULL, "no port from 0 to 65535");
	REFUSES("PLAINTEXT://127.0.0.1:-1", NULL, "no port from 0 to 65535");
	REFUSES("PLAINTEXT://::1:9092", NULL, "without brackets");
	REFUSES("PLAINTEXT://[::1:9092", NULL, "no end of its IPv6 address");
	REFUSES("PLAINTEXT://example.org:9092", NULL, "in digits");
	REFUSES(
	    "A://127.0.0.1:1,A://127.0.0.1:2", NULL, "\"A://127.0.0.1:2\" has the name of another");
	REFUSES("A://127.0.0.1:1,,B://127.0.0.1:2", NULL, "does not begin with a name");
}

static void
mistakes_in_advertised_listeners_are_explained(void)
{
	REFUSES("A://127.0.0.1:1", "B://here:1", "has a name that no listener has");
	REFUSES("A://127.0.0.1:1", "A://here:1,A://there:1", "is the second");
	REFUSES("A://127.0.0.1:1", "here:1", "does not begin with a name");
}

static void
sixteen_listeners_are_the_most(void)
{
	char text[1024];
	size_t n = 0;

	for (int i = 0; i <= LISTENERS_MAX; i++)
		n += (size_t)snprintf(
		    text + n, sizeof text - n, "%sL%d://127.0.0.1:%d", i == 0 ? "" : ",", i, i);
	REFUSES(text, NULL, "is one too many");
	*strrchr(text, ',') = '\0';
	REFUSES(text, NULL, "L15 127.0.0.1 15, 127.0.0.1 15;");
}

static void
long_names_are_refused(void)
{
	char text[600];

	memset(text, 'A', sizeof text);
	memcpy(text + 64, "://127.0.0.1:1", 15);
	REFUSES(text, NULL, "does not begin with a name");
	memset(text, 'a', sizeof text);
	memcpy(text, "A://", 4);
	memcpy(text + 4 + 256, ":1", 3);
	REFUSES("A://127.0.0.1:1", text, "more than 255 letters");
}

const struct unit_test listeners_tests[] = {
	UNIT(listener_advertises_itself),
	UNIT(several_listeners_advertise_by_name),
	UNIT(address_of_everything_needs_an_advertised_one),
	UNIT(mistakes_in_listeners_are_explained),
	UNIT(mistakes_in_advertised_listeners_are_explained),
	UNIT(sixteen_listeners_are_the_most),
	UNIT(long_names_are_refused),
	UNIT_END,
};
