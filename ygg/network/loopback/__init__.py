"""A network inside the process, with a kernel's rules for addresses, ports, refusals and resets.

It takes hosts and ports, and gives `ygg.stream.memory` transports and datagram ports that use no descriptor.
`LoopbackNetwork` is for all.
"""

from ygg.network.loopback.network import LoopbackNetwork

__all__ = ["LoopbackNetwork"]
