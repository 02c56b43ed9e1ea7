"""ygg ping."""

import asyncio
import re
import signal
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.cli.command import start
from tests.nodes import node
from ygg import Config, NativeNetwork, VTun
from ygg.cli import main
from ygg.cli.common import CommandError
from ygg.cli.ping import Pace, Tally, ping
from ygg.testing import private_key, public_key

SILENT = IPv6Address("200::1")


@on_loops
async def test_prints_each_answer_and_the_statistics(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        listener = await server.listen("tls://127.0.0.1:0")
        gone = await server.listen("tcp://127.0.0.1:0")
        gone.close()
        peers = [f"tcp://{gone.address}", f"tls://{listener.address}"]
        await ping(Tally(server.address), peers, Pace(3, 0.01, 9))
    out, err = capsys.readouterr()
    *answers, empty, title, counts, times = out.splitlines()
    assert len(answers) == 3
    for number in (1, 2, 3):
        expected = re.escape(f"{server.address}: seq={number} time=") + r"[\d.]+ ms"
        assert any(re.fullmatch(expected, line) for line in answers)
    assert (empty, title) == ("", f"--- {server.address} ping statistics ---")
    assert re.fullmatch(r"3 sent, 3 answered, 0 % lost, \d+\.\d s", counts)
    least, mean, most, deviation = map(float, times.split()[-2].split("/"))
    assert least <= mean <= most
    assert deviation <= most - least
    first, second = err.splitlines()
    assert first == "ygg: no peer is up: connecting to 2 peers"
    assert second.startswith(f"ygg: connected to tls://{listener.address} in ")
    assert "; pinging from 2" in second


@on_loops
async def test_names_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        peers = [f"tcp://{(await server.listen('tcp://127.0.0.1:0')).address}"]
        for host in (f"{public_key(1).hex()}.pk.ygg", public_key(1).hex()):
            await ping(Tally(None, host), peers, Pace(1, 0.01, 9))
            out, err = capsys.readouterr()
            assert out.startswith(f"{server.address}: seq=1 time=")
            assert f"--- {host} ping statistics ---" in out
            assert f"ygg: {host} is {server.address}" in err
        with pytest.raises(CommandError, match=r"no such host: 'stranger\.example'"):
            await ping(Tally(None, "stranger.example"), peers, Pace(1, 0.01, 9))


@on_loops
async def test_with_the_identity_peers_and_group_password_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network, group_password="p") as server, VTun.over(server):
        listener = await server.listen("tcp://127.0.0.1:0")
        url = f"tcp://{listener.address}"
        stranger = Tally(server.address)
        await ping(stranger, [url], Pace(1, 1, 0.5))
        assert (stranger.sent, stranger.times) == (1, [])
        config = Config(private_key=private_key(7), group_password="p")
        known = Tally(server.address)
        task = asyncio.create_task(ping(known, [url], Pace(2, 0.01, 9), config))
        await until(lambda: any(peer.key == public_key(7) for peer in server.peers()))
        await task
    assert len(known.times) == 2


@on_loops
async def test_silence_is_said_for_each_request_and_in_the_statistics(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network) as server:
        listener = await server.listen("tcp://127.0.0.1:0")
        await ping(Tally(server.address), [f"tcp://{listener.address}"], Pace(2, 0.01, 0.5))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"{server.address}: seq={number} no answer within 0.5 seconds" for number in (1, 2)]
    assert lines[4].startswith("2 sent, 0 answered, 100 % lost, ")
    assert len(lines) == 5


@on_loops
async def test_without_a_count_it_goes_on_until_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        listener = await server.listen("tcp://127.0.0.1:0")
        tally = Tally(server.address)
        task = asyncio.create_task(ping(tally, [f"tcp://{listener.address}"], Pace(interval=0.001)))
        await until(lambda: len(tally.times) >= 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "ping statistics" in capsys.readouterr().out


@on_loops
async def test_no_peer(capsys: pytest.CaptureFixture[str]) -> None:
    async with NativeNetwork() as network, node(1, network) as server:
        listener = await server.listen("tcp://127.0.0.1:0")
        listener.close()
        url = f"tcp://{listener.address}"
        with pytest.raises(CommandError, match=r"no connection to tcp://127.*refused; no conn.*`ygg peers`") as caught:
            await ping(Tally(SILENT), [f"{url}?password=hunter2", f"{url}/x?password=hunter2"], Pace(1, 1, 1))
        assert "hunter2" not in str(caught.value)
    assert capsys.readouterr().out == ""


@on_loops
async def test_the_first_peer_that_is_up_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    """One that accepts and then says nothing has until the timeout; no request waits for that."""
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        listener = await server.listen("tcp://127.0.0.1:0")
        silent = await network.listen_stream("127.0.0.1", 0)
        tally = Tally(server.address)
        await ping(tally, [f"tcp://{silent.address}", f"tcp://{listener.address}"], Pace(1, 1, 3600))
        silent.close()
    assert len(tally.times) == 1
    assert f"connected to tcp://{listener.address} in " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "peer", "text"),
    [
        ("nonsense", "tcp://h:1", "'nonsense' is not an IPv6 address, a public key or a name of the overlay"),
        ("10.0.0.1", "tcp://h:1", "'10.0.0.1' is not an IPv6 address, a public key or a name of the overlay"),
        ("a.b:80", "tcp://h:1", "'a.b:80' is not an IPv6 address, a public key or a name of the overlay"),
        ("::1", "tcp://h:1", "::1 is not in the overlay, which is 200::/7"),
        ("200::1", "nonsense", "peer 'nonsense': missing or malformed scheme in URL; one is written like tls://host:port"),
        ("200::1", "tcp://me:hunter2@h:1x?password=hunter2",
         "peer 'tcp://h:1x': invalid port '1x'; one is written like tls://host:port"),
        (
            "200::1", "gopher://h:1",
            "peer 'gopher://h:1': link schema unknown: 'gopher' is none of those known "
            "(quic, socks, sockstls, tcp, tls, unix, ws, wss); one is written like tls://host:port",
        ),
    ],
)
def test_what_makes_no_sense(address: str, peer: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", address, "--peer", peer]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"ygg: {text}"


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
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith(f"ygg: no connection to unix://{tmp_path}/nobody: ")
    assert main(["ping", "200::1", "--config", str(path), "--peer", "tcp://h:1"]) == 2


def test_as_a_process(tmp_path: Path) -> None:
    with start(tmp_path, "ping", "200::1", "--peer", f"unix://{tmp_path}/nobody") as process:
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert error.splitlines()[-1].startswith(f"ygg: no connection to unix://{tmp_path}/nobody: ")


@on_loops
async def test_ctrl_c_ends_it_with_statistics(tmp_path: Path) -> None:
    """As with ping the exit code tells whether any request was answered."""
    async with NativeNetwork() as network, node(1, network) as server, VTun.over(server):
        listener = await server.listen("tcp://127.0.0.1:0")
        peer = f"tcp://{listener.address}"
        with start(tmp_path, "ping", str(server.address), "--peer", peer, "-i", "0.05") as process:
            assert process.stdout is not None
            first = await asyncio.to_thread(process.stdout.readline)
            process.send_signal(signal.SIGINT)
            out, error = await asyncio.to_thread(process.communicate, timeout=30)
    assert "seq=1 time=" in first
    assert "Traceback" not in error
    assert "ping statistics" in out
    assert process.returncode == 0
