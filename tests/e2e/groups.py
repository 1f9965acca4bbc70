"""groups -- members of consumer groups that come and go."""

import threading

from claims import until


class Member:
    """A consumer in a thread of its own.

    A client's class makes the consumer, calls start(), sets .assigned (partition
    numbers) as it is told, and has step(), which polls once and returns
    (partition, offset, value) records, and close().
    """

    def __init__(self):
        self.records = []
        self.assigned = set()
        self.failure = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def _run(self):
        try:
            while not self._end.is_set():
                self.records += self.step()
            self.close()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def leave(self):
        self._end.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "a member did not end"
        assert self.failure is None, self.failure


def balanced(members, partitions):
    """Whether the members have all the partitions among them, each once and each member some."""
    for member in members:
        assert member.failure is None, member.failure
    shares = [m.assigned for m in members]
    return all(shares) and sorted(p for s in shares for p in s) == list(range(partitions))


def come_and_go(join, send, partitions):
    """A group of one, of three, of two, of three again; each time records are sent.

    join() gives a new member; send(values) sends a record of each; all three
    numbers divide `partitions`.  Returns what was sent, and the records that the
    members have read.
    """
    sent, members = [], [join()]

    def put():
        values = [str(len(sent) + i).encode() for i in range(300)]
        send(values)
        sent.extend(values)

    def share(live):
        until(f"{len(live)} share evenly",
              lambda: balanced(live, partitions) and len({len(m.assigned) for m in live}) == 1)

    share(members)
    put()
    members += [join(), join()]
    share(members)
    put()
    until("each reads of its own", lambda: all(m.records for m in members))
    members[0].leave()
    share(members[1:])
    put()
    members.append(join())
    share(members[1:])
    put()
    until("all is read", lambda: len({r for m in members for r in m.records}) >= len(sent))
    for member in members[1:]:
        member.leave()
    return sent, [r for m in members for r in m.records]
