"""Nodes on one link find each other: no peer is configured, no address known.

Both nodes run in this program and meet over the machine's own network interfaces; on two machines of one Ethernet or
Wi-Fi the same lines find the other machine. A password of this run keeps the neighbourhood out.
"""

import asyncio
import secrets

from ygg import Config, Core, InterfaceRule, Multicast, NativeNetwork, TLSTransport, TransportManager
from ygg.multicast import list_interfaces

PATTERN = "^(eth|en|wlan|wl|br|veth)"


def node(network: NativeNetwork) -> Core:
    """Return a node with an identity of its own."""
    config = Config.generate()
    manager = TransportManager(network)
    manager.register(TLSTransport(config.certificate))
    return Core(config.certificate, manager)


async def main() -> None:
    rule = InterfaceRule(PATTERN, beacon=True, listen=True, password=secrets.token_hex())
    if not any(
        rule.matches(interface.name) and interface.carries_multicast and interface.link_local
        for interface in list_interfaces()
    ):
        print("skipped: no interface here carries multicast and has an IPv6 link-local address")
        return
    async with (
        NativeNetwork() as network,
        node(network) as one,
        node(network) as other,
        Multicast(one, network, [rule]),
        Multicast(other, network, [rule]),
    ):
        while not (found := [peer for peer in other.peers() if peer.up]):
            await asyncio.sleep(0.1)
        print(f"found {found[0].address} at {found[0].url}")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), timeout=60))
