class RemoteNode:
    """What one remote node has of a stack."""

class RemoteNodes:
    """The remote nodes that have connections with a stack, and what they may have."""
