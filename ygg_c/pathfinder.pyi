class Path:
    """Where a key is."""

class Rumor:
    """A key somebody here wants to reach."""

class Pathfinder:
    """The paths and rumors of one node; see Router for what is public."""

    @property
    def lookups_limited(self) -> int: ...
    @property
    def answers_limited(self) -> int: ...
    @property
    def checks_limited(self) -> int: ...
    @property
    def notifies_refused(self) -> int: ...
    @property
    def held_dropped(self) -> int: ...
