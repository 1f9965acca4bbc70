"""batches -- record batches (magic 2) as a test wants them, right or wrong in any one place."""

import struct

CONTROL = 0x20
HEADER = ">hiqqqhii"


def _crc32c_of_byte(n):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    return n


CRC32C = [_crc32c_of_byte(n) for n in range(256)]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def varint(n):
    n, out = n << 1 ^ n >> 63, bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def blob(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(delta, value=b"v", key=None, ms=0):
    body = b"\0" + varint(ms) + varint(delta) + blob(key) + blob(value) + varint(0)
    return varint(len(body)) + body


def batch(values=(b"v",), **more):
    """A batch of these values.  Of `more` each name is a field that is not as it ought to be, or not its default."""
    key, ms = more.pop("key", None), more.pop("ms", 0)
    records = more.pop("records", None)
    if records is None:
        records = b"".join(record(i, value, key) for i, value in enumerate(values))
    body = struct.pack(HEADER, more.pop("attributes", 0), more.pop("last_delta", len(values) - 1), ms, more.pop("max_ms", ms),
                       more.pop("pid", -1), more.pop("epoch", -1), more.pop("sequence", -1), more.pop("count", len(values)))
    body += records
    crc = more.pop("crc", crc32c(body))
    length = more.pop("length", len(body) + 9)
    head = struct.pack(">qiibI", more.pop("base", 0), length, more.pop("leader_epoch", -1), more.pop("magic", 2), crc)
    if more:
        raise KeyError(f"a batch has no {more}")
    return head + body


def parse(data):
    """What a batch's header says, batch by batch, with its records' bytes; of the producer's
    id only whether there is one, nor the time of a marker; what is cut short at the end is left out."""
    batches = []
    while len(data) >= 61:
        base, length, _, magic, _ = struct.unpack_from(">qiibI", data)
        if len(data) < length + 12:
            break
        names = ("attributes", "last_delta", "ms", "max_ms", "pid", "epoch", "sequence", "count")
        fields = dict(zip(names, struct.unpack_from(HEADER, data, 21)))
        fields["pid"] = fields["pid"] >= 0
        if fields["attributes"] & CONTROL:
            fields["ms"] = fields["max_ms"] = True
        batches.append({"base": base, "magic": magic, "payload": data[61:length + 12].hex(), **fields})
        data = data[length + 12:]
    return batches
