"""ygg.proxy.http_exchange: requests as they are passed on; what an exchange does is tested with the services."""

import pytest

from ygg.errors import ProxyError
from ygg.proxy.http_exchange import Rejected, request_of
from ygg.proxy.http_side import h11


def test_a_request_of_the_old_version_gets_a_host_and_expects_nothing() -> None:
    old = h11.Request(method="GET", target="/a", headers=[], http_version="1.0")
    made = request_of(old, b"/b", [(b"Expect", b"100-continue"), (b"X", b"y")])
    assert (made.target, list(made.headers)) == (b"/b", [(b"x", b"y"), (b"host", b"localhost")])


def test_fields_that_h11_does_not_write() -> None:
    new = h11.Request(method="GET", target="/a", headers=[("Host", "a")])
    with pytest.raises(ProxyError):
        request_of(new, b"/b", [(b"Host", b"a"), (b"X", b"\r\nevil: 1")])


def test_a_rejection_has_a_status() -> None:
    assert Rejected(407, (b"a", b"b")).fields == ((b"a", b"b"),)
