import builtins

from ygg_c.link.fairqueue import FairQueue

class QueueTap(FairQueue):
    """The same queue with packets as bytes."""

    def put(
        self,
        data: builtins.bytes,
        source: builtins.bytes,
        dest: builtins.bytes,
        own: bool = False,
        now: int = 0,
        ecn: int = 0,
        paced: bool = False,
    ) -> None:
        """Queue a packet of a flow, whose keys have 32 bytes, at `now` ns; `ecn`: its ECN field (RFC 3168), 0: its flow
        does not understand marks; `paced`: its sender waits for credit.
        """
    def get(self, now: int = 0) -> builtins.bytes | None:
        """Return the packet to send next, or None."""
