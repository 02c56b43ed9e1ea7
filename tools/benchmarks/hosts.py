"""Two hosts on one machine: network namespaces, joined by a cable, a veth pair. Needs root and the ip command."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from remote import Remote

_PREFIX = "yggbench"


def ip(*arguments: str) -> str:
    """Run the ip command and return what it printed."""
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if result.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


class Host:
    """A namespace with one end of the cable."""

    def __init__(self, number: int) -> None:
        """Make it; the cable is plugged in by `joined_hosts`."""
        self.namespace, self.address = f"{_PREFIX}-{os.getpid()}-{number}", f"10.78.0.{number}"
        ip("netns", "add", self.namespace)

    def command(self, *command: str | Path) -> list[str]:
        """Return the command line that runs a command on this host."""
        return ["ip", "netns", "exec", self.namespace, *map(str, command)]

    def plug_in(self) -> None:
        """Bring up the cable's end and the loopback interface."""
        ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        for name in ("eth0", "lo"):
            ip("-n", self.namespace, "link", "set", name, "up")

    @contextlib.contextmanager
    def traffic(self) -> Iterator[Remote]:
        """Run the traffic program on this host; see `benchmarks.traffic`."""
        with tempfile.TemporaryDirectory() as folder:
            remote = Remote("benchmarks.traffic", log=Path(folder, "log"), prefix=self.command())
            try:
                yield remote
            finally:
                remote.stop()


@contextlib.contextmanager
def joined_hosts() -> Iterator[tuple[Host, Host]]:
    """Make two hosts, and remove them however this ends."""
    with contextlib.ExitStack() as stack:
        hosts = []
        for number in (1, 2):
            hosts.append(Host(number))
            stack.callback(ip, "netns", "delete", hosts[-1].namespace)
        one, two = hosts
        ip("-n", one.namespace, "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", two.namespace)
        one.plug_in()
        two.plug_in()
        yield one, two


def remove_leftovers() -> None:
    """Remove the namespaces of runs that were killed, and what still runs in them."""
    for name, process in re.findall(rf"^({_PREFIX}-(\d+)-\d+)", ip("netns", "list"), re.MULTILINE):
        if not Path("/proc", process).exists():
            for number in ip("netns", "pids", name).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)
            ip("netns", "delete", name)
