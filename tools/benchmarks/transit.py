"""What a node in the middle costs: it forwards 1280-byte packets between two nodes that are not peers."""

import asyncio

from . import bulk
from .nodes import member, reach
from .process import node_process

MTU = 1280
# IPv6 and TCP headers, and the timestamp option.
SEGMENT = MTU - 40 - 20 - 12


def transit(seconds: float) -> dict[str, float]:
    """Measure the middle node's own process while full segments flow; ACKs it forwards are not counted."""
    with node_process(MTU) as middle:
        url = middle.ask("listen")

        async def ends() -> dict[str, float]:
            async with member(MTU) as one, member(MTU) as other:
                for node in (one, other):
                    await node.core.call_peer(url)
                await reach(one, other.host)
                sink, source = bulk.Sink(), bulk.Source()
                server = await other.vtun.create_server(lambda: sink, port=0)
                await one.vtun.create_connection(lambda: source, other.host, server.sockets[0].getsockname()[1])
                await asyncio.sleep(0.7)
                before, middle_before = bulk.sample(sink.count), await asyncio.to_thread(middle.ask, "sample")
                await asyncio.sleep(seconds)
                after, middle_after = bulk.sample(sink.count), await asyncio.to_thread(middle.ask, "sample")
                source.stop()
                packets = max((after["count"] - before["count"]) / SEGMENT, 1)
                return {"transit_1280_pps": packets / (after["time"] - before["time"]),
                        "transit_1280_cpu_us": (middle_after["cpu"] - middle_before["cpu"]) / packets * 1e6}

        return asyncio.run(ends())
