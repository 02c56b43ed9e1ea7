"""A layer that limits rates: what passes, who waits, and that they are told."""

import pytest

from tests.c.node.test_gateway import Port, ipv6
from tests.c.node.test_layers import Pair, pair_of_stacks, received
from tests.c.worldkit import SECOND
from ygg_c.ip.limiter import RATE_MOST, Limiter


def transfer(pair: Pair, size: int) -> float:
    """Send so much over the connection; return the seconds that it took until all had arrived."""
    data, got, sent = bytes(size), 0, 0
    begin = pair.world.now
    while got < size:
        sent += pair.client.send(data[sent:]) if sent < size else 0
        pair.world.run(0.01)
        got += len(received(pair.server))
        assert pair.world.now - begin < 1000 * SECOND
    return (pair.world.now - begin) / SECOND


@pytest.mark.parametrize("arguments", [{"bytes_out": 1_000_000}, {"packets_out": 700}], ids=["bytes", "packets"])
def test_a_sender_that_asks_waits_and_loses_nothing(arguments: dict[str, int]) -> None:
    """TCP keeps to the rate by waiting: it is told when it may go on, and nothing is dropped or sent again."""
    with pair_of_stacks() as pair:
        limiter = Limiter(**arguments)
        pair.gateways[0].insert(limiter)
        assert 2.7 < transfer(pair, 3_000_000) < 3.3
        assert limiter.dropped_out == 0
        assert pair.stacks[0].counters()["tcp_retransmits"] == 0


def test_what_arrives_beyond_the_rate_is_dropped() -> None:
    """The far side's TCP finds its own rate below it."""
    with pair_of_stacks() as pair:
        limiter = Limiter(bytes_in=1_000_000)
        pair.gateways[1].insert(limiter)
        assert 2.7 < transfer(pair, 3_000_000) < 8
        assert limiter.dropped_in > 0


def test_without_limits_nothing_waits() -> None:
    with pair_of_stacks() as pair:
        limiter = Limiter()
        pair.gateways[0].insert(limiter)
        assert transfer(pair, 3_000_000) < 0.5
        assert (limiter.dropped_in, limiter.dropped_out) == (0, 0)


def test_those_that_wait_go_on_at_once_when_it_is_taken_out() -> None:
    with pair_of_stacks() as pair:
        limiter = Limiter(bytes_out=1)
        pair.gateways[0].insert(limiter)
        pair.client.send(bytes(300_000))
        pair.world.run(1)
        early = len(received(pair.server))
        assert 0 < early < 140_000
        pair.gateways[0].remove(limiter)
        pair.world.run(0.1)
        assert early + len(received(pair.server)) == 300_000
        assert pair.stacks[0].counters()["tcp_retransmits"] == 0


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_device_that_does_not_ask_gets_what_there_is(way: str) -> None:
    """A burst of ten passes, then ten a second; the rest is dropped and counted."""
    with pair_of_stacks() as pair:
        for gateway in pair.gateways:
            gateway.detach()
            gateway.close()
        a, b = (Port(pair.world.nodes[number].engine) for number in (1, 2))
        packet = ipv6(a.node.address, b.node.address)
        a.send(packet)
        pair.world.run(2)
        assert b.take() == [packet]
        limiter = Limiter(**{f"packets_{way}": 10}, burst=1)
        (b if way == "in" else a).gateway.insert(limiter)
        a.send(*[packet] * 15)
        pair.world.run(1)
        assert len(b.take()) == 10
        a.send(*[packet] * 15)
        pair.world.run(0)
        assert len(b.take()) == 10
        assert (limiter.dropped_in, limiter.dropped_out) == ((10, 0) if way == "in" else (0, 10))
        a.gateway.close()
        b.gateway.close()


@pytest.mark.parametrize("arguments", [
    {"packets_in": -1}, {"bytes_out": RATE_MOST + 1}, {"burst": -0.1}, {"burst": 1.1}, {"burst": float("nan")},
])
def test_limits_have_a_range(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not"):
        Limiter(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["packets_in", "bytes_in", "packets_out", "bytes_out"])
def test_a_fraction_is_no_rate(name: str) -> None:
    """Cut down to 0 it would be no limit at all."""
    with pytest.raises(TypeError):
        Limiter(**{name: 0.5})  # type: ignore[arg-type]


def test_the_highest_rates_do_not_overflow() -> None:
    with pair_of_stacks() as pair:
        limiter = Limiter(RATE_MOST, RATE_MOST, RATE_MOST, RATE_MOST, burst=1)
        pair.gateways[0].insert(limiter)
        pair.world.run(3600)
        assert transfer(pair, 3_000_000) < 0.5
        assert (limiter.dropped_in, limiter.dropped_out) == (0, 0)
