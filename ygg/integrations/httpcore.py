"""What HTTP clients made on httpcore dial with: streams of any network, or of a VTun. Needs the extra `http`."""

from typing import Any, ClassVar

from ygg.errors import MissingExtraError
from ygg.integrations.http_streams import BackendBase, StreamBase, VTunBackendBase

try:
    import httpcore
except ImportError as error:
    raise MissingExtraError("HTTP needs httpx and httpcore: pip install 'ygg[http]'") from error


class HTTPStream(StreamBase, httpcore.AsyncNetworkStream):
    """One connection as httpcore uses it."""

    core: ClassVar[Any] = httpcore


class HTTPBackend(BackendBase, httpcore.AsyncNetworkBackend):
    """httpcore's network, reached through `network`: pass it to any httpcore pool as `network_backend`."""

    core: ClassVar[Any] = httpcore
    stream: ClassVar[type[StreamBase]] = HTTPStream


class VTunBackend(VTunBackendBase, HTTPBackend):
    """httpcore's network, reached through a VTun: pass it to any httpcore pool as `network_backend`."""
