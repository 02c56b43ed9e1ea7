"""`ygg stack`: a node without a TUN device, with a SOCKS listener and forwards, by yggstack's options."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ygg.cli import mappings
from ygg.cli.common import UsageError, load, write
from ygg.cli.run import LEVELS, serve

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser
    from ygg.config.config import Config
    from ygg.daemon import Daemon
    from ygg.names import Names
    from ygg.proxy import DatagramForward, Forward
    from ygg.vtun import VTun

PRINTS = ("genconf", "normaliseconf", "exportkey", "address", "subnet", "publickey")
"""Options that print something in place of running a node."""

log = logging.getLogger("ygg.daemon")


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Run a node without a TUN device, which programs reach by SOCKS and by forwarded ports. The options are "
        "yggstack's; each may have one dash or two. Local ports are open to this machine unless an address is given."
    )
    parser = commands.add_parser("stack", help="run a node with SOCKS and forwards", description=text)

    def option(name: str, **more: Any) -> None:
        parser.add_argument(f"-{name}", f"--{name}", dest=name.replace("-", "_"), **more)

    option("useconf", action="store_true", help="read the configuration from standard input")
    option("useconffile", metavar="FILE", help="read the configuration from a file")
    option("autoconf", action="store_true", help="take a new identity and the defaults")
    option("genconf", action="store_true", help="print a new configuration")
    option("json", action="store_true", help="print configurations as JSON")
    option("normaliseconf", action="store_true", help="print the configuration again, complete and commented")
    option("exportkey", action="store_true", help="print the private key as PEM")
    option("address", action="store_true", help="print the address of the configuration")
    option("subnet", action="store_true", help="print its subnet")
    option("publickey", action="store_true", help="print its public key")
    option("logto", default="stderr", metavar="WHERE", help="stdout, stderr, or a file to append the log to")
    option("loglevel", type=str.lower, choices=LEVELS, default="info", help="least level that is logged (info)")
    socks = "listen for SOCKS at [HOST]:PORT, or at the path of a UNIX socket"
    option("socks", metavar="ADDRESS", help=socks)
    option("nameserver", metavar="ADDRESS", help="ask this name server in the overlay for names")
    into = "lead a port of this machine into the overlay: [ADDRESS:]PORT:[OVERLAY-ADDRESS]:PORT; repeatable"
    option("local-tcp", action="append", default=[], metavar="MAPPING", help=into)
    option("local-udp", action="append", default=[], metavar="MAPPING", help="the same for UDP")
    out = "lead a port of the overlay to this machine: PORT, or PORT:[HOST:]PORT; repeatable"
    option("remote-tcp", action="append", default=[], metavar="MAPPING", help=out)
    option("remote-udp", action="append", default=[], metavar="MAPPING", help="the same for UDP")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for, or run the node."""
    config = configuration(arguments)
    for name in PRINTS:
        if getattr(arguments, name):
            write(_printed(name, config, json=arguments.json))
            return 0
    services = Services(arguments)
    _log_to(arguments.logto, LEVELS[arguments.loglevel])
    asyncio.run(serve(dataclasses.replace(config, if_name="none"), beside=services.open))
    return 0


def configuration(arguments: argparse.Namespace) -> Config:
    """Return the configuration that the options name. Raises `UsageError`, and `ConfigError`."""
    from ygg.config.config import Config

    ways = [arguments.useconf, arguments.useconffile is not None, arguments.autoconf, arguments.genconf]
    if sum(ways) != 1:
        raise UsageError("say which configuration: one of -useconf, -useconffile, -autoconf and -genconf")
    if arguments.useconf or arguments.useconffile is not None:
        return load("-" if arguments.useconf else arguments.useconffile)
    return dataclasses.replace(Config.generate(), admin_listen="none", if_name="none")


def _printed(name: str, config: Config, *, json: bool) -> str:
    from ygg.identity.address import address_of, subnet_of

    if name in ("genconf", "normaliseconf"):
        return config.to_json() if json else config.to_hjson()
    key = config.private_key.public_key
    if name == "exportkey":
        return config.private_key.pem()
    return f"{ {'address': address_of(key), 'subnet': subnet_of(key), 'publickey': key.hex()}[name] }\n"


def _log_to(where: str, level: int) -> None:
    import sys

    form = "%(asctime)s %(levelname)s %(message)s"
    if where in ("stdout", "stderr"):
        logging.basicConfig(level=level, format=form, stream=getattr(sys, where))
    else:
        logging.basicConfig(level=level, format=form, filename=where)


class Services:
    """What the options ask for beside the node; a mapping that makes no sense is told before anything runs."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._local = [(kind, mappings.local(text)) for kind, text in _each(arguments, "local")]
        self._remote = [(kind, mappings.remote(text)) for kind, text in _each(arguments, "remote")]
        self._socks = None if arguments.socks is None else mappings.listening(arguments.socks)
        self._server = None if arguments.nameserver is None else mappings.name_server(arguments.nameserver)

    @contextlib.asynccontextmanager
    async def open(self, daemon: Daemon) -> AsyncIterator[None]:
        """Open them on a running node, and close them at the end."""
        from ygg import proxy
        from ygg.names import Names
        from ygg.vtun import VTun

        async with contextlib.AsyncExitStack() as parts:
            vtun = await parts.enter_async_context(VTun.over(daemon.core))
            # As yggstack has it, the server that is named is asked for all names that need a question.
            names = Names(vtun=vtun) if self._server is None else Names(vtun=vtun, alfis=(), name_server=self._server)
            for kind, way in self._local:
                forward = _into(kind, way, vtun, names)
                await parts.enter_async_context(forward)
                log.info("%s port %s leads to [%s]:%d", kind.upper(), forward.addresses[0], way.far_host, way.far_port)
            for kind, way in self._remote:
                await parts.enter_async_context(_out(kind, way, vtun))
                log.info("%s port %d of the overlay leads to %s:%d", kind.upper(), way.port, way.far_host, way.far_port)
            if self._socks is not None:
                at = self._socks
                entrance = proxy.unix(at) if isinstance(at, str) else proxy.tcp(*at)
                socks = proxy.SocksProxy(entrance, proxy.OverlayRoute(vtun, names))
                await parts.enter_async_context(socks)
                log.info("The SOCKS listener is at %s", ", ".join(socks.addresses))
            yield


def _into(kind: str, way: mappings.Mapping, vtun: VTun, names: Names) -> Forward | DatagramForward:
    """Return a forward into the overlay."""
    from ygg import proxy

    if kind == "tcp":
        target = proxy.overlay(vtun, way.far_host, way.far_port, names=names)
        return proxy.Forward(proxy.tcp(way.host, way.port), target)
    return proxy.DatagramForward(
        proxy.udp(way.host, way.port), proxy.overlay_udp(vtun, way.far_host, way.far_port, names=names)
    )


def _out(kind: str, way: mappings.Mapping, vtun: VTun) -> Forward | DatagramForward:
    """Return a forward out of the overlay."""
    from ygg import proxy

    if kind == "tcp":
        return proxy.Forward(proxy.overlay(vtun, None, way.port), proxy.tcp(way.far_host, way.far_port))
    own = vtun.addresses[0]  # where clients expect answers from
    return proxy.DatagramForward(proxy.overlay_udp(vtun, own, way.port), proxy.udp(way.far_host, way.far_port))


def _each(arguments: argparse.Namespace, side: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind in ("tcp", "udp") for text in getattr(arguments, f"{side}_{kind}")]
