"""Distance; what it means for forwarding is in test_router."""

from ygg_c.routing.nexthop import distance


def test_distance():
    """The vectors of the protocol."""
    assert [distance(*pair) for pair in ([[1, 300], [1, 2]], [[], [1, 2]], [[1], [1, 3, 7]])] == [2, 2, 2]
