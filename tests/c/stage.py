"""A stack with a listener, and the far ends of its connections with any number of nodes, segment by segment."""

from collections.abc import Callable

from tests.c.stackkit import ACK, MS, SECOND, SYN, A, Tcp, make_stack, parse_tcp

MIB = 1 << 20
SCALE = 10
JUMBO = b"\2\4\xff\xb7\3\3\7\0"
"""TCP options: MSS 65463, window scale 7."""


def node(number: int, host: int = 0) -> bytes:
    """Return one of a node's addresses: of its /64 where `host` is odd."""
    return bytes([2 + host % 2]) + number.to_bytes(7, "big") + host.to_bytes(8, "big")


class Connection:
    """The far end of a connection with a stack, segment by segment."""

    def __init__(self, stage: "Stage", address: bytes, port: int, window: int) -> None:
        self.stage, self.address, self.port, self.window = stage, address, port, window
        self.seq, self.ack, self.edge = 1000, 0, 0
        stage.far[address, port] = self
        stage.send(self.segment(SYN, options=JUMBO))
        self.seq += 1
        if self.ack:
            stage.send(self.segment())

    def segment(self, flags: int = ACK, at: int = 0, data: bytes = b"", options: bytes = b"") -> bytes:
        return Tcp(self.port, 80, self.seq + at, self.ack, flags, self.window, options, data).packet(self.address, A)

    def answered(self, segment: Tcp) -> None:
        if segment.flags & SYN:
            self.ack, self.edge = segment.seq + 1, 1001 + segment.window
            return
        edge = segment.ack + (segment.window << SCALE)
        assert edge > self.edge - (1 << SCALE), "a window was taken back"      # the field is rounded down
        self.edge, self.seq = max(self.edge, edge), max(self.seq, segment.ack)

    @property
    def offered(self) -> int:
        """The bytes that may be sent now."""
        return self.edge - self.seq

    def fill(self, size: int = 60_000) -> None:
        """Send one segment of at most this size, as far as the window goes, and wait for its acknowledgement."""
        before = self.seq
        if self.offered > 0:
            self.stage.send(self.segment(data=bytes(min(size, self.offered))))
        if self.seq == before:
            self.stage.rest()


class Stage:
    """A stack at A with a listener, and connections of any remote nodes."""

    def __init__(self) -> None:
        self.stack, self.tap = make_stack(A)
        self.stack.max_buffered = 32 * MIB      # 24 of them are shared
        self.listener = self.stack.listen(None, 80, backlog=100_000)
        self.now = SECOND
        self.tap.poll(self.now)
        self.far: dict[tuple[bytes, int], Connection] = {}
        self.watch: Callable[[Tcp], object] = lambda segment: None

    def open(self, number: int, count: int, window: int = 0) -> list[Connection]:
        return [self.one(node(number, host), 1024 + host, window) for host in range(count)]

    def one(self, address: bytes, port: int, window: int = 0) -> Connection:
        return Connection(self, address, port, window)

    def accepted(self) -> list:
        made = []
        while (connection := self.listener.accept()) is not None:
            made.append(connection)
        return made

    def send(self, *packets: bytes) -> None:
        self.now += MS
        self.tap.give(list(packets), self.now)
        self.turn()

    def rest(self) -> None:
        """Give delayed acknowledgements their time."""
        self.now += 50 * MS
        self.turn()

    def turn(self) -> None:
        self.tap.poll(self.now)
        for packet in self.tap.take():
            segment = parse_tcp(packet)
            self.watch(segment)
            if (far := self.far.get((packet[24:40], segment.dport))) is not None:
                far.answered(segment)

    def close(self) -> None:
        for connection in self.far.values():
            connection.stage = None
        self.stack.close()
        assert self.stack.buffered == (0, 0)
        assert self.stack.memory_in_use == 0
        self.tap.poll(self.now)
        self.tap.take()
        self.tap.detach()
        self.__dict__.clear()
