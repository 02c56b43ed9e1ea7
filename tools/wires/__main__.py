"""Sets links side by side on slow wires: tools/wiregrid [--short] [--beside DAEMON] [--wires RATExRTT…] [--links …].

On each wire: the kernel's TCP, ygg over links of each scheme, and with --beside two nodes of the packaged daemon. Needs
root, network namespaces and /dev/net/tun. With --short transfers of 10 KB, 100 KB and 1 MB over a link that is there,
each by a connection of its own, in place of a long one. Progress goes to standard error, the table, in Markdown, to
standard output.
"""

import argparse
import re
import signal
import sys
from collections.abc import Iterable, Iterator

from benchmarks.hosts import remove_leftovers

from . import grid, systems
from .grid import Figures
from .systems import System
from .wire import Wire

WIRES = ("1x40", "5x200", "10x40", "20x100", "100x20", "100x100")
SCHEMES = ("tcp", "tls", "ws", "quic")
MTUS = (65535, 1500)
COLUMNS = ("wire", "system", "goodput", "of kernel's", "ping, ms", "request, ms", "lost")
SHORT_COLUMNS = ("wire", "system", "10 KB, ms", "100 KB, ms", "1 MB, ms")


def wire(text: str) -> Wire:
    """Read a wire: Mbit/s x ms of round trip, and, if it loses, share of packets: 10x40 or 10x40/0.01."""
    if not (found := re.fullmatch(r"([\d.]+)x([\d.]+)(?:/([\d.]+))?", text)):
        raise argparse.ArgumentTypeError(f"{text} is no wire such as 10x40 or 10x40/0.01")
    return Wire(*(float(part or 0) for part in found.groups()))


def compared(schemes: Iterable[str], daemon: str | None, congestion: str) -> Iterator[System]:
    """Yield what is set side by side, the kernel first."""
    yield systems.KERNEL._replace(congestion=congestion)
    for mtu in MTUS:
        for scheme in schemes:
            yield systems.ygg(scheme, mtu)._replace(congestion=congestion)
        if daemon:
            yield systems.daemons(daemon, mtu)._replace(congestion=congestion)


def row(cells: Iterable[object]) -> str:
    """Return a row of the table."""
    return f"| {' | '.join(map(str, cells))} |"


def cells(wire: Wire, system: System, found: Figures, kernel: Figures) -> tuple[object, ...]:
    """Return the row of one system on one wire."""
    return (wire, system, f"{found.goodput:.2f}", f"{found.goodput / kernel.goodput:.2f}",
            f"{found.ping:.0f} / {found.ping_late:.0f}", f"{found.request:.0f} / {found.request_late:.0f}", found.lost)


def rows(options: argparse.Namespace, wire: Wire) -> Iterator[tuple[object, ...]]:
    """Measure on one wire; yield the rows of the table."""
    kernel: Figures | None = None
    for system in compared(options.links, options.beside, options.congestion):
        print(f"{wire}, {system}", file=sys.stderr, flush=True)
        if options.short:
            yield (wire, system, *(f"{ms:.0f}" for ms in grid.short(system, wire)))
        else:
            found = grid.measure(system, wire, options.seconds)
            kernel = kernel or found
            yield cells(wire, system, found, kernel)


def main() -> int:
    """Measure what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="tools/wiregrid", description=__doc__)
    parser.add_argument("--wires", nargs="+", type=wire, metavar="WIRE", default=[wire(text) for text in WIRES],
                        help="Mbit/s x ms, such as 10x40, or 10x40/0.01 with 1 %% of random loss")
    parser.add_argument("--links", nargs="+", choices=SCHEMES, metavar="SCHEME", default=["tcp"],
                        help=f"some of: {', '.join(SCHEMES)} (default: tcp)")
    parser.add_argument("--beside", metavar="DAEMON", help="the path of the packaged daemon")
    parser.add_argument("--congestion", metavar="NAME", default=systems.CONGESTION,
                        help=f"the kernel's congestion control (default: {systems.CONGESTION})")
    parser.add_argument("--short", action="store_true", help="measure short transfers: medians of seven")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement (default: 10)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)   # what it has set up must be removed then too
    remove_leftovers()
    columns = SHORT_COLUMNS if options.short else COLUMNS
    print(row(columns), row("---" for _ in columns), sep="\n", flush=True)
    try:
        for wire_ in options.wires:
            for found in rows(options, wire_):
                print(row(found), flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
