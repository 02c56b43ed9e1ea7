"""The TCP/IP stack alone: two of them in this process, joined in memory. Speeds are a whole core's, by CPU time."""

import time

from ygg_c.base.sodium import SeededRandom
from ygg_c.socket.endpoint import READABLE, WRITABLE
from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection
from ygg_c.testing.packets import PacketTap

ONE, OTHER = (bytes([2]) + bytes(14) + bytes([last]) for last in (10, 11))
CHUNK = bytes(1 << 18)
WARM_UP = 0.2
PORT = 80
BACKLOG = 1 << 20
PARALLEL = 256      # connections that are open at a time


class Joined:
    """Two stacks over a memory link that is as fast as they are. Time is as `turn` is told."""

    def __init__(self, mtu: int, now: int | None = None) -> None:
        self.now = time.monotonic_ns() if now is None else now
        self.one, self.other = (NetStack([address], mtu, SeededRandom(address)) for address in (ONE, OTHER))
        self._taps = PacketTap(self.one, 1 << 20), PacketTap(self.other, 1 << 20)
        self.listener = self.other.listen(None, PORT, BACKLOG)

    def turn(self, now: int) -> int:
        """Give each stack a turn, and each what the other sent; return how many packets."""
        self.now = now
        there, back = self._taps
        there.poll(now)
        count = there.carry(back, now)
        back.poll(now)
        return count + back.carry(there, now)

    def settle(self) -> None:
        """Let everything arrive that is on its way."""
        while self.turn(self.now):
            pass

    def lose_answers(self) -> None:
        """Let arrive what the first stack sent, and nothing of what the second one says to it."""
        there, back = self._taps
        there.poll(self.now)
        there.carry(back, self.now)
        back.poll(self.now)
        back.take()

    def connect(self, local: bytes | None = None) -> TcpConnection:
        """Open a connection from one to the other."""
        return self.one.connect(OTHER, PORT, local)

    def close(self) -> None:
        """Let go of everything."""
        for stack, tap in zip((self.one, self.other), self._taps, strict=True):
            stack.close()
            tap.poll(self.now)
            tap.take()
            tap.detach()


class _Flow:
    """A connection in which as much flows as can."""

    def __init__(self, joined: Joined) -> None:
        self.received = 0
        self._buffer = bytearray(1 << 20)
        self.client = joined.connect()
        joined.settle()
        accepted = joined.listener.accept()
        assert accepted is not None
        self.server = accepted
        self.client.on_event = lambda flags: self._feed() if flags & WRITABLE else None
        self.server.on_event = lambda flags: self._read() if flags & READABLE else None
        self._feed()

    def _feed(self) -> None:
        while self.client.send(CHUNK) == len(CHUNK):
            pass

    def _read(self) -> None:
        while size := self.server.recv_into(self._buffer):
            self.received += size


def stack(mtu: int, seconds: float) -> dict[str, float]:
    """Measure bulk TCP from one stack to the other."""
    joined = Joined(mtu)
    flow = _Flow(joined)
    _run(joined, WARM_UP)
    before, cpu = flow.received, time.process_time()
    _run(joined, seconds)
    size, cpu = flow.received - before, time.process_time() - cpu
    joined.close()
    return {f"stack_{mtu}_gbit_s": size * 8 / cpu / 1e9, f"stack_{mtu}_cpu_s_per_gib": cpu / size * 2**30}


def _run(joined: Joined, seconds: float) -> None:
    end = time.monotonic_ns() + int(seconds * 1e9)
    while (now := time.monotonic_ns()) < end:
        joined.turn(now)


def connections(seconds: float) -> dict[str, float]:
    """Measure how many connections are opened, accepted and closed in a second."""
    joined = Joined(65535)
    count, end, began = 0, time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end:
        _open_and_close(joined)
        count += PARALLEL
    cpu = time.process_time() - began
    joined.close()
    return {"conn_per_s": count / cpu}


def _open_and_close(joined: Joined) -> None:
    clients = [joined.connect() for _ in range(PARALLEL)]
    joined.settle()
    servers = [joined.listener.accept() for _ in range(PARALLEL)]
    for client in clients:      # first: its side keeps the port in TIME-WAIT and does not choose it again
        client.close()
    joined.settle()
    for server in servers:
        assert server is not None
        server.close()
    joined.now += 10**6
    joined.settle()
