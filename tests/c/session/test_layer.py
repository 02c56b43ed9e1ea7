"""What sessions tell the node above them."""

import pytest

from tests.c.mesh import mesh_of
from ygg_c.testing.payloads import send_payload


@pytest.mark.parametrize(("payload", "counter"), [
    (b"\1" + bytes(40), "payloads_detached"), (b"\2\x7f", "payloads_unknown"), (b"\3", "payloads_unknown"),
    (b"", "payloads_unknown"), (b"\0", None), (b"\0\0", "payloads_unknown"),
])
def test_a_payload_goes_to_whom_its_first_byte_says(payload: bytes, counter: str | None) -> None:
    """IPv6 packets to the gateway, which is not there; questions and answers to the node; dummies to nobody."""
    with mesh_of(1, 2) as mesh:
        send_payload(mesh.nodes[1], mesh.nodes[2].key, payload)
        mesh.run(1)
        counters = mesh.nodes[2].counters()
        for name in ("payloads_detached", "payloads_unknown"):
            assert counters[name] == (name == counter)
