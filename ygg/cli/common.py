"""What the commands share."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ygg.config import Config


class Subcommands(Protocol):
    """What a command adds itself to: what `add_subparsers()` returns."""

    def add_parser(self, name: str, *, help: str, description: str, allow_abbrev: bool) -> argparse.ArgumentParser: ...


class CommandError(Exception):
    """A failure to be told in one line that says what to do."""


class UsageError(CommandError):
    """A command that makes no sense as it was written."""


def add_config(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--config`."""
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration; - is standard input")


def load(path: str) -> Config:
    """Read a configuration. Raises `ConfigError`."""
    from ygg.config import Config

    return Config.parse(sys.stdin.buffer.read()) if path == "-" else Config.load(path)
