"""What is set side by side on a wire: the kernel's TCP on it, ygg over any kind of link, and packaged daemons."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.hosts import Host, ip
from benchmarks.programs import Program, node, reference
from remote import Remote

from .wire import DEVICE, Carried, Wire, joined

CONGESTION = "cubic"


class System(NamedTuple):
    """Something that carries streams over a wire; `reference` is the program of a packaged daemon."""

    kind: str
    mtu: int = 1500
    daemon: Program | None = None
    congestion: str = CONGESTION
    """Of the kernel's connections, those that carry links among them."""

    def __str__(self) -> str:
        kind = self.kind if self.kind == "kernel" else f"{self.kind} {self.mtu}"
        return kind if self.congestion == CONGESTION else f"{kind} {self.congestion}"


KERNEL = System("kernel")


def ygg(scheme: str = "tcp", mtu: int = 65535) -> System:
    """Nodes of ours with a stack of their own, joined by a link of a scheme."""
    return System(scheme, mtu)


def daemons(path: str, mtu: int = 65535) -> System:
    """Packaged daemons with a TUN device each, and the kernel's streams through them."""
    program = reference(path)
    return System(program.name, mtu, program)


class Pair(NamedTuple):
    """Both ends of a wire, and under which addresses the one and the other are known."""

    one: Remote
    other: Remote
    one_host: str
    other_host: str
    wire: Carried
    """What has passed, once the wire is gone; from the one to the other first."""
    behind: tuple[tuple[Remote, str], ...] = ()
    """Further nodes of ours, whose way to the one leads through the other."""


@contextlib.contextmanager
def wired_hosts(wire: Wire, congestion: str) -> Iterator[tuple[Host, Host, Carried]]:
    """Make two hosts with a wire between them; the kernel's connections have the congestion control named."""
    with contextlib.ExitStack() as stack:
        hosts = []
        for number in (1, 2):
            hosts.append(Host(number))
            stack.callback(ip, "netns", "delete", hosts[-1].namespace)
        carried = stack.enter_context(joined(hosts[0].namespace, hosts[1].namespace, wire))
        for host in hosts:
            _configure(host, congestion)
        yield hosts[0], hosts[1], carried


def _configure(host: Host, congestion: str) -> None:
    host.plug_in()
    ip("-n", host.namespace, "link", "set", DEVICE, "mtu", "1500", "txqueuelen", "10000")
    ip("netns", "exec", host.namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save")
    # Not every kernel lets a namespace have another default; and a route's holds from the SYN on.
    ip("-n", host.namespace, "route", "change", "10.78.0.0/24", "dev", DEVICE, "congctl", congestion)


def _through_tun(host: Host, congestion: str) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            ip("-n", host.namespace, "route", "replace", "200::/7", "dev", "tun0", "congctl", congestion)
            return
        except OSError:     # the device is not there yet
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@contextlib.contextmanager
def _ends(host: Host, kind: str) -> Iterator[Remote]:
    with tempfile.TemporaryDirectory() as folder:
        remote = Remote("wires.ends", kind, log=Path(folder, "log"), prefix=host.command())
        try:
            yield remote
        finally:
            remote.stop()


@contextlib.contextmanager
def pair(system: System, wire: Wire, behind: int = 0, *, kept: bool = False) -> Iterator[Pair]:
    """Run a system over a wire; `behind` is how many nodes more there shall be beyond it, of ours only.

    `kept`: a link of ours is made again whenever it is lost.
    """
    with contextlib.ExitStack() as stack:
        one, other, carried = stack.enter_context(wired_hosts(wire, system.congestion))
        hosts = [one.address, other.address]
        own = system.kind != "kernel" and system.daemon is None
        kind = str(system.mtu) if own else "kernel"
        first, second = ends = [stack.enter_context(_ends(host, kind)) for host in (one, other)]
        if system.daemon is not None:
            far = stack.enter_context(node(system.daemon, other, system.mtu))
            near = stack.enter_context(node(system.daemon, one, system.mtu, other))
            hosts = [near.address, far.address]
            for host in (one, other):
                _through_tun(host, system.congestion)
        elif own:
            hosts = _join(system, other.address, *ends, kept=kept)
        further = [stack.enter_context(_ends(other, kind)) for _ in range(behind)]
        known = tuple((end, _join(ygg(), other.address, end, ends[1])[0]) for end in further)
        first_host, second_host = hosts
        yield Pair(first, second, first_host, second_host, carried, known)


def _join(system: System, address: str, one: Remote, other: Remote, *, kept: bool = False) -> list[Any]:
    url = other.ask("listen", url=f"{system.kind}://{address}:0")
    one.ask("keep" if kept else "call", url=url)
    return [end.ask("address") for end in (one, other)]
