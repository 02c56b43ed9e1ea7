"""URLs, hosts and dials that cannot work: a clear error from every call that takes one, and nothing left."""

import asyncio
import errno
import logging
import socket

import pytest

from tests.aio import LOOPS, on_loops, run, until
from tests.nodes import Stranger, node
from ygg import Certificate, Core, LoopbackNetwork, NativeNetwork, TCPTransport, TransportManager
from ygg.errors import (
    BackoffError,
    BlockedHostError,
    ConnectionRefused,
    ConnectTimeout,
    NoSuitableAddress,
    PasswordError,
    PinnedKeyError,
    PriorityError,
    ResolveError,
    TLSError,
    UnknownSchemeError,
    UnmappedHostError,
    URLError,
    YggError,
)
from ygg.testing import private_key
from ygg.transport import tls

MALFORMED = {
    "": URLError,
    "tcp": URLError,
    "tcp:/127.0.0.1:1": URLError,
    "://127.0.0.1:1": URLError,
    "tcp://127.0.0.1:notaport": URLError,
    "tcp://127.0.0.1:65536": URLError,
    "tcp://127.0.0.1:-1": URLError,
    "tcp://[::1:1": URLError,
    "tcp://[nonsense]:1": URLError,
    "tcp://::1:1": URLError,
    "tcp://a b:1": URLError,
    "tcp://a\nb:1": URLError,
    "tcp://%zz@127.0.0.1:1": URLError,
    "tcp://127.0.0.1:1?password=\n": URLError,
    "tcp://127.0.0.1:1?key=%f": PinnedKeyError,
    "tcp://" + "a" * 5000 + ":1": URLError,
    "tcp://127.0.0.1:1?" + "x=1&" * 100: URLError,
    "tcp://127.0.0.1": URLError,
    "tls://127.0.0.1": URLError,
    "tcp://127.0.0.1:1?priority=256": PriorityError,
    "tcp://127.0.0.1:1?priority=-1": PriorityError,
    "tcp://127.0.0.1:1?key=zz": PinnedKeyError,
    "tcp://127.0.0.1:1?password=" + "p" * 65: PasswordError,
    "tcp://127.0.0.1:1?maxbackoff=1": BackoffError,
    "tcp://127.0.0.1:1?maxbackoff=1s": BackoffError,
    "quic6://127.0.0.1:1": UnknownSchemeError,
    "sctp://127.0.0.1:1": UnknownSchemeError,
}


@pytest.mark.parametrize("loop", LOOPS)
def test_malformed_urls_are_refused_by_every_call(loop: str) -> None:
    """call_peer and listen raise at once; add_peer too, or shows the error of its first dial."""

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            for url, kind in MALFORMED.items():
                for call in (one.call_peer, one.listen):
                    with pytest.raises(kind) as caught:
                        await call(url)
                    assert isinstance(caught.value, ValueError | YggError)
                    assert str(caught.value)
                try:
                    one.add_peer(url)
                except kind:
                    pass
                else:
                    await until(lambda: one.peers()[0].last_error)
                    one.remove_peer(url)
                assert one.peers() == []
            assert one.listeners == []

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_errors_about_urls_quote_no_secret(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong with a URL is told without its password, its options and its userinfo."""
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            for rest in (
                "127.0.0.1:99?password=hidden",
                "127.0.0.1:x?password=hidden",
                "user:hidden@127.0.0.1:x",
                "user:hidden@[::1:9",
                "user:hidden@127.0.0.1:99?priority=hidden",
                "127.0.0.1:99?password=hidden%4&x=1",
                "127.0.0.1:99?key=hidden",
                "127.0.0.1:99?maxbackoff=hidden",
                "nowhere.example:1?password=hidden",
                "user:hidden@nowhere.example:1",
                "127.0.0.1:99?password=" + "hidden" * 20,
            ):
                for scheme in ("tcp", "tls", "none"):
                    with pytest.raises(YggError) as caught:
                        await one.call_peer(f"{scheme}://{rest}")
                    assert "hidden" not in str(caught.value), rest
                    try:
                        one.add_peer(f"{scheme}://{rest}")
                    except YggError:
                        continue
                    await until(lambda: all(peer.last_error for peer in one.peers()))
                    one.remove_peer(f"{scheme}://{rest}")

    run(main(), loop)
    assert caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("loop", LOOPS)
def test_hosts_without_a_network(loop: str) -> None:
    """An unmapped and a blocked host have each their error and errno, for dialing and for listening."""

    async def main() -> None:
        table = TransportManager()
        table.register(TCPTransport())
        table.map_network("127.0.0.9", None)
        async with Core(Certificate(private_key(1)), table) as one:
            for host, kind, code in (
                ("127.0.0.9", BlockedHostError, errno.EACCES),
                ("127.0.0.8", UnmappedHostError, errno.ENETUNREACH),
            ):
                for call in (one.call_peer, one.listen):
                    with pytest.raises(kind, match=host) as caught:
                        await call(f"tcp://{host}:1")
                    assert caught.value.errno == code
                one.add_peer(f"tcp://{host}:1")
                await until(lambda: one.peers()[0].last_error)
                assert host in one.peers()[0].last_error
                one.remove_peer(f"tcp://{host}:1")

    run(main(), loop)


@on_loops
async def test_dials_that_are_refused_or_lead_nowhere() -> None:
    """Over memory and over the system's sockets, plain and TLS, the error has the class and errno of a socket's."""
    async with NativeNetwork() as native:
        for network in (LoopbackNetwork(), native):
            async with node(1, network) as one:
                listener = await network.listen_stream("127.0.0.1", 0)
                free = listener.address
                listener.close()
                for scheme in ("tcp", "tls"):
                    with pytest.raises(ConnectionRefused) as caught:
                        await one.call_peer(f"{scheme}://{free}")
                    assert caught.value.errno == errno.ECONNREFUSED
        async with node(1, native) as one:
            for host in ("[::]", "[ff02::1]", "[200::1]", "0.0.0.0"):
                with pytest.raises(NoSuitableAddress):
                    await one.call_peer(f"tcp://{host}:1")
        async with node(1, LoopbackNetwork()) as one:
            with pytest.raises(ResolveError) as unresolved:
                await one.call_peer("tcp://nowhere.example:1")
            assert isinstance(unresolved.value, socket.gaierror)


@pytest.mark.parametrize("loop", LOOPS)
def test_dials_that_time_out(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    """A full backlog and a server that is silent in the TLS handshake: ETIMEDOUT, and the peer's record says so."""
    caplog.set_level(logging.INFO, "ygg")

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            full = await network.listen_stream("127.0.0.1", 0, backlog=1)
            waiting = await network.connect_stream(*_pair(full.address))
            with pytest.raises(ConnectTimeout) as caught:
                await one.manager.dial(f"tcp://{full.address}", timeout=0.01)
            assert caught.value.errno == errno.ETIMEDOUT
            silent = await network.listen_stream("127.0.0.1", 0)
            with pytest.raises((ConnectTimeout, TLSError)):
                await one.manager.dial(f"tls://{silent.address}", timeout=0.01)
            waiting.abort()
            full.close()
            silent.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_peer_whose_dials_time_out_is_kept_and_says_why(
    loop: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason goes to the log at INFO, once for each attempt, and to the state."""
    caplog.set_level(logging.INFO, "ygg")

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            full = await network.listen_stream("127.0.0.1", 0, backlog=1)
            waiting = await network.connect_stream(*_pair(full.address))
            dial = one.manager.dial
            monkeypatch.setattr(one.manager, "dial", lambda url, **options: dial(url, **(options | {"timeout": 0.01})))
            one.add_peer(f"tcp://{full.address}?password=hidden")
            await until(lambda: one.peers()[0].last_error)
            assert "timed out" in one.peers()[0].last_error
            waiting.abort()
            full.close()

    run(main(), loop)
    (record,) = [record for record in caplog.records if "No link to" in record.message]
    assert record.levelno == logging.INFO
    assert "timed out" in record.message
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("loop", LOOPS)
def test_half_open_connections_keep_nobody_out(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many silent TLS clients as may shake hands at once, and more: an honest node still gets in at once."""
    monkeypatch.setattr(tls, "DIAL_TIMEOUT", 60.0)

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            listener = await one.listen("tls://127.0.0.1:0")
            silent = [await Stranger.at(network, listener.address) for _ in range(200)]
            async with asyncio.timeout(25):     # seldom a second; the silent have a minute
                await two.call_peer(f"tls://{listener.address}")
            for stranger in silent:
                stranger.transport.abort()

    run(main(), loop)


def _pair(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
