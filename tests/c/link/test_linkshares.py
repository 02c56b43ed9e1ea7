"""How flows share a link of a certain rate, and what those wait that send little beside them."""

import pytest

from tests.c.slowlinks import MS, SECOND, Bulk, Net, jain, net_of, ping

SENDER, RELAY = 1, 2
DELAY = 20 * MS


def star(net: Net, rate: float, others: int, delay: int = DELAY) -> list[int]:
    """Join the sender by a slow link to a relay, and that by fast ones to others; return all but the sender."""
    targets = list(range(RELAY, RELAY + others))
    net.add(SENDER, *targets)
    net.join(SENDER, RELAY, rate * 1e6, delay)
    for target in targets[1:]:
        net.join(RELAY, target)
    net.run(8)
    return targets


@pytest.mark.parametrize("mtu", [1500, 65535])
@pytest.mark.parametrize(
    ("rate", "flows"),
    [(5, 2), (20, 8), (30, 8), (50, 8), pytest.param(5, 8, marks=pytest.mark.slow),
     pytest.param(20, 2, marks=pytest.mark.slow), pytest.param(70, 8, marks=pytest.mark.slow),
     pytest.param(100, 2, marks=pytest.mark.slow), pytest.param(100, 8, marks=pytest.mark.slow)],
)
def test_flows_to_different_nodes_get_the_same(rate, flows, mtu):
    """Over twelve seconds, and none is silent for long."""
    with net_of(mtu) as net:
        transfers = [Bulk(net, SENDER, target).start() for target in star(net, rate, flows)]
        net.run(3)
        for transfer in transfers:
            transfer.arrived.clear()
            transfer.longest_silence = 0
        begin = net.now // SECOND + 1
        net.run(13)
        shares = [transfer.rate(begin, begin + 12) for transfer in transfers]
        assert jain(shares) >= 0.98, shares
        assert sum(shares) > (0.8 if mtu == 1500 else 0.9) * rate, shares
        for transfer in transfers:
            assert transfer.longest_silence <= 3 * transfer.client.info()["rtt"]


@pytest.mark.parametrize("mtu", [1500, 65535])
def test_transit_and_local_traffic_share_a_link(mtu):
    """A neighbour's transfer through the sender gets as much as the sender's own."""
    with net_of(mtu) as net:
        star(net, 10, 1)
        net.add(9)
        net.join(9, SENDER)
        net.run(8)
        own, transit = Bulk(net, SENDER, RELAY), Bulk(net, 9, RELAY, 8)
        own.start()
        transit.start()
        net.run(4)
        begin = net.now // SECOND + 1
        net.run(16)
        shares = [transfer.rate(begin, begin + 15) for transfer in (own, transit)]
        assert 0.45 <= shares[0] / sum(shares) <= 0.55, shares


@pytest.mark.parametrize("mtu", [1500, 65535])
@pytest.mark.parametrize("rate", [2, 10, 30, pytest.param(100, marks=pytest.mark.slow)])
def test_they_share_it_beside_acknowledgements(rate, mtu):
    """Those of transfers to the sender, which go by the same link and always find room."""
    with net_of(mtu) as net:
        star(net, rate, 1)
        net.add(9)
        net.join(9, SENDER)
        net.run(8)
        own, transit = Bulk(net, SENDER, RELAY), Bulk(net, 9, RELAY, 8)
        others = [Bulk(net, RELAY, SENDER, port) for port in (9, 10)]
        for transfer in (own, transit, *others):
            transfer.start()
        net.run(4)
        begin = net.now // SECOND + 1
        net.run(16)
        shares = [transfer.rate(begin, begin + 15) for transfer in (own, transit)]
        assert 0.45 <= shares[0] / sum(shares) <= 0.55, shares


@pytest.mark.parametrize("mtu", [1500, 65535])
@pytest.mark.parametrize("rate", [1, 5, 100])
def test_pings_beside_a_transfer_wait_for_a_packet_or_two(mtu, rate):
    """None is refused, and the queue is one of time, not of bytes."""
    with net_of(mtu) as net:
        for target in star(net, rate, 2):
            Bulk(net, SENDER, target).start()
        net.run(3)
        times = ping(net, SENDER, RELAY, 40, 0.1)
        assert None not in times
        packet = min(mtu, 9800, rate * 5000) * 8 / rate / 1000
        held = 8192 * 8 / rate / 1000       # by the wire's transport
        waits = sorted(time - 40 for time in times)
        assert waits[20] <= held + packet + 10, waits
        assert waits[-1] <= 2 * held + 3 * packet + 25, waits


@pytest.mark.parametrize(("rate", "most"), [(0.2, 1220), (0.4, 2000), (1, 5000), (5, 9800), (20, 25000)])
def test_segments_cost_two_hundredths_of_headers_or_forty_milliseconds(rate, most):
    """Down to the smallest there is; on a faster link they take ten milliseconds."""
    with net_of() as net:
        star(net, rate, 1)
        transfer = Bulk(net, SENDER, RELAY).start()
        net.run(20)
        arrived: list[int] = []
        transfer.server.on_event = lambda events: arrived.append(len(transfer.server.recv(1 << 20)))
        net.run(5)
        assert 0.75 * most <= max(arrived) <= 1.25 * most
        assert sum(arrived) * 8 / 5e6 >= min(0.975, 1 - 230 / most) * rate


def test_requests_beside_a_transfer_wait_no_longer_than_pings():
    """A flow that sends little goes first, whoever else waits."""
    with net_of(1500) as net:
        targets = star(net, 5, 4)
        for target in targets:
            Bulk(net, SENDER, target).start()
        listener = net.stacks[RELAY].listen(None, 80)
        client = net.stacks[SENDER].connect(net.nodes[RELAY].address, 80)
        client.nodelay = True
        net.run(1)
        server = listener.accept()
        server.nodelay = True
        times = []
        for _ in range(30):
            begun = net.now
            client.send(bytes(64))
            net.run(5, lambda: server.readable)
            server.send(server.recv(64))
            net.run(5, lambda: client.readable)
            client.recv(64)
            times.append((net.now - begun) / MS)
            net.run(0.1)
        times.sort()
        assert times[15] < 40 + 35, times
        assert times[-1] < 40 + 60, times


@pytest.mark.parametrize("rtt", [2.5, 5])
def test_a_link_with_a_round_trip_of_seconds_holds(rtt):
    """An answer may come after more than three seconds: idle or not, as long as its transport has no doubts."""
    with net_of() as net:
        star(net, 1, 1, int(rtt * SECOND / 2))
        closed: list = []
        for node in net.nodes.values():
            node.on_link_closed = lambda *why: closed.append(why)
        net.run(40)
        transfers = [Bulk(net, SENDER, RELAY).start(), Bulk(net, RELAY, SENDER).start()]
        begin = net.now // SECOND + 10
        net.run(41)
        assert closed == []
        assert [transfer.rate(begin, begin + 30) > 0.5 for transfer in transfers] == [True, True]


@pytest.mark.parametrize("mtu", [1500, 65535])
def test_a_saturated_link_of_one_megabit_holds(mtu):
    """Both ways, for half a minute: what keeps it alive does not wait behind what fills it."""
    with net_of(mtu) as net:
        star(net, 1, 1)
        closed: list = []
        for node in net.nodes.values():
            node.on_link_closed = lambda *why: closed.append(why)
        transfers = [Bulk(net, SENDER, RELAY).start(), Bulk(net, RELAY, SENDER).start()]
        begin = net.now // SECOND + 1
        net.run(31)
        assert closed == []
        assert [transfer.rate(begin, begin + 30) > 0.6 for transfer in transfers] == [True, True]
