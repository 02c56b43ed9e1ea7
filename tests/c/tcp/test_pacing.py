"""ygg_c.tcp.pacing: how fast segments leave over a whole transfer, in virtual time. Single steps are scripts."""

from __future__ import annotations

from tests.c.stackkit import MS, SECOND, Link, World


def received(world: World, sender, receiver, seconds: float) -> int:
    """Keep the sender busy for a while, and return how many bytes arrived."""
    end = world.now + int(seconds * SECOND)
    got = 0
    while world.now < end:
        while sender.queued < 300_000:
            sender.write(bytes(65536))
        world.run(5 * MS)
        while receiver.readable:
            got += len(receiver.recv(1 << 20))
    return got


def test_the_schedule_of_long_round_trips_does_not_hold_back_what_leaves_when_they_are_short_again():
    world = World(1500, Link(10 * MS, loss=0.05), seed=3)
    client, server = world.pair()
    received(world, client, server, 2)
    world.link.delay = SECOND
    received(world, client, server, 30)
    world.link.delay = 10 * MS
    assert received(world, client, server, 3) > 500_000
    world.close()
