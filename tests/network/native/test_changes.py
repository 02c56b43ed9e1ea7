"""ygg.network.native.changes: what rtnetlink tells of, in a network namespace of its own, and what is told of that."""

import asyncio
import os
import shutil
import socket
import struct
import subprocess
import sys

import pytest

from tests.aio import run
from ygg.network.native import changes

SCRIPT = """
import asyncio, subprocess
from ygg.network.native.changes import NetworkChanges

async def main():
    told = []
    watched = NetworkChanges(asyncio.get_running_loop(), lambda: told.append(1))
    for number, commands in enumerate([
        ["ip link add x0 type veth peer name x1", "ip link set x0 up", "ip link set x1 up"],
        ["ip addr add 10.1.2.3/24 dev x0"],
        ["ip -6 addr add fd00:1::1/64 dev x0 nodad"],
        ["ip route add 10.9.0.0/16 via 10.1.2.4"],
        ["ip route replace 10.9.0.0/16 via 10.1.2.4", "ip addr replace 10.1.2.3/24 dev x0"],    # nothing new
        ["ip route del 10.9.0.0/16", "ip addr del 10.1.2.3/24 dev x0"],                         # less than before
    ]):
        await asyncio.sleep(1)      # what the kernel does by itself, as link-local addresses, is over
        told.clear()
        for command in commands:
            process = await asyncio.create_subprocess_exec(*command.split())
            assert await process.wait() == 0
        await asyncio.sleep(0.5)
        print(len(told) > 0, end=" ")
    watched.close()

asyncio.run(main())
"""


def allowed() -> bool:
    if not sys.platform.startswith("linux") or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not allowed(), reason="needs network namespaces and iproute2")
def test_interfaces_addresses_and_routes_that_come_are_told() -> None:
    """What comes is told, what is announced again or goes is not."""
    command = ("unshare", "-rn", sys.executable, "-c", SCRIPT)
    settings = os.environ | {"PYTHONSAFEPATH": "1"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=settings)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["True"] * 4 + ["False"] * 2


def message(kind: int, body: bytes) -> bytes:
    data = struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body
    return data + bytes(-len(data) % 4)


def attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


LINK = struct.pack("=BBHiII", 0, 0, 0, 7, 0x40, 0)
ADDRESS = struct.pack("=BBBBI", 10, 64, 0, 0, 7) + attribute(1, bytes(16))
ROUTE = struct.pack("=BBBBBBBBI", 2, 16, 0, 0, 254, 4, 0, 1, 0)
ROUTE += attribute(1, b"\x0a\x09\0\0") + attribute(4, b"\7\0\0\0")


def test_messages_are_read() -> None:
    data = message(16, LINK) + message(20, ADDRESS) + message(24, ROUTE) + message(25, ROUTE) + message(99, b"")
    assert list(changes.things(data)) == [
        (True, ("interface", 7)),
        (True, ("address", 7, bytes(16))),
        (True, ("route", 2, 254, 16, b"\x0a\x09\0\0", b"\7\0\0\0", None)),
        (False, ("route", 2, 254, 16, b"\x0a\x09\0\0", b"\7\0\0\0", None)),
    ]


def test_messages_that_are_cut_off_end_the_reading() -> None:
    data = message(16, LINK) + message(20, ADDRESS) + message(24, ROUTE)
    for size in range(len(data)):
        assert len(list(changes.things(data[:size]))) <= 3


def test_where_the_system_tells_nothing_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        watched = changes.NetworkChanges(asyncio.get_running_loop(), pytest.fail)
        watched.close()

    monkeypatch.setattr(sys, "platform", "plan9")
    run(main())


def test_a_network_that_changes_all_the_time_is_told_of_now_and_then() -> None:
    """A hundred changes a second; and what changes after some calm is told at once."""
    async def main() -> None:
        loop = asyncio.get_running_loop()
        told: list[float] = []
        ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        watched = changes.NetworkChanges(loop, lambda: told.append(loop.time()), ours)
        with kernels:
            for number in range(6000):
                address = struct.pack("=BBBBI", 10, 64, 0, 0, number) + attribute(1, bytes(16))
                kernels.send(message(20, address))
                await asyncio.sleep(0.01)
            assert changes.SPARE < len(told) <= changes.SPARE + 60 / changes.EACH + 1
            assert told[0] == pytest.approx(changes.SETTLE, abs=0.02)
            await asyncio.sleep(30)
            told.clear()
            began = loop.time()
            kernels.send(message(24, ROUTE))
            await asyncio.sleep(1)
            assert [at - began for at in told] == pytest.approx([changes.SETTLE])
            watched.close()

    run(main(), "virtual")
