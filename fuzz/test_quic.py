"""Whatever a QUIC peer does after the handshake, the application hears bytes or one loss, and its calls never raise."""

import asyncio
from contextlib import suppress
from typing import Any

from aioquic.quic.packet import QuicPacketType
from aioquic.quic.packet_builder import QuicPacketBuilder
from aioquic.tls import Epoch
from hypothesis import given
from hypothesis import strategies as st

from tests.aio import run, settle
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork, take_over
from ygg.transport import QuicTransport, TransportManager

CERTIFICATE = Certificate.generate()

streams = st.integers(0, 9) | st.integers(0, 2**62 - 1)
sizes = st.integers(0, 70) | st.integers(0, 2**62 - 1)
calls = st.one_of(
    st.tuples(st.just("send_stream_data"), streams, st.binary(max_size=40), st.booleans()),
    st.tuples(st.just("reset_stream"), streams, sizes),
    st.tuples(st.just("stop_stream"), streams, sizes),
    st.tuples(st.just("close"), sizes, st.none(), st.text(max_size=9)),
)


def number(value: int) -> bytes:
    """Return QUIC's variable-length integer."""
    for bits, prefix in ((6, 0), (14, 1), (30, 2), (62, 3)):
        if value < 1 << bits:
            return (prefix << bits | value).to_bytes((bits + 2) // 8, "big")
    raise AssertionError(value)


frames = st.one_of(
    st.builds(lambda stream, code: b"\5" + number(stream) + number(code), streams, sizes),
    st.builds(lambda stream, code, size: b"\4" + number(stream) + number(code) + number(size), streams, sizes, sizes),
    st.builds(
        lambda kind, stream, place, data: bytes([kind]) + number(stream) + number(place) + number(len(data)) + data,
        st.sampled_from([14, 15]),
        streams,
        sizes,
        st.binary(max_size=40),
    ),
    st.binary(min_size=1, max_size=40),
)
acts = st.lists(calls | frames, max_size=8)
answers = st.lists(st.sampled_from(["write", "write_eof", "pause_reading", "resume_reading", "close"]), max_size=5)


class Application(asyncio.Protocol):
    """Counts its calls."""

    def __init__(self) -> None:
        self.made = self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


def act(link: Any, what: Any) -> None:
    """Let the connection of a peer do something, in good order or not."""
    quic = link._quic
    if isinstance(what, tuple):
        with suppress(ValueError, RuntimeError, AssertionError):  # aioquic declines to do wrong
            getattr(quic, what[0])(*what[1:])
            link.transmit()
        return
    builder = QuicPacketBuilder(
        host_cid=quic.host_cid,
        is_client=quic.configuration.is_client,
        max_datagram_size=1200,
        packet_number=quic._packet_number,
        peer_cid=quic._peer_cid.cid,
        version=quic._version,
    )
    builder.start_packet(QuicPacketType.ONE_RTT, quic._cryptos[Epoch.ONE_RTT])
    builder.start_frame(what[0], capacity=len(what)).push_bytes(what[1:])
    datagrams, _ = builder.flush()
    quic._packet_number = builder.packet_number
    for data in datagrams:
        link._transport.sendto(data, link._peer)


async def play(peer: Any, application: Any, doings: list[Any], answering: list[str]) -> None:
    """Have the peer act and the application go on, in turns, then end both and see that the application hears once."""
    peer.link.quic_event_received = lambda event: None
    take_over(application, protocol := Application())
    written = False
    for turn in range(max(len(doings), len(answering))):
        if turn < len(doings):
            act(peer.link, doings[turn])
            await settle(3)
        if turn < len(answering):
            if (call := answering[turn]) != "write":
                getattr(application, call)()
            elif not written:
                application.write(b"hello")
            written = written or call == "write_eof"
    await settle(3)
    application.close()
    application.abort()
    await settle(3)
    assert (protocol.made, protocol.lost) == (1, 1)
    peer.abort()


def pair(doings: list[Any], answering: list[str], *, server_acts: bool) -> None:
    """Connect two, and let one of them misbehave."""

    async def main() -> None:
        async with LoopbackNetwork() as network:
            manager = TransportManager(network)
            manager.register(QuicTransport(CERTIFICATE))
            listener = await manager.listen("quic://127.0.0.1:0")
            client = await manager.dial(str(listener.url))
            client.write(b"!")
            server, _ = await listener.accept()
            peer, application = (server, client) if server_acts else (client, server)
            await play(peer, application, doings, answering)
            listener.close()
            await listener.wait_closed()

    run(main())


@given(acts, answers)
def test_clients(doings: list[Any], answering: list[str]) -> None:
    pair(doings, answering, server_acts=False)


@given(acts, answers)
def test_servers(doings: list[Any], answering: list[str]) -> None:
    pair(doings, answering, server_acts=True)
