"""Traffic of the kernel's sockets, made by a process on one host: `python -m benchmarks.traffic` obeys orders.

Each connection has a thread that sends or receives large blocks without looking at them, so that this program is not
what is measured.
"""

import asyncio
import contextlib
import signal
import socket
import statistics
import struct
import threading
import time
from collections.abc import Callable

from remote import obey

BLOCK = 1 << 20
PAGE = bytes(1024)
REQUEST = b"GET / HTTP/1.1\r\nHost: ygg\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE
_RETRANSMITTED = 100
"""Offset of tcpi_total_retrans in struct tcp_info (linux/tcp.h)."""

Serve = Callable[[socket.socket], None]


def in_thread(function: Callable[..., None], *arguments: object) -> None:
    """Run a function that blocks; it ends with its socket, or with the process."""
    def run() -> None:
        with contextlib.suppress(OSError):
            function(*arguments)

    threading.Thread(target=run, daemon=True).start()


def listen(serve: Serve) -> int:
    """Serve every connection in a thread of its own; return the port."""
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, backlog=64)

    def accept() -> None:
        while True:
            in_thread(serve, listener.accept()[0])

    in_thread(accept)
    return int(listener.getsockname()[1])


def echo_bytes(connection: socket.socket) -> None:
    """Send back what comes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(BLOCK):
        connection.sendall(data)


def answer_requests(connection: socket.socket) -> None:
    """Answer HTTP requests, which have no body, with a page of 1 KiB."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = b""
    while data := connection.recv(BLOCK):
        *requests, rest = (rest + data).split(b"\r\n\r\n")
        connection.sendall(RESPONSE * len(requests))


def exchange(connection: socket.socket, request: bytes, size: int, seconds: float) -> list[int]:
    """Send a request and wait for an answer of `size` bytes, again and again; return the times in ns."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    end = time.perf_counter_ns() + int(seconds * 1e9)
    while (begun := time.perf_counter_ns()) < end:
        connection.sendall(request)
        if len(connection.recv(size, socket.MSG_WAITALL)) < size:
            raise ConnectionError("the answer is cut off")
        times.append(time.perf_counter_ns() - begun)
    return times


class Worker:
    """What the program can be told to do."""

    def __init__(self) -> None:
        self._received = 0
        self._lock = threading.Lock()
        self._streams: list[socket.socket] = []

    # Streams

    def _count(self, connection: socket.socket) -> None:
        space = bytearray(BLOCK)
        while size := connection.recv_into(space):
            with self._lock:
                self._received += size

    async def sink(self) -> int:
        """Count what comes by TCP; return the port."""
        return listen(self._count)

    async def send(self, host: str, port: int, streams: int) -> None:
        """Send without end by as many connections."""
        for _ in range(streams):
            connection = await asyncio.to_thread(socket.create_connection, (host, port), 20)
            connection.settimeout(None)
            self._streams.append(connection)
        for connection in self._streams:
            in_thread(_send_blocks, connection)

    async def stop(self) -> None:
        """End the streams."""
        for connection in self._streams:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._streams.clear()

    async def sample(self) -> dict[str, float]:
        """Return what was received so far (bytes, or datagrams), what our streams sent again, and the time."""
        again = sum(_retransmitted(connection) for connection in self._streams)
        return {"count": self._received, "again": again, "time": time.perf_counter()}

    # Requests

    async def echo(self) -> int:
        """Echo by TCP; return the port."""
        return listen(echo_bytes)

    async def web(self) -> int:
        """Serve a page by HTTP; return the port."""
        return listen(answer_requests)

    async def round_trips(self, host: str, port: int, seconds: float) -> dict[str, float]:
        """Send a byte to the echo and wait for it, again and again: median and 99th percentile in µs."""
        times = sorted(await asyncio.to_thread(_exchange_with, host, port, b"?", 1, seconds))
        return {"median": statistics.median(times) / 1e3, "p99": times[len(times) * 99 // 100] / 1e3}

    async def get_pages(self, host: str, port: int, seconds: float) -> float:
        """Fetch the page by one connection, again and again: pages per second."""
        times = await asyncio.to_thread(_exchange_with, host, port, REQUEST, len(RESPONSE), seconds)
        return len(times) / (sum(times) / 1e9)

    # Datagrams

    async def count_datagrams(self) -> int:
        """Count the datagrams that come; return the port."""
        endpoint = _udp_endpoint()

        def count() -> None:
            space = bytearray(1 << 16)
            while endpoint.recv_into(space):
                self._received += 1

        in_thread(count)
        return int(endpoint.getsockname()[1])

    async def flood(self, host: str, port: int, size: int, seconds: float) -> int:
        """Send datagrams of `size` bytes as fast as the kernel takes them; return how many."""
        return await asyncio.to_thread(_flood, host, port, size, seconds)

    async def answer_datagrams(self) -> int:
        """Send every datagram back; return the port."""
        endpoint = _udp_endpoint()

        def answer() -> None:
            while True:
                endpoint.sendto(*endpoint.recvfrom(BLOCK))

        in_thread(answer)
        return int(endpoint.getsockname()[1])

    async def first_answer(self, host: str, port: int, within: float) -> float:
        """Ask a host every 10 ms until it answers; return when, by the monotonic clock."""
        return await asyncio.to_thread(_first_answer, host, port, within)

    async def reach(self, host: str, port: int, within: float) -> None:
        """Wait until a TCP port takes connections."""
        end = time.monotonic() + within
        while True:
            try:
                socket.create_connection((host, port), 1.0).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)


def _send_blocks(connection: socket.socket) -> None:
    block = bytes(BLOCK)
    while True:
        connection.sendall(block)


def _retransmitted(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("I", info, _RETRANSMITTED)[0])


def _exchange_with(host: str, port: int, request: bytes, size: int, seconds: float) -> list[int]:
    with socket.create_connection((host, port), 20) as connection:
        return exchange(connection, request, size, seconds)


def _udp_endpoint() -> socket.socket:
    endpoint = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * BLOCK)
    endpoint.bind(("::", 0))
    return endpoint


def _flood(host: str, port: int, size: int, seconds: float) -> int:
    payload = bytes(size)
    count = 0
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
        endpoint.connect((host, port))
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in range(64):
                with contextlib.suppress(OSError):
                    count += endpoint.send(payload) == size
    return count


def _first_answer(host: str, port: int, within: float) -> float:
    end = time.monotonic() + within
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(0.01)
        while time.monotonic() < end:
            try:
                endpoint.sendto(b"?", (host, port))
                endpoint.recv(1)
                return time.monotonic()
            except TimeoutError:
                pass
            except OSError:     # no route yet: the device is not there
                time.sleep(0.01)
    raise TimeoutError(f"{host} did not answer in {within:.0f} s")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # the end of its input ends it, after the order that is under way
    asyncio.run(obey(Worker()))
