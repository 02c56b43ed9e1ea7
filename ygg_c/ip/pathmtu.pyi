class PathMtus:
    """What the paths to other nodes take, where that is less than our own MTU (RFC 8201): used by the stack alone."""
