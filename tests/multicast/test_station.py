"""ygg.multicast.station: beacons when they are due, dials to those who know the password, and bounds on both."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from tests.multicast.lab import KEY, Air, FakeNode, FakeSocket, Link, interface
from ygg.errors import AddressInUse, URLError
from ygg.multicast.beacon import Beacon
from ygg.multicast.rules import InterfaceRule
from ygg.multicast.station import DIALS_PER_TURN, READS_PER_TURN, Station

OTHER = b"\2" * 32


class Bench:
    """A station with everything around it."""

    def __init__(self, rule: InterfaceRule) -> None:
        self.node, self.air, self.now = FakeNode(), Air(), 100.0
        self.interface = interface()
        self.station = Station(self.node, self.interface, rule, self.air.open)

    @property
    def socket(self) -> FakeSocket:
        return self.air.sockets[1]

    async def turn(self, seconds: float = 0.0) -> None:
        self.now += seconds
        await self.station.turn(self.interface, {link.url for link in self.node.links}, self.now)

    async def hear(self, *datagrams: bytes, sender: str = "fe80::99") -> None:
        before = self.station.counters["received"]
        for data in datagrams:
            assert self.socket.arrive(data, sender)
        await until(lambda: self.station.counters["received"] >= before + len(datagrams))
        await settle()


@asynccontextmanager
async def bench(**options: Any) -> AsyncIterator[Bench]:
    rule = InterfaceRule(".*", **({"beacon": True, "listen": True} | options))
    made = Bench(rule)
    try:
        await made.turn()
        yield made
    finally:
        await made.station.close()


def test_first_beacon_goes_out_at_once_and_names_the_listener() -> None:
    async def main() -> None:
        async with bench(port=12345, priority=3, password="a b&c") as it:
            assert it.node.listened == [("tls://[fe80::1%25eth0]:12345?priority=3&password=a%20b%26c", "eth0")]
            assert it.socket.sent == [(Beacon.make(KEY, 12345, b"a b&c").encode(), "fe80::1")]
            assert it.station.address == "[fe80::1%eth0]:12345"

    run(main())


def test_interval_grows_by_a_second_to_fifteen() -> None:
    async def main() -> None:
        async with bench() as it:
            times = []
            for _ in range(2000):
                before = len(it.socket.sent)
                await it.turn(0.1)
                if len(it.socket.sent) > before:
                    times.append(it.now)
            gaps = [round(later - earlier) for earlier, later in zip([100.0, *times], times, strict=False)]
            assert gaps == [*range(1, 15), *[15] * (len(gaps) - 14)]
            assert len(gaps) > 16

    run(main())


def test_listen_only_station_says_nothing() -> None:
    async def main() -> None:
        async with bench(beacon=False) as it:
            assert (it.node.listened, it.socket.sent, it.socket.joined) == ([], [], 1)
            assert it.station.address == ""

    run(main())


def test_beacon_only_station_hears_nothing() -> None:
    async def main() -> None:
        async with bench(listen=False) as it:
            it.socket.arrive(Beacon.make(OTHER, 1).encode())
            await settle()
            assert (it.socket.joined, it.station.counters["received"], it.node.called) == (0, 0, [])

    run(main())


@on_loops
async def test_neighbour_is_dialed_with_its_key_pinned() -> None:
    async with bench(priority=7, password="p") as it:
        await it.hear(Beacon.make(OTHER, 4321, b"p").encode())
        url = f"tls://[fe80::99%25eth0]:4321?key={OTHER.hex()}&priority=7&password=p"
        assert it.node.called == [(url, "eth0")]


def test_repeated_beacons_do_not_dial_again() -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.gate = asyncio.Event()
            data = Beacon.make(OTHER, 4321).encode()
            await it.hear(data, data)
            await it.turn()
            await it.hear(data)
            assert len(it.node.called) == 1  # still on its way
            it.node.gate.set()
            await settle()
            await it.turn()
            await it.hear(data)
            assert len(it.node.called) == 1  # up
            it.node.links[0].up = False
            it.node.links.clear()
            await it.turn()
            await it.hear(data)
            assert len(it.node.called) == 2
            assert it.station.counters["repeated"] == 3

    run(main())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (Beacon.make(OTHER, 1, b"p").encode()[:-1], "malformed"),
        (b"\0\0\0\4" + Beacon.make(OTHER, 1, b"p").encode()[4:], "malformed"),
        (Beacon.make(OTHER, 0, b"p").encode(), "malformed"),
        (Beacon.make(OTHER, 1, b"q").encode(), "wrong password"),
        (Beacon.make(OTHER, 1).encode(), "wrong password"),
        (Beacon(b"\3" * 32, 1, Beacon.make(OTHER, 1, b"p").proof).encode(), "wrong password"),
        (Beacon.make(KEY, 1, b"p").encode(), "own"),
    ],
)
def test_beacon_that_leads_nowhere(data: bytes, reason: str) -> None:
    async def main() -> None:
        async with bench(password="p") as it:
            await it.hear(data)
            assert it.node.called == []
            assert it.station.counters[reason] == 1

    run(main())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"nonsense", "truncated beacon: 8 bytes"),
        (Beacon.make(OTHER, 1, b"q").encode(), "beacon with another password"),
        (Beacon(OTHER, 1, bytes(64)).encode(), "beacon with another password"),
    ],
)
def test_beacon_that_leads_nowhere_is_told_once_a_turn(
    data: bytes, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with bench(password="p") as it:
            for count in (1, 2):
                await it.hear(data, data, sender="fe80::66")
                await it.hear(Beacon.make(KEY, 1, b"p").encode())  # our own are nothing to tell
                assert caplog.messages.count(f"eth0: {text} from fe80::66") == count
                await it.turn()

    with caplog.at_level(logging.DEBUG, "ygg.multicast"):
        run(main())
    assert all(record.levelname == "DEBUG" for record in caplog.records if text in record.message)


def test_storm_is_told_once_a_turn(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.gate = asyncio.Event()
            for count in (1, 2):
                for number in range(20):
                    beacon = Beacon.make(OTHER, 1 + number)
                    await it.hear(beacon.encode(), sender="fe80::66")
                assert caplog.messages.count("eth0: beacon with no dial left in this turn from fe80::66") == count
                await it.turn()
            while it.station.counters["received"] < 40 + READS_PER_TURN:
                it.socket.arrive(b"nonsense")
                await asyncio.sleep(0)
            await settle()
            assert caplog.messages.count(f"eth0: more than {READS_PER_TURN} datagrams in a turn") == 1

    with caplog.at_level(logging.DEBUG, "ygg.multicast"):
        run(main())


def test_flood_is_read_up_to_a_bound_each_turn() -> None:
    async def main() -> None:
        async with bench() as it:
            sent = 0
            while it.station.counters["received"] < READS_PER_TURN:
                sent += it.socket.arrive(b"nonsense")
                await asyncio.sleep(0)
            while it.socket.arrive(b"nonsense"):
                sent += 1
            await settle(50)
            assert it.station.counters["received"] == READS_PER_TURN
            await it.turn()
            await until(lambda: it.station.counters["received"] == min(sent, 2 * READS_PER_TURN))

    run(main())


def test_storm_of_invented_nodes_makes_no_storm_of_dials() -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.gate = asyncio.Event()
            for number in range(100):
                beacon = Beacon.make(number.to_bytes(32, "big"), 1 + number)
                await it.hear(beacon.encode(), sender=f"fe80::{number + 16:x}")
            assert len(it.node.called) == DIALS_PER_TURN
            assert it.station.counters["too many"] + it.station.counters["own"] == 100 - DIALS_PER_TURN
            await it.turn()
            await it.hear(Beacon.make(OTHER, 1).encode())
            assert len(it.node.called) == DIALS_PER_TURN  # none has ended
            it.node.gate.set()
            await settle()
            await it.turn()
            await it.hear(Beacon.make(OTHER, 1).encode())
            assert len(it.node.called) == DIALS_PER_TURN + 1

    run(main())


def test_known_neighbours_take_no_place_from_new_ones() -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.links = [Link(f"tls://[fe80::{number:x}%25eth0]:1") for number in range(16, 116)]
            await it.turn()
            for number in range(16, 116):
                await it.hear(Beacon.make(OTHER, 1).encode(), sender=f"fe80::{number:x}")
            await it.hear(Beacon.make(OTHER, 1).encode())
            assert len(it.node.called) == 1

    run(main())


def test_address_that_goes_takes_its_listener_along() -> None:
    async def main() -> None:
        async with bench() as it:
            it.interface = interface("eth0", 1, "fe80::5", "fe80::1")
            await it.turn(20)
            assert it.node.open_listeners() == ["[fe80::1%eth0]:40000"]
            it.interface = interface("eth0", 1, "fe80::5")
            await it.turn()
            assert it.node.open_listeners() == ["[fe80::5%eth0]:40001"]
            assert [source for _, source in it.socket.sent] == ["fe80::1", "fe80::1", "fe80::5"]

    run(main())


def test_first_address_that_can_be_bound_is_used(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.unusable = {"fe80::7", "fe80::8"}
            it.interface = interface("eth0", 1, "fe80::7", "fe80::8", "fe80::9")
            await it.turn()
            assert it.node.open_listeners() == ["[fe80::9%eth0]:40001"]
            assert it.socket.sent[-1] == (Beacon.make(KEY, 40001).encode(), "fe80::9")
            it.node.unusable = {"fe80::7"}
            await it.turn()
            assert it.node.open_listeners() == ["[fe80::9%eth0]:40001"]  # it stays where it is
            it.node.unusable = {"fe80::7", "fe80::8"}
            it.interface = interface("eth0", 1, "fe80::7", "fe80::8")
            await it.turn()
            assert it.node.open_listeners() == []

    with caplog.at_level(logging.INFO, "ygg.multicast"):
        run(main())
    assert [record.levelname for record in caplog.records if record.message.startswith("discovery on eth0")] == ["INFO"]


def test_listener_closed_by_another_is_opened_again() -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.listeners[0].close()
            assert it.station.address == ""
            await it.turn()
            assert it.node.open_listeners() == ["[fe80::1%eth0]:40001"]

    run(main())


def test_trouble_is_logged_once_and_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with bench() as it:
            it.socket.trouble = OSError("network is unreachable")
            for _ in range(3):
                await it.turn(20)
            assert caplog.messages.count("discovery on eth0: network is unreachable") == 1
            it.socket.trouble = None
            await it.turn(20)
            assert len(it.socket.sent) == 2

    run(main())


@pytest.mark.parametrize("refusal", [AddressInUse(), URLError("malformed zone in IPv6 address")])
def test_node_that_cannot_listen_still_hears(refusal: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.listeners[0].close()
            it.node.refusal = refusal
            for _ in range(3):
                await it.turn(20)
            assert caplog.messages.count(f"discovery on eth0: {refusal}") == 1
            assert len(it.socket.sent) == 1
            await it.hear(Beacon.make(OTHER, 1).encode())
            assert len(it.node.called) == 1
            it.node.refusal = None
            await it.turn()
            assert len(it.socket.sent) == 2

    run(main())


def test_trouble_while_reading_waits_for_the_next_turn() -> None:
    async def main() -> None:
        async with bench(beacon=False) as it:
            it.socket.trouble = OSError("interface is gone")
            it.socket.arrive(Beacon.make(OTHER, 1).encode())
            await settle()
            it.socket.trouble = None
            assert it.node.called == []
            await it.turn()
            await until(lambda: it.node.called)

    run(main())


def test_close_leaves_nothing_under_way() -> None:
    async def main() -> None:
        async with bench() as it:
            it.node.gate = asyncio.Event()
            await it.hear(Beacon.make(OTHER, 1).encode())
            await it.station.close()
            assert it.socket.closed
            assert it.node.open_listeners() == []
            assert it.node.links == []

    run(main())
