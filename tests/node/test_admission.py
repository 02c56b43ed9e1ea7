"""ygg.node.admission: who keeps a place, and who has to go; as functions of small records."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ygg.network.crowding import crowding, networks_of
from ygg.node.admission import LONG, SHARE, Incoming, IncomingLimits, KnownKeys, evicted, to_end, unprotected

HOSTS = [f"198.51.100.{last}" for last in range(4)] + ["203.0.113.9", "2001:db8::1", "2001:db8:0:1::1", "/run/x#1"]

incoming = st.builds(
    Incoming,
    key=st.integers(0, 40).map(lambda number: bytes([number]) * 32),
    networks=st.sampled_from(HOSTS).map(networks_of),
    known=st.booleans(),
    age=st.floats(0, 1e6),
    latency=st.floats(0.001, 10),
    traffic=st.integers(0, 10**9),
    rate=st.integers(0, 10**6),
)
limits = st.builds(
    IncomingLimits,
    links=st.integers(1, 40),
    per_address=st.integers(1, 20),
    per_key=st.integers(1, 8),
    reserved=st.integers(0, 20),
)


def link(number: int, host: str = "198.51.100.7", **merits: Any) -> Incoming:
    """Return a link that has no merit but that it came up before those with higher numbers."""
    plain = Incoming(number.to_bytes(32), networks_of(host), False, 1e6 - number, 1.0, 0, 0)
    return replace(plain, **merits)


def settled(arrivals: list[Incoming], bounds: IncomingLimits) -> list[Incoming]:
    """Return the links left when these have come, one after the other."""
    links: list[Incoming] = []
    for newcomer in arrivals:
        while (ending := to_end(links, newcomer, bounds)) is not None:
            if ending is newcomer:
                break
            links.remove(ending)
        else:
            links.append(newcomer)
    return links


@given(st.lists(incoming, max_size=80), limits)
def test_no_limit_is_ever_passed(arrivals: list[Incoming], bounds: IncomingLimits) -> None:
    links = settled(arrivals, bounds)
    assert len(links) <= bounds.links
    assert sum(not link.known for link in links) <= bounds.for_strangers
    for one in links:
        assert sum(link.key == one.key for link in links) <= bounds.per_key
        if one.networks:
            assert sum(link.networks[:1] == one.networks[:1] for link in links) <= bounds.per_address


@given(st.lists(incoming, max_size=80), incoming, limits)
def test_a_key_that_has_not_used_up_its_own_places_is_let_in(
    arrivals: list[Incoming], newcomer: Incoming, bounds: IncomingLimits
) -> None:
    links = settled(arrivals, bounds)
    if sum(link.key == newcomer.key for link in links) < bounds.per_key:
        assert settled([*arrivals, newcomer], bounds)[-1] is newcomer


@given(st.lists(incoming, min_size=1, max_size=80))
def test_the_best_in_each_way_stay(links: list[Incoming]) -> None:
    left = unprotected(links)
    assert 1 <= len(left) <= len(links)
    share, kept = len(links) // SHARE, {id(link) for link in links} - {id(link) for link in left}
    for merit in (lambda link: -link.latency, lambda link: link.traffic, lambda link: link.rate):
        worst_kept = sorted((merit(link) for link in links), reverse=True)[:share]
        assert all(id(link) in kept for link in links if share and merit(link) > worst_kept[-1])
    assert len(kept) >= (len(links) - 3 * share) // 2
    assert evicted(links) in left


@given(st.lists(incoming, min_size=1, max_size=80))
def test_the_most_crowded_place_loses_its_youngest(links: list[Incoming]) -> None:
    left, gone = unprotected(links), evicted(links)
    crowd = crowding(link.networks for link in left)
    most = max(crowd(link.networks) for link in left)
    assert crowd(gone.networks) == most
    assert gone.age == min(link.age for link in left if crowd(link.networks) == most)


@given(st.lists(incoming, max_size=80), incoming, limits)
def test_strangers_cost_nobody_a_place_that_was_here_before(
    arrivals: list[Incoming], newcomer: Incoming, bounds: IncomingLimits
) -> None:
    before = [replace(link, known=True) for link in arrivals[: min(bounds.reserved, bounds.links // 4)]]
    spread = replace(bounds, per_address=1000, per_key=1000)
    after = settled([*before, *(replace(link, known=False) for link in [*arrivals, newcomer])], spread)
    assert before == after[: len(before)]


def test_one_host_with_many_keys_takes_places_from_itself_alone() -> None:
    bounds = IncomingLimits(links=64, per_address=16, reserved=0)
    honest = [link(number, f"203.0.113.{number}") for number in range(48)]
    flood = [link(100 + number, "192.0.2.1") for number in range(300)]
    links = settled([*honest, *flood], bounds)
    assert links[:48] == honest
    assert len(links) == 64


def test_a_site_with_many_addresses_crowds_in_its_wider_network() -> None:
    bounds = IncomingLimits(links=64, reserved=0)
    honest = [link(number, f"2001:db8:{number:x}::1") for number in range(40)]
    flood = [link(100 + number, f"2001:db8:ffff:{number:x}::1") for number in range(1000)]
    links = settled([*honest, *flood], bounds)
    assert links[:40] == honest


def test_reserved_places_wait_for_those_who_were_here_before() -> None:
    bounds = IncomingLimits(links=8, reserved=2)
    strangers = [link(number, f"203.0.113.{number}") for number in range(20)]
    links = settled(strangers, bounds)
    assert len(links) == 6
    back = [link(100 + number, "192.0.2.1", known=True) for number in range(4)]
    assert settled([*strangers, *back], bounds)[-4:] == back


def test_known_keys_are_bounded_and_earned() -> None:
    known = KnownKeys(2)
    known.note(b"brief", LONG - 1)
    assert b"brief" not in known
    for key, times in ((b"a", 3), (b"b", 2), (b"c", 1)):
        for _ in range(times):
            known.note(key, LONG)
    assert b"a" in known
    assert b"b" in known
    assert b"c" not in known
    assert len(known) == 2
