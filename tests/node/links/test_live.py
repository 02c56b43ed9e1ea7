"""ygg.node.links.live: how a link comes up, and how it ends."""



from tests.aio import on_loops, until
from tests.nodes import Stranger, node, ups
from ygg import LoopbackNetwork
from ygg.node import handshake
from ygg.testing import private_key


@on_loops
async def test_the_end_of_a_called_link_ends_its_record_on_both_sides() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}")
        await until(lambda: ups(two))
        one.remove_peer(f"tcp://{listener.address}?whatever=1")
        assert not one.peers()
        await until(lambda: not two.peers())


@on_loops
async def test_frames_may_follow_the_handshake_in_the_same_bytes() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one:
        listener = await one.listen("tcp://127.0.0.1:0")
        stranger = await Stranger.at(network, listener.address)
        stranger.transport.write(handshake.encode(private_key(2), 0) + bytes.fromhex("0b0201ef9bafcdf8acd19101"))
        await until(lambda: ups(one))
        received = one.peers()[0].bytes_received
        assert received == 123 + 12
        # The request is answered: SigRes, type 3, echoing seq and nonce.
        await until(lambda: bytes.fromhex("0301ef9bafcdf8acd19101") in stranger.data)
        stranger.transport.close()
        await until(lambda: not one.peers())
