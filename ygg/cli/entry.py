"""The parser, and what becomes of errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ygg.cli import genconf, peers, ping, run, show
from ygg.cli.common import CommandError, UsageError
from ygg.errors import YggError
from ygg.version import __version__

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands

FAILURE, USAGE, INTERRUPTED = 1, 2, 130
"""Exit statuses: it did not work, the command line makes no sense, Ctrl-C."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser("ygg", description="An Yggdrasil node, protocol 0.5.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ygg {__version__}")
    commands: Subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (genconf, show, peers, ping, run):
        command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. `argv` are the arguments, those of the process unless given."""
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as done:  # argparse has said why
        return int(done.code or 0)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. What is left must not fail again when the interpreter flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except (CommandError, YggError, OSError) as error:
        print(f"ygg: {error}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILURE
    except ImportError as error:
        if error.name != "libsodium":
            raise
        print(f"ygg: {error}", file=sys.stderr)
        return FAILURE
