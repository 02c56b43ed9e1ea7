class LocalTraffic:
    """What one router sends for its node, and has received for it; see Router for what is public."""
