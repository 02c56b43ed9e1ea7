"""A table of names that a person keeps: the lines of a file as in hosts(5), with keys in place of addresses too."""

from __future__ import annotations

import os
from collections.abc import ItemsView, Iterator, Mapping
from pathlib import Path

from ygg.errors import ConfigError, ResolveError
from ygg.vtun.addresses import Host, packed

MOST_BYTES = 1 << 20
"""Of a file; a longer one is an error."""


class HostsFile(Mapping[str, Host]):
    """The names of a file, which is read again when it has changed.

    A line is an address of the overlay, or a public key of 64 hex digits, and its names; `#` begins a comment. The
    first line that has a name counts. Reading raises `ConfigError`, which names the line; once it has been read, a
    file that cannot be read, or has an error, leaves the names as they were.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        """Where it is."""
        self._seen: tuple[int, int, int] | None = None
        self._hosts: dict[str, Host] = {}
        self._seen, self._hosts = self._stamp(), read(self.path)

    def _stamp(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _current(self) -> dict[str, Host]:
        try:
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen, self._hosts = stamp, read(self.path)
        except (OSError, ConfigError):
            pass    # it is being written, most likely: the next question looks again, or finds it whole
        return self._hosts

    def __getitem__(self, name: str) -> Host:
        return self._current()[name.lower().rstrip(".")]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def items(self) -> ItemsView[str, Host]:
        """Return all names with their hosts."""
        return self._current().items()

    def __len__(self) -> int:
        return len(self._current())


def read(path: Path) -> dict[str, Host]:
    """Return the names of a file, in lower case. Raises `ConfigError`, and OSError."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path}: a file of more than {MOST_BYTES} bytes is no hosts file")
    hosts: dict[str, Host] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        host, *names = line.partition("#")[0].split() or [""]
        if not host:
            continue
        try:
            inside = packed(host)[0] & 0xFE == 0x02
        except ResolveError:
            raise ConfigError(f"{path}:{number}: {host[:80]!r} is neither an IPv6 address nor a key") from None
        if not inside:
            raise ConfigError(f"{path}:{number}: {host} is not in 200::/7")
        for name in names:
            hosts.setdefault(name.lower().rstrip("."), host)
    return hosts
