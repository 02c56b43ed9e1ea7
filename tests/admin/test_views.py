"""State as the stock daemon's clients expect it."""

import json
from ipaddress import IPv6Address
from typing import Any

from ygg import PeerInfo
from ygg.admin import views
from ygg.multicast import MulticastStatus
from ygg.node.state import LookupEntry, PathEntry, SessionEntry, TreeEntry

KEY, ADDRESS = bytes(32), IPv6Address("200::1")


def peer(**members: Any) -> PeerInfo:
    """Return a peer that is down, but for what is named."""
    none: dict[str, Any] = dict.fromkeys(PeerInfo.__dataclass_fields__, 0) | {
        "url": "tcp://u:p@h:1", "redacted": "tcp://u:xxxxx@h:1", "source_interface": "", "up": False, "inbound": False,
        "persistent": True, "key": None, "address": None, "uptime": 0.0, "latency": None, "last_error": "",
        "last_error_age": None,
    }  # fmt: skip
    return PeerInfo(**none | members)


def test_a_peer_that_is_down_leaves_out_what_is_zero() -> None:
    assert views.peer_view(peer(last_error="no", last_error_age=0.5)) == {
        "remote": "tcp://u:xxxxx@h:1", "up": False, "inbound": False, "key": "", "port": 0, "priority": 0, "cost": 0,
        "last_error_time": 500_000_000, "last_error": "no",
    }  # fmt: skip


def test_only_uptime_is_a_float_and_the_order_is_the_daemons() -> None:
    view = views.peer_view(peer(
        up=True, key=KEY, address=ADDRESS, port=1, cost=2, bytes_received=3, bytes_sent=4, receive_rate=5.5,
        send_rate=6, uptime=7.25, latency=0.00012345678,
    ))  # fmt: skip
    assert list(view) == [
        "remote", "up", "inbound", "address", "key", "port", "priority", "cost", "bytes_recvd", "bytes_sent",
        "rate_recvd", "rate_sent", "uptime", "latency",
    ]  # fmt: skip
    assert [name for name, value in view.items() if isinstance(value, float)] == ["uptime"]
    assert view["latency"] == 123457


def test_peers_are_sorted_as_asked() -> None:
    one = peer(redacted="1", inbound=True, up=True, key=b"\1" * 32, cost=1, uptime=9.0)
    two = peer(redacted="2", up=True, key=b"\2" * 32, cost=3, uptime=5.0)
    three = peer(redacted="3", up=True, key=b"\3" * 32, cost=2, uptime=7.0)
    orders = {"": "231", "nonsense": "231", "cost": "132", "UPTIME": "231"}
    for order, names in orders.items():
        view = views.peers_view([three, one, two], order)["peers"]
        assert "".join(entry["remote"] for entry in view) == names


def test_the_rest() -> None:
    key, address = "00" * 32, "200::1"
    assert views.tree_view([TreeEntry(KEY, ADDRESS, KEY, 3)]) == {
        "tree": [{"address": address, "key": key, "parent": key, "sequence": 3}]
    }
    assert views.paths_view([PathEntry(KEY, ADDRESS, (1, 2), 3, True)]) == {
        "paths": [{"address": address, "key": key, "path": [1, 2], "sequence": 3}]
    }
    assert views.sessions_view([SessionEntry(KEY, ADDRESS, 0, 0, 1.5)]) == {
        "sessions": [{"address": address, "key": key, "bytes_recvd": 0, "bytes_sent": 0, "uptime": 1.5}]
    }
    assert views.lookups_view([LookupEntry(KEY, ADDRESS, (), 5)]) == {
        "infos": [{"addr": address, "key": key, "path": [], "time": 5}]
    }
    assert views.multicast_view([MulticastStatus("eth0", "", True, False, True, {})]) == {
        "multicast_interfaces": [
            {"name": "eth0", "address": "-", "beacon": True, "listen": False, "password": True}
        ]
    }
    assert json.dumps(views.peers_view([])) == '{"peers": []}'
