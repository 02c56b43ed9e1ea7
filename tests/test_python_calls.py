"""Python runs for each read, batch and call of the application - never for each packet."""

import asyncio

import pytest

from benchmarks.stream import count_calls

TURN, DATA = 40, 150
"""Calls that one turn of the event loop may take, and that writing and reading one MiB may take."""


@pytest.mark.parametrize("mtu", [65535, 1500])
def test_calls_grow_with_reads_and_not_with_packets(mtu: int) -> None:
    """A call for each packet would show at MTU 1500: a MiB is 734 of them there, and 16 at MTU 65535.

    How many turns a MiB takes is the machine's affair: a busy one makes for smaller reads. Debug mode is off, for it
    writes a log record, which takes hundreds of calls, about each turn that such a machine makes slow.
    """
    calls, turns = asyncio.run(count_calls(mtu, 20), debug=False)
    assert calls < TURN * turns + DATA
