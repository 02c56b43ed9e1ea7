from collections.abc import Sequence

class NextHops:
    """The next hops of one node; see Router for what is public."""

def distance(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many tree links lie between two coordinates, given as ports from the root down (protocol 0.5,
    coordinates).
    """
