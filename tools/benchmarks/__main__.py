"""The command behind tools/bench: runs measurements, prints a table, writes JSON."""

import argparse
import functools
import json
import signal
import sys
from collections.abc import Callable

from . import (
    beside,
    blocking,
    connections,
    datagrams,
    engine,
    http,
    latency,
    links,
    mapping,
    peers,
    proxies,
    routed,
    stack,
    start,
    stream,
    transit,
)
from .lossy import grid
from .lossy.measure import Regression, lossy

Measurement = Callable[[float], dict[str, float]]
MEASUREMENTS: dict[str, Measurement] = {
    "pair_65535": functools.partial(stream.two_processes, 65535),
    "pair_1500": functools.partial(stream.two_processes, 1500),
    "pair_inproc_65535": functools.partial(stream.in_process, 65535),
    "pair_inproc_1500": functools.partial(stream.in_process, 1500),
    "rr": latency.request_response,
    "udp64": datagrams.udp64,
    "transit_1280": transit.transit,
    "checksum_1500": functools.partial(engine.checksum, 1500),
    "checksum_65535": functools.partial(engine.checksum, 65535),
    "session_1280": functools.partial(engine.session, 1280),
    "session_65535": functools.partial(engine.session, 65535),
    "http": http.http,
    "routed": routed.routed_loop,
    "bridge": blocking.bridge,
    "dial": blocking.dial,
    "proxies": proxies.proxies,
    "stack_65535": functools.partial(stack.stack, 65535),
    "stack_1500": functools.partial(stack.stack, 1500),
    "conn": stack.connections,
    "conn_pair": connections.between_nodes,
    "conn_kib": connections.memory,
    "links": links.links,
    "mapping_1000": functools.partial(mapping.mapping, 1000),
    "start": start.start,
    "peer_document": functools.partial(peers.document, 5000),
    "python_calls": stream.python_calls,
    "lossy": lambda _: lossy(grid.short()),
}
UNITS = {"mib_s": "MiB/s", "cpu_s_per_gib": "CPU s/GiB", "us": "µs", "ms": "ms", "pps": "packets/s", "gb_s": "GB/s",
         "mb_s": "MB/s", "rps_1": "requests/s", "rps_16": "requests/s", "per_mib": "calls/MiB",
         "gbit_s": "Gbit/s", "conn_per_s": "connections/s", "pair_per_s": "connections/s", "udp_per_s": "datagrams/s",
         "kib": "KiB", "of_ideal": "of an ideal sender's", "percent": "%"}


def _row(name: str, value: float) -> str:
    unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")
    return f"{name:<32} {value:>14,.{0 if value >= 1000 else 2}f}  {unit}"


def _beside(daemon: str, quick: bool, file: str | None) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)   # what it has set up must be removed then too
    try:
        beside.compare(daemon, quick=quick, file=file)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=MEASUREMENTS, default=list(MEASUREMENTS),
                        help=f"some of: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="short measurements: all in less than two minutes")
    parser.add_argument("--json", metavar="FILE", help="also write the figures as one JSON object")
    parser.add_argument("--beside", metavar="DAEMON",
                        help="only this: set ygg beside the packaged daemon at this path, and print a table in Markdown"
                             " (needs root, network namespaces and /dev/net/tun)")
    parser.add_argument("--whole", action="store_true", help="for lossy: every link, not the short grid")
    parser.add_argument("--update-golden", action="store_true",
                        help="for lossy: what is measured becomes what later runs are compared with")
    options = parser.parse_args()
    if options.beside:
        return _beside(options.beside, options.quick, options.json)
    cells = grid.whole() if options.whole else grid.short()
    measurements = MEASUREMENTS | {"lossy": lambda _: lossy(cells, update=options.update_golden)}
    figures: dict[str, float] = {}
    try:
        for number, name in enumerate(options.only, 1):
            print(f"[{number}/{len(options.only)}] {name}", file=sys.stderr, flush=True)
            found = measurements[name](1.0 if options.quick else 4.0)
            figures |= found
            print("\n".join(_row(*item) for item in found.items()), flush=True)
    except Regression as regression:
        print(regression, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was measured so far stands", file=sys.stderr)
        return 130
    finally:
        if options.json and figures:
            with open(options.json, "w") as file:
                json.dump(figures, file, indent=2)
                file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
