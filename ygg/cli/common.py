"""What the commands share."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ygg.cli.parser import Parser
    from ygg.config.config import Config

T = TypeVar("T", int, float)


class Subcommands(Protocol):
    """What a command adds itself to: what `add_subparsers()` returns."""

    def add_parser(self, name: str, *, help: str, description: str) -> Parser: ...


class CommandError(Exception):
    """A failure to be told in one line that says what to do."""


class UsageError(CommandError):
    """A command that makes no sense as it was written."""


def add_config(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup, *, required: bool = True) -> None:
    """Give a command the option `--config`."""
    parser.add_argument("--config", required=required, metavar="FILE", help="the configuration; - is standard input")


def add_new_identity(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--new-identity`."""
    text = "take an identity made for this run, not that of the configuration"
    parser.add_argument("--new-identity", action="store_true", help=text)


def load(path: str, *, new_identity: bool = False) -> Config:
    """Read a configuration. Raises `ConfigError`, for one without an identity too unless a new one is asked for."""
    from ygg.config.config import Config
    from ygg.identity.keys import PrivateKey

    if path == "-":
        config = Config.parse(sys.stdin.buffer.read(), need_identity=not new_identity)
    else:
        config = Config.load(path, need_identity=not new_identity)
    if not new_identity:
        return config
    return dataclasses.replace(config, private_key=PrivateKey.generate(), private_key_path="")


def without_secrets(url: str) -> str:
    """Return a URL as it was typed, however wrong, without what may be a password."""
    rest = url.partition("?")[0]
    scheme, separator, location = rest.rpartition("://")
    return scheme + separator + location.rpartition("@")[2]


def write(text: str) -> None:
    """Write to standard output in UTF-8, whatever the locale has: it may be a file that we read again."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def positive(kind: Callable[[str], T]) -> Callable[[str], T]:
    """Return what reads a number greater than zero from a command line."""

    def number(text: str) -> T:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    number.__name__ = "positive number"
    return number
