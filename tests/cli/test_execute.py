"""ygg exec."""

import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.command import start
from tests.sockets.threaded import LIMIT
from ygg import blocking
from ygg.cli import main
from ygg.testing import private_key

ASK = """
import asyncio, sys, urllib.request
url = sys.argv[1]
assert sys.argv[2:] == ["--flag", "-c"] and __name__ == "__main__"
print(urllib.request.urlopen(url, timeout=30).read().decode())

async def ask(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print((await reader.read()).decode().splitlines()[-1])
    writer.close()
    await writer.wait_closed()

host, _, port = url.split("/")[2].rpartition(":")
asyncio.run(ask(host.strip("[]"), int(port)))
"""


def test_a_server_on_one_node_and_a_client_on_another(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("hello from a file")
    (tmp_path / "ask.py").write_text(ASK)
    with blocking.node(private_key(1), listen=["tcp://127.0.0.1:0"]) as middle:
        peer = str(middle.node.core.listeners[0].url)
        with start(tmp_path, "exec", "--peer", peer, "--all-hosts", "-m", "http.server", "8000") as server:
            address = server.stderr.readline().split()[1]
            assert "Serving HTTP" in server.stdout.readline()
            url = f"http://[{address}]:8000/"
            with start(tmp_path, "exec", f"--peer={peer}", "ask.py", url, "--flag", "-c") as client:
                out, err = client.communicate(timeout=LIMIT)
            assert (client.returncode, out.splitlines()) == (0, ["hello from a file"] * 2), err
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=LIMIT)
            assert server.returncode in (0, 130)


@pytest.mark.parametrize(("text", "code", "said"), [
    ("raise SystemExit(7)", 7, ""),
    ("raise SystemExit('no')", 1, "no\n"),
    ("import sys; sys.exit()", 0, ""),
    ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()", 0, ""),
    ("open('/nowhere')", 1, "FileNotFoundError"),
])
def test_how_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, code: int, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "program.py"
    path.write_text(text)
    assert main(["exec", str(path)]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "runpy" not in err
    assert ("late" in out) == ("late" in text)
    assert threading.active_count() == 1


ON_UVLOOP = """
import asyncio, sys, uvloop, warnings

async def ask():
    reader, writer = await asyncio.open_connection(sys.argv[1], 8000)
    print((await reader.read()).decode())
    writer.close()
    await writer.wait_closed()

uvloop.run(ask())
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(ask())
    uvloop.install()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(ask())
"""


def test_programs_that_ask_for_uvloop_reach_the_overlay(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    (tmp_path / "ask.py").write_text(ON_UVLOOP)

    def answer(stream: blocking.BlockingStream) -> None:
        stream.write(b"word")

    with blocking.node(private_key(1), listen=["tcp://127.0.0.1:0"]) as node, node.start_server(answer, 8000):
        peer = str(node.node.core.listeners[0].url)
        with start(tmp_path, "exec", f"--peer={peer}", "ask.py", str(node.address)) as client:
            out, err = client.communicate(timeout=LIMIT)
        assert (client.returncode, out.split()) == (0, ["word"] * 3), err


def test_what_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec"]) == 2
    assert main(["exec", "--config", "x", "--identity", "y", "program.py"]) == 2
    assert main(["exec", "--per", "x", "program.py"]) == 2
    assert "did you mean '--peer'" in capsys.readouterr().err
