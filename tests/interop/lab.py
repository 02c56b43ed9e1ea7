"""Hosts on one machine: network namespaces, each with a veth into one bridge.

The bridge lives in a namespace of its own, so that nothing outside is touched. Names carry the process's id: a run
that was killed leaves namespaces that the next run removes.
"""

import ctypes
import itertools
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_PREFIX = "yggtest"
_labs = itertools.count()


def ip(*arguments: str) -> str:
    """Run the ip command and return what it printed."""
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if result.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


def remove_leftovers() -> None:
    """Remove the namespaces of test runs that are gone."""
    for name in re.findall(rf"^({_PREFIX}-(\d+)-\S+)", ip("netns", "list"), re.MULTILINE):
        if not Path("/proc", name[1]).exists():
            ip("netns", "delete", name[0])


class Host:
    """One namespace with an address on the lab's Ethernet."""

    def __init__(self, lab: "Lab", number: int) -> None:
        self.namespace, self.address = f"{lab.name}-{number}", f"10.77.0.{number}"
        ip("netns", "add", self.namespace)
        ip("link", "add", "eth0", "netns", self.namespace, "type", "veth", "peer", f"port{number}", "netns", lab.hub)
        ip("-n", lab.hub, "link", "set", f"port{number}", "master", "bridge", "up")
        ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.namespace, "link", "set", "eth0", "up")
        ip("-n", self.namespace, "link", "set", "lo", "up")

    def command(self, *command: str | Path) -> list[str]:
        """Return the command line that runs a command on this host."""
        return ["ip", "netns", "exec", self.namespace, *map(str, command)]

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Return a socket of this host's kernel."""
        # A socket stays in the namespace of the thread that made it.
        made: list[socket.socket | OSError] = []

        def make() -> None:
            descriptor = os.open(f"/run/netns/{self.namespace}", os.O_RDONLY)
            try:
                if _libc.setns(descriptor, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.socket(family, kind, protocol))
            except OSError as error:
                made.append(error)
            finally:
                os.close(descriptor)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]


class Lab:
    """Hosts on one Ethernet, removed when the context ends."""

    def __init__(self) -> None:
        self.name = f"{_PREFIX}-{os.getpid()}-{next(_labs)}"
        self.hub = f"{self.name}-hub"
        self.hosts: list[Host] = []

    def __enter__(self) -> "Lab":
        ip("netns", "add", self.hub)
        try:
            ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
            ip("-n", self.hub, "link", "set", "bridge", "up")
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in [*(host.namespace for host in self.hosts), self.hub]:
            ip("netns", "delete", name)

    def host(self) -> Host:
        """Return a new host."""
        host = Host(self, len(self.hosts) + 1)
        self.hosts.append(host)
        return host
