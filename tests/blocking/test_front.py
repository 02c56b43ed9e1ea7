"""The node of `open_node`, with calls that block."""

import logging
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.blocking.pair import pair
from ygg import PeerUp, blocking
from ygg.errors import ConnectTimeout, ForkedError, KeyUnknownError, NoPeerError, UnknownSchemeError
from ygg.testing import public_key


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ygg")]


def test_a_node_on_a_thread_of_its_own(tmp_path: Path) -> None:
    with blocking.node(tmp_path / "node.key") as node:
        assert threads() == ["ygg node"]
        assert node.address in node.subnet.supernet(new_prefix=7) or str(node.address).startswith("2")
        assert node.self_info().public_key == node.public_key
        assert node.peers() == []
        with pytest.raises(ConnectTimeout, match="no peer is up"):
            node.connected(0.01)
        with pytest.raises(NoPeerError):
            node.open_connection(public_key(9), 80)
        url = node.listen("tcp://127.0.0.1:0")
        assert url.startswith("tcp://127.0.0.1:")
        node.add_peer("tcp://127.0.0.1:9")
        assert len(node.peers()) == 1
        node.remove_peer("tcp://127.0.0.1:9")
        assert str(node.address) in repr(node)
    assert threads() == []
    with blocking.node(tmp_path / "node.key") as again:
        assert again.public_key == node.public_key


def test_pings_and_requests() -> None:
    with pair() as (server, client):
        assert client.ping(server.address, timeout=30) > 0
        assert client.run(client.node.core.remote_self(server.public_key))["key"] == server.public_key.hex()
        with pytest.raises(KeyUnknownError):
            client.ping("200:1::1", timeout=0.1)


def test_events() -> None:
    with blocking.node(listen=["tcp://127.0.0.1:0"]) as server:
        events = server.events(PeerUp, timeout=30)
        with blocking.node(peers=[str(server.node.core.listeners[0].url)]) as client:
            event = next(events)
            assert isinstance(event, PeerUp)
            assert event.key == client.public_key
        quiet = server.events(PeerUp, timeout=0.01)
        with pytest.raises(TimeoutError):
            next(quiet)


def test_errors_of_opening_leave_no_thread() -> None:
    with pytest.raises(UnknownSchemeError), blocking.node(peers=["tsl://a:1"]):
        pass
    assert threads() == []


def test_ctrl_c_ends_the_node() -> None:
    interrupt = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with blocking.node() as node:
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            node.connected(60)
    assert threads() == []


def test_an_error_of_the_program_goes_on_after_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError), blocking.node():
        raise ZeroDivisionError
    assert threads() == []
    assert caplog.text == ""


def test_closing_is_done_once() -> None:
    with blocking.node() as node:
        node.close()
        node.close()
    node.close()
    assert threads() == []


def test_a_child_process_leaves_the_node_to_its_parent() -> None:
    with blocking.node() as node:
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            status = 1
            try:
                with pytest.raises(ForkedError):
                    node.peers()
                node.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert node.peers() == []
