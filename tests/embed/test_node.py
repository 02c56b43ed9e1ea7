"""An embedded node's calls are those of its parts."""

import inspect

from tests.aio import on_loops
from ygg import Core, LoopbackNetwork, VTun, open_node
from ygg.embed import EmbeddedNode
from ygg.testing import private_key

OF_VTUN = ("open_connection", "start_server", "create_connection", "create_server", "create_datagram_endpoint",
           "open_datagram", "ping", "key_of")
OF_CORE = ("connected", "events", "on_event", "listen", "add_peer", "remove_peer", "peers", "self_info")


@on_loops
async def test_its_calls_are_those_of_its_parts() -> None:
    async with LoopbackNetwork() as network, open_node(private_key(1), network=network) as node:
        for names, part in ((OF_VTUN, node.vtun), (OF_CORE, node.core)):
            for name in names:
                assert getattr(node, name) == getattr(part, name)
        assert (node.address, node.subnet) == (node.core.address, node.core.subnet)
        assert str(node.address) in repr(node)


def test_no_call_of_asyncios_shape_is_missing() -> None:
    """What a VTun offers of an event loop's calls is at hand here too."""
    loop_like = {name for name, value in inspect.getmembers(VTun, inspect.iscoroutinefunction)
                 if name.startswith(("create_", "open_", "start_"))}
    assert loop_like <= set(OF_VTUN)
    assert inspect.iscoroutinefunction(Core.connected)
    assert inspect.iscoroutinefunction(EmbeddedNode.close)
