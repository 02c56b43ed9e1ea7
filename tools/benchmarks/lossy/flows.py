"""Connections of two stacks over a simulated link."""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from ygg_c.base.sodium import SeededRandom
from ygg_c.socket.endpoint import READABLE
from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection
from ygg_c.testing.packets import PacketTap

from .link import SECOND, Cell, Direction

CLIENT, SERVER = (bytes([2]) + bytes(14) + bytes([last]) for last in (10, 11))
CHUNK = bytes(1 << 16)
PORT = 80
START = SECOND
IP_HEADER = 40
DATA_OFFSET = IP_HEADER + 12    # the byte whose upper half counts the words of TCP's header
STAGGER = 0.1       # seconds from one flow's start to the next one's


class Figures(NamedTuple):
    """What a cell gave."""

    goodput: float          # received by applications, as a share of the link's rate
    resent: float           # segments sent again, as a share of packets sent
    copies: float           # bytes that arrived again, as a share of those that arrived: sent again without a loss
    timeouts: int
    jain: float             # fairness of the second half, 1: all flows had the same


class Side:
    """A stack with its way to the other one."""

    def __init__(self, address: bytes, cell: Cell, direction: Direction, congestion: str, seed: object) -> None:
        self.stack = NetStack([address], cell.mtu, SeededRandom((seed, address)))
        self.stack.congestion = congestion
        self.tap = PacketTap(self.stack, 1 << 20)
        self.direction = direction
        self.deadline: int | None = None

    def turn(self, now: int, arrived: list[bytes]) -> list[tuple[int, bytes]]:
        """Take what arrived, do what is due; return the packets that get through, with their times."""
        if arrived:
            self.tap.give(arrived, now)
        self.deadline = self.tap.poll(now)
        through = []
        while packets := self.tap.take():
            for packet in packets:
                arrival, arrives = self.direction.enter(now, len(packet))
                if arrives:
                    through.append((arrival, packet))
            self.deadline = self.tap.poll(now)
        return through

    def close(self, now: int) -> None:
        """Let go of everything."""
        self.stack.close()
        self.tap.poll(now)
        self.tap.take()
        self.tap.detach()


class Run:
    """One cell's flows, from one client stack to one server stack, each with always something to send."""

    def __init__(self, cell: Cell, congestion: str = "cubic", seed: object = 1) -> None:
        self.cell = cell
        self.now = START
        self.clients: list[TcpConnection] = []
        self.received = [0] * cell.flows
        self._servers: list[TcpConnection] = []
        self._arrived = 0               # bytes of data at the server's side
        self.halfway: list[int] = []
        self.watch: Callable[[int, TcpConnection], None] | None = None
        """Called before each turn of the client, for those who look at a run."""
        self._flow_of: dict[int, int] = {}
        self._flying: list[tuple[int, int, int, bytes]] = []
        self._count = 0
        ways = Direction(cell, lossy=True, seed=seed), Direction(cell, lossy=False, seed=seed)
        self.sides = (Side(CLIENT, cell, ways[0], congestion, seed), Side(SERVER, cell, ways[1], congestion, seed))
        self._listener = self.sides[1].stack.listen(None, PORT)

    def run(self) -> Figures:
        """Let the cell's time pass."""
        end = START + int(self.cell.seconds * SECOND)
        half = (START + end) // 2
        starts = [START + int(number * STAGGER * SECOND) for number in range(self.cell.flows)]
        while True:
            waiting = starts[len(self.clients):][:1] + ([] if self.halfway else [half])
            self.now = max(self.now, min([end, *waiting, *self._next_events()]))
            if self.now >= end:
                break
            if self.now >= half and not self.halfway:
                self.halfway = list(self.received)
            if waiting and len(self.clients) < len(starts) and starts[len(self.clients)] <= self.now:
                self._connect()
            self._step()
        return self._figures()

    def _next_events(self) -> list[int]:
        times = [side.deadline for side in self.sides if side.deadline is not None]
        if self._flying:
            times.append(self._flying[0][0])
        return times

    def _step(self) -> None:
        arrived: tuple[list[bytes], list[bytes]] = ([], [])
        flying = self._flying
        while flying and flying[0][0] <= self.now:
            _, _, which, packet = heapq.heappop(flying)
            arrived[which].append(packet)
        for number, side in enumerate(self.sides):
            if number == 0 and self.watch is not None and self.clients:
                self.watch(self.now, self.clients[0])
            if arrived[number] or (side.deadline is not None and side.deadline <= self.now):
                self._send(number, arrived[number])
            if number == 1 and len(self._flow_of) > 0 and arrived[1]:
                self._accept()

    def _send(self, number: int, arrived: list[bytes]) -> None:
        if number == 1:
            self._arrived += sum(map(data_size, arrived))
        for arrival, packet in self.sides[number].turn(self.now, arrived):
            self._count += 1
            heapq.heappush(self._flying, (arrival, self._count, 1 - number, packet))

    def _connect(self) -> None:
        client = self.sides[0].stack.connect(SERVER, PORT)
        self._flow_of[client.local[1]] = len(self.clients)
        self.clients.append(client)
        client.on_event = lambda _: self._feed(client)
        self._feed(client)
        self._send(0, [])

    @staticmethod
    def _feed(client: TcpConnection) -> None:
        try:
            while client.send(CHUNK) == len(CHUNK):
                pass
        except OSError:
            client.on_event = None

    def _accept(self) -> None:
        while (server := self._listener.accept()) is not None:
            self._servers.append(server)
            server.on_event = self._reader(server, self._flow_of.pop(server.remote[1]))
            server.on_event(READABLE)
            self._send(1, [])

    def _reader(self, server: TcpConnection, flow: int) -> Callable[[int], None]:
        def read(flags: int) -> None:
            if flags & READABLE:
                while data := server.recv():
                    self.received[flow] += len(data)

        return read

    def _figures(self) -> Figures:
        infos = [client.info() for client in self.clients]
        way = self.sides[0].direction
        resent = sum(info["retransmits"] for info in infos)
        held = [server.info() for server in self._servers]
        once = sum(self.received) + sum(info["readable"] + info["out_of_order"] for info in held)
        late = [all_ - first for all_, first in zip(self.received, self.halfway, strict=True)]
        for side in self.sides:
            side.close(self.now)
        return Figures(
            goodput=sum(self.received) * 8 / self.cell.seconds / self.cell.rate,
            resent=resent / way.sent,
            copies=(self._arrived - once) / max(self._arrived, 1),
            timeouts=sum(info["timeouts"] for info in infos),
            jain=jain(late),
        )


def data_size(packet: bytes) -> int:
    """Return how many bytes of data a TCP packet without extension headers carries."""
    return len(packet) - IP_HEADER - (packet[DATA_OFFSET] >> 4) * 4


def jain(shares: list[int]) -> float:
    """Return Jain's index of fairness."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0
