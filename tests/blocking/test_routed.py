"""ygg.blocking.routed: sockets that reach the overlay while the body runs."""

import contextlib
import errno
import select
import socket
import threading
from typing import Any

import pytest

from tests.expecting import raises_errno
from tests.sockets.threaded import LIMIT, Threaded, threaded
from ygg.blocking import create_server, routed
from ygg.sockets.patches import FUNCTIONS, METHODS


@pytest.fixture
def pair():
    with threaded() as made:
        yield made
    vars(made).clear()


def seen() -> list[Any]:
    """Return what may be replaced, as it is now."""
    return [
        *(vars(socket.socket).get(name) for name in METHODS),
        *(vars(socket).get(name) for name in FUNCTIONS),
        threading.Thread.start,
    ]


def dialed(pair: Threaded, port: int = 80) -> str:
    """Return by what a dial ends."""
    try:
        with socket.create_connection((pair.address_b, port), LIMIT) as sock:
            return str(sock.getpeername()[0])
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def test_all_is_restored_in_whatever_order_they_end(pair: Threaded) -> None:
    before = seen()
    one, other = routed(pair.a), routed(pair.b, threads="own")
    one.__enter__()
    assert seen() != before
    other.__enter__()
    one.__exit__(None, None, None)
    assert seen() != before
    other.__exit__(None, None, None)
    assert seen() == before


def test_what_replaces_it_once_more_is_left(pair: Threaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def mine(*arguments: Any, **named: Any) -> object:
        return ours(*arguments, **named)

    with routed(pair.a):
        ours = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", mine)
    assert socket.getaddrinfo is mine
    found: Any = socket.getaddrinfo("::1", 80, type=socket.SOCK_STREAM)
    assert found[0][4][:2] == ("::1", 80)


def test_dial_and_listen(pair: Threaded) -> None:
    with routed(pair.a), routed(pair.b), socket.create_server((pair.address_b, 80), family=socket.AF_INET6) as server:
        with socket.create_connection((pair.address_b, 80), LIMIT, (pair.address_a, 4000)) as one:
            other, address = server.accept()
            with other:
                assert address[:2] == (pair.address_a, 4000)
                one.sendall(b"word")
                assert other.recv(10) == b"word"
        with socket.socket(socket.AF_INET6) as one:
            assert one.connect_ex((pair.address_b, 80)) == 0
            assert one.connect_ex((pair.address_b, 80)) == errno.EISCONN
        with socket.socket(socket.AF_INET6) as one:
            assert one.connect_ex((pair.address_b, 81)) == errno.ECONNREFUSED
        with socket.socket(socket.AF_INET6) as one:
            one.setblocking(False)
            assert one.connect_ex((pair.address_b, 80)) == errno.EINPROGRESS
            assert select.select([], [one], [], LIMIT)[1]
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_datagrams(pair: Threaded) -> None:
    with (
        routed(pair.a),
        routed(pair.b),
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other,
    ):
        other.bind((pair.address_b, 53))
        other.settimeout(LIMIT)
        one.bind((pair.address_a, 0))
        one.sendto(b"word", (pair.address_b, 53))
        assert other.recvfrom(10) == (b"word", one.getsockname())
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as third:
            third.sendmsg([b"more"], (), 0, (pair.address_b, 53))
            assert other.recv(10) == b"more"
            third.connect((pair.address_b, 53))
            third.send(b"again")
            assert other.recv(10) == b"again"


def test_the_rest_is_the_systems(pair: Threaded) -> None:
    with routed(pair.a):
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
            other, address = server.accept()
            other.close()
            assert address == one.getsockname()
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            one.sendto(b"word", one.getsockname())
            assert one.recv(10) == b"word"
            one.sendmsg([b"word"], [], 0, one.getsockname())
        here, there = socket.socketpair()
        with here, there:
            assert here.getpeername() in ("", b"")
        with pytest.raises(OSError, match="family"), socket.socket(socket.AF_INET) as one:
            one.connect((pair.address_b, 80))
        assert socket.getaddrinfo("127.0.0.1", 80)
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        assert socket.getnameinfo(("127.0.0.1", 80), numeric) == ("127.0.0.1", "80")


def test_names(pair: Threaded) -> None:
    with routed(pair.a):
        found = socket.getaddrinfo(pair.address_b, "http", type=socket.SOCK_STREAM)
        assert found == [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (pair.address_b, 80, 0, 0))]
        assert socket.getnameinfo((pair.address_b, 80), 0) == (pair.address_b, "http")
        assert socket.getfqdn(pair.address_b) == pair.address_b


def test_with_all_hosts_names_are_errors_and_no_address_is_each_of_the_vtuns(pair: Threaded) -> None:
    with routed(pair.a, hosts="all"):
        with pytest.raises(socket.gaierror, match="no such host"):
            socket.create_connection(("name.example", 80))
        with socket.create_server(("::", 80), family=socket.AF_INET6) as server:
            assert server.getsockname()[:2] == ("::", 80)
            assert pair.a.stack.endpoints()


def test_it_holds_for_all_threads_or_for_its_own_and_those_they_start(pair: Threaded) -> None:
    found: dict[str, str] = {}
    go, done = threading.Event(), threading.Event()

    def note(name: str) -> None:
        found[name] = dialed(pair)

    def stranger() -> None:
        go.wait(LIMIT)
        note("stranger")
        done.set()

    def child() -> None:
        grandchild = threading.Thread(target=note, args=("grandchild",))
        grandchild.start()
        grandchild.join()

    other = threading.Thread(target=stranger)
    other.start()
    with create_server(pair.b, (pair.address_b, 80)), routed(pair.a, threads="own"):
        note("own")
        begun = threading.Thread(target=child)
        begun.start()
        begun.join()
        go.set()
        done.wait(LIMIT)
    other.join()
    assert found["own"] == found["grandchild"] == pair.address_b
    assert found["stranger"] in ("ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH", "ETIMEDOUT")


def test_what_was_opened_goes_on(pair: Threaded) -> None:
    with routed(pair.a), routed(pair.b):
        server = socket.create_server((pair.address_b, 80), family=socket.AF_INET6)
        one = socket.create_connection((pair.address_b, 80), LIMIT)
    with server, one:
        other, _ = server.accept()
        with other:
            one.sendall(b"word")
            assert other.recv(10) == b"word"
            assert other.getpeername() == one.getsockname()


def test_a_port_is_a_number(pair: Threaded) -> None:
    with routed(pair.a), socket.socket(socket.AF_INET6) as sock:
        with pytest.raises(TypeError):
            sock.connect((pair.address_b, "80"))
        with pytest.raises(OverflowError):
            sock.connect((pair.address_b, 70_000))
        with raises_errno(errno.EADDRNOTAVAIL):
            sock.bind((pair.address_b, 80))


def test_a_socket_that_stands_for_something_is_refused_elsewhere(pair: Threaded) -> None:
    with routed(pair.a), contextlib.ExitStack() as opened:
        sock = opened.enter_context(socket.socket(socket.AF_INET6))
        sock.bind((pair.address_a, 0))
        with pytest.raises(OSError, match="not in 200::/7"):
            sock.connect(("::1", 80))
