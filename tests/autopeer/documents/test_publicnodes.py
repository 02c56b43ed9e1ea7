"""ygg.autopeer.documents.publicnodes: the crawler's JSON."""

import pytest

from tests.autopeer.lists import KEY, NOW, measured, parse, reasons
from ygg.autopeer.peer import FRESH, PublicPeer


def test_publicnodes() -> None:
    document = parse({"united-states.md": {f"tls://Host.example:443?key={KEY.upper()}": measured()}})
    assert document.form == "publicnodes"
    assert document.peers == [
        PublicPeer(
            url=f"tls://host.example:443?key={KEY.upper()}", scheme="tls", host="host.example", port=443,
            country="united states", key=KEY, up=True, response_ms=42, measured=NOW,
        )
    ]  # fmt: skip


def test_publicnodes_with_no_fields_but_the_url() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": {}}}).peers
    assert (peer.up, peer.response_ms, peer.key) == (None, None, None)


def test_stale_measurement_does_not_count() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured(updated=NOW - FRESH - 1)}}).peers
    assert (peer.up, peer.response_ms, peer.key) == (None, None, KEY)


def test_peer_that_is_down_has_no_response_time() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured(up=False)}}).peers
    assert (peer.up, peer.response_ms) == (False, None)


def test_measurement_grows_stale() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured()}}).peers
    assert peer.as_of(NOW + FRESH) == peer
    assert peer.as_of(NOW + FRESH + 1).up is None


@pytest.mark.parametrize(
    ("measurement", "reason"),
    [
        ([], "the measurement is no object"),
        (measured(proto_minor=4), "speaks protocol 0.4, not 0.5"),
        (measured(up="yes"), "`up` is not of type bool"),
        (measured(response_ms="42"), "`response_ms` is not a number"),
        (measured(response_ms=-1), "`response_ms` is out of range"),
        (measured(updated=10**400), "`updated` is out of range"),
        (measured(updated="now"), "`updated` is not a number"),
        (measured(imported="now"), "`imported` is not a number"),
        (measured(last_seen=[]), "`last_seen` is not a number"),
        (measured(key="ab"), "the key is not 64 hex digits"),
        (measured(key=5), "the key is not 64 hex digits"),
        (measured(key=False), "the key is not 64 hex digits"),
    ],
)
def test_publicnodes_measurement_left_out(measurement: object, reason: str) -> None:
    document = parse({"germany.md": {"tcp://192.0.2.1:1": measurement, "tcp://192.0.2.2:1": measured()}})
    assert reasons(document) == [reason]
    assert [peer.host for peer in document.peers] == ["192.0.2.2"]


def test_measured_key_must_be_one_the_url_pins() -> None:
    pinned = f"tcp://192.0.2.1:1?key={'a' * 64}&key={KEY}"
    (peer,) = parse({"germany.md": {pinned: measured()}}).peers
    assert peer.key == KEY
    assert reasons(parse({"germany.md": {pinned: measured(key="b" * 64)}})) == ["the key is not one the URL pins"]


def test_publicnodes_with_members_of_another_kind() -> None:
    document = parse({"generated": 5, "germany.md": {"tcp://192.0.2.1:1": {}}, "$schema": "x"})
    assert (document.form, len(document.peers), document.rejected) == ("publicnodes", 1, 0)


def test_publicnodes_country_of_the_wrong_type() -> None:
    document = parse({"germany.md": [], "france.md": {"tcp://192.0.2.1:1": {}}})
    assert reasons(document) == ["the country's peers are no object"]
    assert len(document.peers) == 1
