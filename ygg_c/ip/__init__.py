"""IPv6 below TCP and UDP: headers, ICMPv6 errors, fragments, path MTUs, and what two layers see of each other.

It takes and gives whole packets, and has no addresses of its own. The rooms that handle packets use it: link (flows
and marks), node (the gateway), socket, tcp and stack.
"""
