from ygg_c.base.bytemap import ByteMap
from ygg_c.ip.pathmtu import PathMtus
from ygg_c.stack.udptable import UdpTable

class Icmp:
    """What a stack does with ICMPv6."""

    def __init__(self, sockets: ByteMap, udp: UdpTable, paths: PathMtus) -> None:
        """Look for who is meant in these tables: echo sockets by their identifiers of two bytes, and UDP sockets."""
