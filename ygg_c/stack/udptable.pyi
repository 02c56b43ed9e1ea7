from ygg_c.base.bytemap import ByteMap

class UdpTable:
    """UDP sockets by their ends."""

    def __init__(self, bound: ByteMap, connected: ByteMap) -> None:
        """Keep sockets in these tables, which are empty, with keys of 18 and 36 bytes."""
