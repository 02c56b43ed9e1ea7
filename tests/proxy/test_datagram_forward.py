"""ygg.proxy.datagram_forward: datagrams both ways, of many clients, up to the largest, and what is dropped."""

import asyncio
import socket

import pytest

from tests.aio import on_loops, settle, until
from tests.proxy.ends import Port, ports, sender
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.errors import AddressInUse
from ygg.proxy import DatagramForward, DatagramLimits, overlay_udp, udp


@on_loops
async def test_from_this_machine_to_the_overlay_and_back() -> None:
    async with joined() as pair, ports("::", network=pair.b) as (far,):
        target = overlay_udp(pair.a, ADDRESS_B, far.number)
        async with DatagramForward(udp("127.0.0.1", 0), target) as forward:
            near = await sender(forward.port)
            for data in (b"first", b"2nd", b"third"):
                near.transport.sendto(data)
            await until(lambda: len(near.arrived) == 3)
            assert near.data == [b"FIRST", b"2ND", b"THIRD"]
            assert [address[0] for _, address in far.arrived] == [ADDRESS_A] * 3
            (flow,) = forward.flows()
            assert (flow.peer[:2], flow.connected, flow.received, flow.sent) == (
                near.transport.get_extra_info("sockname")[:2], True, 3, 3)
            counters = forward.counters()
            assert {name: count for name, count in counters.items() if count} == {
                "accepted": 1, "connected": 1, "datagrams_received": 3, "datagrams_sent": 3, "received": 13, "sent": 13}
            near.transport.close()
        assert forward.addresses == []
        assert forward.counters()["received"] == 13


@on_loops
async def test_from_the_overlay_to_this_machine_and_back() -> None:
    async with (
        joined() as pair,
        ports("127.0.0.1") as (far,),
        DatagramForward(overlay_udp(pair.b, ADDRESS_B, 53), udp("127.0.0.1", far.number)) as forward,
    ):
        clients = [await sender(53, pair.a, ADDRESS_B) for _ in range(20)]
        for number, client in enumerate(clients):
            client.transport.sendto(b"client %d" % number)
        await until(lambda: all(client.arrived for client in clients))
        assert [client.data for client in clients] == [[b"CLIENT %d" % number] for number in range(20)]
        assert len({address for _, address in far.arrived}) == len(forward.flows()) == 20
        for client in clients:
            client.transport.close()


@on_loops
async def test_the_largest_and_what_is_larger_than_the_other_side_takes() -> None:
    async with (
        joined() as pair,
        ports("127.0.0.1", answer=lambda data: data) as (far,),
        DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number)) as forward,
    ):
        near = await sender(53, pair.a, ADDRESS_B)
        near.transport.sendto(bytes(65_507))
        await until(lambda: near.arrived)
        near.transport.sendto(bytes(65_527))
        await until(lambda: forward.counters()["too_big"] == 1)
        near.transport.sendto(b"still there")
        await until(lambda: len(near.arrived) == 2)
        assert [len(data) for data in near.data] == [65_507, 11]
        near.transport.close()


@on_loops
async def test_the_overlays_largest_by_ipv6() -> None:
    async with (
        joined() as pair,
        ports("::1", answer=lambda data: data) as (far,),
        DatagramForward(overlay_udp(pair.b, None, 53), udp("::1", far.number)) as forward,
    ):
        near = await sender(53, pair.a, ADDRESS_B)
        near.transport.sendto(bytes(65_527))
        await until(lambda: near.arrived)
        assert len(near.arrived[0][0]) == 65_527
        assert forward.counters()["too_big"] == 0
        near.transport.close()


@on_loops
async def test_a_closed_port_is_told_by_a_counter_and_served_once_it_is_open() -> None:
    async with joined() as pair:
        async with ports("127.0.0.1") as (far,):
            number = far.number
        await settle()
        async with DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", number)) as forward:
            near = await sender(53, pair.a, ADDRESS_B)
            near.transport.sendto(b"one")
            await until(lambda: forward.counters()["unreachable"] == 1)
            _, far = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Port(bytes.upper), local_addr=("127.0.0.1", number))
            near.transport.sendto(b"two")
            await until(lambda: near.arrived)
            assert (near.data, near.errors) == ([b"TWO"], [])
            near.transport.close()
            far.transport.close()


@on_loops
async def test_a_closed_port_of_the_overlay() -> None:
    async with joined() as pair, DatagramForward(udp("127.0.0.1", 0), overlay_udp(pair.a, ADDRESS_B, 9)) as forward:
        near = await sender(forward.port)
        near.transport.sendto(b"one")
        await until(lambda: forward.counters()["unreachable"] == 1)
        near.transport.close()


@on_loops
async def test_silent_flows_end_and_answers_do_not_keep_them() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        limits = DatagramLimits(idle=0.2)
        async with DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number), limits) as forward:
            near = await sender(53, pair.a, ADDRESS_B)
            near.transport.sendto(b"one")
            await until(lambda: near.arrived)
            (_, client), = far.arrived
            while forward.flows():
                far.transport.sendto(b"more", client)
                await asyncio.sleep(0.01)
            assert forward.counters()["idle"] == 1
            near.transport.sendto(b"two")
            await until(lambda: b"TWO" in near.data)
            assert forward.counters()["accepted"] == 2
            near.transport.close()


@on_loops
async def test_one_source_does_not_take_all_flows() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        limits = DatagramLimits(flows=20, per_source=8)
        async with DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number), limits) as forward:
            crowd = [await sender(53, pair.a, ADDRESS_B) for _ in range(50)]
            for client in crowd:
                client.transport.sendto(b"x")
            await until(lambda: forward.counters()["refused"] == 42)
            assert len(forward.flows()) == 8
            for client in crowd:
                client.transport.close()


@on_loops
async def test_many_clients_of_this_machine_make_room_for_one_of_the_overlay() -> None:
    """Local ones have no limit but that over all; the flow of theirs that was silent longest goes for a newcomer."""
    async with joined(), ports("127.0.0.1") as (far,):
        limits = DatagramLimits(flows=20)
        forward = DatagramForward(udp("127.0.0.1", 0), udp("127.0.0.1", far.number), limits)
        async with forward:
            crowd = [await sender(forward.port) for _ in range(30)]
            for client in crowd:
                client.transport.sendto(b"x")
            await until(lambda: forward.counters()["refused"] == 10)
            for client in crowd:
                client.transport.close()


@on_loops
async def test_who_is_not_allowed_is_dropped() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        entrance, target = overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number)
        async with DatagramForward(entrance, target, allow=["200:cccc::/32"]) as forward:
            near = await sender(53, pair.a, ADDRESS_B)
            near.transport.sendto(b"one")
            await until(lambda: forward.counters()["forbidden"] == 1)
            assert not forward.flows()
        async with DatagramForward(entrance, target, allow=[ADDRESS_A]):
            near.transport.sendto(b"two")
            await until(lambda: near.arrived)
            near.transport.close()


@on_loops
async def test_it_ends_with_its_vtun_and_may_be_closed_twice() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        forward = DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number))
        await forward.start()
        await forward.start()
        near = await sender(53, pair.a, ADDRESS_B)
        near.transport.sendto(b"one")
        await until(lambda: near.arrived)
        await pair.b.close(grace=0)
        await forward.wait_closed()
        assert not forward.flows()
        assert not forward.addresses
        with pytest.raises(ValueError, match="not listening"):
            _ = forward.port
        forward.close()
        await forward.wait_closed()
        near.transport.close()


@on_loops
async def test_a_port_that_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        forward = DatagramForward(udp("127.0.0.1", taken.getsockname()[1]), udp("127.0.0.1", 9))
        with pytest.raises(AddressInUse):
            await forward.start()


@on_loops
async def test_closing_while_datagrams_come_and_ports_open() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        for turns in range(8):
            forward = DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", far.number))
            await forward.start()
            near = await sender(53, pair.a, ADDRESS_B)
            for _ in range(5):
                near.transport.sendto(b"x")
            await settle(turns)
            forward.close()
            await forward.wait_closed()
            assert not forward.flows()
            near.transport.close()
