"""Attacks on listeners and links, before and after the handshake."""

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable

from hostile.attack import Attack, attack
from hostile.evil import BLOOM, DUMMY, KEEPALIVE, NOTHING, SIG_REQ, SOURCE, Evil, Keys, frame, message
from hostile.packets import icmp

LARGEST = 131069
"""Bytes of the largest frame's body."""


def _as_neighbour(fight: Attack) -> Evil:
    # One who has recorded the honest neighbour's handshake can say it again, and no more.
    return Evil(fight.target, Keys.of(bytes.fromhex(fight.target.neighbour)), proves=False)


@attack
def replay_filters(fight: Attack) -> int:
    """In a neighbour's name, without its key: say that nothing lies behind it."""
    evil = _as_neighbour(fight)
    fight.begin()
    return fight.blast(evil, [frame(BLOOM, NOTHING)], 100)


@attack
def replay_records(fight: Attack) -> int:
    """In a neighbour's name, without its key: spend its allowance of records."""
    evil, root = _as_neighbour(fight), Keys.of(5)
    chunks = [b"".join(root.root_record(10 + 30 * group + one) for one in range(30)) for group in range(60)]
    fight.begin()
    return 30 * fight.blast(evil, chunks)


@attack
def replay_requests(fight: Attack) -> int:
    """In a neighbour's name, without its key: spend its allowance of signature requests."""
    evil = _as_neighbour(fight)
    fight.begin()
    return 50 * fight.blast(evil, [b"".join(message(SIG_REQ, seq=1, nonce=nonce) for nonce in range(50))], 20)


def _incoming(fight: Attack, proves: bool) -> str:
    fight.begin()
    made: list[Evil] = []
    refused = 0
    for number in range(300):
        try:
            made.append(Evil(fight.target, 1000 + number, proves=proves))
        except OSError:
            refused += 1
    fight.rest()
    return f"{len(made)} made, {refused} refused, {sum(not evil.closed for evil in made)} open"


@attack
def incoming_unproven(fight: Attack) -> str:
    """Fill the places for incoming links from one address without ever proving a key."""
    return _incoming(fight, False)


@attack
def incoming_proven(fight: Attack) -> str:
    """The same with a real key each."""
    return _incoming(fight, True)


def _half_open(fight: Attack, scheme: str, hello: bytes) -> int:
    held: list[socket.socket] = []

    def step() -> None:
        try:
            held.append(fight.target.connect(scheme))
            held[-1].sendall(hello)
        except OSError:
            time.sleep(0.01)
        if len(held) > 800:
            held.pop(0).close()

    fight.begin()
    return fight.repeat(step, 400)


@attack
def half_open_tcp(fight: Attack) -> int:
    """Connections that say nothing, and stay."""
    return _half_open(fight, "tcp", b"")


@attack
def half_open_tls(fight: Attack) -> int:
    """Connections that begin a TLS handshake, and stay."""
    return _half_open(fight, "tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


@attack
def half_open_ws(fight: Attack) -> int:
    """Connections that begin an HTTP request, and stay."""
    return _half_open(fight, "ws", b"GET / HTTP/1.1\r\nHost: x\r\nA: ")


@attack
def churn(fight: Attack) -> int:
    """Connect, say something, leave, as fast as possible, in four threads."""
    done = [0]

    def go() -> None:
        while fight.going:
            try:
                with fight.target.connect() as connection:
                    connection.sendall(b"meta\0\x75")
                    done[0] += 1
            except OSError:
                pass

    fight.begin()
    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done[0]


def _garbage(rnd: random.Random) -> bytes:
    upgrade = (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ygg-ws\r\n\r\n")
    longest = b"\x82\xff" + struct.pack(">Q", rnd.choice([2**63 - 1, 2**40, 200_000]))
    return rnd.choice([
        os.urandom(rnd.randrange(1, 3000)), b"GET /" + b"a" * 70_000, upgrade + longest + os.urandom(500),
        b"\x16\x03\x01\xff\xff" + os.urandom(2000),
    ])


def _garbage_at(scheme: str) -> Callable[[Attack], int]:
    def run(fight: Attack) -> int:
        rnd = random.Random(7)

        def step() -> None:
            try:
                with fight.target.connect(scheme) as connection:
                    connection.sendall(_garbage(rnd))
            except OSError:
                pass

        fight.begin()
        return fight.repeat(step, 2000)

    run.__name__, run.__doc__ = f"garbage_{scheme}", f"Random bytes and broken requests at a {scheme} listener."
    return run


for _scheme in ("tcp", "tls", "ws"):
    attack(_garbage_at(_scheme))


@attack
def garbage_quic(fight: Attack) -> int:
    """Datagrams that look like the first of a QUIC connection, from ever other ports."""
    rnd = random.Random(7)
    fight.begin()

    def step() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            port.bind((SOURCE, 0))
            for _ in range(20):
                version = rnd.choice([1, 0, 0x6B3343CF, rnd.getrandbits(32)])
                first = struct.pack(">BI", 0xC0 | rnd.getrandbits(4), version)
                first += b"\x08" + os.urandom(8) + b"\x08" + os.urandom(8) + b"\0\x44\xb0" + os.urandom(1200)
                port.sendto(first, ("127.0.0.1", fight.target.ports["quic"]))

    return 20 * fight.repeat(step, 200)


@attack
def keepalives(fight: Attack) -> int:
    """Nothing but keepalives."""
    evil = Evil(fight.target).become_child()
    fight.begin()
    return 30_000 * fight.blast(evil, [frame(KEEPALIVE) * 30_000])


@attack
def requests(fight: Attack) -> int:
    """Signature requests: each answer is signed."""
    evil = Evil(fight.target).become_child()
    fight.begin()
    return 300 * fight.blast(evil, [b"".join(message(SIG_REQ, seq=1, nonce=nonce) for nonce in range(300))])


@attack
def giants(fight: Attack) -> int:
    """The largest frames there may be."""
    evil = Evil(fight.target).become_child()
    fight.begin()
    return fight.blast(evil, [frame(DUMMY, bytes(LARGEST))])


@attack
def slow(fight: Attack) -> str:
    """Ask for much, and read nothing."""
    evil = Evil(fight.target).become_child().open_session()
    evil.reading = False
    request = [_echo(evil, bytes(30_000))] * 4
    fight.begin()
    return f"{4 * fight.repeat(lambda: evil.ip(request), 100)} echo requests, closed: {evil.closed}"


def _echo(evil: Evil, data: bytes) -> bytes:
    return icmp(evil.address, evil.target.address, 128, b"\0\1\0\1" + data)
