"""registry_values -- what clients of schema registries that come from elsewhere share with each other: values, as
serializers put them into records.

Each client is given a folder.  In it lie event.avsc, a schema, and what others wrote by it, the first of them Avro's
own Python library (Debian: python3-avro), each in a file of its name: python.avro.  It registers the schema for
topic "shared", reads a value of another's, and leaves one of its own.
"""
import contextlib
import io
import json
import os
import re
import subprocess
import tempfile

import avro.io
import avro.schema

import registry_site
from claims import Skip, finish, same

SUBJECT = "shared-value"
EVENT = json.dumps({"type": "record", "name": "Event", "namespace": "shared", "fields": [
    {"name": "id", "type": "long"}, {"name": "note", "type": "string"}]})


def written(site, note):
    """A value of python3-avro's, framed."""
    answer = site.register(SUBJECT, EVENT)
    same(answer.status, 200, f"status ({answer})")
    out = io.BytesIO(b"\0" + answer.json["id"].to_bytes(4, "big"))
    out.seek(0, os.SEEK_END)
    avro.io.DatumWriter(avro.schema.parse(EVENT)).write({"id": 1, "note": note}, avro.io.BinaryEncoder(out))
    return out.getvalue()


def read(site, data):
    """The value that these bytes hold, by the schema that the registry has for their id."""
    same(data[0], 0, "first byte")
    answer = site.ask("GET", f"/schemas/ids/{int.from_bytes(data[1:5], 'big')}")
    schema = avro.schema.parse(answer.json["schema"])
    return avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(data[5:])))


@contextlib.contextmanager
def folder(site):
    """The folder of the values that are shared, with one of python3-avro's."""
    with tempfile.TemporaryDirectory() as place:
        with open(os.path.join(place, "event.avsc"), "w", encoding="ascii") as f:
            f.write(EVENT)
        with open(os.path.join(place, "python.avro"), "wb") as f:
            f.write(written(site, "by python"))
        yield place


def run_client(site, values, name, command, cwd=None):
    """Runs a client that gets the registry's URL and the folder `values`, and counts its tests by itself.

    Returns how many passed and failed; one more is whether python3-avro reads what it left under this name.
    """
    done = subprocess.run([*command, f"http://127.0.0.1:{site.port}", values], cwd=cwd, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    counts = re.search(r"^(\d+) passed, (\d+) failed\n\Z", done.stdout, re.M)
    print(done.stdout[:counts.start()] if counts else f"{done.stdout}\nFAIL: {name} ended with status {done.returncode}\n", end="")
    passed, failed = map(int, counts.groups()) if counts else (0, 1)
    try:
        with open(os.path.join(values, f"{name}.avro"), "rb") as f:
            same(read(site, f.read())["note"], f"by {name}")
        print(f"ok python reads what {name} wrote")
        return passed + 1, failed
    except (AssertionError, OSError) as error:
        print(f"FAIL: python reads what {name} wrote: {error}")
        return passed, failed + 1


def main(name, prepare, clients):
    """A whole program.  prepare(place) puts into a folder of its own what the clients need, or raises Skip.

    clients: of each its name, and its command, which runs in that folder.
    """
    passed = failed = 0
    with tempfile.TemporaryDirectory() as place:
        try:
            prepared = prepare(place)
        except Skip as reason:
            print(f"skipped {name}: {reason}")
            finish(0, 0, 1)
        site = registry_site.Site()
        with folder(site) as values:
            for client, command in clients(prepared).items():
                more = run_client(site, values, client, command, place)
                passed, failed = passed + more[0], failed + more[1]
        for what in site.end():
            failed += 1
            print(f"FAIL: end_in_order: {what}")
    finish(passed, failed)
