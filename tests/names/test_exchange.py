"""ygg.names.exchange: one question to one server, and what is no answer to it."""

import asyncio
import random
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aio import in_virtual_time
from tests.names.servers import Server, answer
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectTimeout, ResolveError, TemporaryResolveError
from ygg.names.exchange import MOST_BYTES, WAITS, ask, question, read
from ygg.names.values import Kind

RNG = random.Random(1)
ASKED = question("name.ygg", Kind.AAAA, RNG)


@pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64, ".".join(["a" * 60] * 5), "\udc80.ygg"])
def test_what_can_be_no_name(name: str) -> None:
    with pytest.raises(ResolveError):
        question(name, Kind.AAAA, RNG)


def test_an_answer_is_to_the_question() -> None:
    good = answer(ASKED, "200::5")
    assert read(good.to_wire(), ASKED) == good
    other = question("other.ygg", Kind.AAAA, RNG)
    other.id = ASKED.id
    for wrong in (answer(other, "200::5"), answer(question("name.ygg", Kind.A, RNG), "192.0.2.1")):
        wrong.id = ASKED.id
        assert read(wrong.to_wire(), ASKED) is None
    good.id ^= 1
    assert read(good.to_wire(), ASKED) is None
    assert read(ASKED.to_wire(), ASKED) is None
    assert read(answer(ASKED, "200::5").to_wire()[:-3], ASKED) is None


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(rest: bytes) -> None:
    head = ASKED.id.to_bytes(2) + b"\x81\x80\0\1\0\xff\0\0\0\0"
    wire = head + ASKED.to_wire()[12 : 12 + 14] + rest
    assert read(rest, ASKED) is None
    reply = read(wire, ASKED)
    assert reply is None or reply.question == ASKED.question


@in_virtual_time
async def test_nonsense_is_passed_over_and_what_is_lost_is_asked_again() -> None:
    async with joined() as pair, Server(pair.b) as server:
        server.lose = 1

        def reply(asked: dns.message.Message) -> list[bytes]:
            forged = answer(asked, "200::6")
            forged.id ^= 1
            return [b"nonsense", forged.to_wire(), answer(asked, "200::5").to_wire(), answer(asked, "200::7").to_wire()]

        server.reply = reply
        assert "200::5" in str(await ask(pair.a, ADDRESS_B, ASKED))
        assert (server.datagrams, server.streams) == (2, 0)


@in_virtual_time
async def test_a_server_that_says_nothing() -> None:
    async with joined() as pair, Server(pair.b) as server:
        server.lose = 100
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ConnectTimeout, match="did not answer"):
            await ask(pair.a, ADDRESS_B, ASKED)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(sum(WAITS), abs=0.1)
        assert server.datagrams == 3


@in_virtual_time
async def test_what_is_cut_off_is_asked_for_by_tcp() -> None:
    async with joined() as pair, Server(pair.b) as server:
        texts = [f"200::{number:x}" for number in range(1, 200)]

        def reply(asked: dns.message.Message) -> list[bytes]:
            if server.streams:
                return [answer(asked, *texts).to_wire(max_size=65535)]
            cut = answer(asked)
            cut.flags |= dns.flags.TC
            return [cut.to_wire()]

        server.reply = reply
        assert len((await ask(pair.a, ADDRESS_B, ASKED)).answer[0]) == 199
        assert (server.datagrams, server.streams) == (1, 1)


@in_virtual_time
async def test_a_server_of_tcp_alone() -> None:
    async with joined() as pair, Server(pair.b, udp=False) as server:
        assert "200::5" in str(await ask(pair.a, ADDRESS_B, ASKED))
        assert server.streams == 1


@pytest.mark.parametrize(("data", "error"), [
    (lambda asked: b"nonsense", TemporaryResolveError),
    (lambda asked: bytes(MOST_BYTES + 1), TemporaryResolveError),
    (lambda asked: None, TemporaryResolveError),
])
def test_wrong_answers_by_tcp(data: Callable[[object], bytes | None], error: type[OSError]) -> None:
    @in_virtual_time
    async def main() -> None:
        async with joined() as pair, Server(pair.b, udp=False) as server:
            server.reply = lambda asked: [] if data(asked) is None else [data(asked)]
            with pytest.raises(error):
                await ask(pair.a, ADDRESS_B, ASKED)

    main()
