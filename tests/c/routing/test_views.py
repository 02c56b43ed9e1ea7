"""A router's state as Python sees it."""

from tests.c.routing.test_forwarding import child
from tests.simnet import Routers


def test_state(clock):
    """What a node says of itself."""
    far = child(clock, 3)
    state = clock.router.self_state()
    assert state == {"key": clock.router.key, "coords": [], "root": clock.router.key, "routing_entries": 2}
    (peer,) = clock.router.peers()
    assert peer["key"] == far.key
    assert (peer["port"], peer["priority"], peer["cost"], peer["order"]) == (1, 0, 2, 1)
    assert peer["uptime"] == clock.now - far.link.since


def test_paths_and_records():
    """Ports from the root down, and who has chosen whom as parent."""
    network = Routers("views")
    try:
        a, b, c = (network.add(number) for number in (1, 2, 3))
        network.join(a, b)
        network.join(b, c)
        network.run(5)
        network.send(a, c, b"hello")
        network.run(1)
        (root,) = {node.root for node in (a, b, c)}
        assert {record["key"] for record in b.tree_records()} == {node.key for node in (a, b, c)}
        assert [record["key"] for record in b.tree_records() if record["parent"] == record["key"]] == [root]
        (path,) = [path for path in a.known_paths() if path["key"] == c.key]
        assert path["path"] == c.coords
        assert not path["broken"]
    finally:
        network.close()
