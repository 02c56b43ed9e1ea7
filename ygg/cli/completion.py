"""`ygg completion`: what has a shell complete commands, options and their values."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ygg.cli.common import write
from ygg.errors import MissingExtraError

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

SHELLS = ("bash", "zsh", "tcsh")
"""Those that shtab knows."""

_PATHS = {"FILE": "FILE", "FOLDER": "DIRECTORY"}
"""What the values with these names are to shtab."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Print a script that has a shell complete the command line, for bash: `ygg completion bash > "
        "~/.local/share/bash-completion/completions/ygg`. It needs the extra `cli`."
    )
    parser = commands.add_parser("completion", help="have a shell complete commands", description=text)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    try:
        import shtab
    except ImportError:
        raise MissingExtraError("completion needs shtab: install ygg[cli]") from None
    whole, known = arguments.parsers
    for parser in known.values():
        for action in parser.arguments():
            if isinstance(action.metavar, str) and action.metavar in _PATHS:
                action.complete = getattr(shtab, _PATHS[action.metavar])
    write(shtab.complete(whole, shell=arguments.shell))
    return 0
