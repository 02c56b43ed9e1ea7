class Rumor:
    """A key that is to be reached from here."""

class Rumors:
    """The keys that one node wants to reach."""
