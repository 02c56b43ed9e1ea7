"""Whatever a stranger's NodeInfo says, what is dialed is a bounded number of pinned URIs of the public internet."""

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from ygg.jumper.addresses import MOST_URIS, AddressPolicy, is_public, published_by
from ygg.url import PeerURL

KEY = b"\x0b" * 32
POLICY = AddressPolicy(frozenset({"tcp", "tls"}))

HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.text(max_size=20),
)
URIS = st.builds(
    "{}://{}:{}{}".format,
    st.sampled_from(["tcp", "TLS", "ws", "unix", "socks", ""]),
    HOSTS,
    st.one_of(st.integers(-1, 70_000), st.text(max_size=5)),
    st.sampled_from(["", "/", "?key=00", f"?key={'00' * 32}", "?password=x&priority=3", "#x", "?" + "x" * 300]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), URIS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(st.one_of(st.lists(URIS, max_size=20), JSON))
def test_offers(listed: object) -> None:
    found = published_by(KEY, {"direct": listed}, POLICY)
    assert len(found) <= MOST_URIS
    assert len(set(found)) == len(found)
    for url in found:
        assert PeerURL.parse(str(url)) == url
        assert url.options.keys == (KEY,)
        assert url.scheme in POLICY.schemes
        assert url.port
        assert (url.userinfo, url.path, len(url.query)) == ("", "", 1)
        assert is_public(ip_address(url.host))
