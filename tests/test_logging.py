"""docs/logging.md lists each message the library logs, with its logger and level, and no other."""

import ast
import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from ygg import Certificate, LoopbackNetwork
from ygg.errors import LinkError
from ygg.network import take_over
from ygg.transport import QuicTransport, TransportManager, WSTransport

ROOT = Path(__file__).parent.parent
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}


def logged() -> Iterator[tuple[str, str, str]]:
    """Yield (logger, level, message) of each call in ygg; the level is "?" where it is computed."""
    for path in (ROOT / "ygg").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "logging.getLogger"]
        for call in calls:
            owner, _, method = ast.unparse(call.func).rpartition(".")
            if owner not in ("log", "_log", "logger"):
                continue
            computed = method == "log"
            text = call.args[computed]
            assert isinstance(text, ast.Constant), f"{path}:{call.lineno}: the message is not a literal"
            yield names[0], "?" if computed else LEVELS[method], text.value


def listed() -> Iterator[tuple[str, str, str]]:
    """Yield what the table has, a row for each level."""
    for line in (ROOT / "docs" / "logging.md").read_text().splitlines():
        if row := re.match(r"\| `(ygg\.\w+)` \| ([A-Z]+)(?: or ([A-Z]+))? \| `([^`]*)` \|", line):
            logger, first, second, message = row.groups()
            yield from ((logger, level, message) for level in (first, second) if level)


def test_the_table_has_every_message_and_no_other() -> None:
    table = set(listed())
    calls = set(logged())
    computed = {(logger, message) for logger, level, message in calls if level == "?"}
    assert {(logger, message) for logger, _, message in table} >= computed
    plain = {call for call in calls if call[1] != "?"}
    rows = {row for row in table if (row[0], row[2]) not in computed}
    missing, stale = sorted(plain - rows), sorted(rows - plain)
    assert not missing, "logged and not in docs/logging.md"
    assert not stale, "in docs/logging.md and not logged"


def test_loggers_are_the_librarys() -> None:
    assert all(logger.startswith("ygg.") for logger, _, _ in logged())


def loud(records: list[logging.LogRecord], library: str) -> list[logging.LogRecord]:
    """Return what was logged above DEBUG or by a logger of no part of ours; `library` has logged something at all."""
    records = [record for record in records if not record.name.startswith("asyncio")]
    assert any(record.name == f"ygg.transport.{library}" for record in records)
    return [record for record in records if record.levelno > logging.DEBUG or not record.name.startswith("ygg.")]


@pytest.mark.parametrize(("scheme", "library"), [("ws", "websockets"), ("quic", "aioquic")])
@on_loops
async def test_libraries_log_through_us_and_only_for_debugging(
    scheme: str, library: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip(library)
    caplog.set_level(logging.DEBUG)
    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(WSTransport())
        manager.register(QuicTransport(Certificate.generate()))
        listener = await manager.listen(f"{scheme}://127.0.0.1:0")
        client = await manager.dial(listener.url)
        client.write(b"hello")
        server, _ = await listener.accept()
        for end in (client, server):
            take_over(end, asyncio.Protocol())
            end.close()
        await until(lambda: client.is_closing() and server.is_closing())
        listener.close()
        await listener.wait_closed()
    assert loud(caplog.records, library) == []


class OtherVersion(asyncio.DatagramProtocol):
    """Answers a QUIC client with a version it has never heard of."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        theirs, rest = data[6 : 6 + data[5]], data[6 + data[5] :]
        ours = rest[1 : 1 + rest[0]]
        ids = b"".join(bytes([len(one)]) + one for one in (ours, theirs))
        self.transport.sendto(b"\x80\0\0\0\0" + ids + b"\x1a\x2a\x3a\x4a", addr)


@on_loops
async def test_a_forged_packet_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("aioquic")
    caplog.set_level(logging.DEBUG)
    async with LoopbackNetwork() as network:
        port, _ = await network.create_datagram_endpoint(OtherVersion, ("127.0.0.1", 0))
        manager = TransportManager(network)
        manager.register(QuicTransport(Certificate.generate()))
        with pytest.raises(LinkError, match="version"):
            await manager.dial(f"quic://127.0.0.1:{port.get_extra_info('sockname')[1]}")
    assert loud(caplog.records, "aioquic") == []
