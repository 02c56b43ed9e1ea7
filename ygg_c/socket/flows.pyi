from ygg_c.base.timers import Timed

class Flow(Timed):
    """What may have to wait for a link."""

class FlowQueue:
    """Those that wait for one link."""
