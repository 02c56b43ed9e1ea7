"""How near a candidate is: the order of answers, and a dial that is timed, in virtual time."""

import asyncio

import pytest

from tests.aio import in_virtual_time, run
from ygg import LoopbackNetwork
from ygg.autopeer.peer import PublicPeer
from ygg.autopeer.probe import TIMEOUT, nearest_first, tcp_probe


def peer(host: str, scheme: str = "tcp", port: int = 9000) -> PublicPeer:
    return PublicPeer(f"{scheme}://{host}:{port}", scheme, host, port, "")


def test_the_nearest_come_first_and_the_absent_last() -> None:
    answers: dict[str, float | OSError | None] = {
        "away": OSError(), "far": 0.2, "unknown": None, "near": 0.1, "gone": OSError(),
    }  # fmt: skip

    async def probe(candidate: PublicPeer) -> float | None:
        answer = answers[candidate.host]
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def main() -> list[str]:
        return [found.host for found in await nearest_first([peer(host) for host in answers], probe)]

    assert run(main(), "virtual") == ["near", "far", "unknown", "away", "gone"]


def test_all_are_asked_at_once_and_for_a_bounded_time() -> None:
    async def probe(candidate: PublicPeer) -> float | None:
        await asyncio.sleep(2 if candidate.host == "slow" else 1000)
        return 2.0

    async def main() -> tuple[list[str], float]:
        found = await nearest_first([peer("silent"), peer("slow"), peer("mute")], probe)
        return [one.host for one in found], asyncio.get_running_loop().time()

    hosts, took = run(main(), "virtual")
    assert hosts == ["slow", "silent", "mute"]
    assert took == pytest.approx(TIMEOUT)


@in_virtual_time
async def test_a_dial_is_timed() -> None:
    network = LoopbackNetwork()
    probe = tcp_probe(lambda host: network)
    listener = await network.listen_stream("127.0.0.1", 9000)
    elapsed = await probe(peer("127.0.0.1"))
    assert elapsed is not None
    assert 0 <= elapsed < TIMEOUT
    transport, _ = await listener.accept()
    transport.abort()
    listener.close()
    await listener.wait_closed()
    with pytest.raises(OSError, match="refused"):
        await probe(peer("127.0.0.1"))


@in_virtual_time
async def test_what_is_not_dialed_over_tcp_is_not_measured() -> None:
    assert await tcp_probe(lambda host: pytest.fail("dialed"))(peer("127.0.0.1", "quic")) is None
