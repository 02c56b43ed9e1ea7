"""The choice of a socket's congestion control; links with one are in tests/test_congestion.py."""

import errno
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ygg.errors import NetworkError
from ygg.network.native.congestion import use_congestion

linux = pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's")


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket() as made:
        yield made


@linux
def test_the_system_uses_what_was_chosen(sock: socket.socket) -> None:
    name = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    use_congestion(sock, name)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode() == name


@linux
def test_a_name_that_it_does_not_know_is_told(sock: socket.socket) -> None:
    with pytest.raises(NetworkError, match="congestion control no-such: ") as raised:
        use_congestion(sock, "no-such")
    assert raised.value.errno == errno.ENOENT


def test_without_a_tcp_socket_there_is_none() -> None:
    with pytest.raises(NetworkError) as raised:
        use_congestion(None, "cubic")
    assert raised.value.errno == errno.ENOPROTOOPT
