"""ygg_c.tcp.pacing: how fast segments leave over a whole transfer, in virtual time. Single steps are scripts."""

from __future__ import annotations

from tests.c.stackkit import SECOND, StackPair
from tests.c.tcp.scripted import scripts
from ygg.simulation import Conditions

test_scripts = scripts("29-pacing")


def received(switch: StackPair, sender, receiver, seconds: float) -> int:
    """Keep the sender busy for a while, and return how many bytes arrived."""
    end = switch.now + int(seconds * SECOND)
    got = 0
    while switch.now < end:
        while sender.queued < 300_000:
            sender.write(bytes(65536))
        switch.run(0.005)
        while receiver.readable:
            got += len(receiver.recv(1 << 20))
    return got


def test_the_schedule_of_long_round_trips_does_not_hold_back_what_leaves_when_they_are_short_again():
    switch = StackPair(1500, Conditions(delay=0.01, loss=0.05), seed=3)
    client, server = switch.pair()
    received(switch, client, server, 2)
    switch.change(Conditions(delay=1))
    received(switch, client, server, 30)
    switch.change(Conditions(delay=0.01))
    assert received(switch, client, server, 3) > 500_000
    switch.close()
