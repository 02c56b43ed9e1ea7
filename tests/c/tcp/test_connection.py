"""ygg_c.tcp.connection: what its methods do, before and after its end, and what it tells."""

import errno
from dataclasses import replace

import pytest

from tests.c.stackkit import ACK, FIN, MS, RST, SECOND, B, Log, Peer
from ygg_c.socket.endpoint import CLOSED, FAILED


def expire(peer: Peer, connection) -> None:
    """Let keepalive find the peer gone."""
    connection.keepalive = (SECOND, SECOND, 1)
    peer.wait(5 * SECOND)


ENDINGS = {
    "abort": lambda peer, connection: connection.abort(),
    "close": lambda peer, connection: connection.close(),
    "close of the stack": lambda peer, connection: peer.stack.close(),
    "timeout": lambda peer, connection: expire(peer, connection),
    "reset by the peer": lambda peer, connection: peer.send(flags=RST),
    "close, then abort": lambda peer, connection: (connection.close(), connection.abort()),
}

CALLS = {
    "recv": lambda connection: connection.recv(),
    "recv of a few": lambda connection: connection.recv(3),
    "recv_into": lambda connection: connection.recv_into(bytearray(10)),
    "recv_into nothing": lambda connection: connection.recv_into(bytearray()),
    "send": lambda connection: connection.send(b"x"),
    "write": lambda connection: connection.write(bytearray(9000)),
    "shutdown_write": lambda connection: connection.shutdown_write(),
    "close": lambda connection: connection.close(),
    "abort": lambda connection: connection.abort(),
    "await_room": lambda connection: connection.await_room(),
    "info": lambda connection: connection.info(),
}

SETTINGS = {"nodelay": True, "corked": False, "keepalive": (SECOND, SECOND, 3), "user_timeout": SECOND, "send_limit": 1}


def outcome(call, connection) -> int | None:
    """Return the errno of what a call raises, None for a result."""
    try:
        call(connection)
    except OSError as failure:
        return failure.errno
    return None


def arrived(peer: Peer, connection, fin: bool) -> None:
    """Have data arrive that is not read: in order, and with a hole before it; perhaps with FIN."""
    peer.data(b"in order" * 1000)
    peer.send(seq=peer.seq + 5, data=b"beyond a hole")
    if fin:
        peer.data(b"12345" + b"beyond a hole")
        peer.send(flags=FIN | ACK)
        peer.seq += 1


class TestAfterTheEnd:
    """Every call on a connection that ended gives a result or raises OSError, whatever was not read."""

    @pytest.mark.parametrize("fin", [False, True], ids=["open", "peer closed"])
    @pytest.mark.parametrize("ending", ENDINGS)
    @pytest.mark.parametrize("call", CALLS)
    def test_calls(self, peer, call, ending, fin):
        connection = peer.accept()
        arrived(peer, connection, fin)
        ENDINGS[ending](peer, connection)
        assert connection.closed
        for _ in range(3):
            raised = outcome(CALLS[call], connection)
            assert raised in {None, connection.error or errno.EPIPE}
        assert (connection.queued, connection.send_space, connection.state) == (0, 0, "CLOSED")

    @pytest.mark.parametrize("ending", ["abort", "close", "close of the stack", "close, then abort"])
    def test_what_we_gave_up_cannot_be_read(self, peer, ending):
        connection = peer.accept()
        arrived(peer, connection, False)
        ENDINGS[ending](peer, connection)
        assert connection.readable == 0
        assert connection.recv() == b""
        assert connection.recv_into(bytearray(100)) == 0

    @pytest.mark.parametrize("ending", ["timeout", "reset by the peer"])
    def test_what_arrived_before_a_failure_can(self, peer, ending):
        connection = peer.accept()
        arrived(peer, connection, False)
        ENDINGS[ending](peer, connection)
        got = b""
        while connection.readable:
            got += connection.recv(1000)
        assert got == b"in order" * 1000
        assert outcome(CALLS["recv"], connection) == connection.error

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_settings(self, peer, ending):
        connection = peer.accept()
        arrived(peer, connection, False)
        ENDINGS[ending](peer, connection)
        for name, value in SETTINGS.items():
            setattr(connection, name, value)
            assert getattr(connection, name) == value
        assert not connection.crowded
        assert connection.write_limit >= 0

    def test_closed_with_everything_read(self, peer):
        connection = peer.accept()
        peer.data(b"x" * 5000)
        assert connection.recv() == b"x" * 5000
        connection.close()
        assert connection.recv() == b""
        peer.take()
        connection.abort()
        assert connection.recv_into(bytearray(3)) == 0


class TestLinger:
    """A closed connection may take a given time for what is queued; RFC 9293 leaves it to the application."""

    def test_none_is_the_default_and_waits_for_long(self, peer):
        connection = peer.accept()
        assert connection.linger is None
        connection.write(b"x" * 100)
        connection.close()
        assert not any(segment.flags & RST for segment in peer.wait(100 * SECOND))
        assert connection.state == "FIN-WAIT-1"

    def test_zero_resets(self, peer):
        connection = peer.accept()
        connection.linger = 0
        connection.write(b"x" * 100)
        connection.close()
        assert [segment.flags & RST for segment in peer.take()] == [RST]
        assert connection.closed

    def test_a_time_resets_when_it_is_over_to_the_millisecond(self, peer):
        connection = peer.accept()
        connection.linger = 3 * SECOND
        connection.write(b"x" * 100)
        peer.wait(10 * SECOND)                  # it counts from `close`
        log = Log(connection)
        connection.close()
        peer.take()
        assert not any(segment.flags & RST for segment in peer.wait(3 * SECOND - MS))
        (reset,) = [segment for segment in peer.wait(MS) if segment.flags & RST]
        assert reset.has(RST, ACK)
        assert (connection.error, connection.closed) == (errno.ETIMEDOUT, True)
        assert log.flags & (FAILED | CLOSED) == FAILED | CLOSED

    def test_what_is_acknowledged_in_time_ends_well(self, peer):
        connection = peer.accept()
        connection.linger = 3 * SECOND
        connection.write(b"x" * 100)
        connection.close()
        peer.take()
        peer.wait(2 * SECOND)
        peer.ack += 101
        peer.send()
        assert connection.state == "FIN-WAIT-2"
        assert not peer.wait(30 * SECOND)
        peer.one(flags=FIN | ACK)
        assert (connection.state, connection.error) == ("TIME-WAIT", 0)

    def test_what_a_closed_window_holds_back_ends_as_well(self, peer):
        connection = peer.accept()
        connection.linger = 3 * SECOND
        peer.send(window=0)
        connection.write(b"x" * 100)
        connection.close()
        assert [segment.flags & RST for segment in peer.wait(3 * SECOND)][-1] == RST

    def test_once_closed_it_stays(self, peer):
        connection = peer.accept()
        connection.linger = 3 * SECOND
        connection.write(b"x")
        connection.close()
        connection.linger = None
        peer.take()
        peer.wait(3 * SECOND)
        assert connection.closed


class TestEvents:
    def test_told_once_for_a_batch(self, peer):
        connection = peer.accept()
        log = Log(connection)
        batch = [
            replace(peer.base, seq=peer.seq + n, ack=peer.ack, data=b"x").packet(B, peer.stack.addresses[0][0])
            for n in range(10)
        ]
        peer.tap.give(batch, peer.now)
        assert log.calls == 1

    def test_what_happened_before_is_told_to_a_new_handler(self, peer):
        connection = peer.accept()
        peer.data(b"x")
        log = Log(connection)
        peer.take()
        assert log.calls == 1

    def test_handler_that_raises_harms_nobody(self, peer, monkeypatch):
        seen = []
        monkeypatch.setattr("sys.unraisablehook", lambda hook: seen.append(hook.exc_value))
        connection = peer.accept()
        connection.on_event = lambda flags: 1 // 0
        peer.data(b"x")
        connection.on_event = None
        assert len(seen) == 1
        assert isinstance(seen.pop(), ZeroDivisionError)
        assert connection.recv() == b"x"

    def test_handler_may_write_and_close(self, peer):
        connection = peer.accept()

        def answer(flags: int) -> None:
            connection.write(connection.recv().upper())
            connection.close()

        connection.on_event = answer
        peer.send(data=b"echo", flags=ACK)
        # What it wrote leaves in the turn it asked for.
        peer.seq += 4
        assert connection.state == "FIN-WAIT-1"
        connection.on_event = None
