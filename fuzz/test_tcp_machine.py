"""Invariant: what a side has received is exactly a prefix of what the other wrote, and once the link stops losing,
everything arrives and both sides close.

Two stacks over a link that loses, duplicates and reorders at will, under virtual time.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.c.stackkit import A, B, StackPair
from ygg.simulation import Conditions


class TcpMachine(RuleBasedStateMachine):
    """Writes, reads, half-closes, waits and changes the link, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.switch: StackPair | None = None

    @initialize(
        mtu=st.sampled_from([1280, 1500, 9000, 65535]),
        seed=st.integers(0, 2**32),
        buffer=st.sampled_from([2000, 70_000, 1 << 20]),
    )
    def open(self, mtu, seed, buffer):
        self.switch = StackPair(mtu, seed=seed)
        for stack in (self.switch.a, self.switch.b):
            stack.receive_buffer = buffer
            stack.receive_buffer_max = buffer
        self.ends = list(self.switch.pair())
        self.written = [bytearray(), bytearray()]
        self.received = [bytearray(), bytearray()]
        self.shut = [False, False]

    @rule(
        loss=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
        duplicate=st.sampled_from([0.0, 0.3]),
        jitter=st.sampled_from([0, 0.003, 0.05]),
    )
    def change_link(self, loss, duplicate, jitter):
        self.switch.change(Conditions(delay=0.005, loss=loss, duplicate=duplicate, jitter=jitter))

    @rule(side=st.integers(0, 1), size=st.integers(0, 100_000), piece=st.integers(1, 50_000))
    def write(self, side, size, piece):
        if self.shut[side]:
            return
        data = self.switch.random.randbytes(size)
        for at in range(0, size, piece):
            self.ends[side].write(data[at : at + piece])
        self.written[side] += data

    @rule(side=st.integers(0, 1), limit=st.sampled_from([1, 100, 1 << 20]), times=st.integers(1, 20))
    def read(self, side, limit, times):
        for _ in range(times):
            self.received[1 - side] += self.ends[side].recv(limit)

    @rule(side=st.integers(0, 1), size=st.integers(1, 100_000))
    def read_into(self, side, size):
        buffer = bytearray(size)
        count = self.ends[side].recv_into(buffer)
        self.received[1 - side] += buffer[:count]

    @rule(side=st.integers(0, 1))
    def shut_write(self, side):
        self.ends[side].shutdown_write()
        self.shut[side] = True

    @rule(side=st.integers(0, 1), value=st.booleans())
    def set_nodelay(self, side, value):
        self.ends[side].nodelay = value

    @rule(duration=st.sampled_from([0.001, 0.02, 1, 5]))
    def wait(self, duration):
        self.switch.run(duration)

    @rule(side=st.integers(0, 1), credit=st.sampled_from([0, 2000, 1 << 18]))
    def set_credit(self, side, credit):
        self.switch.tap((A, B)[side]).give_credit(credit, self.switch.now)
        self.switch.want_turn()

    @precondition(lambda self: self.switch is not None)
    @invariant()
    def received_is_a_prefix(self):
        for side in (0, 1):
            assert self.written[side].startswith(self.received[side])

    def teardown(self):
        if self.switch is None:
            return
        self.switch.change(Conditions(delay=0.005))
        for side in (0, 1):
            self.set_credit(side, 1 << 18)
        for end in self.ends:
            end.shutdown_write()

        def done() -> bool:
            for side in (0, 1):
                while piece := self.ends[side].recv():
                    self.received[1 - side] += piece
            return all(end.at_eof for end in self.ends)

        self.switch.run(300, done)
        assert self.received == self.written
        self.switch.run(300)
        assert [end.state for end in self.ends] == ["CLOSED", "CLOSED"]
        assert [end.error for end in self.ends] == [0, 0]
        self.switch.close()
        self.ends.clear()


TestTcp = TcpMachine.TestCase
