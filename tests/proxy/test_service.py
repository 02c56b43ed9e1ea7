"""ygg.proxy.service: what all services share, above all towards clients that are many, silent or rude."""

import asyncio
import socket
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import backend, client, reset_by_the_system
from tests.vtunpair import ADDRESS_B, joined
from ygg.proxy import Forward, Limits, overlay, tcp
from ygg.proxy.service import Arrival, Connection, Service


class Failing(Service):
    """A service with a fault."""

    async def _serve(self, connection: Connection) -> None:
        raise ZeroDivisionError


@on_loops
async def test_a_fault_of_a_service_is_logged_and_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with Failing(tcp("127.0.0.1", 0)) as service:
        with pytest.raises(ConnectionResetError):
            await (await client(service.port)).lost()
        await until(lambda: not service.connections())
        assert service.counters()["errors"] == 1
    assert "ended by an error" in caplog.text


@on_loops
async def test_a_connection_that_is_dropped_in_the_turn_it_came_in_is_gone() -> None:
    """Its task has run none of its code then."""
    near, far = socket.socketpair()
    async with Failing(tcp("127.0.0.1", 0)) as service:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, near)
        arrival = Arrival(service)
        transport.set_protocol(arrival)
        arrival.connection_made(transport)
        assert len(service.connections()) == 1
        service.close()
        async with asyncio.timeout(30):
            await service.wait_closed()
        assert service.connections() == []
    far.close()


@on_loops
async def test_it_says_what_it_is() -> None:
    service = Failing(tcp("127.0.0.1", 0))
    assert repr(service) == "<Failing not listening, 0 connections>"
    with pytest.raises(ValueError, match="not listening"):
        _ = service.port
    async with service:
        await service.start()
        assert repr(service) == f"<Failing 127.0.0.1:{service.port}, 0 connections>"


@on_loops
async def test_a_crowd_of_one_source_leaves_room_for_another() -> None:
    limits = Limits(connections=4, per_source=4)
    async with joined() as pair, backend() as (port, served):
        pair.b.options.linger = 0.0
        async with Forward(overlay(pair.b), tcp("127.0.0.1", port), limits) as forward:
            crowd = [await client(forward.port, pair.a, ADDRESS_B) for _ in range(4)]
            await until(lambda: len(served) == 4)
            other = await client(forward.port, pair.b, ADDRESS_B)
            other.transport.write(b"question")
            await until(lambda: any(peer.data for peer in served))
            assert forward.counters()["evicted"] == 1
            assert sum(peer.over.done() for peer in crowd) == 1
            for peer in (*crowd, other):
                peer.transport.abort()


@pytest.mark.parametrize("known", [True, False], ids=["a listener", "none"])
@on_loops
async def test_thousands_at_once_are_bounded(known: bool) -> None:
    """They come from this machine, so only the limit over all holds; whoever is refused hears of it."""
    limits, count = Limits(connections=50), 300
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        target: Any = overlay(pair.a, ADDRESS_B, port if known else 9)
        async with Forward(tcp("127.0.0.1", 0), target, limits) as forward:
            most = 0

            async def one() -> None:
                nonlocal most
                try:
                    peer = await client(forward.port)
                except (ValueError, ConnectionError):   # the first is uvloop's, for one that was reset at once
                    return
                most = max(most, len(forward.connections()))
                if known and not peer.over.done():
                    await asyncio.wait([peer.over], timeout=0.5)
                    if not peer.over.done():
                        reset_by_the_system(peer)
                await peer.over

            for _ in range(0, count, 100):  # no more than wait in the kernel, which drops some without a word
                await asyncio.gather(*(one() for _ in range(100)))
            await until(lambda: not forward.connections())
            counters = forward.counters()
            assert most <= 50
            assert counters["accepted"] == count
            ways = counters["connected"] + counters["failed"] + counters["refused"]
            assert ways <= count if known else ways == count    # a client that resets early goes none of these ways
            assert counters["connected"] <= len(served) <= count    # more where a client went as its server was reached
            await until(lambda: all(peer.over.done() for peer in served))
