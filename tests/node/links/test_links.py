"""ygg.node.links and what it is made of: links come to be, are kept up, and end with a reason."""

import logging

import pytest

from tests.aio import LOOPS, on_loops, run, until
from tests.nodes import manager, node, ups
from ygg import Certificate, Core, LoopbackNetwork
from ygg.errors import (
    ConnectionAborted,
    PeerExistsError,
    PeerUnknownError,
    RemoteClosed,
)
from ygg.node.redial import pause_before_redial
from ygg.testing import private_key
from ygg.transport import SocksTransport
from ygg.url import PeerURL


def test_pauses_double_up_to_the_limit_and_vary() -> None:
    assert [pause_before_redial(count, 4096, 0.5) for count in (1, 2, 3)] == [2, 4, 8]
    assert pause_before_redial(1, 4096, 0) == pytest.approx(1.8)
    assert pause_before_redial(1, 4096, 1) == pytest.approx(2.2)
    assert pause_before_redial(12, 4096, 1) == 4096
    assert pause_before_redial(10**6, 5, 0) == 5


@on_loops
async def test_a_call_makes_a_link_that_both_sides_see() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0?priority=3")
        assert await one.call_peer(f"tcp://{listener.address}?priority=1") == two.public_key
        await until(lambda: ups(two))
        (out,), (into,) = one.peers(), two.peers()
        assert (out.key, into.key) == (two.public_key, one.public_key)
        assert (out.inbound, into.inbound) == (False, True)
        assert (out.priority, into.priority) == (3, 3)
        assert out.url == f"tcp://{listener.address}"
        assert into.url.startswith("tcp://127.0.0.1:")
        assert out.bytes_sent >= 123
        assert out.bytes_received >= 123
        assert not out.last_error


@on_loops
async def test_adding_twice_fails_and_wakes_the_first() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        one.add_peer("tcp://127.0.0.1:99")
        await until(lambda: one.peers()[0].last_error)
        await two.listen("tcp://127.0.0.1:99")
        with pytest.raises(PeerExistsError, match="peer is already configured"):
            one.add_peer("tcp://127.0.0.1:99?priority=1")
        await until(lambda: ups(one))
        with pytest.raises(PeerExistsError):
            await one.call_peer("tcp://127.0.0.1:99")


@pytest.mark.parametrize("loop", LOOPS)
def test_removing_a_waiting_peer_and_one_that_is_not_there(loop: str) -> None:
    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            one.add_peer("tcp://127.0.0.1:99")
            await until(lambda: one.peers()[0].last_error)
            one.remove_peer("tcp://127.0.0.1:99")
            assert one.peers() == []
            with pytest.raises(PeerUnknownError, match="peer is not configured"):
                one.remove_peer("tcp://127.0.0.1:99")

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_peer_is_known_by_its_interface_too(loop: str) -> None:
    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            one.add_peer("tcp://127.0.0.1:99?priority=1", source_interface="lo")
            one.add_peer("tcp://127.0.0.1:99?priority=1")
            one.remove_peer("tcp://127.0.0.1:99?priority=2", source_interface="lo")
            assert [peer.source_interface for peer in one.peers()] == [""]
            with pytest.raises(PeerUnknownError):
                one.remove_peer("tcp://127.0.0.1:99", source_interface="lo")
            one.remove_peer("tcp://127.0.0.1:99")
            assert one.peers() == []

    run(main(), loop)


@on_loops
async def test_a_link_that_came_in_is_removed_by_the_url_it_is_shown_with() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        await until(lambda: ups(two))
        two.remove_peer(two.peers()[0].url)
        assert not two.peers()
        await until(lambda: not one.peers())


@pytest.mark.parametrize("loop", LOOPS)
def test_several_links_to_one_node(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            for priority in (2, 1):
                listener = await two.listen("tcp://127.0.0.1:0")
                await one.call_peer(f"tcp://{listener.address}?priority={priority}")
            assert [peer.priority for peer in one.peers()] == [2, 1]
            assert len({peer.port for peer in one.peers()}) == 1

    run(main(), loop)


@on_loops
async def test_passwords_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Neither those of proxies nor those of links: not in what stands for a peer, in errors, nor in what is logged."""
    caplog.set_level(logging.DEBUG)
    async with LoopbackNetwork() as network:
        certificate = Certificate(private_key(1))
        transports = manager(network, certificate)
        transports.register(SocksTransport())
        async with Core(certificate, transports) as core:
            url = "socks://user:pa55word@127.0.0.1:1/127.0.0.1:2?password=pa55phrase&key=" + "0" * 64
            core.add_peer(url)
            with pytest.raises(PeerExistsError) as there:
                core.add_peer(url)
            with pytest.raises(OSError, match="refused") as refused:
                await core.call_peer(url.replace(":2", ":3"))
            await core.listen("tcp://127.0.0.1:0?password=pa55phrase")
            await until(lambda: core.peers()[0].last_error)
            texts = [repr(core.peers()), str(core.peers()), repr(list(core.links)), repr(core.listeners)]
            texts += [repr(core.listeners[0].url), str(there.value), repr(refused.value), caplog.text]
            texts += [repr(PeerURL.parse(url)), repr(PeerURL.parse(url).options)]
            assert core.peers()[0].url.startswith("socks://user:pa55word@")
    assert not [text for text in texts if "pa55" in text]


@on_loops
async def test_remapping_the_host_ends_its_links_and_listeners() -> None:
    network = LoopbackNetwork()
    certificate = Certificate(private_key(1))
    table = manager(network)
    async with Core(certificate, table) as one, node(2, network) as two:
        outward = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{outward.address}")
        inward = await one.listen("tcp://127.0.0.1:0")
        await two.call_peer(f"tcp://{inward.address}")
        await until(lambda: len(ups(one)) == 2)
        table.map_network("127.0.0.1", None)
        await until(lambda: not one.peers() and not two.peers() and not one.listeners)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stopped_node_does_nothing_more(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            one.add_peer("tcp://127.0.0.1:99")
            await one.listen("tcp://127.0.0.1:0")
        for call in (one.peers, one.retry_peers_now, one.self_info):
            with pytest.raises(ConnectionAborted):
                call()
        with pytest.raises(ConnectionAborted):
            await one.call_peer("tcp://127.0.0.1:1")
        with pytest.raises(ConnectionAborted):
            await one.listen("tcp://127.0.0.1:0")
        await one.stop()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_logs_say_what_happened_and_keep_secrets(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ygg")

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            listener = await two.listen("tcp://127.0.0.1:0?password=hidden")
            one.add_peer(f"tcp://user:alsohidden@{listener.address}?password=hidden")
            await until(lambda: ups(one) and ups(two))
            one.remove_peer(f"tcp://user:alsohidden@{listener.address}")
            one.add_peer(f"tcp://user:alsohidden@{listener.address}?password=hiddentoo")
            await until(lambda: one.peers()[0].last_error)
            await until(lambda: not two.peers())

    run(main(), loop)
    text = caplog.text
    assert "Listening at tcp://127.0.0.1:" in text
    assert "Link up: persistent tcp://user:xxxxx@127.0.0.1:" in text
    assert "Link down: " in text
    assert "password does not match remote side" in text
    assert "hidden" not in text
    assert "?" not in text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_errors_have_their_standard_kin() -> None:
    assert issubclass(RemoteClosed, ConnectionError)
