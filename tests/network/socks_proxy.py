"""A small SOCKS5 proxy on a network, for tests: serves names of its own, can be told to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

from ygg.network import Listener, Network
from ygg.network.streams import open_connection, serving


class Proxy:
    """Connects through `network`; `users` are required to log in when there are any."""

    def __init__(self, network: Network, names: Mapping[str, str], users: Mapping[str, str] | None = None) -> None:
        self.network, self.names, self.users = network, names, users or {}
        self.asked: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Listener]:
        async with serving(self.network, self.handle, "127.0.0.1") as listener:
            yield listener

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = (await reader.readexactly(2))[1]
        offered = await reader.readexactly(methods)
        if self.users and 2 not in offered:
            writer.write(b"\5\xff")
            return
        writer.write(b"\5\2" if self.users else b"\5\0")
        if self.users and not await self._log_in(reader, writer):
            return
        _, _, _, kind = await reader.readexactly(4)
        size = {1: 4, 3: 0, 4: 16}[kind] or (await reader.readexactly(1))[0]
        raw = await reader.readexactly(size)
        host = raw.decode() if kind == 3 else str(ip_address(raw))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(host)
        try:
            far_reader, far_writer = await open_connection(self.network, self.names.get(host, host), port)
        except OSError:
            writer.write(b"\5\5\0\1" + bytes(6))
            return
        writer.write(b"\5\0\0\3\5proxy" + bytes(2))
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        fields = []
        await reader.readexactly(1)
        for _ in range(2):
            fields.append((await reader.readexactly((await reader.readexactly(1))[0])).decode())
        good = self.users.get(fields[0]) == fields[1]
        writer.write(b"\1\0" if good else b"\1\1")
        return good


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
