"""ygg_c.tcp.outgoing: how a segment that leaves is made."""

import struct

import pytest

from tests.c.stackkit import Peer
from tests.c.tcp.scripted import scripts
from tests.c.tcp.test_open import dial

test_scripts = scripts("03-options", "20-mss")


@pytest.mark.parametrize(("mtu", "mss"), [(1280, 1220), (9000, 8940), (65535, 65475)])
def test_mss_follows_the_mtu(mtu, mss):
    peer = Peer(mtu)
    _, syn = dial(peer)
    assert syn.option(2) == struct.pack(">H", mss)
    peer.close()


def test_all_segments_of_a_connection_have_one_flow_label(switch):
    """RFC 6437: from the SYN,ACK of a half-open connection to the last ACK of TIME-WAIT, and as none of another."""
    def label(packet):
        return packet[1] & 15, packet[2:4]

    seen = {}
    switch.passes = lambda packet: seen.setdefault((packet[8:24], packet[40:44]), []).append(label(packet)) or True
    for _ in range(3):
        client, server = switch.pair()
        for end in (client, server):
            end.write(bytes(3000))
            end.shutdown_write()
            switch.run(1)
    labels = [set(headers) for headers in seen.values()]
    assert [len(of_one) for of_one in labels] == [1] * 6
    assert len(set.union(*labels)) == 6
    assert switch.a.time_waiting == 3
    (state,) = {end.state for end in [client]}
    assert state == "TIME-WAIT"
