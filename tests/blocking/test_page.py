"""docs/blocking.md: its programs run."""

import re
import socket
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.blocking.pair import pair
from ygg.blocking import routed
from ygg.testing import private_key

TEXT = (Path(__file__).parents[2] / "docs" / "blocking.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)


class Hello(BaseHTTPRequestHandler):
    """Answers."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_runs(number: int) -> None:
    with pair() as (node, other):
        address = str(node.address)
        with routed(node):
            server = Server((address, 80), Hello)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        names = {
            "node": other if "urllib" in PROGRAMS[number] else node,
            "other": other,
            "address": address,
            "identity": private_key(3),
            "url": str(node.node.core.listeners[0].url),
        }
        exec(compile(textwrap.dedent(PROGRAMS[number]), "docs/blocking.md", "exec"), names)
        server.shutdown()
        thread.join()
        server.server_close()


def test_there_are_some() -> None:
    assert len(PROGRAMS) == 4
