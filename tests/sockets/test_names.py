"""ygg.sockets.names: what the names of descriptors say."""

import os
import socket

import pytest

from ygg.sockets import names

LOCAL, REMOTE = ("200::1", 1000, 0, 0), ("300::2", 80, 0, 0)


def test_the_peer_of_a_named_end_is_told_both_addresses() -> None:
    here, near = socket.socketpair()
    with here, near:
        token = names.bind(near, LOCAL, REMOTE)
        assert names.ends_of(here, here.getpeername()) == names.Ends(token, LOCAL, REMOTE)


def test_a_socket_object_of_another_family_is_told_them_as_well() -> None:
    here, near = socket.socketpair()
    with near, socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, here.detach()) as other:
        names.bind(near, LOCAL, REMOTE)
        found = names.ends_of(other, other.getpeername())
        assert found is not None
        assert (found.local, found.remote) == (LOCAL, REMOTE)


@pytest.mark.parametrize("name", ["", b"", b"\0other", ("200::1", 80, 0, 0), "/tmp/path", b"\0ygg:short"])
def test_other_names_say_nothing(name: object) -> None:
    here, near = socket.socketpair()
    with here, near:
        if isinstance(name, bytes) and name:
            near.bind(name)
        assert names.ends_of(here, name) is None


def test_a_name_that_another_user_has_taken_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    here, near = socket.socketpair()
    with here, near:
        names.bind(near, LOCAL, REMOTE)
        name = here.getpeername()
        monkeypatch.setattr(names, "_CREDENTIALS", _Stranger())
        assert names.ends_of(here, name) is None


class _Stranger:
    """Credentials of another user's process."""

    size = 12

    def unpack(self, _: bytes) -> tuple[int, int, int]:
        return 1, os.geteuid() + 1, 1
