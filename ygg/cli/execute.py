"""`ygg exec`: an unmodified Python program whose sockets reach the overlay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import runpy
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ygg.cli.common import UsageError, load

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Run a Python program, unmodified, whose sockets reach addresses of the overlay through a node that lives as "
        "long as it does. The identity is a new one unless --config or --identity has one. What follows the program is "
        "its own."
    )
    parser = commands.add_parser("exec", help="run a Python program on the overlay", description=text)
    parser.add_argument("--config", metavar="FILE", help="the configuration of the node; - is standard input")
    parser.add_argument("--identity", metavar="FILE", help="the node's key, made and kept there when there is none")
    parser.add_argument("--peer", action="append", default=[], metavar="URI", help="peer to stay connected to")
    parser.add_argument("--listen", action="append", default=[], metavar="URI", help="where to accept links")
    hosts = "have all hosts taken for the overlay's: a server without an address listens there"
    parser.add_argument("--all-hosts", action="store_true", help=hosts)
    waiting = "to wait for a peer before the program begins (10)"
    parser.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help=waiting)
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="a module to run")
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM", help="a file to run")
    parser.set_defaults(run=run)
    parser.ends_at_program = True
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Run it; return its exit status."""
    from ygg import blocking

    words: list[str] = arguments.module or arguments.program
    if not words:
        raise UsageError("which program? Name a file, or a module with -m")
    if arguments.config and arguments.identity:
        raise UsageError("--config has an identity: leave out --identity")
    identity = load(arguments.config) if arguments.config else arguments.identity
    with blocking.node(
        identity, peers=arguments.peer, listen=arguments.listen, link_local=bool(arguments.config)
    ) as node:
        print(f"ygg: {node.address} runs {words[0]}", file=sys.stderr, flush=True)
        if node.peers():
            with contextlib.suppress(TimeoutError):
                node.connected(arguments.wait)
        with _uvloop_passed_over(), blocking.routed(node, hosts="all" if arguments.all_hosts else "overlay"):
            return _status(words, bool(arguments.module))


@contextlib.contextmanager
def _uvloop_passed_over() -> Iterator[None]:
    """Have loops that a program makes by uvloop be asyncio's: uvloop connects in C, and asks no socket of Python's.

    All that makes one (`uvloop.run`, its policy, servers with an option for it) takes this class of the module's.
    """
    try:
        import uvloop
    except ImportError:
        yield
        return
    module: Any = uvloop
    before, module.Loop = module.Loop, asyncio.SelectorEventLoop
    try:
        yield
    finally:
        module.Loop = before


def _status(words: list[str], module: bool) -> int:
    """Run a program until its threads have ended too; return its exit status."""
    try:
        _run(words, module)
        status = 0
    except SystemExit as done:
        if isinstance(done.code, str):
            print(done.code, file=sys.stderr)
        status = done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        return INTERRUPTED
    except BaseException as error:
        error.__traceback__ = _own_frames(error)
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    return status


def _run(words: list[str], module: bool) -> None:
    sys.argv = list(words)
    if module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
        runpy.run_path(words[0], run_name="__main__")


def _own_frames(error: BaseException) -> TracebackType | None:
    """Return the traceback of an error of a program's without the frames that have run it."""
    traceback = error.__traceback__
    frames = traceback
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in (__name__, "runpy"):
        frames = frames.tb_next
    return frames or traceback
