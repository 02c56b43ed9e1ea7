"""Commands: what an admin socket can be asked for, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.errors import AdminError


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    """As clients write it; case does not matter to them."""
    description: str
    """For `list`."""
    run: Callable[[Arguments], Any | Awaitable[Any]]
    """Gives the response, or a coroutine of it: a JSON value, or a `Stream`. What it raises is told to the client."""
    fields: tuple[str, ...] = ()
    """Names of its arguments, in lower case."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A response that goes on: after `first` each value of `lines` follows, on a line of its own."""

    first: Any
    """The response of the reply."""
    lines: AsyncIterator[Any]
    """JSON values. It is closed by `aclose()` when the client hangs up, where it has that."""


class Commands:
    """The commands of one admin socket, `list` among them."""

    def __init__(self, *commands: Command) -> None:
        self._commands: dict[str, Command] = {}
        self.add(Command("list", "List available commands", self._list), *commands)

    def __iter__(self) -> Iterator[Command]:
        return iter(sorted(self._commands.values(), key=lambda command: command.name.lower()))

    def add(self, *commands: Command) -> None:
        """Add commands. Raises `ValueError` for a name that is taken."""
        for command in commands:
            name = command.name.lower()
            if name in self._commands:
                raise ValueError(f"there is a command {name} already")
            self._commands[name] = command

    def find(self, name: str) -> Command:
        """Return the command of a name. Raises `AdminError`."""
        if not name:
            raise AdminError("no request specified")
        found = self._commands.get(name.lower())
        if found is None:
            raise AdminError(f"unknown action '{name.lower()}', try 'list' for help")
        return found

    def _list(self, arguments: Arguments) -> dict[str, Any]:
        return {"list": [_listed(command) for command in self]}


def _listed(command: Command) -> dict[str, Any]:
    members: dict[str, Any] = {"command": command.name.lower(), "description": command.description}
    return members | ({"fields": list(command.fields)} if command.fields else {})
