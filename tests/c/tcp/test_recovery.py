"""ygg_c.tcp.recovery and rack: what a loss, or what looks like one, costs a whole transfer, in virtual time."""

from __future__ import annotations

import pytest

from benchmarks.lossy.flows import Run
from benchmarks.lossy.link import Cell
from tests.c.stackkit import MS, SECOND, SYN, A, B, Peer, StackPair, parse_tcp, stamp
from ygg.simulation import Conditions

MSS = 1428


def drain(switch: StackPair, sender, receiver, size: int, limit: int = 600 * SECOND) -> float:
    """Send `size` bytes and return the seconds until all were read."""
    sender.write(bytes(size))
    began = switch.now
    got = 0
    while got < size and switch.now < began + limit:
        switch.run(0.02)
        while receiver.readable:
            got += len(receiver.recv(1 << 20))
    assert got == size
    return (switch.now - began) / SECOND


def bulk(switch: StackPair, pairs: list[tuple], seconds: float) -> None:
    """Keep each sender busy for `seconds`, and read what arrives."""
    end = switch.now + int(seconds * SECOND)
    data = bytes(65536)
    while switch.now < end:
        for sender, _ in pairs:
            while sender.queued < 600_000:
                sender.write(data)
        switch.run(0.005)
        for _, receiver in pairs:
            while receiver.readable:
                receiver.recv(1 << 20)


class Drops:
    """Drops the segments of data that leave A at the counts given."""

    def __init__(self, switch: StackPair, *counts: int) -> None:
        self.count = 0
        self.counts = set(counts)
        self.left: list[tuple[int, int]] = []
        self.switch = switch
        switch.passes = self

    def __call__(self, packet: bytes) -> bool:
        if packet[8:24] != A or len(packet) < 200:
            return True
        self.count += 1
        self.left.append((self.switch.now, parse_tcp(packet).seq))
        return self.count not in self.counts


@pytest.fixture
def switch():
    """Two stacks 50 ms apart and back."""
    switch = StackPair(1500, Conditions(delay=0.025))
    yield switch
    switch.close()


def sacks(base: int, have: set[int], size: int) -> bytes:
    """Return the option for the highest three runs of segments."""
    runs: list[list[int]] = []
    for index in sorted(have):
        if runs and runs[-1][1] == index:
            runs[-1][1] = index + 1
        else:
            runs.append([index, index + 1])
    blocks = b"".join(
        (base + number * size & 0xFFFFFFFF).to_bytes(4, "big") for run in reversed(runs[-3:]) for number in run)
    return bytes([1, 1, 5, 2 + len(blocks)]) + blocks if blocks else b""


@pytest.mark.parametrize("count", [10, 40, 80])
def test_segments_that_are_late_are_sent_again_once_at_most(count: int) -> None:
    """Every second one comes late, none is lost: the first time costs a copy of each, as reordering was not known."""
    peer = Peer(1280, bytes([1, 1, 4, 2, 1, 3, 3, 7, 2, 4, 4, 0xC4]) + stamp(500, 0))
    listener = peer.stack.listen(None, 80)
    syn = peer.one(flags=SYN, ack=0, options=peer.options)
    peer.seq, peer.ack, size = peer.seq + 1, syn.seq + 1, 1208
    echo = int.from_bytes(syn.option(8)[:4], "big")
    peer.send(options=stamp(501, echo))
    connection = listener.accept()
    connection.write(bytes(size * 400))
    flight = peer.take()
    while len(flight) < count:
        peer.now += 50 * MS
        acks = [segment.seq + size for segment in flight]
        flight = [answer for ack in acks for answer in peer.send(ack=ack, options=stamp(502, echo))]
    peer.ack = flight[0].seq
    base, echo = flight[0].seq, int.from_bytes(flight[0].option(8)[:4], "big")
    have: set[int] = set()
    again: list[int] = []
    peer.now += 50 * MS
    for index in [*range(1, len(flight), 2), *range(0, len(flight), 2)]:
        have.add(index)
        edge = next(number for number in range(len(flight) + 1) if number not in have)
        beyond = {number for number in have if number > edge}
        answers = peer.send(ack=base + edge * size, options=stamp(503, echo) + sacks(base, beyond, size))
        again += [answer.seq for answer in answers if answer.data and (answer.seq - base) % 2**32 < len(flight) * size]
        peer.now += MS // 10
    assert len(again) == len(set(again)) <= len(flight) // 2
    assert connection.info()["phase"] == "open"
    peer.close()


@pytest.mark.parametrize("jitter", [1 * MS, 5 * MS, 25 * MS, 50 * MS])
def test_jitter_costs_no_copies_and_no_timeouts(switch: StackPair, jitter: int) -> None:
    client, server = switch.pair()
    switch.change(Conditions(delay=0.025, jitter=jitter / SECOND))
    bulk(switch, [(client, server)], 10)
    info = client.info()
    assert info["retransmits"] < 0.001 * info["segments_out"] + 10
    assert info["timeouts"] == 0


@pytest.mark.parametrize(("fault", "value"), [("jitter", 0.0125), ("jitter", 0.025), ("reorder", 0.01)])
def test_jitter_and_reordering_cost_less_than_a_twentieth_of_the_goodput(fault: str, value: float) -> None:
    clean = Run(Cell(10e6, 0.05, seconds=20)).run()
    late = Run(Cell(10e6, 0.05, seconds=20, **{fault: value})).run()  # type: ignore[arg-type]
    assert late.goodput > 0.95 * clean.goodput
    assert late.copies < 0.01
    assert late.timeouts == 0


@pytest.mark.parametrize(("rate", "rtt", "buffer"), [(10e6, 0.05, 1.0), (10e6, 0.05, 0.1), (100e6, 0.01, 1.0)])
def test_only_what_the_bottleneck_dropped_is_sent_again(rate: float, rtt: float, buffer: float) -> None:
    figures = Run(Cell(rate, rtt, buffer, seconds=20)).run()
    assert figures.copies <= 0.001
    assert figures.timeouts == 0


@pytest.mark.parametrize("loss", [0.001, 0.01])
def test_two_way_traffic_recovers_without_timeouts(loss: float) -> None:
    """SACK travels with data. Before, each loss both ways ended in a timeout."""
    switch = StackPair(1500, Conditions(delay=0.025, loss=loss))
    client, server = switch.pair()
    bulk(switch, [(client, server), (server, client)], 20)
    for end in (client, server):
        info = end.info()
        assert info["retransmits"] < 1.5 * loss * info["segments_out"] + 5
        assert info["timeouts"] <= 1
    switch.close()


def test_one_loss_event_reduces_once_and_resends_each_segment_once(switch: StackPair) -> None:
    client, server = switch.pair()
    drain(switch, client, server, 400_000)
    drops = Drops(switch, 20, 22, 23, 24, 40)
    before = client.info()
    drain(switch, client, server, 400_000)
    after = client.info()
    assert after["retransmits"] - before["retransmits"] == 5
    assert after["timeouts"] == 0
    assert after["ssthresh"] >= 0.5 * min(before["cwnd"], 400_000)
    assert len(drops.left) == len({seq for _, seq in drops.left}) + 5


def test_the_end_of_a_flight_is_recovered_by_a_probe(switch: StackPair) -> None:
    """Two round trips, where the timer takes one and 200 ms, with backoff and a window of one segment."""
    client, server = switch.pair()
    drain(switch, client, server, 100_000)
    drops = Drops(switch, 9, 10)
    seconds = drain(switch, client, server, 10 * MSS)
    assert client.info()["timeouts"] == 0
    assert seconds <= 0.3
    times = [now for now, _ in drops.left]
    assert 100 * MS <= times[10] - times[9] <= 170 * MS


def test_a_delay_spike_is_undone_and_costs_few_copies(switch: StackPair) -> None:
    """A link that is TCP itself holds everything back for a second, then delivers it."""
    client, server = switch.pair()
    bulk(switch, [(client, server)], 3)
    before = client.info()
    for address in (A, B):
        switch.wire(address).pause(1)
    bulk(switch, [(client, server)], 1)
    bulk(switch, [(client, server)], 2)
    after = client.info()
    assert 1 <= after["timeouts"] <= 3
    assert after["retransmits"] <= 4
    assert after["cwnd"] >= before["cwnd"]
    assert after["phase"] == "open"


@pytest.mark.parametrize("options", ["sack", "plain"])
def test_a_delay_spike_is_undone_without_timestamps(options: str) -> None:
    """F-RTO: with SACK the first original that arrives tells, without two ACKs that advance."""
    peer = Peer(1280, bytes([1, 1, 4, 2, 2, 4, 4, 0xC4]) if options == "sack" else bytes([2, 4, 4, 0xC4]))
    connection = peer.accept()
    connection.write(bytes(1220 * 30))
    flight = peer.take()
    assert len(flight) == 10
    cwnd = connection.info()["cwnd"]
    resent = [segment for segment in peer.wait(2 * connection.info()["rto"]) if segment.data]
    assert {segment.seq for segment in resent} <= {flight[0].seq, flight[-1].seq + 1220}
    assert connection.info()["phase"] == "loss"
    later: list[int] = []
    for segment in flight:
        peer.now += MS
        later += [answer.seq for answer in peer.send(ack=segment.seq + 1220) if answer.data]
    assert connection.info()["phase"] == "open"
    assert connection.info()["cwnd"] >= cwnd
    assert [seq for seq in later if (seq - flight[0].seq) % 2**32 < 10 * 1220] == []
    peer.close()


def test_a_recovery_ends_without_a_burst(switch: StackPair) -> None:
    client, server = switch.pair()
    drain(switch, client, server, 400_000)
    drops = Drops(switch, *range(10, 40))
    drain(switch, client, server, 800_000)
    assert client.info()["timeouts"] == 0
    at_once: dict[int, int] = {}
    for now, _ in drops.left:
        at_once[now] = at_once.get(now, 0) + 1
    first = min(at_once)
    assert max(count for now, count in at_once.items() if now > first + 100 * MS) <= client.info()["cwnd"] // MSS
