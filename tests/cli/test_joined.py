"""ygg.cli.joined: the node that options describe."""

import argparse
from pathlib import Path

import pytest

from tests.aio import on_loops
from tests.nodes import node
from ygg import Config, NativeNetwork
from ygg.cli.common import UsageError
from ygg.cli.joined import add_node, joined
from ygg.testing import private_key, public_key


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_node(parser)
    return parser.parse_args(arguments)


@on_loops
async def test_by_a_peer_with_the_key_that_is_kept(tmp_path: Path) -> None:
    told: list[str] = []
    path = str(tmp_path / "me.key")
    async with NativeNetwork() as network, node(1, network) as peer:
        url = f"tcp://{(await peer.listen('tcp://127.0.0.1:0')).address}"
        async with joined(options("--peer", url, "--identity", path), told.append) as one:
            address = one.address
        async with joined(options("--peer", url, "--identity", path), told.append) as again:
            assert again.address == address
        async with joined(options("--peer", url, "--identity", path), told.append, key=private_key(7)) as given:
            assert given.public_key == public_key(7)
    assert told[:2] == ["no peer is up: connecting", f"connected to {url}"]


@on_loops
async def test_by_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    Config(private_key=private_key(3), listen=["tcp://127.0.0.1:0?password=hunter2"]).save(path)
    told: list[str] = []
    for more, key, number in (((), None, 3), ((), private_key(7), 7)):
        async with joined(options("--config", str(path), *more), told.append, key) as made:
            assert made.public_key == public_key(number)
    async with joined(options("--config", str(path), "--identity", str(tmp_path / "k")), told.append) as made:
        assert made.public_key != public_key(3)
    assert told[0].startswith("accepting links at tcp://127.0.0.1:")
    assert "hunter2" not in "".join(told)


@on_loops
async def test_where_it_calls_another_node_a_peer_that_comes_is_waited_for() -> None:
    """Else the call would fail at once, for the node dials no peer itself."""
    told: list[str] = []
    async with NativeNetwork() as network, node(1, network) as peer:

        def tell(text: str) -> None:
            told.append(text)
            if text == "no peer is up: connecting":
                peer.add_peer(told[0].rpartition(" ")[2])

        async with joined(options("--listen", "tcp://127.0.0.1:0"), tell, calls=True) as made:
            assert [one.up for one in made.peers()] == [True]
    assert told[-1].startswith("connected to tcp://127.0.0.1:")


@pytest.mark.parametrize(("arguments", "text"), [
    ([], "say how to join the network: --peer, --country, --local, --listen or --config"),
    (["--peer", "tcp://me:hunter2@h:x"], "'tcp://h:x': invalid port 'x'; an address of a link is written like"),
])  # fmt: skip
@on_loops
async def test_what_makes_no_sense(arguments: list[str], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        async with joined(options(*arguments), print):
            pass
    assert text in str(caught.value)
