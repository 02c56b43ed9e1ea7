class Location:
    """Where one node is in the tree."""
