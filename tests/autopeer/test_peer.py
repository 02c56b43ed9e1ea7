"""ygg.autopeer.peer: URLs of strangers, and the names of places."""

import pytest

from tests.autopeer.lists import KEY, NOW, reasons
from ygg.autopeer.documents import parse_document
from ygg.autopeer.peer import MAX_TEXT, PeerRejected, PublicPeer, check_peer, place
from ygg.url import host_port


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "not a string"),
        ("tcp://h:1/" + "x" * 2000, "longer than"),
        ("tcp://host name:1", "spaces, control"),
        ("tcp://host:1\n", "spaces, control"),
        ("tcp://h\u00f6st:1", "non-ASCII"),
        ("host.example:443", "scheme"),
        ("socks://127.0.0.1:9050/host.onion:1", "'socks' is none of a public peer's"),
        ("unix:///run/ygg.sock", "'unix' is none of a public peer's"),
        ("file:///etc/passwd", "'file' is none of a public peer's"),
        ("tls://user:secret@host:1", "credentials"),
        ("tls://host", "no port"),
        ("tls://host:0", "no port"),
        ("tls://host:65536", "invalid port"),
        ("tls://:443", "neither a name nor an address"),
        ("tls://host..example:443", "neither a name nor an address"),
        ("tls://" + "a" * 64 + ":443", "neither a name nor an address"),
        ("tls://[fe80::1%25eth0]:443", "zone"),
        ("tls://0.0.0.0:443", "no unicast"),
        ("tls://[ff02::1]:443", "no unicast"),
        ("tls://[::ffff:0.0.0.0]:443", "no unicast"),
        ("tls://[::ffff:224.0.0.1]:443", "no unicast"),
        ("tls://255.255.255.255:443", "no unicast"),
        ("tls://240.0.0.1:443", "no unicast"),
        ("tls://[200::1]:443", "inside the overlay"),
        ("tls://[3ff:ffff::1]:443", "inside the overlay"),
        ("tls://host:443?key=12", "pinned public key is invalid"),
        ("tls://host:443?priority=256", "priority value is invalid"),
    ],
)
def test_refused_url(url: object, reason: str) -> None:
    with pytest.raises(PeerRejected, match=reason):
        check_peer(url, country="germany")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST.", "a.localhost",
     "169.254.169.254", "[fe80::1]", "[::ffff:169.254.1.1]"],
)  # fmt: skip
def test_host_of_this_machine_or_link_is_taken_only_where_allowed(host: str) -> None:
    data = f"`tcp://{host}:1` `tcp://192.168.0.1:1`".encode()
    document = parse_document(data, now=NOW)
    assert reasons(document) == ["the host is this machine's or link's own"]
    assert [peer.host for peer in document.peers] == ["192.168.0.1"]
    assert len(parse_document(data, now=NOW, allow_local=True).peers) == 2


def test_url_identity_ignores_case_query_and_empty_path() -> None:
    one = check_peer(f"TLS://Host.Example:443/?key={KEY}", country="germany")
    other = check_peer("tls://host.example:443", country="germany")
    assert one.identity == other.identity == "tls://host.example:443"


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("Host.Example.", "host.example"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("[::FFFF:c000:201]", "192.0.2.1"),
        ("192.0.2.1.", "192.0.2.1"),
    ],
)
def test_host_has_one_spelling(spelled: str, plain: str) -> None:
    peer = check_peer(f"tcp://{spelled}:01?a=B", country="germany")
    assert (peer.host, peer.identity) == (plain, f"tcp://{host_port(plain, 1)}")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0x7f000001", "1.2.3.4.5", "a.0x1", "300.0.0.1"])
def test_host_that_ends_in_a_number_is_an_address_in_full(host: str) -> None:
    with pytest.raises(PeerRejected, match="neither a name nor an address"):
        check_peer(f"tcp://{host}:1", country="germany")


def test_later_list_fills_in_what_the_earlier_left_open() -> None:
    one = PublicPeer("tcp://h:1", "tcp", "h", 1, "germany", uptime=0.0)
    other = PublicPeer("tcp://h:1", "tcp", "h", 1, "france", "europe", KEY, up=True, uptime=9.0)
    assert one.completed(other) == PublicPeer("tcp://h:1", "tcp", "h", 1, "germany", "europe", KEY, up=True, uptime=0.0)


def test_names_of_places() -> None:
    assert place("United-States.md") == place("united states") == place("UNITED_STATES") == "united states"


def test_names_of_places_are_fit_to_be_shown() -> None:
    assert place("ger\x1b[2Jmany\n \u202epeers\0") == "ger [2jmany peers"
    assert len(place("x" * 5000)) == MAX_TEXT
