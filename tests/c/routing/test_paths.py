"""How much is kept of paths, and which go when there is no more room."""

from tests.c.farside import MAX, NOTIFY, Clock, FarSide, sign
from ygg.testing import secret_key
from ygg_c.link import wire


def learn(clock: Clock, far: FarSide, secret: bytes, ports: list[int]) -> None:
    """Have the router learn a path."""
    signed = wire.encode_uv(clock.wall) + wire.encode_path(ports)
    clock.router.find(secret[32:])
    far.send(NOTIFY, path=[], watermark=MAX, source=secret[32:], dest=clock.router.key, seq=clock.wall, info_path=ports,
             sig=sign(signed, secret))


def test_long_paths_go_before_short_ones_when_memory_ends(clock: Clock, children: list[FarSide]) -> None:
    """Paths of a thousand ports fill 16 MiB, headers counted: those that strangers made so long make room."""
    hostile, honest = children
    short = [secret_key(1000 + number) for number in range(50)]
    for secret in short:
        learn(clock, honest, secret, [honest.link.port, 7])
    long = [MAX - number for number in range(1000)]
    for number in range(2200):
        learn(clock, hostile, secret_key(10_000 + number), [hostile.link.port, *long])
        if number % 50 == 49:
            clock.pass_time(0.2)
            for child in children:
                child.raw(b"\x01\x01")
                child.answer()
                child.frames.clear()
    kept = {path["key"] for path in clock.router.known_paths()}
    assert kept >= {secret[32:] for secret in short}
    assert len(kept) * 10_000 <= 16 * 2**20
    for path in clock.router.known_paths():
        clock.router.send(path["key"], b"")
    kept = {path["key"] for path in clock.router.known_paths()}
    assert kept >= {secret[32:] for secret in short}
    assert (len(kept) - len(short)) * 20_000 <= 16 * 2**20
    assert clock.router.counters()["paths_evicted"] >= 1200
