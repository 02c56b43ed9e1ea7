"""A hostile neighbour in blocking sockets and threads: it says what an attack tells it to, in any number of names."""

import hashlib
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pysodium

from hostile import packets
from ygg.identity.address import address_of
from ygg_c.link import wire
from ygg_c.testing.sessions import SessionTap

DUMMY, KEEPALIVE, SIG_REQ, SIG_RES, ANNOUNCE, BLOOM, LOOKUP, NOTIFY, BROKEN, TRAFFIC = range(10)
FARTHEST = 2**64 - 1
"""The watermark of a message that has not been on its way yet."""
EVERYTHING = bytes(16) + b"\xff" * 16
"""A filter that leads to every key."""
NOTHING = b"\xff" * 16 + bytes(16)
"""A filter that leads to no key."""
SOURCE = "127.0.0.66"
"""Where attackers dial from: honest nodes come from another address."""
META_SIZE = 123


@dataclass(frozen=True)
class Keys:
    """One identity."""

    public: bytes
    secret: bytes

    @classmethod
    def of(cls, seed: bytes | int) -> "Keys":
        """Return those of a seed of 32 bytes, or of a number."""
        whole = seed if isinstance(seed, bytes) else hashlib.sha256(b"hostile%d" % seed).digest()
        return cls(*pysodium.crypto_sign_seed_keypair(whole))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return bytes(pysodium.crypto_sign_detached(message, self.secret))

    @property
    def address(self) -> bytes:
        """The 16-byte overlay address."""
        return address_of(self.public).packed

    def root_record(self, seq: int = 1) -> bytes:
        """Return the announcement of this identity as a root."""
        signed = wire.encode_tree_bytes(self.public, self.public, seq, 1, 0)
        return frame(ANNOUNCE, signed + self.sign(signed) * 2)

    def record(self, parent: "Keys", port: int) -> bytes:
        """Return the announcement of this identity below a parent whose secret is known."""
        signed = wire.encode_tree_bytes(self.public, parent.public, 1, 1, port)
        return frame(ANNOUNCE, signed + parent.sign(signed) + self.sign(signed))

    def meta(self) -> bytes:
        """Return the message that opens a link: recorded once, it serves all who have it."""
        body = struct.pack(">HHHHHHHH", 0, 2, 0, 1, 2, 5, 2, 32) + self.public + struct.pack(">HHB", 3, 1, 0)
        body += self.sign(hashlib.blake2b(self.public, digest_size=64).digest())
        return b"meta" + struct.pack(">H", len(body)) + body


@dataclass(frozen=True)
class Target:
    """The node under attack, and its honest neighbour."""

    ports: dict[str, int]
    """Where it listens, by scheme."""
    key: str
    """Its public key in hex."""
    neighbour: str
    """The honest neighbour's seed in hex: who has recorded its handshake knows no more than its `meta()`."""

    @property
    def public(self) -> bytes:
        """Its 32-byte public key."""
        return bytes.fromhex(self.key)

    @property
    def address(self) -> bytes:
        """Its 16-byte overlay address."""
        return address_of(self.public).packed

    def connect(self, scheme: str = "tcp", timeout: float = 2.0, source: str = SOURCE) -> socket.socket:
        """Open a TCP connection to its listener."""
        return socket.create_connection(("127.0.0.1", self.ports[scheme]), timeout, (source, 0))


def frame(kind: int, body: bytes = b"") -> bytes:
    """Return a frame."""
    return bytes(wire.encode_frame(kind, body))


def message(kind: int, **fields: Any) -> bytes:
    """Return a frame with a message of these fields."""
    return frame(kind, wire.encode(kind, **fields))


class Evil:
    """A link to the target after the handshake; it answers signature requests unless told otherwise."""

    def __init__(self, target: Target, keys: Keys | int = 100, *, scheme: str = "tcp", proves: bool = True,
                 source: str = SOURCE) -> None:
        self.target = target
        self.keys = keys if isinstance(keys, Keys) else Keys.of(keys)
        self.proves = proves
        self.reading = True
        """Whether it takes anything off the wire."""
        self.closed = False
        self.heard = [0] * 256
        """Frames received, by type."""
        self.signed: list[dict[str, Any]] = []
        """Signatures received."""
        self.records: dict[bytes, dict[str, Any]] = {}
        """Announcements received, by node."""
        self.port = 0
        """What the target calls us, once we are its child."""
        self.identities = {self.keys.public: self.keys}
        """Whom it answers lookups for."""
        self.taps = {self.keys.public: SessionTap(self.keys.secret)}
        """Sessions by identity."""
        self.on_payload: Callable[[bytes], None] = lambda payload: None
        self._buffer = b""
        self._lock = threading.Lock()
        self._socket = self._dial(scheme, source)
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._stay, daemon=True).start()

    def _dial(self, scheme: str, source: str) -> socket.socket:
        plain = self.target.connect(scheme, source=source)
        plain.settimeout(None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = plain
        if scheme == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            made = context.wrap_socket(plain)
        made.sendall(self.keys.meta())
        while len(self._buffer) < META_SIZE:
            data = made.recv(65536)
            if not data:
                raise ConnectionError("the target closed the link in the handshake")
            self._buffer += data
        self._buffer = self._buffer[META_SIZE:]
        return made

    def send(self, data: bytes) -> None:
        """Send frames; `OSError` when the link has ended."""
        with self._lock:
            self._socket.sendall(data)

    def _stay(self) -> None:
        while not self.closed:
            time.sleep(0.9)
            try:
                self.send(frame(KEEPALIVE))
            except OSError:
                self.closed = True

    def _read(self) -> None:
        try:
            while not self.closed:
                while not self.reading:
                    time.sleep(0.05)
                self._take_frames()
                data = self._socket.recv(65536)
                self.closed |= not data
                self._buffer += data
        except OSError:
            self.closed = True

    def _take_frames(self) -> None:
        at = 0
        while at < len(self._buffer):
            try:
                length, start = wire.decode_uv(self._buffer[at : at + 10])
            except ValueError:
                break
            end = at + start + length
            if end > len(self._buffer):
                break
            self._frame(self._buffer[at + start], self._buffer[at + start + 1 : end])
            at = end
        self._buffer = self._buffer[at:]

    def _frame(self, kind: int, body: bytes) -> None:
        self.heard[kind] += 1
        if kind == SIG_REQ and self.proves:
            request = wire.decode(SIG_REQ, body)
            signed = wire.encode_tree_bytes(self.target.public, self.keys.public, request["seq"], request["nonce"], 1)
            self.send(message(SIG_RES, **request, port=1, psig=self.keys.sign(signed)))
        elif kind == SIG_RES:
            self.signed.append(wire.decode(SIG_RES, body))
        elif kind == ANNOUNCE:
            record = wire.decode(ANNOUNCE, body)
            self.records[record["node"]] = record
        elif kind == LOOKUP:
            self.lookup_in(wire.decode(LOOKUP, body)["dest"])
        elif kind == TRAFFIC:
            self._traffic(wire.decode(TRAFFIC, body))

    def _traffic(self, traffic: dict[str, Any]) -> None:
        tap = self.taps.get(traffic["dest"])
        if tap is None:
            return
        tick(tap)
        tap.feed(traffic["source"], traffic["payload"])
        self.flush(traffic["dest"])
        for _, payload in tap.payloads():
            self.on_payload(payload)

    def wait(self, condition: Callable[[], object], timeout: float = 8.0) -> None:
        """Return once `condition()` is true. `ConnectionError`, `TimeoutError`."""
        end = time.monotonic() + timeout
        while not condition():
            if self.closed:
                raise ConnectionError("the target closed the link")
            if time.monotonic() > end:
                raise TimeoutError("the target does not do what it should")
            time.sleep(0.005)

    # The tree

    def become_child(self) -> "Evil":
        """Take the target for parent, and lead to every key."""
        self.wait(lambda: self.heard[SIG_REQ])
        self.send(message(SIG_REQ, seq=1, nonce=77))
        self.wait(lambda: self.signed)
        response = self.signed[-1]
        self.port = response["port"]
        signed = wire.encode_tree_bytes(
            self.keys.public, self.target.public, response["seq"], response["nonce"], self.port
        )
        self.send(frame(ANNOUNCE, signed + response["psig"] + self.keys.sign(signed)))
        self.send(frame(BLOOM, EVERYTHING))
        self.wait(lambda: self.target.public in self.records)
        time.sleep(0.3)
        return self

    def coordinates(self, key: bytes) -> list[int]:
        """Return a node's coordinates by the records heard."""
        ports: list[int] = []
        while (record := self.records.get(key)) and record["parent"] != key and len(ports) < 64:
            ports.insert(0, record["port"])
            key = record["parent"]
        return ports

    @property
    def there(self) -> list[int]:
        """The target's coordinates."""
        return self.coordinates(self.target.public)

    @property
    def here(self) -> list[int]:
        """Our own."""
        return [*self.there, self.port]

    def lookup_in(self, dest: bytes) -> None:
        """Answer a lookup of one of our identities."""
        for keys in list(self.identities.values()):
            if dest[:6] == keys.public[:6]:
                self.notify(keys)
                return

    def notify(self, keys: Keys, path: list[int] | None = None) -> None:
        """Tell the target where an identity is: here, or at `path`."""
        info_path = self.here if path is None else path
        seq = int(time.time())
        info = wire.encode_uv(seq) + wire.encode_path(info_path)
        self.send(message(NOTIFY, path=self.there, watermark=FARTHEST, source=keys.public, dest=self.target.public,
                          seq=seq, info_path=info_path, sig=keys.sign(info)))

    # Sessions

    def traffic(self, source: bytes, payload: bytes) -> bytes:
        """Return a frame of traffic for the target in any node's name."""
        return message(TRAFFIC, path=self.there, source=source, dest=self.target.public, watermark=FARTHEST,
                       payload=payload, **{"from": self.here})

    def flush(self, identity: bytes) -> None:
        """Send what an identity's session has to say."""
        said = self.taps[identity].messages()
        found = [self.traffic(identity, data) for key, data in said if key == self.target.public]
        if found:
            self.send(b"".join(found))

    def open_session(self) -> "Evil":
        """Have a session with the target."""
        tap = self.taps[self.keys.public]
        tick(tap)
        tap.write(self.target.public, b"\2\1")
        self.flush(self.keys.public)
        self.wait(lambda: tap.ratchet(self.target.public))
        return self

    def ip(self, found: Iterable[bytes]) -> None:
        """Send IPv6 packets through our session."""
        tap = self.taps[self.keys.public]
        tick(tap)
        for packet in found:
            tap.write(self.target.public, b"\1" + packet)
        self.flush(self.keys.public)

    @property
    def address(self) -> bytes:
        """Our 16-byte overlay address."""
        return self.keys.address

    @property
    def subnet(self) -> bytes:
        """The 8 bytes of our /64: sources without end."""
        return b"\3" + self.address[1:8]


def tick(tap: SessionTap) -> None:
    """Set a session's clock."""
    tap.tick(time.monotonic_ns(), int(time.time()))


def first_init(keys: Keys, target: Target) -> bytes:
    """Return the session message with which an identity turns to the target."""
    tap = SessionTap(keys.secret)
    tick(tap)
    tap.write(target.public, b"\2\1")
    return bytes(tap.messages()[0][1])


def random_key() -> bytes:
    """Return 32 bytes in a key's place."""
    return os.urandom(32)


__all__ = ["Evil", "Keys", "Target", "first_init", "frame", "message", "packets", "random_key", "tick"]
