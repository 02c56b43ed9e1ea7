"""Two session ends joined by lists, in virtual time."""

from __future__ import annotations

from ygg.testing import secret_key
from ygg_c.base.sodium import Random, SeededRandom
from ygg_c.testing.sessions import SessionTap

SECOND = 1_000_000_000
START = 1_700_000_000


class End:
    """One end: its table, and the clock it shares with the other."""

    def __init__(self, fill: int, group: bytes = b"", random: Random | None = None) -> None:
        self.secret = secret_key(fill)
        self.key = self.secret[32:]
        self.group = group
        self.table = SessionTap(self.secret, group, random or SeededRandom(fill))


class Pair:
    """Ends `a` and `b`; messages move only when asked to."""

    def __init__(self, a: End | None = None, b: End | None = None) -> None:
        self.a = a or End(1)
        self.b = b or End(2)
        self.now = 0.0
        self.restarts = 0
        self.advance(0)

    def other(self, end: End) -> End:
        return self.b if end is self.a else self.a

    def advance(self, seconds: float) -> None:
        """Let time pass at both ends."""
        self.now += seconds
        for end in (self.a, self.b):
            end.table.tick(int(self.now * SECOND), START + int(self.now))

    def send(self, end: End, payload: bytes) -> list[bytes]:
        """Send a payload; return the messages that leave."""
        end.table.write(self.other(end).key, payload)
        return self.leaving(end)

    def leaving(self, end: End) -> list[bytes]:
        return [message for _, message in end.table.messages()]

    def give(self, end: End, *messages: bytes) -> list[bytes]:
        """Give messages of the other end to `end`; return what it answers."""
        for message in messages:
            end.table.feed(self.other(end).key, message)
        return self.leaving(end)

    def settle(self) -> None:
        """Carry messages both ways until none are left."""
        for _ in range(20):
            from_a, from_b = self.leaving(self.a), self.leaving(self.b)
            if not from_a and not from_b:
                return
            for message in from_a:
                self.b.table.feed(self.a.key, message)
            for message in from_b:
                self.a.table.feed(self.b.key, message)
        raise AssertionError("the ends do not come to rest")

    def arrived(self, end: End) -> list[bytes]:
        """The payloads that arrived since the last call."""
        return [payload for _, payload in end.table.payloads()]

    def open(self) -> None:
        """Have an exchange in both directions."""
        for end, text in ((self.a, b"a"), (self.b, b"b"), (self.a, b"c")):
            end.table.write(self.other(end).key, text)
            self.settle()
        assert self.arrived(self.b) == [b"a", b"c"]
        assert self.arrived(self.a) == [b"b"]

    def restart(self, end: End) -> None:
        """The process of one end starts anew with the same identity."""
        end.table.close()
        self.restarts += 1
        end.table = SessionTap(end.secret, end.group, SeededRandom((end.key, self.restarts)))
        self.advance(0)

    def exchange(self, end: End, payload: bytes) -> list[bytes]:
        """Send from one end and carry everything; return what arrives at the other."""
        end.table.write(self.other(end).key, payload)
        self.settle()
        return self.arrived(self.other(end))
