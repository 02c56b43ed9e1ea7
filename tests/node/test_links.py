"""ygg.node.links and what it is made of: links come to be, are kept up, and end with a reason."""

import asyncio
import logging

import pytest

from tests.aio import LOOPS, on_loops, run, settle, until
from tests.nodes import Stranger, manager, node
from ygg import Certificate, Core, IncomingLimits, LoopbackNetwork
from ygg.errors import (
    ConnectionAborted,
    ConnectionRefused,
    HandshakeTimeout,
    KeyNotPinnedError,
    LinkError,
    NotYggdrasilError,
    PeerExistsError,
    PeerUnknownError,
    RemoteClosed,
    SelfConnectionError,
    UnknownSchemeError,
    WrongPasswordError,
)
from ygg.node import handshake, redial
from ygg.node.redial import pause_before_redial
from ygg.testing import private_key, public_key
from ygg.transport import SocksTransport
from ygg.url import PeerURL


def ups(core: Core) -> list[bytes]:
    return [peer.key for peer in core.peers() if peer.up and peer.key]


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
async def test_a_persistent_peer_is_redialed_when_woken_and_remembers_its_error() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one:
        one.add_peer("tcp://127.0.0.1:99")
        await until(lambda: one.peers()[0].last_error)
        (peer,) = one.peers()
        assert not peer.up
        assert peer.persistent
        assert "refused" in peer.last_error
        assert peer.last_error_age is not None
        async with node(2, network) as two:
            await two.listen("tcp://127.0.0.1:99")
            one.retry_peers_now()
            await until(lambda: ups(one))
            assert one.peers()[0].last_error == ""
        await until(lambda: not ups(one))
        assert one.peers()[0].last_error


@pytest.mark.parametrize("loop", LOOPS)
def test_a_persistent_peer_comes_back_by_itself(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def pause(failures: int, most: float, chance: float) -> float:
        asked.append((failures, most))
        return 0.005

    monkeypatch.setattr(redial, "pause_before_redial", pause)

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            one.add_peer("tcp://127.0.0.1:99?maxbackoff=90s")
            await until(lambda: len(asked) >= 3)
            assert asked[:3] == [(1, 90), (2, 90), (3, 90)]
            for _ in range(2):
                async with node(2, network) as two:
                    await two.listen("tcp://127.0.0.1:99")
                    await until(lambda: ups(one))
                    asked.clear()
                await until(lambda: len(asked) >= 2)
                assert asked[0] == (1, 90)      # a link that was up starts the count anew

    run(main(), loop)


@on_loops
@pytest.mark.parametrize("why", ["traffic waits", "the network changes"])
async def test_what_asks_for_a_peer_has_it_redialed_before_its_pause_is_over(why: str) -> None:
    """The first pause is 1.8 s at least."""
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        one.add_peer("tcp://127.0.0.1:99")
        await until(lambda: one.peers()[0].last_error)
        failed = asyncio.get_running_loop().time()
        await two.listen("tcp://127.0.0.1:99")
        if why == "traffic waits":
            one.engine.find(two.public_key)
        else:
            one._running()._on_network_changed()
        await until(lambda: ups(one))
        assert asyncio.get_running_loop().time() - failed < 1.7


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
def test_what_can_be_wrong_with_a_call(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            at = (await two.listen("tcp://127.0.0.1:0?password=right")).address
            own = (await one.listen("tcp://127.0.0.1:0")).address
            pinned = public_key(3).hex()
            for url, kind in [
                ("tcp://127.0.0.1:99", ConnectionRefused),
                ("nonsense://127.0.0.1:99", UnknownSchemeError),
                (f"tcp://{at}", WrongPasswordError),
                (f"tcp://{at}?password=wrong", WrongPasswordError),
                (f"tcp://{at}?password=right&key={pinned}", KeyNotPinnedError),
                (f"tcp://{own}", SelfConnectionError),
            ]:
                with pytest.raises(kind):
                    await one.call_peer(url)
                assert one.peers() == []
            own_key = two.public_key.hex()
            await one.call_peer(f"tcp://{at}?password=right&key={pinned}&key={own_key}")

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_only_allowed_keys_come_in_except_where_all_are_admitted(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network, allowed_public_keys=[public_key(3)]) as two:
            strict = await two.listen("tcp://127.0.0.1:0")
            await one.call_peer(f"tcp://{strict.address}")      # the dialer cannot know yet
            await until(lambda: not one.peers())
            assert two.peers() == []
            lenient = await two.listen("tcp://127.0.0.1:0", admit_all=True)
            await one.call_peer(f"tcp://{lenient.address}")
            await until(lambda: ups(two))
            await two.call_peer(f"tcp://{(await one.listen('tcp://127.0.0.1:0')).address}")

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_only_so_many_links_come_in(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ygg.links")

    async def main() -> None:
        network = LoopbackNetwork()
        full = IncomingLimits(links=2, per_key=1)
        async with node(1, network, incoming_limits=full) as one, node(2, network) as two, node(3, network) as three:
            at = (await one.listen("tcp://127.0.0.1:0")).address
            out = (await two.listen("tcp://127.0.0.1:0")).address
            await one.call_peer(f"tcp://{out}")             # what one dials does not count
            await two.call_peer(f"tcp://{at}")
            await three.call_peer(f"tcp://{at}")
            await until(lambda: len(ups(one)) == 3)
            async with node(4, network) as four:
                await four.call_peer(f"tcp://{at}")
                await until(lambda: not ups(three))         # the youngest goes
                assert {*ups(one)} == {two.public_key, four.public_key}
                assert one.counters()["incoming_evicted"] == 1
                two.remove_peer(f"tcp://{at}")
                await until(lambda: len(ups(one)) == 2)
                await three.call_peer(f"tcp://{at}")
                await until(lambda: len(ups(one)) == 3)

    run(main(), loop)
    (warning,) = [record.message for record in caplog.records]
    assert warning.startswith("Too many incoming links: 2 there, 2 of them where tcp://127.0.0.1:")


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
            texts = [repr(core.peers()), str(core.peers()), repr(list(core._running())), repr(core.listeners)]
            texts += [repr(core.listeners[0].url), str(there.value), repr(refused.value), caplog.text]
            texts += [repr(PeerURL.parse(url)), repr(PeerURL.parse(url).options)]
            assert core.peers()[0].url.startswith("socks://user:pa55word@")
    assert not [text for text in texts if "pa55" in text]


@on_loops
async def test_one_key_has_so_many_links_and_no_more() -> None:
    network = LoopbackNetwork()
    limits = IncomingLimits(per_key=2)
    async with node(1, network, incoming_limits=limits) as one, node(2, network) as two, node(3, network) as three:
        at = [(await one.listen("tcp://127.0.0.1:0")).address for _ in range(3)]
        for address in at[:2]:
            await two.call_peer(f"tcp://{address}")
        await until(lambda: len(ups(one)) == 2)
        await two.call_peer(f"tcp://{at[2]}")
        await until(lambda: one.counters()["incoming_refused"] == 1)
        await until(lambda: len(ups(two)) == 2)
        await three.call_peer(f"tcp://{at[2]}")
        await until(lambda: len(ups(one)) == 3)


@on_loops
async def test_places_are_for_those_who_have_shown_their_keys() -> None:
    """A recorded handshake takes no place, however often it is said again."""
    network = LoopbackNetwork()
    limits = IncomingLimits(links=1, newcomers=4)
    async with node(1, network, incoming_limits=limits) as one, node(2, network) as two:
        listener = await one.listen("tcp://127.0.0.1:0")
        await two.call_peer(f"tcp://{listener.address}")
        await until(lambda: one.engine.counters() and ups(one))
        recorded = handshake.encode(private_key(9), 0)
        strangers = [await Stranger.at(network, listener.address) for _ in range(8)]
        for stranger in strangers:
            stranger.transport.write(recorded)
        await until(lambda: [stranger.lost.done() for stranger in strangers] == [True] * 4 + [False] * 4)
        assert one.counters()["newcomers_dropped"] == 4
        assert two.public_key in ups(one)
        assert not one.counters()["incoming_evicted"]


@on_loops
async def test_a_link_that_is_proven_and_closed_in_one_turn_takes_no_place() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        await two.call_peer(f"tcp://{(await one.listen('tcp://127.0.0.1:0')).address}")
        await until(lambda: ups(one))
        (record,) = one._running()
        assert record.link is not None
        record.link.close("at once")
        one._running()._on_link_proven(record.link)
        await until(lambda: not ups(one))


@on_loops
async def test_strangers_are_shown_the_door() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one:
        listener = await one.listen("tcp://127.0.0.1:0")
        hello = handshake.encode(private_key(2), 0)
        for opening in (b"GET / HTTP/1.1\r\n", bytes([*hello[:-1], hello[-1] ^ 1]), hello[:60] + bytes(63)):
            stranger = await Stranger.at(network, listener.address)
            stranger.transport.write(opening)
            await stranger.lost
        assert one.peers() == []
        stranger = await Stranger.at(network, listener.address)
        stranger.transport.write(hello)
        await until(lambda: ups(one))
        stranger.transport.write(b"\x02\x63\x00")       # an unknown frame type
        await stranger.lost
        await until(lambda: not one.peers())


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


@pytest.mark.parametrize("loop", LOOPS)
def test_a_silent_stranger_is_dropped_in_time(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "TIMEOUT", 0.01)

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            stranger = await Stranger.at(network, listener.address)
            await stranger.lost
            assert one.peers() == []
            silent = await network.listen_stream("127.0.0.1", 0)
            with pytest.raises(HandshakeTimeout):
                await one.call_peer(f"tcp://{silent.address}")
            silent.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_many_silent_strangers_do_not_keep_an_honest_one_out(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        limits = IncomingLimits(newcomers=4)
        async with node(1, network, incoming_limits=limits) as one, node(2, network) as two:
            listener = await one.listen("tcp://127.0.0.1:0")
            strangers = [await Stranger.at(network, listener.address) for _ in range(6)]
            await settle()
            assert [stranger.lost.done() for stranger in strangers] == [True, True, False, False, False, False]
            await two.call_peer(f"tcp://{listener.address}")
            await until(lambda: ups(one))

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_node_that_hangs_up_in_the_handshake(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            server = await network.listen_stream("127.0.0.1", 0)

            async def answer(data: bytes) -> None:
                transport, _ = await server.accept()
                transport.write(data)
                transport.close()

            for data, kind in [(b"", LinkError), (b"SSH-2.0", NotYggdrasilError)]:
                task = asyncio.create_task(answer(data))
                with pytest.raises(kind):
                    await one.call_peer(f"tcp://{server.address}")
                await task
            server.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_call_leaves_nothing(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            silent = await network.listen_stream("127.0.0.1", 0)
            task = asyncio.create_task(one.call_peer(f"tcp://{silent.address}"))
            transport, _ = await silent.accept()
            await settle()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            assert one.peers() == []
            transport.abort()
            silent.close()

    run(main(), loop)


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


@on_loops
async def test_a_listener_that_ends_by_itself_is_logged_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ygg.links")
    network = LoopbackNetwork()
    table = manager(network)
    async with Core(Certificate(private_key(1)), table) as one:
        closed = await one.listen("tcp://127.0.0.1:0")
        closed.close()
        await until(lambda: not one.listeners)
        for level, change in (
            (logging.ERROR, network.down),
            (logging.INFO, lambda: table.map_network("127.0.0.1", None)),
        ):
            listener = await one.listen("tcp://127.0.0.1:0?password=hidden")
            caplog.clear()
            change()
            await until(lambda: not one.listeners)
            network.up()
            (record,) = caplog.records
            assert record.levelno == level
            assert record.getMessage().startswith(f"Listening at tcp://{listener.address} failed: ")
        caplog.clear()
        table.unmap_network("127.0.0.1")
        await one.listen("tcp://127.0.0.1:0")
    assert [record.getMessage().split()[:2] for record in caplog.records] == [["Listening", "at"]]
    assert "failed" not in caplog.text


def test_errors_have_their_standard_kin() -> None:
    assert issubclass(RemoteClosed, ConnectionError)
