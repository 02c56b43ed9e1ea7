"""All attacks by name; importing this module makes each of these register its own."""

from hostile import on_links, on_routing, on_sessions, on_stack
from hostile.attack import ATTACKS

MODULES = (on_links, on_routing, on_sessions, on_stack)

__all__ = ["ATTACKS", "MODULES"]
