"""NodeInfo: the JSON object a node tells others about itself (protocol 0.5, Core payloads, nodeinfo)."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from typing import Any

from ygg.errors import AnswerError, ConfigError
from ygg.strings import check_strings
from ygg.version import __version__

LIMIT = 16384
"""Bytes of the serialized object at most."""

# Named as the stock daemon names them, so that statistics over a network add up.
_PLATFORMS = {"win32": "windows", "cygwin": "windows"}
_MACHINES = {
    "x86_64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "loongarch64": "loong64",
    "mipsel": "mipsle",
}


def build_info() -> dict[str, str]:
    """Return what a node without NodeInfoPrivacy says about its program."""
    machine = platform.machine().lower()
    return {
        "buildname": "ygg",
        "buildversion": __version__,
        "buildplatform": _PLATFORMS.get(sys.platform, sys.platform),
        "buildarch": _MACHINES.get(machine, machine),
    }


def encode(info: Mapping[str, Any] | None, *, privacy: bool = False) -> bytes:
    """Return the text to answer requests with. Raises `ConfigError` for what is not JSON or too long."""
    members = dict(info or {}) | ({} if privacy else build_info())
    try:
        check_strings(members, "NodeInfo")
        text = json.dumps(members, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()
    except ConfigError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"NodeInfo is not JSON: {error}") from error
    if len(text) > LIMIT:
        raise ConfigError(f"NodeInfo takes {len(text)} bytes; {LIMIT} are allowed")
    return text


def decode(text: bytes) -> dict[str, Any]:
    """Read an object another node has sent. Raises `AnswerError`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise AnswerError("the answer is not JSON") from None
    if not isinstance(value, dict):
        raise AnswerError("the answer is not a JSON object")
    return value
