"""Any text parses to a URL that survives its own printing, or fails with a URLError."""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

from ygg.errors import DurationError, URLError
from ygg.url import PeerURL, format_duration, parse_duration

PIECES = st.sampled_from(
    ["tcp", "://", "::1", "127.0.0.1", "key", "password", "%25", *"[]:@/?&=%+#; |"]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join))


@given(TEXTS.map(lambda text: "tcp://" + text) | TEXTS)
@example("tcp://[fe80::1%25%41]:1")
@example("tcp://h:1?&&=&a")
def test_any_text(text: str) -> None:
    with contextlib.suppress(URLError):
        url = PeerURL.parse(text)
        again = PeerURL.parse(str(url))
        assert again == url
        assert again.options == url.options
        assert str(again) == str(url)
        PeerURL.parse(url.redacted())


@given(
    st.sampled_from(["tcp", "tls", "ws", "socks"]),
    st.sampled_from(["127.0.0.1", "::1", "fe80::1%eth0", "a.example", ""]),
    st.integers(0, 65535),
    st.lists(st.tuples(st.text(), st.text()), max_size=8),
)
def test_what_is_put_together_comes_apart(scheme: str, host: str, port: int, query: list[tuple[str, str]]) -> None:
    with contextlib.suppress(URLError, UnicodeEncodeError):
        url = PeerURL(scheme, host, port).with_query(query)
        if len(str(url)) < 4096:
            assert PeerURL.parse(str(url)) == url


@given(st.text() | st.from_regex(r"[-+]?([0-9]+(\.[0-9]*)?(ns|us|ms|s|m|h))+", fullmatch=True))
def test_any_duration(text: str) -> None:
    with contextlib.suppress(DurationError):
        seconds = parse_duration(text)
        assert abs(parse_duration(format_duration(seconds)) - seconds) <= max(1e-9, abs(seconds) * 1e-5)
