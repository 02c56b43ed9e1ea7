"""Stacks joined without nodes."""

import asyncio

import pytest

from ygg.simulation import Conditions, Switch, VirtualLoop
from ygg.vtun import VTun
from ygg_c.base.sodium import SeededRandom
from ygg_c.stack.netstack import NetStack

A, B = (bytes([2]) + bytes(14) + bytes([last]) for last in (10, 11))


def stacks() -> tuple[NetStack, NetStack]:
    return tuple(NetStack([address], 1280, SeededRandom(address)) for address in (A, B))


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
