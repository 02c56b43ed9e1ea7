"""requests and http.server, unmodified, on two nodes of this program. Needs `pip install requests`."""

import http.server
import socket
import threading

import requests

from ygg import blocking


class Hello(http.server.BaseHTTPRequestHandler):
    """Tells a caller its address."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {self.client_address[0]}".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """For addresses of the overlay, which are those of IPv6."""

    address_family = socket.AF_INET6


def main() -> None:
    """Serve on one node, and ask from another."""
    with blocking.node(listen=["tcp://127.0.0.1:0"]) as one:
        url = str(one.node.core.listeners[0].url)
        with blocking.node(peers=[url]) as other:
            other.connected(timeout=10)
            with blocking.routed(one), blocking.routed(other):
                server = Server((str(one.address), 80), Hello)
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                print(requests.get(f"http://[{one.address}]/", timeout=30).text)
                server.shutdown()
                thread.join()
                server.server_close()


if __name__ == "__main__":
    main()
