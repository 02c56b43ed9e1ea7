from ygg_c.routing.records import Records

class Tree(Records):
    """The neighbours of one node, what they say of the tree, and its place in it; see Router for what is public."""

    @property
    def requests_limited(self) -> int:
        """Signature requests dropped because their neighbour sent too many, or for which an unproven link was held."""
    @property
    def answers_unasked(self) -> int:
        """Signatures that answered no open question of their link."""

def replaces(new: tuple[int, bytes, int], old: tuple[int, bytes, int]) -> bool:
    """Tell whether a record (seq, parent key, nonce) replaces another for the same node (protocol 0.5, merge rule)."""

def smooth_lag(lag: int | None, rtt: int) -> int:
    """Return a link's lag in ns after a round trip of `rtt` ns; None is the lag before the first (protocol 0.5, link
    cost).
    """
