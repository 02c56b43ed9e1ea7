"""A UDP socket of the overlay for a blocking program."""

from __future__ import annotations

from typing import Self

from ygg.blocking.runner import LoopThread
from ygg.vtun.addresses import SocketAddress
from ygg.vtun.datagram import UdpSocket


class BlockingDatagram:
    """Sends and receives datagrams of up to 65,527 bytes. Any thread may use it; every `timeout` is in seconds."""

    def __init__(self, thread: LoopThread, socket: UdpSocket) -> None:
        self._thread = thread
        self._socket = socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def getsockname(self) -> SocketAddress:
        """Return the address and port it is bound to."""
        return self._socket.getsockname()

    def sendto(self, data: bytes, address: tuple[str, int], timeout: float | None = None) -> None:
        """Send a datagram to (host, port), once there is room for it."""
        self._thread.run(self._socket.sendto(data, address), timeout)

    def recvfrom(self, timeout: float | None = None) -> tuple[bytes, SocketAddress]:
        """Return the next datagram and where it came from."""
        return self._thread.run(self._socket.recvfrom(), timeout)

    def close(self) -> None:
        """Close the socket; does nothing once the node is closed."""
        if self._thread.running:
            self._thread.call(self._socket.close)
