from typing_extensions import Buffer

from ygg_c.stack.datagrams import DatagramSocket

class EchoSocket(DatagramSocket):
    """Sends ICMPv6 echo requests (RFC 4443, 4) under an identifier of its own, made by `NetStack.echo`."""

    @property
    def identifier(self) -> int:
        """The identifier in each request."""
    def send(self, address: bytes, sequence: int, payload: Buffer = b"") -> bool:
        """Send one request, with a payload of at most 65,527 bytes. False and EMSGSIZE as for `UdpSocket.send`."""
    def recv_many(self) -> list[tuple[int, int, bytes, bytes, int]]:
        """Return what came back, each as (errno, sequence, address, payload, arrival in ns): errno 0 is a reply; else
        an ICMPv6 error, from `address`, quoted our request.
        """
