"""Which options of `uvicorn.Config` mean something on an overlay address, and what the others are refused with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import uvicorn

from ygg.errors import YggError


class ServeError(YggError, RuntimeError):
    """The application cannot be served; the text says why, and the cause is the application's own error."""


class ServeOptionError(ServeError, ValueError):
    """An option of uvicorn's that has no meaning here, or none with the others."""


OURS = frozenset({"app", "host", "port"})
"""Parameters of `uvicorn.Config` that `serve` has itself."""

TLS = frozenset(
    {
        "ssl_keyfile",
        "ssl_certfile",
        "ssl_keyfile_password",
        "ssl_version",
        "ssl_cert_reqs",
        "ssl_ca_certs",
        "ssl_ciphers",
        "ssl_context_factory",
    }
)
"""Options of which uvicorn makes a TLS context."""

WORKING = TLS | {
    "http",
    "ws",
    "ws_max_size",
    "ws_max_queue",
    "ws_ping_interval",
    "ws_ping_timeout",
    "ws_per_message_deflate",
    "lifespan",
    "env_file",
    "log_config",
    "log_level",
    "access_log",
    "use_colors",
    "interface",
    "proxy_headers",
    "forwarded_allow_ips",
    "server_header",
    "date_header",
    "root_path",
    "limit_concurrency",
    "limit_max_requests",
    "limit_max_requests_jitter",
    "backlog",
    "timeout_keep_alive",
    "timeout_notify",
    "timeout_graceful_shutdown",
    "callback_notify",
    "headers",
    "factory",
    "h11_max_incomplete_event_size",
    "reset_contextvars",
}
"""Options that do here what they do in uvicorn."""

_PROCESSES = "serving on an overlay address takes one process"
_RELOADING = "nothing is reloaded in a running program"
REFUSED: Mapping[str, str] = {
    "uds": "it listens on an address of the VTun",
    "fd": "it listens on an address of the VTun",
    "loop": "it runs in the event loop that runs already",
    "http2": "HTTP/2 is not served",
    "reload": _RELOADING,
    "reload_dirs": _RELOADING,
    "reload_delay": _RELOADING,
    "reload_includes": _RELOADING,
    "reload_excludes": _RELOADING,
    "workers": _PROCESSES,
    "timeout_worker_healthcheck": _PROCESSES,
}
"""Options that cannot do here what they do in uvicorn, and why; their defaults and `workers=1` ask for nothing."""


def check_options(options: Mapping[str, Any], ssl: object) -> None:
    """Raise `ServeOptionError` for options that would silently do nothing; `ssl` is the context given beside them."""
    known = inspect.signature(uvicorn.Config).parameters
    for name, value in options.items():
        if name not in known or name in OURS:
            raise ServeOptionError(f"uvicorn {uvicorn.__version__} has no option {name!r} for serve")
        if name in WORKING or value == known[name].default or (name, value) == ("workers", 1):
            continue
        raise ServeOptionError(f"{name}: {REFUSED.get(name, 'what it does on an overlay address is not known')}")
    if not (secured := sorted(TLS & options.keys())):
        return
    if ssl is not None:
        raise ServeOptionError(f"{secured[0]}: ssl= has been given too")
    if options.get("ssl_certfile") is None and options.get("ssl_context_factory") is None:
        raise ServeOptionError(f"{secured[0]}: without ssl_certfile or ssl_context_factory there is no TLS")
