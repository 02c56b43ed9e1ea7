class Forwarding:
    """What one router passes on; see Router for what is public."""
