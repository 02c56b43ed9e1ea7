"""A relay for links over TCP that takes its time, as a long wire does."""

import asyncio
import socket
import threading

from .lab import Host


class Delay:
    """Carries connections from a port of a host to another address, everything `seconds` later."""

    def __init__(self, host: Host, target: tuple[str, int], seconds: float) -> None:
        self._host, self._target, self._seconds = host, target, seconds
        self._listener = host.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("", 0))
        self.url = f"tcp://{host.address}:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._carry, sock=self._listener)
        await self._ended.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = self._host.socket(socket.AF_INET, socket.SOCK_STREAM)
        there.setblocking(False)
        await asyncio.get_running_loop().sock_connect(there, self._target)
        far_reader, far_writer = await asyncio.open_connection(sock=there)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            target.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._tasks.add(asyncio.create_task(self._copy(source, target)))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(1 << 16):
                loop.call_later(self._seconds, writer.write, data)
            await asyncio.sleep(self._seconds)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    def stop(self) -> None:
        """Cut what it carries, and end."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
