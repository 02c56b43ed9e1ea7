"""ygg_c.tcp.congestion.registry: which algorithm a stack's connections use."""

import pytest

from tests.c.stackkit import ACK, MS, SYN, A, B, Peer, Tcp, make_stack
from ygg_c.tcp.congestion.registry import algorithms


def test_connections_use_the_algorithm_chosen() -> None:
    stack, _ = make_stack(A)
    assert stack.congestion == "cubic"
    for name in algorithms():
        stack.congestion = name
        connection = stack.connect(B, 7)
        assert connection.info()["congestion"] == name
        connection.abort()


def test_a_connection_may_have_another_and_keeps_its_window() -> None:
    peer = Peer()
    connection = peer.accept()
    assert (connection.congestion_control, connection.info()["cwnd"]) == ("cubic", 10 * 1220)
    connection.write(bytes(1220))
    peer.take()
    peer.ack += 1220
    peer.send()
    window = connection.info()["cwnd"]
    connection.congestion_control = "newreno"
    assert connection.congestion_control == connection.info()["congestion"] == "newreno"
    assert connection.info()["cwnd"] == window
    with pytest.raises(ValueError, match="carrier-pigeon"):
        connection.congestion_control = "carrier-pigeon"
    assert peer.stack.congestion == "cubic"
    peer.close()


def test_a_lost_syn_or_its_answer_leaves_one_segment_at_first() -> None:
    peer = Peer()
    peer.stack.listen(None, 80)
    peer.one(flags=SYN, ack=0)
    (answer,) = peer.wait(1500 * MS)
    peer.seq, peer.ack = peer.seq + 1, answer.seq + 1
    peer.send()
    (connection,) = (each for each in peer.stack.endpoints() if hasattr(each, "info"))
    assert connection.info()["cwnd"] == connection.info()["mss"]
    peer.close()
    peer = Peer()
    connection = peer.stack.connect(B, 80)
    peer.take()
    (syn,) = peer.wait(1500 * MS)
    peer.send(Tcp(sport=80, dport=syn.sport, seq=7, ack=syn.seq + 1, flags=SYN | ACK))
    assert (connection.state, connection.info()["cwnd"]) == ("ESTABLISHED", connection.info()["mss"])
    peer.close()


def test_an_unknown_algorithm_is_refused_before_any_connection_has_it() -> None:
    stack, _ = make_stack(A)
    with pytest.raises(ValueError, match="cubic, newreno, not carrier-pigeon"):
        stack.congestion = "carrier-pigeon"
    with pytest.raises(TypeError):
        stack.congestion = None
    assert stack.congestion == "cubic"
