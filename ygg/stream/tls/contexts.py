"""What TLS is made with: contexts of the engine's own, and of the ssl module."""

from __future__ import annotations

import base64
import os
import re
import ssl
from functools import cache
from typing import TYPE_CHECKING, Protocol

from ygg.errors import TLSError
from ygg.stream.tls.stream import tls_error

if TYPE_CHECKING:
    from ygg.stream.tls.object import AnyContext


class NodeCertificate(Protocol):
    """What TLS needs of a node's certificate."""

    @property
    def certificate_pem(self) -> bytes: ...

    @property
    def private_key_pem(self) -> bytes: ...


@cache
def dialing_context() -> AnyContext:
    """Return what dials links: the engine's own TLS, or where that cannot be had the ssl module's."""
    try:
        from ygg_c.io.tls import Context
    except ImportError:
        return client_context()
    return Context()


def listening_context(certificate: NodeCertificate) -> AnyContext:
    """Return what accepts links with this certificate: as above, or where it is a chain the ssl module's."""
    try:
        from ygg_c.io.tls import Context
    except ImportError:
        return server_context(certificate)
    if certificate.certificate_pem.count(b"-----BEGIN CERTIFICATE-----") > 1:
        return server_context(certificate)  # a chain, which peers may verify
    shown, key = der(certificate.certificate_pem, b"CERTIFICATE"), der(certificate.private_key_pem, b"PRIVATE KEY")
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
    context.num_tickets = 0  # no client resumes: links last
    # The dialer's order of ciphers: Go's knows what the machine is quick at, OpenSSL's own begins with AES-256.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _load(context, certificate.private_key_pem.rstrip() + b"\n" + certificate.certificate_pem)
    return context


def der(pem: bytes, label: bytes) -> bytes:
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
