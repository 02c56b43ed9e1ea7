"""What the node below a VTun knows of the way to an address: whose it is, and what is missing when nothing answers.

A stack knows nothing of keys and paths; the gateway at the bottom of its layers does. A VTun that is attached to no
node, or to something that is no gateway, knows nothing, and what it dials is refused for nothing.
"""

import errno
import os

from ygg.errors import ConnectTimeout, KeyUnknownError, NoPathError, NoPeerError
from ygg.vtun.addresses import endpoint, failure
from ygg_c.ip.layer import Layer
from ygg_c.node.gateway import Gateway
from ygg_c.stack.netstack import NetStack

_MISSING = {
    "no_peer": NoPeerError.text,
    "no_key": KeyUnknownError.text,
    "no_path": NoPathError.text,
    "no_session": "the node does not answer",
    "session": "",
    "detached": "",
    "own": "",
}
"""What is missing, by what the gateway calls it."""


class Reach:
    """The ways from one stack."""

    def __init__(self, stack: NetStack) -> None:
        self._stack: NetStack | None = stack

    def close(self) -> None:
        """Know nothing any more: what outlives the VTun, as a transport in a log's traceback, keeps no stack alive."""
        self._stack = None

    @property
    def gateway(self) -> Gateway | None:
        """What is at the bottom of the layers below the stack, if it is a node's gateway."""
        below: Layer | None = None if self._stack is None else self._stack.lower
        while below is not None and not isinstance(below, Gateway):
            below = below.lower
        return below

    def key_of(self, raw: bytes) -> bytes | None:
        """Return the public key of the node that a packed address, or the /64 it is in, belongs to, if it is known."""
        gateway = self.gateway
        return None if gateway is None else gateway.key_of(raw)

    def learn(self, key: bytes) -> None:
        """Know a key, so that what is sent to its addresses needs no lookup of the key."""
        gateway = self.gateway
        if gateway is not None:
            gateway.learn(key)

    def state(self, raw: bytes) -> str:
        """Return how far the way to a packed address is known, as `Gateway.reach`; "detached" without a gateway."""
        gateway = self.gateway
        return "detached" if gateway is None else gateway.reach(raw)

    def check_served(self, raw: bytes, code: int) -> None:
        """Raise the error of an errno for an address of our own node that the stack does not serve."""
        gateway = self.gateway
        if gateway is None or gateway.reach(raw) != "own" or self._serves(raw):
            return
        raise failure(code, f"{endpoint(raw, 0)[0]} is this node's own, and nothing serves it")

    def _serves(self, raw: bytes) -> bool:
        address, served = int.from_bytes(raw), [] if self._stack is None else self._stack.addresses
        return any(address >> 128 - size == int.from_bytes(own) >> 128 - size for own, size in served)

    def timed_out(self, raw: bytes, doing: str) -> OSError:
        """Return the error of something that had no answer from a packed address in time, with what is missing."""
        state = self.state(raw)
        kind = {"no_key": KeyUnknownError, "no_path": NoPathError}.get(state, ConnectTimeout)
        missing = f" ({_MISSING[state]})" if _MISSING[state] else ""
        return kind(f"{os.strerror(errno.ETIMEDOUT)}: {doing}{missing}")
