"""EmbeddedNode: a running node with all its parts, and the calls that programs need most."""

from __future__ import annotations

from contextlib import AsyncExitStack
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ygg.autopeer import AutoPeerManager
    from ygg.jumper import Jumper
    from ygg.multicast import Multicast
    from ygg.network import Network
    from ygg.node.core import Core
    from ygg.transport import TransportManager
    from ygg.vtun import VTun


class EmbeddedNode:
    """A node and what belongs to it, made by `open_node()`; `close()`, or leaving it as a context manager, ends all.

    Its calls are those of `core` and `vtun`, under the names that they have there; for all others there are the parts.
    """

    def __init__(
        self,
        core: Core,
        vtun: VTun,
        network: Network,
        *,
        autopeer: AutoPeerManager | None = None,
        discovery: Multicast | None = None,
        jumper: Jumper | None = None,
    ) -> None:
        """Put together what runs."""
        self._parts = AsyncExitStack()
        self.core = core
        """The node: links, state, requests."""
        self.vtun = vtun
        """The overlay as a network, on the node's address."""
        self.network = network
        """What links go over where no other network is mapped."""
        self.autopeer = autopeer
        """What chooses public peers, with the lists at its `fetcher`; None unless asked for."""
        self.discovery = discovery
        """Link-local discovery; None unless asked for."""
        self.jumper = jumper
        """What makes direct links; None unless asked for."""

        self.open_connection = vtun.open_connection
        """As `VTun.open_connection`."""
        self.start_server = vtun.start_server
        """As `VTun.start_server`."""
        self.create_connection = vtun.create_connection
        """As `VTun.create_connection`."""
        self.create_server = vtun.create_server
        """As `VTun.create_server`."""
        self.create_datagram_endpoint = vtun.create_datagram_endpoint
        """As `VTun.create_datagram_endpoint`."""
        self.open_datagram = vtun.open_datagram
        """As `VTun.open_datagram`."""
        self.ping = vtun.ping
        """As `VTun.ping`."""
        self.key_of = vtun.key_of
        """As `VTun.key_of`."""

        self.connected = core.connected
        """As `Core.connected`."""
        self.events = core.events
        """As `Core.events`."""
        self.on_event = core.on_event
        """As `Core.on_event`."""
        self.listen = core.listen
        """As `Core.listen`: for links, where `start_server` is for programs on the overlay."""
        self.add_peer = core.add_peer
        """As `Core.add_peer`."""
        self.remove_peer = core.remove_peer
        """As `Core.remove_peer`."""
        self.peers = core.peers
        """As `Core.peers`."""
        self.self_info = core.self_info
        """As `Core.self_info`."""

    @property
    def public_key(self) -> bytes:
        """The node's 32-byte public key."""
        return self.core.public_key

    @property
    def address(self) -> IPv6Address:
        """The node's address."""
        return self.core.address

    @property
    def subnet(self) -> IPv6Network:
        """The /64 that is routed to the node."""
        return self.core.subnet

    @property
    def manager(self) -> TransportManager:
        """What dials and listens for the node: transports by scheme, networks by host."""
        return self.core.manager

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def adopt(self, parts: AsyncExitStack) -> None:
        """Close `parts` at the end."""
        self._parts = parts

    async def close(self) -> None:
        """Close all that was opened, the last first: connections end as `VTun.close` has it. Idempotent."""
        await self._parts.aclose()
