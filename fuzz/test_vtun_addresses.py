"""Any text is 16 bytes that print to themselves, or fails as name resolution does."""

import socket

from hypothesis import given
from hypothesis import strategies as st

from ygg.vtun import addresses

PIECES = st.sampled_from(["::", ":", "2", "fd", "[", "]", "%", "%eth0", ".", "1.2.3.4", "200", "\x00", "٣"])
HOSTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=2))).map("".join), st.binary())


@given(HOSTS)
def test_any_host(host: str | bytes) -> None:
    try:
        raw = addresses.packed(host)
    except socket.gaierror:
        return
    assert len(raw) == 16
    assert addresses.packed(addresses.endpoint(raw, 1)[0]) == raw
