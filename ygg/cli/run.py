"""`ygg run`: a node in the foreground, as its configuration describes it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gc
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ygg.cli.common import add_config, add_new_identity, load
from ygg.errors import YggError

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser
    from ygg.config.config import Config
    from ygg.daemon import Daemon

LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "warning": logging.WARNING, "info": logging.INFO,
          "debug": logging.DEBUG, "trace": 1}  # fmt: skip
"""Log levels as the stock daemon names them, the quietest first; `trace` is everything, of other libraries too."""

log = logging.getLogger("ygg.daemon")


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Run a node until Ctrl-C or SIGTERM; at SIGHUP it redials the peers that are down. What it does is logged to "
        "standard error."
    )
    parser = commands.add_parser("run", help="run a node", description=text)
    add_config(parser)
    add_new_identity(parser)
    level = "least level that is logged (info)"
    parser.add_argument("--loglevel", type=str.lower, choices=LEVELS, default="info", help=level)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    with contextlib.suppress(AttributeError, ValueError):  # not everywhere, and in the main thread alone
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # while there is no node yet, and when there is none any more
    logging.basicConfig(level=LEVELS[arguments.loglevel], format="%(asctime)s %(levelname)s %(message)s")
    config = load(arguments.config, new_identity=arguments.new_identity)
    # A new identity has no past that its clock could fall behind.
    kept = arguments.config != "-" and not arguments.new_identity
    clock_file = Path(f"{arguments.config}.clock") if kept else None
    config_file = None if arguments.config == "-" else Path(arguments.config)
    asyncio.run(serve(config, clock_file, _started, config_file=config_file))
    return 0


async def serve(
    config: Config,
    clock_file: Path | None = None,
    started: Callable[[], object] = lambda: None,
    beside: Callable[[Daemon], AbstractAsyncContextManager[object]] | None = None,
    config_file: Path | None = None,
) -> None:
    """Run a node until the process is told to end, even while it starts; call `started` once it runs.

    `beside` opens what runs on the node, which is closed before it.
    """
    from ygg.daemon import Daemon

    told = asyncio.Event()
    starting = asyncio.timeout(None)
    daemon = Daemon(config, clock_file=clock_file, config_file=config_file)
    with _signals({"SIGHUP": lambda: retry(daemon)}):
        async with contextlib.AsyncExitStack() as parts:
            end = functools.partial(_tell, told, starting)
            with _signals({"SIGINT": end, "SIGTERM": end}):
                try:
                    async with starting:
                        await parts.enter_async_context(daemon)
                        if beside is not None:
                            await parts.enter_async_context(beside(daemon))
                except TimeoutError:
                    if not told.is_set():
                        raise
                else:
                    started()
                    await told.wait()


def _started() -> None:
    # What is there now stays. To look at it whenever many links come takes the garbage collector some 20 ms.
    gc.collect()
    gc.freeze()


def _tell(told: asyncio.Event, starting: asyncio.Timeout) -> None:
    told.set()
    with contextlib.suppress(RuntimeError):  # it has started
        starting.reschedule(0)


def retry(daemon: Daemon) -> None:
    """Redial the peers of a node that are down."""
    log.info("SIGHUP: peers that are down are redialed now; the configuration is not read again")
    with contextlib.suppress(YggError):  # it begins, or ends
        daemon.core.retry_peers_now()


@contextlib.contextmanager
def _signals(handlers: dict[str, Callable[[], None]]) -> Iterator[None]:
    """Handle signals by name, and give them back; where the system or the loop has none, what handled them stays."""
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}
    for name, handler in handlers.items():
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            number: signal.Signals = getattr(signal, name)
            handled = signal.getsignal(number)
            loop.add_signal_handler(number, handler)
            before[number] = handled
    try:
        yield
    finally:
        for number, handled in before.items():
            loop.remove_signal_handler(number)
            if handled is not None:  # else it was not Python's
                signal.signal(number, handled)
