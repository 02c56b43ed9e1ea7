"""ygg.integrations.access_log: who asked for what, in lines that callers cannot forge."""

import logging

import pytest

from tests.aio import run
from ygg.integrations.access_log import AccessLog

KEY = bytes(range(32))


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"} if scope["path"] == "/open" else {"type": "websocket.close"})
        return
    if scope["path"] == "/fails":
        raise LookupError
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"word", "more_body": True})
    await send({"type": "http.response.body"})


def ask(scope, known=True):
    if known:
        scope["extensions"] = {"ygg": {"public_key": KEY}}

    async def main():
        async def send(message):
            pass

        await AccessLog(app)(scope, None, send)

    run(main())


def scope(path, kind="http", **more):
    return {"type": kind, "method": "POST", "path": path, "http_version": "2", "client": ("200::1", 5)} | more


@pytest.mark.parametrize(("asked", "line"), [
    (scope("/x"), f'200::1 {KEY.hex()} "POST /x HTTP/2" 201 4'),
    (scope("/x", query_string=b"a=b", raw_path=b"/%20"), f'200::1 {KEY.hex()} "POST /%20?a=b HTTP/2" 201 4'),
    (scope('/\n127.0.0.1 "GET'), f'200::1 {KEY.hex()} "POST /\\x0a127.0.0.1\\x20\\x22GET HTTP/2" 201 4'),
    (scope("/x", method='G"\x1b[31m ET'), f'200::1 {KEY.hex()} "G\\x22\\x1b[31m\\x20ET /x HTTP/2" 201 4'),
    (scope("/x", client=None), f'- {KEY.hex()} "POST /x HTTP/2" 201 4'),
    ({key: value for key, value in scope("/open", "websocket").items() if key != "method"},
     f'200::1 {KEY.hex()} "GET /open HTTP/2" 101 0'),
    (scope("/closed", "websocket"), f'200::1 {KEY.hex()} "POST /closed HTTP/2" 403 0'),
])
def test_a_line(caplog, asked, line):
    with caplog.at_level(logging.INFO, "ygg.access"):
        ask(asked)
    assert caplog.messages == [line]


@pytest.mark.parametrize("long", [scope("/" * 100_000), scope("/", method="A" * 100_000)])
def test_what_is_long_is_cut(caplog, long):
    with caplog.at_level(logging.INFO, "ygg.access"):
        ask(long)
    assert len(caplog.messages[0]) < 2500


def test_an_application_that_fails_is_logged_too_and_a_key_need_not_be_known(caplog):
    with caplog.at_level(logging.INFO, "ygg.access"), pytest.raises(LookupError):
        ask(scope("/fails"), known=False)
    assert caplog.messages == ['200::1 - "POST /fails HTTP/2" - 0']


def test_it_is_off_unless_asked_for(caplog):
    with caplog.at_level(logging.WARNING, "ygg.access"):
        ask(scope("/x"))
    assert caplog.messages == []
