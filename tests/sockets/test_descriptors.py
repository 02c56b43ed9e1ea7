"""ygg.sockets.descriptors: pairs whose end takes the place of a program's descriptor."""

import select
import socket

import pytest

from ygg.sockets import descriptors


@pytest.mark.parametrize("timeout", [None, 0.0, 2.5])
def test_what_takes_the_place_blocks_as_before(timeout: float | None) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.settimeout(timeout)
        sock.set_inheritable(True)
        number = sock.fileno()
        there, near = descriptors.pair()
        descriptors.replace(sock, there)
        with near:
            assert (sock.fileno(), sock.gettimeout(), sock.family) == (number, timeout, socket.AF_INET6)
            assert sock.getblocking() == (timeout != 0)
            assert sock.get_inheritable()
            near.send(b"word")
            assert sock.recv(10) == b"word"


def test_the_gate_makes_an_end_unfit_for_writing_until_it_is_opened() -> None:
    there, near = descriptors.pair()
    with there, near:
        gate = descriptors.shut_gate(there)
        assert select.select([], [there], [], 0)[1] == []
        descriptors.open_gate(gate, near)
        assert select.select([], [there], [], 0)[1] == [there]
        there.send(b"word")
        assert near.recv(10) == b"word"     # nothing of what had shut it
