class Parked:
    """Announcements and the last filter of one link, kept until its far side is proven."""
