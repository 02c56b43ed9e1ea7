"""tcp://: the network's byte stream as it is."""

import pytest

from tests.aio import on_loops
from tests.nodes import Stranger
from ygg import LoopbackNetwork, TCPTransport
from ygg.errors import URLError
from ygg.stream.held import take_over
from ygg.transport.base import DialOptions, ListenOptions
from ygg.url import PeerURL


@on_loops
async def test_bytes_pass_unchanged() -> None:
    network, tcp = LoopbackNetwork(), TCPTransport()
    listener = await tcp.listen(network, PeerURL.parse("tcp://127.0.0.1:9000"), ListenOptions())
    one, other = Stranger(), Stranger()
    dialed = await tcp.dial(network, PeerURL.parse("tcp://127.0.0.1:9000"), DialOptions())
    take_over(dialed, one)
    accepted, _ = await listener.accept()
    take_over(accepted, other)
    dialed.write(b"meta as it is")
    dialed.close()
    assert await other.lost is None
    assert other.data == b"meta as it is"
    listener.close()
    await listener.wait_closed()


@on_loops
async def test_a_port_is_needed() -> None:
    network, tcp = LoopbackNetwork(), TCPTransport()
    with pytest.raises(URLError):
        await tcp.dial(network, PeerURL.parse("tcp://127.0.0.1"), DialOptions())
    with pytest.raises(URLError):
        await tcp.listen(network, PeerURL.parse("tcp://127.0.0.1"), ListenOptions())
