"""Lookups, notifies and broken paths, one node and whole networks."""

import pytest

from tests.c.farside import ANNOUNCE, BROKEN, LOOKUP, MAX, NOTIFY, SECOND, TRAFFIC, Clock, FarSide, announce, sign
from tests.simnet import Routers
from ygg.testing import secret_key
from ygg_c.link import wire

TARGET = secret_key(9)
T = TARGET[32:]


def notify(far: FarSide, seq=1_700_000_000, info_path=(1, 7), secret=TARGET, source=T, **changes) -> bool:
    """Have the far side bring a notify for the router."""
    signed = wire.encode_uv(seq) + wire.encode_path(info_path)
    fields = {"path": [], "watermark": MAX, "source": source, "dest": far.clock.router.key, "seq": seq,
              "info_path": list(info_path), "sig": sign(signed, secret)}
    return far.send(NOTIFY, **{**fields, **changes})


def wait(far: FarSide, seconds: float) -> None:
    """Let time pass with the far side alive."""
    while seconds > 0:
        far.clock.pass_time(min(seconds, 2))
        far.raw(b"\x01\x01")
        far.answer()
        seconds -= 2


def paths(clock: Clock):
    """Return the known paths by key."""
    return {path["key"]: path["path"] for path in clock.router.known_paths()}


def test_sending_to_an_unknown_key_looks_for_it(clock, far):
    """One lookup a second, however much is sent; what was sent leaves when the path is found, in order."""
    for number in range(12):
        clock.router.send(T, b"packet %d" % number)
    clock.turn()
    assert far.got(LOOKUP) == [{"source": clock.router.key, "dest": T, "from": []}]
    assert clock.router.counters()["held_dropped"] == 0
    clock.pass_time(1)
    clock.router.send(T, b"last")
    clock.turn()
    assert len(far.got(LOOKUP)) == 1
    notify(far)
    *others, traffic = far.got(TRAFFIC)
    assert [other["payload"] for other in others] == [b"packet %d" % number for number in range(12)]
    keys = {"source": clock.router.key, "dest": T}
    assert traffic == {"path": [1, 7], "from": [], **keys, "watermark": 2, "payload": b"last"}
    assert paths(clock) == {T: [1, 7]}


def test_further_packets_take_the_path(clock, far):
    """No lookup, no copy kept."""
    clock.router.find(T)
    notify(far)
    far.frames.clear()
    for _ in range(3):
        clock.router.send(T, b"x")
    clock.turn()
    assert len(far.got(TRAFFIC)) == 3
    assert far.got(LOOKUP) == []


def test_credit_follows_the_first_link(clock, far):
    """A stuck link takes a flight and what is worth its rate, and none of it is dropped; then it has room again."""
    assert clock.router.credit(T) == 262144
    clock.router.find(T)
    notify(far)
    far.stuck = True
    room = clock.router.credit(T)
    sent = 0
    while clock.router.credit(T) > 0:
        clock.router.send(T, bytes(1000))
        sent += 1
    clock.turn()
    assert room < sent * 1000 < 65_536
    far.stuck = far.link.blocked = False
    far.frames.clear()
    far.link.want_flush()
    clock.turn()
    assert len(far.got(TRAFFIC)) == sent
    assert clock.router.credit(T) >= room


@pytest.mark.parametrize(
    "fault",
    [{"secret": secret_key(8)}, {"info_path": [1, 8]}, {"dest": b"\x77" * 32}, {"source": b"\x77" * 32}],
    ids=["signature", "path", "dest", "source"],
)
def test_a_forged_notify_is_ignored(clock, far, fault):
    """No path, and the link stays."""
    clock.router.find(T)
    if "info_path" in fault:
        right = wire.encode_uv(1_700_000_000) + wire.encode_path([1, 7])
        fault = {**fault, "sig": sign(right, TARGET)}
    assert notify(far, **fault)
    assert paths(clock) == {}


def test_an_unasked_notify_is_ignored(clock, far):
    """Only for keys that were looked for."""
    notify(far)
    assert paths(clock) == {}
    assert clock.router.counters()["notifies_refused"] == 1


def test_only_a_newer_notify_changes_a_path(clock, far):
    """By sequence number."""
    clock.router.find(T)
    notify(far, seq=100, info_path=[1, 7])
    notify(far, seq=100, info_path=[1, 8])
    notify(far, seq=99, info_path=[1, 9])
    assert paths(clock) == {T: [1, 7]}
    notify(far, seq=101, info_path=[1, 10])
    assert paths(clock) == {T: [1, 10]}


def test_a_longer_spelling_of_a_path_is_the_same_path(clock, far):
    """The signature is over the integers."""
    clock.router.find(T)
    body = (wire.encode_path([]) + wire.encode_uv(MAX) + T + clock.router.key + b"\xe4\x00" + b"\x81\x00\x07\x80\x00"
            + sign(b"\x64\x01\x07\x00", TARGET))
    assert far.raw(wire.encode_frame(NOTIFY, body))
    assert clock.router.known_paths() == [{"key": T, "path": [1, 7], "sequence": 100, "broken": False}]


def test_a_broken_path_is_looked_for_and_used_meanwhile(clock, far):
    """Anyone can say that a path is broken; a newer notify for the same path clears that."""
    clock.router.find(T)
    notify(far, seq=100)
    wait(far, 2)
    far.frames.clear()
    broken = {"path": [], "watermark": MAX, "source": clock.router.key, "dest": T}
    for _ in range(10):
        far.send(BROKEN, **broken)
    assert len(far.got(LOOKUP)) == 1
    assert clock.router.known_paths()[0]["broken"]
    clock.router.send(T, b"one")
    clock.turn()
    assert [traffic["payload"] for traffic in far.got(TRAFFIC)] == [b"one"]
    notify(far, seq=101)
    assert not clock.router.known_paths()[0]["broken"]
    assert [traffic["payload"] for traffic in far.got(TRAFFIC)] == [b"one"]


def test_a_broken_message_for_another_is_dropped(clock, far):
    """It is counted, and no path of ours is touched."""
    clock.router.find(T)
    notify(far)
    far.send(BROKEN, path=[], watermark=MAX, source=b"\x77" * 32, dest=T)
    assert not clock.router.known_paths()[0]["broken"]


def test_paths_live_a_minute_after_the_last_sign_that_they_work(clock, far):
    """What claims to come from there is no such sign, and sending is none."""
    clock.router.find(T)
    notify(far)
    wait(far, 40)
    assert paths(clock) == {T: [1, 7]}
    far.send(TRAFFIC, path=[], source=T, dest=clock.router.key, watermark=MAX, payload=b"", **{"from": [1]})
    for _ in range(12):
        clock.router.send(T, b"x")
        wait(far, 2)
    assert paths(clock) == {}


@pytest.mark.parametrize("sign_of_life", ["acknowledgement", "notify"])
def test_a_path_that_works_lives_on(clock, far, sign_of_life):
    """As long as what is sent is acknowledged, or newer notifies tell the same place."""
    clock.router.find(T)
    notify(far)
    for number in range(1, 6):
        wait(far, 40)
        if sign_of_life == "notify":
            notify(far, seq=1_700_000_000 + number)
        else:
            clock.router.confirm(T)
    assert paths(clock) == {T: [1, 7]}


def test_a_path_in_use_without_a_sign_is_looked_for_in_time(clock, far):
    """So that nothing waits when it ends; an answer from the same place keeps it."""
    clock.router.find(T)
    notify(far)
    far.got(LOOKUP)
    lookups = 0
    for number in range(100):
        clock.router.send(T, b"x")
        wait(far, 2)
        found = far.got(LOOKUP)
        lookups += len(found)
        if found:
            notify(far, seq=1_700_000_001 + number)
    assert 3 <= lookups <= 5
    assert len(far.got(TRAFFIC)) == 100


def test_a_path_is_looked_for_when_we_have_moved(clock, far):
    """Once, from the new place, when it is next used, though nobody has called it broken."""
    clock.router.find(T)
    notify(far)
    wait(far, 4)
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    far.become_child(seq=2)
    root.filter()
    clock.pass_time(1)
    root.got(LOOKUP)
    for _ in range(5):
        clock.router.send(T, b"x")
        clock.pass_time(0.2)
    assert [lookup["from"] for lookup in root.got(LOOKUP)] == [clock.router.coords]
    assert clock.router.coords == [108]


def test_a_suspect_path_is_looked_for_ever_less_often(clock, far):
    """After 0, 1, 3, 7, 15, 31, 63, … seconds, however often it is called suspect; a sign that it works begins anew."""
    clock.router.find(T)
    notify(far)
    wait(far, 2)
    far.got(LOOKUP)
    at = []
    begun = clock.now
    for _ in range(400):
        clock.router.suspect(T)
        clock.turn()
        if far.got(LOOKUP):
            at.append(round((clock.now - begun) / SECOND, 1))
        clock.pass_time(0.1)
        far.raw(b"\x01\x01")
        far.answer()
    assert at == pytest.approx([0, 1, 3, 7, 15, 31], abs=0.5)
    clock.router.confirm(T)
    clock.router.suspect(T)
    clock.turn()
    assert len(far.got(LOOKUP)) == 1


def nearer(clock, *numbers: int) -> list[FarSide]:
    """Return our parent, the root, and neighbours, the first at [60], the others below: nearer to [60, 1, 2, 3]."""
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    root.filter()
    sides = [root]
    for number in numbers:
        side = FarSide(clock, number, rtt=0.001 * number)
        above = sides[min(1, len(sides) - 1)]
        side.send(ANNOUNCE, **announce(side.secret, above.secret, 1, 1, 60))
        sides.append(side)
    clock.pass_time(0.1)
    return sides


def test_a_first_hop_that_swallows_is_avoided_for_a_while(clock):
    """Another that is nearer takes its place, the next when that one is suspect too; later the best is tried again."""
    root, *sides = nearer(clock, 3, 4)
    ways = [*sides, root]
    clock.router.find(T)
    notify(root, path=[108], info_path=(60, 1, 2, 3))

    def way() -> int:
        clock.router.send(T, b"x")
        clock.turn()
        (index,) = [index for index, far in enumerate(ways) if far.got(TRAFFIC)]
        return index

    taken = [way()]
    for _ in range(2):
        clock.router.suspect(T)
        taken.append(way())
        clock.pass_time(2.1)
        for far in ways:
            far.raw(b"\x01\x01")
            far.answer()
    assert sorted(taken) == [0, 1, 2]
    for _ in range(62):
        clock.pass_time(2)
        clock.router.confirm(T)
        for far in ways:
            far.raw(b"\x01\x01")
            far.answer()
    assert way() == taken[0]


def test_a_suspect_way_without_another_is_kept(clock, far):
    """What is nearer is all there is."""
    clock.router.find(T)
    notify(far)
    for _ in range(3):
        clock.router.suspect(T)
        clock.router.send(T, b"x")
        wait(far, 4)
    assert len(far.got(TRAFFIC)) == 3


def test_a_node_that_moved_is_found_again():
    """Its old path breaks; the next packets bring the new one."""
    network = Routers("moves")
    try:
        nodes = [network.add(number) for number in (7, 1, 2, 3)]
        hub, left, right, mover = sorted(nodes, key=lambda node: node.key)
        network.join(hub, left)
        network.join(hub, right)
        link = network.join(left, mover)
        network.run(6)
        network.send(right, mover, b"one")
        network.run(1)
        link.cut()
        network.join(hub, mover)
        network.run(6)
        for _ in range(4):
            network.send(right, mover, b"two")
            network.run(1.5)
        payloads = [payload for _, payload in mover.take_delivered()]
        assert payloads[0] == b"one"
        assert payloads[-1] == b"two"
        assert [path["path"] for path in right.known_paths()] == [mover.coords]
    finally:
        network.close()
