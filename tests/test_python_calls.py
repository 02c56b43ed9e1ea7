"""Python runs for each read, batch and call of the application - never for each packet."""

import asyncio

from benchmarks.stream import count_calls


def test_calls_do_not_grow_with_packets() -> None:
    """A MiB takes 718 packets more at MTU 1500 than at 65535, and not a quarter as many Python calls more."""
    # The least of three: a busy machine makes for smaller batches, and never for larger ones.
    large, small = (min(asyncio.run(count_calls(mtu, 10)) for _ in range(3)) for mtu in (65535, 1500))
    more_packets = (1 << 20) / (1500 - 72) - (1 << 20) / (65535 - 72)
    assert small - large < more_packets / 4
