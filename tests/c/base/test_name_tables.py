"""Tables of names beside the enums they name: one name for each number, in the same order."""

import re
from pathlib import Path

import pytest

from ygg_c.base import live
from ygg_c.socket.endpoint import COUNT_NAMES
from ygg_c.tcp import state

ROOT = Path(__file__).parents[3] / "ygg_c"

OTHERWISE = {
    "COUNT_SESSION_OPENED": "opened", "COUNT_TCP_CE_IN": "tcp_ce_received", "COUNT_TCP_ECE_IN": "tcp_ece_received",
    "OK": "", "SYN_RCVD": "SYN-RECEIVED",
    "CALL_OPEN": "OPEN call", "CALL_LISTEN": "LISTEN call", "CALL_CLOSE": "CLOSE call", "GOT_SYN_ACK": "SYN,ACK",
    "TIMED_OUT": "timeout",
}
"""What no rule makes of a number's name."""


def numbers(module: str, first: str, end: str) -> list[str]:
    """Return the members of the enum in a module's .pxd that begins with `first`, in order, without `end`, which counts
    them.
    """
    text = re.sub(r"#.*", "", (ROOT / f"{module}.pxd").read_text(encoding="utf-8"))
    for body in re.findall(r"^cdef enum ?\w*: *\n((?:    .*\n|\s*\n)+)", text, re.M):
        members: list[str] = re.findall(r"^    (\w+)", body, re.M)
        if members[0] == first:
            return members[:-1] if members[-1] == end else members
    raise AssertionError(f"{module}.pxd has no enum that begins with {first}")


def names(module: str, table: str) -> list[str]:
    """Return the strings of a tuple in a module's .pyx."""
    text = (ROOT / f"{module}.pyx").read_text(encoding="utf-8")
    found = re.search(rf"^{table} = \((.*?)\)$", text, re.M | re.S)
    assert found is not None, f"{module}.pyx has no {table}"
    return re.findall(r'"([^"]*)"', found[1])


def plain(name: str) -> str:
    """Return a name without what tells it from its number's: case and what joins its words."""
    return re.sub(r"[-_ ,]", "", name).lower()


@pytest.mark.parametrize(("module", "table", "first", "end", "prefix"), [
    ("base/live", "_NAMES", "LIVE_NODE", "LIVE_KINDS", "LIVE_"),
    ("session/known", "_COUNT_NAMES", "COUNT_MALFORMED", "COUNTS", "COUNT_"),
    ("socket/endpoint", "COUNT_NAMES", "COUNT_PACKETS_IN", "COUNTERS", "COUNT_"),
    ("link/wire", "_ERRORS", "OK", "", ""),
    ("tcp/state", "STATES_BY_NAME", "CLOSED", "STATES", ""),
    ("tcp/state", "EVENTS_BY_NAME", "CALL_OPEN", "EVENTS", "GOT_"),
])
def test_each_number_has_its_name(module: str, table: str, first: str, end: str, prefix: str) -> None:
    found = numbers(module, first, end)
    expected = [OTHERWISE.get(number, number.removeprefix(prefix)) for number in found]
    assert [plain(name) for name in names(module, table)] == [plain(name) for name in expected]


def test_the_tables_are_what_is_in_use() -> None:
    """What was read from the sources is what the engine has."""
    assert list(live.counts()) == names("base/live", "_NAMES")
    assert list(COUNT_NAMES) == names("socket/endpoint", "COUNT_NAMES")
    assert list(state.STATES_BY_NAME) == names("tcp/state", "STATES_BY_NAME")
    assert list(state.EVENTS_BY_NAME) == names("tcp/state", "EVENTS_BY_NAME")
