"""PeersFile: the peers of a configuration file, changed in place."""

from __future__ import annotations

import os
from pathlib import Path

from ygg import wholefile
from ygg.config import edit
from ygg.errors import ConfigError, URLError
from ygg.url import PeerURL


class PeersFile:
    """Adds and removes peers in a configuration file: `Peers`, and `InterfacePeers` where an interface is named.

    The rest of the file stays, with its comments, form, mode and owner, and so does a link to it. The file is replaced
    in one step, or stays as it is and `ConfigError` says why: it is not understood, was changed meanwhile, is no
    regular file, or cannot be written with its owner. Calls write to the disk; they may be made in any thread, one at a
    time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        """The file."""

    def add(self, uri: str, interface: str = "") -> bool:
        """Add a peer, with the options of its URI; return whether it was missing. Raises `ConfigError`."""
        identity, path = PeerURL.parse(uri).identity, _path(interface)
        content = self._read()
        if any(_is(text, identity) for text in edit.texts(content, path)):
            return False
        self._write(content, edit.added(content, path, uri))
        return True

    def remove(self, uri: str, interface: str = "") -> bool:
        """Remove a peer, whatever its options; return whether it was there. Raises `ConfigError`."""
        identity, path = PeerURL.parse(uri).identity, _path(interface)
        content = self._read()
        made = edit.removed(content, path, lambda text: _is(text, identity))
        if made == content:
            return False
        self._write(content, made)
        return True

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot read the configuration {self.path}: {error.strerror}") from error

    def _write(self, before: bytes, content: bytes) -> None:
        try:
            wholefile.rewrite(self.path, before, content)
        except OSError as error:
            raise ConfigError(f"cannot write the configuration {self.path}: {error.strerror}") from error


def _path(interface: str) -> edit.Path:
    return ("InterfacePeers", interface) if interface else ("Peers",)


def _is(text: str, identity: str) -> bool:
    try:
        return PeerURL.parse(text).identity == identity
    except URLError:
        return False
