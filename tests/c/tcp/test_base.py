"""ygg_c.tcp.base: what the parts of a connection, and its listener, know of it."""

from ygg_c.socket.endpoint import Endpoint
from ygg_c.tcp.base import Acceptor, TcpEndpoint
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.listener import TcpListener


def test_connections_and_listeners_are_what_their_parts_know(peer) -> None:
    listener = peer.stack.listen(None, 80)
    connection = peer.accept(listener)
    assert isinstance(connection, TcpEndpoint)
    assert isinstance(listener, Acceptor)
    assert issubclass(TcpConnection, Endpoint)
    assert issubclass(TcpListener, Endpoint)


def test_one_without_a_stack_is_closed_and_says_nothing() -> None:
    for made in (TcpEndpoint(), Acceptor()):
        told: list[int] = []
        made.on_event = told.append
        assert (made.closed, made.error, made.clock, told) == (True, 0, None, [])


def test_an_acceptor_has_options_of_its_own(peer) -> None:
    """What is changed on the stack later is not the listener's."""
    listener = peer.stack.listen(None, 80)
    assert listener.options is not peer.stack.options
    peer.stack.options.nodelay = True
    assert not listener.options.nodelay
