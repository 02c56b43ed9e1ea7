"""Every transport there is, in one manager."""

import pytest

from ygg import Certificate, LoopbackNetwork
from ygg.testing import private_key
from ygg.transport.every import every_transport


@pytest.mark.parametrize("scheme", ["tcp", "tls", "unix", "ws", "wss", "quic", "socks", "sockstls"])
def test_every_scheme_has_its_transport(scheme: str) -> None:
    manager = every_transport(LoopbackNetwork(), Certificate(private_key(1)))
    assert scheme in manager.schemes
