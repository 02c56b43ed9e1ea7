"""How soon servers of the integrations find out that a client is gone."""

from __future__ import annotations

from ygg.vtun import OptionArguments, VTun

IDLE = 60.0
"""Seconds without a segment before a connection that a server accepted is probed."""
INTERVAL = 15.0
"""Seconds between probes."""
COUNT = 4
"""Probes without an answer that end the connection."""


def probing(vtun: VTun) -> OptionArguments:
    """Return options for what a server accepts: it ends two minutes after its client has died without a word.

    Servers hold something for each client: a task, a place, a file that is open. A VTun whose own connections are
    probed sooner, or not at all, has its way.
    """
    options = vtun.options
    if not options.keepalive:
        return {}
    return {
        "keepalive_idle": min(options.keepalive_idle, IDLE),
        "keepalive_interval": min(options.keepalive_interval, INTERVAL),
        "keepalive_count": min(options.keepalive_count, COUNT),
    }
