"""The two sides of the engine's own TLS, joined by hand."""

import ssl

from ygg import Certificate
from ygg.stream.tls.contexts import listening_context
from ygg.testing import private_key
from ygg_c.io.tls import Context, Tls

CERTIFICATE = Certificate(private_key(1))
_server = listening_context(CERTIFICATE)
assert isinstance(_server, Context), "the ssl module's library cannot be reached: its TLS is what would be tested"
SERVER = _server
CLIENT = Context()


def carry(one: Tls, other: Tls) -> None:
    """Let each have what the other has said."""
    other.feed(one.take())
    one.feed(other.take())


def shaken() -> tuple[Tls, Tls]:
    """Return a client and a server that have shaken hands."""
    client, server = Tls(CLIENT), Tls(SERVER)
    done = [False, False]
    for _ in range(4):
        done = [client.handshake(), server.handshake()]
        carry(client, server)
    assert done == [True, True]
    return client, server


def plain_text(tls: Tls) -> bytes:
    """Return all that can be decrypted now."""
    found, space = bytearray(), bytearray(50_000)
    while size := tls.read_into(space)[0]:
        found += space[:size]
    return bytes(found)


def standard() -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """Return a client of the ssl module's, what comes to it, and what it says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(incoming, outgoing), incoming, outgoing
