"""trio's streams and listeners on two nodes of this program, and httpx on trio. Needs the extra `trio`, and httpx."""

import functools

import httpx
import trio

from ygg import VTun, blocking
from ygg.integrations.trio import open_tcp_stream, routed, serve_tcp


async def answer(stream: trio.SocketStream) -> None:
    """Answer one request of HTTP."""
    async with stream:
        await stream.receive_some()
        host = stream.socket.getpeername()[0]
        await stream.send_all(b"HTTP/1.0 200 OK\r\n\r\nhello " + host.encode())


async def main(server: VTun, client: VTun) -> None:
    """Serve on one node, and ask from another: by a stream, then by a library that knows trio alone."""
    async with trio.open_nursery() as nursery:
        await nursery.start(functools.partial(serve_tcp, answer, server, 80))
        address = server.addresses[0]
        async with await open_tcp_stream(client, address, 80) as stream:
            await stream.send_all(b"GET / HTTP/1.0\r\n\r\n")
            print("".join([part.decode() async for part in stream]).splitlines()[-1])
        with routed(client):
            async with httpx.AsyncClient() as http:
                print((await http.get(f"http://[{address}]/")).text)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    with blocking.node(listen=["tcp://127.0.0.1:0"]) as one:
        url = str(one.node.core.listeners[0].url)
        with blocking.node(peers=[url]) as other:
            other.connected(timeout=30)
            trio.run(main, one.vtun, other.vtun)
