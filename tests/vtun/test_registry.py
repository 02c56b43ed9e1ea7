"""What is open on a VTun is told when it closes."""

from ygg.vtun.reach import Reach
from ygg.vtun.registry import Registry
from ygg_c.stack.netstack import NetStack


class Thing:
    def __init__(self, registry: Registry, told: list[object]) -> None:
        self.registry, self.told = registry, told
        registry.add(self)

    def shut(self, error: BaseException) -> None:
        self.told.append((self, error))
        self.registry.discard(self)


def test_all_are_told_in_the_order_of_their_age() -> None:
    registry, told = Registry(Reach(NetStack([b"\2" * 16], 1280))), []
    things = [Thing(registry, told) for _ in range(3)]
    registry.add(things[0])     # which makes it no younger
    error = OSError()
    registry.shut(error)
    assert told == [(thing, error) for thing in things]
    assert len(registry) == 0


def test_what_has_ended_is_told_nothing() -> None:
    registry, told = Registry(Reach(NetStack([b"\2" * 16], 1280))), []
    one, other = Thing(registry, told), Thing(registry, told)
    registry.discard(one)
    registry.discard(one)
    assert len(registry) == 1
    registry.shut(error := OSError())
    assert told == [(other, error)]
