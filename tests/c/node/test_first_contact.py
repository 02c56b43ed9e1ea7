"""The round trips of a first contact, in virtual time, and the path that its answer takes."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.c.farside import LOOKUP, MAX, NOTIFY, TRAFFIC, Clock, FarSide, sign
from tests.c.slowlinks import MS, SECOND, Net, net_of
from tests.c.worldkit import START, line_of
from ygg.simulation import World
from ygg.testing import public_key, secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link import wire
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload
from ygg_c.testing.sessions import SessionTap

DELAY = 10 * MS


def line(net: Net, hops: int) -> float:
    """Join nodes in a line, and return the round trip of its ends in seconds."""
    net.add(*range(1, hops + 2))
    for first, second in itertools.pairwise(range(1, hops + 2)):
        net.join(first, second, 1e9, DELAY)
    net.run(8 + 2 * hops)
    return 2 * hops * DELAY / SECOND


def takes(net: Net, condition: Callable[[], object]) -> float:
    """Have time pass until a condition holds; return the seconds."""
    began = net.now
    while not condition():
        net.run(0.0005)
        assert net.now - began < 10 * SECOND
    return (net.now - began) / SECOND


@pytest.mark.parametrize("hops", [2, 3, 6])
def test_a_dial_with_nothing_known_takes_three_round_trips(hops: int) -> None:
    """A lookup, a session, a handshake; the next one alone."""
    with net_of() as net:
        rtt = line(net, hops)
        listener = net.stacks[hops + 1].listen(None, 7)
        for trips in (3, 1, 1):
            dial = net.stacks[1].connect(net.nodes[hops + 1].address, 7)
            assert takes(net, lambda dial=dial: dial.state == "ESTABLISHED") / rtt == pytest.approx(trips, rel=0.05)
        listener.close()


def test_a_dial_to_a_neighbour_takes_two() -> None:
    with net_of() as net:
        rtt = line(net, 1)
        listener = net.stacks[2].listen(None, 7)
        dial = net.stacks[1].connect(net.nodes[2].address, 7)
        assert takes(net, lambda: dial.state == "ESTABLISHED") / rtt == pytest.approx(2, rel=0.05)
        listener.close()


def test_a_first_datagram_takes_two_and_a_half() -> None:
    with net_of() as net:
        rtt = line(net, 3)
        receiver = net.stacks[4].udp(None, 9)
        net.stacks[1].udp(None, 0).send(b"first", net.nodes[4].address, 9)
        assert takes(net, receiver.recv_many) / rtt == pytest.approx(2.5, rel=0.05)


def test_both_ends_at_once_take_no_longer() -> None:
    with net_of() as net:
        rtt = line(net, 2)
        for number in (1, 3):
            net.stacks[number].listen(None, 7)
        dials = [net.stacks[a].connect(net.nodes[b].address, 7) for a, b in ((1, 3), (3, 1))]
        assert takes(net, lambda: {dial.state for dial in dials} == {"ESTABLISHED"}) / rtt < 3.6


class Caller:
    """A key behind node 3 that writes to node 1, and says in its header that it is somewhere."""

    def __init__(self, world: World, number: int = 9) -> None:
        self.world = world
        self.node = world.nodes[1].engine
        self.secret = secret_key(number)
        self.tap = SessionTap(self.secret)
        self.key = self.secret[32:]
        link = world.link_between(1, 3)
        self.link = link.at(1)
        self._left: list[bytes] = []
        link.wire_from(1).passing = self._leaves

    def write(self, payload: bytes, origin: list[int]) -> None:
        """Send a payload, or the Init that goes before it."""
        self.tap.tick(self.world.now, START + self.world.now // SECOND)
        self.tap.write(self.node.key, payload)
        for _, message in self.tap.messages():
            self.send(message, origin)

    def send(self, message: bytes, origin: list[int]) -> None:
        fields = {"path": self.node.coords, "from": origin, "source": self.key, "dest": self.node.key}
        self.link.receive(wire.encode_frame(TRAFFIC, wire.encode(TRAFFIC, **fields, watermark=MAX, payload=message)))

    def tell(self, place: list[int]) -> None:
        """Answer a lookup of node 1."""
        seq = START + self.world.now // SECOND
        fields = {"path": self.node.coords, "watermark": MAX, "source": self.key, "dest": self.node.key, "seq": seq,
                  "info_path": place, "sig": sign(wire.encode_uv(seq) + wire.encode_path(place), self.secret)}
        self.link.receive(wire.encode_frame(NOTIFY, wire.encode(NOTIFY, **fields)))

    def heard(self) -> list[tuple[list[int], bytes]]:
        """Where node 1 has sent what since the last call."""
        data, found = b"".join(self._left), []
        self._left.clear()
        while data:
            size, start = wire.decode_uv(data)
            if data[start] == TRAFFIC:
                fields = wire.decode(TRAFFIC, data[start + 1 : start + size])
                found.append((fields["path"], fields["payload"]))
            data = data[start + size :]
        return found

    def _leaves(self, data: bytes) -> bytes:
        self._left.append(data)
        return data

    def path(self) -> list[int] | None:
        """Where node 1 takes it to be."""
        found = [path["path"] for path in self.node.known_paths() if path["key"] == self.key]
        return found[0] if found else None


def test_what_opens_no_session_makes_no_path() -> None:
    with line_of(1, 3) as world:
        caller = Caller(world)
        for kind in range(4):
            caller.send(bytes([kind]) + bytes(200), [5])
        assert caller.path() is None
        assert world.nodes[1].engine.counters()["session_no_session"] == 1


def test_an_unsigned_path_ends_soon() -> None:
    """A recorded Init, sent again with another origin in its header, has little effect: one answer goes there."""
    with line_of(1, 3) as world:
        caller = Caller(world)
        caller.write(b"\1", [5])
        assert caller.path() == [5]
        sent = world.nodes[1].engine.counters()["session_ack_sent"]
        assert sent == 1
        world.run(5)
        assert caller.path() is None
        assert world.nodes[1].engine.counters()["session_ack_sent"] == sent


def test_a_signed_path_is_not_replaced_by_what_a_header_says() -> None:
    with net_of() as net:
        line(net, 2)
        net.stacks[3].listen(None, 7)
        dial = net.stacks[1].connect(net.nodes[3].address, 7)
        takes(net, lambda: dial.state == "ESTABLISHED")
        net.run(0.1)
        for number, other in ((1, 3), (3, 1)):
            (path,) = [path for path in net.nodes[number].known_paths() if path["key"] == net.nodes[other].key]
            assert path["path"] == net.nodes[other].coords
            assert path["sequence"] > 0     # a notify has said so


def answers(caller: Caller) -> list[tuple[list[int], bytes]]:
    """Have node 1 take a turn; return the Acks that it sends, and where, before they arrive."""
    caller.world.nodes[1].turn()
    return [(path, payload) for path, payload in caller.heard() if payload[0] == 2]


@pytest.mark.parametrize(("port", "again"), [(5, False), (6, True)])
def test_an_answer_to_a_place_that_was_wrong_is_sent_again(port: int, again: bool) -> None:
    """The same message: who has had it overlooks it."""
    with line_of(1, 3) as world:
        caller = Caller(world)
        below = world.nodes[3].engine.coords
        caller.write(b"\1", [*below, 5])
        ((first, ack),) = answers(caller)
        assert first == [*below, 5]
        caller.tell([*below, port])
        assert answers(caller) == ([([*below, port], ack)] if again else [])
        assert caller.path() == [*below, port]


def test_the_answer_is_kept_ahead_of_what_follows() -> None:
    with line_of(1, 3) as world:
        caller = Caller(world)
        below = world.nodes[3].engine.coords
        caller.write(b"\1", [*below, 5])
        ((_, ack),) = answers(caller)
        for number in range(20):
            send_payload(caller.node, caller.key, b"\1 %d" % number)
        answers(caller)
        caller.tell([*below, 6])
        world.nodes[1].turn()
        sent = caller.heard()
        assert [path for path, _ in sent] == [[*below, 6]] * 8
        assert sent[0][1] == ack


class Dialer(Clock):
    """A node with one child, that writes to a key which the child tells the way to."""

    def __init__(self) -> None:
        super().__init__()
        self.router.close()
        self.router = self.node = Node(self.secret, random=SeededRandom(1))
        self.turn()
        self.far = FarSide(self, 3)
        self.far.become_child()
        self.pass_time(1.5)
        self.far.filter()
        self.callee = SessionTap(secret_key(9))
        self.key = public_key(9)
        self.pass_time(0.1)
        self.far.frames.clear()

    def dial(self) -> bytes:
        """Write; return the Init."""
        send_payload(self.node, self.key, b"\1payload")
        self.turn()
        assert len(self.far.got(LOOKUP)) == 1
        signed = wire.encode_uv(self.wall) + wire.encode_path([1, 7])
        self.far.send(NOTIFY, path=[], watermark=MAX, source=self.key, dest=self.node.key, seq=self.wall,
                      info_path=[1, 7], sig=sign(signed, secret_key(9)))
        (traffic,) = self.far.got(TRAFFIC)
        assert traffic["payload"][0] == 1
        return bytes(traffic["payload"])

    def answer(self, init: bytes) -> None:
        """Have the callee's Ack come."""
        self.callee.tick(self.now, self.wall)
        self.callee.feed(self.node.key, init)
        ((_, ack),) = self.callee.messages()
        fields = {"path": [], "from": [1, 7], "source": self.key, "dest": self.node.key}
        self.far.send(TRAFFIC, **fields, watermark=MAX, payload=ack)

    def close(self) -> None:
        super().close()
        del self.node, self.callee, self.far.clock, self.far.link


@pytest.fixture
def dialer() -> Iterator[Dialer]:
    dialer = Dialer()
    yield dialer
    dialer.close()


def test_who_is_asked_for_a_session_is_told_where_we_are(dialer: Dialer) -> None:
    """Once for each Init, a little behind it: a notify for a key that is not looked for yet would be refused."""
    dialer.dial()
    dialer.pass_time(0.009)
    assert dialer.far.got(NOTIFY) == []
    dialer.pass_time(0.002)
    (notify,) = dialer.far.got(NOTIFY)
    assert (notify["path"], notify["source"], notify["dest"]) == ([1, 7], dialer.node.key, dialer.key)
    assert notify["info_path"] == dialer.node.coords
    dialer.pass_time(0.8)
    assert dialer.far.got(NOTIFY) == []
    dialer.pass_time(0.5)
    assert len(dialer.far.got(TRAFFIC)) == len(dialer.far.got(NOTIFY)) == 1     # the Init was repeated


def test_who_has_answered_already_is_told_nothing(dialer: Dialer) -> None:
    init = dialer.dial()
    dialer.pass_time(0.005)
    dialer.answer(init)
    dialer.pass_time(3)
    assert dialer.far.got(NOTIFY) == []
