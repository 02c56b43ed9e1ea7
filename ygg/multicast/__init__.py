"""Link-local discovery: nodes on one link find each other by multicast beacons.

It takes rules for interfaces, and datagrams of strangers; it gives a node, which it sees through a protocol class of
its own, listeners to open and peers to dial. For programs and the daemon.
"""

from ygg.multicast.beacon import Beacon, BeaconError
from ygg.multicast.discovery import Multicast, MulticastStatus
from ygg.multicast.interfaces import DefaultRoute, Interface, default_routes, list_interfaces
from ygg.multicast.rules import InterfaceRule, rules_from

__all__ = [
    "Beacon",
    "BeaconError",
    "DefaultRoute",
    "Interface",
    "InterfaceRule",
    "Multicast",
    "MulticastStatus",
    "default_routes",
    "list_interfaces",
    "rules_from",
]
