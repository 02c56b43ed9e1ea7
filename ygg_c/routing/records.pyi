class Record:
    """Who a node's parent is, under which port, signed by both."""

class Records:
    """The records of one node; see Tree."""

    @property
    def records_refused(self) -> int:
        """Records not taken in, the table full of better ones."""
    @property
    def records_evicted(self) -> int:
        """Records on the way of no neighbour that made room for others."""
