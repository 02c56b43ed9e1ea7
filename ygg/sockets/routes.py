"""Which of several VTuns an address is reached through, or served by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from typing import Any, TypeVar

from ygg.sockets import hosts
from ygg.vtun import VTun


@dataclass(eq=False)
class Route:
    """One `routed()` that is entered."""

    vtun: VTun
    """Through which addresses of the overlay are reached."""
    everything: bool
    """Whether all hosts are taken for the overlay's, those that are none and the unspecified ones included."""

    def takes(self, host: Any) -> bool:
        """Tell whether `host` is to be reached, or listened on, through this VTun."""
        return self.everything or hosts.literal(host) is not None

    def serves(self, host: Any) -> bool:
        """Tell whether `host` is an address of this VTun."""
        known = hosts.literal(host)
        if known is None:
            return self.everything
        served = (IPv6Network((raw, prefix)) for raw, prefix in self.vtun.stack.addresses)
        return any(IPv6Address(known) in network for network in served)


R = TypeVar("R", bound=Route)


def toward(routes: Iterable[R], host: Any, local: Any = None) -> VTun | None:
    """Return the VTun that reaches `host`, from an address of its own if one is given; None for the system.

    Of several it is the first.
    """
    taking = [route for route in routes if route.takes(host)]
    if local is not None and hosts.literal(local) is not None:
        taking = [route for route in taking if route.serves(local)] or taking
    return taking[0].vtun if taking else None


def at(routes: Sequence[R], host: Any) -> VTun | None:
    """Return the VTun that serves `host`, the first for an address of none; None for the system."""
    taking = [route for route in routes if route.takes(host)]
    serving = [route for route in taking if route.serves(host)] or taking
    return serving[0].vtun if serving else None
