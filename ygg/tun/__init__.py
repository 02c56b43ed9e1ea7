"""What is attached to a node: a VTun, a TUN device of the operating system, an object of one's own."""

from ygg.tun.adapter import Device, TunAdapter
from ygg.tun.device import PacketDevice

__all__ = ["Device", "PacketDevice", "TunAdapter"]
