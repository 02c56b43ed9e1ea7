class Gossip:
    """What the neighbours of one node are told of the tree's records."""
