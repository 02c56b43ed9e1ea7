"""A node's own messages: those it sends, and those for it."""

from tests.simnet import Routers


def test_a_message_to_oneself_is_dropped(clock):
    """It is counted; who wants to talk to itself does so above."""
    clock.router.send(clock.router.key, b"me")
    clock.turn()
    assert clock.router.counters()["sent_to_self"] == 1


def test_bulk_over_one_link_loses_nothing():
    """Jumbo packets as fast as the credit allows: all arrive, in order."""
    network = Routers("bulk")
    a, b = network.add(1), network.add(2)
    network.join(a, b, delay=0.001)
    network.run(5)
    network.send(a, b, b"open")
    network.run(1)
    for number in range(40):
        a.send(b.key, number.to_bytes(4, "big") + bytes(65000))
    network.turn(a)
    network.run(1)
    got = [int.from_bytes(payload[:4], "big") for _, payload in b.take_delivered()[1:]]
    assert got == list(range(40))
    assert a.counters()["queue_dropped"] == 0
    network.close()
