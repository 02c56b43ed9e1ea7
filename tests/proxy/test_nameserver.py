"""ygg.proxy.nameserver: questions, answers, and what is no answer to the question."""

import asyncio
import struct
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aio import on_loops
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ProxyError, ResolveError
from ygg.proxy import Names, NameServer
from ygg.proxy.nameserver import addresses, question

ASKED = question("name.ygg")
POINTER = b"\xc0\x0c"


def record(data: bytes, kind: int = 28, name: bytes = POINTER, group: int = 1) -> bytes:
    return name + struct.pack("!2HIH", kind, group, 60, len(data)) + data


def answer(*records: bytes, number: int = 7, flags: int = 0x8180, asked: bytes = ASKED) -> bytes:
    return struct.pack("!6H", number, flags, 1, len(records), 0, 0) + asked + b"".join(records)


GOOD = IPv6Address("200::5")


def test_the_addresses_of_the_overlay_count() -> None:
    alias = record(b"\5other\3ygg\0", kind=5)
    own = record(GOOD.packed, name=b"\5other\3ygg\0")
    foreign = record(IPv6Address("2001:db8::1").packed)
    assert addresses(answer(alias, foreign, own, record(b"\1\2\3\4", kind=1)), 7, ASKED) == [GOOD]
    assert addresses(answer(flags=0x8183), 7, ASKED) == []
    assert addresses(answer(record(GOOD.packed, group=3)), 7, ASKED) == []


@pytest.mark.parametrize("data", [
    b"", answer(number=8), answer(flags=0x0100), answer(asked=question("other.ygg")), answer(record(GOOD.packed))[:-30],
    answer(b"\x3fa"),
])
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ProxyError):
        addresses(data, 7, ASKED)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(rest: bytes) -> None:
    try:
        found = addresses(struct.pack("!4H", 7, 0x8180, 1, 65535) + bytes(4) + ASKED + rest, 7, ASKED)
    except ProxyError:
        return
    assert len(found) <= 64


@pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64, ".".join(["a" * 60] * 5)])
def test_what_can_be_no_name(name: str) -> None:
    with pytest.raises(ResolveError):
        question(name)


class Server(asyncio.DatagramProtocol):
    """Answers the second time, and sends nonsense before."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.asked += 1
        number = int.from_bytes(data[:2])
        known = b"\4name" in data
        for reply in (b"nonsense", answer(record(GOOD.packed), number=number ^ 1),
                      answer(*([record(GOOD.packed)] if known else []), number=number, asked=data[12:])):
            self.transport.sendto(reply, addr)  # type: ignore[attr-defined]


@on_loops
async def test_over_the_overlay() -> None:
    async with joined() as pair:
        transport, server = await pair.b.create_datagram_endpoint(Server, ("::", 53))
        names = Names(lookup=NameServer(pair.a, ADDRESS_B).lookup)
        assert await names.resolve("name.ygg") == GOOD
        with pytest.raises(ResolveError):
            await names.resolve("unknown.ygg")
        assert server.asked == 2
        transport.close()
