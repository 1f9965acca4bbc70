"""A Kafka client that sends any message of logd/wire/kafka.tbl, in any version.

For what other clients can't say: requests that contradict themselves, ids
instead of names, the newest and the oldest versions.  A message is a dict by
the names of the table; what is left out has its default.  This is a second
reading of the table, apart from the daemon's own.
"""
import functools
import os
import re
import socket
import struct

NUMBERS = {"bool": ">?", "int8": ">b", "int16": ">h", "error": ">h", "int32": ">i", "int64": ">q"}
EVERY = range(0, 1 << 15)


def versions(text):
    """4+, 0-12 or 7."""
    low, _, high = text.partition("-")
    if text.endswith("+"):
        return range(int(text[:-1]), EVERY.stop)
    return range(int(low), int(high or low) + 1)


class Field:
    def __init__(self, words):
        self.name, kind = words[0], words[1]
        rest = words[2:]
        if kind == "struct":
            kind, rest = words[2], words[3:]
        self.array = kind.startswith("[]")
        self.kind = kind[2:] if self.array else kind
        self.versions = versions(rest[0])
        self.null, self.tag, self.default, self.classic = range(0), None, None, False
        self.fields = None
        i = 1
        while i < len(rest) and rest[i] != "#":
            if rest[i] == "null":
                self.null = versions(rest[i + 1])
            elif rest[i] == "tag":
                self.tag = int(rest[i + 1])
            elif rest[i] == "=":
                self.default = rest[i + 1]
            self.classic |= rest[i] == "classic"
            i += 2 if rest[i] in ("null", "tag", "=") else 1

    @property
    def pointer(self):
        """A struct that may be null."""
        return self.fields is not None and not self.array and len(self.null) > 0

    def default_value(self):
        if self.default == "null":
            return None
        if self.array:
            return []
        if self.pointer:
            return None
        if self.fields is not None:
            return {}
        if self.kind == "bool":
            return self.default == "true"
        if self.kind in NUMBERS:
            return int(self.default or 0)
        return bytes(16) if self.kind == "uuid" else "" if self.kind == "string" else b""


class Api:
    def __init__(self, key, flexible):
        self.key = key
        self.flexible = EVERY.stop if flexible == "none" else int(flexible[:-1])
        self.request, self.response = [], []


@functools.lru_cache
def read_table(path):
    """{name: Api} from kafka.tbl."""
    apis, api, stack, named = {}, None, [], {}
    with open(path) as f:
        for line in f:
            words = re.sub(r"\s#.*", "", line).split()
            if not words or line.startswith("#"):
                continue
            indent = len(line) - len(line.lstrip(" "))
            if indent == 0:
                if words[0] == "api":
                    api = apis[words[1]] = Api(int(words[2]), words[words.index("flexible") + 1])
                elif words[0] in ("request", "response") and len(words) == 1:
                    named, stack = {}, [getattr(api, words[0])]
                else:
                    named, stack = {}, [[]]  # headers and records are not needed here
                continue
            field = Field(words)
            del stack[indent // 2:]
            stack[-1].append(field)
            if field.kind not in NUMBERS and field.kind not in ("uuid", "string", "bytes", "records"):
                field.fields = named.setdefault(field.kind, [])
                stack.append(field.fields)
    return apis


class Writer:
    def __init__(self, version, flexible):
        self.out, self.version, self.flexible = bytearray(), version, flexible

    def uvarint(self, n):
        while n > 0x7f:
            self.out.append(n & 0x7f | 0x80)
            n >>= 7
        self.out.append(n)

    def length(self, n, form):
        """n None: null."""
        if self.flexible:
            self.uvarint(0 if n is None else n + 1)
        else:
            self.out += struct.pack(form, -1 if n is None else n)

    def value(self, f, v):
        if f.fields is not None:
            self.struct(f.fields, v)
        elif f.kind in NUMBERS:
            self.out += struct.pack(NUMBERS[f.kind], v)
        elif f.kind == "uuid":
            self.out += v
        else:
            v = v.encode(errors="surrogateescape") if isinstance(v, str) else v
            self.length(None if v is None else len(v), ">h" if f.kind == "string" else ">i")
            self.out += v or b""

    def field(self, f, v):
        if f.pointer:
            self.out += b"\xff" if v is None else b"\x01"
            if v is None:
                return
        if not f.array:
            self.value(f, v)
            return
        self.length(None if v is None else len(v), ">i")
        for element in v or []:
            self.value(f, element)

    def struct(self, fields, values):
        unknown = set(values) - {f.name for f in fields}
        if unknown:
            raise KeyError("no such fields: %s" % unknown)
        tagged = []
        for f in fields:
            if self.version not in f.versions:
                continue
            v = values.get(f.name, f.default_value())
            if f.tag is None:
                self.field(f, v)
            elif v != f.default_value():
                tagged.append((f.tag, f, v))
        if self.flexible:
            self.uvarint(len(tagged))
            for tag, f, v in sorted(tagged, key=lambda t: t[0]):
                inner = Writer(self.version, True)
                inner.field(f, v)
                self.uvarint(tag)
                self.uvarint(len(inner.out))
                self.out += inner.out


class Reader:
    def __init__(self, data, version, flexible):
        self.data, self.at, self.version, self.flexible = data, 0, version, flexible

    def take(self, n):
        piece = self.data[self.at:self.at + n]
        if len(piece) != n:
            raise ValueError("answer is cut short")
        self.at += n
        return piece

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def uvarint(self):
        n = shift = 0
        while True:
            b = self.take(1)[0]
            n |= (b & 0x7f) << shift
            shift += 7
            if b < 0x80:
                return n

    def length(self, form):
        n = self.uvarint() - 1 if self.flexible else self.number(form)
        return None if n < 0 else n

    def value(self, f):
        if f.fields is not None:
            return self.struct(f.fields)
        if f.kind in NUMBERS:
            return self.number(NUMBERS[f.kind])
        if f.kind == "uuid":
            return self.take(16)
        n = self.length(">h" if f.kind == "string" else ">i")
        if n is None:
            if self.version not in f.null:
                raise ValueError("%s is null, which version %d has not" % (f.name, self.version))
            return None
        v = self.take(n)
        return v.decode(errors="surrogateescape") if f.kind == "string" else v

    def field(self, f):
        if f.pointer and self.number(">b") < 0:
            return None
        if not f.array:
            return self.value(f)
        n = self.length(">i")
        return None if n is None else [self.value(f) for _ in range(n)]

    def struct(self, fields):
        values = {f.name: self.field(f) for f in fields
                  if self.version in f.versions and f.tag is None}
        tagged = {f.tag: f for f in fields if f.tag is not None and self.version in f.versions}
        for f in tagged.values():
            values[f.name] = f.default_value()
        for _ in range(self.uvarint() if self.flexible else 0):
            tag, end = self.uvarint(), self.uvarint()
            end += self.at
            if tag in tagged:
                values[tagged[tag].name] = self.field(tagged[tag])
            self.at = end
        return values


class Client:
    """One connection.  ask() sends one request and gives its answer."""

    def __init__(self, host, port, timeout_s=20):
        top = os.environ.get("srcdir") or os.path.join(os.path.dirname(__file__), "../..")
        self.apis = read_table(os.path.join(top, "logd/wire/kafka.tbl"))
        self.socket = socket.create_connection((host, port), timeout_s)
        self.id = 0

    def close(self):
        self.socket.close()

    def send(self, name, version, **request):
        api = self.apis[name]
        flexible = version >= api.flexible
        self.id += 1
        w = Writer(version, False)
        w.out += struct.pack(">hhi", api.key, version, self.id)
        w.length(4, ">h")
        w.out += b"test"
        if flexible:
            w.out.append(0)
        w.flexible = flexible
        w.struct(api.request, request)
        self.socket.sendall(struct.pack(">i", len(w.out)) + w.out)

    def receive(self, name, version):
        """The next answer, or None when the connection was ended."""
        api = self.apis[name]
        flexible = version >= api.flexible
        head = self._read(4)
        if head is None:
            return None
        r = Reader(self._read(struct.unpack(">i", head)[0]), version, flexible)
        if r.number(">i") != self.id:
            raise ValueError("an answer to another request")
        if flexible and name != "api_versions":
            r.take(1)
        answer = r.struct(api.response)
        if r.at != len(r.data):
            raise ValueError("%d bytes behind the answer" % (len(r.data) - r.at))
        return answer

    def ask(self, name, version, **request):
        self.send(name, version, **request)
        return self.receive(name, version)

    def _read(self, n):
        data = b""
        while len(data) < n:
            try:
                piece = self.socket.recv(n - len(data))
            except ConnectionResetError:
                return None
            if not piece:
                return None
            data += piece
        return data
