"""`ygg ctl`: asks a running node by its admin socket, ours or the stock daemon, with yggdrasilctl's options."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ygg.cli.common import CommandError, UsageError, write

if TYPE_CHECKING:
    from ygg.admin import BlockingClient, Endpoint
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

CONFIGURATION = Path("/etc/yggdrasil/yggdrasil.conf")
"""The packaged daemon's, whose AdminListen says where to ask."""

SILENT = ("addpeer", "removepeer", "retrypeers", "refreshautopeer")
"""Commands of which nothing is shown when they have worked."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Ask a running node by its admin socket, this library's or the stock daemon's. The options are yggdrasilctl's; "
        "each may have one dash or two, and all come before the command. `ygg ctl list` shows the commands."
    )
    parser = commands.add_parser("ctl", help="ask a running node", description=text)
    endpoint = "the admin socket: unix:///PATH or tcp://HOST:PORT (AdminListen of the packaged daemon's configuration)"
    parser.add_argument("-endpoint", "--endpoint", metavar="WHERE", help=endpoint)
    parser.add_argument("-json", "--json", action="store_true", help="print the response as JSON")
    # As one word: what follows -borders is the command, as in Go's command lines.
    plain = ("-borders=false", "--borders=false")
    parser.add_argument(*plain, dest="borders", action="store_false", help="draw tables without lines")
    drawn = ("-borders", "--borders", "-borders=true", "--borders=true")
    parser.add_argument(*drawn, dest="borders", action="store_true", default=True, help="draw tables with lines (so)")
    parser.add_argument("-version", "--version", action="store_true", help="print the version of this program")
    parser.add_argument("request", nargs="?", metavar="COMMAND", help="what to ask")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="arguments of the command")
    parser.set_defaults(run=run, help=parser.print_help)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Ask, and show what comes."""
    from ygg.admin import AdminError

    if arguments.version:
        return _version()
    if arguments.request is None:
        arguments.help()
        return 0
    given = dict(map(_argument, arguments.arguments))
    with _client(arguments.endpoint) as client:
        try:
            if arguments.request.lower() == "subscribe":
                return _follow(client, given)
            response = client.request(arguments.request, **given)
        except AdminError as error:
            print(f"Admin socket returned an error: {error}")
            return 1
        except TimeoutError:
            raise CommandError(f"the node at {client.endpoint} does not answer") from None
    write(_shown(arguments.request, response, json_only=arguments.json, borders=arguments.borders))
    return 0


def _version() -> int:
    from ygg.version import __version__

    print(f"Build name: ygg\nBuild version: {__version__}")
    print("To get the version number of the running node, run ygg ctl getSelf")
    return 0


def _argument(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name:
        raise UsageError(f"{text!r} is no argument; write NAME=VALUE")
    return name, value


def _client(named: str | None) -> BlockingClient:
    """Return a client of the node that is meant, connected."""
    from ygg.admin import BlockingClient

    place = named if named is not None else _configured()
    client = BlockingClient(place)
    try:
        client.open()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        text = f"cannot reach a node at {client.endpoint}: {reason}; is it running? -endpoint names another place"
        raise CommandError(text) from None
    return client


def _configured() -> Endpoint | None:
    """Return the endpoint of the packaged daemon's configuration; None where there is none that can be read."""
    from ygg.admin.endpoint import listen_endpoint
    from ygg.config.config import Config
    from ygg.errors import YggError

    try:
        config = Config.load(CONFIGURATION, need_identity=False)
    except (OSError, YggError):
        return None
    if not config.admin_listen:
        return None
    return listen_endpoint(config.admin_listen)


def _follow(client: BlockingClient, given: dict[str, str]) -> int:
    """Print events as they come, a line of JSON each."""
    kinds = [kind for kind in given.get("events", "").split(",") if kind]
    for event in client.subscribe(*kinds, level=given.get("level", "info")):
        print(json.dumps(event), flush=True)
    print(f"the node at {client.endpoint} has ended", file=sys.stderr)
    return 1


def _shown(command: str, response: Any, *, json_only: bool, borders: bool) -> str:
    from ygg.cli.ctl_tables import table_of
    from ygg.cli.grid import grid

    if not json_only:
        if command.lower() in SILENT:
            return ""
        if (table := table_of(command, response)) is not None:
            return grid(*table, borders=borders)
        if command.lower() == "getnodeinfo" and isinstance(response, dict):
            return "".join(_json(info) for info in response.values())
    return _json(response)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
