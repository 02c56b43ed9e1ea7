"""What is attached to a node: a VTun, a TUN device of the operating system, an object of one's own.

`TunAdapter` takes the IPv6 packets of a node's gateway for one device at a time, which may be exchanged while the node
runs. It knows neither links nor sockets. Programs, the daemon and `ygg.vtun` attach devices by it.
"""

from ygg.tun.adapter import Device, TunAdapter
from ygg.tun.device import PacketDevice

__all__ = ["Device", "PacketDevice", "TunAdapter"]
