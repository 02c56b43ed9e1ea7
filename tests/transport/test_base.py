"""ygg.transport.base: what a transport is told, and what one has that says nothing else."""

import asyncio
import dataclasses

import pytest

from tests.aio import on_loops
from ygg.errors import OperationNotSupported
from ygg.network import LoopbackNetwork, Network
from ygg.network.base import BACKLOG, DIAL_TIMEOUT
from ygg.transport import DialOptions, ListenOptions, Transport, TransportManager
from ygg.url import PeerURL


class DialOnly(Transport):
    """Reaches an address as it is, and cannot listen."""

    schemes = ("only",)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        return await network.connect_stream(url.host, url.require_port(), timeout=options.timeout)


def test_options_have_the_protocols_defaults_and_stay_as_they_are() -> None:
    assert (DialOptions().source_interface, DialOptions().timeout) == (None, DIAL_TIMEOUT)
    assert (ListenOptions().source_interface, ListenOptions().backlog) == (None, BACKLOG)
    assert DialOptions(timeout=1) == DialOptions(None, 1)
    for options in (DialOptions(), ListenOptions()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            options.source_interface = "eth0"    # type: ignore[misc]


def test_a_transport_says_how_to_dial() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Transport()     # type: ignore[abstract]


@on_loops
async def test_one_without_a_listener_of_its_own_says_so() -> None:
    async with LoopbackNetwork() as network:
        with pytest.raises(OperationNotSupported, match="only has no listener"):
            await DialOnly().listen(network, PeerURL.parse("only://127.0.0.1:0"), ListenOptions())
        manager = TransportManager(network)
        manager.register(DialOnly())
        with pytest.raises(OperationNotSupported, match="only has no listener"):
            await manager.listen("only://127.0.0.1:0")
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await manager.dial(f"only://{listener.address}")
        far, _ = await listener.accept()
        assert not near.is_reading()
        near.abort()
        far.abort()
