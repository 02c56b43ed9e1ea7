"""Sockets of the operating system, on the loopback interface."""

import os
import socket
from pathlib import Path

import pytest

from ygg.errors import PathTooLong, ResolveError
from ygg.network.native.sockets import (
    MOST_PATH,
    bind_path,
    check_path,
    datagram_socket,
    dialing_socket,
    listening_socket,
    new_socket,
    sockaddr_of,
)


def test_an_address_of_no_interface_here_is_told() -> None:
    with pytest.raises(ResolveError, match="fe80::1%no-such"):
        sockaddr_of("fe80::1%no-such", 1, None)


def test_one_end_listens_and_the_other_connects() -> None:
    with listening_socket("127.0.0.1", 0, None, 1) as listening:
        dialing, target = dialing_socket("127.0.0.1", listening.getsockname()[1], None, [])
        with dialing:
            assert dialing.getblocking() is False
            assert target == listening.getsockname()
            dialing.setblocking(True)
            dialing.connect(target)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6")
def test_the_unspecified_address_serves_both_families() -> None:
    with listening_socket("::", 0, None, 1) as listening, socket.socket() as four:
        four.connect(("127.0.0.1", listening.getsockname()[1]))


def test_datagrams_are_bound_and_connected() -> None:
    with (
        datagram_socket(("127.0.0.1", 0), None, None) as one,
        datagram_socket(None, one.getsockname(), None) as other,
    ):
        other.send(b"there")
        one.setblocking(True)
        assert one.recvfrom(100) == (b"there", other.getsockname())


def test_a_socket_that_cannot_be_bound_is_closed() -> None:
    """conftest finds the descriptors that are left."""
    with listening_socket("127.0.0.1", 0, None, 1) as first, pytest.raises(OSError, match="in use"):
        listening_socket("127.0.0.1", first.getsockname()[1], None, 1)


def test_a_path_has_as_much_room_as_the_system_gives() -> None:
    check_path("x" * MOST_PATH)
    with pytest.raises(PathTooLong, match=f"{MOST_PATH + 1} bytes"):
        check_path("x" * (MOST_PATH + 1))


def test_a_path_that_nothing_serves_is_taken_over(tmp_path: Path) -> None:
    path = os.fspath(tmp_path / "socket")
    for _ in range(2):
        with new_socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            bind_path(sock, path)


def test_a_path_that_is_served_is_not(tmp_path: Path) -> None:
    path = os.fspath(tmp_path / "socket")
    first, late = (new_socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
    with first, late:
        bind_path(first, path)
        first.listen(1)
        with pytest.raises(OSError, match="in use"):
            bind_path(late, path)


def test_a_file_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with new_socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, pytest.raises(OSError, match="in use"):
        bind_path(sock, os.fspath(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "kept"
