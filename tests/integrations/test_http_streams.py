"""ygg.integrations.http_streams: one implementation for httpcore and httpcore2."""

import asyncio

import httpcore
import httpcore2
import pytest

from tests.aio import on_loops
from ygg.integrations import httpcore as first
from ygg.integrations import httpcore2 as second
from ygg.network import LoopbackNetwork, RejectNetwork
from ygg.network.streams import serving

BOTH = pytest.mark.parametrize(("ours", "library"), [(first, httpcore), (second, httpcore2)])


@BOTH
@on_loops
async def test_errors_are_the_librarys(ours, library) -> None:
    async with RejectNetwork() as closed:
        with pytest.raises(library.ConnectError):
            await ours.HTTPBackend(closed).connect_tcp("127.0.0.1", 80)
    async with LoopbackNetwork() as network:
        backend = ours.HTTPBackend(network)
        with pytest.raises(library.ConnectError):
            await backend.connect_unix_socket("/run/x")

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving(network, silent, "127.0.0.1", 80):
            stream = await backend.connect_tcp("127.0.0.1", 80)
            assert isinstance(stream, library.AsyncNetworkStream)
            with pytest.raises(library.ReadTimeout):
                await stream.read(1, timeout=0.01)
            await stream.aclose()
