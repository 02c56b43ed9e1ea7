"""TLS by the OpenSSL that the ssl module has loaded, without IO and without a Python object per record.

Importing this raises ImportError where that library cannot be reached by name; the ssl module serves there.
Failures raise `ssl.SSLError`, whose `reason` is OpenSSL's own text.
"""

from ssl import SSLError
from typing import Literal, Self, overload

class Context:
    """What the connections of one side have in common.

    With a certificate and its private key, both DER (X.509 and PKCS #8), of the server's side: TLS 1.3, no tickets.
    Without, of the client's: TLS 1.2 or 1.3, and no certificate is verified.
    """

    def __init__(self, certificate: bytes | None = None, key: bytes | None = None) -> None: ...
    @property
    def server(self) -> bool:
        """Whether it is of the server's side."""

class Tls:
    """One side of one connection; a client's asks for the server `name`. UnicodeError when that cannot be a name."""

    def __new__(cls, context: Context, name: str | None = None) -> Self: ...
    @property
    def sslcontext(self) -> Context:
        """What it was made with."""
    @property
    def ssl_object(self) -> Tls:
        """Itself: what a transport of it has as its `ssl_object`."""
    @property
    def failure(self) -> SSLError | None:
        """What ended reading or writing, if it was not the other side's close_notify."""
    @property
    def reason(self) -> str:
        """Why it failed, in OpenSSL's words; empty while it has not."""
    @property
    def unread(self) -> int:
        """Bytes of ciphertext that wait for `read_into`."""
    @property
    def unsent_size(self) -> int:
        """Bytes of ciphertext that wait for `take`."""
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take ciphertext."""
    def handshake(self) -> bool:
        """Go on with the handshake; tell whether it is over."""
    def read_into(self, space: bytearray | memoryview) -> tuple[int, bool]:
        """Decrypt into `space`; return the number of bytes, and whether that was the end: close_notify, or `failure`.

        Fewer bytes than there is space for: there is no more before more ciphertext comes.
        """
    def encrypt(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt `data`; the ciphertext is for `take`. ValueError before the handshake is over."""
    def close_notify(self) -> None:
        """Say that nothing comes any more from this side; what says it is for `take`."""
    def take(self) -> bytes:
        """Return the ciphertext to be sent."""
    def version(self) -> str:
        """The version of TLS spoken."""
    def cipher(self) -> tuple[str, str, int] | None:
        """Name, version and secret bits of the cipher; None before the handshake."""
    def compression(self) -> None:
        """None: nothing is compressed."""
    def selected_alpn_protocol(self) -> None:
        """None: no protocol is negotiated."""
    @overload
    def getpeercert(self, binary_form: Literal[True]) -> bytes | None:
        """Return the other side's certificate as DER; None where there is none."""
    @overload
    def getpeercert(self, binary_form: Literal[False] = False) -> dict[str, str] | None:
        """Return {}, for the other side's certificate is not verified; None where there is none."""
