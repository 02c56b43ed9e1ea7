"""ygg.network.native.datagram: errors of sending come to the protocol as ygg's, and everything else as it is."""

import asyncio
import errno
from typing import Any

import pytest

from tests.aio import on_loops, until
from ygg.errors import ConnectionRefused, MessageTooBig, NetworkError, YggError
from ygg.network import NativeNetwork
from ygg.network.native.datagram import ConvertedErrors


class Log(asyncio.DatagramProtocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append(("made", transport))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.told.append(("data", data, addr))

    def error_received(self, exc: Exception) -> None:
        self.told.append(("error", exc))

    def pause_writing(self) -> None:
        self.told.append(("pause",))

    def resume_writing(self) -> None:
        self.told.append(("resume",))

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(("lost", exc))


def test_everything_is_passed_on_in_order() -> None:
    log, transport, error = Log(), asyncio.DatagramTransport(), ValueError()
    between = ConvertedErrors(log)
    between.connection_made(transport)
    between.datagram_received(b"x", ("::1", 9))
    between.pause_writing()
    between.resume_writing()
    between.error_received(error)
    between.connection_lost(error)
    between.connection_lost(None)
    assert log.told == [
        ("made", transport), ("data", b"x", ("::1", 9)), ("pause",), ("resume",), ("error", error), ("lost", error),
        ("lost", None),
    ]


@pytest.mark.parametrize(("code", "kind"), [
    (errno.ECONNREFUSED, ConnectionRefused), (errno.EMSGSIZE, MessageTooBig), (errno.EPERM, YggError),
])
def test_errors_of_the_system_are_ours_with_their_number(code: int, kind: type[YggError]) -> None:
    log = Log()
    ConvertedErrors(log).error_received(OSError(code, "as the system says"))
    ((_, error),) = log.told
    assert isinstance(error, kind)
    assert isinstance(error, OSError)
    assert error.errno == code


@on_loops
async def test_a_port_where_nothing_listens_says_so() -> None:
    async with NativeNetwork() as network:
        gone, _ = await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
        address = gone.get_extra_info("sockname")
        gone.abort()
        log = Log()
        port, _ = await network.create_datagram_endpoint(lambda: log, remote_addr=address)
        while not any(told[0] == "error" for told in log.told):
            port.sendto(b"x")
            await asyncio.sleep(0.001)
        assert next(type(told[1]) for told in log.told if told[0] == "error") is ConnectionRefused
        port.abort()
        await until(lambda: log.told[-1][0] == "lost")


@on_loops
async def test_a_datagram_that_is_too_large_is_an_error_of_ours() -> None:
    async with NativeNetwork() as network:
        log = Log()
        port, _ = await network.create_datagram_endpoint(lambda: log, remote_addr=("127.0.0.1", 9))
        port.sendto(bytes(65_508))
        await until(lambda: any(told[0] == "error" for told in log.told))
        errors = [told[1] for told in log.told if told[0] == "error"]
        assert isinstance(errors[0], NetworkError)
        assert errors[0].errno == errno.EMSGSIZE
        port.abort()
