"""ygg.cli.ctl_tables: what is shown of a response; tests/interop compares it with what the stock client shows."""

from typing import Any

import pytest

from ygg.cli.ctl_tables import duration, size, table_of

PEER = {
    "remote": "tls://h:1", "up": True, "inbound": False, "address": "200::1", "key": "ab", "port": 1, "priority": 0,
    "cost": 7, "bytes_recvd": 1, "bytes_sent": 2048, "rate_recvd": 100, "uptime": 61.9, "latency": 1_234_567,
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), [
    (0, "0B"), (99, "99B"), (100, "0.1KB"), (1023, "1.0KB"), (1048575, "1024.0KB"), (1 << 20, "1.0MB"),
    (1 << 30, "1.0GB"), (1 << 40, "1.0TB"), (1 << 50, "1024.0TB"),
])  # fmt: skip
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0.9, "0s"), (59.9, "59s"), (60, "1m0s"), (3600, "1h0m0s"), (90061.7, "25h1m1s"),
])  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_link_that_is_up_and_one_that_is_down() -> None:
    down = {
        "remote": "tcp://h:2", "up": False, "inbound": True, "key": "", "port": 0, "priority": 3, "cost": 0,
        "last_error": "refused", "last_error_time": 61_000_000_000,
    }  # fmt: skip
    table = table_of("getPeers", {"peers": [PEER, down]})
    assert table is not None
    assert list(table[1]) == [
        ["tls://h:1", "Up", "Out", "200::1", "1m1s", "1.23ms", "1B", "2.0KB", "0.1KB/s", "-", "0", "7", "-"],
        ["tcp://h:2", "Down", "In", "", "0s", "-", "0B", "0B", "-", "-", "3", "0", "1m1s ago: refused"],
    ]


def test_what_would_control_a_terminal_is_not_shown() -> None:
    table = table_of("getpeers", {"peers": [PEER | {"up": False, "last_error": "\x1b[2J\n", "last_error_time": 0}]})
    assert table is not None
    assert table[1][0][-1] == "0s ago: �[2J�"


@pytest.mark.parametrize("response", [None, {}, [], 5, {"peers": None}, {"peers": [{}]}, {"peers": [5]}])
def test_a_response_of_another_shape_has_no_table(response: Any) -> None:
    assert table_of("getPeers", response) is None


def test_a_command_of_its_own_has_no_table() -> None:
    assert table_of("getCounters", {"forwarded": 1}) is None


def test_a_device_that_is_off() -> None:
    assert table_of("getTun", {"enabled": False}) == ((), [["TUN enabled:", "false"]])


def test_settings_and_candidates() -> None:
    members = {"enabled": True, "countries": ["a", "b"], "links": [{"remote": "tls://h:1"}], "chosen": [], "peers": 3}
    assert table_of("setAutoPeer", members) == ((), [
        ["Enabled:", "Yes"], ["Countries:", "a, b"], ["Links:", "tls://h:1"], ["Chosen:", "-"], ["Peers:", "3"],
    ])  # fmt: skip
    known = {"uri": "tls://h:1", "country": "a", "up": True, "uptime_percent": 99.54}
    candidates = [known, {"uri": "u", "country": ""}]
    assert table_of("getAutoPeerCandidates", {"candidates": candidates}) == (
        ("URI", "Country", "State", "Uptime"), [["tls://h:1", "a", "Up", "99.5%"], ["u", "", "-", "-"]],
    )  # fmt: skip
    transport = {"network_mapping_configs": {"*.i2p": None, "x": {"ProxyURL": "socks5://h:1"}},
                 "default_network_config": "native"}  # fmt: skip
    assert table_of("getTransport", transport) == (
        ("Hosts", "Network"), [["*.i2p", "refused"], ["x", "socks5://h:1"], ["all others", "native"]],
    )  # fmt: skip
