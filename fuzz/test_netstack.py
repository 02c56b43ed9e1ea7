"""Whatever bytes arrive: no crash, no exception, bounded memory, and the stack still works afterwards."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.c.stackkit import (
    ACK,
    FIN,
    MS,
    RST,
    SECOND,
    SYN,
    A,
    B,
    Tcp,
    icmp_packet,
    ipv6_header,
    make_stack,
    parse_tcp,
    udp_packet,
    upper_packet,
)
from ygg_c.base import live

PORTS = st.sampled_from([7, 80, 5000, 5001, 40000])
SMALL = st.binary(max_size=80)


def working_stack():
    """Return a stack with a listener, an established connection, sockets of each kind, and what they have sent."""
    stack, tap = make_stack(A)
    stack.listen(None, 80)
    stack.udp(None, 7)
    stack.udp(None, 5000, (B, 5001))
    stack.echo().send(B, 1)
    connection = stack.connect(B, 80, None, 40000)
    connection.write(bytes(5000))
    tap.poll(SECOND)
    echo, syn = tap.take()
    seq = parse_tcp(syn).seq
    tap.give([Tcp(80, 40000, 1000, seq + 1, SYN | ACK, options=bytes([1, 1, 4, 2])).packet(B, A)], SECOND)
    tap.poll(SECOND)
    return stack, tap, connection, [echo, syn, *tap.take()], seq


def still_answers(tap, now: int) -> None:
    """A ping is answered, whatever went before."""
    tap.poll(now)
    tap.take()
    tap.give([icmp_packet(B, A, 128, 0, bytes(12))], now)
    tap.poll(now)
    assert icmp_packet(A, B, 129, 0, bytes(12)) in tap.take()


def feed(packets) -> None:
    """Give packets, let hours pass, and look."""
    stack, tap, _, _, _ = working_stack()
    now = SECOND
    for packet in packets:
        tap.give([packet], now)
        tap.take()
        now += 10 * MS
    assert live.counts()["packet"] < 100
    for _ in range(50):
        deadline = tap.poll(now)
        if deadline is None:
            break
        assert deadline > now
        now = deadline
        tap.take()
    still_answers(tap, now)
    stack.close()
    tap.poll(now)
    tap.detach()


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_arbitrary_bytes(packets):
    feed(packets)


@given(st.lists(st.tuples(st.sampled_from([0, 6, 17, 43, 44, 58, 59, 60, 99]), SMALL), max_size=20))
def test_arbitrary_upper_layers(bodies):
    feed(ipv6_header(B, A, kind, len(body)) + body for kind, body in bodies)


@given(
    st.lists(
        st.builds(
            Tcp, sport=PORTS, dport=PORTS, seq=st.integers(990, 1100) | st.integers(0, 2**32 - 1),
            ack=st.integers(0, 2**32 - 1), flags=st.integers(0, 255), window=st.integers(0, 65535),
            options=st.binary(max_size=40), data=SMALL,
        ),
        max_size=20,
    )
)
def test_arbitrary_segments(segments):
    feed(segment.packet(B, A) for segment in segments)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ACK, ACK | FIN, ACK | RST, ACK | SYN, FIN]), st.integers(-100, 3000),
            st.integers(-100, 6000), st.integers(0, 65535), st.binary(max_size=40), SMALL,
        ),
        max_size=30,
    )
)
def test_segments_near_the_truth(steps):
    stack, tap, _, _, seq = working_stack()
    now = SECOND
    for flags, offset, ack, window, options, data in steps:
        segment = Tcp(80, 40000, 1001 + offset, seq + 1 + ack, flags, window, options, data)
        tap.give([segment.packet(B, A)], now)
        deadline = tap.poll(now)
        for packet in tap.take():
            if packet[6] == 6:
                parse_tcp(packet)
        now = deadline or now + MS
    still_answers(tap, now)
    stack.close()
    tap.poll(now)
    tap.detach()


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_mutated_packets(seed, count):
    chance = random.Random(seed)
    stack, tap, _, sent, seq = working_stack()
    quotes = [icmp_packet(B, A, kind, 0, bytes(4) + packet[:1200]) for kind in (1, 2, 3, 4) for packet in sent[:3]]
    samples = [
        *quotes, udp_packet(B, 5001, A, 5000, b"datagram"), icmp_packet(B, A, 128, 0, bytes(20)),
        Tcp(80, 40000, 1001, seq + 1, ACK, data=b"hello").packet(B, A), Tcp(9, 80, 5, 0, SYN).packet(B, A),
    ]
    for _ in range(count):
        packet = bytearray(chance.choice(samples))
        for _ in range(chance.randrange(4)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        if chance.random() < 0.2:
            del packet[chance.randrange(len(packet)) :]
        elif packet[6] in (6, 17, 58) and len(packet) > 60:
            at = {6: 16, 17: 6, 58: 2}[packet[6]]
            body = bytes(packet[40:])
            packet = upper_packet(B, A, packet[6], body[:at] + b"\0\0" + body[at + 2 :], at)  # type: ignore[assignment]
        tap.give([bytes(packet)], SECOND)
    still_answers(tap, 3 * SECOND)
    stack.close()
    tap.poll(3 * SECOND)
    tap.detach()


def test_flood_of_everything_is_bounded():
    chance = random.Random(5)
    stack, tap = make_stack(A)
    stack.syn_queue = 16
    stack.listen(None, 80, 4)
    stack.udp(None, 7)
    for turn in range(200):
        batch = []
        for _ in range(50):
            source = B[:15] + bytes([chance.randrange(256)])
            batch += [
                Tcp(chance.randrange(1, 65536), 80, chance.randrange(2**32), 0, SYN).packet(source, A),
                udp_packet(source, 1, A, chance.choice([7, 9]), bytes(100)),
                ipv6_header(source, A, 44, 16) + bytes([17, 0, 0, 1]) + chance.randbytes(4) + bytes(8),
            ]
        tap.give(batch, SECOND + turn * MS)
        tap.take()
    assert len(stack.endpoints()) <= 16 + 4 + 2
    assert live.counts()["packet"] <= 64
    still_answers(tap, 100 * SECOND)
    stack.close()
    tap.detach()
