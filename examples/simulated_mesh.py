"""A hundred nodes in virtual time: how long they take to agree, what an outage costs, and a program on two of them."""

import asyncio

from ygg.simulation import Conditions, Trace, VirtualLoop, World, topology

EDGES = topology.barabasi_albert_graph(100, 2, seed="mesh")
SLOW = Conditions(rate=10e6, delay=0.020)    # 10 Mbit/s and 20 ms, each way


def agreed(world: World) -> bool:
    return len({node.engine.root for node in world.nodes.values()}) == 1


def study() -> None:
    with World(seed=1) as world:
        world.build(EDGES, SLOW)
        began = world.timeline.time
        print("agree:", world.run(60, lambda: agreed(world), every=0.1), f"after {world.timeline.time - began:.1f} s")
        world.run(30)
        root = next(number for number, node in world.nodes.items() if node.engine.root == node.key)
        world.remove(root)
        print("agree without the root:", world.run(60, lambda: agreed(world), every=0.1))


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def talk() -> str:
    with World(seed=1) as world:                 # in a running loop it lives in that loop's time
        world.trace = Trace()
        world.build(topology.path_graph(4), SLOW)
        first, last = world.nodes[0], world.nodes[3]
        async with first.vtun() as client, last.vtun() as host:
            await asyncio.sleep(20)              # takes no time
            async with await host.start_server(handle, port=7):
                reader, writer = await client.open_connection(str(last.address), 7)
                writer.write(b"over three hops\n")
                print((await reader.readline()).decode().strip())
                writer.close()
                await writer.wait_closed()
            print(f"round trip: {await client.ping(str(last.address)) * 1000:.0f} ms")
        return world.trace.digest()


if __name__ == "__main__":
    study()
    digests = []
    for _ in range(2):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            digests.append(runner.run(talk()))
    print("twice the same:", digests[0] == digests[1])
