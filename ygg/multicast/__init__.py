"""Link-local discovery: nodes on one link find each other by multicast beacons."""

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
