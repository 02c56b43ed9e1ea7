"""Programs that know nothing of the overlay, on two nodes: curl by SOCKS and by HTTP, a server by a forward.

Needs curl and `pip install 'ygg[proxy]'`.
"""

import asyncio
import http.server
import threading

from two_nodes import two_nodes

from ygg import VTun
from ygg.names import Names
from ygg.proxy import OverlayRoute, overlay, tcp
from ygg.proxy.http import HttpForward
from ygg.proxy.http_proxy import MixedProxy


class Hello(http.server.BaseHTTPRequestHandler):
    """Tells what it hears of a caller: behind a forward all come from 127.0.0.1."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {self.headers['X-Forwarded-For']}".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


async def main() -> None:
    """Publish a server of this machine on one node, and ask it by curl through another."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        async with (
            two_nodes() as (one, other),
            VTun.over(one) as serving,
            VTun.over(other) as asking,
            HttpForward(overlay(serving, port=80), tcp("127.0.0.1", server.server_port)),
            MixedProxy(tcp("127.0.0.1", 0), OverlayRoute(asking, Names({"friend.example": one.address}))) as proxy,
        ):
            for scheme in ("socks5h", "http"):
                command = ["curl", "--silent", "--proxy", f"{scheme}://127.0.0.1:{proxy.port}", "http://friend.example/"]
                curl = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
                text, _ = await curl.communicate()
                print(f"by {scheme}:", text.decode() == f"hello {other.address}")
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    asyncio.run(main())
