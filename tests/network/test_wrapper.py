"""ygg.network.wrapper: a network in front of another."""

import asyncio
from pathlib import Path

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ConnectionReset
from ygg.network import LoopbackNetwork, NativeNetwork, WrapperNetwork
from ygg.network.conformance import CHECKS, Check, Subject


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_conformance(base: type[NativeNetwork] | type[LoopbackNetwork], check: Check) -> None:
    async with WrapperNetwork(base()) as network:
        await check(Subject(network, "127.0.0.1"))


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
        await settle()
        assert not accept.done()
        assert other.is_closing()
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
