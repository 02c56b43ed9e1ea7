"""Invariant: whatever a peer puts into a session, and whatever the local side gives the gateway, no packet comes up
that is not from the address of the session's key to one of ours, nothing raises, and the next genuine packet comes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.ip.port import PacketPort
from ygg_c.link.link import Link, PySink
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload

START = 1_700_000_000
SECRETS = [secret_key(number) for number in (1, 2)]


class Duo:
    """A peer that sends what it likes, and a node with a gateway, linked and in session."""

    def __init__(self) -> None:
        self.now = 0
        self.heard: list[bytes] = []
        self.flying: list[tuple[Link, bytes]] = []
        self.peer, self.node = (Node(secret, random=SeededRandom(secret)) for secret in SECRETS)
        self.gateway = Gateway(self.node, 1280)
        self.port = PacketPort(self.heard.extend)
        self.gateway.attach(self.port)
        self.run(1)
        left = self.peer.add_link(self.node.key, 0, PySink(self.flush))
        right = self.node.add_link(self.peer.key, 0, PySink(self.flush))
        self.others = {left: right, right: left}
        self.run(5)
        self.genuine = self.packet(self.peer.address, self.node.address)
        self.send(b"\x01" + self.genuine)
        self.run(3)
        assert self.heard == [self.genuine]
        self.heard.clear()

    @staticmethod
    def packet(source: bytes, target: bytes, content: bytes = b"") -> bytes:
        return b"\x60\0\0\0" + len(content).to_bytes(2, "big") + b"\x3b\x40" + source + target + content

    def flush(self, link: Link) -> None:
        while data := link.take():
            self.flying.append((link, data))

    def send(self, payload: bytes) -> None:
        send_payload(self.peer, self.node.key, payload)

    def run(self, seconds: int = 0) -> None:
        for second in range(seconds + 1):
            self.now += bool(second)
            for _ in range(20):
                flying, self.flying = self.flying, []
                for link, data in flying:
                    self.others[link].receive(data)
                for node in (self.peer, self.node):
                    node.turn(self.now * 1_000_000_000, START + self.now)
                if not self.flying:
                    break

    def close(self) -> None:
        self.gateway.close()
        self.peer.close()
        self.node.close()
        self.others.clear()


@contextmanager
def duo() -> Iterator[Duo]:
    pair = Duo()
    try:
        yield pair
        pair.run()
        pair.heard.clear()
        pair.send(b"\x01" + pair.genuine)
        pair.run()
        assert pair.heard == [pair.genuine]
    finally:
        pair.close()


NODES = [secret[32:] for secret in SECRETS]
address = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.builds(lambda first, rest: bytes([first]) + rest, st.sampled_from([2, 3]), st.binary(min_size=15, max_size=15)),
    st.sampled_from(["peer", "node"]),
)
ipv6 = st.tuples(st.binary(min_size=8, max_size=8), address, address, st.binary(max_size=40), st.integers(0, 2000))


def build(pair: Duo, parts: tuple[bytes, bytes | str, bytes | str, bytes, int]) -> bytes:
    head, source, target, content, padding = parts
    named = {"peer": pair.peer.address, "node": pair.node.address}
    addresses = b"".join(named[end] if isinstance(end, str) else end for end in (source, target))
    return bytes([0x60 | head[0] & 15]) + head[1:] + addresses + content + bytes(padding)


@given(st.lists(st.one_of(ipv6, st.binary(max_size=60)), max_size=10))
def test_packets_from_a_peer(packets: list[Any]) -> None:
    """Only what is from the peer's own address or subnet to ours comes up, and nothing above the MTU."""
    with duo() as pair:
        for packet in packets:
            pair.send(b"\x01" + (packet if isinstance(packet, bytes) else build(pair, packet)))
            pair.run()
        for packet in pair.heard:
            assert 40 <= len(packet) <= 1280
            assert packet[8:24] == pair.peer.address or packet[8:16] == pair.peer.subnet
            assert packet[24:40] == pair.node.address or packet[24:32] == pair.node.subnet


@given(st.lists(st.one_of(ipv6, st.binary(max_size=60)), max_size=10))
def test_packets_from_above(packets: list[Any]) -> None:
    """Whatever the attached side sends, every packet is sent, kept or counted."""
    with duo() as pair:
        sent = [packet if isinstance(packet, bytes) else build(pair, packet) for packet in packets]
        pair.port.send(sent)
        pair.run(1)
        counters = pair.gateway.counters()
        assert counters["dropped_outgoing"] <= len(sent)
        assert pair.heard == []


@given(st.lists(st.one_of(
    st.binary(max_size=60),
    st.builds(lambda kind, rest: b"\x02" + bytes([kind]) + rest, st.integers(0, 255), st.binary(max_size=40)),
    st.builds(lambda kind, rest: b"\x02\xff" + bytes([kind]) + rest, st.integers(0, 8), st.binary(max_size=40)),
), max_size=10))
def test_protocol_messages(payloads: list[bytes]) -> None:
    """Requests are answered, responses complete only what was asked, and the rest is ignored."""
    with duo() as pair:
        answers: list[tuple[str, bytes]] = []
        pair.node.request(pair.peer.key, "nodeinfo", lambda key, kind, data: answers.append((kind, data)))
        for payload in payloads:
            pair.send(payload)
            pair.run()
        pair.run(1)
        assert len(answers) <= 1
        expected = [payload[2:] for payload in payloads if payload[:2] == b"\x02\x02"]
        assert answers[0][1] in (b"{}", *expected)
