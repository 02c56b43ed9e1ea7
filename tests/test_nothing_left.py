"""The suite's own check: a test that leaves something behind is failed, and one that cleans up is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).resolve().parent.parent / "conftest.py"
LEAKS = '''
import asyncio, os, socket, threading
from ygg_c.node import Node
from ygg_c.sodium import SeededRandom
from ygg.keys import PrivateKey

kept = []

def test_clean():
    async def main():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            await writer.wait_closed()
        task = asyncio.ensure_future(asyncio.sleep(10))
        task.cancel()
    asyncio.run(main())
    with socket.socket():
        Node(PrivateKey.generate().secret)

def test_task():
    async def main():
        kept.append(asyncio.ensure_future(asyncio.sleep(10)))
    asyncio.run(main())

def test_timer():
    async def main():
        asyncio.get_running_loop().call_later(10, print)
    asyncio.run(main())

def test_transport():
    async def main():
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, ("127.0.0.1", 0))
        kept.append(transport)
    asyncio.run(main())
    kept.pop()._sock.close()

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
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-c", "/dev/null", "-rE",
               "-p", "no:cacheprovider", str(tmp_path)]
    packages = os.path.abspath(os.environ.get("PYTHONPATH") or tmp_path)
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": packages}
    output = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    found = {line.split("::")[1].split(" ")[0]: line for line in output.splitlines() if line.startswith("ERROR ")}
    for kind, name in {"task": "task Task", "timer": "timer <TimerHandle", "transport": "transport <_Selector",
                       "socket": "descriptor ", "pipe": "descriptor ", "thread": "thread Thread",
                       "engine_object": "1 node"}.items():
        assert name in found.pop(f"test_{kind}", ""), output
    assert not found, output
