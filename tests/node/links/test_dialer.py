"""ygg.node.links.dialer: attempts, one or one after the other."""

import asyncio
from typing import Any, cast

import pytest

from tests.aio import LOOPS, in_virtual_time, on_loops, run, settle, until
from tests.nodes import manager, node, ups
from ygg import Certificate, Core, LoopbackNetwork
from ygg.errors import (
    ConnectionAborted,
    ConnectionRefused,
    KeyNotPinnedError,
    LinkError,
    NotYggdrasilError,
    SelfConnectionError,
    UnknownSchemeError,
    WrongPasswordError,
)
from ygg.node import redial
from ygg.node.links.lifecycle import Kind
from ygg.simulation import VirtualLoop
from ygg.testing import private_key, public_key
from ygg.transport import Transport
from ygg.url import PeerURL


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
async def test_what_asks_for_a_peer_has_it_redialed_before_its_pause_is_over(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redial, "pause_before_redial", lambda failures, most, chance: 1000.0)
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        one.add_peer("tcp://127.0.0.1:99")
        await until(lambda: one.peers()[0].last_error)
        await two.listen("tcp://127.0.0.1:99")
        if why == "traffic waits":
            one.engine.find(two.public_key)
        else:
            one.links.network_changed()
        await until(lambda: ups(one))


@in_virtual_time
async def test_a_peer_that_is_away_is_dialed_at_once_when_its_network_tells_of_a_change() -> None:
    """Pauses of 1 to 64 s have passed between the second 114 and the second 140, and the next is of 115 s at least."""
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    async with (
        LoopbackNetwork() as network,
        node(1, network, clock=loop.clock) as one,
        node(2, network, clock=loop.clock) as two,
    ):
        one.add_peer("tcp://127.0.0.1:99")
        await asyncio.sleep(150)
        await two.listen("tcp://127.0.0.1:99")
        await asyncio.sleep(10)
        assert not ups(one)
        network.changed()
        await asyncio.sleep(0.1)
        assert ups(one) == [two.public_key]


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


THERE = "tcp://127.0.0.1:7000"


class Heedless(Transport):
    """Its dials end when the test has it, and do not heed that they are cancelled."""

    schemes = ("heedless",)

    def __init__(self, network: LoopbackNetwork, fails: bool) -> None:
        self.network, self.fails = network, fails
        self.go = asyncio.Event()
        self.dials = 0

    async def dial(self, network: Any, url: PeerURL, options: Any) -> asyncio.Transport:
        self.dials += 1
        while not self.go.is_set():
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                pass
        if self.fails:
            raise OSError("at last")
        return await self.network.connect_stream("127.0.0.1", 7000)

    async def listen(self, network: Any, url: PeerURL, options: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("kind", [Kind.PERSISTENT, Kind.EPHEMERAL])
def test_a_dial_that_heeds_no_cancellation_makes_no_link(kind: Kind, fails: bool) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        transports = manager(network)
        heedless = Heedless(network, fails)
        transports.register(heedless)
        async with Core(Certificate(private_key(1)), transports) as own, node(2, network) as other:
            await other.listen(THERE)
            call = None
            if kind is Kind.PERSISTENT:
                own.add_peer("heedless://127.0.0.1:1")
            else:
                call = asyncio.create_task(own.call_peer("heedless://127.0.0.1:1"))
            await settle()
            own.remove_peer("heedless://127.0.0.1:1")
            await settle()
            heedless.go.set()
            await asyncio.sleep(10)
            assert own.peers() == other.peers() == []
            assert heedless.dials == 1
            if call is not None:
                with pytest.raises(ConnectionAborted):
                    await call

    run(main(), "virtual")


class SelfCancelling(Transport):
    """Its dials wait for a task that is cancelled."""

    schemes = ("self-cancelling",)

    def __init__(self) -> None:
        self.dials = 0

    async def dial(self, network: Any, url: PeerURL, options: Any) -> asyncio.Transport:
        self.dials += 1
        waits = asyncio.ensure_future(asyncio.sleep(1))
        asyncio.get_running_loop().call_soon(waits.cancel)
        await waits
        raise AssertionError("not reached")

    async def listen(self, network: Any, url: PeerURL, options: Any) -> Any:
        raise NotImplementedError


@on_loops
async def test_a_dial_that_ends_in_a_cancellation_of_its_own_has_failed() -> None:
    transports = manager(LoopbackNetwork())
    transport = SelfCancelling()
    transports.register(transport)
    async with Core(Certificate(private_key(1)), transports) as one:
        with pytest.raises(ConnectionAborted, match="dial was cancelled"):
            await one.call_peer("self-cancelling://x:1")
        one.add_peer("self-cancelling://y:1")
        await until(lambda: transport.dials >= 3)
        assert "dial was cancelled" in one.peers()[0].last_error
