"""ygg.integrations.routed.loop: an event loop's own calls reach the overlay, and it is as before afterwards."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.vtunpair import ADDRESS_A, Pair
from ygg.identity.certificate import Certificate
from ygg.integrations.routed import listening_socket, routed
from ygg.integrations.routed.loop import REPLACED
from ygg.stream.tls.contexts import client_context, server_context
from ygg.vtun import VTun

SERVER = server_context(Certificate.generate())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer in capitals until the other side ends."""
    while data := await reader.read(65536):
        writer.write(data.upper())
    writer.close()


@contextlib.asynccontextmanager
async def serving(pair: Pair, port: int = 80, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    async with await pair.b.start_server(echo, port=port, ssl=tls):
        yield


async def asks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return what is answered to a word, at the end of both directions."""
    writer.write(b"word")
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return answer


def test_the_loop_is_as_before_afterwards(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        loop.sock_connect = before = loop.sock_connect  # type: ignore[method-assign]  # another has replaced one already
        kept = dict(vars(loop))
        methods = {name: getattr(loop, name) for name in REPLACED}
        with routed(pair.a):
            assert loop.create_connection != methods["create_connection"]
            with routed(pair.b):
                pass
            assert loop.create_connection != methods["create_connection"]
        assert dict(vars(loop)) == kept
        assert {name: getattr(loop, name) for name in REPLACED} == methods
        assert loop.sock_connect is before
        del loop.sock_connect

    with_pair(main)


def test_it_is_also_when_another_task_ends_the_body(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        kept = set(vars(loop))

        async def inside():
            with routed(pair.a, tasks="own"):
                yield

        generator = inside()
        await anext(generator)
        await asyncio.create_task(generator.aclose())
        assert set(vars(loop)) == kept

    with_pair(main)


def test_what_replaces_a_method_meanwhile_stays(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        with routed(pair.a):
            ours = loop.getaddrinfo

            async def another(*arguments, **options):
                return await ours(*arguments, **options)

            loop.getaddrinfo = another  # type: ignore[method-assign]
        assert loop.getaddrinfo is another
        assert (await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))[0][4] == ("127.0.0.1", 80)
        del loop.getaddrinfo

    with_pair(main)


def test_streams_and_servers(with_pair):
    async def main(pair):
        with routed(pair.a):
            server = await asyncio.start_server(echo, pair.address_a, 80)
            assert server.sockets[0].getsockname() == (pair.address_a, 80, 0, 0)
        with routed(pair.b):
            assert await asks(*await asyncio.open_connection(pair.address_a, 80)) == b"WORD"
            assert await asks(*await asyncio.open_connection(pair.address_a.encode(), "http")) == b"WORD"
        server.close()

    with_pair(main)


def test_tls(with_pair):
    async def main(pair):
        async with serving(pair, 443, SERVER):
            with routed(pair.a):
                reader, writer = await asyncio.open_connection(pair.address_b, 443, ssl=client_context())
                writer.write(b"word")
                assert await reader.readexactly(4) == b"WORD"
                assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
                writer.close()

    with_pair(main)


def test_everything_else_is_the_systems(with_pair):
    async def main(pair):
        with routed(pair.a):
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            assert await asks(*await asyncio.open_connection("localhost", port, family=socket.AF_INET)) == b"WORD"
            sock = socket.socket()
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, b"again")
            assert await loop.sock_recv(sock, 100) == b"AGAIN"
            sock.close()
            assert await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV) == (
                "127.0.0.1", "80")
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
            assert transport.get_extra_info("sockname")[0] == "127.0.0.1"
            transport.close()
            server.close()

    with_pair(main)


def test_several_are_nested_and_end_in_any_order(with_pair):
    async def main(pair):
        first, second = routed(pair.a), routed(pair.b)
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            stack.enter_context(first)
            second.__enter__()
            # Each address is listened on where it is served.
            hosts = [pair.address_a, pair.address_b]
            servers = [await loop.create_server(asyncio.Protocol, host, 80) for host in hosts]
            assert [server.sockets[0].getsockname()[0] for server in servers] == hosts
            transport, _ = await loop.create_connection(
                asyncio.Protocol, pair.address_b, 80, local_addr=(pair.address_a, 0))
            assert transport.get_extra_info("sockname")[0] == pair.address_a
            transport.abort()
            transport, _ = await loop.create_connection(asyncio.Protocol, pair.address_a, 80)
            assert transport.get_extra_info("sockname")[0] == pair.address_b    # the last one entered
            transport.abort()
            for server in servers:
                server.close()
        with pytest.raises(ValueError, match="a server each"):
            await loop.create_server(asyncio.Protocol, [pair.address_b, "127.0.0.1"], 80)
        second.__exit__(None, None, None)
        assert "create_server" not in vars(loop)

    with_pair(main)


def test_one_task_alone(with_pair):
    async def main(pair):
        entered, leave = asyncio.Event(), asyncio.Event()

        async def one():
            with routed(pair.a, tasks="own", hosts="all"):
                entered.set()
                server = await asyncio.start_server(echo, port=80)
                assert server.sockets[0].getsockname() == ("::", 80, 0, 0)
                with pytest.raises(socket.gaierror):
                    await asyncio.open_connection("a.name.example", 80)
                await leave.wait()
                server.close()

        task = asyncio.create_task(one())
        await entered.wait()
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert await asks(*await asyncio.open_connection("127.0.0.1", port)) == b"WORD"
        server.close()
        leave.set()
        await task

    with_pair(main)


def test_a_socket_that_the_loop_connects_is_taken_over(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        async with serving(pair), serving(pair, 443, SERVER):
            with routed(pair.a):
                for port, options in ((80, {}), (443, {"ssl": client_context(), "server_hostname": ""})):
                    sock = socket.socket(socket.AF_INET6)
                    sock.setblocking(False)
                    await loop.sock_connect(sock, (pair.address_b, port, 0, 0))
                    assert sock.getpeername() == (pair.address_b, port, 0, 0)
                    assert sock.getsockname()[0] == pair.address_a
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
                    reader, writer = await asyncio.open_connection(sock=sock, **options)  # type: ignore[arg-type]
                    assert writer.get_extra_info("peername") == (pair.address_b, port, 0, 0)
                    writer.write(b"word")
                    assert await reader.readexactly(4) == b"WORD"
                    writer.close()

    with_pair(main)


def test_a_socket_that_is_used_by_itself(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        async with serving(pair):
            with routed(pair.a):
                sock = socket.socket(socket.AF_INET6)
                sock.setblocking(False)
                await loop.sock_connect(sock, (pair.address_b, 80))
                data, got = b"x" * 3_000_000, bytearray()
                sending = asyncio.create_task(loop.sock_sendall(sock, data))
                while len(got) < len(data):
                    got += await loop.sock_recv(sock, 1 << 20)
                await sending
                assert got == data.upper()
                # Taken over in the middle it has lost nothing.
                await loop.sock_sendall(sock, b"one")
                assert await loop.sock_recv(sock, 2) == b"ON"
                reader, writer = await asyncio.open_connection(sock=sock)
                assert await reader.readexactly(1) == b"E"
                assert await asks(reader, writer) == b"WORD"

    with_pair(main)


def test_odd_arguments_are_the_systems_to_judge(with_pair):
    async def main(pair):
        loop: Any = asyncio.get_running_loop()
        odd = socket.socket(socket.AF_INET6)
        odd.setblocking(False)
        calls = [
            lambda: loop.create_server(asyncio.Protocol, 5, 0),
            lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol, ()),
            lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol, None, ()),
            lambda: loop.getnameinfo(()),
            lambda: loop.sock_connect(odd, ()),
        ]

        async def errors():
            return [type(one) for one in await asyncio.gather(*(call() for call in calls), return_exceptions=True)]

        with odd:
            expected = await errors()
            with routed(pair.a):
                assert await errors() == expected
        with routed(pair.a):
            server = await loop.create_server(asyncio.Protocol, iter(["127.0.0.1"]), 0)
            assert server.sockets[0].getsockname()[0] == "127.0.0.1"
            server.close()
            async with await pair.b.create_server(asyncio.Protocol, iter([pair.address_b]), 0) as server:
                assert server.sockets[0].getsockname()[0] == pair.address_b

    with_pair(main)


def test_dials_that_fail(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        with routed(pair.a):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(pair.address_b, 9)
            with socket.socket(socket.AF_INET6) as sock:
                sock.setblocking(False)
                with pytest.raises(ConnectionRefusedError):
                    await loop.sock_connect(sock, (pair.address_b, 9))
            with pytest.raises(ValueError, match="non-blocking"), socket.socket(socket.AF_INET6) as sock:
                await loop.sock_connect(sock, (pair.address_b, 9))
            with pytest.raises(OSError, match=r"not.*available|assign"):
                await asyncio.start_server(echo, "200:cccc::1", 80)

    with_pair(main)


class Datagrams(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[bytes, object]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait((data, addr))


def test_datagram_endpoints(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        with routed(pair.a), routed(pair.b):
            here, one = await loop.create_datagram_endpoint(Datagrams, (pair.address_a, 53))
            there, other = await loop.create_datagram_endpoint(
                Datagrams, (pair.address_b, 54), remote_addr=(pair.address_a, 53))
            there.sendto(b"question")
            assert await one.got.get() == (b"question", (pair.address_b, 54, 0, 0))
            here.sendto(b"answer", (pair.address_b, 54))
            assert (await other.got.get())[0] == b"answer"
            here.close()
            there.close()

    with_pair(main)


def test_datagram_sockets_of_a_program(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        async with await pair.b.open_datagram(local_port=53) as far:
            with routed(pair.a):
                for connected in (False, True):
                    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                    sock.setblocking(False)
                    if connected:
                        await loop.sock_connect(sock, (pair.address_b, 53))
                        assert sock.getpeername() == (pair.address_b, 53, 0, 0)
                        await loop.sock_sendall(sock, b"question")
                    else:
                        assert await loop.sock_sendto(sock, b"question", (pair.address_b, 53)) == 8
                    data, source = await far.recvfrom()
                    assert (data, source[0]) == (b"question", pair.address_a)
                    await far.sendto(b"answer", source)
                    assert await loop.sock_recvfrom(sock, 4) == (b"answ", (pair.address_b, 53, 0, 0))
                    await far.sendto(b"again", source)
                    space = bytearray(10)
                    assert await loop.sock_recv_into(sock, space) == 5
                    assert bytes(space[:5]) == b"again"
                    transport, protocol = await loop.create_datagram_endpoint(Datagrams, sock=sock)
                    await far.sendto(b"once more", source)
                    assert (await protocol.got.get())[0] == b"once more"
                    transport.close()

    with_pair(main)


def test_names(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        with routed(pair.a):
            found = await loop.getaddrinfo(pair.address_b.encode(), "http", type=socket.SOCK_STREAM)
            assert found == [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (pair.address_b, 80, 0, 0))]
            assert await loop.getnameinfo((pair.address_b, 80), 0) == (pair.address_b, "http")
            with pytest.raises(socket.gaierror):
                await loop.getaddrinfo(pair.address_b, 80, family=socket.AF_INET)

    with_pair(main)


def test_starttls(with_pair):
    async def main(pair):
        async def upgrading(reader, writer):
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go\n")
            await writer.start_tls(SERVER)
            await echo(reader, writer)

        with routed(pair.b):
            server = await asyncio.start_server(upgrading, pair.address_b, 80)
        with routed(pair.a):
            reader, writer = await asyncio.open_connection(pair.address_b, 80)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"go\n"
            await writer.start_tls(client_context(), server_hostname="")
            writer.write(b"word")
            assert await reader.readexactly(4) == b"WORD"
            writer.close()
        server.close()

    with_pair(main)


def test_tls_in_tls(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()

        async def twice(reader, writer):
            writer.write(b"go\n")
            await writer.start_tls(SERVER)
            await echo(reader, writer)

        server = await pair.b.start_server(twice, port=443, ssl=SERVER)
        with routed(pair.a):
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            outer, _ = await loop.create_connection(lambda: protocol, pair.address_b, 443, ssl=client_context())
            assert await reader.readline() == b"go\n"
            inner = await loop.start_tls(outer, protocol, client_context())
            inner.write(b"word")
            assert await reader.readexactly(4) == b"WORD"
            inner.close()
        server.close()

    with_pair(main)


def test_files(with_pair, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4000)

    async def main(pair):
        loop = asyncio.get_running_loop()
        async with serving(pair):
            with routed(pair.a), path.open("rb") as file:
                reader, writer = await asyncio.open_connection(pair.address_b, 80)
                reading = asyncio.create_task(reader.read())
                await writer.drain()
                assert await loop.sendfile(writer.transport, file, 10, 1_000_000) == 1_000_000
                assert file.tell() == 1_000_010
                writer.write_eof()
                assert await reading == path.read_bytes()[10:1_000_010].upper()
                with pytest.raises(RuntimeError):
                    await loop.sendfile(writer.transport, file, fallback=False)
                writer.close()

    with_pair(main)


def test_a_server_takes_a_socket_that_stands_for_an_address(with_pair):
    async def main(pair):
        sock = listening_socket(pair.b, pair.address_b, 80)
        assert sock.getsockname() == (pair.address_b, 80, 0, 0)
        with routed(pair.b):
            server = await asyncio.start_server(echo, sock=sock)
        assert await asks(*await pair.a.open_connection(pair.address_b, 80)) == b"WORD"
        server.close()

    with_pair(main)


def test_a_loop_that_takes_no_attributes_is_refused(with_pair):
    class Rigid:
        __slots__ = ("__weakref__",)

    async def main(pair):
        from ygg.integrations.routed.loop import Routes

        with pytest.raises(TypeError, match="takes no attributes"):
            Routes(Rigid())  # type: ignore[arg-type]

    with_pair(main)


def test_it_needs_a_running_loop():
    with pytest.raises(RuntimeError), routed(VTun(["200::1"])):
        pass


def named(addresses: list[str]) -> Any:
    """Return a `getaddrinfo` to which every name has these addresses."""
    async def getaddrinfo(host: Any, port: Any, *, type: int = 0, **_: Any) -> list[Any]:
        assert host == "mesh.example"
        return [(socket.AF_INET6, type, 0, "", (address, port, 0, 0)) for address in addresses]

    return getaddrinfo


@pytest.fixture
def with_names(with_pair):
    """Run with a Pair where "mesh.example" has the address of `b`, after others."""
    def run(main, *, first: tuple[str, ...] = ()):
        async def whole(pair):
            loop = asyncio.get_running_loop()
            loop.getaddrinfo = named([*first, pair.address_b])  # type: ignore[method-assign]
            try:
                await main(pair)
            finally:
                del loop.getaddrinfo

        return with_pair(whole)

    return run


@pytest.mark.parametrize("first", [(), (ADDRESS_A,)], ids=["one address", "after one that refuses"])
@pytest.mark.parametrize("tls", [False, True])
def test_names_whose_address_is_the_overlays(with_names, first, tls):
    client = client_context() if tls else None

    async def main(pair):
        async with serving(pair, tls=SERVER if tls else None):
            with routed(pair.a):
                reader, writer = await asyncio.open_connection("mesh.example", 80, ssl=client)
                assert writer.get_extra_info("peername")[:2] == (pair.address_b, 80)
                writer.write(b"word")
                assert await reader.readexactly(4) == b"WORD"
                writer.close()
                await writer.wait_closed()

    with_names(main, first=first)


def test_servers_and_datagrams_by_name(with_names):
    async def main(pair):
        loop = asyncio.get_running_loop()
        got: asyncio.Queue[bytes] = asyncio.Queue()

        class Taker(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                got.put_nowait(data)

        with routed(pair.b):
            server = await asyncio.start_server(echo, "mesh.example", 81)
        with routed(pair.a):
            assert await asks(*await asyncio.open_connection("mesh.example", 81)) == b"WORD"
            there, _ = await pair.b.create_datagram_endpoint(Taker, local_addr=(pair.address_b, 53))
            here, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("mesh.example", 53))
            here.sendto(b"word")
            assert await got.get() == b"word"
            for transport in (here, there):
                transport.close()
        server.close()
        await server.wait_closed()

    with_names(main)
