"""fastcgi -- FastCGI as a web server speaks it, byte by byte: records, and a connection to one process past nginx."""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, VALUES, UNKNOWN = range(1, 12)
HEAD = struct.Struct(">BBHHBx")
CONTENT_MAX = 65535


def record(kind, content=b"", request=1, version=1, length=None, padding=b""):
    return HEAD.pack(version, kind, request, len(content) if length is None else length, len(padding)) + content + padding


def begin(keep=True, role=1, request=1):
    return record(BEGIN, struct.pack(">HB5x", role, int(keep)), request)


def length_of(n, long=False):
    return bytes([n]) if n < 128 and not long else struct.pack(">I", n | 1 << 31)


def pair(name, value, long=False):
    """A parameter, of texts or bytes; long: lengths of four bytes also where one would do."""
    name, value = (x.encode() if isinstance(x, str) else x for x in (name, value))
    return length_of(len(name), long) + length_of(len(value), long) + name + value


def pairs(**values):
    return b"".join(pair(name, value) for name, value in values.items())


def stream(kind, content, piece=CONTENT_MAX):
    """The records of a stream, with its end."""
    return b"".join(record(kind, content[i:i + piece]) for i in range(0, len(content), piece)) + record(kind)


def request_records(path, body, keep=True, method="POST", **more):
    params = pairs(REQUEST_METHOD=method, REQUEST_URI=path, CONTENT_LENGTH=str(len(body)), **more)
    return begin(keep) + stream(PARAMS, params) + stream(STDIN, body)


class Peer:
    """A connection such as the web server's."""

    def __init__(self, path, seconds=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(path)

    def send(self, path, body, keep=True, **more):
        self.socket.sendall(request_records(path, body, keep, **more))

    def exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def output(self):
        """All of an answer: the head, an empty line, the body."""
        out = b""
        while True:
            _, kind, _, length, padding = HEAD.unpack(self.exactly(HEAD.size))
            content = self.exactly(length + padding)[:length]
            if kind == END:
                return out
            out += content if kind == STDOUT else b""

    def receive(self):
        """(status, body)."""
        head, _, body = self.output().partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def ask(self, path, body=b"", **more):
        self.send(path, body, **more)
        return self.receive()

    def close(self):
        self.socket.close()
