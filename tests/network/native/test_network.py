"""ygg.network.native.network: the system's sockets."""

import asyncio
import errno
import functools
import os
import resource
import socket
from pathlib import Path

import pytest

from tests.aio import in_virtual_time, on_loops, settle
from ygg.errors import (
    AddressInUse,
    ConnectionRefused,
    ConnectTimeout,
    NetworkError,
    NetworkUnreachable,
    NoSuitableAddress,
    PathTooLong,
    ResolveError,
)
from ygg.network import NativeNetwork, is_suitable
from ygg.network.base import Unwatched
from ygg.network.native import network as native
from ygg.network.native.connections import error_at
from ygg.network.native.sockets import MOST_PATH
from ygg.network.native.suspends import LOOK, Suspends


@pytest.mark.parametrize(
    ("address", "suitable"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:0.0.0.0", False),
        ("::ffff:224.0.0.1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("200::1", False),
        ("3ff:ffff::1", False),
        ("400::", True),
    ],
)
def test_which_addresses_a_peer_may_have(address: str, suitable: bool) -> None:
    assert is_suitable(address) == suitable


@pytest.mark.parametrize("host", ["0.0.0.0", "ff02::1", "200::1", "::"])
@on_loops
async def test_unsuitable_addresses_are_not_dialed(host: str) -> None:
    async with NativeNetwork() as network:
        with pytest.raises(NoSuitableAddress, match=r"^peer has no suitable addresses$"):
            await network.connect_stream(host, 1)


@on_loops
async def test_addresses_are_tried_in_order_until_one_answers() -> None:
    """`localhost` may come as ::1 first; the listener is on 127.0.0.1 only."""

    class Named(NativeNetwork):
        async def resolve(self, host: str) -> list[str]:
            return ["127.0.0.2", "127.0.0.3", "127.0.0.1"]

    async with Named() as network:
        listener = await NativeNetwork().listen_stream("127.0.0.1", 0)
        client = await network.connect_stream("a.example", int(listener.address.rpartition(":")[2]))
        assert client.get_extra_info("peername")[0] == "127.0.0.1"
        client.abort()
        listener.close()
        with pytest.raises(ConnectionRefused, match=r"^127\.0\.0\.1:\d+: connection refused$"):
            await network.connect_stream("a.example", int(listener.address.rpartition(":")[2]))


@on_loops
async def test_a_dial_that_nobody_answers_times_out_and_a_cancelled_one_leaves_nothing() -> None:
    """A listener whose backlog is full drops what comes."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        async with NativeNetwork() as network:
            first = await network.connect_stream("127.0.0.1", port)
            with pytest.raises(ConnectTimeout):
                await network.connect_stream("127.0.0.1", port, timeout=0.02)
            dial = asyncio.ensure_future(network.connect_stream("127.0.0.1", port))
            await settle()
            dial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dial
            assert not first.is_closing()


@on_loops
async def test_a_dial_cancelled_at_any_moment_leaves_nothing() -> None:
    async with NativeNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        port = int(listener.address.rpartition(":")[2])
        kept = []  # what came in time is the caller's: without it, the collector would complain of it
        for turns in range(8):
            dial = asyncio.ensure_future(network.connect_stream("127.0.0.1", port))
            accept = asyncio.ensure_future(listener.accept())
            await settle(turns)
            dial.cancel()
            accept.cancel()
            done = await asyncio.gather(dial, accept, return_exceptions=True)
            assert not any(isinstance(result, OSError) for result in done)
            kept += done


@on_loops
async def test_links_keep_themselves_alive_without_probes() -> None:
    async with NativeNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        server, _ = await listener.accept()
        for transport in (client, server):
            sock = transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@on_loops
async def test_an_ipv4_client_of_a_wildcard_listener_has_a_plain_address() -> None:
    async with NativeNetwork() as network:
        listener = await network.listen_stream("", 0)
        client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        server, remote = await listener.accept()
        client.abort()
        server.abort()
        assert remote.startswith("127.0.0.1:")


@on_loops
async def test_names_that_are_none() -> None:
    async with NativeNetwork() as network:
        for name in ("no-such-host.invalid", "a" * 300, "\udcff.example"):
            with pytest.raises(ResolveError):
                await network.resolve(name)


@on_loops
async def test_unix_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "ygg.sock")
    async with NativeNetwork() as network:
        listener = await network.listen_path(path)
        assert listener.address == path
        kept = [(await network.connect_path(path), await listener.accept()) for _ in range(2)]
        assert [remote for _, (_, remote) in kept] == [f"{path}#1", f"{path}#2"]
        with pytest.raises(AddressInUse):
            await network.listen_path(path)
        listener.close()
        assert "ygg.sock" not in os.listdir(tmp_path)
        with pytest.raises(OSError, match=r"ygg\.sock: no such file"):
            await network.connect_path(path)


@on_loops
async def test_a_full_unix_socket_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "ygg.sock")
    async with NativeNetwork() as network:
        listener = await network.listen_path(path, backlog=0)
        kept = [await network.connect_path(path)]
        with pytest.raises(ConnectTimeout):
            await network.connect_path(path, timeout=0.05)
        waiting = asyncio.ensure_future(network.connect_path(path))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        kept.append((await listener.accept())[0])
        kept.append(await waiting)
        assert kept[-1].get_extra_info("peername") == path


@on_loops
async def test_a_stale_unix_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    stale, file = str(tmp_path / "stale"), tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(stale)
    file.write_text("precious")
    async with NativeNetwork() as network:
        (await network.listen_path(stale)).close()
        with pytest.raises(AddressInUse):
            await network.listen_path(str(file))
    assert file.read_text() == "precious"


@on_loops
async def test_running_out_of_descriptors_delays_accepting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ygg.network.native.listener.ACCEPT_RETRY", 0.001)
    async with NativeNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
        try:
            accept = asyncio.ensure_future(listener.accept())
            await asyncio.sleep(0.005)
            assert not accept.done()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        server, _ = await accept
        assert not client.is_closing()
        assert not server.is_closing()


@on_loops
async def test_a_path_too_long_is_called_so(tmp_path: Path) -> None:
    longest = str(tmp_path / "x").ljust(MOST_PATH, "y")
    assert len(longest) == MOST_PATH
    async with NativeNetwork() as network:
        listener = await network.listen_path(longest)
        (await network.connect_path(longest)).abort()
        listener.close()
        for path in (longest + "z", longest[:-1] + "é"):
            for attempt in (network.connect_path(path), network.listen_path(path)):
                with pytest.raises(PathTooLong, match=f"{MOST_PATH + 1} bytes, .* at most {MOST_PATH}") as caught:
                    await attempt
                assert caught.value.errno == errno.ENAMETOOLONG
                assert not isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OSError("all is lost"), NetworkError, "127.0.0.1:9: all is lost"),
        (ConnectionRefusedError("not today"), ConnectionRefused, "127.0.0.1:9: not today"),
        (OSError(errno.ENETUNREACH, "x"), NetworkUnreachable, "127.0.0.1:9: network is unreachable"),
        (TimeoutError(), ConnectTimeout, "127.0.0.1:9: connection timed out"),
        (TimeoutError(errno.ETIMEDOUT, "x"), ConnectTimeout, "127.0.0.1:9: connection timed out"),
    ],
)
def test_only_a_time_out_is_one(error: OSError, kind: type[OSError], text: str) -> None:
    made = error_at("127.0.0.1:9", error)
    assert type(made) is kind
    assert str(made) == text


@on_loops
async def test_a_dial_that_fails_without_an_errno_is_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("all is lost")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", fail, raising=False)
    async with NativeNetwork() as network:
        with pytest.raises(NetworkError, match="all is lost") as caught:
            await network.connect_stream("127.0.0.1", 9)
        assert not isinstance(caught.value, TimeoutError)
        assert caught.value.errno is None


@in_virtual_time
async def test_a_watch_tells_that_the_machine_was_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it tells of addresses and routes is tested with the interfaces of a namespace (test_changes.py)."""
    asleep = 0.0
    monkeypatch.setattr(native, "Suspends", functools.partial(Suspends, slept=lambda: asleep))
    monkeypatch.setattr(native, "NetworkChanges", lambda *_: Unwatched())  # the machine's own would be told too
    told: list[int] = []
    watch = NativeNetwork().watch(lambda: told.append(1))
    await asyncio.sleep(10)
    assert not told
    asleep = 3600.0
    await asyncio.sleep(LOOK + 0.1)
    assert told == [1]
    watch.close()
    asleep = 7200.0
    await asyncio.sleep(10)
    assert told == [1]
