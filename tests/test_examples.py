"""The tutorial's programs in examples/ run as a reader would run them, and print what they promise."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.aio import LOOPS

EXAMPLES = Path(__file__).parent.parent / "examples"

PRINTS: dict[str, list[Any]] = {
    "one_line.py": ["greeted by name: True", "the same address again: True", "and without a loop: True"],
    "minimal_node.py": [r"address 2", "subnet 3"],
    "two_nodes.py": ["connected to the server: True", "configured: 2"],
    "metered_transport.py": ["dials 1 listens 1 peers 1"],
    "network_mapping.py": ["unmapped: no network is mapped", "mapped: 1 peer", "blocked: ", "unmapped: 0 peers"],
    "own_network.py": ["passed ", "both ends seen: 2", "bytes seen: ", "the next: 127.0.0.1:"],
    "over_tcp.py": ["HELLO", "OVERLAY", "end of stream: True"],
    "over_udp.py": ["from the client: True", "ANYBODY THERE?", "answered within a second: True"],
    "over_http.py": ["200 True"],
    "over_routed.py": ["True"],
    "over_aiohttp.py": ["200 True"],
    "over_websockets.py": ["HELLO"],
    "over_asyncssh.py": ["ran uptime"],
    "over_anyio.py": ["hello"],
    "over_hypercorn.py": ["200 True"],
    "over_trio.py": ["hello 2", "hello 2"],
    "over_proxies.py": ["by socks5h: True", "by http: True"],
    "blocking_node.py": ["the same node: True", "HELLO", "answered within a second: True"],
    "send_file.py": ["offered: note.txt 5 bytes", "note.txt words"],
    "blocking_requests.py": ["hello 2"],
    "autopeering.py": ["peers in the list: 1", "connected to 2"],
    "direct_link.py": ["neighbours: 1", "neighbours: 2, one of them at tls://127.0.0.1:", "neighbours: 1"],
    "simulated_mesh.py": ["agree: True after ", "agree without the root: True", "OVER THREE HOPS", "round trip: 12",
                          "OVER THREE HOPS", "round trip: 12", "twice the same: True"],
    "link_local.py": [("found 2", "skipped: ")],  # tests/interop/test_multicast.py runs it where it has a link
}


# Runs a program that knows nothing of uvloop on it: its asyncio.run() asks the policy, which newer Pythons deprecate.
ON_UVLOOP = """
import runpy, sys, warnings, uvloop
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    uvloop.install()
sys.path[0] = sys.argv[1]
runpy.run_path(sys.argv[2], run_name="__main__")
"""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", PRINTS)
def test_example(name, loop):
    if name == "over_proxies.py" and not shutil.which("curl"):
        pytest.skip("no curl here")
    program = [str(EXAMPLES / name)]
    if loop == "uvloop":
        pytest.importorskip("uvloop")
        program = ["-c", ON_UVLOOP, str(EXAMPLES), *program]
    command = [sys.executable, "-W", "error", *program]
    # Examples import each other, as scripts in one folder do; tools/test has that off.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(PRINTS[name])
    for line, start in zip(lines, PRINTS[name], strict=True):
        assert line.startswith(start)
