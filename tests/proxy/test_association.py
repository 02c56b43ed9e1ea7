"""ygg.proxy.association: whose datagrams a client's port takes, and where they go."""

import asyncio
from collections import Counter

from tests.aio import on_loops, until
from tests.proxy.ends import Port, ports, sender
from ygg.network import NativeNetwork
from ygg.proxy import DatagramLimits, NetworkRoute, udp
from ygg.proxy.admission import Admission
from ygg.proxy.association import Association


@on_loops
async def test_the_first_port_of_the_host_is_the_clients() -> None:
    counters: Counter[str] = Counter()
    passed: list[int] = []
    async with NativeNetwork() as network, ports("127.0.0.1") as (far,):
        association = Association(("127.0.0.1", 0), None, NetworkRoute(network), DatagramLimits(), Admission(8, 8),
                                  counters, passed.append)
        await udp("127.0.0.1", 0).bind(lambda: association)
        assert association.address[0] == "127.0.0.1"
        header = b"\0\0\0\1\x7f\0\0\1" + far.number.to_bytes(2)
        first, second = await sender(association.address[1]), await sender(association.address[1])
        first.transport.sendto(header + b"word")
        await until(lambda: first.data == [header + b"WORD"])
        second.transport.sendto(header + b"word")
        await until(lambda: counters["foreign"] == 1)
        _, foreign = await asyncio.get_running_loop().create_datagram_endpoint(
            Port, local_addr=("127.0.0.2", 0), remote_addr=("127.0.0.1", association.address[1]))
        foreign.transport.sendto(header + b"word")
        await until(lambda: counters["foreign"] == 2)
        # What comes to the port of a flow from another than its host goes nowhere.
        ((_, _flow),) = far.arrived
        second.transport.close()
        foreign.transport.close()
        assert (passed, association.counts()["datagrams_sent"]) == ([4], 1)
        await association.close()
        await association.close()
        first.transport.close()
