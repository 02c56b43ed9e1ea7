"""A request: what its envelope says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ygg.admin.errors import EnvelopeError


@dataclass(frozen=True, slots=True)
class Request:
    """One request, checked as far as its envelope goes."""

    name: str = ""
    """The command, as it was written."""
    arguments: Any = field(default_factory=dict)
    """An object; what else came in its place is kept for the reply."""
    keepalive: bool = False
    """Whether the connection stays open after the reply."""
    token: str = field(default="", repr=False)
    """What shows that the client may ask; empty for none."""

    @classmethod
    def of(cls, members: dict[str, Any]) -> Request:
        """Return the request of an object. Names of members count without regard to case, unknown ones nothing.

        Raises `EnvelopeError`.
        """
        known = {name.lower(): value for name, value in members.items()}
        name, keepalive, token = known.get("request"), known.get("keepalive"), known.get("token")
        for value, kind in ((name, str), (keepalive, bool), (token, str)):
            if value is not None and not isinstance(value, kind):
                raise EnvelopeError("failed to unmarshal request")
        return cls(name or "", known.get("arguments", {}), bool(keepalive), token or "")

    def echo(self) -> dict[str, Any]:
        """Return what a reply repeats of it."""
        members = {"request": self.name, "arguments": self.arguments}
        return members | ({"keepalive": True} if self.keepalive else {})
