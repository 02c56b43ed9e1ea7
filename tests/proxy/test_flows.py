"""ygg.proxy.flows: the life of a flow, what is held for it, what is dropped, and who makes room."""

import asyncio
import errno
from collections import Counter
from typing import Any

from tests.aio import in_virtual_time, settle
from ygg.errors import HostUnreachable
from ygg.proxy import DatagramLimits
from ygg.proxy.admission import Admission
from ygg.proxy.datagram_endpoints import Factory
from ygg.proxy.flows import HELD, HELD_EACH, Flows, what_failed


class Wire(asyncio.DatagramTransport):
    """A port that keeps what is sent."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.protocol = protocol
        self.closed = False
        protocol.connection_made(self)

    def sendto(self, data: Any, addr: Any = None) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class World:
    """Flows whose ports open when `ready` is set, or fail with `error`."""

    def __init__(self, limits: DatagramLimits | None = None) -> None:
        self.wires: dict[Any, Wire] = {}
        self.ready = asyncio.Event()
        self.error: OSError | None = None
        self.answers: list[tuple[bytes, Any]] = []
        self.counters: Counter[str] = Counter()
        limits = limits or DatagramLimits()
        admission = Admission(limits.flows, limits.per_source)
        self.flows = Flows(limits, self.reach, lambda *answer: self.answers.append(answer), admission, self.counters)

    async def reach(self, key: Any, factory: Factory) -> object:
        await self.ready.wait()
        if self.error is not None:
            raise self.error
        self.wires[key] = Wire(factory())
        return self.wires[key]

    def send(self, key: Any, data: bytes, source: Any = None) -> None:
        flow = self.flows.by_key.get(key) or self.flows.open(key, source, f"to {key}")
        if flow is not None:
            flow.send(data)

    async def end(self) -> None:
        self.flows.end_all()
        await self.flows.wait_ended()


@in_virtual_time
async def test_what_comes_before_the_port_is_held_in_order_within_bounds() -> None:
    world = World()
    for number in range(HELD_EACH + 3):
        world.send("a", b"%d" % number)
    large = bytes(60_000)
    for key in range(100):
        world.send(key, large)
    fits = (HELD - sum(len(b"%d" % number) for number in range(HELD_EACH))) // len(large)
    assert world.counters["dropped"] == 3 + 100 - fits
    world.ready.set()
    await settle()
    assert world.wires["a"].sent == [b"%d" % number for number in range(HELD_EACH)]
    assert sum(len(wire.sent) for key, wire in world.wires.items() if key != "a") == fits
    world.send("b", large)  # there is room again
    await settle()
    assert world.wires["b"].sent == [large]
    await world.end()
    assert all(wire.closed for wire in world.wires.values())


@in_virtual_time
async def test_a_port_that_does_not_open_is_tried_again_later_and_takes_nothing_until_then() -> None:
    world = World()
    world.ready.set()
    world.error = HostUnreachable()
    for _ in range(50):
        world.send("a", b"x")
        await asyncio.sleep(0.01)
    assert world.counters["failed"] == 1
    await asyncio.sleep(1)
    world.error = None
    world.send("a", b"y")
    await settle()
    assert world.wires["a"].sent == [b"y"]
    assert world.counters["failed"] == 1
    await world.end()


@in_virtual_time
async def test_one_that_takes_too_long_to_open_fails() -> None:
    world = World(DatagramLimits(open_timeout=5.0))
    world.send("a", b"x")
    await asyncio.sleep(6.5)
    assert world.counters["failed"] == 1
    assert not world.flows.by_key
    await world.flows.wait_ended()


@in_virtual_time
async def test_a_fault_is_counted_and_ends_the_flow(caplog: Any) -> None:
    world = World()

    async def wrong(key: Any, factory: Factory) -> object:
        raise RuntimeError("a fault")

    flows = Flows(DatagramLimits(), wrong, print, Admission(4, 4), world.counters)
    flow = flows.open("a", None, "there")
    assert flow is not None
    await settle()
    assert world.counters["errors"] == 1
    assert not flows.by_key
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]


@in_virtual_time
async def test_silence_ends_a_flow_and_answers_do_not_prolong_it() -> None:
    world = World(DatagramLimits(idle=100.0))
    world.ready.set()
    world.send("a", b"x")
    world.send("b", b"x")
    for _ in range(17):
        await asyncio.sleep(10)
        if "a" in world.flows.by_key:
            world.wires["a"].protocol.datagram_received(b"more", None)
        world.send("b", b"x")
    assert list(world.flows.by_key) == ["b"]
    assert world.counters["idle"] == 1
    assert world.answers
    assert all(answer == (b"more", "a") for answer in world.answers)
    await world.end()
    assert world.flows.counts()["datagrams_received"] == 19


@in_virtual_time
async def test_room_is_made_by_the_source_that_has_most() -> None:
    world = World(DatagramLimits(flows=8, per_source=8))
    world.ready.set()
    for number in range(8):
        world.send(number, b"x", source="crowd")
    await settle()
    world.send("new", b"x", source="other")
    await settle()
    assert world.wires[0].closed
    assert world.wires["new"].sent == [b"x"]
    assert world.counters["evicted"] == 1
    assert len(world.flows.by_key) == 8
    await world.end()


@in_virtual_time
async def test_a_full_port_drops() -> None:
    world = World()
    world.ready.set()
    world.send("a", b"x")
    await settle()
    flow = world.flows.by_key["a"]
    flow.pause_writing()
    world.send("a", b"y")
    flow.resume_writing()
    world.send("a", b"z")
    assert world.wires["a"].sent == [b"x", b"z"]
    assert world.counters["dropped"] == 1
    (info,) = world.flows.info(lambda key: f"client {key}")
    assert (info.peer, info.target, info.connected, info.received) == ("client a", "to a", True, 3)
    await world.end()


@in_virtual_time
async def test_a_port_that_opens_although_the_flow_has_ended_is_closed() -> None:
    world = World()
    flow = world.flows.open("a", None, "there")
    assert flow is not None
    flow.drop()
    late = Wire(flow)
    await world.flows.wait_ended()
    assert late.closed
    assert not late.sent


def test_errors_by_their_kinds() -> None:
    assert what_failed(OSError(errno.EMSGSIZE, "")) == "too_big"
    assert what_failed(ConnectionRefusedError(errno.ECONNREFUSED, "")) == "unreachable"
    assert what_failed(HostUnreachable()) == "unreachable"
    assert what_failed(OSError(errno.EPERM, "")) == "failed"
    assert what_failed(ValueError()) == "failed"
