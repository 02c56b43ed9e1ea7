from ygg_c.routing.router import Router

class RouterTap(Router):
    """A router without sessions, for simulations and tests: its messages are taken and given as bytes."""

    def turn(self, now: int, wall: int) -> int | None:
        """Set the clock (`now` in ns, `wall` in unix seconds), run due timers, close failed links, flush output; return
        the next deadline in ns, or None.

        Links fed between two turns see the clock of the first.
        """
    def send(self, key: bytes, payload: bytes) -> None:
        """Send a message to a 32-byte key."""
    def take_delivered(self) -> list[tuple[bytes, bytes]]:
        """Return the messages that arrived since the last call as (source key, payload), at most 4096."""

def send_message(router: Router, key: bytes, message: bytes) -> None:
    """Send a message to a 32-byte key past the sessions, if any, of a router's node."""
