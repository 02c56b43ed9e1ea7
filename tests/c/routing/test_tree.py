"""The spanning tree: the shared rules, what one node does with what it is told, and whole networks."""

import itertools
import random

import pytest

from tests.c.farside import ANNOUNCE, SECOND, SIG_REQ, Clock, FarSide, announce
from tests.simnet import MILLISECOND, Routers
from ygg.testing import in_order, secret_key
from ygg_c.link import wire
from ygg_c.routing.tree import replaces, smooth_lag
from ygg_c.testing.sessions import ScriptedRandom

P1, P2, P3 = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture
def network():
    """Give an empty network."""
    network = Routers("tree")
    yield network
    network.close()


def parent_of(router, key=None):
    """Return the parent in a node's record of a key, by default its own."""
    records = {record["key"]: record["parent"] for record in router.tree_records()}
    return records.get(key or router.key)


def agree(nodes) -> bool:
    """Tell whether all nodes see one root, and coordinates that fit their parents'."""
    coords = {node.key: node.coords for node in nodes}
    root = min(node.key for node in nodes)
    for node in nodes:
        if node.root != root:
            return False
        parent = parent_of(node)
        if node.key == root:
            if node.coords:
                return False
        elif parent not in coords or node.coords[:-1] != coords[parent]:
            return False
    return len({tuple(where) for where in coords.values()}) == len(nodes)


def all_exchange(network) -> None:
    """Have every pair exchange a message both ways."""
    pairs = list(itertools.permutations(network.nodes, 2))
    for a, b in pairs:
        network.send(a, b, a.key + b.key)
    network.run(3)
    for node in network.nodes:
        expected = sorted((a.key, a.key + b.key) for a, b in pairs if b is node)
        assert sorted(node.take_delivered()) == expected


# The shared rules


@pytest.mark.parametrize(
    ("new", "accepted"),
    [
        ((4, P1, 0), False),
        ((6, P3, 99), True),
        ((5, P1, 99), True),
        ((5, P3, 0), False),
        ((5, P2, 8), True),
        ((5, P2, 9), False),
    ],
)
def test_merge_rule(new, accepted):
    """The vectors of the protocol, against (seq 5, parent P2, nonce 9)."""
    assert replaces(new, (5, P2, 9)) is accepted


def test_lag():
    """The first round trip counts double; later ones an eighth, capped at twice the lag."""
    ms = MILLISECOND
    assert smooth_lag(None, 8 * ms) == 16 * ms
    assert smooth_lag(16 * ms, 100 * ms) == 18 * ms


# One node


def test_a_lone_node_is_root_at_once(clock):
    """The first tick makes a fresh node root, with sequence number 1."""
    assert clock.router.tree_records() == [{"key": clock.router.key, "parent": clock.router.key, "sequence": 1}]
    assert (clock.router.coords, clock.router.root) == ([], clock.router.key)


def test_the_announcement_of_a_root():
    """A root of seed 01 with sequence number 1 and nonce 5 says what the vector of section 3.3 says."""
    clock = Clock(1, ScriptedRandom([(5).to_bytes(8, "little")] * 100))
    far = FarSide(clock, 3)
    clock.pass_time(1)
    (record,) = far.got(ANNOUNCE)
    signature = ("51e964830b3c6d507daa3213deea9091933c51d5456cb93a6b3c0bcf20692828"
                 "eb869bfb2cf3edb812183711e1a2ab59392bfb9a4e8e114475e2550be02d510a")
    assert wire.encode(ANNOUNCE, **record).hex() == clock.router.key.hex() * 2 + "010500" + signature * 2
    clock.close()


def test_a_request_is_answered_on_its_link(clock):
    """Same numbers, the neighbour's port, signed by us."""
    far = FarSide(clock, 3)
    far.become_child()                     # verifies by being accepted
    assert not far.link.closed
    assert parent_of(clock.router, far.key) == clock.router.key


def test_a_smaller_root_is_followed_within_a_tick(clock):
    """A neighbour's smaller root is adopted, and the record announced root first to everyone."""
    small, child = FarSide(clock, 8), FarSide(clock, 3)
    assert small.key < clock.router.key
    child.frames.clear()
    small.become_root()
    clock.pass_time(1)
    assert clock.router.coords == [small.port]
    assert [record["node"] for record in child.got(ANNOUNCE)] == [small.key, clock.router.key]
    small.answer()
    assert clock.router.root == small.key


def test_a_larger_root_is_not(clock):
    """A node never follows a root with a larger key than its own."""
    far = FarSide(clock, 3)
    assert far.key > clock.router.key
    far.become_root()
    clock.pass_time(2)
    assert clock.router.root == clock.router.key


def test_no_parent_without_proof(clock):
    """A neighbour that does not answer signature requests can be no parent."""
    small = FarSide(clock, 8, polite=False)
    small.become_root()
    clock.pass_time(1)
    assert clock.router.root == clock.router.key
    assert clock.router.counters()["unroutable"] == 0


def test_an_answer_with_the_wrong_signature_closes(clock):
    """SigRes signed by another key."""
    far = FarSide(clock, 8, polite=False)
    (request,) = far.got(SIG_REQ)
    assert not far.respond(request, secret=secret_key(9))
    assert far.link.error == "ErrBadMessage"


def test_an_answer_to_another_question_is_ignored(clock):
    """A replayed SigRes proves nothing, and closes nothing."""
    far = FarSide(clock, 8, polite=False)
    far.become_root()
    assert far.respond({"seq": 1, "nonce": 99})
    clock.pass_time(1)
    assert clock.router.root == clock.router.key


def test_a_stale_record_is_answered_with_the_newer(clock):
    """Only on the link it came from; the same record again is not answered."""
    far, other = FarSide(clock, 3), FarSide(clock, 4)
    far.frames.clear()
    newer, older = (announce(secret_key(9), secret_key(9), seq, 1, 0) for seq in (5, 4))
    far.send(ANNOUNCE, **newer)
    far.send(ANNOUNCE, **newer)
    assert far.got(ANNOUNCE) == []
    other.frames.clear()
    far.send(ANNOUNCE, **older)
    assert far.got(ANNOUNCE) == [newer]
    assert other.got(ANNOUNCE) == []


def test_port_zero_is_for_roots(clock):
    """A record with port 0 and another parent closes the link; a root with a port passes."""
    far = FarSide(clock, 3)
    assert far.send(ANNOUNCE, **announce(secret_key(9), secret_key(9), 1, 1, 5))
    assert not far.send(ANNOUNCE, **announce(secret_key(9), secret_key(8), 1, 1, 0))


def test_the_own_record_is_renewed_every_four_minutes(clock):
    """A root raises its sequence number."""
    clock.pass_time(239)
    assert clock.router.tree_records()[0]["sequence"] == 1
    clock.pass_time(3)
    assert clock.router.tree_records()[0]["sequence"] == 2


def test_a_lost_parent_is_replaced_within_a_tick(clock):
    """The stored answer of another neighbour serves at once."""
    first, second = FarSide(clock, 8), FarSide(clock, 7)
    root = secret_key(in_order(*range(1, 256))[0])
    for far in (first, second):
        far.send(ANNOUNCE, **announce(root, root, 1, 5, 0))
        far.send(ANNOUNCE, **announce(far.secret, root, 1, 5, far.port))
    clock.pass_time(1)
    for far in (first, second):
        far.answer()
    assert clock.router.root == root[32:]
    lost = next(far for far in (first, second) if far.key == parent_of(clock.router))
    kept = second if lost is first else first
    lost.link.close()
    clock.pass_time(1)
    assert parent_of(clock.router) == kept.key


def test_a_restarted_node_gets_above_its_old_sequence(clock):
    """Neighbours send the old record back; the node becomes root above it."""
    far = FarSide(clock, 3)
    far.send(ANNOUNCE, **announce(clock.secret, far.secret, 41, 1, 9))
    clock.pass_time(2)
    (own,) = [record for record in clock.router.tree_records() if record["key"] == clock.router.key]
    assert own["sequence"] == 44
    assert own["parent"] == clock.router.key


def test_request_floods_are_limited(clock):
    """Signatures cost time: past a burst of a hundred, ten a second are answered."""
    far = FarSide(clock, 3)
    for nonce in range(500):
        far.send(SIG_REQ, seq=1, nonce=nonce)
    assert len(far.got(3)) == 100
    assert clock.router.counters()["requests_limited"] == 400


# Networks


EIGHT = in_order(*range(1, 9))


@pytest.mark.parametrize("order", [range(1, 9), EIGHT, EIGHT[::-1]], ids=["any", "rising", "falling"])
def test_a_line_of_eight(network, order):
    """Root agreement, coordinates along the line, every pair exchanges."""
    nodes = [network.add(number) for number in order]
    for a, b in itertools.pairwise(nodes):
        network.join(a, b)
    network.run(15)
    assert agree(nodes)
    all_exchange(network)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_tree(network, seed):
    """Twelve nodes joined at random, some by shortcuts; every pair exchanges."""
    rng = random.Random(seed)
    nodes = [network.add(number) for number in rng.sample(range(1, 200), 12)]
    for index, node in enumerate(nodes[1:], 1):
        network.join(node, rng.choice(nodes[:index]), delay=rng.randrange(1, 20) / 1000)
    for _ in range(4):
        a, b = rng.sample(nodes, 2)
        network.join(a, b, delay=rng.randrange(1, 20) / 1000)
    network.run(20)
    assert agree(nodes)
    all_exchange(network)


def test_idle_nodes_are_silent(network):
    """Between refreshes a settled network sends nothing at all."""
    nodes = [network.add(number) for number in range(1, 5)]
    for a, b in itertools.pairwise(nodes):
        network.join(a, b)
    network.run(20)
    before = [peer["tx_bytes"] for node in nodes for peer in node.peers()]
    network.run(100)
    assert [peer["tx_bytes"] for node in nodes for peer in node.peers()] == before


def test_a_lost_link_is_routed_around(network):
    """A square loses a side: new parent within two ticks, and traffic goes the other way round."""
    a, b, c, d = (network.add(number) for number in in_order(1, 2, 3, 4))
    ab = network.join(a, b)
    network.join(b, c, delay=0.02)
    network.join(c, d)
    network.join(d, a)
    network.run(260)            # past a refresh, c has its cheaper parent
    assert (parent_of(b), parent_of(c)) == (a.key, d.key)
    network.send(a, b, b"before")
    network.run(1)
    ab.cut()
    network.run(2.1)
    assert parent_of(b) == c.key
    for _ in range(4):
        network.send(a, b, b"after")
        network.run(2)
    received = [payload for _, payload in b.take_delivered()]
    assert received[0] == b"before"
    assert received[-1] == b"after"
    assert agree(network.nodes)


def test_a_lost_root_is_replaced(network):
    """The others agree on the next smallest key."""
    nodes = [network.add(number) for number in in_order(1, 2, 3, 4, 5)]
    for a, b in itertools.combinations(nodes, 2):
        network.join(a, b)
    network.run(5)
    network.remove(nodes[0])
    network.run(5)
    assert network.nodes[0].root == nodes[1].key
    assert agree(network.nodes)
    nodes.clear()


def test_those_below_a_parent_that_comes_and_goes_stay_where_they_are(network):
    """Half a second there, half a second not: after the first times it is waited for."""
    flapping, *others = (network.add(number) for number in in_order(1, 2, 3, 4, 5))
    links = [network.join(a, b) for a, b in itertools.pairwise(others)]

    def moves(after: float) -> bool:
        link = network.join(flapping, others[0])
        network.run(after)
        link.cut()
        network.run(0.5)
        return others[-1].root != flapping.key

    assert sum(moves(0.5) for _ in range(64)) <= 12
    assert sum(link.heard[ANNOUNCE] for link in links) / len(links) < 100
    network.run(2)
    assert agree(others)
    assert moves(15)        # it had been there for a while


def test_a_silent_cut_is_noticed_by_who_speaks(network):
    """A dead link closes three seconds after something was sent on it."""
    a, b = network.add(1), network.add(2)
    link = network.join(a, b)
    network.run(5)
    link.silent = True
    network.send(a, b, b"lost")
    network.run(2.9)
    assert not link.links[0].closed
    network.run(0.2)
    assert link.links[0].error == "ErrTimeout"
    del link


def test_a_restart_is_healed(network):
    """A node that comes back with its key and no memory finds its place and is reached again."""
    numbers = in_order(1, 2, 3, 4)
    nodes = [network.add(number) for number in numbers]
    for a, b in itertools.pairwise(nodes):
        network.join(a, b)
    network.run(10)
    network.run(600)            # a few refreshes, so that the old sequence number is well above 1
    network.remove(nodes[1])
    again = network.add(numbers[1])
    for neighbour in (nodes[0], nodes[2]):
        network.join(again, neighbour)
    network.run(10)
    assert agree(network.nodes)
    all_exchange(network)
    nodes.clear()
    del again


def test_the_cheaper_of_two_parents_wins_a_refresh(network):
    """At refresh a parent at less than half the cost is taken."""
    root, slow, fast, leaf = (network.add(number) for number in in_order(1, 2, 3, 4))
    network.join(root, slow)
    network.join(slow, leaf, delay=0.05)
    network.run(5)
    assert parent_of(leaf) == slow.key
    network.join(root, fast)
    network.join(fast, leaf, delay=0.002)
    network.run(5)
    assert parent_of(leaf) == slow.key
    network.run(250)
    assert parent_of(leaf) == fast.key


def test_time_is_the_hosts(network):
    """A settled node asks for one turn a second, no more."""
    node = network.add(1)
    network.run(3)
    assert node.turn(network.now, network.wall) - network.now <= SECOND
