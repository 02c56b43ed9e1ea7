"""What the configuration means on this platform where it is silent (protocol 0.5, Config file)."""

from __future__ import annotations

import sys

MTU_FLOOR = 1280
"""The smallest MTU IPv6 allows, in bytes (RFC 8200, section 5)."""
MTU_CEILING = 65535
"""The largest packet the protocol carries, in bytes."""


def admin_listen(platform: str = sys.platform) -> str:
    """Where the admin socket listens."""
    if platform.startswith(("linux", "darwin", "freebsd", "openbsd", "netbsd")):
        return "unix:///var/run/yggdrasil.sock"
    return "tcp://localhost:9001"


def interface_name(platform: str = sys.platform) -> str:
    """Return the name of the TUN interface; `none` is no interface."""
    if platform.startswith(("linux", "darwin")):
        return "auto"
    if platform.startswith("freebsd"):
        return "/dev/tun0"
    if platform.startswith("openbsd"):
        return "tun0"
    return "Yggdrasil" if platform == "win32" else "none"


def interface_mtu(platform: str = sys.platform) -> int:
    """Return the MTU of the TUN interface, in bytes."""
    if platform.startswith("freebsd"):
        return 32767
    return 16384 if platform.startswith("openbsd") else MTU_CEILING


def clamp_mtu(mtu: int) -> int:
    """Return the MTU that a wish for `mtu` bytes comes to."""
    return max(MTU_FLOOR, min(mtu, MTU_CEILING))


def multicast_rules(platform: str = sys.platform) -> list[tuple[str, bool, bool]]:
    """Return the interfaces that multicast discovery uses, as (regex, beacon, listen)."""
    if platform == "darwin":
        return [("en.*", True, True), ("bridge.*", True, True), ("awdl0", False, False)]
    if platform == "win32" or platform.startswith(("linux", "freebsd", "openbsd", "netbsd")):
        return [(".*", True, True)]
    return []
