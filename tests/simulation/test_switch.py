"""Stacks joined without nodes."""

import asyncio
import errno

import pytest

from ygg.simulation import Conditions, Switch, VirtualLoop
from ygg.vtun import VTun
from ygg_c.base.sodium import SeededRandom
from ygg_c.stack.netstack import NetStack

A, B = (bytes([2]) + bytes(14) + bytes([last]) for last in (10, 11))


def stacks() -> tuple[NetStack, NetStack]:
    one, other = (NetStack([address], 1280, SeededRandom(address)) for address in (A, B))
    return one, other


@pytest.mark.parametrize("conditions", [
    Conditions(), Conditions(rate=1e6, delay=0.05, buffer=20_000),
    Conditions(delay=0.01, jitter=0.01, loss=0.05, reorder=0.05, duplicate=0.05),
], ids=["fast", "slow", "bad"])
def test_a_transfer_without_an_event_loop(conditions: Conditions) -> None:
    a, b = stacks()
    switch = Switch([a, b], conditions)
    run = switch.timeline.run
    listener = b.listen(None, 80)
    client = a.connect(B, 80)
    assert run(60, lambda: client.state == "ESTABLISHED")
    client.send(bytes(50_000))
    accepted, got = [], bytearray()
    assert run(60, lambda: accepted.append(listener.accept()) or accepted[-1] is not None)
    server = accepted[-1]

    def read() -> bool:
        while server.readable:
            got.extend(server.recv(1 << 20))
        return len(got) == 50_000

    assert run(600, read)
    assert switch.packets > 40
    for stack in (a, b):
        stack.close()
    run(1)
    switch.close()


def test_vtuns_in_virtual_time() -> None:
    async def main() -> float:
        a, b = VTun(["200::a"], clock=loop().clock), VTun(["200::b"], clock=loop().clock)
        switch = Switch([a.upper, b.upper], Conditions(delay=0.25))
        async with a, b:
            round_trip = await a.ping("200::b", timeout=5)
            switch.cut()
            with pytest.raises(TimeoutError):
                await a.ping("200::b", timeout=5)
        switch.close()
        return round_trip

    def loop() -> VirtualLoop:
        running = asyncio.get_running_loop()
        assert isinstance(running, VirtualLoop)
        return running

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == pytest.approx(0.5, abs=1e-6)


def test_one_port_is_left_out_when_its_packets_do_not_pass() -> None:
    a, b = stacks()
    switch = Switch([a, b])
    switch.passes = lambda packet: packet[8:24] != A
    client = a.connect(B, 80)
    assert not switch.timeline.run(5, lambda: client.state == "ESTABLISHED")
    assert switch.packets > 1
    for stack in (a, b):
        stack.close()
    switch.close()


def exchange(switch: Switch, a: NetStack, count: int = 1) -> int:
    """Send echo requests from A to B; return how many are answered within a second."""
    echo = a.echo()
    for number in range(count):
        echo.send(B, number)
    switch.run(1)
    answers = len(echo.recv_many())
    echo.close()
    return answers


def test_what_is_cut_is_mended() -> None:
    a, b = stacks()
    switch = Switch([a, b], Conditions(delay=0.01))
    switch.cut()
    assert exchange(switch, a) == 0
    switch.mend()
    assert exchange(switch, a) == 1
    for stack in (a, b):
        stack.close()
    switch.close()


def test_a_stack_takes_the_place_of_one_that_has_ended() -> None:
    """What was on its way to the former one is lost, and what the new one sends arrives."""
    a, b = stacks()
    switch = Switch([a, b], Conditions(delay=0.01))
    listener = b.listen(None, 80)
    client = a.connect(B, 80)
    switch.run(1)
    client.send(b"to the former one")
    switch.run(0.005)
    _, again = stacks()
    switch.add(again)
    switch.run(2, lambda: client.closed)
    assert client.error == errno.ECONNRESET
    assert again.counters()["tcp_resets_sent"] == 1         # about what was sent again
    assert exchange(switch, a) == 1
    switch.remove(B)
    assert exchange(switch, a) == 0
    with pytest.raises(KeyError):
        switch.tap("200::b")
    switch.remove("200::b")
    listener.close()
    for stack in (a, b, again):
        stack.close()
    switch.close()


def test_each_way_may_have_conditions_of_its_own() -> None:
    a, b = stacks()
    switch = Switch([a, b])
    switch.wire(B).conditions = Conditions(delay=0.25)
    began = switch.now
    echo = a.echo()
    echo.send(B, 1)
    switch.run(0)
    assert echo.recv_many() == []
    assert switch.run(1, lambda: echo.recv_many())
    assert switch.now - began == 250_000_000
    for stack in (a, b):
        stack.close()
    switch.close()


def test_what_comes_from_elsewhere_is_answered() -> None:
    a, b = stacks()
    switch = Switch([a, b], Conditions(delay=0.01))
    seen: list[bytes] = []
    switch.passes = seen.append
    a.connect(B, 80)
    switch.run(0.1)
    switch.give(seen[:1] * 2)
    switch.run(0)
    assert [packet[8:24] for packet in seen] == [A, B, B]
    for stack in (a, b):
        stack.close()
    switch.close()


def test_deadlines_that_move_on_leave_no_events_behind() -> None:
    a, b = stacks()
    switch = Switch([a, b], Conditions(delay=0.001))
    listener = b.listen(None, 80)
    client = a.connect(B, 80)
    for _ in range(500):
        client.send(b"x")
        switch.run(0.01)
    steps = 0
    while switch.timeline.step(100):
        steps += 1
    assert steps < 20
    listener.close()
    for stack in (a, b):
        stack.close()
    switch.close()
