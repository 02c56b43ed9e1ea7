"""The command line beside the packaged daemon: its kind of configuration run by `ygg run`, and `ygg ping`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop import kernel
from tests.interop.daemon import find, wait_until
from tests.interop.identity import identities
from tests.interop.lab import Host
from tests.interop.net import Net

YGG = (sys.executable, "-W", "error", "-m", "ygg")


@contextmanager
def running(host: Host, configuration: Path, folder: Path) -> Iterator[None]:
    """Have `ygg run` run there, and end it as Ctrl-C does."""
    log = folder / "ygg.log"
    with log.open("w") as output:
        command = host.command(*YGG, "run", "--config", configuration)
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(40)
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_configuration_of_the_daemons_runs(net: Net, tmp_path: Path) -> None:
    """`yggdrasil -genconf` with a peer added gives a node with a TUN device; the two kernels reach each other."""
    daemon = net.daemon(identities(1)[0], listen=("tls://{}:9000?password=x",))
    host = net.host()
    genconf = [find("yggdrasil") or "yggdrasil", "-genconf", "-json"]
    members = json.loads(subprocess.run(genconf, capture_output=True, check=True).stdout) | {
        "Peers": [f"tls://{daemon.host.address}:9000?password=x&key={daemon.key}"],
        "IfName": "ygg7", "MulticastInterfaces": [],
    }  # fmt: skip
    configuration = tmp_path / "ygg.conf"
    configuration.write_text(json.dumps(members))
    shown = subprocess.run([*YGG, "show", "--config", configuration], cwd=tmp_path, capture_output=True, text=True)
    address, key = shown.stdout.split()[1], shown.stdout.split()[-1]
    with running(host, configuration, tmp_path):
        wait_until(lambda: key in daemon.peer_keys(), "the link is up")
        wait_until(lambda: kernel.ping(daemon.host, address, 1000), "the daemon's kernel reaches ours")
        assert kernel.ping(host, daemon.address, 1000)
    wait_until(lambda: not daemon.peer_keys(), "the link is down")


def test_ping(net: Net, tmp_path: Path) -> None:
    """`ygg ping` reaches the daemon's kernel."""
    daemon = net.daemon(identities(1)[0], listen=("tcp://{}:9000",))
    command = [*YGG, "ping", daemon.address, "--peer", f"tcp://{daemon.host.address}:9000", "--count", "1"]
    host = net.host()
    done = subprocess.run(host.command(*command), cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert f"connected to tcp://{daemon.host.address}:9000 in " in done.stderr
    assert done.stdout.startswith(f"{daemon.address}: seq=1 time=")
