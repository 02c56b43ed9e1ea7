"""What HTTP clients made on httpcore2 dial with: streams of any network, or of a VTun. Needs the extra `httpx2`."""

from typing import Any, ClassVar

from ygg.errors import MissingExtraError
from ygg.integrations.http_streams import BackendBase, StreamBase, VTunBackendBase

try:
    import httpcore2
except ImportError as error:
    raise MissingExtraError("HTTP needs httpx2 and httpcore2: pip install 'ygg[httpx2]'") from error


class HTTPStream(StreamBase, httpcore2.AsyncNetworkStream):
    """One connection as httpcore2 uses it."""

    core: ClassVar[Any] = httpcore2


class HTTPBackend(BackendBase, httpcore2.AsyncNetworkBackend):
    """httpcore2's network, reached through `network`: pass it to any httpcore2 pool as `network_backend`."""

    core: ClassVar[Any] = httpcore2
    stream: ClassVar[type[StreamBase]] = HTTPStream


class VTunBackend(VTunBackendBase, HTTPBackend):
    """httpcore2's network, reached through a VTun: pass it to any httpcore2 pool as `network_backend`."""
