"""ygg_c.tcp.bare: segments without data that no connection sends."""

import struct
from dataclasses import replace

from tests.c.stackkit import ACK, FIN, MS, SYN, A, B, Peer, stamp

OPTIONS = bytes([2, 4, 4, 0xC4, 1, 1, 4, 2, 1, 3, 3, 7]) + stamp(77, 0)


def flow_label(packet: bytes) -> int:
    return int.from_bytes(packet[1:4], "big") & 0xFFFFF


def stamped(segment) -> tuple[int, int]:
    return struct.unpack(">II", segment.option(8))


def test_an_answer_has_the_options_that_were_offered_and_no_other(peer) -> None:
    peer.stack.listen(None, 80)
    answer = peer.one(flags=SYN, ack=0, options=OPTIONS)
    assert (answer.seq != 0, answer.ack, answer.data) == (True, 1001, b"")
    assert [answer.option(kind) is not None for kind in (2, 3, 4, 8)] == [True] * 4
    assert stamped(answer)[1] == 77
    plain = peer.one(sport=5001, flags=SYN, ack=0)
    assert [plain.option(kind) is not None for kind in (2, 3, 4, 8)] == [True, False, False, False]


def test_a_connections_label_and_clock_are_those_of_its_answer(peer) -> None:
    """The SYN,ACK comes from no connection, what follows does: its peer sees no difference (RFC 6437, RFC 7323)."""
    listener = peer.stack.listen(None, 80)
    peer.tap.give([replace(peer.base, seq=1000, flags=SYN, options=OPTIONS).packet(B, A)], peer.now)
    peer.tap.poll(peer.now)
    (packet,) = peer.tap.take()
    syn = peer.send(seq=1000, ack=0, flags=SYN, options=OPTIONS)[0]
    peer.seq, peer.ack = 1001, syn.seq + 1
    peer.now += 30 * MS
    peer.send(options=stamp(78, stamped(syn)[0]))
    listener.accept().write(b"x")
    peer.tap.poll(peer.now)
    (data,) = peer.tap.take()
    assert flow_label(data) == flow_label(packet) != 0
    assert struct.unpack(">I", data[40 + 24 : 40 + 28])[0] - stamped(syn)[0] == 30


def test_clocks_of_different_connections_tell_nothing_of_each_other(peer) -> None:
    peer.stack.listen(None, 80)
    clocks = {stamped(peer.one(sport=port, flags=SYN, ack=0, options=OPTIONS))[0] for port in range(5000, 5020)}
    assert len(clocks) == 20
    assert max(clocks) - min(clocks) > 1 << 24


def test_an_answer_of_time_wait_acknowledges_the_fin_again() -> None:
    peer = Peer()
    connection = peer.accept()
    connection.close()
    (fin,) = peer.take()
    peer.send(flags=FIN | ACK, ack=fin.seq + 1)
    again = peer.one(flags=FIN | ACK, ack=fin.seq + 1)
    assert again.has(ACK)
    assert (again.seq, again.ack, again.data) == (fin.seq + 1, peer.seq + 1, b"")
    assert peer.stack.time_waiting == 1
    peer.close()
