"""ygg ping."""

import asyncio
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.cli.command import start
from tests.nodes import node
from ygg import Config, NativeNetwork, VTun
from ygg.cli import main
from ygg.cli.common import CommandError
from ygg.cli.ping import ping
from ygg.testing import private_key, public_key


@on_loops
async def test_prints_each_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("ygg.cli.ping.PAUSE", 0)
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        listener = await server.listen("tls://127.0.0.1:0")
        gone = await server.listen("tcp://127.0.0.1:0")
        gone.close()
        await ping(server.address, [f"tcp://{gone.address}", f"tls://{listener.address}"], 3, 9)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{server.address} answered in ") and line.endswith(" ms") for line in lines)


@on_loops
async def test_with_the_identity_peers_and_group_password_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network, group_password="p") as server, VTun.over(server):
        listener = await server.listen("tcp://127.0.0.1:0")
        url = f"tcp://{listener.address}"
        with pytest.raises(CommandError, match="did not answer"):
            await ping(server.address, [url], 1, 0.5)
        config = Config(private_key=private_key(7), group_password="p")
        task = asyncio.create_task(ping(server.address, [url], 2, 9, config))
        await until(lambda: any(peer.key == public_key(7) for peer in server.peers()))
        await task
    assert len(capsys.readouterr().out.splitlines()) == 2


@on_loops
async def test_silence() -> None:
    async with NativeNetwork() as network, node(1, network) as server:
        listener = await server.listen("tcp://127.0.0.1:0")
        with pytest.raises(CommandError, match=r"did not answer within 0\.5 seconds"):
            await ping(server.address, [f"tcp://{listener.address}"], 1, 0.5)


@on_loops
async def test_no_peer() -> None:
    async with NativeNetwork() as network, node(1, network) as server:
        listener = await server.listen("tcp://127.0.0.1:0")
        listener.close()
        url = f"tcp://{listener.address}"
        with pytest.raises(CommandError, match=r"no connection to tcp://127.*refused; no conn.*`ygg peers`") as caught:
            await ping(server.address, [f"{url}?password=hunter2", f"{url}/x?password=hunter2"], 1, 1)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "peer", "text"),
    [
        ("nonsense", "tcp://h:1", "'nonsense' is not an IPv6 address"),
        ("::1", "tcp://h:1", "::1 is not in the overlay, which is 200::/7"),
        ("200::1", "nonsense", "--peer: missing or malformed scheme in URL"),
        ("200::1", "gopher://h:1", "--peer: link schema unknown"),
    ],
)
def test_what_makes_no_sense(address: str, peer: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", address, "--peer", peer]) == 2
    assert capsys.readouterr().err == f"ygg: {text}\n"


def test_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text("{}")
    assert main(["ping", "200::1", "--config", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"ygg: {path}: there is no PrivateKey")
    assert main(["ping", "200::1", "--config", str(path), "--new-identity"]) == 2
    assert capsys.readouterr().err == "ygg: the configuration has no Peers; name one with --peer in its place\n"
    Config(peers=[f"unix://{tmp_path}/nobody"]).save(path)
    for more in ([], ["--new-identity"]):
        assert main(["ping", "200::1", "--config", str(path), *more]) == 1
        assert capsys.readouterr().err.startswith(f"ygg: no connection to unix://{tmp_path}/nobody: ")
    assert main(["ping", "200::1", "--config", str(path), "--peer", "tcp://h:1"]) == 2


def test_as_a_process(tmp_path: Path) -> None:
    with start(tmp_path, "ping", "200::1", "--peer", f"unix://{tmp_path}/nobody") as process:
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert error.startswith(f"ygg: no connection to unix://{tmp_path}/nobody: ")
