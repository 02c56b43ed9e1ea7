"""The IPv6 face of a public key: address, routed subnet, and the partial key an address gives away."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

from ygg.errors import KeyFormatError
from ygg.identity.keys import PUBLIC_SIZE
from ygg.identity.overlay import OVERLAY
from ygg_c.base import address as _engine

__all__ = ["OVERLAY", "address_of", "partial_key_of", "subnet_of"]


def address_of(public_key: bytes) -> IPv6Address:
    """Return the address of the node with this 32-byte public key, inside 200::/8."""
    return IPv6Address(_engine.address_for_key(_checked(public_key)))


def subnet_of(public_key: bytes) -> IPv6Network:
    """Return the /64 routed to the node with this 32-byte public key, inside 300::/8."""
    return IPv6Network((_engine.subnet_for_key(_checked(public_key)) + bytes(8), 64))


def partial_key_of(address: IPv6Address | IPv6Network) -> bytes:
    """Return the 32-byte key that an address or subnet tells the leading bits of; the unknown bits are ones.

    Raises ValueError for an address outside the overlay.
    """
    start = address.network_address if isinstance(address, IPv6Network) else address
    if start not in OVERLAY:
        raise ValueError(f"{address} is not an overlay address")
    packed = start.packed
    # Whatever lies behind the prefix of a subnet is the routed host's, and tells nothing about the key.
    return _engine.partial_key_for_address(packed[:8] + bytes(8) if packed[0] == 0x03 else packed)


def _checked(public_key: bytes) -> bytes:
    if len(public_key) != PUBLIC_SIZE:
        raise KeyFormatError(f"a public key has {PUBLIC_SIZE} bytes, not {len(public_key)}")
    return public_key
