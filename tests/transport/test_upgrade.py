"""ygg.transport.upgrade: handshakes that fail as none should."""

import asyncio
import contextlib
import logging

import pytest

from tests.aio import on_loops, until
from ygg.network import LoopbackNetwork, NativeNetwork
from ygg.network.streams import open_connection
from ygg.transport.upgrade import UpgradingListener


@on_loops
async def test_a_fault_in_a_handshake_is_logged_and_ends_that_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = [ZeroDivisionError("of ours")]

    async def upgrade(transport: asyncio.Transport, remote: str) -> asyncio.Transport:
        if faults:
            raise faults.pop()
        return transport

    async with LoopbackNetwork() as network:
        listener = UpgradingListener(await network.listen_stream("127.0.0.1", 0), upgrade, 5)
        port = int(listener.address.rpartition(":")[2])
        reader, writer = await open_connection(network, "127.0.0.1", port)
        await until(lambda: caplog.records)
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("ygg.transport", logging.ERROR)
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        _, writer = await open_connection(network, "127.0.0.1", port)
        transport, _ = await listener.accept()
        transport.abort()
        writer.close()
        listener.close()
        await listener.wait_closed()


@on_loops
async def test_a_host_with_many_handshakes_pushes_out_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ygg.transport.upgrade.CONCURRENT", 4)
    go_on = asyncio.Event()

    async def upgrade(transport: asyncio.Transport, remote: str) -> asyncio.Transport:
        await go_on.wait()
        return transport

    async with (
        NativeNetwork(source_addresses=["127.0.0.2"]) as theirs,
        NativeNetwork(source_addresses=["127.0.0.3"]) as ours,
    ):
        base = await ours.listen_stream("127.0.0.1", 0)
        listener = UpgradingListener(base, upgrade, 5, grouping=lambda host: (host,))
        port = int(listener.address.rpartition(":")[2])
        _, slow = await open_connection(ours, "127.0.0.1", port)
        await until(lambda: listener.handshakes)
        silent = [(await open_connection(theirs, "127.0.0.1", port))[1] for _ in range(20)]
        await until(lambda: listener.handshakes == 4)
        go_on.set()
        accepted = [await listener.accept() for _ in range(4)]
        assert [remote.rpartition(":")[0] for _, remote in accepted].count("127.0.0.3") == 1
        for transport, _ in accepted:
            transport.abort()
        for writer in [slow, *silent]:
            writer.transport.abort()
        listener.close()
        await listener.wait_closed()
