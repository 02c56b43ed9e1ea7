"""Servers behind a proxy that tells who its clients are: the PROXY protocol in front of any asyncio protocol."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any, cast

from ygg.errors import ProxyError
from ygg.proxy.proxyprotocol import FIRST, ProxyHeader, decode, is_begun, length
from ygg.proxy.sockets import reset, told_by
from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.wrapper import WrapperTransport

log = logging.getLogger("ygg.proxy")

TRUSTED = ("127.0.0.0/8", "::1/128")
"""Who may say who a client is, unless told otherwise: this machine. UNIX sockets are trusted always."""
TIMEOUT = 5.0
"""Seconds for the header to come."""


class ProxyReceiver:
    """Makes protocols for a server whose connections begin with a header: pass it as the protocol factory.

    `factory` makes the protocol of each connection, whose transport has the client's address as "peername", what it
    connected to as "sockname", the key of its node, if told, as "public_key", and the header as "proxy_header". A
    header without addresses (a proxy's own connection) leaves the names as they are. Connections of hosts that are not
    in `trusted`, a list of networks, are reset, as are those that begin with anything else or say nothing for `timeout`
    seconds. `counters` tells how many.
    """

    def __init__(
        self,
        factory: Callable[[], asyncio.BaseProtocol],
        trusted: Iterable[str] = TRUSTED,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self.factory = factory
        """Makes the protocol of a connection."""
        self.timeout = timeout
        """Seconds for the header."""
        self.counters: Counter[str] = Counter()
        """How often a connection was `accepted`, `untrusted`, `malformed` or too late (`timeout`)."""
        self._trusted = [ip_network(network) for network in trusted]

    def __call__(self) -> asyncio.Protocol:
        return _Reading(self)

    def trusts(self, peer: Any) -> bool:
        """Tell whether a header of this address is believed."""
        if not isinstance(peer, tuple):
            return peer is not None     # uvloop knows no address of one that was reset, but still has what it sent
        address = ip_address(peer[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._trusted)


class _Reading(asyncio.Protocol):
    """Reads the header, and no byte of what follows it."""

    def __init__(self, receiver: ProxyReceiver) -> None:
        self._receiver = receiver
        self._data = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._receiver.trusts(told_by(transport, "peername")):
            self._refuse("untrusted")
            return
        self._timer = asyncio.get_running_loop().call_later(self._receiver.timeout, self._refuse, "timeout")

    def data_received(self, data: bytes) -> None:
        self._data += data
        try:
            if not is_begun(self._data):
                raise ProxyError("no header of the PROXY protocol, version 2")
            if len(self._data) < FIRST or len(self._data) < (size := length(bytes(self._data[:FIRST]))):
                return
            header = decode(bytes(self._data[:size]))
        except ProxyError as error:
            log.debug("%s: %s", self._transport.get_extra_info("peername"), error)
            self._refuse("malformed")
            return
        self._done(header, bytes(self._data[size:]))

    def eof_received(self) -> None:
        self._refuse("malformed")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, why: str) -> None:
        self._stop()
        if not self._transport.is_closing():
            self._receiver.counters[why] += 1
            reset(self._transport)

    def _done(self, header: ProxyHeader, rest: bytes) -> None:
        self._stop()
        if self._transport.is_closing():
            return
        self._receiver.counters["accepted"] += 1
        held = HoldingProtocol()
        self._transport.set_protocol(held)
        held.connection_made(self._transport)
        held.held += rest
        take_over(_Told(self._transport, header), self._receiver.factory())


class _Told(WrapperTransport):
    """A connection whose names are those that the header tells."""

    def __init__(self, base: asyncio.Transport, header: ProxyHeader) -> None:
        self._told: dict[str, Any] = {"proxy_header": header, "public_key": header.public_key}
        if header.source is not None:
            self._told |= {"peername": _sockaddr(header.source), "sockname": _sockaddr(header.destination)}
        super().__init__(base)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._told[name] if name in self._told else super().get_extra_info(name, default)


def _sockaddr(address: tuple[str, int] | None) -> tuple[Any, ...] | None:
    return None if address is None else (*address, 0, 0) if ":" in address[0] else address
