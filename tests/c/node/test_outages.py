"""Outages, in virtual time: how soon a link is known to be dead, what takes its place, and what goes on afterwards."""

import pytest

from tests.c.farside import MAX, SIG_REQ, TRAFFIC, Clock, FarSide
from tests.c.slowlinks import MS, SECOND, Bulk, Net, net_of
from ygg.simulation import StreamWire
from ygg_c.link import wire
from ygg_c.link.link import Link

SLOW = 4e6
FAST = 20e6


def cut(wires: tuple[StreamWire, StreamWire]) -> None:
    for wire_ in wires:
        wire_.silent = True


def busy(net: Net, delay: int) -> tuple[tuple[StreamWire, StreamWire], Bulk]:
    """Join two nodes by a slow link that a transfer has filled; return its wires, and the transfer."""
    net.add(1, 2)
    wires = net.join(1, 2, SLOW, delay)
    net.run(6)
    bulk = Bulk(net, 1, 2).start()
    net.run(5)
    return wires, bulk


def lasts(link: Link, net: Net) -> float:
    """Have time pass until a link closes; return the seconds."""
    began = net.now
    while not link.closed:
        net.run(0.05)
    return (net.now - began) / SECOND


def timeouts(net: Net) -> int:
    return sum(stack.counters()["tcp_timeouts"] for stack in net.stacks.values())


def first_byte(bulk: Bulk, since: int) -> float:
    """Have time pass until something arrives; return when, in seconds."""
    bulk.net.run(120, lambda: bulk.last > since)
    return (bulk.last - since) / SECOND


@pytest.mark.parametrize("rtt", [20, 200])
@pytest.mark.parametrize("outage", [5, 20, 60])
@pytest.mark.parametrize("hops", [1, 2])
def test_what_waits_goes_on_when_the_link_is_back(rtt: int, outage: int, hops: int) -> None:
    """Some round trips for a link to be proven, a path to be found and a session to be made; no timer is waited for."""
    delay = rtt * MS // 2
    with net_of() as net:
        net.add(1, 2, 3)
        wires = net.join(1, 2, SLOW, delay)
        if hops == 2:
            net.join(2, 3, 1e9, MS)
        net.run(6)
        bulk = Bulk(net, 1, 1 + hops).start()
        net.run(5)
        cut(wires)
        net.run(outage)
        assert all(wire_.link.closed for wire_ in wires)
        net.join(1, 2, SLOW, delay)
        assert first_byte(bulk, net.now) <= 0.4 + 5 * rtt / 1000
        net.run(8)
        assert bulk.rate(net.now // SECOND - 3, net.now // SECOND) > 0.8 * SLOW / 1e6


@pytest.mark.parametrize(("rtt", "outage", "back"), [(20, 20, 0.3), (200, 20, 1.0), (200, 60, 1.5)])
def test_what_waits_goes_on_after_a_second_outage_soon_after_the_first(rtt: int, outage: int, back: float) -> None:
    """What is acknowledged after an outage takes its length for a round trip, and the timer follows."""
    delay = rtt * MS // 2
    with net_of() as net:
        wires, bulk = busy(net, delay)
        cut(wires)
        net.run(outage)
        wires = net.join(1, 2, SLOW, delay)
        net.run(back)
        cut(wires)
        net.run(5)
        assert bulk.client.info()["rto"] > 20 * SECOND
        net.join(1, 2, SLOW, delay)
        assert first_byte(bulk, net.now) <= 0.4 + 5 * rtt / 1000


@pytest.mark.parametrize("gap", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("mtu", [1500, 65535])
@pytest.mark.parametrize("outage", [5, 60])
def test_what_waits_goes_on_however_short_a_link_has_lived(gap: float, mtu: int, outage: int) -> None:
    """A link that dies young may have left little that calls for an answer, or a transport that takes nothing more."""
    for rate, rtt in ((SLOW, 20), (FAST, 20), (FAST, 200)):
        for source in (1, 2):
            with net_of(mtu) as net:
                net.add(1, 2)
                wires = net.join(1, 2, rate, rtt * MS // 2)
                net.run(6)
                bulk = Bulk(net, source, 3 - source).start()
                net.run(5)
                cut(wires)
                net.run(outage)
                wires = net.join(1, 2, rate, rtt * MS // 2)
                net.run(gap)
                cut(wires)
                net.run(5)
                net.join(1, 2, rate, rtt * MS // 2)
                assert first_byte(bulk, net.now) <= 1.5 + 2 * rtt / 1000


def test_an_outage_is_taken_for_no_round_trip() -> None:
    """All that was acknowledged between two outages had waited for as long as the first one lasted."""
    with net_of() as net:
        wires, bulk = busy(net, 30 * MS)
        cut(wires)
        net.run(30)
        wires = net.join(1, 2, SLOW, 30 * MS)
        net.run(0.199)
        cut(wires)
        net.run(3)
        assert bulk.client.info()["rto"] > 20 * SECOND
        net.join(1, 2, SLOW, 30 * MS)
        assert first_byte(bulk, net.now) <= 1.5 + 2 * 0.06


@pytest.mark.parametrize("source", [1, 2])
@pytest.mark.parametrize("silence", [1, 20])
def test_a_link_made_anew_is_used_where_the_old_one_is_not_known_to_be_dead(source: int, silence: int) -> None:
    """A node whose address changes dials again; to the other end an idle link just looks like one that is idle."""
    with net_of() as net:
        net.add(1, 2)
        wires = net.join(1, 2, FAST, 10 * MS)
        net.run(6)
        bulk = Bulk(net, source, 3 - source)
        net.run(10)
        cut(wires)
        net.run(silence)
        wires[0].link.close("EOF")
        assert not wires[1].link.closed
        net.join(1, 2, FAST, 10 * MS)
        net.run(0.1)
        bulk.start()
        assert first_byte(bulk, net.now) <= 0.2


def test_links_that_are_heard_are_not_doubted() -> None:
    with net_of() as net:
        net.add(1, 2)
        wires = net.join(1, 2, FAST, 10 * MS)
        net.run(6)
        Bulk(net, 1, 2).start()
        net.run(2)
        others = net.join(1, 2, FAST, 40 * MS)
        net.run(2, lambda: wires[0].link.doubted or wires[1].link.doubted)
        assert others[0].link.proven
        assert not wires[0].link.doubted


def test_a_link_in_doubt_is_used_again_once_it_answers() -> None:
    with net_of() as net:
        net.add(1, 2)
        wires = net.join(1, 2, FAST, 10 * MS)
        net.run(20)
        others = net.join(1, 2, FAST, 40 * MS)
        net.run(2, lambda: wires[0].link.doubted)
        assert wires[0].link.doubted
        net.run(0.1)
        assert not wires[0].link.doubted
        before = others[0].carried
        Bulk(net, 1, 2).start()
        net.run(2)
        assert others[0].carried - before < 10000


@pytest.mark.parametrize("outage", [5, 20])
def test_what_waits_goes_on_when_a_link_further_on_is_back(outage: int) -> None:
    """Nothing is told to who waits, but the filters that lead to the other end are, and a lookup then finds it."""
    with net_of() as net:
        net.add(1, 2, 3)
        net.join(1, 2, 1e9, 5 * MS)
        wires = net.join(2, 3, SLOW, 10 * MS)
        net.run(6)
        bulk = Bulk(net, 1, 3).start()
        net.run(5)
        cut(wires)
        net.run(outage)
        net.join(2, 3, SLOW, 10 * MS)
        assert first_byte(bulk, net.now) <= 1.5 + 2 * 0.03


def test_a_dial_that_waits_for_a_link_is_answered_once_it_is_there() -> None:
    with net_of() as net:
        net.add(1, 2)
        listener = net.stacks[2].listen(None, 7)
        dial = net.stacks[1].connect(net.nodes[2].address, 7)
        net.run(40)
        assert dial.state == "SYN-SENT"
        net.join(1, 2, SLOW, 10 * MS)
        net.run(0.5)
        assert dial.state == "ESTABLISHED"
        listener.close()


def test_links_that_come_and_go_do_not_keep_a_connection_to_a_host_that_is_gone() -> None:
    with net_of() as net:
        net.add(1, 2, 3)
        wires = net.join(1, 2, SLOW, MS)
        net.run(6)
        bulk = Bulk(net, 1, 2).start()
        bulk.client.on_event = None
        cut(wires)
        for _ in range(80):
            net.run(30, lambda: bulk.client.closed)
            for wire_ in net.join(1, 3, SLOW, MS):
                net.at(net.now + 20 * SECOND, lambda link=wire_.link: link.close("EOF"))
        assert bulk.client.closed
        assert timeouts(net) < 200


def test_a_link_with_traffic_waiting_is_known_to_be_dead_sooner() -> None:
    """Both ends: the one that sends finds that nothing moves, the other is heard by another way or hears nothing."""
    with net_of() as net:
        wires, bulk = busy(net, 10 * MS)
        cut(wires)
        dead = lasts(wires[0].link, net)
        assert 2 < dead < 2.5
        assert dead + lasts(wires[1].link, net) < 3.2
        assert bulk.client.state == "ESTABLISHED"


def test_a_link_of_long_round_trips_has_the_whole_time() -> None:
    with net_of() as net:
        net.add(1, 2)
        wires = net.join(1, 2, SLOW, 400 * MS)
        net.run(10)
        Bulk(net, 1, 2).start()
        net.run(5)
        cut(wires)
        assert lasts(wires[0].link, net) > 2.6        # what was under way came for a while


@pytest.mark.parametrize("pause", [0.5, 1.5, 2.0])
def test_a_pause_of_the_wire_ends_no_link(pause: float) -> None:
    with net_of() as net:
        wires, bulk = busy(net, 10 * MS)
        for wire_ in wires:
            wire_.pause(pause)
        net.run(5)
        assert not wires[0].link.closed
        assert bulk.rate(net.now // SECOND - 2, net.now // SECOND) > 0.8 * SLOW / 1e6


def test_a_slow_wire_may_pause_for_as_long_as_a_large_frame_takes() -> None:
    with net_of() as net:
        net.add(1, 2)
        wires = net.join(1, 2, 0.25e6, 10 * MS)
        net.run(6)
        Bulk(net, 1, 2).start()
        net.run(5)
        for wire_ in wires:
            wire_.pause(2.4)
        net.run(5)
        assert not wires[0].link.closed


def test_parts_of_a_large_frame_are_a_sign_of_life(clock: Clock) -> None:
    """A frame that takes longer than silence may last keeps its link; silence after a part of it does not."""
    far = FarSide(clock, 3)
    far.send(SIG_REQ, seq=1, nonce=1)       # whose answer the far side has to answer
    fields = {"path": [], "from": [9], "source": bytes(32), "dest": clock.router.key, "watermark": MAX}
    frame = wire.encode_frame(TRAFFIC, wire.encode(TRAFFIC, **fields, payload=bytes(60000)))
    for at in range(0, 40000, 10000):
        assert far.raw(frame[at : at + 10000])
        clock.pass_time(2)
    assert not far.link.closed
    clock.pass_time(3)
    assert far.link.error == "ErrTimeout"


@pytest.mark.parametrize("numbers", [(1, 2, 3), (2, 3, 1), (3, 1, 2)])
def test_a_second_way_takes_over(numbers: tuple[int, int, int]) -> None:
    """Of a triangle's links the one that is used is cut, whatever place its ends have in the tree.

    Where all neighbours that are left are below us in the tree, a second passes before we call ourselves the root.
    """
    a, b, c = numbers
    with net_of() as net:
        net.add(1, 2, 3)
        wires = net.join(a, b, FAST, 10 * MS)
        net.join(b, c, FAST, 10 * MS)
        net.join(a, c, FAST, 10 * MS)
        net.run(6)
        bulk = Bulk(net, a, b).start()
        net.run(4)
        assert wires[0].carried > 1e6
        cut(wires)
        lasts(wires[0].link, net)
        dead = net.now
        assert first_byte(bulk, dead) <= 2
        assert lasts(wires[1].link, net) < 1
        net.run(5)
        assert bulk.rate(net.now // SECOND - 2, net.now // SECOND) > 0.5 * FAST / 1e6


def test_a_way_found_again_is_asked_by_what_waits_only() -> None:
    """A stack in which nothing waits does nothing when links come and go."""
    with net_of() as net:
        net.add(1, 2, 3)
        net.join(1, 2, SLOW, MS)
        net.run(6)
        bulk = Bulk(net, 1, 2)
        out = net.stacks[1].counters()["packets_out"]
        for _ in range(5):
            there, _ = net.join(1, 3, SLOW, MS)
            net.run(1)
            there.link.close("EOF")
            net.run(1)
        assert net.stacks[1].counters()["packets_out"] == out
        assert bulk.client.state == "ESTABLISHED"
