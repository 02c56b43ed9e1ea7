def measure_box(size: int, count: int) -> float:
    """Seal and open `count` payloads of `size` bytes between two sessions as the data path does; return the seconds.

    ValueError when a payload of that size does not fit a session message (130914 bytes).
    """
