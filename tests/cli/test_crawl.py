"""ygg map: a table, JSON and a picture of what nodes tell of their peers."""

import json
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.cli.command import start
from tests.nodes import node, ups
from ygg import NativeNetwork
from ygg.cli import main
from ygg.testing import public_key


@on_loops
async def test_a_crawl_from_a_node_of_its_own(tmp_path: Path) -> None:
    """A process of its own, for the command has an event loop of its own."""
    import asyncio

    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        await two.call_peer(f"tcp://{(await one.listen('tcp://127.0.0.1:0')).address}")
        await until(lambda: ups(one) and ups(two))
        peer = f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}"
        with start(tmp_path, "map", "--json", "--svg", "map.svg", "--peer", peer) as process:
            out, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, err
    found = json.loads(out)
    answered = {node["key"] for node in found["nodes"] if "peers" in node}
    assert answered >= {public_key(1).hex(), public_key(2).hex()}
    assert len(found["links"]) == 2
    assert (tmp_path / "map.svg").read_bytes().startswith(b"<?xml")
    assert "connected to tcp://127.0.0.1" in err


@pytest.mark.parametrize(("options", "status", "text"), [
    ([], 2, "say how to join the network: --peer, --country, --local, --listen or --config"),
    (["--endpoint", "unix:///nonexistent/socket"], 1, "--endpoint unix:///nonexistent/socket: "),
])
def test_what_makes_no_sense(options: list[str], status: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", *options]) == status
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"ygg: {text}")


@pytest.mark.parametrize("option", ["--most", "--rate"])
def test_numbers(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for value in ("0", "-1", "x"):
        assert main(["map", "--peer", "tcp://127.0.0.1:1", option, value]) == 2
        assert "positive number" in capsys.readouterr().err
