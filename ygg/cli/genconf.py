"""`ygg genconf`: a configuration with a new identity."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError, write

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = "Make a configuration with a new identity. It holds the private key: keep it secret."
    parser = commands.add_parser("genconf", help="make a configuration", description=text)
    parser.add_argument("--json", action="store_true", help="JSON instead of commented HJSON")
    parser.add_argument("--output", metavar="FILE", help="write a new file that only its owner can read")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print or write it."""
    from ygg.config.config import Config

    config = Config.generate()
    text = config.to_json() if arguments.json else config.to_hjson()
    if arguments.output is None:
        write(text)
        return 0
    _write_new(arguments.output, text)
    write(f"{config.certificate.public_key.hex()} is the public key of {arguments.output}\n")
    return 0


def _write_new(path: str, text: str) -> None:
    from pathlib import Path

    from ygg import wholefile

    try:
        wholefile.create(Path(path), text.encode())
    except FileExistsError:
        raise CommandError(f"{path} exists; remove it first, or name another file") from None
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
