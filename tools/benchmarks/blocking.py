"""What blocking code gets on the overlay: goodput of sockets with a descriptor, and the time that a dial takes."""

import asyncio
import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ygg import blocking
from ygg.blocking import LoopThread

from . import bulk
from .nodes import Member, pair

WARM_UP = 0.7
DIALS = 50


@contextlib.contextmanager
def _nodes() -> Iterator[tuple[LoopThread, Member, Member]]:
    """Run two nodes in the event loop of a thread."""
    with LoopThread("nodes") as thread:
        running: Any = pair(65535)
        one, other = thread.run(running.__aenter__())
        try:
            yield thread, one, other
        finally:
            thread.run(running.__aexit__(None, None, None))


async def _rate(count: Callable[[], int], seconds: float) -> float:
    await asyncio.sleep(WARM_UP)
    before = bulk.sample(count())
    await asyncio.sleep(seconds)
    return bulk.rates(before, bulk.sample(count()))[0]


def _plain(thread: LoopThread, one: Member, other: Member, seconds: float) -> float:
    async def measure() -> float:
        sink, source = bulk.Sink(), bulk.Source()
        server = await other.vtun.create_server(lambda: sink, port=0)
        await one.vtun.create_connection(lambda: source, other.host, server.sockets[0].getsockname()[1])
        rate = await _rate(lambda: sink.count, seconds)
        source.stop()
        server.close()
        return rate

    return thread.run(measure())


def _sent(thread: LoopThread, one: Member, other: Member, seconds: float) -> float:
    """Return the rate of a thread that sends by a socket, to a plain protocol."""
    sink = bulk.Sink()
    server = thread.run(other.vtun.create_server(lambda: sink, port=0))

    def send(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(bulk.Source.CHUNK)

    with blocking.create_connection(one.vtun, (other.host, server.sockets[0].getsockname()[1])) as sock:
        sending = threading.Thread(target=send, args=(sock,))
        sending.start()
        rate = thread.run(_rate(lambda: sink.count, seconds))
        sock.shutdown(socket.SHUT_RDWR)
        sending.join()
    thread.call(server.close)
    return rate


def _received(thread: LoopThread, one: Member, other: Member, seconds: float) -> float:
    """Return the rate of a thread that receives by a socket what a plain protocol sends."""
    source = bulk.Source()
    server = thread.run(other.vtun.create_server(lambda: source, port=0))
    received = 0

    def receive(sock: socket.socket) -> None:
        nonlocal received
        space = bytearray(1 << 18)
        while count := sock.recv_into(space):
            received += count

    with blocking.create_connection(one.vtun, (other.host, server.sockets[0].getsockname()[1])) as sock:
        receiving = threading.Thread(target=receive, args=(sock,))
        receiving.start()
        rate = thread.run(_rate(lambda: received, seconds))
        thread.call(source.stop)
        sock.shutdown(socket.SHUT_RDWR)
        receiving.join()
    thread.call(server.close)
    return rate


def bridge(seconds: float) -> dict[str, float]:
    """Measure two nodes in this process at an MTU of 65,535 bytes, whose event loop has a thread of its own.

    A thread sends and receives by a socket of `ygg.blocking`; beside it a protocol does in the loop itself.
    """
    with _nodes() as (thread, one, other):
        return {
            "bridge_plain_mib_s": _plain(thread, one, other, seconds),
            "bridge_mib_s": _sent(thread, one, other, seconds),
            "bridge_received_mib_s": _received(thread, one, other, seconds),
        }


def dial(seconds: float) -> dict[str, float]:
    """Measure how long it takes to connect to an address that the node has reached before."""
    del seconds
    with _nodes() as (thread, one, other):

        async def main() -> tuple[Any, float]:
            server = await other.vtun.start_server(lambda _, writer: writer.close(), port=0)
            port = server.sockets[0].getsockname()[1]
            times = []
            for _ in range(DIALS):
                begun = time.perf_counter()
                _, writer = await one.vtun.open_connection(other.host, port)
                times.append(time.perf_counter() - begun)
                writer.close()
                await asyncio.sleep(0.002)
            return server, statistics.median(times)

        server, there = thread.run(main())
        port = server.sockets[0].getsockname()[1]
        times = []
        with blocking.routed(one.vtun):
            for _ in range(DIALS):
                begun = time.perf_counter()
                sock = socket.create_connection((other.host, port))
                times.append(time.perf_counter() - begun)
                sock.close()
                time.sleep(0.002)
        thread.call(server.close)
        return {"dial_us": 1e6 * there, "dial_blocking_us": 1e6 * statistics.median(times)}
