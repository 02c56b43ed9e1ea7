"""Whatever a proxy answers, the SOCKS5 client ends with a connection or a YggError, and never asks for much."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import YggError
from ygg.network.socks import messages


@given(st.binary() | st.binary().map(lambda tail: b"\5\0\5\0\0" + tail), st.text(max_size=300), st.booleans())
def test_any_answer(answer: bytes, host: str, user: bool) -> None:
    exchange = messages.connect(host, 1, "user" if user else "", "password")
    with contextlib.suppress(YggError, StopIteration):
        sent, wanted = next(exchange)
        while wanted <= len(answer):
            assert 1 <= wanted <= 257
            assert len(sent) <= 515
            sent, wanted = exchange.send(answer[:wanted])
            answer = answer[wanted:]
