"""A command by SSH over the overlay, where the address of the server is proof of its identity already."""

import asyncio

import asyncssh
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.asyncssh import Tunnel


class Server(asyncssh.SSHServer):
    """Lets everyone in: a real one asks for a key."""

    def begin_auth(self, username: str) -> bool:
        return False


async def run(process: "asyncssh.SSHServerProcess[str]") -> None:
    process.stdout.write(f"ran {process.command}")
    process.exit(0)


async def main() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
    ):
        host = str(server_node.address)
        async with asyncssh.listen(
            host, 22, tunnel=Tunnel(server), server_factory=Server, server_host_keys=[key], process_factory=run
        ):
            async with asyncssh.connect(
                host, tunnel=Tunnel(client), known_hosts=None, client_keys=None, config=None
            ) as ssh:
                print((await ssh.run("uptime")).stdout)
            await ssh.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
