"""ygg.url: peer URLs, their options, durations."""

import pytest

from ygg import errors
from ygg.url import LinkOptions, PeerURL, format_duration, parse_duration

KEY = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"


def test_every_part_is_found() -> None:
    url = PeerURL.parse("SOCKS://me:p%40ss@proxy.example:1080/target.onion:443?priority=3")
    assert (url.scheme, url.host, url.port, url.path) == ("socks", "proxy.example", 1080, "/target.onion:443")
    assert (url.username, url.password) == ("me", "p@ss")
    assert url.options.priority == 3


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tcp://127.0.0.1:1234", "127.0.0.1", 1234),
        ("tcp://[::1]:0", "::1", 0),
        ("tcp://[fe80::1%25eth0]:1", "fe80::1%eth0", 1),
        ("tcp://[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ("tcp://:65535", "", 65535),
        ("tcp://a.example", "a.example", None),
        ("unix:///run/ygg.sock", "", None),
    ],
)
def test_host_and_port(text: str, host: str, port: int | None) -> None:
    url = PeerURL.parse(text)
    assert (url.host, url.port) == (host, port)
    assert PeerURL.parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "location"),
    [("tcp://1.2.3.4:5", "1.2.3.4:5"), ("tcp://[::1]:5", "[::1]:5"), ("unix:///a/b", "/a/b"), ("tcp://:5", ":5")],
)
def test_location_is_what_a_listener_prints(text: str, location: str) -> None:
    assert PeerURL.parse(text).location == location


def test_identity_keeps_all_but_the_query() -> None:
    url = PeerURL.parse(f"ws://me:pw@[::1]:80/path?key={KEY}&password=x")
    assert url.identity == "ws://me:pw@[::1]:80/path"


def test_options_are_decoded() -> None:
    url = PeerURL.parse(f"tls://h:1?key={KEY}&key={KEY.upper()}&password=a+b%C3%A9&maxbackoff=1m30s&sni=n&origin=*&x=1")
    key = bytes.fromhex(KEY)
    assert url.options == LinkOptions((key, key), 0, "a bé".encode(), 90.0, "n", ("*",))
    assert url.get("x") == "1"


def test_keepalive() -> None:
    assert PeerURL.parse("ws://h:1?keepalive=50s").options.keepalive == 50
    assert PeerURL.parse("ws://h:1?keepalive=0").options.keepalive == 0
    assert PeerURL.parse("ws://h:1").options.keepalive == 0
    for value in ("50", "999ms", "-1s", "often"):
        with pytest.raises(errors.KeepaliveError):
            PeerURL.parse(f"ws://h:1?keepalive={value}")


def test_the_first_of_a_repeated_option_counts_and_an_empty_one_is_absent() -> None:
    assert PeerURL.parse("tcp://h:1?priority=1&priority=2").options.priority == 1
    assert PeerURL.parse("tcp://h:1?priority=&password=&maxbackoff=&key=").options == LinkOptions()


@pytest.mark.parametrize("password", ["a|b{c}^d`e<f>", "a b", "grüße", '"\\', "a\u2028b", "?/@[]:'"])
def test_a_query_may_be_written_without_escapes(password: str) -> None:
    url = PeerURL.parse(f"tcp://h:1?password={password}&priority=1")
    assert url.options == LinkOptions(priority=1, password=password.encode())
    assert PeerURL.parse(str(url)) == url
    assert str(url).isascii()


@pytest.mark.parametrize("option", ["sni=100%", "maxbackoff=%zz", "sni=a;b", "pass%word=a", "sni=x%4"])
def test_a_malformed_option_is_left_out_as_the_reference_leaves_it_out(option: str) -> None:
    url = PeerURL.parse(f"tcp://h:1?{option}&priority=1")
    assert url.options == LinkOptions(priority=1)
    assert str(url) == "tcp://h:1?priority=1"


@pytest.mark.parametrize(
    ("query", "kind", "text"),
    [
        ("priority=256", errors.PriorityError, "priority value is invalid"),
        ("priority=-1", errors.PriorityError, "priority value is invalid"),
        ("priority=1_0", errors.PriorityError, "priority value is invalid"),
        ("key=zz", errors.PinnedKeyError, "pinned public key is invalid"),
        (f"key={KEY}00", errors.PinnedKeyError, "pinned public key is invalid"),
        (f"password={'x' * 65}", errors.PasswordError, "invalid password supplied"),
        ("maxbackoff=4s", errors.BackoffError, "max backoff duration invalid"),
        ("maxbackoff=10", errors.BackoffError, "max backoff duration invalid"),
        ("congestion=b/r", errors.CongestionError, "congestion control invalid"),
        (f"congestion={'x' * 16}", errors.CongestionError, "congestion control invalid"),
    ],
)
def test_bad_options_fail_with_the_known_texts(query: str, kind: type[errors.URLError], text: str) -> None:
    with pytest.raises(kind) as caught:
        PeerURL.parse(f"tcp://h:1?{query}")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h:1",
        "tcp:h:1",
        "://h:1",
        "1tcp://h:1",
        "tcp://h:65536",
        "tcp://h:",
        "tcp://h:x",
        "tcp://h:-1",
        "tcp://h:１",
        "tcp://[::1:1",
        "tcp://[::1]1",
        "tcp://[1.2.3.4]:1",
        "tcp://::1:1",
        "tcp://[fe80::1%25]:1",
        "tcp://h h:1",
        "tcp://h\n:1",
        "tcp://h\x00:1",
        "tcp://h:1?password=a\nb",
        "tcp://h:1?password=\x7f",
        "tcp://h:1?password=\ud800",
        "tcp://h:1/a b?password=x",
        "tcp://h:1?password=100%",
        "tcp://h:1?password=%zz",
        "tcp://h:1?pass%77ord=a;b",
        f"tcp://h:1?key={KEY}%",
        f"tcp://h:1?key=%{KEY}",
        f"tcp://h:1?key={KEY};",
        "tcp://h:1/" + "a" * 5000,
        "tcp://h:1?" + "a=1&" * 65,
    ],
)
def test_malformed_urls_are_refused(text: str) -> None:
    with pytest.raises(errors.URLError):
        PeerURL.parse(text)


def test_a_missing_port_is_told_as_the_reference_tells_it() -> None:
    with pytest.raises(errors.URLError, match=r"^address 127\.0\.0\.1: missing port in address$"):
        PeerURL.parse("tcp://127.0.0.1").require_port()


def test_changed_copies() -> None:
    url = PeerURL.parse("metered+tcp://127.0.0.1:1?priority=9")
    assert str(url.with_scheme("TCP")) == "tcp://127.0.0.1:1?priority=9"
    assert str(url.with_host("::1", 2)) == "metered+tcp://[::1]:2?priority=9"
    assert str(url.with_path("/p")) == "metered+tcp://127.0.0.1:1/p?priority=9"
    assert url.with_query([("priority", "7")]).options.priority == 7
    assert url.with_query().options == LinkOptions()
    assert url.options.priority == 9


def test_secrets_stay_out_of_repr_and_redacted() -> None:
    url = PeerURL.parse("socks://me:hush@h:1/t:1?password=secret&priority=1")
    for shown in (repr(url), url.redacted(), repr(url.options)):
        assert "hush" not in shown
        assert "secret" not in shown
    assert url.redacted() == "socks://me:xxxxx@h:1/t:1?password=xxxxx&priority=1"
    assert "secret" in str(url)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", 0.3),
        ("1.5m", 90.0),
        ("1h30m", 5400.0),
        ("1h8m16s", 4096.0),
        ("-2s", -2.0),
        ("+2s", 2.0),
        (".5s", 0.5),
        ("5.s", 5.0),
        ("0", 0.0),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        ("1μs", 1e-6),
        ("7ns", 7e-9),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "s", ".s", "1x", "1 s", "--1s", "1s1", "+", "9999999h", "1e3s", "١s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(errors.DurationError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4096, "1h8m16s"), (90, "1m30s"), (2, "2s"), (1.5, "1.5s"), (0.3, "300ms"), (0, "0s"), (-60, "-1m0s")],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
