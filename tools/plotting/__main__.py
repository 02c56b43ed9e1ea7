"""The command line of tools/plot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plotting import capture, trace

PICTURE = "connection.svg"


def main(arguments: list[str]) -> int:
    """Draw, or list, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="tools/plot", description="Draws what happened to one TCP connection: sequence numbers, bytes in flight, "
        "round trips out of a capture (vtun.capture); windows and estimates out of a trace (vtun.trace).")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a capture, a trace, or one of each")
    parser.add_argument("--connection", type=int, default=None, metavar="N",
                        help="which, as --list numbers them (default: the one with the most packets or samples)")
    parser.add_argument("--reverse", action="store_true", help="show the end that sent less")
    parser.add_argument("--output", type=Path, default=Path(PICTURE), metavar="PICTURE",
                        help=f"a path that ends in .svg, .png or .pdf (default: {PICTURE})")
    parser.add_argument("--list", action="store_true", help="only say which connections there are")
    options = parser.parse_args(arguments)
    try:
        connections, traces = _read(options.files)
        if options.list:
            _list(connections, traces)
            return 0
        connection, traced = _choose(connections, traces, options.connection)
    except (OSError, ValueError) as error:
        print(f"tools/plot: {error}", file=sys.stderr)
        return 1
    from plotting import draw  # here, because it takes a second

    sender = 0 if connection is None else connection.busier ^ options.reverse
    draw.save(draw.picture(connection, traced, sender), options.output)
    print(options.output)
    return 0


def _read(files: list[Path]) -> tuple[list[capture.Connection], list[trace.Trace]]:
    connections: list[capture.Connection] = []
    traces: list[trace.Trace] = []
    for path in files:
        with path.open("rb") as file:
            text = file.read(1) in (b"{", b"")
        if text:
            traces += trace.read(path)
        else:
            connections += capture.read(path)
    return connections, traces


def _list(connections: list[capture.Connection], traces: list[trace.Trace]) -> None:
    for number, one in enumerate(connections):
        print(f"{number}  {_name(one.ends)}  {one.packets} packets")
    for number, other in enumerate(traces):
        print(f"{number}  {_name(other.ends)}  {len(other.samples)} samples")


def _name(ends: tuple[tuple[str, int], tuple[str, int]]) -> str:
    (source, port), (target, other) = ends
    return f"[{source}]:{port} → [{target}]:{other}"


def _choose(
    connections: list[capture.Connection], traces: list[trace.Trace], number: int | None
) -> tuple[capture.Connection | None, trace.Trace | None]:
    """Return a connection of the captures and what the traces say of it; without captures, one of the traces."""
    every = connections or traces
    if not every:
        raise ValueError("there is no TCP connection in what was given")
    if number is not None and not 0 <= number < len(every):
        raise ValueError(f"there are connections 0 to {len(every) - 1}, not {number}: --list shows them")
    if not connections:
        return None, traces[number] if number is not None else max(traces, key=lambda one: len(one.samples))
    chosen = connections[number] if number is not None else max(connections, key=lambda one: one.packets)
    return chosen, next((one for one in traces if set(one.ends) == set(chosen.ends)), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
