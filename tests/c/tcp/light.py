"""Many connections at once, by hand, and the memory that they take."""

import ctypes
from dataclasses import replace
from typing import Any

from tests.c.stackkit import ACK, SYN, Peer, Tcp, parse_tcp


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "x")
    ]


def allocated() -> int:
    """Return the bytes that malloc has given out, its own headers included. What Python keeps in arenas is not seen."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Mallinfo
    figures = mallinfo2()
    return figures.uordblks + figures.hblkhd


def knock(peer: Peer, port: int, address: bytes, options: bytes = b"") -> list[Tcp]:
    """Send a SYN from one of many clients and return what the stack answers at once."""
    syn = Tcp(port, 80, 1000, 0, SYN, options=options).packet(address, peer.stack.addresses[0][0])
    peer.tap.give([syn], peer.now)
    return [parse_tcp(packet) for packet in peer.tap.take()]


def client(peer: Peer, port: int, **fields: Any) -> Tcp:
    """Dial from another port of the hand-driven peer and return the answer; the peer's next segment completes it."""
    answer = peer.one(sport=port, seq=1000, ack=0, flags=SYN, **fields)
    peer.base = replace(peer.base, sport=port)
    peer.seq, peer.ack = 1001, answer.seq + 1
    assert answer.has(SYN, ACK)
    return answer
