"""ygg.names.asker: which server's answer counts, and what answers lead to."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.aio import in_virtual_time
from tests.names.servers import Server, alias, answer, overlay
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectionRefused, ResolveError, TemporaryResolveError
from ygg.names import Kind
from ygg.names.asker import MOST_ALIASES, Asker, race
from ygg.names.values import Zone
from ygg.vtun import VTun

ZONE = Zone([(ADDRESS_B, 53)], ("ygg",))


def asker(vtun: VTun) -> Asker:
    return Asker(vtun, random.Random(1))


async def found(name: str, reply: Callable[[Any], Any], kind: Kind = Kind.AAAA) -> tuple[list[str], list[str]]:
    """Return the addresses that a server's answers lead to, in order, and what it was asked."""
    async with joined() as pair, Server(pair.b) as server:
        server.reply = lambda asked: [reply(asked).to_wire()]
        got = await asker(pair.a).find(name, kind, ZONE)
        return sorted(str(address) for address in got.addresses), server.asked  # dnspython shuffles them


@in_virtual_time
async def test_addresses() -> None:
    several = await found("a.ygg", lambda asked: answer(asked, "200::5", "200::6"))
    assert several == (["200::5", "200::6"], ["a.ygg. AAAA"])
    assert await found("a.ygg", answer) == ([], ["a.ygg. AAAA"])
    assert await found("a.ygg", lambda asked: answer(asked, "192.0.2.1"), Kind.A) == (["192.0.2.1"], ["a.ygg. A"])


@in_virtual_time
async def test_aliases() -> None:
    assert await found("a.ygg", lambda asked: alias(asked, "b.ygg.", "200::5")) == (["200::5"], ["a.ygg. AAAA"])

    def first(asked: Any) -> Any:
        return alias(asked, "b.ygg.") if "a.ygg" in str(asked.question[0]) else answer(asked, "200::5")

    assert await found("a.ygg", first) == (["200::5"], ["a.ygg. AAAA", "b.ygg. AAAA"])


@pytest.mark.parametrize(("reply", "error", "said"), [
    (lambda asked: answer(asked, rcode=dns.rcode.NXDOMAIN), ResolveError, "no such host: 'a.ygg'"),
    (lambda asked: answer(asked, rcode=dns.rcode.SERVFAIL), TemporaryResolveError, "says SERVFAIL"),
    (lambda asked: answer(asked, rcode=dns.rcode.REFUSED), TemporaryResolveError, "says REFUSED"),
    (lambda asked: alias(asked, "b.example."), ResolveError, "another name of 'b.example'"),
    (lambda asked: alias(asked, f"a{asked.question[0].name}"), ResolveError, f"more than {MOST_ALIASES} names"),
])
def test_answers_without_an_address(reply: Any, error: type[OSError], said: str) -> None:
    @in_virtual_time
    async def main() -> None:
        with pytest.raises(ResolveError, match=said) as raised:
            await found("a.ygg", reply)
        assert type(raised.value) is error

    main()


@in_virtual_time
async def test_records_that_go_in_a_circle() -> None:
    def circle(asked: Any) -> Any:
        reply = alias(asked, "b.ygg.")
        reply.answer.append(dns.rrset.from_text("b.ygg.", 60, "IN", "CNAME", "a.ygg."))
        return reply

    with pytest.raises(TemporaryResolveError, match="makes no sense"):
        await found("a.ygg", circle)


@in_virtual_time
async def test_the_next_server_is_asked_after_a_second_and_the_first_answer_counts() -> None:
    hosts = ["200:bbbb::1", "200:bbbb::2", "200:bbbb::3"]
    async with (
        overlay("200:aaaa::1", *hosts) as (a, b, c, d),
        Server(b) as silent, Server(c) as good, Server(d) as late,
    ):
        silent.lose = 100
        begun = asyncio.get_running_loop().time()
        got = await asker(a).find("a.ygg", Kind.AAAA, Zone([(host, 53) for host in hosts], ("ygg",)))
        assert len(got.addresses) == 1
        assert asyncio.get_running_loop().time() - begun == pytest.approx(1, abs=0.1)
        assert (good.datagrams, late.datagrams) == (1, 0)


@in_virtual_time
async def test_a_race() -> None:
    reply: Any = dns.message.make_query("a.ygg", "AAAA")
    ended: list[str] = []

    async def attempt(item: str) -> dns.message.Message:
        try:
            await asyncio.sleep(float(item.strip("!")))
        finally:
            ended.append(item)
        if item.endswith("!"):
            raise ConnectionRefused(item)
        return reply

    loop = asyncio.get_running_loop()
    for items, seconds, all_ended in [
        (["3", "0.5", "0"], 1.5, ["0.5", "3"]),                 # the second begins after a second
        (["0.5!", "5", "0.2"], 1.7, ["0.5!", "0.2", "5"]),      # one that fails is followed at once
    ]:
        begun = loop.time()
        ended.clear()
        assert await race(items, attempt) is reply
        assert loop.time() - begun == pytest.approx(seconds, abs=0.01)
        assert ended == all_ended
    with pytest.raises(ConnectionRefused, match="2!"):
        await race(["0.1!", "2!"], attempt)
    with pytest.raises(TemporaryResolveError):
        await race([], attempt)
