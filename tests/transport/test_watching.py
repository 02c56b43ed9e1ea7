"""ygg.transport.watching: several networks are watched at once, as the manager's mapping has them."""

from ygg import LoopbackNetwork, TransportManager
from ygg.network.wrapper import WrapperNetwork


def test_each_network_in_use_tells_and_those_that_are_mapped_away_do_not() -> None:
    first, second, third = LoopbackNetwork(), LoopbackNetwork(), LoopbackNetwork()
    manager = TransportManager(first)
    manager.map_network("a.example", second)
    manager.map_network("*.example", second)
    manager.map_network("b.example", None)
    told: list[int] = []
    watch = manager.watch(lambda: told.append(1))
    for network in (first, second, third):
        network.changed()
    assert len(told) == 2
    manager.default_network = third
    manager.unmap_network("a.example")
    for network in (first, second, third):  # the second still has a pattern
        network.changed()
    assert len(told) == 4
    watch.close()
    watch.close()
    manager.map_network("c.example", first)
    for network in (first, second, third):
        network.changed()
    assert len(told) == 4


def test_two_watches_of_one_manager_are_told_each() -> None:
    network = LoopbackNetwork()
    manager = TransportManager(WrapperNetwork(network))
    told: list[str] = []
    one = manager.watch(lambda: told.append("one"))
    manager.watch(lambda: (told.append("two"), one.close()))
    network.changed()
    network.changed()
    assert told == ["one", "two", "two"]
