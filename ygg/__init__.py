"""An Yggdrasil node inside your Python program.

The names below are loaded when first used: `import ygg` alone costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

from ygg.version import __version__

if TYPE_CHECKING:
    from ygg import blocking as blocking
    from ygg.autopeer import BUILTIN, AutoPeerConfig, AutoPeerManager, PeerFetcher, PublicPeer
    from ygg.config.config import Config
    from ygg.embed import EmbeddedNode, open_node
    from ygg.errors import NoPeerError, YggError
    from ygg.identity.address import address_of, partial_key_of, subnet_of
    from ygg.identity.certificate import Certificate
    from ygg.identity.keys import PrivateKey
    from ygg.jumper import Jumper, JumperConfig
    from ygg.multicast import InterfaceRule, Multicast
    from ygg.network import Listener, LoopbackNetwork, NativeNetwork, Network, RejectNetwork, SocksNetwork
    from ygg.node.admission import IncomingLimits
    from ygg.node.core import Core
    from ygg.node.events import (
        Event,
        EventsLost,
        PathFound,
        PathLost,
        PeerDown,
        PeerUp,
        PlaceChanged,
        SameIdentity,
        SessionClosed,
        SessionOpened,
    )
    from ygg.node.gateway import Gateway, ReadWriteCloser
    from ygg.node.state import PathEntry, PeerInfo, SelfInfo, SessionEntry, TreeEntry
    from ygg.transport import DialOptions, ListenOptions, TCPTransport, TLSTransport, Transport, TransportManager
    from ygg.tun import PacketDevice, TunAdapter
    from ygg.url import LinkOptions, PeerURL
    from ygg.vtun import OverlayNetwork, VTun

_HOMES = {
    "ygg.identity.address": ("address_of", "partial_key_of", "subnet_of"),
    "ygg.node.admission": ("IncomingLimits",),
    "ygg.autopeer": ("BUILTIN", "AutoPeerConfig", "AutoPeerManager", "PeerFetcher", "PublicPeer"),
    "ygg.identity.certificate": ("Certificate",),
    "ygg.config.config": ("Config",),
    "ygg.node.core": ("Core",),
    "ygg.embed": ("EmbeddedNode", "open_node"),
    "ygg.errors": ("NoPeerError", "YggError"),
    "ygg.node.events": (
        "Event",
        "EventsLost",
        "PathFound",
        "PathLost",
        "PeerDown",
        "PeerUp",
        "PlaceChanged",
        "SameIdentity",
        "SessionClosed",
        "SessionOpened",
    ),
    "ygg.node.gateway": ("Gateway", "ReadWriteCloser"),
    "ygg.jumper": ("Jumper", "JumperConfig"),
    "ygg.identity.keys": ("PrivateKey",),
    "ygg.multicast": ("InterfaceRule", "Multicast"),
    "ygg.network": ("Listener", "LoopbackNetwork", "NativeNetwork", "Network", "RejectNetwork", "SocksNetwork"),
    "ygg.node.state": ("PathEntry", "PeerInfo", "SelfInfo", "SessionEntry", "TreeEntry"),
    "ygg.transport": (
        "DialOptions",
        "ListenOptions",
        "TCPTransport",
        "TLSTransport",
        "Transport",
        "TransportManager",
    ),
    "ygg.tun": ("PacketDevice", "TunAdapter"),
    "ygg.url": ("LinkOptions", "PeerURL"),
    "ygg.vtun": ("OverlayNetwork", "VTun"),
}
_ROOMS = ("blocking",)
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BUILTIN",
    "AutoPeerConfig",
    "AutoPeerManager",
    "Certificate",
    "Config",
    "Core",
    "DialOptions",
    "EmbeddedNode",
    "Event",
    "EventsLost",
    "Gateway",
    "IncomingLimits",
    "InterfaceRule",
    "Jumper",
    "JumperConfig",
    "LinkOptions",
    "ListenOptions",
    "Listener",
    "LoopbackNetwork",
    "Multicast",
    "NativeNetwork",
    "Network",
    "NoPeerError",
    "OverlayNetwork",
    "PacketDevice",
    "PathEntry",
    "PathFound",
    "PathLost",
    "PeerDown",
    "PeerFetcher",
    "PeerInfo",
    "PeerURL",
    "PeerUp",
    "PlaceChanged",
    "PrivateKey",
    "PublicPeer",
    "ReadWriteCloser",
    "RejectNetwork",
    "SameIdentity",
    "SelfInfo",
    "SessionClosed",
    "SessionEntry",
    "SessionOpened",
    "SocksNetwork",
    "TCPTransport",
    "TLSTransport",
    "Transport",
    "TransportManager",
    "TreeEntry",
    "TunAdapter",
    "VTun",
    "YggError",
    "__version__",
    "address_of",
    "open_node",
    "partial_key_of",
    "subnet_of",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        from importlib import import_module

        return import_module(f"ygg.{name}")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'ygg' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *_ROOMS})
