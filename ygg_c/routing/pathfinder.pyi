class Pathfinder:
    """The paths and rumors of one node; see Router for what is public."""

    @property
    def lookups_limited(self) -> int:
        """Lookups dropped because their neighbour sent too many."""
    @property
    def breaks_limited(self) -> int:
        """Messages that a path is broken which were not acted on, for there were too many."""
    @property
    def checks_limited(self) -> int:
        """Notifies dropped unchecked: too many signatures to check at once."""
    @property
    def notifies_refused(self) -> int:
        """Notifies of a key that was not looked up, or not signed by it."""
