"""The suite's own check: a test that leaves something behind is failed, and one that cleans up is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAKS = '''
import asyncio, os, socket, threading, pytest
from tests.aio import LOOPS, factory
from ygg_c.node.node import Node
from ygg_c.base.sodium import SeededRandom
from ygg.identity.keys import PrivateKey

kept = []
on_loops = pytest.mark.parametrize("loop", LOOPS)

def run(coro, loop):
    with asyncio.Runner(loop_factory=factory(loop)) as runner:
        runner.run(coro)

@on_loops
def test_clean(loop):
    async def main():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            await writer.wait_closed()
        task = asyncio.ensure_future(asyncio.sleep(10))
        task.cancel()
        loop = asyncio.get_running_loop()
        loop.call_later(10, print).cancel()
        loop.call_at(loop.time() + 0.001, print)
        await asyncio.sleep(0.01)
    run(main(), loop)
    with socket.socket():
        Node(PrivateKey.generate().secret)

@on_loops
def test_task(loop):
    async def main():
        kept.append(asyncio.ensure_future(asyncio.sleep(10)))
    run(main(), loop)

@on_loops
def test_timer(loop):
    async def main():
        asyncio.get_running_loop().call_later(10, print)
    run(main(), loop)

@on_loops
def test_transport(loop):
    async def main():
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, ("127.0.0.1", 0))
        kept.append(transport)
    run(main(), loop)

def test_socket():
    kept.append(socket.socket())

def test_pipe():
    kept.extend(os.pipe())

def test_thread():
    threading.Thread(target=threading.Event().wait, args=(3,), daemon=True).start()

def test_engine_object():
    kept.append(Node(PrivateKey.generate().secret))
'''


def test_what_is_left_fails_the_test(tmp_path: Path) -> None:
    """Every kind of thing is found, in the test that left it and in no other."""
    (tmp_path / "tests").mkdir()
    for name in ("conftest.py", "tests/aio.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-c", "/dev/null", "-rE",
               "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    packages = os.path.abspath(os.environ.get("PYTHONPATH") or tmp_path)
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": packages}
    output = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    found = {line.split("::")[1].split(" ")[0]: line for line in output.splitlines() if line.startswith("ERROR ")}
    for kind, name in {"task[asyncio]": "task Task", "task[uvloop]": "task Task",
                       "timer[asyncio]": "timer <TimerHandle", "timer[uvloop]": "timer <TimerHandle",
                       "transport[asyncio]": "transport <_Selector", "transport[uvloop]": "transport <UDPTransport",
                       "socket": "descriptor ", "pipe": "descriptor ", "thread": "thread Thread",
                       "engine_object": "1 node"}.items():
        assert name in found.pop(f"test_{kind}", ""), output
    assert not found, output
