"""Attacks on a VTun by a node that has a session with it: afterwards ping, TCP and UDP work as before."""

import asyncio
import contextlib
import errno
import os
import random
from collections.abc import Awaitable, Callable

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import Clock, asks, echo, ipv6, summed, tcp, tunnels, udp
from tests.nodes import node
from ygg import Core, LoopbackNetwork, NativeNetwork, Network, VTun
from ygg_c.testing.payloads import send_payload

SYN, ACK, RST, FIN = 2, 16, 4, 1


class Attack:
    """A node that sends any IPv6 packet it likes, and its victim."""

    def __init__(self, core: Core, vtun: VTun, target: Core, victim: VTun) -> None:
        self.core, self.vtun, self.target, self.victim = core, vtun, target, victim
        self.source, self.address = core.address.packed, target.address.packed
        self.subnet = core.subnet.network_address.packed[:8]

    def spoofed(self, number: int) -> bytes:
        """Return one of the 2**64 source addresses that are rightly the attacker's."""
        return self.subnet + number.to_bytes(8)

    async def send(self, *packets: bytes) -> None:
        """Send packets past the attacker's own stack, and return when the victim has had time to handle them."""
        for index, packet in enumerate(packets):
            send_payload(self.core.engine, self.target.public_key, b"\1" + packet)
            if index % 50 == 0:
                await asyncio.sleep(0)
        # A busy machine may stand still for seconds. Who tells how long an answer takes afterwards is serves().
        await self.vtun.ping(str(self.target.address), timeout=30)

    def count(self, name: str) -> int:
        """Return one of the victim's counters."""
        return self.victim.stack.counters()[name]


async def datagrams_to_a_closed_port(attack: Attack) -> None:
    """Replies are limited in rate, and nothing waits for them."""
    await attack.send(*(udp(attack.source, attack.address, (9, 99), bytes(1000)) for _ in range(1000)))
    assert attack.count("udp_no_port") >= 500
    assert attack.count("icmp_limited") >= 250


async def datagrams_through_the_api(attack: Attack) -> None:
    """The same from a socket, as fast as it takes them, to a port that nobody has and to one that nobody reads."""
    unread = await attack.victim.open_datagram(local_port=10)
    async with asyncio.timeout(30):
        socket = await attack.vtun.open_datagram()
        for number in range(2000):
            await socket.sendto(bytes(1000), (str(attack.target.address), 98 if number % 2 else 10))
        await attack.send()
    assert attack.count("udp_full") + attack.count("udp_no_port") >= 1000
    socket.close()
    unread.close()


async def requests_to_open(attack: Attack) -> None:
    """SYNs from 2000 addresses: half-open connections are bounded, and the backlog serves who is honest."""
    await attack.send(*(tcp(attack.spoofed(number), attack.address, (1024, 7), SYN) for number in range(1500)))
    assert len(attack.victim.stack.endpoints()) < 1200
    assert await asks(attack.vtun, attack.target.address, 7) == b"ping"


async def opened_and_left(attack: Attack) -> None:
    """A server whose application accepts nobody keeps no more than its backlog."""
    server = await attack.victim.start_server(echo, port=11, backlog=5, start_serving=False)
    packets = [tcp(attack.spoofed(number), attack.address, (1025, 11), SYN) for number in range(300)]
    await attack.send(*packets)
    before = len(attack.victim.stack.endpoints())
    server.close()
    await server.wait_closed()
    await attack.send()
    assert len(attack.victim.stack.endpoints()) < before


async def segments_of_nothing(attack: Attack) -> None:
    """Of every kind, to ports open and closed: resets at a limited rate, and no connection comes of it."""
    chance = random.Random(1)
    packets = []
    for _ in range(1500):
        ports, flags = (chance.randrange(65536), chance.choice((7, 97, 0))), chance.randrange(64)
        flags &= ~SYN if flags & (SYN | ACK | RST) == SYN else 0xFF
        packets.append(tcp(attack.source, attack.address, ports, flags, chance.getrandbits(32), chance.getrandbits(32)))
    opened = len(attack.victim.stack.endpoints())
    await attack.send(*packets)
    assert len(attack.victim.stack.endpoints()) <= opened


async def broken_packets(attack: Attack) -> None:
    """Lengths, checksums, headers, options and fragments that are not what they say."""
    chance = random.Random(2)
    good = [
        udp(attack.source, attack.address, (9, 10), b"data" * 10),
        tcp(attack.source, attack.address, (1026, 7), SYN),
        ipv6(attack.source, attack.address, 0, bytes((17, 0, 1, 4, 0, 0, 0, 0)) + bytes(8)),
        ipv6(attack.source, attack.address, 44, bytes((17, 0, 0, 1)) + bytes(100)),
        ipv6(attack.source, attack.address, 43, bytes((6, 0, 0, 255)) + bytes(4)),
        ipv6(attack.source, attack.address, 58, summed(attack.source, attack.address, 58, b"\2\0\0\0" + bytes(60), 2)),
    ]
    packets = []
    for _ in range(1500):
        packet = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 4)):
            place = chance.choice([4, 5, 6, *range(40, len(packet))])
            packet[place] = chance.randrange(256)
        packets.append(
            bytes(packet[: chance.randrange(40, len(packet) + 1)]) if chance.random() < 0.3 else bytes(packet)
        )
    await attack.send(*packets)


async def fragments_without_end(attack: Attack) -> None:
    """First parts of packets whose rest never comes: what waits is bounded in bytes."""
    packets = []
    for number in range(600):
        header = bytes((17, 0, 0, 1)) + number.to_bytes(4)
        packets.append(ipv6(attack.spoofed(number), attack.address, 44, header + bytes(1200)))
    await attack.send(*packets)
    assert attack.count("fragments") >= 500


async def echoes(attack: Attack) -> None:
    """Pings from every address of the subnet, as large as they come."""
    packets = []
    for number in range(300):
        source = attack.spoofed(number)
        message = summed(source, attack.address, 58, b"\x80\0\0\0" + os.urandom(4) + bytes(1200), 2)
        packets.append(ipv6(source, attack.address, 58, message))
    await attack.send(*packets)


async def many_short_connections(attack: Attack) -> None:
    """One connection after the other, each in order, in haste, or given up at some point."""

    async def one(number: int) -> None:
        reader, writer = await attack.vtun.open_connection(str(attack.target.address), 7)
        if number % 3 == 0:
            writer.transport.abort()
            return
        writer.write(b"x" * number)
        if number % 3 == 1:
            writer.write_eof()
            assert await reader.read() == b"x" * number
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    for start in range(0, 150, 50):
        await asyncio.gather(*(one(number) for number in range(start, start + 50)))


async def cancelled_dials(attack: Attack) -> None:
    """Dials to ports that answer, refuse, or are silent, cancelled after any number of turns."""
    for port in (7, 97):
        for turns in range(12):
            dial = asyncio.ensure_future(attack.vtun.open_connection(str(attack.target.address), port))
            for _ in range(turns):
                await asyncio.sleep(0)
            dial.cancel()
            (outcome,) = await asyncio.gather(dial, return_exceptions=True)
            if isinstance(outcome, tuple):
                outcome[1].transport.abort()
            else:
                assert isinstance(outcome, asyncio.CancelledError | ConnectionRefusedError)


ATTACKS: list[Callable[[Attack], Awaitable[None]]] = [
    datagrams_to_a_closed_port,
    datagrams_through_the_api,
    requests_to_open,
    opened_and_left,
    segments_of_nothing,
    broken_packets,
    fragments_without_end,
    echoes,
    many_short_connections,
    cancelled_dials,
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_nothing_wedges_a_vtun(
    loop: str, attack: Callable[[Attack], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards a ping is answered, a connection opened, a datagram delivered, in both directions."""

    async def main() -> None:
        async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            async with tunnels(one, two) as (vtun, victim):
                await Clock(monkeypatch).reaches(vtun, one, two)
                await attack(Attack(one, vtun, two, victim))
                await serves(vtun, two, victim, one)

    run(main(), loop)


async def serves(vtun: VTun, two: Core, victim: VTun, one: Core) -> None:
    assert await vtun.ping(str(two.address), timeout=30) > 0
    assert await victim.ping(str(one.address), timeout=30) > 0
    assert await asks(vtun, two.address, 7) == b"ping"
    assert await asks(victim, one.address, 7) == b"ping"
    receiver, sender = await victim.open_datagram(local_port=9), await vtun.open_datagram()
    await sender.sendto(b"datagram", (str(two.address), 9))
    assert (await receiver.recvfrom())[0] == b"datagram"
    receiver.close()
    sender.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_a_link_that_dies_in_the_middle_of_transfers(
    loop: str, network_type: type[Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that comes back finds its transfers going on."""

    async def main() -> None:
        clock = Clock(monkeypatch)
        async with network_type() as network, node(1, network) as one, node(2, network) as two:
            listener = await two.listen("tcp://127.0.0.1:0")
            one.add_peer(f"tcp://{listener.address}")
            async with tunnels(one, two) as (vtun, _):
                await clock.reaches(vtun, one, two)
                data = os.urandom(20_000_000)   # enough for a slow turn of the loop not to carry the rest
                transfer = asyncio.ensure_future(asks(vtun, two.address, 7, data))
                for _ in range(3):
                    await until(lambda: any(peer.up and peer.bytes_received > 400_000 for peer in two.peers()))
                    cut(two)
                    await clock.until(lambda: not any(peer.up for peer in one.peers()), one, two)
                    assert not transfer.done()
                    one.retry_peers_now()
                    await clock.reaches(vtun, one, two)
                await clock.until(transfer.done, one, two)
                assert await transfer == data

    run(main(), loop)


def cut(core: Core) -> None:
    """Have every connection of a node's links break off, as when its machine loses power and comes back."""
    for record in core.links:
        if record.carrier is not None:
            record.carrier.transport.abort()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_peer_that_never_comes_back(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was under way fails as a socket would; closing waits for nothing."""

    async def main() -> None:
        clock = Clock(monkeypatch)
        network = LoopbackNetwork()
        async with node(1, network) as one, VTun.over(one) as vtun:
            vtun.stack.retries = 3
            async with node(2, network) as two, tunnels(two):
                listener = await two.listen("tcp://127.0.0.1:0")
                await one.call_peer(f"tcp://{listener.address}")
                await clock.reaches(vtun, one, two)
                reader, writer = await vtun.open_connection(str(two.address), 7)
                writer.write(b"x" * 1_000_000)
                await asyncio.sleep(0)
                cut(one)
            writer.write(b"y" * 1_000_000)
            reading = asyncio.ensure_future(everything(reader))
            await clock.until(reading.done, one)
            with pytest.raises(TimeoutError) as caught:
                await reading
            assert caught.value.errno == errno.ETIMEDOUT
            writer.close()

    run(main(), loop)


async def everything(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
