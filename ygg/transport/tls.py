"""`tls://`: TLS over TCP with the node's own self-signed certificate (protocol 0.5, TLS)."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import ssl
from functools import cache, cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from ygg.errors import TLSError, from_os_error
from ygg.network.base import DIAL_TIMEOUT, Listener, Network, dial_addresses
from ygg.network.tlsstream import start_tls, tls_error
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.upgrade import UpgradingListener
from ygg.url import PeerURL

_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

if TYPE_CHECKING:
    from ygg.network.tlsobject import AnyContext


class NodeCertificate(Protocol):
    """What TLS needs of a node's certificate."""

    @property
    def certificate_pem(self) -> bytes: ...

    @property
    def private_key_pem(self) -> bytes: ...


class TLSTransport(Transport):
    """TLS that encrypts and proves nothing: keys are proved by the link's handshake, inside.

    The listener speaks TLS 1.3 only, shows the node's certificate and asks for none; the dialer speaks 1.2 or 1.3 and
    accepts any certificate. No ALPN.
    """

    schemes = ("tls",)

    def __init__(self, certificate: NodeCertificate) -> None:
        self._certificate = certificate

    @cached_property
    def _client(self) -> AnyContext:
        return dialing_context()

    @cached_property
    def _server(self) -> AnyContext:
        return listening_context(self._certificate)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        port = url.require_port()
        name = server_name(url)

        async def attempt(address: str) -> asyncio.Transport:
            try:
                async with asyncio.timeout(options.timeout + network.dial_allowance):
                    transport = await network.connect_stream(
                        address, port, source_interface=options.source_interface, timeout=options.timeout
                    )
                    return await wrap(transport, self._client, server_hostname=name, timeout=options.timeout)
            except TimeoutError as error:
                raise from_os_error(error) from None

        return await dial_addresses(network, url.host, options.timeout, attempt)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        port = url.require_port()
        base = await network.listen_stream(
            url.host, port, source_interface=options.source_interface, backlog=options.backlog
        )

        async def upgrade(transport: asyncio.Transport, remote: str) -> asyncio.Transport:
            return await wrap(transport, self._server, server_side=True, timeout=DIAL_TIMEOUT)

        return UpgradingListener(base, upgrade, DIAL_TIMEOUT)


async def wrap(
    transport: asyncio.Transport,
    context: AnyContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    timeout: float = DIAL_TIMEOUT,
) -> asyncio.Transport:
    """Run a TLS handshake of at most `timeout` seconds over `transport`. Raises `TLSError`, `ConnectTimeout` …"""
    try:
        return await start_tls(
            transport, context, server_side=server_side, server_hostname=server_hostname, handshake_timeout=timeout
        )
    except ssl.SSLError as error:
        raise tls_error(error) from None
    except OSError as error:
        raise from_os_error(error) from None
    except UnicodeError:
        raise TLSError(f"{server_hostname!r} cannot be a TLS server name") from None


def server_name(url: PeerURL) -> str | None:
    """Return the name to ask for: `sni`, else the host; never an address or a final dot (RFC 6066, section 3)."""
    for name in (url.options.sni, url.host):
        bare = name.rstrip(".")
        if bare and not _is_literal(bare):
            return bare
    return None


@cache
def dialing_context() -> AnyContext:
    """Return what dials links: the engine's own TLS, or where that cannot be had the ssl module's."""
    try:
        from ygg_c.tls import Context
    except ImportError:
        return client_context()
    return Context()


def listening_context(certificate: NodeCertificate) -> AnyContext:
    """Return what accepts links with this certificate: as above, or where it is a chain the ssl module's."""
    try:
        from ygg_c.tls import Context
    except ImportError:
        return server_context(certificate)
    if certificate.certificate_pem.count(b"-----BEGIN CERTIFICATE-----") > 1:
        return server_context(certificate)  # a chain, which somebody may verify
    shown, key = _der(certificate.certificate_pem, b"CERTIFICATE"), _der(certificate.private_key_pem, b"PRIVATE KEY")
    try:
        return Context(shown, key)
    except ssl.SSLError as error:
        raise tls_error(error) from None


def client_context() -> ssl.SSLContext:
    """Return a context that dials TLS 1.2 or 1.3 and verifies nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def server_context(certificate: NodeCertificate) -> ssl.SSLContext:
    """Return a context that serves TLS 1.3 with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # nobody resumes: links last
    # The dialer's order of ciphers: Go's knows what the machine is quick at, OpenSSL's own begins with AES-256.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _load(context, certificate.private_key_pem.rstrip() + b"\n" + certificate.certificate_pem)
    return context


def _der(pem: bytes, label: bytes) -> bytes:
    """Return the first block of `pem` whose label ends in `label`."""
    found = re.search(rb"-----BEGIN [A-Z ]*?" + label + rb"-----(.*?)-----END", pem, re.S)
    if found is None:
        raise TLSError(f"no {label.decode().lower()} in the PEM text")
    return base64.b64decode(found[1])


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Load key and certificate, which the ssl module takes only from a file, without leaving the key on a disk."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        path = f"/proc/self/fd/{descriptor}"
    else:
        import tempfile

        descriptor, path = tempfile.mkstemp()  # mode 0600
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            os.unlink(path)


def _is_literal(host: str) -> bool:
    """Tell whether a host is an address: also in brackets, with a zone, or in a form that only `inet_aton()` reads."""
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _NUMERIC.fullmatch(host.rpartition(".")[2]) is not None  # no name ends so (RFC 3696, section 2)
    return True
