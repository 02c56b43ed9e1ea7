"""The client's side of SOCKS5, byte by byte: what it sends, what it reads, and what it makes of answers."""

import pytest

from ygg.errors import ConnectionRefused, HostUnreachable, NetworkUnreachable, ProxyError, ResolveError
from ygg.network.socks.messages import Exchange, connect

OPEN = b"\5\0"
DONE = [b"\5\0\0\1", b"\0" * 6]


def speak(exchange: Exchange, answers: list[bytes]) -> list[tuple[bytes, int]]:
    """Give an exchange a proxy's answers; return what it sent and asked to read each time."""
    steps = [next(exchange)]
    for answer in answers:
        assert len(answer) == steps[-1][1]
        try:
            steps.append(exchange.send(answer))
        except StopIteration:
            assert answer is answers[-1]
            return steps
    raise AssertionError("it wants more")


def test_without_a_user() -> None:
    steps = speak(connect("192.0.2.1", 80), [OPEN, *DONE])
    assert steps == [(b"\5\1\0", 2), (b"\5\1\0\1\xc0\0\2\1\0\x50", 4), (b"", 6)]


def test_with_a_user() -> None:
    steps = speak(connect("a.example", 443, "me", "secret"), [b"\5\2", b"\1\0", *DONE])
    assert [sent for sent, _ in steps] == [
        b"\5\2\0\2", b"\1\2me\6secret", b"\5\1\0\3\x09a.example\1\xbb", b""]


def test_a_user_alone_has_an_empty_password() -> None:
    assert speak(connect("::1", 1, "me"), [b"\5\2", b"\1\0", *DONE])[1][0] == b"\1\2me\0"


@pytest.mark.parametrize(("host", "sent"), [
    ("2001:db8::1", b"\4" + bytes.fromhex("20010db8000000000000000000000001")),
    ("fe80::1%eth0", b"\4" + bytes.fromhex("fe800000000000000000000000000001")),    # a zone is this machine's own
    ("bücher.example", b"\3\x15xn--bcher-kva.example"),
])
def test_hosts(host: str, sent: bytes) -> None:
    assert speak(connect(host, 1), [OPEN, *DONE])[1][0] == b"\5\1\0" + sent + b"\0\1"


@pytest.mark.parametrize("reply", [[b"\5\0\0\1", bytes(6)], [b"\5\0\0\4", bytes(18)], [b"\5\0\0\3", b"\4", bytes(6)]])
def test_the_address_in_the_reply_is_read_whatever_its_kind(reply: list[bytes]) -> None:
    speak(connect("h", 1), [OPEN, *reply])


@pytest.mark.parametrize(("answers", "error", "says"), [
    ([b"\4\0"], ProxyError, "not speak SOCKS5"),
    ([b"\5\2"], ProxyError, "wants authentication"),
    ([b"\5\xff"], ProxyError, "wants authentication"),
    ([b"\5\1"], ProxyError, "unknown method"),
    ([OPEN, b"\4\0\0\1"], ProxyError, "not speak SOCKS5"),
    ([OPEN, b"\5\1\0\1"], ProxyError, "general failure"),
    ([OPEN, b"\5\3\0\1"], NetworkUnreachable, "network"),
    ([OPEN, b"\5\4\0\1"], HostUnreachable, "no route"),
    ([OPEN, b"\5\5\0\1"], ConnectionRefused, "refused"),
    ([OPEN, b"\5\x63\0\1"], ProxyError, "failure 99"),
    ([OPEN, b"\5\0\0\2"], ProxyError, "unknown address type"),
])
def test_answers_that_end_it(answers: list[bytes], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        speak(connect("h", 1), answers)


def test_a_wrong_password() -> None:
    with pytest.raises(ProxyError, match="wrong user name or password"):
        speak(connect("h", 1, "me", "no"), [b"\5\2", b"\1\1"])


@pytest.mark.parametrize(("arguments", "error"), [
    (("h" * 256, 1), ProxyError), (("", 1), ProxyError), (("ü" * 64, 1), ResolveError),
    (("h", 1, "u" * 256), ProxyError), (("h", 1, "u", "p" * 256), ProxyError),
])
def test_what_does_not_fit(arguments: tuple[str, int], error: type[Exception]) -> None:
    with pytest.raises(error):
        speak(connect(*arguments), [b"\5\2" if len(arguments) > 2 else OPEN])
