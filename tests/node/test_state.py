"""What a node tells about itself cannot be changed, and shows no password in a log."""

import dataclasses
from ipaddress import IPv6Address

import pytest

from ygg.node.state import PathEntry, PeerInfo, SelfInfo, SessionEntry, TreeEntry


def peer(**changes: object) -> PeerInfo:
    values = {one.name: None for one in dataclasses.fields(PeerInfo)} | changes
    return PeerInfo(**values)   # type: ignore[arg-type]


def test_the_password_of_a_proxy_is_not_shown() -> None:
    info = peer(url="socks://user:hunter2@[::1]:1080/[::2]:9000", redacted="socks://user:…@[::1]:1080/[::2]:9000")
    assert "hunter2" in info.url
    assert "hunter2" not in repr(info)
    assert info.redacted in repr(info)


@pytest.mark.parametrize("kind", [SelfInfo, PeerInfo, TreeEntry, PathEntry, SessionEntry])
def test_entries_are_values(kind: type) -> None:
    values = [IPv6Address(number) for number, _ in enumerate(dataclasses.fields(kind))]
    one = kind(*values)
    assert one == kind(*values)
    assert hash(one) == hash(kind(*values))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, dataclasses.fields(kind)[0].name, None)
