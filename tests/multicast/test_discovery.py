"""ygg.multicast.discovery: which interfaces take part, and what happens as they come and go."""

import random

import pytest

from tests.aio import on_loops, run, settle, until
from tests.multicast.lab import KEY, Air, FakeNode, interface
from ygg.errors import OperationNotSupported
from ygg.multicast import InterfaceRule, Multicast
from ygg.multicast.beacon import Beacon
from ygg.multicast.interfaces import Flags, Interface
from ygg.network import LoopbackNetwork, NativeNetwork

BOTH = InterfaceRule(".*", beacon=True, listen=True)


class World:
    """Interfaces that a test changes, and a node in their midst."""

    def __init__(self, *interfaces: Interface) -> None:
        self.interfaces = list(interfaces)
        self.node, self.air, self.network = FakeNode(), Air(), NativeNetwork()

    def multicast(self, *rules: InterfaceRule) -> Multicast:
        return Multicast(
            self.node, self.network, rules or (BOTH,), rng=random.Random(1),
            interfaces=lambda: list(self.interfaces), open_socket=self.air.open,
        )  # fmt: skip


def names(multicast: Multicast) -> list[str]:
    return [status.name for status in multicast.status()]


def test_network_other_than_the_systems_is_refused() -> None:
    with pytest.raises(OperationNotSupported, match="operating system's network, not LoopbackNetwork"):
        Multicast(FakeNode(), LoopbackNetwork(), [BOTH])


def test_only_interfaces_that_carry_multicast_and_have_an_address_take_part() -> None:
    async def main() -> None:
        world = World(
            interface("eth0", 1),
            interface("eth1", 2, flags=Flags.UP | Flags.MULTICAST),
            interface("ppp0", 3, flags=Flags.UP | Flags.RUNNING | Flags.MULTICAST | Flags.POINT_TO_POINT),
            interface("eth2", 4, "2001:db8::1", "192.0.2.1"),
        )
        multicast = world.multicast()
        await multicast.turn()
        assert names(multicast) == ["eth0"]
        await multicast.close()

    run(main())


def test_each_interface_has_the_rule_that_matches_first() -> None:
    async def main() -> None:
        world = World(interface("wlan0", 2), interface("eth0", 1), interface("lo", 3))
        multicast = world.multicast(
            InterfaceRule("^eth"),
            InterfaceRule("^eth", beacon=True, port=7, password="p"),
            InterfaceRule("^wl", listen=True),
        )
        await multicast.turn()
        first, second = multicast.status()
        assert (first.name, first.address, first.beacon, first.listen, first.password) == (
            "eth0", "[fe80::1%eth0]:7", True, False, True,
        )  # fmt: skip
        assert (second.name, second.address, second.beacon, second.listen, second.password) == (
            "wlan0", "", False, True, False,
        )  # fmt: skip
        assert first.counters == {"sent": 1}
        await multicast.close()

    run(main())


def test_interfaces_that_come_and_go_are_followed() -> None:
    async def main() -> None:
        world = World()
        multicast = world.multicast()
        await multicast.turn()
        assert names(multicast) == []
        world.interfaces = [interface("eth0", 1), interface("eth1", 2)]
        await multicast.turn()
        assert names(multicast) == ["eth0", "eth1"]
        world.interfaces = [interface("eth1", 2)]
        await multicast.turn()
        assert names(multicast) == ["eth1"]
        assert world.air.sockets[1].closed
        assert world.node.open_listeners() == ["[fe80::2%eth1]:40001"]
        await multicast.close()
        assert world.node.open_listeners() == []

    run(main())


def test_interface_made_anew_under_its_old_name_starts_anew() -> None:
    async def main() -> None:
        world = World(interface("eth0", 1, "fe80::1"))
        multicast = world.multicast()
        await multicast.turn()
        world.interfaces = [interface("eth0", 9, "fe80::1")]
        await multicast.turn()
        assert world.air.sockets[1].closed
        assert world.air.sockets[9].sent == [(Beacon.make(KEY, 40001).encode(), "fe80::1")]
        await multicast.close()

    run(main())


def test_trouble_on_one_interface_is_none_on_another() -> None:
    async def main() -> None:
        world = World(interface("eth0", 1), interface("eth1", 2))
        world.air.refused = {1}
        multicast = world.multicast()
        await multicast.turn()
        assert len(world.air.sockets[2].sent) == 1
        await multicast.close()

    run(main())


def test_rests_while_the_network_is_down() -> None:
    async def main() -> None:
        world = World(interface())
        multicast = world.multicast()
        await multicast.turn()
        world.network.down()
        await multicast.turn()
        assert names(multicast) == []
        world.network.up()
        await multicast.turn()
        assert names(multicast) == ["eth0"]
        await multicast.close()

    run(main())


def test_stays_off_without_an_active_rule() -> None:
    async def main() -> None:
        world = World(interface())
        async with world.multicast(InterfaceRule(".*")) as multicast:
            await settle()
            assert (names(multicast), world.air.opened) == ([], 0)

    run(main())


@on_loops
async def test_runs_by_itself() -> None:
    world = World(interface())
    async with world.multicast():
        await until(lambda: world.air.sockets and world.air.sockets[1].sent)
        world.air.sockets[1].arrive(Beacon.make(b"\2" * 32, 5).encode())
        await until(lambda: world.node.links)
    assert world.air.sockets[1].closed
    assert [link.up for link in world.node.links] == [True]




def test_turns_are_spread_over_a_second() -> None:
    multicast = World().multicast()
    gaps = [multicast.pause() for _ in range(100)]
    assert 1.0 <= min(gaps) < 1.1
    assert 1.9 < max(gaps) < 2.05


def test_fault_in_a_turn_does_not_end_discovery(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        world = World()
        world.interfaces = None
        async with world.multicast():
            await until(lambda: "a turn of discovery failed" in caplog.messages)

    run(main())
