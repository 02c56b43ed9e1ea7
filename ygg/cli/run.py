"""`ygg run`: a node in the foreground, as its configuration describes it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ygg.cli.common import add_config, load

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.config import Config

LEVELS = ("error", "warning", "info", "debug")
"""Names of log levels, the quietest first."""


def add(commands: Subcommands) -> None:
    """Add the command."""
    text = "Run a node until Ctrl-C or SIGTERM. What it does is logged to standard error."
    parser = commands.add_parser("run", help="run a node", description=text, allow_abbrev=False)
    add_config(parser)
    parser.add_argument("--loglevel", choices=LEVELS, default="info", help="least level that is logged (info)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    config = load(arguments.config)
    logging.basicConfig(level=arguments.loglevel.upper(), format="%(asctime)s %(levelname)s %(message)s")
    clock_file = None if arguments.config == "-" else Path(f"{arguments.config}.clock")
    asyncio.run(serve(config, clock_file))
    return 0


async def serve(config: Config, clock_file: Path | None = None) -> None:
    """Run a node until the process is told to end, even if that is while the node starts."""
    from ygg.daemon import Daemon

    told = asyncio.Event()
    starting = asyncio.timeout(None)
    async with contextlib.AsyncExitStack() as parts:
        with _signals(lambda: _tell(told, starting)):
            try:
                async with starting:
                    await parts.enter_async_context(Daemon(config, clock_file=clock_file))
            except TimeoutError:
                if not told.is_set():
                    raise
            else:
                await told.wait()


def _tell(told: asyncio.Event, starting: asyncio.Timeout) -> None:
    told.set()
    with contextlib.suppress(RuntimeError):  # it has started
        starting.reschedule(0)


@contextlib.contextmanager
def _signals(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` at SIGINT and SIGTERM; where a loop knows no signals, KeyboardInterrupt does."""
    loop = asyncio.get_running_loop()
    known = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, tell)
            known.append(number)
    try:
        yield
    finally:
        for number in known:
            loop.remove_signal_handler(number)
