class Parked:
    """Messages of one link, kept until it is proven or they may be verified, and its last filter before the proof."""
