class Record:
    """Who a node's parent is, under which port, signed by both."""

class Tree:
    """The records of one node, and what follows from them; see Router for what is public."""

    @property
    def requests_limited(self) -> int:
        """Signature requests dropped because their neighbour sent too many, or for which an unproven link was held."""
    @property
    def answers_unasked(self) -> int:
        """Signatures that answered no open question of their link."""
    @property
    def records_refused(self) -> int:
        """Records not taken in, the table full of better ones."""
    @property
    def records_evicted(self) -> int:
        """Records on the way of no neighbour that made room for others."""

def replaces(new: tuple[int, bytes, int], old: tuple[int, bytes, int]) -> bool:
    """Tell whether a record (seq, parent key, nonce) replaces another for the same node (protocol 0.5, merge rule)."""

def smooth_lag(lag: int | None, rtt: int) -> int:
    """Return a link's lag in ns after a round trip of `rtt` ns; None is the lag before the first (protocol 0.5, link cost)."""
