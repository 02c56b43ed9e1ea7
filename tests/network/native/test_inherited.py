"""ygg.network.native.inherited: sockets that children neither read nor write."""

import gc
import os
import socket
import weakref
from collections.abc import Callable

from ygg.network.native.inherited import keep_from_children


def in_child(check: Callable[[], bool]) -> bool:
    """Fork, and return what `check` says in the child."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if check() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def writes(sock: socket.socket) -> bool:
    """Write a byte, and tell whether that worked; no other error than that of a socket counts."""
    try:
        sock.send(b"c")
    except OSError:
        return False
    return True


def test_a_child_writes_nothing_and_its_parent_goes_on() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert keep_from_children(near) is near
        far.setblocking(False)
        assert in_child(lambda: not writes(near))
        near.send(b"p")
        assert far.recv(10) == b"p"
        # The child's end did not end the stream, which both share.
        far.send(b"q")
        assert near.recv(10) == b"q"


def test_one_that_was_not_told_is_shared_as_ever() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert in_child(lambda: writes(near))
        assert far.recv(10) == b"c"


def test_one_that_is_closed_already_harms_nothing() -> None:
    """Nor what has its number now."""
    near, far = socket.socketpair()
    keep_from_children(near)
    near.close()
    far.close()
    again, other = socket.socketpair()
    with again, other:
        assert in_child(lambda: writes(again))
        assert other.recv(10) == b"c"


def test_it_keeps_no_socket_alive() -> None:
    near, far = socket.socketpair()
    known = weakref.ref(keep_from_children(near))
    near.close()
    far.close()
    del near
    gc.collect()
    assert known() is None


def test_a_child_of_a_child_has_its_own() -> None:
    """What is made in a child is told anew, and cut off in its own children."""
    def child() -> bool:
        near, far = socket.socketpair()
        keep_from_children(near)
        return writes(near) and in_child(lambda: not writes(near)) and writes(near) and far.recv(10) == b"cc"

    assert in_child(child)
