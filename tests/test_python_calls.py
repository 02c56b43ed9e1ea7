"""Python runs for each read, batch and call of the application - never for each packet."""

import asyncio

from benchmarks.stream import count_calls


def test_calls_do_not_grow_with_packets() -> None:
    """At MTU 1500 there are 44 times as many packets as at 65535, and about as many Python calls for each MiB."""
    large, small = asyncio.run(count_calls(65535, 30)), asyncio.run(count_calls(1500, 30))
    packets_in_a_mebibyte = (1 << 20) / 1428
    assert small < max(4 * large, packets_in_a_mebibyte / 4)
