"""The system calls that would cost too much in Python: sockets, TLS over sockets, TUN devices.

It takes file descriptors; it gives what was read to links and to the gateway, and writes what they have. It is the
engine's only IO. `ygg.node`, `ygg.stream` and `ygg.tun` use it.
"""
