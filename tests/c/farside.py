"""The far side of a link, played by a test: it reads the frames a router sends and writes its own, valid or not."""

from __future__ import annotations

from typing import Any

import pysodium

from ygg.testing import secret_key
from ygg_c.base.sodium import Random, SeededRandom
from ygg_c.link import wire
from ygg_c.link.link import Link, PySink
from ygg_c.testing.routers import RouterTap

KEEPALIVE, SIG_REQ, SIG_RES, ANNOUNCE, BLOOM, LOOKUP, NOTIFY, BROKEN, TRAFFIC = range(1, 10)
EMPTY_FILTER = b"\xff" * 16 + bytes(16)
FULL_FILTER = bytes(16) + b"\xff" * 16
SECOND = 1_000_000_000
MAX = 2**64 - 1


def sign(message: bytes, secret: bytes) -> bytes:
    """Return the Ed25519 signature of a message."""
    return pysodium.crypto_sign_detached(message, secret)


def announce(node: bytes, parent: bytes, seq: int, nonce: int, port: int) -> dict[str, Any]:
    """Return the fields of a record signed by node and parent, both given as secrets."""
    signed = wire.encode_tree_bytes(node[32:], parent[32:], seq, nonce, port)
    return {"node": node[32:], "parent": parent[32:], "seq": seq, "nonce": nonce, "port": port,
            "psig": sign(signed, parent), "sig": sign(signed, node)}


class Clock:
    """A router and its virtual time."""

    def __init__(self, number: int = 1, random: Random | None = None, kind: type[Any] = RouterTap) -> None:
        self.secret = secret_key(number)
        self.router = kind(self.secret, random=random or SeededRandom(number))
        self.now = SECOND
        self.wall = 1_700_000_000
        self.deadline = self.turn()

    @property
    def wall(self) -> int:
        """Unix seconds, which pass with the time; may be set."""
        return self._ahead + self.now // SECOND

    @wall.setter
    def wall(self, seconds: int) -> None:
        self._ahead = seconds - self.now // SECOND

    def turn(self) -> int | None:
        """Run a turn."""
        self.deadline = self.router.turn(self.now, self.wall)
        return self.deadline

    def close(self) -> None:
        """Close the router and let go of it: a fixture's value outlives its test."""
        self.router.close()
        del self.router

    def pass_time(self, seconds: float) -> None:
        """Let time pass, running each turn the router asks for."""
        end = self.now + round(seconds * SECOND)
        while self.deadline is not None and self.deadline <= end:
            self.now = max(self.now, self.deadline)
            self.turn()
        self.now = end
        self.turn()


class FarSide:
    """A neighbour that does nothing but what the test tells it to, save answering signature requests when `polite`."""

    def __init__(self, clock: Clock, number: int, priority: int = 0, polite: bool = True, rtt: float = 0.001,
                 port: int = 0) -> None:
        self.clock = clock
        self.secret = secret_key(number)
        self.key = self.secret[32:]
        self.polite = polite
        self.port = port or number + 100
        self.rtt = rtt
        self.stuck = False
        self.frames: list[tuple[int, Any]] = []
        self._rest = b""
        self.heard = False
        """Its transport is, as far as the link may ask."""
        self.asked: list[bool] = []
        """For each time that the link has asked, whether it had before in the same silence."""
        self.link: Link = clock.router.add_link(self.key, priority, PySink(self._flush, self._hears))
        clock.turn()
        self.answer()

    def _hears(self, again: bool) -> bool:
        self.asked.append(again)
        return self.heard

    def _flush(self, link: Link) -> None:
        if self.stuck:
            link.blocked = True
            return
        while link.queued:
            self._rest += link.take()
        while self._rest:
            try:
                size, start = wire.decode_uv(self._rest)
            except ValueError:
                return
            if len(self._rest) < start + size:
                return
            body = self._rest[start + 1 : start + size]
            kind = self._rest[start]
            self.frames.append((kind, body if kind in (KEEPALIVE, BLOOM) else wire.decode(kind, body)))
            self._rest = self._rest[start + size :]

    def got(self, kind: int) -> list[Any]:
        """Return the messages of one kind since the last call, and forget them."""
        found = [fields for what, fields in self.frames if what == kind]
        self.frames = [frame for frame in self.frames if frame[0] != kind]
        return found

    def answer(self) -> None:
        """Answer open signature requests, when polite."""
        if not self.polite:
            return
        for request in self.got(SIG_REQ):
            self.clock.now += round(self.rtt * SECOND)
            self.clock.turn()
            self.respond(request)

    def respond(self, request: dict[str, int], secret: bytes | None = None) -> bool:
        """Answer one signature request, perhaps with the wrong key."""
        signed = wire.encode_tree_bytes(self.clock.router.key, self.key, request["seq"], request["nonce"], self.port)
        return self.send(SIG_RES, **request, port=self.port, psig=sign(signed, secret or self.secret))

    def send(self, kind: int, **fields: Any) -> bool:
        """Send a message; False when the link has gone."""
        return self.raw(wire.encode_frame(kind, wire.encode(kind, **fields)))

    def filter(self, body: bytes = FULL_FILTER) -> bool:
        """Send a filter; by default one that leads to every key."""
        return self.raw(wire.encode_frame(BLOOM, body))

    def raw(self, data: bytes) -> bool:
        """Send bytes as they are."""
        taken = self.link.receive(data)
        self.clock.turn()
        return taken and not self.link.closed

    def become_child(self, seq: int = 1) -> None:
        """Name the router as parent, with a signature asked of it."""
        self.send(SIG_REQ, seq=seq, nonce=7)
        (response,) = self.got(SIG_RES)
        signed = wire.encode_tree_bytes(self.key, self.clock.router.key, seq, 7, response["port"])
        self.send(ANNOUNCE, node=self.key, parent=self.clock.router.key, **response, sig=sign(signed, self.secret))

    def become_root(self, seq: int = 1) -> None:
        """Announce itself as a root."""
        self.send(ANNOUNCE, **announce(self.secret, self.secret, seq, 5, 0))
