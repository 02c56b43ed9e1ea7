class Reach:
    """The filters of one node's neighbours; see Router for what is public."""
