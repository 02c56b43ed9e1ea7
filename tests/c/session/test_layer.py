"""What sessions tell the node above them."""

import pytest

from tests.c.worldkit import line_of
from ygg_c.testing.payloads import send_payload


@pytest.mark.parametrize(("payload", "counter"), [
    (b"\1" + bytes(40), "payloads_detached"), (b"\2\x7f", "payloads_unknown"), (b"\3", "payloads_unknown"),
    (b"", "payloads_unknown"), (b"\0", None), (b"\0\0", "payloads_unknown"),
])
def test_a_payload_goes_to_whom_its_first_byte_says(payload: bytes, counter: str | None) -> None:
    """IPv6 packets to the gateway, which is not there; questions and answers to the node; dummies to nobody."""
    with line_of(1, 2) as world:
        send_payload(world.nodes[1].engine, world.nodes[2].key, payload)
        world.run(1)
        counters = world.nodes[2].engine.counters()
        for name in ("payloads_detached", "payloads_unknown"):
            assert counters[name] == (name == counter)
