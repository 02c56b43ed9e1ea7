"""The ends of the layers between gateway and stack."""

from ygg_c.ip.layer import Lower, Upper
from ygg_c.testing.packets import PacketTap


def test_the_base_classes_drop() -> None:
    """An Upper and a Lower that nobody derived from take everything and do nothing."""
    tap = PacketTap(Upper())
    tap.give([b"anything"], 0)
    assert tap.poll(0) is None
    assert tap.take() == []
    tap.detach()
    Lower()
