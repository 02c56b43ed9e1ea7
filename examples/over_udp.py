"""UDP and ping on the overlay."""

import asyncio

from two_nodes import two_nodes

from ygg import VTun


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
        await server.open_datagram(local_port=5353) as service,
        await client.open_datagram() as udp,
    ):
        await udp.sendto(b"anybody there?", (str(server_node.address), 5353))
        question, source = await service.recvfrom()
        print("from the client:", source[0] == str(client_node.address))
        await service.sendto(question.upper(), source)
        answer, _ = await udp.recvfrom()
        print(answer.decode())
        rtt = await client.ping(str(server_node.address), timeout=10.0)
        print("answered within a second:", rtt < 1)


if __name__ == "__main__":
    asyncio.run(main())
