"""docs/tutorial.md does what it says, from the first block to the last."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tutorial

# Two interfaces on one wire, in a namespace of their own: nothing of what the tutorial sends leaves this machine.
SETTING = """
echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
ip link set lo up
ip link add eth0 type veth peer name wire0 && ip link set wire0 up && ip link set eth0 up && exec "$@"
"""


def obstacle() -> str:
    """Return why there can be no namespace here, or nothing."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return "needs unshare and the ip command"
    made = subprocess.run(["unshare", "-rn", "true"], capture_output=True, text=True, check=False)
    return f"no namespaces: {made.stderr}" if made.returncode else ""


def test_every_block_does_what_it_says(tmp_path: Path) -> None:
    if (reason := obstacle()) and not os.environ.get("CI"):
        pytest.skip(reason)
    command = ["unshare", "-rn", "sh", "-c", SETTING, "sh", sys.executable, "-W", "error", tutorial.__file__]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(tutorial.blocks())} blocks\n"


def test_it_walks_the_whole_way() -> None:
    code = "\n".join(block for block, _ in tutorial.blocks())
    for step in ("Config.generate()", ".listen(", ".call_peer(", ".open_connection(", "serve(", "YggTransport(",
                 "AutoPeerManager(", "Multicast(", ".aclose()"):
        assert step in code


@pytest.mark.parametrize(("printed", "shown", "same"), [
    ("2ab:1\n", "2…:…\n", True), ("3ab:1\n", "2…:…\n", False), ("True\n", "True\n", True), ("", "True\n", False),
    ("True\n", "", False), ("a\nb\n", "…\n", False),
])
def test_what_is_printed_is_compared(printed: str, shown: str, same: bool) -> None:
    assert tutorial.fits(printed, shown) == same
