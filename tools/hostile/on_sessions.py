"""Attacks on end-to-end sessions and on what is asked over them."""

import os
import random
import struct

import pysodium

from hostile.attack import Attack, attack, grouped
from hostile.evil import Evil, Keys, first_init, random_key, tick
from hostile.packets import ACK, PSH, RST, SYN, tcp


@attack
def inits(fight: Attack) -> int:
    """Session handshakes of ever new identities."""
    evil = Evil(fight.target).become_child()
    evil.lookup_in = lambda dest: None  # type: ignore[method-assign]
    frames = []
    for number in range(3000):
        keys = Keys.of(b"%032d" % number)
        frames.append(evil.traffic(keys.public, first_init(keys, fight.target)))
    fight.begin()
    return 20 * fight.blast(evil, grouped(frames, 20))


@attack
def inits_forged(fight: Attack) -> int:
    """Session handshakes that are none."""
    evil = Evil(fight.target).become_child()
    forged = (b"\1" + pysodium.crypto_box_keypair()[0] + os.urandom(160) for _ in range(3000))
    frames = [evil.traffic(random_key(), init) for init in forged]
    fight.begin()
    return 20 * fight.blast(evil, grouped(frames, 20))


@attack
def strangers(fight: Attack) -> int:
    """Session traffic in invented names: each may be answered with a handshake."""
    evil = Evil(fight.target).become_child()
    frames = [evil.traffic(random_key(), b"\3" + bytes(60)) for _ in range(8000)]
    fight.begin()
    return 20 * fight.blast(evil, grouped(frames, 20), 250)


@attack
def query(fight: Attack) -> int:
    """Ask for the records the target holds, over and over."""
    evil = Evil(fight.target).become_child().open_session()
    tap = evil.taps[evil.keys.public]

    def ask() -> None:
        tick(tap)
        for _ in range(10):
            tap.write(fight.target.public, b"\2\xff\5")
        evil.flush(evil.keys.public)

    fight.begin()
    return 10 * fight.repeat(ask, 50)


@attack
def spoof(fight: Attack) -> int:
    """In the honest neighbour's name: packets over a session of another, and session messages that are none."""
    evil = Evil(fight.target).become_child().open_session()
    honest = Keys.of(bytes.fromhex(fight.target.neighbour))
    rnd = random.Random(1)

    def step() -> None:
        evil.ip(
            tcp(honest.address, fight.target.address, (port, 7), rnd.getrandbits(32), rnd.getrandbits(32), flags,
                data=b"evil")
            for port in rnd.sample(range(32768, 65536), 20) for flags in (RST, SYN, ACK | PSH)
        )
        evil.send(b"".join(evil.traffic(honest.public, b"\3" + os.urandom(80)) for _ in range(20)))
        evil.send(b"".join(
            evil.traffic(honest.public, struct.pack("B", kind) + os.urandom(192)) for kind in (1, 2) for _ in range(5)
        ))

    fight.begin()
    return fight.repeat(step, 50)
