"""IPv6 packets between keys: who may send what to whom, what waits, and what is answered."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.worldkit import line_of
from ygg_c.base.address import address_for_key
from ygg_c.ip.port import PacketPort
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload


class Port:
    """A gateway over a node with a list on top."""

    def __init__(self, node: Node, mtu: int = 65535) -> None:
        self.node = node
        self.gateway = Gateway(node, mtu)
        self.packets: list[bytes] = []
        self.port = PacketPort(self.packets.extend)
        self.gateway.attach(self.port)

    def take(self) -> list[bytes]:
        taken = self.packets[:]
        self.packets.clear()
        return taken

    def send(self, *packets: bytes) -> None:
        self.port.send(packets)


def ipv6(source: bytes, target: bytes, content: bytes = b"content", next_header: int = 59) -> bytes:
    """An IPv6 packet without an upper-layer protocol."""
    return b"\x60\0\0\0" + len(content).to_bytes(2, "big") + bytes((next_header, 64)) + source + target + content


@pytest.fixture
def pair() -> Iterator[list[Any]]:
    """Two linked nodes with gateways: world, a, b. pytest holds on to the list, so it is emptied."""
    with line_of(1, 2) as world:
        parts: list[Any] = [world, Port(world.nodes[1].engine), Port(world.nodes[2].engine)]
        yield parts
        for port in parts[1:]:
            port.gateway.close()
        del port
        parts.clear()


def test_a_packet_finds_its_address(pair: list[Any]) -> None:
    """The first packet to an unknown address waits for the lookup and the session, and arrives unchanged."""
    world, a, b = pair
    packet = ipv6(a.node.address, b.node.address)
    a.send(packet)
    world.run(2)
    assert b.take() == [packet]
    answer = ipv6(b.node.address, a.node.address, bytes(1000))
    b.send(answer, answer)
    world.run(0)
    assert a.take() == [answer, answer]


def test_subnets_are_routed(pair: list[Any]) -> None:
    """Any address of the routed /64 works as source and as destination."""
    world, a, b = pair
    packet = ipv6(a.node.subnet + b"\0\0\0\0\0\0\0\7", b.node.subnet + b"\1\2\3\4\5\6\7\x08")
    a.send(packet)
    world.run(2)
    assert b.take() == [packet]


def test_packets_wait_in_order(pair: list[Any]) -> None:
    """Packets for an unknown address wait for lookup and session, and arrive in the order in which they came."""
    world, a, b = pair
    packets = [ipv6(a.node.address, b.node.address, bytes([number])) for number in range(200)]
    a.send(*packets)
    world.run(2)
    assert b.take() == packets
    assert a.gateway.counters()["dropped_waiting"] == 0


def test_ten_first_datagrams_of_any_size_wait(pair: list[Any]) -> None:
    """Ten packets of the largest size wait as well."""
    world, a, b = pair
    packets = [ipv6(a.node.address, b.node.address, bytes([number]) + bytes(65000)) for number in range(10)]
    a.send(*packets)
    world.run(2)
    assert b.take() == packets


def test_one_unknown_address_cannot_hold_everything(pair: list[Any]) -> None:
    """Of what floods one address the newest is dropped; packets for others find room."""
    world, a, b = pair
    a.send(*[ipv6(a.node.address, b"\x02\x05" + bytes(14))] * 5000)
    assert 4400 < a.gateway.counters()["dropped_waiting"] < 4600
    packet = ipv6(a.node.address, b.node.address)
    a.send(packet)
    world.run(2)
    assert b.take() == [packet]


def test_what_nobody_answers_is_forgotten(pair: list[Any]) -> None:
    """A packet for an address that does not exist waits for 30 s."""
    world, a, _ = pair
    a.send(ipv6(a.node.address, b"\x02\x05" + bytes(14)))
    world.run(29)
    assert a.gateway.counters()["dropped_waiting"] == 0
    world.run(2)
    assert a.gateway.counters()["dropped_waiting"] == 1


def test_outgoing_checks(pair: list[Any]) -> None:
    """Packets that are not IPv6, not from us, or not for the overlay stay here."""
    world, a, b = pair
    good = ipv6(a.node.address, b.node.address)
    bad = [
        b"\x60",
        good[:39],
        b"\x45" + good[1:],
        ipv6(b.node.address, a.node.address),
        ipv6(b"\xfe\x80" + bytes(14), b.node.address),
        ipv6(a.node.address, b"\x20\x01" + bytes(14)),
        ipv6(a.node.address, b"\xff\x02" + bytes(14)),
        ipv6(a.node.address, a.node.address),
        ipv6(a.node.address, b.node.address, bytes(65500)),
    ]
    a.send(*bad, b"")
    world.run(2)
    assert b.take() == []
    assert a.gateway.counters()["dropped_outgoing"] == len(bad)


def test_sources_are_bound_to_keys() -> None:
    """A node cannot send in another's name, whatever its own gateway lets through."""
    with line_of(1, 2) as world:
        b = Port(world.nodes[2].engine)
        attacker = world.nodes[1].engine
        third = b"\x02\x00" + bytes(14)
        for packet in (
            ipv6(third, b.node.address),
            ipv6(b.node.address, b.node.address),
            ipv6(attacker.address, attacker.address),
            ipv6(attacker.address, b.node.address)[:39],
            b"\x40" + ipv6(attacker.address, b.node.address)[1:],
            b"",
        ):
            send_payload(attacker, b.node.key, b"\x01" + packet)
            world.run(2)
        assert b.take() == []
        assert b.gateway.counters()["dropped_incoming"] == 6
        good = ipv6(attacker.address, b.node.address)
        send_payload(attacker, b.node.key, b"\x01" + good)
        world.run(2)
        assert b.take() == [good]
        b.gateway.close()


def test_packet_too_big(pair: list[Any]) -> None:
    """A packet above the interface's MTU is answered as in protocol 0.5, section 9.4, and not delivered."""
    world, a, b = pair
    a.gateway.mtu = 1280
    large = bytearray(ipv6(b.node.address, a.node.address, bytes(2000), 17))
    large[4:6] = b"\x27\x10"
    large[7] = 0x40
    large[40:] = bytes(index % 256 for index in range(40, 2040))
    b.send(bytes(large))
    world.run(2)
    assert a.take() == []
    (answer,) = b.take()
    assert answer[:8].hex() == "6000000002083aff"
    assert answer[40:48].hex() == "0200926b00000500"
    assert hashlib.sha256(answer).hexdigest() == "a6a91b75e839f666b63493329548b1d538211c85a51871665bdb9ed6da59243e"
    assert a.gateway.counters()["too_big"] == 1


def test_packet_too_big_is_not_sent_to_a_forged_source() -> None:
    """What does not belong to the session's key is not answered, however long it is."""
    with line_of(1, 2) as world:
        b = Port(world.nodes[2].engine, 1280)
        packet = ipv6(b"\x02\x00" + bytes(14), b.node.address, bytes(2000))
        send_payload(world.nodes[1].engine, b.node.key, b"\x01" + packet)
        world.run(2)
        assert b.gateway.counters() == {
            "dropped_incoming": 1, "dropped_outgoing": 0, "dropped_waiting": 0, "too_big": 0, "icmp_limited": 0,
            "marked": 0,
        }
        b.gateway.close()


def test_no_error_answers_an_error(pair: list[Any]) -> None:
    """RFC 4443, 2.4 (e): an ICMPv6 error that is too large ends there; an echo request is answered."""
    world, a, b = pair
    a.gateway.mtu = 1280
    for kind, answers in ((1, 0), (2, 0), (127, 0), (128, 1)):
        b.send(ipv6(b.node.address, a.node.address, bytes([kind]) + bytes(1999), 58))
        world.run(2)
        assert len(b.take()) == answers
    assert a.gateway.counters()["too_big"] == 4
    assert a.take() == []


def test_packets_too_big_are_answered_at_a_limited_rate(pair: list[Any]) -> None:
    """RFC 4443, 2.4 (f): one sender alone gets what a burst leaves it, then some each second; the rest is counted."""
    world, a, b = pair
    a.gateway.mtu = 1280
    large = ipv6(b.node.address, a.node.address, bytes(1300))
    b.send(large)
    world.run(2)
    assert len(b.take()) == 1
    b.send(*[large] * 100)
    world.run(0)
    answered = len(b.take())
    assert 10 <= answered <= 50
    assert a.gateway.counters()["icmp_limited"] == 100 - answered
    world.run(2)
    b.send(large)
    world.run(0)
    assert len(b.take()) == 1


@pytest.mark.parametrize(("asked", "given"), [(0, 1280), (1280, 1280), (1500, 1500), (65535, 65535), (70000, 65535)])
def test_mtu_is_clamped(pair: list[Any], asked: int, given: int) -> None:
    """An MTU is between IPv6's smallest link and its largest packet."""
    _, a, _ = pair
    a.gateway.mtu = asked
    assert a.gateway.mtu == given


def test_attachments_come_and_go(pair: list[Any]) -> None:
    """One thing is attached at a time; packets go to what is attached now."""
    world, a, b = pair
    packet = ipv6(a.node.address, b.node.address)
    with pytest.raises(ValueError, match="already"):
        b.gateway.attach(PacketPort())
    assert b.gateway.detach() is b.port
    assert not b.port.attached
    a.send(packet)
    world.run(2)
    assert b.take() == []
    assert b.gateway.counters()["dropped_incoming"] == 1
    heard: list[bytes] = []
    other = PacketPort(heard.extend)
    assert b.gateway.replace(other) is None
    assert b.gateway.attached is other
    a.send(packet)
    world.run(0)
    assert heard == [packet]
    assert b.gateway.replace(b.port) is other
    with pytest.raises(ValueError, match="elsewhere"):
        a.gateway.replace(b.port)
    a.send(packet)
    world.run(0)
    assert (b.take(), heard) == ([packet], [packet])


def test_a_callback_may_detach_itself() -> None:
    """What is attached may part from the gateway, and be forgotten, in the middle of its own callback."""
    with line_of(1, 2) as world:
        a, b = Port(world.nodes[1].engine), Port(world.nodes[2].engine)
        calls: list[int] = []

        def leave(batch: list[bytes]) -> None:
            b.gateway.detach()
            b.port = None
            calls.append(len(batch))

        b.port.on_packets = leave
        for _ in range(2):
            a.send(ipv6(a.node.address, b.node.address))
            world.run(2)
        assert calls == [1]
        a.gateway.close()
        b.gateway.close()


def test_one_gateway_a_node(pair: list[Any]) -> None:
    """A second gateway must wait until the first is closed."""
    _, a, _ = pair
    with pytest.raises(ValueError, match="gateway already"):
        Gateway(a.node)
    a.gateway.close()
    a.gateway.close()
    with pytest.raises(ValueError, match="closed"):
        a.gateway.attach(PacketPort())
    Gateway(a.node).close()


def test_how_far_a_way_is_known_is_told(pair: list[Any]) -> None:
    """From no peer to a session, and whose an address is."""
    world, a, b = pair
    host = b.node.subnet + bytes(8)
    assert a.gateway.reach(b.node.address) == "no_key"
    assert a.gateway.key_of(b.node.address) is None
    a.gateway.learn(b.node.key)
    assert a.gateway.key_of(host) == b.node.key
    assert a.gateway.reach(host) == "no_session"
    a.send(ipv6(a.node.address, host))
    world.run(2)
    assert len(b.take()) == 1
    assert a.gateway.reach(host) == "session"
    assert b.gateway.key_of(a.node.address) == a.node.key
    assert (a.gateway.reach(a.node.subnet + bytes(8)), a.gateway.key_of(a.node.address)) == ("own", a.node.key)
    far = bytes(31) + b"\1"
    a.gateway.learn(far)
    assert a.gateway.reach(address_for_key(far)) == "no_path"
    world.link_between(1, 2).cut()
    world.run(1)
    assert a.gateway.reach(host) == "no_peer"
    for call in (a.gateway.reach, a.gateway.key_of):
        with pytest.raises(ValueError, match="16 bytes"):
            call(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        a.gateway.learn(b"short")
    a.gateway.close()
    assert a.gateway.reach(host) == "detached"


def test_what_waited_for_a_key_goes_when_it_is_learned(pair: list[Any]) -> None:
    """The lookup of the key may have no answer, as of an address in a subnet that another node has too."""
    world, a, b = pair
    packet = ipv6(a.node.address, b.node.address)
    a.send(packet)
    a.gateway.learn(b.node.key)
    a.gateway.learn(a.node.key)
    world.run(2)
    assert b.take() == [packet]
