class Lookups:
    """The lookups of one node."""
