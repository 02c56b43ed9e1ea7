"""What connections begin with: what is taken, and that a copy is one."""

import pytest

from ygg_c.tcp.options import TcpOptions

SECOND = 1_000_000_000
CHANGED = {
    "nodelay": True, "corked": True, "quick_ack": True, "keepalive": (SECOND, 2 * SECOND, 3), "user_timeout": 4,
    "linger": 5, "send_limit": 6, "receive_limit": 7, "unsent_limit": 8, "mss_limit": 1000, "ecn": 1,
    "congestion_control": "newreno",
}
FIRST = {
    "nodelay": False, "corked": False, "quick_ack": False, "keepalive": None, "user_timeout": 0, "linger": None,
    "send_limit": None, "receive_limit": None, "unsent_limit": None, "mss_limit": None, "ecn": None,
    "congestion_control": None,
}


def values(options: TcpOptions) -> dict[str, object]:
    return {name: getattr(options, name) for name in FIRST}


def test_they_begin_as_the_system_s_do() -> None:
    options = TcpOptions()
    assert values(options) == FIRST
    assert options.keepalive_times == (7200 * SECOND, 75 * SECOND, 9)


def test_a_copy_has_all_values_and_is_another() -> None:
    options = TcpOptions()
    for name, value in CHANGED.items():
        setattr(options, name, value)
    copied = options.copy()
    assert values(copied) == values(options) == CHANGED
    for name, value in FIRST.items():
        setattr(options, name, value)
    assert values(copied) == CHANGED
    assert values(options) == FIRST


def test_times_are_kept_while_keepalive_is_off() -> None:
    options = TcpOptions()
    options.keepalive = (1, 2, 3)
    options.keepalive = None
    assert options.keepalive_times == (1, 2, 3)


@pytest.mark.parametrize(("name", "value"), [
    *((name, value) for name in ("send_limit", "receive_limit", "unsent_limit") for value in (0, -1)),
    *(("mss_limit", value) for value in (-1, 0, 1, 65536)),
    *(("ecn", value) for value in (-1, 3)),
    *(("keepalive_times", value) for value in ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, -1))),
    ("congestion_control", "none such"),
])
def test_what_makes_no_sense_is_refused_and_changes_nothing(name: str, value: object) -> None:
    options = TcpOptions()
    with pytest.raises(ValueError, match=r"\w"):
        setattr(options, name, value)
    assert values(options) == FIRST
    assert options.keepalive_times == (7200 * SECOND, 75 * SECOND, 9)


@pytest.mark.parametrize(("name", "value", "kept"), [
    ("unsent_limit", 1 << 40, (1 << 32) - 1), ("keepalive_times", (1, 1, 1 << 20), (1, 1, 65535)),
])
def test_what_is_larger_than_there_is_room_for_is_the_most(name: str, value: object, kept: object) -> None:
    options = TcpOptions()
    setattr(options, name, value)
    assert getattr(options, name) == kept
