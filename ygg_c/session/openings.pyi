from ygg_c.session.session import Remote

class Opening(Remote):
    """A session that waits for the remote's keys."""

class Openings:
    """The openings of one identity by remote key."""
