"""A server that gives each connection a thread, and ends with all of them."""

import logging
import threading

import pytest

from tests.blocking.pair import pair
from ygg.blocking import BlockingStream


def test_handlers_run_side_by_side_and_know_who_comes() -> None:
    together = threading.Barrier(3)
    keys = []

    def handler(stream: BlockingStream) -> None:
        keys.append(stream.public_key)
        together.wait(30)
        stream.write(b"all here")

    with pair() as (server, client), server.start_server(handler, 7):
        streams = [client.open_connection(server.address, 7, timeout=30) for _ in range(3)]
        assert [stream.read(timeout=30) for stream in streams] == [b"all here"] * 3
        for stream in streams:
            stream.close()
        assert keys == [client.public_key] * 3


def test_those_beyond_the_most_are_aborted() -> None:
    release = threading.Event()
    with pair() as (server, client), server.start_server(lambda stream: release.wait(30), 7, most=1):
        first = client.open_connection(server.address, 7, timeout=30)
        client.ping(server.address, timeout=30)
        second = client.open_connection(server.address, 7, timeout=30)
        assert second.read(timeout=30) == b""
        release.set()
        assert first.read(timeout=30) == b""
        first.close()
        second.close()


def test_the_end_aborts_what_is_connected_and_waits_for_its_threads() -> None:
    ended = []

    def handler(stream: BlockingStream) -> None:
        try:
            stream.read()
        finally:
            ended.append(True)

    with pair() as (server, client):
        listening = server.start_server(handler)
        stream = client.open_connection(server.address, listening.port, timeout=30)
        stream.write(b"x")
        client.ping(server.address, timeout=30)
        listening.close()
        listening.close()
        assert stream.read(timeout=30) == b""
        stream.close()
        with pytest.raises(ValueError, match="closed"):
            listening.port  # noqa: B018
    assert ended == [True]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ygg")]


def test_a_handler_that_fails_is_logged_and_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    def handler(stream: BlockingStream) -> None:
        if stream.readline(30) == b"fail\n":
            raise ZeroDivisionError
        stream.write(b"fine")

    with caplog.at_level(logging.ERROR, "ygg.blocking"), pair() as (server, client), server.start_server(handler, 7):
        for line, answer in ((b"fail\n", b""), (b"go on\n", b"fine")):
            with client.open_connection(server.address, 7, timeout=30) as stream:
                stream.write(line)
                assert stream.read(timeout=30) == answer
    assert caplog.text.count("The handler of a connection failed") == 1
    caplog.clear()  # the traceback has all that there was


def test_a_connection_that_no_thread_can_be_had_for_is_aborted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pair() as (server, client):
        listening = server.start_server(lambda stream: None, 7)
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "ygg.blocking"):
            patch.setattr(threading.Thread, "start", none_left)
            with client.open_connection(server.address, 7, timeout=30) as stream:
                assert stream.read(timeout=30) == b""
        assert "no thread" in caplog.text
        caplog.clear()  # the traceback has all that there was
        listening.close()
