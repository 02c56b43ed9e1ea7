class Loopback:
    """Packets on their way from a stack to itself."""
