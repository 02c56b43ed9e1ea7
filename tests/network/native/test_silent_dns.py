"""Names in a namespace whose DNS server never answers: what need not wait for it does not, and nothing outlasts it."""

import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import silentdns
from ygg import Config
from ygg.testing import private_key

pytestmark = pytest.mark.skipif(not silentdns.possible(), reason="network namespaces do not work here")

TESTS = str(Path(__file__).resolve().parents[2])
LIMIT = 30.0
"""Seconds within which a program ends: the system's resolver takes 60 for a name, see silentdns."""
DEAD = [f"dead{number}.example" for number in range(200)]


def run(folder: Path, script: str, *arguments: str) -> tuple[str, str, float]:
    """Run a script that prints its clock at last; return output, complaints, and the seconds it took to end then."""
    command = (sys.executable, "-X", "dev", "-W", "error", "-c", script, *arguments)
    with silentdns.start(folder, *command) as process:
        out, error = process.communicate(timeout=120)
    ended = time.monotonic()
    assert process.returncode == 0, error
    *lines, done = out.splitlines()
    error = "".join(line for line in error.splitlines(True) if not line.startswith("Executing"))  # a busy machine
    return "\n".join(lines), error, ended - float(done)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_interpreter_ends_at_once(loop: str, tmp_path: Path) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    script = f"""
import asyncio, sys, time
from typing import Any
sys.path.insert(0, sys.argv.pop(1))
from silentdns import asked
from ygg import NativeNetwork

async def main():
    async with NativeNetwork() as network:
        ways = [
            lambda: network.resolve("a.example"),
            lambda: network.connect_stream("b.example", 1),
            lambda: network.listen_stream("c.example", 0),
            lambda: network.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("d.example", 1)),
            lambda: network.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("e.example", 1)),
        ]
        tasks = [asyncio.create_task(way()) for way in ways]
        while not asked("a.example", "b.example", "c.example", "d.example", "e.example"):
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        print([type(result).__name__ for result in results])
    print(time.monotonic())

{'import uvloop' if loop == 'uvloop' else ''}
with asyncio.Runner(loop_factory={'uvloop.new_event_loop' if loop == 'uvloop' else 'None'}) as runner:
    runner.run(main())
"""
    out, error, rest = run(tmp_path, script, TESTS)
    assert out == str(["CancelledError"] * 5)
    assert error == ""
    assert rest < LIMIT


def test_the_timeout_is_honoured(tmp_path: Path) -> None:
    script = """
import asyncio, time
from ygg import Config, NativeNetwork
from ygg.transport.every import every_transport

async def main():
    async with NativeNetwork() as network:
        manager = every_transport(network, Config.generate().certificate)
        for scheme in ("tcp", "tls", "ws", "wss", "quic", "socks", "sockstls"):
            start = time.monotonic()
            try:
                await manager.dial(f"{scheme}://{scheme}.example:1/1.2.3.4:5", timeout=0.3)
            except OSError as error:
                print(type(error).__name__, time.monotonic() - start < 300)
    print(time.monotonic())

asyncio.run(main())
"""
    out, error, rest = run(tmp_path, script)
    assert out.splitlines() == ["ConnectTimeout True"] * 7
    assert error == ""
    assert rest < LIMIT


def test_a_peer_list_of_a_dead_name(tmp_path: Path) -> None:
    pytest.importorskip("httpcore")
    script = """
import asyncio, sys, time
from ygg import BUILTIN, NativeNetwork, PeerFetcher

async def main():
    async with NativeNetwork() as network:
        fetcher = PeerFetcher(["https://lists.example/peers.json", BUILTIN], network=network, timeout=1)
        print(len(await fetcher.refresh()) > 300, [status.error for status in fetcher.status()])
    print(time.monotonic())

asyncio.run(main())
"""
    out, error, rest = run(tmp_path, script)
    assert out == "True ['no answer within 1 s', '']"
    assert "Traceback" not in error
    assert rest < LIMIT


def test_names_do_not_wait_for_each_other(tmp_path: Path) -> None:
    script = """
import asyncio, sys, threading, time
from ygg import NativeNetwork

async def main():
    async with NativeNetwork() as network:
        waiting = [asyncio.create_task(network.resolve(name)) for name in sys.argv[1:]]
        await asyncio.sleep(0)
        start = time.monotonic()
        print(await network.resolve("127.0.0.9"), await network.resolve("hosts.example"))
        print("127.0.0.1" in await network.resolve("localhost"), time.monotonic() - start < 300)
        print(threading.active_count() < 150)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    print(time.monotonic())

asyncio.run(main())
"""
    out, error, rest = run(tmp_path, script, *DEAD)
    assert out.splitlines() == ["['127.0.0.9'] ['127.0.0.7']", "True True", "True"]
    assert error == ""
    assert rest < LIMIT


def test_a_peer_beside_dead_ones_comes_up(tmp_path: Path) -> None:
    script = """
import asyncio, sys, time
sys.path.insert(0, sys.argv.pop(1))
from nodes import node
from ygg import NativeNetwork

async def main():
    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        port = (await two.listen("tcp://127.0.0.1:0")).address.rpartition(":")[2]
        for name in sys.argv[1:]:
            one.add_peer(f"tcp://{name}:1")
        one.add_peer(f"tcp://localhost:{port}")
        start = time.monotonic()
        while not any(peer.up for peer in one.peers()):
            await asyncio.sleep(0.01)
        print(time.monotonic() - start < 30)
    print(time.monotonic())

asyncio.run(main())
"""
    out, error, rest = run(tmp_path, script, TESTS, *DEAD[:30])
    assert out == "True"
    assert error == ""
    assert rest < LIMIT


def test_ping(tmp_path: Path) -> None:
    start = time.monotonic()
    peers = ("--peer", "tcp://a.example:1", "--peer", "tls://b.example:1")
    command = (sys.executable, "-m", "ygg", "ping", "200::1", "--timeout", "1", *peers)
    with silentdns.start(tmp_path, *command) as process:
        _, error = process.communicate(timeout=120)
    assert time.monotonic() - start < 1 + LIMIT
    assert process.returncode == 1
    told = "ygg: no connection to tcp://a.example:1: no answer within 1 seconds; no connection to tls"
    assert error.splitlines()[-1].startswith(told)


@pytest.mark.parametrize(
    "members", [{"peers": [f"tls://{name}:1" for name in DEAD[:20]]}, {"listen": ["tcp://dead.example:1"]}]
)
def test_a_node_ends_when_told(members: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    Config(private_key=private_key(7), if_name="none", multicast_interfaces=[], **members).save(path)
    command = (sys.executable, "-m", "ygg", "run", "--loglevel", "debug", "--config", str(path))
    with silentdns.start(tmp_path, *command) as process:
        assert process.stderr
        for line in process.stderr:
            if re.search("Your IPv6 subnet", line):
                break
        while not silentdns.is_asked(process):
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        _, error = process.communicate(timeout=120)
    assert time.monotonic() - told < LIMIT
    assert process.returncode == 0
    assert "Traceback" not in error


def test_a_child_of_fork_asks_anew(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys, time
sys.path.insert(0, sys.argv.pop(1))
from silentdns import asked
from ygg import NativeNetwork

async def ask(*names):
    async with NativeNetwork() as network, asyncio.timeout(30):
        return await asyncio.gather(*map(network.resolve, names))

async def main():
    waiting = asyncio.create_task(ask("hosts.example", *sys.argv[1:]))
    while not asked("dead0.example"):
        await asyncio.sleep(0.001)
    waiting.cancel()
    await asyncio.wait([waiting])

asyncio.run(main())
if child := os.fork():
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(time.monotonic())
else:
    os._exit(asyncio.run(ask("hosts.example", "localhost"))[0] != ["127.0.0.7"])
"""
    out, _, rest = run(tmp_path, script, TESTS, *DEAD)
    assert out == "0"
    assert rest < LIMIT
