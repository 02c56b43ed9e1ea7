"""Recording how TCP connections fare: their figures, now and then, in a file of JSON lines."""

from __future__ import annotations

import json

from ygg.vtun.addresses import endpoint
from ygg.vtun.recording import Recording, Target
from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection


class Trace(Recording):
    """A recording of the figures of a VTun's TCP connections.

    Each line is an object: `time` (seconds since the epoch), `local` and `remote` ([address, port]), and all that
    `TcpConnection.info` tells.
    """

    def __init__(self, stack: NetStack, target: Target, interval: float) -> None:
        """See `VTun.trace`."""
        if not interval > 0:
            raise ValueError(f"the interval is a positive number of seconds, not {interval}")
        self._stack = stack
        super().__init__(target, interval)

    def flush(self) -> None:
        """Write the figures of all connections as they are now."""
        now = self._stack.clock.unix() / 1e9
        connections = [one for one in self._stack.endpoints() if isinstance(one, TcpConnection)]
        self._write("".join(json.dumps(_figures(connection, now)) + "\n" for connection in connections).encode())


def _figures(connection: TcpConnection, now: float) -> dict[str, object]:
    local, remote = (list(endpoint(*end)[:2]) for end in (connection.local, connection.remote))
    return {"time": now, "local": local, "remote": remote, **connection.info()}
