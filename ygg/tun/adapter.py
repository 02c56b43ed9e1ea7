"""TunAdapter: attaching, detaching and replacing what uses a node's packets, while the node runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ygg.config.defaults import clamp_mtu
from ygg.node.gateway import Gateway
from ygg_c.ip.layer import Upper


class Device(Protocol):
    """What can be attached: a `VTun`, an `OSTun`, a `PacketDevice`, and whatever else has these two."""

    @property
    def upper(self) -> Upper:
        """The engine object that takes packets from below."""

    @property
    def mtu(self) -> int:
        """Bytes of the longest packet it takes."""


class TunAdapter:
    """The place above a node's gateway where one device at a time is attached."""

    def __init__(self, gateway: Gateway, mtu: int = 1500) -> None:
        """Start with nothing attached. `mtu` in bytes is clamped to 1280 … 65535; a device's own may be smaller."""
        self._gateway = gateway
        self._mtu = clamp_mtu(mtu)
        self._device: Device | None = None

    @property
    def device(self) -> Device | None:
        """What is attached."""
        return self._device

    @property
    def mtu(self) -> int:
        """Bytes of the longest packet that goes up: the smaller one of the adapter's and the device's."""
        return self._mtu if self._device is None else min(self._mtu, clamp_mtu(self._device.mtu))

    @mtu.setter
    def mtu(self, mtu: int) -> None:
        self._mtu = clamp_mtu(mtu)
        self._gateway.mtu = self.mtu

    def counters(self) -> dict[str, int]:
        """Return what was dropped between the node and the device, by reason.

        The device's own counts, of a `VTun` or `OSTun` also of what passed, have names that begin with `device_`.
        """
        own: Callable[[], dict[str, int]] | None = getattr(self._device, "counters", None)
        return self._gateway.counters() | {f"device_{name}": count for name, count in (own() if own else {}).items()}

    def attach(self, device: Device) -> None:
        """Attach `device`. `ValueError` when there is one, or `device` is attached elsewhere."""
        self._gateway.engine.attach(device.upper)
        self._settle(device)

    def detach(self) -> Device | None:
        """Detach the device and return it; it keeps what it has (a VTun its connections) and may be attached again."""
        device = self._device
        if device is not None:
            self._gateway.engine.detach()
            self._device = None
        return device

    def replace(self, device: Device) -> Device | None:
        """Attach `device` in place of the present one, which is returned, without losing a packet between them."""
        former = self._device
        self._gateway.engine.replace(device.upper)
        self._settle(device)
        return former

    def close(self) -> None:
        """Detach. The device, and the gateway, remain their owners' to close. Idempotent."""
        self.detach()

    def _settle(self, device: Device) -> None:
        self._device = device
        self._gateway.mtu = self.mtu
