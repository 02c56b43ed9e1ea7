"""Which interfaces take part in discovery, and how: rules tried in order, the first that matches decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ygg.errors import ConfigError
from ygg.multicast.beacon import MAX_PASSWORD
from ygg.multicast.regexp import finder
from ygg.strings import check_strings


@dataclass(frozen=True, slots=True)
class InterfaceRule:
    """What to do on the interfaces whose name a regular expression finds (protocol 0.5, section 10.2).

    The pattern has Go's syntax and is searched for anywhere in the name: write `^…$` for a whole one. A rule that
    neither beacons nor listens matches nothing. Raises `ValueError` for a bad pattern, port, priority or password.
    """

    pattern: str
    """Regular expression, in Go's syntax, searched for in the interface's name."""
    beacon: bool = False
    """Announce this node on the interface, with a TLS listener for those who hear it."""
    listen: bool = False
    """Hear others on the interface and peer with them."""
    port: int = 0
    """TCP port of the listener on each interface; 0 takes a free one."""
    priority: int = 0
    """Link priority 0…255 of what is peered with here; lower is preferred."""
    password: str = field(default="", repr=False)
    """Only those with the same password peer with each other; at most 64 bytes of UTF-8."""

    def __post_init__(self) -> None:
        check_strings((self.pattern, self.password), "a rule for interfaces")
        try:
            finder(self.pattern)
        except ValueError as error:
            raise ValueError(f"interface pattern {self.pattern!r} is invalid: {error}") from error
        if not 0 <= self.port <= 65535:
            raise ValueError(f"interface port {self.port} is not in 0…65535")
        if not 0 <= self.priority <= 255:
            raise ValueError(f"interface priority {self.priority} is not in 0…255")
        if len(self.secret) > MAX_PASSWORD:
            raise ValueError(f"interface password is longer than {MAX_PASSWORD} bytes")

    @property
    def secret(self) -> bytes:
        """The password as the bytes that key the hash."""
        return self.password.encode()

    @property
    def active(self) -> bool:
        """Whether the rule does anything at all."""
        return self.beacon or self.listen

    def matches(self, name: str) -> bool:
        """Tell whether this rule is about the interface of that name."""
        return self.active and finder(self.pattern)(name)


def first_match(rules: Iterable[InterfaceRule], name: str) -> InterfaceRule | None:
    """Return the first rule about the interface of that name, or None when there is none."""
    return next((rule for rule in rules if rule.matches(name)), None)


class Setting(Protocol):
    """One entry of the configuration's `MulticastInterfaces`."""

    regex: str
    beacon: bool
    listen: bool
    port: int
    priority: int
    password: str


def rules_from(settings: Iterable[Setting]) -> list[InterfaceRule]:
    """Return the rules of a configuration. Raises `ConfigError` for one that is none.

    To leave it out would let the next rule decide for interfaces that this one may keep out of discovery.
    """
    return [_rule(number, entry) for number, entry in enumerate(settings, 1)]


def _rule(number: int, entry: Setting) -> InterfaceRule:
    try:
        return InterfaceRule(entry.regex, entry.beacon, entry.listen, entry.port, entry.priority, entry.password)
    except ValueError as error:
        raise ConfigError(f"MulticastInterfaces, rule {number}: {error}") from None
