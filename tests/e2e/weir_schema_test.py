#!/usr/bin/python3
"""weir_schema_test.py -- the command line `weir schema` against registries behind nginx: each command in words
and as JSON, its statuses, and a whole registry that is exported from one and imported into another."""
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import registry_site
from claims import same, until

WEIR = os.path.join(os.path.dirname(os.environ["WEIR_LOGD"]), "weir")


class Sites:
    """Two registries: .one has what the tests before have left there, .two is empty until something is imported."""

    def __init__(self):
        self.one, self.two = registry_site.Site(), registry_site.Site()

    def path(self, name):
        return os.path.join(self.one.folder, name)


def url_of(site):
    return f"http://127.0.0.1:{site.port}"


def weir(where, *words, given=None, env=None):
    """Runs `weir schema`; (status, standard output, standard error)."""
    environment = {**os.environ, "WEIR_REGISTRY_URL": where if isinstance(where, str) else url_of(where), **(env or {})}
    done = subprocess.run([WEIR, "schema", *words], input=given, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def good(where, *words, given=None):
    """Its output, which must be all that it says."""
    status, out, err = weir(where, *words, given=given)
    same((status, err), (0, ""), f"weir schema {' '.join(words)}: {out}")
    return out


def refused(status, words, where, *command, given=None):
    """Asserts its status, and that it says these words and prints nothing; returns what it says."""
    got, out, err = weir(where, *command, given=given)
    same((got, out), (status, ""), f"weir schema {' '.join(command)}: {err}")
    if words not in err:
        raise AssertionError(f"{command}: wanted {words!r}, got {err!r}")
    return err


def record(*fields, name="Person"):
    return json.dumps({"type": "record", "name": name, "namespace": "x", "fields": list(fields)}, separators=(",", ":"))


def field(name, kind="int", **more):
    return {"name": name, "type": kind, **more}


# ---- one registry ----

def test_schemas_are_registered_and_got(sites):
    one = sites.one
    same(good(one, "list"), "SUBJECT  VERSION  ID  TYPE\n")
    first, second = record(field("a")), record(field("a"), field("b", default=1))
    same(good(one, "register", "person", "-", given=first), "person: version 1, id 1\n")
    same(good(one, "register", "person", "-", given=first), "person: version 1, id 1\n")
    with open(sites.path("second"), "w") as f:
        f.write(second)
    same(json.loads(good(one, "register", "person", sites.path("second"), "--json")),
         {"subject": "person", "version": 2, "id": 2, "schemaType": "AVRO"})
    same(good(one, "register", ":.ctx:a/b c", "-", given='"int"'), ":.ctx:a/b c: version 1, id 1\n")
    same(good(one, "list"), "SUBJECT      VERSION  ID  TYPE\n:.ctx:a/b c  1        1   AVRO\nperson       2        2   AVRO\n")
    same(good(one, "list", ":.ctx:"), "SUBJECT      VERSION  ID  TYPE\n:.ctx:a/b c  1        1   AVRO\n")
    same(json.loads(good(one, "list", "per", "--json")),
         [{"subject": "person", "version": 2, "id": 2, "schemaType": "AVRO", "deleted": False}])
    text = good(one, "get", "person")
    same(json.loads(text), json.loads(second))
    same(text.splitlines()[:3], ["{", '  "type": "record",', '  "name": "Person",'])
    for words in ["person:1"], ["--id", "1"], ["person:1", "--resolved"]:
        same(json.loads(good(one, "get", *words)), json.loads(first), str(words))
    same(good(one, "get", ":.ctx:a/b c:latest"), '"int"\n')
    same(good(one, "get", "--id", "1", ":.ctx:"), '"int"\n')
    same(json.loads(good(one, "get", "person:1", "--json"))["schema"], first)


def test_references_are_written_out(sites):
    one = sites.one
    good(one, "register", "address", "-", given=record(field("street", "string"), name="Address"))
    refused(3, "is not a defined name", one, "register", "user", "-", given=record(field("at", "x.Address"), name="User"))
    good(one, "register", "user", "-", "--reference", "x.Address=address:latest", given=record(field("at", "x.Address"), name="User"))
    same(json.loads(good(one, "get", "user"))["fields"][0]["type"], "Address")
    same(json.loads(good(one, "get", "user", "--resolved"))["fields"][0]["type"]["name"], "Address")


def test_compatibility_is_told_in_words(sites):
    one = sites.one
    fine, broken = record(field("a"), field("c", default=1)), record(field("a", "string"), field("c"))
    same(good(one, "check", "person", "-", given=fine), "compatible with person\n")
    same(good(one, "check", "person:1", "-", given=fine), "compatible with version 1 of person\n")
    same(good(one, "check", "nobody", "-", given=fine), "compatible: nobody has no versions yet\n")
    same(good(one, "check", "person", "-", "--json", given=fine), '{"compatible":true}\n')
    words = """not compatible with version 2 of person (BACKWARD):
  Person.a: it is string now, and int in version 2, which string can't read: keep the type, or add a field of another name, with a default
  Person.c: the new schema has this field, version 2 has not, and it has no default: give it one
"""
    for command in ["check", "person", "-"], ["register", "person", "-"]:
        same(weir(one, *command, given=broken), (1, words, ""))
    status, out, _ = weir(one, "check", "person", "-", "--json", given=broken)
    told = json.loads(out)
    same((status, told["compatible"], told["level"], told["version"]), (1, False, "BACKWARD", 2))
    same([(r["type"], r["path"]) for r in told["reasons"]],
         [("TYPE_MISMATCH", "Person.a"), ("READER_FIELD_MISSING_DEFAULT_VALUE", "Person.c")])
    # What is no schema is refused, and told, as by register.
    for given in '{"type":"nothing"}', "{" + "x" * 5000, '["int","int"]':
        for target in "person", "person:1", "nobody":
            err = refused(3, "(42201)", one, "check", target, "-", given=given)
            same(err, refused(3, "", one, "register", target.split(":")[0], "-", given=given).replace("register", "check"))
            if len(err) > 300:
                raise AssertionError(err)
    refused(3, "", one, "check", "person", "-", "--json", given="{")


def test_places_in_large_schemas_are_named(sites):
    """The registry tells only the beginning of an old schema that is large, and a place in it when that one reads."""
    one = sites.one
    fields = [field(f"f{i}", "int", doc="x" * 100) for i in range(200)]
    good(one, "register", "large", "-", given=record(*fields))
    good(one, "compat", "large", "FORWARD")
    status, out, _ = weir(one, "check", "large", "-", given="// without one\n" + record(*fields[:150], *fields[151:]))
    same((status, out.splitlines()[1:]), (1, ["  Person.f150: version 1 has this field and no default for it, the new schema has "
                                             "it no more: keep the field, since readers with version 1 need it"]))


def test_versions_are_compared(sites):
    one = sites.one
    same(weir(one, "diff", "person", "1", "latest"),
         (1, "person: version 1 -> 2:\n+  Person.b  field added: int, default 1\n", ""))
    same(weir(one, "diff", "person", "2", "2"), (0, "person: version 2 -> 2: no difference\n", ""))
    status, out, _ = weir(one, "diff", "person", "2", "1", "--json")
    same((status, json.loads(out)),
         (1, {"subject": "person", "from": 2, "to": 1, "changes": [
             {"path": "Person.b", "change": "removed", "what": "field", "from": {"name": "b", "type": "int", "default": 1},
              "text": "field removed: int, default 1"}]}))
    refused(3, "Version 9 not found.", one, "diff", "person", "1", "9")


def test_levels_and_modes_are_shown_and_set(sites):
    one = sites.one
    same(good(one, "compat"), "BACKWARD\n")
    same(good(one, "compat", "person"), "person  BACKWARD  (not set here)\n")
    same(good(one, "compat", "person", "full"), "person  FULL\n")
    same(json.loads(good(one, "compat", "person", "--json")), {"subject": "person", "compatibilityLevel": "FULL", "inherited": False})
    same(good(one, "compat", "person", "--unset"), "person  BACKWARD  (not set here)\n")
    refused(3, "nothing is set for person", one, "compat", "person", "--unset")
    refused(3, "Invalid compatibility level", one, "compat", "person", "sideways")
    same(good(one, "compat", "FULL_TRANSITIVE"), "FULL_TRANSITIVE\n")
    same(good(one, "compat", "--unset"), "BACKWARD\n")
    same(good(one, "mode"), "READWRITE\n")
    same(good(one, "mode", "person", "READONLY"), "person  READONLY\n")
    refused(3, "weir schema mode shows", one, "register", "person", "-", given='"long"')
    same(json.loads(good(one, "mode", "person", "--json")), {"subject": "person", "mode": "READONLY", "inherited": False})
    same(good(one, "mode", "person", "--unset"), "person  READWRITE  (not set here)\n")
    refused(3, "Cannot import since found existing subjects", one, "mode", "person", "IMPORT")


def test_deletion_tells_how_to_undo_it(sites):
    one = sites.one
    for text in '"int"', '"long"':
        good(one, "register", "gone", "-", given=text)
    refused(3, "delete it without --permanent first", one, "delete", "gone:2", "--permanent")
    out = good(one, "delete", "gone:2")
    same(out.splitlines()[0], "deleted: gone, version 2")
    undo = out.splitlines()[1].removeprefix("to undo: ").replace("weir schema", f"{WEIR} schema")
    subprocess.run(undo, shell=True, check=True, env={**os.environ, "WEIR_REGISTRY_URL": url_of(one)}, stdout=subprocess.DEVNULL)
    same(json.loads(good(one, "delete", "gone", "--json")), {"subject": "gone", "permanent": False, "versions": [1, 3]})
    refused(3, "it is deleted already", one, "delete", "gone")
    refused(3, "Subject 'gone' not found.", one, "get", "gone")
    same(good(one, "get", "gone:3", "--deleted"), '"long"\n')
    same([(s["subject"], s["version"], s["deleted"]) for s in json.loads(good(one, "list", "gone", "--deleted", "--json"))],
         [("gone", 3, True)])
    if not good(one, "list", "gone", "--deleted").endswith("  AVRO  deleted\n"):
        raise AssertionError("the list does not tell what is deleted")
    status, out, err = weir(one, "delete", "gone", "--permanent")
    same((status, out), (0, "removed for good: gone, versions 1, 3\n"))
    if "removing for good: gone, 1, 3" not in err:
        raise AssertionError(err)


# ---- what goes wrong ----

def test_mistakes_are_told(sites):
    one = sites.one
    for words, command in [("which command?", []), ("there is no command lst", ["lst"]), ("a word is missing", ["diff", "a", "1"]),
                           ("b: this word is too much", ["delete", "a", "b"]), ("--id is for other commands", ["list", "--id", "1"]),
                           ("--nothing", ["list", "--nothing"]), ("which? Name a subject", ["get"]), ("--id x", ["get", "--id", "x"]),
                           ("write NAME=SUBJECT:VERSION", ["register", "a", "-", "--reference", "x=y"]),
                           ("/nowhere can't be opened", ["register", "a", "/nowhere"]),
                           ("/dev/null is empty", ["register", "a", "/dev/null"]), ("/dev/null is empty", ["check", "a", "/dev/null"]),
                           ("no such file".capitalize(), ["import", "/nowhere"]), ("--unset takes no FULL", ["compat", "FULL", "--unset"])]:
        refused(2, words, one, *command)
    refused(2, "write http://host:port", "localhost:8081", "list")
    # Who has not said what to do, or misspelt it, sees what there is to do.
    for command in [], ["lst"]:
        said = refused(2, "weir schema COMMAND --help tells more", one, *command).splitlines()
        same([line.split()[0] for line in said[2:-1]], ["list", "get", "register", "check", "diff", "delete", "compat", "mode",
                                                        "export", "import"])


def test_a_registry_that_is_away_is_named(sites):
    port, = claims.free_ports(1)
    away = f"http://127.0.0.1:{port}"
    refused(4, f"{away} can't be reached", away, "list")
    # The next one is asked.
    good(f"{away},{url_of(sites.one)}", "list")
    refused(3, "is the URL right?", f"{url_of(sites.one)}/elsewhere", "register", "a", "-", given='"int"')


@contextlib.contextmanager
def guarded(site, more=""):
    """An nginx before the registry that wants user and password; where it answers.  `more` is of its configuration."""
    port, = claims.free_ports(1)
    folder = os.path.join(site.folder, "guard")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "users"), "w") as f:
        f.write("me:{PLAIN}p%ss\n")
    with open(os.path.join(folder, "nginx.conf"), "w") as f:
        f.write(f"""daemon off; pid {folder}/pid; {"user root;" if os.getuid() == 0 else ""}
events {{ }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
server {{ listen 127.0.0.1:{port}; auth_basic registry; auth_basic_user_file {folder}/users; {more}
location / {{ proxy_pass {url_of(site)}; }} }} }}
""")
    with open(os.path.join(folder, "log"), "ab") as log:
        nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-e", "stderr", "-p", folder,
                                  "-c", os.path.join(folder, "nginx.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until("nginx answers", lambda: weir(f"http://127.0.0.1:{port}", "mode")[0] == 3)
        yield f"127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.wait(30)


def test_who_asks_is_told(sites):
    with guarded(sites.one) as place:
        refused(3, "name who asks with --user", f"http://{place}", "list")
        refused(3, "name who asks with --user", f"http://me:wrong@{place}", "list")
        good(f"http://me:p%25ss@{place}", "list")
        good(f"http://{place}", "list", "--user", "me:p%ss")
        err = refused(3, "401", f"http://me:p%25sss@{place}", "get", "a")
        if "p%" in err:
            raise AssertionError(err)


def test_certificates_are_looked_at(sites):
    url = f"https://localhost:{sites.one.tls_port}"
    refused(4, "schema.registry.ssl.ca.location", url, "list")
    good(url, "list", "--cacert", os.path.join(sites.one.folder, "tls.crt"))
    refused(2, "ssl.ca.location", url, "list", "--cacert", "/nowhere")


# ---- completion ----

def complete(site, *words):
    done = subprocess.run([WEIR, "--complete", *words], env={**os.environ, "WEIR_REGISTRY_URL": url_of(site)}, text=True,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.split("\n")[:-1]


def test_words_are_completed(sites):
    one = sites.one
    same(complete(one, ""), ["schema"])
    same(complete(one, "schema", "ex"), ["export"])
    same(complete(one, "schema", "get", "per"), ["person"])
    same(complete(one, "--json", "-u", url_of(one), "schema", "get", ":.ctx:"), [":.ctx:a/b c"])
    same(complete(one, "schema", "list", "--de"), ["--deleted"])
    same(complete(one, "schema", "compat", "person", "FULL"), ["FULL", "FULL_TRANSITIVE"])
    same(complete(one, "schema", "register", "x", "y", "--type", "A"), ["AVRO"])
    same(complete(one, "schema", "register", "x", ""), [])
    script = os.path.join(registry_site.TOP, "clients/weir/bash-completion/weir")
    for line, wanted in [("weir schema get :.ct", ".ctx:a/b c"), ("weir schema get :.ctx:a", "a/b c"), ("weir schema di", "diff")]:
        commands = (f'. {script}; weir() {{ {WEIR} "$@"; }}; COMP_LINE="{line}" COMP_POINT={len(line)} COMP_WORDBREAKS=" :"; _weir; '
                    'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", commands], env={**os.environ, "WEIR_REGISTRY_URL": url_of(one)}, text=True,
                              stdout=subprocess.PIPE, check=True)
        same(done.stdout, wanted + "\n", line)


# ---- export and import ----

def without(names, entity):
    return {k: v for k, v in entity.items() if k not in names}


def associate(site, topic, *associations, namespace="lkc"):
    answer = site.ask("POST", "/associations", {"resourceName": topic, "resourceNamespace": namespace, "resourceId": f"id-{topic}",
                                                "associations": associations})
    same(answer.status, 200, str(answer))


# What has settings and no versions: other names for a subject, and (as far as such a name tells of it) what a name is for.
UNVERSIONED = ["nick", ":.z:nick", ":.z:", ":.ctx:other", ":.ctx:beyond", ":.ctx:behind"]


def everything(site):
    """All that can be asked of schemas, their settings and associations, less when they were written, and what is given out."""
    ask = site.ask
    schemas = [without(["ts"], s) for s in ask("GET", "/schemas?subjectPrefix=:*:&deleted=true").json]
    subjects = sorted({s["subject"] for s in schemas})
    places = ["", "/:.ctx:", *("/" + registry_site.segment(s) for s in [*subjects, *UNVERSIONED])]
    associations = [without(["guid", "createTs", "updateTs"], a) for s in subjects if s
                    for a in ask("GET", f"/associations/subjects/{registry_site.segment(s)}").json]
    return schemas, [[ask("GET", f"/{what}{place}").json for place in places] for what in ("config", "mode")], associations


def test_a_registry_is_exported_and_imported(sites):
    one, two, file = sites.one, sites.two, sites.path("export")
    for text in '"int"', '"long"', '"double"':
        good(one, "register", "half", "-", given=text)
    good(one, "delete", "half:2")
    good(one, "register", "whole", "-", given='"bytes"')
    good(one, "delete", "whole")
    registry_site.Site.ask(one, "POST", "/subjects/meta/versions", {
        "schema": '"string"', "metadata": {"properties": {"owner": "me"}, "tags": {"**.x": ["PII"]}}})
    # Frozen ones come with the first schema of their subject; one subject has both, and others have referred to the third.
    key = {"associationType": "key", "schema": {"schema": '"string"'}}
    associate(one, "orders", key, {"schema": {"schema": record(name="R")}})
    associate(one, "same", key, {"schema": {"schema": '"string"'}})
    good(one, "register", ":.lkc:orders-value", "-", given=record(field("a", default=1), name="R"))
    good(one, "delete", ":.lkc:orders-value:1")
    associate(one, "audit", {"subject": "person"})
    associate(one, "bills", {"subject": "person"}, namespace="other")
    associate(one, "places", {"subject": "address", "lifecycle": "STRONG"})
    good(one, "compat", "half", "FULL")
    good(one, "compat", ":.ctx:", "NONE")
    good(one, "mode", "meta", "READONLY")
    good(one, "compat", "FORWARD")
    # Aliases; the second leads to what is an alias itself.
    for name, alias in ("nick", "person"), (":.z:nick", ":.:gone"), (":.z:nick", ":.:person"), (":.ctx:other", "a/b c"):
        same(one.ask("PUT", f"/config/{name}", {"alias": alias}).status, 200)
    same(one.ask("PUT", "/config/:.ctx:a%2Fb%20c", {"alias": "beyond"}).status, 200)
    same(one.ask("PUT", "/config/:.ctx:beyond", {"alias": ":.ctx:behind", "normalize": True}).status, 200)
    good(one, "compat", ":.ctx:behind", "FULL")
    good(one, "mode", "nick", "READONLY")
    good(one, "compat", ":.z:", "NONE")
    # What is set for a subject without a name is set for all.
    same(good(one, "register", "", "-", given='"bytes"').split(",")[0], ": version 1")
    good(one, "register", ":.ctx:", "-", given='"bytes"')
    status, out, err = weir(one, "export", file)
    same((status, out), (0, ""))
    counts = re.fullmatch(r"weir schema export: (\d+) schemas, (\d+) configs, (\d+) modes, (7) associations\n", err)
    with open(file) as f:
        lines = [json.loads(line) for line in f]
    same(lines[0], {"weir-schema-export": 1, "contexts": [".", ".ctx", ".lkc"]})
    for kind in "config", "mode":
        of = [line.get("subject") for line in lines if kind in line]
        same(sorted(filter(None, of)), sorted({*of} - {None}), kind)
        same((of[0], "" in of), (None, False), kind)
    same({*UNVERSIONED} - {line.get("subject") for line in lines}, set())
    same([line["association"] for line in lines if "association" in line][0], {
        "resourceName": "orders", "resourceNamespace": "lkc", "resourceId": "id-orders", "resourceType": "topic",
        "subject": ":.lkc:orders-key", "associationType": "key", "lifecycle": "STRONG", "frozen": True})
    same(list(lines[-1]["end"].values()), [int(n) for n in counts.groups()])
    same(weir(one, "export")[1], "".join(open(file)))

    n = int(counts[1])
    out = good(two, "import", file)
    same(out, f"{n} schemas registered, 0 were there; 3 deleted; 7 associations made, 0 were there; 11 configs and 2 modes set\n")
    same(everything(two), everything(one))
    same(good(two, "mode"), "READWRITE\n")
    there = "0 associations made, 7 were there; 0 configs and 0 modes set\n"
    same(good(two, "import", file), f"0 schemas registered, {n} were there; 0 deleted; {there}")
    # What is there stays, deleted or not, and what is missing comes.
    late = {"schema": {"subject": "late", "version": 3, "id": 1000, "schema": '"null"', "deleted": True}}
    lines[-1]["end"]["schemas"] += 1
    text = "".join(json.dumps(line) + "\n" for line in [*lines[:-1], late, lines[-1]])
    for site in one, two:
        same(good(site, "import", given=text), f"1 schemas registered, {n} were there; 1 deleted; {there}")
    same(everything(two), everything(one))
    same(good(two, "get", "whole:1", "--deleted"), '"bytes"\n')
    same(weir(one, "export", file)[0], 0)
    # Ids go on behind those that were imported.
    id_of = lambda site: json.loads(good(site, "register", "next", "-", "--json", given='"float"'))["id"]
    same(id_of(two), id_of(one))


def test_what_differs_is_told_and_stays(sites):
    one, two, file = sites.one, sites.two, sites.path("export")
    with open(file) as f:
        lines = f.read().splitlines(True)
    other = [line.replace('\\"default\\":1', '\\"default\\":2') for line in lines]
    before = everything(two)
    status, out, err = weir(two, "import", "-", given="".join(other))
    same((status, out), (1, ""))
    for words in "person, version 2: the registry has another schema", "nothing was changed":
        if words not in err:
            raise AssertionError(err)
    same(everything(two), before)
    # An id that is another schema's there.
    good(two, "register", "stranger", "-", given='"boolean"')
    stranger = json.loads(good(two, "get", "stranger", "--json"))["id"]
    taken = json.dumps({"schema": {"subject": "late", "version": 1, "id": stranger, "schema": '"null"', "deleted": False}}) + "\n"
    end = json.loads(lines[-1])
    end["end"]["schemas"] += 1
    refused(1, f"stranger, version 1: its id {stranger} is another schema's in the export", two, "import", "-",
            given="".join([*lines[:-1], taken, json.dumps(end)]))
    good(two, "delete", "stranger")
    refused(1, "stranger, version 1: deleted in the registry and not in the export", two, "import", file)
    weir(two, "delete", "stranger", "--permanent")
    # Nor does anything come where a setting is another.
    more = {"schema": {"subject": "more", "version": 1, "id": 1001, "schema": '"null"', "deleted": False}}
    for kind, subject, is_now, was in ("compat", "half", "NONE", "FULL"), ("mode", "meta", "READWRITE", "READONLY"):
        good(two, kind, subject, is_now)
        refused(1, f"{subject}: the registry has another {'config' if kind == 'compat' else 'mode'}", two, "import",
                given=changed(lines, more, counted=["schemas"]))
        good(two, kind, subject, was)
        same(everything(two), before)
    good(two, "import", file)
    # Nor where it could not come in whole.
    good(two, "mode", "more", "READONLY")
    refused(1, "more: the registry has it in mode READONLY, and something of it is missing", two, "import",
            given=changed(lines, more, counted=["schemas"]))
    good(two, "mode", "more", "--unset")
    same(everything(two), before)


def test_what_is_set_above_all_contexts_comes_along(sites):
    one, two, file = sites.one, sites.two, sites.path("above")
    good(one, "compat", ":.__GLOBAL:", "FULL")
    good(one, "mode", ":.__GLOBAL:", "READONLY")
    good(one, "mode", ":.open:yes", "READWRITE")
    good(one, "register", ":.open:yes", "-", given='"int"')
    refused(3, "read-only", one, "register", ":.unheard:of", "-", given='"int"')
    same(weir(one, "export", file)[0], 0)
    same(good(two, "import", file).split("; ")[-1], "1 configs and 2 modes set\n")
    same(good(two, "import", file).split("; ")[-1], "0 configs and 0 modes set\n")
    for site in one, two:
        same(good(site, "mode", ":.open:yes").split()[-1], "READWRITE")
        good(site, "delete", ":.open:yes")
        same(weir(site, "delete", ":.open:yes", "--permanent")[0], 0)
        same([good(site, kind, ":.__GLOBAL:").split()[-1] for kind in ("compat", "mode")], ["FULL", "READONLY"])
        for kind in "mode", "compat":
            good(site, kind, ":.__GLOBAL:", "--unset")


def test_texts_that_others_spell_otherwise_are_known_again(sites):
    # As Karapace keeps them: with members in order, and else as they came.
    two, file = sites.two, sites.path("export")
    with open(file) as f:
        whole = f.read().splitlines(True)
    texts = ['{"fields":[{"name":"x","type":{"type":"string"}}],"name":"a.Kara","type":"record"}', '{"type":"bytes"}']
    karapace = [{"schema": {"subject": f":.other:kara{i}", "version": 1, "id": 70 + i, "schemaType": "AVRO", "schema": text}}
                for i, text in enumerate(texts)]
    both = changed(whole, *karapace, counted=["schemas", "schemas"])
    same(good(two, "import", given=both).split()[:1], ["2"])
    same(good(two, "import", given=both).split()[:1], ["0"])
    same(good(two, "get", ":.other:kara1"), '"bytes"\n')
    refused(1, ":.other:kara0, version 1: the registry has another schema", two, "import",
            given=changed(whole, *karapace, counted=["schemas", "schemas"], old='\\"x\\",', new='\\"y\\",'))
    for i in range(2):
        good(two, "delete", f":.other:kara{i}")
        same(weir(two, "delete", f":.other:kara{i}", "--permanent")[0], 0)


def changed(lines, *more, counted=None, old=None, new=None):
    """The export with these lines before its last, which counts them, and one text in place of another."""
    end = json.loads(lines[-1])
    for name in counted or []:
        end["end"][name] += 1
    text = "".join([*lines[:-1], *(json.dumps(line) + "\n" for line in more), json.dumps(end) + "\n"])
    return text if old is None else text.replace(old, new)


def test_associations_that_differ_are_told_and_stay(sites):
    two, file = sites.two, sites.path("export")
    with open(file) as f:
        lines = f.read().splitlines(True)
    before = everything(two)
    n = json.loads(lines[-1])["end"]["schemas"]
    wanted = '"subject":"address","associationType":"value","lifecycle":"'
    err = refused(1, "value of topic places in lkc: the registry has another association, with subject address (STRONG)", two, "import",
                  "-", given=changed(lines, old=f"{wanted}STRONG", new=f"{wanted}WEAK"))
    if "in 1 cases, and nothing was changed" not in err:
        raise AssertionError(err)
    same(everything(two), before)
    # What can't be made, and what the registry refuses, keeps nothing else from being imported.
    late = {"schema": {"subject": ":.f:late-value", "version": 1, "id": 1, "schema": '"int"'}}
    frozen = {"association": {"resourceName": "late", "resourceNamespace": "f", "resourceId": "id-late", "resourceType": "topic",
                              "subject": ":.f:late-value", "associationType": "value", "lifecycle": "STRONG", "frozen": True}}
    homeless = {"association": {**frozen["association"], "subject": ":.f:none", "associationType": "key", "lifecycle": "WEAK", "frozen": False}}
    given = changed(lines, late, homeless, counted=["schemas", "associations"])
    status, out, err = weir(two, "import", "-", given=given)
    same((status, out), (1, f"1 schemas registered, {n} were there; 0 deleted; 0 associations made, 7 were there; 0 configs and 0 modes set\n"))
    same(err, "key of topic late in f: No active (non-deleted) version exists for subject ':.f:none' (40907)\n")
    status, out, err = weir(two, "import", "-", "--json", given=changed(lines, late, frozen, counted=["schemas", "associations"]))
    same((status, json.loads(out)), (1, {"registered": 0, "there": n + 1, "deleted": 0, "configs": 0, "modes": 0,
                                         "associations": {"made": 0, "there": 7}, "differences": 1}))
    if "value of topic late in f: it is frozen, and can be made only with the first schema of :.f:late-value" not in err:
        raise AssertionError(err)
    good(two, "delete", ":.f:late-value")
    # A registry that refuses it still takes the schema.
    given = changed(lines, late, frozen, counted=["schemas", "associations"], old='"resourceName": "late"', new='"resourceName": "la/te"')
    weir(two, "delete", ":.f:late-value", "--permanent")
    status, out, err = weir(two, "import", "-", given=given)
    same((status, err), (1, "value of topic la/te in f: The association specified an invalid value for property: 'resourceName', "
                            "detail: illegal character '/' (42212)\n"))
    same(out.split(";")[0], f"1 schemas registered, {n} were there")


def test_schemas_that_are_refused_keep_nothing_else_away(sites):
    """What a registry has stored need not be what another takes."""
    two, file = sites.two, sites.path("export")
    with open(file) as f:
        lines = f.read().splitlines(True)
    n = json.loads(lines[-1])["end"]["schemas"]
    schema = lambda subject, id, text, **more: {"schema": {"subject": subject, "version": 1, "id": id, "schema": text, **more}}
    bad = [schema("bad-avro", 501, "{" + "x" * 3000), schema("bad-type", 502, "{}", schemaType="JSON"),
           schema("bad-user", 503, record(field("a", "x.Bad"), name="User"), references=[{"name": "x.Bad", "subject": "bad-avro", "version": 1}])]
    given = changed(lines, *bad, schema("fine", 504, '"null"'), {"config": {"compatibilityLevel": "NONE"}, "subject": "fine"},
                    counted=["schemas"] * 4 + ["configs"])
    # With the association that should have brought it there are two refusals, each without the text.
    brought = {"association": {"resourceName": "bad", "resourceNamespace": "g", "resourceId": "id-bad", "resourceType": "topic",
                               "subject": ":.g:bad-value", "associationType": "value", "lifecycle": "STRONG", "frozen": True}}
    status, out, err = weir(two, "import", "-", given=changed(lines, schema(":.g:bad-value", 1, "{" + "x" * 3000), brought,
                                                              counted=["schemas", "associations"]))
    same([line.split(": ")[0] for line in err.splitlines()],
         ["value of topic bad in g", ":.g:bad-value, version 1", "weir schema import"], err)
    same((status, max(map(len, err.splitlines())) < 200), (1, True), err)
    for registered, there in (1, n), (0, n + 1):
        status, out, err = weir(two, "import", "-", given=given)
        same((status, out.split("; ")[0]), (1, f"{registered} schemas registered, {there} were there"), err)
        told = err.splitlines()
        for line, words in zip(told, ["bad-avro, version 1: the registry does not take it, with id 501: ",
                                      "bad-type, version 1: the registry does not take it, with id 502: Invalid schema type JSON (42201)",
                                      'bad-user, version 1: the registry does not take it, with id 503: No schema reference found for subject '
                                      '"bad-avro" and version 1 (42201)']):
            if not line.startswith(words) or len(line) > 300:
                raise AssertionError(err)
        same(told[3:], ["weir schema import: 3 schemas were refused, and the rest is there"])
        same(good(two, "compat", "fine"), "fine  NONE\n")
        same(good(two, "mode"), good(sites.one, "mode"))
    same(good(two, "get", "fine", "--json").count('"id":504'), 1)
    status, out, err = weir(two, "import", "-", "--json", given=given)
    same((status, json.loads(out)["differences"]), (1, 3), err)
    good(two, "delete", "fine")
    weir(two, "delete", "fine", "--permanent")
    # What a mode keeps out is told once, before anything comes.
    good(two, "mode", "fine", "READONLY")
    same(refused(1, "fine: the registry has it in mode READONLY", two, "import", "-", given=given).count("READONLY"), 1)
    good(two, "mode", "fine", "--unset")


def test_a_registry_without_associations_gets_the_rest(sites):
    two, file = sites.two, sites.path("export")
    with open(file) as f:
        lines = f.read().splitlines(True)
    old = [line for line in lines if "association" not in json.loads(line)]
    end = json.loads(old.pop())
    del end["end"]["associations"]
    same(len(old), len(lines) - 8)
    with guarded(two, "location /associations { return 404; }") as place:
        where = f"http://me:p%25ss@{place}"
        status, out, err = weir(where, "import", file)
        same((status, err), (1, "weir schema import: the registry has no associations: the 7 of the export are left out\n"))
        same(out.split("; ")[2], "0 associations made, 0 were there")
        status, out, err = weir(where, "export")
        same((status, out.count("association\":{"), out.count('"associations":0')), (0, 0, 1), err)
        # An export of before has none, and does not count them.
        good(where, "import", "-", given="".join([*old, json.dumps(end)]))


def test_what_is_no_export_is_refused(sites):
    two = sites.two
    with open(sites.path("export")) as f:
        lines = f.read().splitlines(True)
    for words, text in [
            ("it is empty", ""), ("line 1: this is no export", "{}\n"), ("line 1: ", "hello"),
            ("another format", '{"weir-schema-export":2}\n'), ("is not whole", "".join(lines[:-1])),
            ("is not whole", "".join([*lines[:3], *lines[4:]])), ("line 2: neither", lines[0] + "{}\n" + lines[-1]),
            ("is in the export twice", lines[0] + lines[1] * 2 + '{"end":{"schemas":2,"configs":0,"modes":0}}\n'),
            ("subject, version, id and schema", lines[0] + '{"schema":{"subject":"a\\u0000b","version":1,"id":1,"schema":"x"}}\n'),
            ("an association has resourceName", lines[0] + '{"association":{"resourceName":"a","resourceNamespace":"b","subject":"s"}}\n'),
            ("is not whole", "".join([*lines[:-2], lines[-1]])),
            ("line 4", lines[0] + '{"end":{"schemas":0,"configs":0,"modes":0}}\n\n{}\n')]:
        refused(2, words, two, "import", "-", given=text)


def test_a_url_that_names_a_context_means_that_context(sites):
    one, two = sites.one, sites.two
    where = f"{url_of(one)}/contexts/.k"
    same(good(where, "register", "a", "-", given='"int"'), "a: version 1, id 1\n")
    good(one, "register", ":.k:b", "-", given='"long"')
    good(one, "register", ":.kk:c", "-", given='"long"')
    subjects = lambda *words: [s["subject"] for s in json.loads(good(*words, "--json"))]
    same(subjects(where, "list"), [":.k:a", ":.k:b"])
    same([good(where, "get", *words) for words in (["a"], [":.k:a"], ["--id", "2"])], ['"int"\n', '"int"\n', '"long"\n'])
    same(subjects(f"{url_of(one)}/contexts/k/", "list", "b"), [":.k:b"])
    same(subjects(f"{where},{where}", "list"), [":.k:a", ":.k:b"])
    same([s for s in subjects(f"{url_of(one)}/contexts/:.:", "list") if s.startswith(":")], [])
    same(subjects(where, "list", ":*:"), subjects(one, "list"))
    refused(2, "name different contexts", f"{where},{url_of(one)}", "list")
    same(complete(one, "-u", where, "schema", "get", ""), ["a", "b"])
    same(complete(one, "-u", where, "schema", "get", ":.k:b"), [":.k:b"])
    same([good(where, "compat"), good(where, "compat", "FULL"), good(where, "compat")], ["BACKWARD  (not set here)\n", "FULL\n", "FULL\n"])
    good(where, "mode", "b", "READONLY")
    associate(one, "kt", {"subject": ":.k:a"}, namespace="k")
    same(one.ask("PUT", "/config/:.k:nick", {"alias": "a"}).status, 200)
    same(one.ask("PUT", "/config/:.k:far", {"alias": ":.:person"}).status, 200)
    status, out, err = weir(where, "export")
    lines = [json.loads(line) for line in out.splitlines()]
    same((status, lines[0]["contexts"], err), (0, [".k"], "weir schema export: 2 schemas, 3 configs, 1 modes, 1 associations\n"))
    of = [line.get("subject") or [*line.values()][0]["subject"] for line in lines[1:-1]]
    same({subject.split(":")[1] for subject in of}, {".k"})
    there = f"{url_of(two)}/contexts/%3A.k%3A"
    same(good(there, "import", given=out), "2 schemas registered, 0 were there; 0 deleted; 1 associations made, 0 were there; "
                                           "3 configs and 1 modes set\n")
    same(weir(there, "export"), (0, out, err))
    good(there, "import", given=out)
    before = everything(two)
    refused(2, "names the context .k, and the export has what is of the context .:", there, "import", sites.path("export"))
    refused(2, "the export has what is of the context .k:", f"{url_of(two)}/contexts/:.:", "import", given=out)
    same(everything(two), before)


def big_export(n):
    """
    An export of so many schemas, which depend on each other backwards, with some that are deleted.  With each tenth comes a
    topic that has its own subject of two versions, and the subject of another tenth is a topic's.
    """
    lines, associations = [{"weir-schema-export": 1, "contexts": [".", ".lkc"]}], []
    add = lambda **schema: lines.append({"schema": schema})
    own = lambda i, **more: associations.append({"association": {
        "resourceName": f"t{i}", "resourceNamespace": "lkc", "resourceId": f"id{i}", "associationType": "value", **more}})
    for i in range(n, 0, -1):
        refs = [{"name": f"x.R{i - 1}", "subject": f"big{i - 1}", "version": 1}] if i % 10 != 1 else []
        kind = f"x.R{i - 1}" if refs else "int"
        add(subject=f"big{i}", version=1, id=10000 + i, references=refs, deleted=i % 10 == 0,
            schema=record(field("f", kind.split(".")[-1]), name=f"R{i}"))
        if i % 10 == 5:
            for version in 1, 2:
                add(subject=f":.lkc:t{i}-value", version=version, id=i + version * n, deleted=version == 1,
                    schema=record(field(f"f{version}"), name=f"T{i}"))
            own(i, subject=f":.lkc:t{i}-value", lifecycle="STRONG", frozen=True)
        elif i % 10 == 6:
            own(i, subject=f"big{i}", lifecycle="WEAK", frozen=False)
    lines += [{"config": {"compatibilityLevel": "FULL"}, "subject": "big1"}, *associations]
    lines.append({"end": {"schemas": n + n // 5, "configs": 1, "modes": 0, "associations": len(associations)}})
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_an_import_that_is_interrupted_goes_on(sites):
    two, n = sites.two, 600
    with open(sites.path("big"), "w") as f:
        f.write(big_export(n))
    refused(1, "half, version 2: deleted in the registry and not in the export", two, "import", sites.path("big"))
    for target in "half:2", "whole", "late", ":.lkc:orders-value:1":
        weir(two, "delete", target, "--permanent")
    count = lambda: len(two.ask("GET", "/subjects?subjectPrefix=big&deleted=true").json)
    # Twice among the schemas; the third time when associations come, which may be too late.
    more = lambda: count() > before + 10
    associated = lambda: two.ask("GET", "/associations/subjects/big596").json
    for number, come, ends in [(signal.SIGINT, more, [(130, "READWRITE\n")]), (signal.SIGKILL, more, [(-signal.SIGKILL, "IMPORT\n")]),
                               (signal.SIGINT, associated, [(130, "IMPORT\n"), (0, "READWRITE\n")])]:
        before = count()
        process = subprocess.Popen([WEIR, "schema", "import", sites.path("big")], env={**os.environ, "WEIR_REGISTRY_URL": url_of(two)},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until("some are there", come)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        if (process.returncode, good(two, "mode")) not in ends:
            raise AssertionError(f"{process.returncode}: {err}")
        if process.returncode == 130 and "run it again, and it goes on" not in err:
            raise AssertionError(err)
        if come == more and not before + 10 < count() < n:
            raise AssertionError(f"{count()} of {n} are there")
    same(weir(two, "import", sites.path("big"))[0], 0)
    same(good(two, "import", sites.path("big")),
         f"0 schemas registered, {n + n // 5} were there; 0 deleted; 0 associations made, {n // 5} were there; 0 configs and 0 modes set\n")
    same([good(two, "mode"), good(two, "mode", ":.lkc:")], ["READWRITE\n", ":.lkc:  READWRITE  (not set here)\n"])
    same(count(), n)
    same(len(two.ask("GET", "/subjects?subjectPrefix=big&deletedOnly=true").json), n // 10)
    same(good(two, "compat", "big1"), "big1  FULL\n")


class Old(http.server.BaseHTTPRequestHandler):
    """A registry of before 8.0, which does not tell what is deleted, nor a registration's version."""

    answers = {
        "/contexts": ["."], "/config": {"compatibilityLevel": "BACKWARD"}, "/mode": {"mode": "READWRITE"},
        "/subjects/s/versions": [2],
        "/schemas?deleted=true&offset=0": [
            {"subject": "gone", "version": 1, "id": 3, "schema": '"long"'}, {"subject": "s", "version": 1, "id": 1, "schema": '"int"'},
            {"subject": "s", "version": 2, "id": 2, "schema": '"string"'}],
        "/schemas?deleted=true&offset=3": [],
        "/schemas?deleted=true&latestOnly=true&aliases=true&offset=0": [],
    }

    def log_message(self, *_):
        pass

    def find(self):
        return self.answers.get(self.path.replace("subjectPrefix=%3A%2A%3A&", "").replace("&limit=1000", ""))

    def do_GET(self):
        self.server.asked.append(self.path)
        code = {"config": 40408, "mode": 40409}.get(self.path.split("/")[1], 40401)
        found = self.find()
        body = json.dumps({"error_code": code, "message": "none"} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"id": 7} if self.path.endswith("versions") else
                          {"subject": "s", "version": 2, "id": 7, "schema": '"string"'}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Whole(Old):
    """A registry that takes neither offset nor limit: each time it tells all schemas, in one page."""

    def find(self):
        return [{"subject": f"s{i:04}", "version": 1, "id": i + 1, "schema": '"int"'} for i in range(self.server.n)]


@contextlib.contextmanager
def fake(kind, n=0):
    """A registry of this kind; its URL, and the server, which notes what is asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.n, server.asked = n, []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()


def test_older_registries_will_do(_):
    with fake(Old) as (where, server):
        status, out, err = weir(where, "export")
        same((status, err), (0, "weir schema export: 3 schemas, 1 configs, 1 modes, 0 associations\n"))
        schemas = [json.loads(line).get("schema") for line in out.splitlines()]
        same([(s["subject"], s["version"], s["deleted"]) for s in schemas if s], [("gone", 1, True), ("s", 1, True), ("s", 2, False)])
        same(len([path for path in server.asked if "associations" in path]), 1)
        same(good(where, "register", "s", "-", given='"string"'), "s: version 2, id 7\n")


def test_registries_that_tell_everything_at_once_come_to_an_end(_):
    # The same again is the end; so is more than was asked for.
    for n, requests in (0, 1), (3, 2), (1000, 2), (1001, 1):
        with fake(Whole, n) as (where, server):
            same([s["id"] for s in json.loads(good(where, "list", "--json"))], [*range(1, n + 1)])
            same(len(server.asked), requests, f"of {n} schemas")


if __name__ == "__main__":
    sites = Sites()
    passed, failed, skipped = claims.run(globals(), sites)
    for site in sites.one, sites.two:
        wrong = site.end()
        if wrong:
            failed += 1
            print("FAIL: all_end_in_order:", *wrong)
        else:
            passed += 1
    claims.finish(passed, failed, skipped)
