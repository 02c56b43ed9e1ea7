"""A forward: what connects at one endpoint is connected to another."""

from __future__ import annotations

from collections.abc import Iterable

from ygg.proxy.endpoints import Endpoint
from ygg.proxy.limits import Limits
from ygg.proxy.proxyprotocol import encode, header_for
from ygg.proxy.service import Connection, Service
from ygg.proxy.sockets import told_by


class Forward(Service):
    """Joins each connection that comes at `entrance` with one to `target`.

    Either is a TCP port or UNIX socket of the system or an address of the overlay: `Forward(tcp("127.0.0.1", 8080),
    overlay(vtun, address, 80))` leads from this machine into the overlay, and with the two exchanged the other way.
    Ends of streams, resets and the pace are passed on. Where the target is not reached, the client is reset. A client
    that ends its stream while the target is being reached is still served, as it may only have said all that it has to:
    whether it has closed altogether shows when something is sent to it.

    With `proxy_protocol` the target is told first who the client is, by the PROXY protocol, version 2, with the key of
    its node in a TLV (`ygg.proxy.proxyprotocol`): it must expect that, as `ProxyReceiver` and many servers do. With
    `allow`, a list of keys, addresses and subnets (see `Allowed`), all other clients are reset.
    """

    def __init__(
        self,
        entrance: Endpoint,
        target: Endpoint,
        limits: Limits | None = None,
        *,
        proxy_protocol: bool = False,
        allow: Iterable[str] | None = None,
    ) -> None:
        super().__init__(entrance, limits, allow=allow)
        self.target = target
        """Where connections lead."""
        self.proxy_protocol = proxy_protocol
        """Whether the target is told who the client is."""

    async def _serve(self, connection: Connection) -> None:
        far = await self._connect(connection, self.target)
        if self.proxy_protocol and not far.is_closing():
            far.write(_header(connection))
        connection.join(far)


def _header(connection: Connection) -> bytes:
    peer, own, key = connection.peer, told_by(connection.transport, "sockname"), connection.public_key
    told = isinstance(peer, tuple) and isinstance(own, tuple)
    return encode(header_for(peer[:2] if told else None, own[:2] if told else None, key))
