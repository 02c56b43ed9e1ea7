"""Names that have an address or a key in them, so that no question need be asked; and names that have their DNS server.

The forms are those of others: `<key>.pk.ygg` (yggstack), `<address in base32>.meship` and `.meshname` (meshname), and
three spellings of an address before `.ygg` (YggNS). Every other name below `.ygg` is one of ALFIS.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import IPv6Address, ip_address

from ygg.errors import HostUnreachable
from ygg.identity.overlay import OVERLAY
from ygg.vtun.addresses import Host, key_in

KEY_ZONE = "pk.ygg"
"""Names below it have a public key in front."""
ADDRESS_ZONE = "meship"
"""Names below it are an address in base32."""
SERVER_ZONE = "meshname"
"""Names below it end in the address, in base32, of the DNS server that knows them."""
DIGITS_ZONE = "ygg"
"""Names below it may end in the address of the DNS server that knows them, in one of three spellings."""

_LABEL = 26     # 16 bytes in base32, without the padding
_HEX = re.compile(r"0[23][0-9a-f]{30}")
_SHORT = re.compile(r"[23][a-z2-7]{24}")
_DASHED = re.compile(r"[0-9a-f-]{2,39}")


def numeric(name: str) -> IPv6Address | None:
    """Return the address of the overlay that a name spells, None for what is no address.

    Raises `HostUnreachable` for an address that is not of the overlay.
    """
    try:
        address = ip_address(name)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address in OVERLAY:
        return address
    raise HostUnreachable(f"{address} is not in 200::/7")


def computed(name: str) -> Host | None:
    """Return the key or address that a name of lower case has in it; None for any other name."""
    labels = name.split(".")
    if len(labels) > 2 and ".".join(labels[-2:]) == KEY_ZONE:
        return key_in(labels[-3])   # labels in front of it are passed over: virtual hosts
    if len(labels) == 2 and labels[1] == ADDRESS_ZONE:
        return _in_base32(labels[0])
    return None


def spelled(address: IPv6Address) -> str:
    """Return the name below `meship` of an address."""
    return f"{base64.b32encode(address.packed).decode().rstrip('=').lower()}.{ADDRESS_ZONE}"


def server_in(name: str) -> IPv6Address | None:
    """Return the address of the DNS server that a name of lower case has in it; None for any other name."""
    labels = name.split(".")
    if len(labels) < 2 or labels[-1] not in (SERVER_ZONE, DIGITS_ZONE):
        return None
    return _in_base32(labels[-2]) if labels[-1] == SERVER_ZONE else _in_digits(labels[-2])


def _in_base32(label: str) -> IPv6Address | None:
    if len(label) != _LABEL:
        return None
    try:
        return _of_overlay(base64.b32decode(label.upper() + "======"))
    except (binascii.Error, ValueError):
        return None


def _in_digits(label: str) -> IPv6Address | None:
    if _HEX.fullmatch(label):
        return _of_overlay(bytes.fromhex(label))
    if _SHORT.fullmatch(label):
        return _of_overlay(bytes([int(label[0])]) + base64.b32decode(label[1:].upper()))
    if _DASHED.fullmatch(label):
        try:
            return _of_overlay(IPv6Address(label.replace("-", ":")).packed)
        except ValueError:
            return None
    return None


def _of_overlay(packed: bytes) -> IPv6Address | None:
    address = IPv6Address(packed)
    return address if address in OVERLAY else None
