#!/usr/bin/python3
"""registry_hang_test.py -- a registry that is there and does not answer: nginx asks the other one, which goes on
writing; and what the first was asked meanwhile it leaves alone when it goes on."""
import contextlib
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import registry_site
from claims import freeze, same, until

INT, LONG, FLOAT = '"int"', '"long"', '"float"'


def good(answer, value=None):
    same(answer.status, 200, f"status of {answer}")
    if value is not None:
        same(answer.json, value, "answer")
    return answer.json


def count(registry, pattern):
    """The sum of a process's counters."""
    told = registry.ask("GET", "/-/metrics").body.decode()
    return sum(int(n) for n in re.findall(rf"^{pattern} (\d+)$", told, re.M))


def writes(registry):
    return count(registry, "weir_registry_writes") == 1


def passed_by(site, socket):
    """How often nginx has waited for this one in vain."""
    with open(os.path.join(site.folder, "nginx.log"), errors="replace") as log:
        return sum("upstream timed out" in line and f'/{socket}"' in line for line in log)


@contextlib.contextmanager
def stopped(registry):
    freeze(registry.process)
    try:
        yield
    finally:
        registry.process.send_signal(signal.SIGCONT)


def test_a_writer_that_hangs_is_passed_by(site):
    first, second = site.registries()
    good(site.ask("PUT", "/config", {"compatibility": "NONE"}))
    good(site.register("s", INT))
    good(site.register("t", INT))
    same((writes(first), writes(second)), (True, False), "who writes")
    with stopped(first):
        # The first is asked this, and then the second, which does it.
        good(site.ask("DELETE", "/subjects/s", seconds=20), [1])
        same(writes(second), True, "whether the other one writes")
        # What comes behind goes straight there.
        same(good(site.register("s", INT))["version"], 2)
        good(site.ask("PUT", "/config/t", {"compatibility": "FULL"}))
        same(good(site.register("u", LONG))["id"], 2)
        same(passed_by(site, "registry-1-writes.sock"), 1, "writes that nginx has waited for in vain")
        # Questions, too, some of which are POSTs.
        for _ in range(4):
            good(site.ask("GET", "/subjects"), ["s", "t", "u"])
            good(site.ask("POST", "/subjects/u", {"schema": LONG}))
            good(site.ask("POST", "/compatibility/subjects/t/versions", {"schema": FLOAT}), {"is_compatible": False})
        same(passed_by(site, "registry-1.sock"), 1, "questions that nginx has waited for in vain")
    # 3xx: it was handed on.
    until("the first has come to what it was asked",
          lambda: count(first, r'weir_http_requests_total\{.*route="subjects.delete",class="[245]xx"\}') > 0)
    for registry in first, second:
        good(registry.ask("GET", "/subjects/s/versions"), [2])
    same((writes(second), count(second, "weir_registry_takeovers_total")), (True, 1), "who writes")


def test_the_other_way_round(site):
    """The first is back, and its absence not forgotten yet when the second hangs."""
    first, second = site.registries()
    with stopped(second):
        same(good(site.register("v", FLOAT))["id"], 3)
        for _ in range(4):
            good(site.ask("GET", "/subjects/v/versions"), [1])
    until("both know it", lambda: all(r.ask("GET", "/schemas/ids/3").status == 200 for r in (first, second)))


def test_the_second_may_go_as_soon_as_the_first_is_back(site):
    """nginx has not forgotten that the first was away, and asks it all the same."""
    site.writer.kill()
    same(good(site.register("w", INT))["version"], 1)
    site.restart_writer()
    site.reader.kill()
    same(good(site.register("w", LONG))["version"], 2)
    for _ in range(4):
        good(site.ask("GET", "/subjects/w/versions"), [1, 2])
    site.restart_reader()


class Site(registry_site.Site):
    """Both may write, and nobody waits for long; longer than it takes to take over, also where the machine has much to do."""
    both_write = True
    nginx_values = ("REGISTRY_TIMEOUT=3s",)

    def registries(self):
        return self.writer, self.reader

    def restart_reader(self):
        self.reader = registry_site.Registry(self, 2, writes=True)
        self.reader.await_ready()


if __name__ == "__main__":
    registry_site.main(globals(), Site())
