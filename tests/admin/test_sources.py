"""Sources: who goes when there are too many connections, or replies that are not read."""

import os
import random
import socket
from dataclasses import dataclass

from ygg.admin.sources import Source, Sources, credentials, source_of


@dataclass(eq=False)
class Member:
    rank: int
    since: float

    def standing(self) -> tuple[int, float]:
        return self.rank, self.since


def entered(sources: Sources[Member], name: str, rank: int = 1, since: float = 0.0) -> tuple[Source[Member], Member]:
    member = Member(rank, since)
    source, displaced = sources.enter(name, member)
    assert displaced is None
    return source, member


def test_of_the_source_that_has_the_most_an_idle_one_goes_then_the_oldest_request_then_a_stream() -> None:
    sources: Sources[Member] = Sources(5, 100)
    _, alone = entered(sources, "alone", 0, 0.0)
    _, stream = entered(sources, "many", 2, 1.0)
    _, old = entered(sources, "many", 1, 2.0)
    _, young = entered(sources, "many", 1, 3.0)
    _, idle = entered(sources, "many", 0, 4.0)
    found = [sources.enter(f"new {number}", Member(1, 5.0))[1] for number in range(4)]
    assert found[:3] == [idle, old, young]
    assert found[3] is alone  # each has one now: idle before busy
    assert len(sources) == 5
    assert stream not in found


def test_a_source_that_has_the_most_displaces_its_own() -> None:
    sources: Sources[Member] = Sources(4, 100)
    _, other = entered(sources, "a", 0, 0.0)
    source, first = entered(sources, "b", 1, 1.0)
    entered(sources, "b", 1, 2.0)
    entered(sources, "b", 1, 3.0)
    assert sources.enter("b", Member(1, 4.0)) == (source, first)
    assert (len(source.members), len(sources)) == (3, 4)
    assert other not in source.members


def test_the_one_that_comes_stays_where_only_one_may_be_there() -> None:
    sources: Sources[Member] = Sources(1, 100)
    _, first = entered(sources, "a")
    source, displaced = sources.enter("a", second := Member(1, 1.0))
    assert displaced is first
    assert list(source.members) == [second]
    sources.leave(source, first)
    sources.leave(source, second)
    assert len(sources) == 0


def test_of_the_source_that_reads_the_least_the_oldest_reply_goes() -> None:
    sources: Sources[Member] = Sources(9, 100)
    little, has_little = entered(sources, "little")
    much, first = entered(sources, "much")
    _, second = entered(sources, "much")
    _, third = entered(sources, "much")
    assert sources.sends(little, has_little, 30) == []
    assert sources.sends(much, first, 30) == []
    assert sources.sends(much, second, 40) == []
    assert sources.sends(much, third, 40) == [first, second]
    sources.has_read(much, third)
    assert sources.sends(much, third, 70) == []
    assert sources.sends(little, has_little, 101) == [third]  # too long, and goes alone
    assert (little.unread_bytes, much.unread_bytes) == (101, 0)
    sources.leave(little, has_little)
    assert little.unread_bytes == 0


def test_whatever_happens_the_bounds_hold_and_what_has_little_stays() -> None:
    chance = random.Random(5)
    sources: Sources[Member] = Sources(20, 1000)
    inside: dict[Member, Source[Member]] = {}
    for step in range(5000):
        name = chance.choice("aaaaaabcd")
        if inside and chance.random() < 0.4:
            member = chance.choice(list(inside))
            source = inside[member]
            if chance.random() < 0.5:
                sources.leave(inside.pop(member), member)
            elif member not in source.unread:
                size = chance.randrange(1, 400)
                for slow in sources.sends(source, member, size):
                    sources.leave(inside.pop(slow), slow)
            continue
        member = Member(chance.randrange(3), step)
        counts = {source.name: len(source.members) for source in inside.values()}
        source, displaced = sources.enter(name, member)
        if displaced is not None:
            lost = inside.pop(displaced).name
            counts[name] = counts.get(name, 0) + 1
            assert counts[lost] == max(counts.values())
        inside[member] = source
        assert len(sources) == len(inside) <= 20
        assert sum({source.name: source.unread_bytes for source in inside.values()}.values()) <= 1000


def test_sources_are_processes_addresses_and_networks() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert credentials(ours) == (os.getpid(), os.geteuid(), os.getegid())
        assert source_of(ours) == (os.geteuid(), os.getpid())
    for family, host, name in ((socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", 0)):
        with socket.create_server((host, 0), family=family) as server, socket.socket(family) as client:
            client.connect(server.getsockname())
            taken, _ = server.accept()
            with taken:
                assert source_of(taken) == name
    with socket.socket() as none:
        assert source_of(none) == ""
