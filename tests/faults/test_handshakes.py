"""Handshakes gone wrong, on either side, plain and inside TLS: an error with its name, a log line, nothing left."""

import asyncio
import logging
import socket

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import Impostor
from tests.nodes import Stranger, manager, node
from ygg import Certificate, LoopbackNetwork, NativeNetwork, Network
from ygg.errors import (
    HandshakeError,
    HandshakeKeyError,
    HandshakeLengthError,
    HandshakeTimeout,
    IncompatibleVersionError,
    KeyNotPinnedError,
    LinkError,
    NotYggdrasilError,
    RemoteClosed,
    SelfConnectionError,
    WrongPasswordError,
)
from ygg.node import handshake
from ygg.stream.held import take_over
from ygg.testing import private_key, public_key

HONEST = handshake.encode(private_key(99), 0)


def message(*fields: tuple[int, bytes], number: int = 99) -> bytes:
    """Return a well-signed message with these fields."""
    body = b"".join(kind.to_bytes(2) + len(value).to_bytes(2) + value for kind, value in fields)
    body += private_key(number).sign(handshake.digest(public_key(number), b""))
    return b"meta" + len(body).to_bytes(2) + body


KEY = (2, public_key(99))
MAJOR, MINOR = (0, b"\0\0"), (1, b"\0\5")

BAD: dict[str, tuple[bytes, type[LinkError]]] = {
    "nothing": (b"", RemoteClosed),
    "a web client": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", NotYggdrasilError),
    "a secure shell": (b"SSH-2.0-x\r\n", NotYggdrasilError),
    "TLS in the clear": (bytes.fromhex("1603010200010001fc0303"), NotYggdrasilError),
    "wrong magic": (b"mata" + HONEST[4:], NotYggdrasilError),
    "short length": (b"meta\0\x3f" + bytes(63), HandshakeLengthError),
    "truncated": (HONEST[:-1], RemoteClosed),
    "truncated field": (message(MAJOR, MINOR)[:-64].replace(b"\0\x4c", b"\0\x50") + bytes(70), HandshakeLengthError),
    "leftover": (b"meta" + (117 + 3).to_bytes(2) + HONEST[6:-64] + b"\0\0\0" + HONEST[-64:], HandshakeLengthError),
    "long key": (message(MAJOR, MINOR, (2, bytes(33))), HandshakeLengthError),
    "no key": (message(MAJOR, MINOR), HandshakeKeyError),
    "oversized": (b"meta\xff\xff" + bytes(65535), HandshakeLengthError),
    "old version": (message(MAJOR, (1, b"\0\4"), KEY), IncompatibleVersionError),
    "no version": (message(KEY), IncompatibleVersionError),
    "foreign signature": (message(MAJOR, MINOR, (2, public_key(98))), WrongPasswordError),
    "changed signature": (HONEST[:-1] + bytes([HONEST[-1] ^ 1]), WrongPasswordError),
    "password we have not": (handshake.encode(private_key(99), 0, b"hidden"), WrongPasswordError),
    "zero key": (message(MAJOR, MINOR, (2, bytes(32))), WrongPasswordError),
    "ourselves": (handshake.encode(private_key(1), 0), SelfConnectionError),
}


# Who closes with our message unread resets the connection.
REASONS = {IncompatibleVersionError: "remote node incompatible version (local 0.5, ", RemoteClosed: " connection"}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@pytest.mark.parametrize("opening", BAD.values(), ids=BAD.keys())
def test_a_client_that_opens_badly(
    loop: str, opening: tuple[bytes, type[LinkError]], scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is shown the door, and one DEBUG line says why: strangers must not fill logs."""
    caplog.set_level(logging.DEBUG, "ygg")
    data, kind = opening

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            listener = await one.listen(f"{scheme}://127.0.0.1:0")
            stranger = Stranger()
            stranger.transport = await manager(network, Certificate(private_key(99))).dial(f"{scheme}://{listener.address}")
            take_over(stranger.transport, stranger)
            stranger.transport.write(data)
            if kind is RemoteClosed:
                stranger.transport.close()
            await stranger.lost
            await until(lambda: not one.peers() and not list(one.links))

    run(main(), loop)
    lines = [record for record in caplog.records if "No link from" in record.message]
    assert [record.levelno for record in lines] == [logging.DEBUG]
    assert REASONS.get(kind, str(kind())) in lines[0].message
    assert "hidden" not in caplog.text
    # asyncio in debug mode warns of slow callbacks.
    assert not [record for record in caplog.records if record.levelno > logging.INFO and "took" not in record.message]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("opening", BAD.values(), ids=BAD.keys())
def test_a_server_that_opens_badly(
    loop: str, opening: tuple[bytes, type[LinkError]], caplog: pytest.LogCaptureFixture
) -> None:
    """call_peer raises the error's own class; for add_peer it is in the state and in the log at INFO."""
    caplog.set_level(logging.DEBUG, "ygg")
    data, kind = opening

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            server = await network.listen_stream("127.0.0.1", 0)

            async def serve() -> None:
                stranger = Stranger()
                stranger.transport, _ = await server.accept()
                take_over(stranger.transport, stranger)
                stranger.transport.write(data)
                if kind is RemoteClosed:
                    stranger.transport.write_eof()
                await stranger.lost

            task = asyncio.create_task(serve())
            with pytest.raises(kind):
                await one.call_peer(f"tcp://{server.address}")
            await task
            assert one.peers() == []
            task = asyncio.create_task(serve())
            one.add_peer(f"tcp://user:hidden@{server.address}")
            await until(lambda: one.peers()[0].last_error)
            await task
            if kind is not IncompatibleVersionError:
                assert one.peers()[0].last_error == str(kind())
            server.close()

    run(main(), loop)
    (line,) = [record for record in caplog.records if "No link to" in record.message]
    assert line.levelno == logging.INFO
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_with_another_key_than_the_pinned_one(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ygg")

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            listener = await two.listen("tls://127.0.0.1:0")
            with pytest.raises(KeyNotPinnedError):
                await one.call_peer(f"tls://{listener.address}?key={public_key(3).hex()}")
            await until(lambda: not two.peers())

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_a_client_that_sends_one_byte_at_a_time(
    loop: str, network_type: type[Network], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The deadline is for the whole exchange: bytes that trickle do not extend it."""
    caplog.set_level(logging.DEBUG, "ygg")
    monkeypatch.setattr(handshake, "TIMEOUT", 0.05)

    async def main() -> None:
        async with network_type() as network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            stranger = await Stranger.at(network, listener.address)
            for byte in b"meta\xff\xff" + bytes(1000):
                stranger.transport.write(bytes([byte]))
                await asyncio.sleep(0.002)
                if stranger.lost.done():
                    break
            assert stranger.lost.done()
            await until(lambda: not one.peers())

    run(main(), loop)
    assert "No link from tcp://127.0.0.1:" in caplog.text
    assert str(HandshakeTimeout()) in caplog.text


@pytest.mark.parametrize("loop", LOOPS)
def test_a_megabyte_behind_a_bad_handshake_is_not_kept(loop: str) -> None:
    """What comes after the first wrong byte is thrown away with the connection."""

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            stranger = await Stranger.at(network, listener.address)
            for _ in range(16):
                stranger.transport.write(b"x" * 65536)
            await stranger.lost
            assert list(one.links) == []

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_clients_that_vanish_at_every_byte_of_the_handshake(loop: str) -> None:
    """A reset after each number of bytes leaves neither record nor socket."""

    async def main() -> None:
        async with NativeNetwork() as network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            host, _, port = listener.address.rpartition(":")
            for count in range(0, len(HONEST) + 1, 7):
                with socket.create_connection((host, int(port))) as client:
                    client.sendall(HONEST[:count])
                    # Linger of nothing: close() resets.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                await asyncio.sleep(0)
            await until(lambda: not list(one.links))
            (impostor,) = [await Impostor.linked(network, f"tcp://{listener.address}")]
            await until(lambda: one.peers())
            impostor.transport.abort()
            await until(lambda: not one.peers())

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_stopping_amid_handshakes(loop: str) -> None:
    """A node that stops while strangers shake hands waits for none of them."""

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            listeners = [await one.listen(f"{scheme}://127.0.0.1:0") for scheme in ("tcp", "tls")]
            strangers = [await Stranger.at(network, each.address) for each in listeners for _ in range(5)]
            call = asyncio.ensure_future(one.call_peer(f"tcp://{listeners[0].address}"))
            await asyncio.sleep(0)
        assert isinstance((await asyncio.gather(call, return_exceptions=True))[0], OSError)
        for stranger in strangers:
            await stranger.lost

    run(main(), loop)


def test_errors_of_handshakes_are_handshake_errors() -> None:
    """Whoever catches HandshakeError catches every way in which two peers do not suit each other."""
    kinds = {kind for _, kind in BAD.values()} - {RemoteClosed}
    assert all(issubclass(kind, HandshakeError) for kind in kinds)
