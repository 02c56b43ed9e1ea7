"""Write buffer limits, as asyncio's transports have them."""


def watermarks(high: int | None, low: int | None, default: int) -> tuple[int, int]:
    """Return (low, high) in bytes for what `set_write_buffer_limits` was given; `default` is the high mark of no wish.

    Raises `ValueError` for limits that make no sense.
    """
    if high is None:
        high = default if low is None else 4 * low
    if low is None:
        low = high // 4
    if not high >= low >= 0:
        raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
    return low, high
