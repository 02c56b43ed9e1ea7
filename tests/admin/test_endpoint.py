"""Where an admin socket is, and what is done about one that is there."""

import os
import socket
import stat
from pathlib import Path

import pytest

from ygg.admin import Endpoint, default_endpoints
from ygg.admin.endpoint import listen_endpoint
from ygg.errors import AddressInUse, URLError


@pytest.mark.parametrize(("text", "endpoint", "written"), [
    ("unix:///a/b.sock", Endpoint(path="/a/b.sock"), "unix:///a/b.sock"),
    ("UNIX://@name", Endpoint(path="@name"), "unix://@name"),
    ("tcp://localhost:9001", Endpoint(host="localhost", port=9001), "tcp://localhost:9001"),
    ("[::1]:9001", Endpoint(host="::1", port=9001), "tcp://[::1]:9001"),
    ("localhost:1?token=a%2Fb", Endpoint(host="localhost", port=1, token="a/b"), "tcp://localhost:1"),
])  # fmt: skip
def test_forms(text: str, endpoint: Endpoint, written: str) -> None:
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == written
    assert not endpoint.token or endpoint.token not in repr(endpoint)


@pytest.mark.parametrize("text", ["", "unix://", "unix:///", "tls://h:1", "tcp://h", "h:", "h:65536", "h:x", "h:²"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(URLError):
        Endpoint.parse(text)


def test_of_a_configuration() -> None:
    assert listen_endpoint("none") is listen_endpoint("") is None
    assert listen_endpoint("tcp://h:1") == Endpoint(host="h", port=1)
    assert listen_endpoint(None) is not None


def test_tcp_is_the_last_that_clients_try() -> None:
    assert str(default_endpoints()[-1]) == "tcp://localhost:9001"


def test_only_a_stale_socket_is_removed(tmp_path: Path) -> None:
    place = Endpoint(path=str(tmp_path / "s"))
    with place.bind() as first:
        assert stat.S_IMODE(os.stat(place.path).st_mode) == 0o660
        with place.bind():  # it was bound, and does not listen
            pass
        first.listen(0)
    with socket.socket(socket.AF_UNIX) as other:
        os.unlink(place.path)
        other.bind(place.path)
        other.listen(0)
        with pytest.raises(AddressInUse, match="another process listens"):
            place.bind()
        with pytest.raises(AddressInUse):  # what has looked for it there fills its queue
            place.bind()
    place.remove()
    place.remove()
    assert not os.path.exists(place.path)


def test_a_file_of_another_kind_stays(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    with pytest.raises(AddressInUse, match="is no socket"):
        Endpoint(path=str(tmp_path / "s")).bind()
    assert (tmp_path / "s").read_text() == "x"


def test_abstract_ones_have_no_file() -> None:
    place = Endpoint(path=f"@ygg-test-{os.getpid()}")
    with place.bind() as bound:
        bound.listen()
        with pytest.raises(AddressInUse):
            place.bind()
        place.remove()
    with place.bind():
        pass
