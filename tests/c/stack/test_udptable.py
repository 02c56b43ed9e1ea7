"""ygg_c.stack.udptable: which socket a datagram is for."""

import errno

import pytest

from tests.c.stackkit import A, B


def test_connected_socket_hears_only_its_peer(switch):
    chosen = switch.b.udp(None, 53, (A, 1000))
    other = switch.b.udp(None, 54)
    everyone = switch.a.udp(None, 1000)
    stranger = switch.a.udp(None, 1001)
    everyone.send(b"peer", B, 53)
    stranger.send(b"stranger", B, 53)
    switch.run(1)
    assert [data for data, _ in chosen.recv_many()] == [b"peer"]
    with pytest.raises(OSError, match="connected") as caught:
        chosen.send(b"x", A, 1)
    assert caught.value.errno == errno.EISCONN
    with pytest.raises(OSError, match="estination") as caught:
        other.send(b"x")
    assert caught.value.errno == errno.EDESTADDRREQ


def test_ports_and_addresses(switch):
    switch.a.udp(None, 53)
    for address in (None, A):
        with pytest.raises(OSError, match="in use"):
            switch.a.udp(address, 53)
    with pytest.raises(OSError, match="assign"):
        switch.a.udp(B, 54)
    first = switch.a.udp(A, 55)
    with pytest.raises(OSError, match="in use"):
        switch.a.udp(None, 55)
    first.close()
    first.close()
    switch.a.udp(None, 55).close()
    with pytest.raises(OSError, match="descriptor"):
        first.send(b"x", B, 1)
