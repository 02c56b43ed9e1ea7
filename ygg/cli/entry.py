"""The parser, and what becomes of errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ygg.cli import chat, completion, crawl, ctl, dns, execute, genconf, peers, ping, receive, run, send, show, stack
from ygg.cli.common import CommandError, UsageError
from ygg.cli.parser import Parser
from ygg.cli.screen import add_color
from ygg.errors import YggError
from ygg.version import __version__

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands

FAILURE, USAGE, INTERRUPTED = 1, 2, 130
"""Exit statuses: it did not work, the command line makes no sense, Ctrl-C."""


COMMANDS = {
    "genconf": genconf, "show": show, "peers": peers, "ping": ping, "run": run,
    "ctl": ctl, "exec": execute, "stack": stack, "dns": dns, "map": crawl,
    "send": send, "receive": receive, "chat": chat, "completion": completion,
}  # fmt: skip
"""The commands, in the order in which help has them."""


def make_parser() -> tuple[Parser, dict[str, Parser]]:
    """Return the parser, and those of the commands by name."""
    parser = Parser("ygg", description="An Yggdrasil node, protocol 0.5.", epilog="`ygg help COMMAND` says more.")
    parser.add_argument("--version", action="version", version=f"ygg {__version__}")
    commands: Subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    known = {name: module.add(commands) for name, module in COMMANDS.items()}
    for name in ("peers", "map", "send", "receive"):
        add_color(known[name])
    known["help"] = commands.add_parser("help", help="show help", description="Show help, for a command if named.")
    known["help"].add_argument("command", nargs="?", metavar="COMMAND", help="one of those above")
    known["completion"].set_defaults(parsers=(parser, known))
    return parser, known


def _parse(argv: Sequence[str]) -> argparse.Namespace | None:
    """Return what a command line says; None where it asks for help, which is printed."""
    parser, known = make_parser()
    first = argv[0] if argv else "help"
    if not first.startswith("-") and first not in known:
        parser.refuse("command", first, known)
    named = known.get(first, parser)
    named.check_options(argv[1:] if first in known else argv)
    arguments = parser.parse_args(argv or ["help"])
    if first != "help":
        return arguments
    if arguments.command is not None and arguments.command not in known:
        parser.refuse("command", arguments.command, known)
    known.get(arguments.command, parser).print_help()
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. `argv` are the arguments, those of the process unless given."""
    try:
        arguments = _parse(sys.argv[1:] if argv is None else argv)
    except SystemExit as done:  # argparse has said why
        return int(done.code or 0)
    if arguments is None:
        return 0
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
