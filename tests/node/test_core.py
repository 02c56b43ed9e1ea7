"""ygg.node.core: whole nodes, over every carrier there is."""

import asyncio
import json

import pytest

from tests.aio import LOOPS, on_loops, run, settle, until
from tests.nodes import manager, node
from ygg import Certificate, Core, LoopbackNetwork, NativeNetwork, Network, address_of
from ygg.errors import AnswerError, ConfigError, ConnectionAborted, KeyFormatError, QueryTimeout
from ygg.node.carrier import Carrier
from ygg.testing import private_key, public_key
from ygg.transport import SocksTransport
from ygg_c.io.pump import StreamPump
from ygg_c.io.tlspump import TlsPump
from ygg_c.io.transportpump import TransportPump


async def agree(*cores: Core) -> None:
    """Return once the nodes have one root, and each knows where it is."""
    await until(lambda: len({core.self_info().root for core in cores}) == 1)
    await until(lambda: all(core.self_info().coordinates or core.self_info().root == core.public_key for core in cores))


def pumps(core: Core) -> set[type]:
    carriers = [record.carrier for record in core.links]
    return {type(carrier.pump) for carrier in carriers if isinstance(carrier, Carrier)}


async def two_nodes(network: Network, url: str, pump: type) -> None:
    """Peer two nodes; have them agree on a tree and answer each other's questions."""
    async with node(1, network, node_info={"name": "one"}) as one, node(2, network, node_info={"name": "two"}) as two:
        listener = await two.listen(url)
        await one.call_peer(f"{listener.url.scheme}://{listener.address}")
        await agree(one, two)
        assert pumps(one) == pumps(two) == {pump}
        # Seed 2 has the smaller key, so its node is the root.
        assert one.self_info().root == two.public_key
        assert len(one.self_info().coordinates) == 1
        answer, back = await asyncio.gather(one.node_info(two.public_key), two.node_info(one.public_key))
        assert (answer["name"], back["name"]) == ("two", "one")
        assert answer["buildname"] == "ygg"


@on_loops
async def test_two_nodes_over_memory() -> None:
    await two_nodes(LoopbackNetwork(), "tcp://127.0.0.1:0", TransportPump)


@on_loops
async def test_two_nodes_over_tls_in_memory() -> None:
    await two_nodes(LoopbackNetwork(), "tls://127.0.0.1:0", TransportPump)


@on_loops
async def test_two_nodes_over_sockets() -> None:
    async with NativeNetwork() as network:
        await two_nodes(network, "tcp://127.0.0.1:0", StreamPump)


@on_loops
async def test_two_nodes_over_tls() -> None:
    async with NativeNetwork() as network:
        await two_nodes(network, "tls://[::1]:0", TlsPump)


@on_loops
async def test_sockets_that_end_end_their_links() -> None:
    async with NativeNetwork() as network, node(1, network) as one:
        async with node(2, network) as two:
            listener = await two.listen("tcp://127.0.0.1:0")
            one.add_peer(f"tcp://{listener.address}")
            await until(lambda: two.peers() and one.peers()[0].up)
        await until(lambda: one.peers()[0].last_error in ("EOF", "connection reset by peer"))
        assert not one.peers()[0].up


@on_loops
async def test_a_network_that_goes_down_ends_the_links_over_it() -> None:
    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}")
        await until(lambda: two.peers())
        network.down()
        await until(lambda: not one.peers() and not two.peers())


@pytest.mark.parametrize("loop", LOOPS)
def test_state_and_questions(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await agree(one, two)
            await until(lambda: len(one.tree()) == 2)
            assert [entry.key for entry in one.tree()] == sorted([one.public_key, two.public_key])
            assert {entry.parent for entry in one.tree()} == {two.public_key}
            assert await one.remote_peers(two.public_key) == [one.public_key]
            assert sorted(await one.remote_tree(two.public_key)) == sorted([one.public_key, two.public_key])
            assert (await one.remote_self(two.public_key))["key"] == two.public_key.hex()
            (session,), (path,) = one.sessions(), one.paths()
            assert (session.key, path.key) == (two.public_key, two.public_key)
            assert session.address == path.address == address_of(two.public_key)
            assert session.bytes_sent > 0
            assert path.path == ()
            (peer,) = one.peers()
            assert peer.uptime > 0
            assert peer.latency is not None
            assert 0 < peer.latency < 30
            assert peer.cost >= 1
            info = one.self_info()
            assert (info.public_key, info.address, info.subnet) == (one.public_key, one.address, one.subnet)
            assert info.routing_entries == 2
            assert one.counters()

    run(main(), loop)


@on_loops
async def test_a_peers_password_is_in_its_url_and_nowhere_else() -> None:
    async with node(1, LoopbackNetwork()) as one:
        one.manager.register(SocksTransport())
        one.add_peer("socks://me:hush@127.0.0.1:9/h:1?password=secret")
        (peer,) = one.peers()
        assert peer.url == "socks://me:hush@127.0.0.1:9/h:1"
        assert peer.redacted == "socks://me:xxxxx@127.0.0.1:9/h:1"
        for shown in (repr(peer), str(peer)):
            assert peer.redacted in shown
            assert "hush" not in shown
            assert "secret" not in shown
        one.remove_peer(peer.url)
        assert not one.peers()
        one.add_peer(peer.url)
        assert [again.url for again in one.peers()] == [peer.url]


@pytest.mark.parametrize("loop", LOOPS)
def test_rates_are_those_of_the_last_second(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await until(lambda: one.peers()[0].receive_rate > 0 and one.peers()[0].send_rate > 0)
            (peer,) = one.peers()
            assert 0 < peer.send_rate <= peer.bytes_sent
            assert 0 < peer.receive_rate <= peer.bytes_received
            assert 0 < peer.uptime < 30

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_those_who_ask_the_same_share_the_answer_and_silence_times_out(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await agree(one, two)
            answers = await asyncio.gather(*(one.node_info(two.public_key) for _ in range(3)))
            assert answers[0] == answers[1] == answers[2]
            with pytest.raises(QueryTimeout):
                await one.node_info(public_key(3), timeout=0.01)
            with pytest.raises(KeyFormatError):
                await one.node_info(b"short")
            waiting = asyncio.create_task(one.remote_tree(public_key(3)))
            await settle()
            await one.stop()
            with pytest.raises(ConnectionAborted):
                await waiting

    run(main(), loop)


@on_loops
async def test_a_question_is_forgotten_when_nobody_waits_for_its_answer() -> None:
    """After the last one's time is up, or it was cancelled; one who waits longer is still answered."""
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        stranger = public_key(3)
        patient = asyncio.ensure_future(one.node_info(two.public_key, timeout=30))
        hasty = [one.node_info(public, timeout=0.01) for public in (two.public_key, two.public_key, stranger, stranger)]
        results = await asyncio.gather(*hasty, return_exceptions=True)
        assert {type(result) for result in results} == {QueryTimeout}
        assert one.questions == [(two.public_key, "nodeinfo")]
        given_up = asyncio.ensure_future(one.node_info(stranger, timeout=30))
        await settle()
        assert len(one.questions) == 2
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert one.questions == [(two.public_key, "nodeinfo")]
        await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        assert (await patient)["buildname"] == "ygg"
        await settle()
        assert not one.questions


@pytest.mark.parametrize("loop", LOOPS)
def test_nonsense_for_an_answer_is_an_error(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await agree(one, two)
            for text in (b"[1]", b"{", b"\xff", b"[" * 10000):
                two.engine.nodeinfo = text
                with pytest.raises(AnswerError):
                    await one.node_info(two.public_key)

    run(main(), loop)


@on_loops
async def test_members_of_node_info_are_published_and_taken_back() -> None:
    network = LoopbackNetwork()
    async with node(1, network, node_info={"name": "one"}) as one, node(2, network) as two:
        one.publish("extra", [1])
        listener = await one.listen("tcp://127.0.0.1:0")
        await two.call_peer(f"tcp://{listener.address}")
        info = await two.node_info(one.public_key)
        assert (info["name"], info["extra"]) == ("one", [1])
        with pytest.raises(ConfigError):
            one.publish("extra", "x" * 20000)
        assert await two.node_info(one.public_key) == info
        one.publish("extra", None)
        assert "extra" not in await two.node_info(one.public_key)


@on_loops
async def test_privacy_and_limits_of_node_info() -> None:
    network = LoopbackNetwork()
    table = manager(network)
    certificate = Certificate(private_key(1))
    async with Core(certificate, table, node_info_privacy=True) as core:
        assert core.engine.nodeinfo == b"{}"
    async with Core(certificate, table, node_info={"buildname": "other", "x": [1]}) as core:
        shown = json.loads(core.engine.nodeinfo)
    assert shown["buildname"] == "ygg"
    assert shown["x"] == [1]
    assert set(shown) == {"buildname", "buildversion", "buildplatform", "buildarch", "x"}
    for bad in ({"x": "y" * 16384}, {"x": object()}, {"x": float("nan")}):
        with pytest.raises(ConfigError, match="NodeInfo"):
            Core(certificate, table, node_info=bad)


@pytest.mark.parametrize("loop", LOOPS)
def test_nodes_with_other_group_passwords_route_but_have_no_sessions(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network, group_password="a") as one, node(2, network, group_password="b") as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await agree(one, two)
            with pytest.raises(QueryTimeout):
                await one.node_info(two.public_key, timeout=0.2)
            assert one.sessions() == two.sessions() == []

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_line_of_nodes_reaches_from_end_to_end(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two, node(3, network) as three:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await three.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await agree(one, two, three)
            async with asyncio.timeout(30):
                while True:
                    try:
                        assert (await one.remote_self(three.public_key, timeout=1))["key"] == three.public_key.hex()
                        break
                    except QueryTimeout:
                        continue
            (path,) = one.paths()
            assert path.key == three.public_key

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_node_starts_once_and_knows_itself_before_and_after(loop: str) -> None:
    async def main() -> None:
        core = Core(Certificate(private_key(1)), manager(LoopbackNetwork()))
        assert str(core.address) == "200:eaee:3845:17ec:1cd4:55a:49a5:868b"
        assert str(core.subnet) == "300:eaee:3845:17ec::/64"
        with pytest.raises(ConnectionAborted):
            _ = core.engine
        async with core:
            assert core.self_info().root == core.public_key
            with pytest.raises(ValueError, match="started once"):
                await core.start()
        with pytest.raises(ValueError, match="started once"):
            await core.start()
        assert "not running" in repr(core)

    run(main(), loop)


def test_bad_keys_are_refused_at_once() -> None:
    with pytest.raises(KeyFormatError):
        Core(Certificate(private_key(1)), manager(LoopbackNetwork()), allowed_public_keys=[b"short"])
