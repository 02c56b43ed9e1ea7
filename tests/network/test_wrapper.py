"""ygg.network.wrapper: a network in front of another."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, settle, until
from ygg.errors import ConnectionReset
from ygg.network import (
    LoopbackNetwork,
    NativeNetwork,
    Network,
    SocksNetwork,
    WrapperDatagrams,
    WrapperNetwork,
    WrapperTransport,
)
from ygg.network.streams import streams
from ygg.testing.conformance import CHECKS, Check, Subject


class Meter(WrapperTransport):
    """Counts the bytes each way."""

    def __init__(self, base: asyncio.Transport) -> None:
        super().__init__(base)
        self.received = self.sent = 0

    def incoming(self, data: bytes) -> bytes:
        self.received += len(data)
        return data

    def outgoing(self, data: Any) -> Any:
        self.sent += len(data)
        return data


class DatagramMeter(WrapperDatagrams):
    """Counts the datagrams each way."""

    received = sent = 0

    def incoming(self, data: bytes, addr: Any) -> bytes:
        self.received += 1
        return data

    def outgoing(self, data: Any, addr: Any) -> Any:
        self.sent += 1
        return data


class MeteredNetwork(WrapperNetwork):
    """Counts everything."""

    def __init__(self, base: Network) -> None:
        super().__init__(base)
        self.meters: list[Meter] = []
        self.ports: list[DatagramMeter] = []

    def passing(self, transport: asyncio.Transport, remote: str) -> Meter:
        self.meters.append(Meter(transport))
        return self.meters[-1]

    def passing_datagrams(self, transport: asyncio.DatagramTransport) -> DatagramMeter:
        self.ports.append(DatagramMeter(transport))
        return self.ports[-1]


async def connected(network: Network, listening: Network | None = None) -> tuple[asyncio.Transport, asyncio.Transport]:
    """Return both ends of a connection, dialed through `network` and accepted there too unless told otherwise."""
    listener = await (listening or network).listen_stream("127.0.0.1", 0)
    client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    server, _ = await listener.accept()
    listener.close()
    return client, server


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@pytest.mark.parametrize("wrapper", [WrapperNetwork, MeteredNetwork])
@on_loops
async def test_conformance(
    wrapper: type[WrapperNetwork], base: type[NativeNetwork] | type[LoopbackNetwork], check: Check
) -> None:
    async with wrapper(base()) as network:
        await check(Subject(network, "127.0.0.1"))


@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_every_byte_of_a_connection_is_seen(base: type[NativeNetwork] | type[LoopbackNetwork]) -> None:
    async with MeteredNetwork(base()) as network:
        client, server = await connected(network)
        (reader, writer), (far_reader, far_writer) = streams(client), streams(server)
        writer.write(b"x" * 300_000)
        writer.write_eof()
        assert len(await far_reader.read()) == 300_000
        far_writer.writelines([b"answ", b"er"])
        far_writer.close()
        assert await reader.read() == b"answer"
        near, far = network.meters
        assert (near.sent, near.received) == (far.received, far.sent) == (300_000, 6)
        writer.close()


@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_every_datagram_is_seen_and_may_be_dropped(base: type[NativeNetwork] | type[LoopbackNetwork]) -> None:
    class Deaf(DatagramMeter):
        def incoming(self, data: bytes, addr: Any) -> Any:
            super().incoming(data, addr)
            return None if data == b"noise" else data.upper()

        def outgoing(self, data: Any, addr: Any) -> Any:
            super().outgoing(data, addr)
            return None if data == b"secret" else data

    class Deafened(MeteredNetwork):
        def passing_datagrams(self, transport: asyncio.DatagramTransport) -> DatagramMeter:
            self.ports.append(Deaf(transport))
            return self.ports[-1]

    class Inbox(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.got: list[bytes] = []

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.got.append(data)

    async with Deafened(base()) as network:
        transport, inbox = await network.create_datagram_endpoint(Inbox, ("127.0.0.1", 0))
        assert transport is network.ports[0]
        for data in (b"secret", b"noise", b"hello"):
            transport.sendto(data, transport.get_extra_info("sockname"))
        await until(lambda: inbox.got)
        assert inbox.got == [b"HELLO"]
        assert (network.ports[0].sent, network.ports[0].received) == (3, 2)
        transport.close()
        assert transport.is_closing()


@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_a_datagram_port_may_be_refused(base: type[NativeNetwork] | type[LoopbackNetwork]) -> None:
    class Closed(WrapperNetwork):
        def passing_datagrams(self, transport: asyncio.DatagramTransport) -> None:
            raise ConnectionReset("not today")

    async with Closed(base()) as network:
        with pytest.raises(ConnectionReset, match="not today"):
            await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
        await settle()


@on_loops
async def test_a_wrapper_that_fails_refuses_one_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(WrapperNetwork):
        faulty = True

        def passing(self, transport: asyncio.Transport, remote: str) -> None:
            if self.faulty:
                raise ZeroDivisionError

    async with LoopbackNetwork() as base, Faulty(base) as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        port = int(listener.address.rpartition(":")[2])
        accept = asyncio.ensure_future(listener.accept())
        with caplog.at_level(logging.ERROR, "ygg.network"):
            refused = await base.connect_stream("127.0.0.1", port)
            refused.resume_reading()
            await settle()
        assert refused.get_protocol().eof  # type: ignore[attr-defined]
        assert "Faulty failed to pass a connection on" in caplog.text
        network.faulty = False
        await base.connect_stream("127.0.0.1", port)
        await accept


@on_loops
async def test_it_sees_and_may_refuse_every_connection() -> None:
    class Doorman(WrapperNetwork):
        refusing = False

        def __init__(self, base: LoopbackNetwork) -> None:
            super().__init__(base)
            self.seen: list[str] = []

        def passing(self, transport: asyncio.Transport, remote: str) -> None:
            self.seen.append(remote)
            if self.refusing:
                raise ConnectionReset("not today")

    async with LoopbackNetwork() as base, Doorman(base) as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        port = int(listener.address.rpartition(":")[2])
        client = await network.connect_stream("127.0.0.1", port)
        _, remote = await listener.accept()
        assert network.seen == [f"127.0.0.1:{port}", remote]
        network.refusing = True
        with pytest.raises(ConnectionReset, match="not today"):
            await network.connect_stream("127.0.0.1", port)
        accept = asyncio.ensure_future(listener.accept())
        other = await base.connect_stream("127.0.0.1", port)
        other.resume_reading()
        await settle()
        assert not accept.done()
        assert other.get_protocol().eof  # type: ignore[attr-defined]
        network.refusing = False
        last = await base.connect_stream("127.0.0.1", port)
        await accept
        network.down()
        assert client.is_closing()
        assert base.is_up
        last.abort()


@on_loops
async def test_paths_pass_too(tmp_path: Path) -> None:
    async with NativeNetwork() as base, WrapperNetwork(base) as network:
        listener = await network.listen_path(str(tmp_path / "s"))
        client = await network.connect_path(str(tmp_path / "s"))
        server, _ = await listener.accept()
        network.down()
        assert client.is_closing()
        assert server.is_closing()
        assert listener.is_closing()


def test_a_change_of_the_network_behind_is_told() -> None:
    network = LoopbackNetwork()
    told: list[int] = []
    for front in (WrapperNetwork(network), SocksNetwork("socks5://127.0.0.1:1", network)):
        watch = front.watch(lambda: told.append(1))
        network.changed()
        watch.close()
        network.changed()
    assert told == [1, 1]
