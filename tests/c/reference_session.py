"""A model of the reference's sessions (protocol 0.5, sections 7.4 to 7.7), which limits nothing: for tests of ours."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pysodium

from ygg_c.link.wire import decode_uv, encode_uv

INIT, ACK, TRAFFIC = 1, 2, 3
LIFETIME = 60.0


def nonce(number: int) -> bytes:
    return bytes(16) + number.to_bytes(8, "big")


@dataclass
class Keys:
    public: bytes
    secret: bytes


@dataclass
class Buffer:
    current: Keys
    next: Keys
    seq: int
    payload: bytes
    used: float


@dataclass
class State:
    """One session: remote keys, our three pairs, and the counters under each shared secret."""

    remote_current: bytes
    remote_next: bytes
    stamp: int
    recv: Keys
    send: Keys
    next: Keys
    remote_seq: int = 0
    local_seq: int = 0
    received: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    rotated: float | None = None
    used: float = 0.0


class ReferenceTable:
    """The sessions of one identity; speaks the interface of SessionTap."""

    def __init__(self, secret: bytes, seed: object = 0) -> None:
        self.secret = secret
        self.x_secret = pysodium.crypto_sign_sk_to_box_sk(secret)
        self.random = random.Random(repr(seed))
        self.sessions: dict[bytes, State] = {}
        self.buffers: dict[bytes, Buffer] = {}
        self.out: list[tuple[bytes, bytes]] = []
        self.arrived: list[tuple[bytes, bytes]] = []
        self.now, self.wall = 0.0, 0
        self.inits = self.lost = 0

    def fresh(self) -> Keys:
        secret = self.random.randbytes(32)
        return Keys(pysodium.crypto_scalarmult_curve25519_base(secret), secret)

    # What a test calls

    def tick(self, now: int, wall: int) -> None:
        self.now, self.wall = now / 1e9, wall
        self.sessions = {key: state for key, state in self.sessions.items() if self.now - state.used < LIFETIME}
        self.buffers = {key: buffer for key, buffer in self.buffers.items() if self.now - buffer.used < LIFETIME}

    def messages(self) -> list[tuple[bytes, bytes]]:
        result, self.out = self.out, []
        return result

    def payloads(self) -> list[tuple[bytes, bytes]]:
        result, self.arrived = self.arrived, []
        return [(key, payload) for key, payload in result if payload != b"\0"]

    def write(self, key: bytes, payload: bytes) -> None:
        if key in self.sessions:
            self._seal(key, payload)
            return
        if key not in self.buffers:
            self.buffers[key] = Buffer(self.fresh(), self.fresh(), self.wall, payload, self.now)
        buffer = self.buffers[key]
        buffer.payload, buffer.used = payload, self.now
        self._handshake(key, INIT, buffer.current.public, buffer.next.public, 0, buffer.seq)

    def feed(self, key: bytes, message: bytes, origin: int = 0) -> None:
        if message[:1] in (b"\1", b"\2") and len(message) == 193:
            self._handshake_in(key, message)
        elif message[:1] == b"\3":
            self._traffic_in(key, message)

    def close(self) -> None:
        pass

    # Section 7.3

    def _handshake(self, key: bytes, kind: int, current: bytes, following: bytes, keyseq: int, seq: int) -> None:
        self.inits += kind == INIT
        ephemeral = self.fresh()
        told = current + following + keyseq.to_bytes(8, "big") + seq.to_bytes(8, "big")
        plain = pysodium.crypto_sign_detached(ephemeral.public + told, self.secret) + told
        shared = pysodium.crypto_box_beforenm(pysodium.crypto_sign_pk_to_box_pk(key), ephemeral.secret)
        self.out.append((key, bytes([kind]) + ephemeral.public + pysodium.crypto_box_afternm(plain, nonce(0), shared)))

    def _own_handshake(self, key: bytes, kind: int) -> None:
        state = self.sessions[key]
        self._handshake(key, kind, state.send.public, state.next.public, state.local_seq, self.wall)

    def _seal(self, key: bytes, payload: bytes) -> None:
        state = self.sessions[key]
        state.sent += 1
        shared = pysodium.crypto_box_beforenm(state.remote_current, state.send.secret)
        box = pysodium.crypto_box_afternm(state.next.public + payload, nonce(state.sent), shared)
        head = encode_uv(state.local_seq) + encode_uv(state.remote_seq) + encode_uv(state.sent)
        self.out.append((key, bytes([TRAFFIC]) + head + box))
        state.used = self.now

    # Sections 7.6 and 7.7

    def _step(self, state: State, received: int, sent: int) -> None:
        state.recv, state.send, state.next = state.send, state.next, self.fresh()
        state.local_seq += 1
        state.received = {"recv": received}
        state.sent = sent

    def _handshake_in(self, key: bytes, message: bytes) -> None:
        shared = pysodium.crypto_box_beforenm(message[1:33], self.x_secret)
        plain = pysodium.crypto_box_open_afternm(message[33:], nonce(0), shared)
        pysodium.crypto_sign_verify_detached(plain[:64], message[1:33] + plain[64:], key)
        current, following = plain[64:96], plain[96:128]
        keyseq, seq = int.from_bytes(plain[128:136], "big"), int.from_bytes(plain[136:], "big")
        fresh = key not in self.sessions
        buffer = self.buffers.pop(key, None) if fresh else None
        if fresh:
            pairs = (self.fresh(), self.fresh(), self.fresh()) if buffer is None else (
                self.fresh(), buffer.current, buffer.next)
            self.sessions[key] = State(current, following, seq - 1, *pairs)
        state = self.sessions[key]
        if seq > state.stamp:
            state.remote_current, state.remote_next, state.remote_seq, state.stamp = current, following, keyseq, seq
            self._step(state, 0, state.sent)
            state.used = self.now
            if message[0] == INIT or fresh:
                self._own_handshake(key, ACK)
        if buffer is not None:
            self._seal(key, buffer.payload)

    def _traffic_in(self, key: bytes, message: bytes) -> None:
        state = self.sessions.get(key)
        if state is None:
            self._handshake(key, INIT, self.fresh().public, self.fresh().public, 0, self.wall)
            return
        theirs, at = decode_uv(message, 1)
        ours, at = decode_uv(message, at)
        number, at = decode_uv(message, at)
        remote, local, which = self._secret(state, theirs, ours)
        if not which:
            self.lost += 1
            self._own_handshake(key, INIT)
            return
        if number <= state.received.get(which, 0):
            return
        shared = pysodium.crypto_box_beforenm(remote, local.secret)
        try:
            plain = pysodium.crypto_box_open_afternm(message[at:], nonce(number), shared)
        except ValueError:
            self.lost += 1
            self._own_handshake(key, INIT)
            return
        self.arrived.append((key, plain[32:]))
        state.received[which] = number
        state.used = self.now
        if which != "recv" and (state.rotated is None or self.now - state.rotated > 60):
            state.remote_current, state.remote_next = state.remote_next, plain[:32]
            state.remote_seq += 1
            self._step(state, state.received.get("next send", 0), 0)
            state.rotated = self.now

    def _secret(self, state: State, theirs: int, ours: int) -> tuple[bytes, Keys, str]:
        if theirs == state.remote_seq and ours + 1 == state.local_seq:
            return state.remote_current, state.recv, "recv"
        if theirs == state.remote_seq + 1 and ours == state.local_seq:
            return state.remote_next, state.send, "next send"
        if theirs == state.remote_seq + 1 and ours + 1 == state.local_seq:
            return state.remote_next, state.recv, "next recv"
        return b"", state.send, ""
