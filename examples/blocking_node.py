"""A server and a client without an event loop, on two nodes of this program."""

from ygg import blocking
from ygg.blocking import BlockingStream


def shout(stream: BlockingStream) -> None:
    """Answer a line; runs in a thread of its own for each connection."""
    stream.write(stream.readline().upper())


def main() -> None:
    """Serve on one node, and ask from another."""
    with blocking.node(listen=["tcp://127.0.0.1:0"]) as one:
        url = str(one.node.core.listeners[0].url)
        with blocking.node(peers=[url]) as other:
            other.connected(timeout=30)
            one.start_server(shout, port=7)
            with other.open_connection(one.address, 7, timeout=30) as stream:
                print("the same node:", stream.public_key == one.public_key)
                stream.write(b"hello\n")
                print(stream.readline().decode().strip())
            print("answered within a second:", other.ping(one.address, timeout=30) < 1)


if __name__ == "__main__":
    main()
