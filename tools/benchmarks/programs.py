"""Node programs to set beside each other: each runs on a host, with a TUN device, by the same configuration file."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ygg import Config
from ygg.identity.address import address_of

from .hosts import Host

PORT = 9001
_TICKS = os.sysconf("SC_CLK_TCK")


class Program(NamedTuple):
    """A program that runs a node; the name of its configuration file goes behind the command."""

    name: str
    command: tuple[str, ...]


OURS = Program("ygg", (sys.executable, "-m", "ygg", "run", "--loglevel", "warning", "--config"))


def reference(path: str) -> Program:
    """Return the packaged daemon at `path`, named by its version. `OSError` when it does not run."""
    told = subprocess.run([path, "-version"], capture_output=True, text=True).stdout
    version = re.search(r"Build version: (\S+)", told)
    return Program(f"yggdrasil {version[1] if version else '(unknown)'}", (path, "-loglevel", "error", "-useconffile"))


class NodeProcess:
    """A running node."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self._process = process
        self.address = address

    def cpu(self) -> float:
        """Return the CPU seconds it has used, those of the kernel on its behalf included."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Return the most memory it has had (resident set), in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def stop(self) -> None:
        """Have it end, as a service manager would."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def node(program: Program, host: Host, mtu: int, peer: Host | None = None) -> Iterator[NodeProcess]:
    """Run a node that listens on the cable, or connects to the one on another host."""
    config = Config.generate()
    config.if_name, config.if_mtu, config.admin_listen = "tun0", mtu, "none"
    config.multicast_interfaces = []
    config.peers = [f"tcp://{peer.address}:{PORT}"] if peer else []
    config.listen = [] if peer else [f"tcp://{host.address}:{PORT}"]
    with tempfile.TemporaryDirectory() as folder:
        file, log = Path(folder, "config.json"), Path(folder, "log")
        file.write_text(config.to_json())
        with log.open("wb") as errors:
            process = subprocess.Popen(     # in a session of its own: Ctrl-C is for the benchmark, which stops it
                host.command(*program.command, file), stdout=errors, stderr=errors, start_new_session=True)
        running = NodeProcess(process, str(address_of(config.certificate.public_key)))
        try:
            yield running
        except Exception as error:
            error.add_note(f"{program.name} said: {log.read_text()[-1000:] or 'nothing'}")
            raise
        finally:
            running.stop()
