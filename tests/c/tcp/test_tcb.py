"""ygg_c.tcp.tcb: how connections end: half-close, FIN from either side, resets, keepalive; what events tell."""

import errno

import pytest

from tests.c.stackkit import ACK, FIN, RST, SECOND, SYN, A, B, Log, Tcp, make_stack, parse_tcp
from tests.c.tcp.scripted import scripts
from ygg_c.socket.endpoint import CLOSED, DRAINED, EOF, FAILED

test_scripts = scripts("17-ending", "18-closing")


class TestHalfClose:
    def test_reading_goes_on_and_writing_does_not(self, peer):
        connection = peer.accept()
        connection.write(b"last")
        connection.shutdown_write()
        (segment,) = peer.take()
        assert segment.has(FIN, ACK)
        assert segment.data == b"last"
        peer.ack += 5
        peer.data(b"still")
        assert connection.recv() == b"still"
        with pytest.raises(BrokenPipeError):
            connection.write(b"x")

    def test_peer_may_be_written_to_after_its_fin(self, peer):
        connection = peer.accept()
        log = Log(connection)
        assert peer.one(flags=FIN | ACK).ack == peer.seq + 1
        assert (connection.state, log.flags, connection.at_eof) == ("CLOSE-WAIT", EOF, True)
        connection.write(b"answer")
        peer.seq += 1
        assert peer.take()[0].data == b"answer"
        peer.ack += 6
        peer.send()
        connection.shutdown_write()
        assert len(peer.take()) == 1
        peer.ack += 1
        peer.send()
        assert connection.closed
        assert log.flags == EOF | DRAINED | CLOSED

    def test_half_closed_connection_lives_as_long_as_wanted(self, peer):
        connection = peer.accept()
        connection.shutdown_write()
        peer.take()
        peer.ack += 1
        peer.send()
        peer.wait(1000 * SECOND)
        peer.data(b"late")
        assert connection.recv() == b"late"


class TestClose:
    def test_unread_data_makes_it_a_reset(self, peer):
        connection = peer.accept()
        peer.data(b"unread")
        connection.close()
        (reset,) = peer.take()
        assert reset.has(RST, ACK)
        assert connection.closed

    def test_data_after_close_is_reset(self, peer):
        connection = peer.accept()
        connection.close()
        peer.take()
        answers = peer.send(data=b"nobody reads")
        assert answers[-1].flags & RST
        assert connection.closed

    def test_what_was_written_arrives_first(self, switch):
        client, server = switch.pair()
        data = bytes(100_000)
        client.write(data)
        client.close()
        received = bytearray()
        switch.run(10, lambda: received.extend(server.recv()) or server.at_eof)
        assert len(received) == len(data)

    def test_abort_resets(self, switch):
        client, server = switch.pair()
        log = Log(server)
        client.abort()
        switch.run(1)
        assert server.error == errno.ECONNRESET
        assert log.flags == FAILED | CLOSED
        with pytest.raises(ConnectionResetError):
            server.recv()

    def test_what_arrived_before_a_reset_is_read_first(self, switch):
        client, server = switch.pair()
        client.write(b"before")
        switch.run(1)
        client.abort()
        switch.run(1)
        assert server.recv() == b"before"
        with pytest.raises(ConnectionResetError):
            server.recv()

    def test_calls_on_an_ended_connection_do_nothing(self, peer):
        connection = peer.accept()
        connection.abort()
        connection.abort()
        connection.close()
        connection.shutdown_write()
        with pytest.raises(OSError, match="pipe"):
            connection.write(b"x")


class TestBothWays:
    def test_crossing_fins(self, peer):
        connection = peer.accept()
        connection.close()
        peer.take()
        assert peer.one(flags=FIN | ACK).ack == peer.seq + 1
        assert connection.state == "CLOSING"
        peer.seq += 1
        peer.ack += 1
        peer.send()
        assert connection.state == "TIME-WAIT"

    def test_lost_fin_is_sent_again(self, peer):
        connection = peer.accept()
        connection.close()
        (fin,) = peer.take()
        again = peer.wait(SECOND)
        assert again
        assert all((s.seq, s.flags) == (fin.seq, fin.flags) for s in again)

    def test_orphan_in_fin_wait_2_expires(self, peer):
        connection = peer.accept()
        connection.close()
        peer.take()
        peer.ack += 1
        peer.send()
        peer.wait(61 * SECOND)
        assert connection.closed
        assert peer.one(data=b"x").has(RST)


def test_a_closing_stack_says_the_same_in_every_run() -> None:
    """Connections are reset in an order that the injected randomness settles."""
    def last_words(seed: int) -> list[bytes]:
        stack, tap = make_stack(A, 1280, seed)
        tap.poll(SECOND)
        for port in range(20):
            stack.connect(B, 80 + port)
        tap.poll(SECOND)
        for syn in tap.take():
            tap.give([answer(syn)], SECOND)
        tap.take()
        stack.close()
        resets = tap.take()
        tap.detach()
        return resets

    def answer(syn: bytes) -> bytes:
        theirs = parse_tcp(syn)
        reply = Tcp(sport=theirs.dport, dport=theirs.sport, seq=1, ack=theirs.seq + 1, flags=SYN | ACK)
        return reply.packet(B, A)

    assert len(last_words(1)) == 20
    assert last_words(1) == last_words(1)
