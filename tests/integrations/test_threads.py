"""Blocking libraries that know nothing of ygg, inside `ygg.blocking.routed()`: each as its own manual has it."""

import contextlib
import ftplib
import http.client
import http.server
import io
import smtplib
import socket
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import paramiko
import pytest
import requests
import urllib3
import websockets.sync.client
import websockets.sync.server
from aiosmtpd.smtp import SMTP

from tests.integrations.answering import CLIENT, SERVER
from tests.integrations.table import THREADS, shows
from tests.sockets.threaded import LIMIT, Threaded, threaded
from ygg.blocking import routed

BLOCKING = "`blocking.routed()`"


@pytest.fixture
def pair() -> Iterator[Threaded]:
    with threaded() as made, routed(made.b), routed(made.a):
        yield made
    vars(made).clear()


@contextlib.contextmanager
def serving(server: Any) -> Iterator[None]:
    """Run a server of `socketserver` in a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Hello(http.server.BaseHTTPRequestHandler):
    """Tells a caller its address, and takes what is posted."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(f"hello {self.client_address[0]}".encode())

    def do_POST(self) -> None:
        self._answer(str(len(self.rfile.read(int(self.headers["content-length"])))).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def sites(pair: Threaded) -> Iterator[tuple[str, str]]:
    """Serve by HTTP and by HTTPS; yield both URLs."""
    plain, secured = (Server((pair.address_b, port), Hello) for port in (80, 443))
    secured.socket = SERVER.wrap_socket(secured.socket, server_side=True)
    with serving(plain), serving(secured):
        yield f"http://[{pair.address_b}]/", f"https://[{pair.address_b}]/"


@shows("http.client", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
@shows("http.server", BLOCKING, "server", "TLS", lines=1, loops=THREADS)
def test_http_client(pair: Threaded) -> None:
    with sites(pair):
        for connection in (
            http.client.HTTPConnection(pair.address_b, 80, timeout=LIMIT),
            http.client.HTTPSConnection(pair.address_b, 443, timeout=LIMIT, context=CLIENT),
        ):
            for _ in range(2):
                connection.request("GET", "/")
                assert connection.getresponse().read().decode() == f"hello {pair.address_a}"
            connection.request("POST", "/", bytes(3_000_000))
            assert connection.getresponse().read() == b"3000000"
            connection.close()


@shows("urllib.request", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
def test_urllib(pair: Threaded) -> None:
    with sites(pair) as urls:
        for url in urls:
            with urllib.request.urlopen(url, timeout=LIMIT, context=CLIENT if "https" in url else None) as answer:
                assert answer.read().decode() == f"hello {pair.address_a}"


@shows("urllib3", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_urllib3(pair: Threaded) -> None:
    with sites(pair) as urls, urllib3.PoolManager(ssl_context=CLIENT, assert_hostname=False, timeout=LIMIT) as pool:
        for url in urls:
            for _ in range(2):
                assert pool.request("GET", url).data.decode() == f"hello {pair.address_a}"


@shows("requests", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_requests(pair: Threaded) -> None:
    with sites(pair) as urls, requests.Session() as session:
        for url in urls:
            for _ in range(2):
                assert session.get(url, verify=False, timeout=LIMIT).text == f"hello {pair.address_a}"
            assert session.post(url, bytes(3_000_000), verify=False, timeout=LIMIT).text == "3000000"
        with pytest.raises(requests.ConnectionError):
            session.get(f"http://[{pair.address_b}]:81/", timeout=LIMIT)


@shows("httpx", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
def test_httpx(pair: Threaded) -> None:
    with sites(pair) as urls, httpx.Client(verify=CLIENT, timeout=LIMIT) as client:
        for url in urls:
            for _ in range(2):
                assert client.get(url).text == f"hello {pair.address_a}"


@shows("websockets.sync", BLOCKING, "client", "server", "TLS", lines=1, loops=THREADS)
def test_websockets(pair: Threaded) -> None:
    def echo(connection: Any) -> None:
        for message in connection:
            connection.send(message.upper())

    for port, scheme, server_tls, client_tls in ((80, "ws", None, None), (443, "wss", SERVER, CLIENT)):
        with websockets.sync.server.serve(echo, sock=socket.create_server((pair.address_b, port),
                                          family=socket.AF_INET6), ssl=server_tls) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            with websockets.sync.client.connect(f"{scheme}://[{pair.address_b}]/", ssl=client_tls, proxy=None) as one:
                one.send("word")
                assert one.recv(LIMIT) == "WORD"
            server.shutdown()
            thread.join()


class _Files(paramiko.SFTPServerInterface):
    """One file."""

    data = bytes(range(256)) * 4000

    def stat(self, path: str) -> paramiko.SFTPAttributes:
        attributes = paramiko.SFTPAttributes()
        attributes.st_size = len(self.data)
        return attributes

    def open(self, path: str, flags: int, attr: object) -> paramiko.SFTPHandle:
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = io.BytesIO(self.data)     # type: ignore[attr-defined]
        handle.stat = lambda: self.stat(path)       # type: ignore[method-assign]
        return handle


class _Open(paramiko.ServerInterface):
    def check_auth_none(self, username: str) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "none"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


@shows("paramiko", BLOCKING, "client", "server", lines=1, loops=THREADS)
def test_paramiko(pair: Threaded) -> None:
    key = paramiko.RSAKey.generate(2048)
    with socket.create_server((pair.address_b, 22), family=socket.AF_INET6) as server:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        sides: list[Any] = []

        def serve() -> None:
            transport = paramiko.Transport(server.accept()[0])
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files)
            transport.start_server(server=_Open())
            sides.append(transport)

        thread = threading.Thread(target=serve)
        thread.start()
        client.connect(pair.address_b, username="any", timeout=LIMIT, auth_strategy=_NoneAuth())
        thread.join()
        with client.open_sftp() as files:
            got = io.BytesIO()
            files.getfo("file", got)
        assert got.getvalue() == _Files.data
        client.close()
        sides[0].close()
        sides[0].join(LIMIT)


class _NoneAuth(paramiko.auth_strategy.AuthStrategy):  # type: ignore[name-defined]
    """Asks for nothing."""

    def __init__(self) -> None:
        super().__init__(None)

    def get_sources(self) -> Iterator[Any]:
        yield paramiko.auth_strategy.NoneAuth("any")    # type: ignore[attr-defined]


class _Alone:
    """One connection after another."""


@shows("socketserver", BLOCKING, "server", lines=1, loops=THREADS)
@pytest.mark.parametrize("mixin", [_Alone, socketserver.ThreadingMixIn, socketserver.ForkingMixIn])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_socketserver(pair: Threaded, mixin: type) -> None:
    class Shout(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.readline().upper())
            self.wfile.write(self.client_address[0].encode())

    class Serving(mixin, socketserver.TCPServer):  # type: ignore[misc]
        address_family = socket.AF_INET6

    with serving(Serving((pair.address_b, 80), Shout)):
        for _ in range(3):
            with socket.create_connection((pair.address_b, 80), LIMIT) as one, one.makefile("rb") as reading:
                one.sendall(b"word\n")
                assert reading.read().decode() == f"WORD\n{pair.address_a}"


@shows("socketserver", BLOCKING, "server", lines=1, loops=THREADS)
def test_socketserver_with_datagrams(pair: Threaded) -> None:
    class Shout(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            sock.sendto(data.upper(), self.client_address)

    class Serving(socketserver.ThreadingUDPServer):
        address_family = socket.AF_INET6

    with serving(Serving((pair.address_b, 53), Shout)), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.settimeout(LIMIT)
        one.sendto(b"word", (pair.address_b, 53))
        assert one.recvfrom(10) == (b"WORD", (pair.address_b, 53, 0, 0))


@shows("smtplib", BLOCKING, "client", "TLS", lines=1, loops=THREADS)
def test_smtplib(pair: Threaded) -> None:
    class Handler:
        """Keeps what comes."""

        came: ClassVar[list[bytes]] = []

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            self.came.append(envelope.content)
            return "250 OK"

    class Listening(SMTP):
        def __init__(self, **options: Any) -> None:
            super().__init__(Handler(), hostname="here", **options)

    tls = pair.thread.run(pair.b.create_server(lambda: Listening(tls_context=SERVER), pair.address_b, 25))
    with smtplib.SMTP(pair.address_b, 25, timeout=LIMIT) as client:
        client.starttls(context=CLIENT)
        client.sendmail("one@example.net", "two@example.net", "subject: x\r\n\r\nword\r\n")
    assert Handler.came == [b"subject: x\r\n\r\nword\r\n"]
    pair.thread.call(tls.close)


@shows("ftplib", BLOCKING, "client", lines=1, loops=THREADS)
def test_ftplib(pair: Threaded) -> None:
    """The client alone is the library's: the server says what a script has."""
    with (
        socket.create_server((pair.address_b, 21), family=socket.AF_INET6) as control,
        socket.create_server((pair.address_b, 0), family=socket.AF_INET6) as data,
    ):
        def serve() -> None:
            sock, _ = control.accept()
            with sock, sock.makefile("rb") as reading:
                sock.sendall(b"220 here\r\n")
                for line in reading:
                    match line.split()[0]:
                        case b"EPSV":
                            sock.sendall(b"229 Entering (|||%d|)\r\n" % data.getsockname()[1])
                        case b"RETR":
                            sock.sendall(b"150 coming\r\n")
                            there, _ = data.accept()
                            there.sendall(b"contents")
                            there.close()
                            sock.sendall(b"226 done\r\n")
                        case b"QUIT":
                            sock.sendall(b"221 bye\r\n")
                            return
                        case b"USER":
                            sock.sendall(b"230 in\r\n")
                        case _:
                            sock.sendall(b"200 ok\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        got: list[bytes] = []
        with ftplib.FTP() as client:
            client.connect(pair.address_b, timeout=LIMIT)
            client.login()
            client.retrbinary("RETR file", got.append)
        thread.join()
        assert b"".join(got) == b"contents"

