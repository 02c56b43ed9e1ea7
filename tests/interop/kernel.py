"""The services and clients of a host's own kernel: what a program behind a daemon's TUN device would do.

Everything blocks; what serves runs in a thread until the context ends.
"""

import contextlib
import hashlib
import http.client
import http.server
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from . import payload
from .lab import Host

TIMEOUT = 60.0


def _connected(host: Host, address: str, port: int) -> socket.socket:
    connection = host.socket(socket.AF_INET6, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT)
    try:
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def _received(connection: socket.socket) -> str:
    total = hashlib.sha256()
    while data := connection.recv(1 << 20):
        total.update(data)
    return total.hexdigest()


def dial(host: Host, address: str, port: int) -> float:
    """Connect and close; return the seconds until the connection was there."""
    begin = time.monotonic()
    with _connected(host, address, port):
        return time.monotonic() - begin


def fetch(host: Host, address: str, port: int) -> str:
    """Read a connection to its end; return the digest."""
    with _connected(host, address, port) as connection:
        return _received(connection)


def push(host: Host, address: str, port: int, count: int) -> str:
    """Send `count` bytes, close that direction; return the digest that the other side answers."""
    with _connected(host, address, port) as connection:
        for block in payload.blocks(count):
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1000, socket.MSG_WAITALL).decode()


@contextlib.contextmanager
def _serving(host: Host, answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with host.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.bind(("::", 0))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(TIMEOUT)
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextlib.contextmanager
def source(host: Host, count: int) -> Iterator[int]:
    """Serve `count` bytes to whoever connects to the port."""

    def answer(connection: socket.socket) -> None:
        for block in payload.blocks(count):
            connection.sendall(block)

    with _serving(host, answer) as port:
        yield port


@contextlib.contextmanager
def sink(host: Host) -> Iterator[int]:
    """Read what comes to its end, then answer its digest."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(_received(connection).encode())

    with _serving(host, answer) as port:
        yield port


@contextlib.contextmanager
def udp_echo(host: Host) -> Iterator[int]:
    """Send every datagram back where it came from."""
    with host.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(("::", 0))
        endpoint.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    endpoint.sendto(*endpoint.recvfrom(1 << 16))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield endpoint.getsockname()[1]
        over.set()
        thread.join()


def udp_exchange(host: Host, address: str, port: int, size: int) -> bool:
    """Send a datagram of `size` bytes to an echo; tell whether it came back whole. Tries three times."""
    with host.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(2.0)
        for _ in range(3):
            sent = os.urandom(size)
            endpoint.sendto(sent, (address, port))
            with contextlib.suppress(TimeoutError):
                return endpoint.recv(1 << 16) == sent
    return False


def ping(host: Host, address: str, size: int, tries: int = 10) -> bool:
    """Send an ICMPv6 echo request with `size` bytes; tell whether the answer holds the same. Tries `tries` times."""
    with host.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as endpoint:
        for number in range(tries):
            body = struct.pack("!HH", os.getpid() & 0xFFFF, number) + os.urandom(size)
            endpoint.sendto(struct.pack("!BBH", 128, 0, 0) + body, (address, 0))
            endpoint.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    answer, sender = endpoint.recvfrom(1 << 16)
                    if answer[0] == 129 and sender[0] == address and answer[4:] == body:
                        return True
    return False


class _Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def web(host: Host) -> Iterator[int]:
    """Answer every GET with "you asked for PATH"."""

    def answer(connection: socket.socket) -> None:
        _Page(connection, connection.getpeername(), None)

    with _serving(host, answer) as port:
        yield port


def get(host: Host, address: str, port: int, path: str) -> str:
    """Return the body of a page."""
    client = http.client.HTTPConnection(address, port)
    client.sock = _connected(host, address, port)
    try:
        client.request("GET", path, headers={"Host": f"[{address}]:{port}"})
        return client.getresponse().read().decode()
    finally:
        client.close()
