"""The admin socket beside the packaged daemon's: each node asked by each client, shapes, tables and texts compared."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import serving
from tests.aio import run
from tests.interop import kernel
from tests.interop.daemon import Daemon, find, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.test_cli import running
from ygg.admin import AdminError, BlockingClient, Client, Command

OURS: tuple[str, ...] = (sys.executable, "-W", "error", "-m", "ygg", "ctl")
SHOWN = ("getSelf", "getPeers", "getTree", "getPaths", "getSessions", "getMulticastInterfaces", "getTun")
MAY_LACK = {
    "address", "bytes_recvd", "bytes_sent", "rate_recvd", "rate_sent", "uptime", "latency", "last_error",
    "last_error_time", "remote", "name", "mtu",
}  # fmt: skip
"""Members that are left out where they are zero or empty."""
SIZES = [0, 1, 99, 100, 1023, 10240, 104857, (1 << 20) - 1, 1 << 20, (1 << 30) - 1, 1 << 30, (1 << 40) - 1, 1 << 40]
UPTIMES = [0, 0.9, 1.5, 59.6, 60, 3599.9, 3600, 90061.7, 400 * 86400]


def stock() -> Path:
    program = find("yggdrasilctl")
    assert program is not None
    return program.resolve()


def has_borders() -> bool:
    """Tell whether the stock client is of the version that draws borders, 0.5.14."""
    usage = subprocess.run([stock(), "-h"], capture_output=True, text=True)
    return "-borders" in usage.stdout + usage.stderr


def asked(folder: Path, program: Sequence[Path | str], endpoint: str, *arguments: str) -> tuple[int, str]:
    """Return what a client ends with, and prints."""
    command = [*program, f"-endpoint={endpoint}", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def cells(text: str) -> list[list[str]]:
    """Return the cells of a table of either version of the stock client, and of ours."""
    lines = [line for line in text.splitlines() if not line.startswith(("┌", "├", "└"))]
    parted = [line.strip("│").split("│" if "│" in line else "\t") for line in lines]
    return [[cell.strip() for cell in line if "│" in text or cell or line[-1]] for line in parted]


def peer(number: int) -> dict[str, Any]:
    """Return a link as a daemon tells of it, without what is empty."""
    up = number % 3 != 2
    members: dict[str, Any] = {
        "remote": f"tcp://h:{number}", "up": up, "inbound": number % 2 == 1, "key": "ab" * 32, "port": number,
        "priority": number, "cost": 7 * number,
    }  # fmt: skip
    more: dict[str, Any] = {
        "address": "200::1" if up else "", "uptime": UPTIMES[number % len(UPTIMES)],
        "bytes_recvd": SIZES[number], "bytes_sent": SIZES[-1 - number],
        "rate_recvd": SIZES[number], "rate_sent": SIZES[-1 - number],
        "latency": 123_456 * 10 ** (number % 6) if number % 4 else 0,
    }  # fmt: skip
    if not up or number % 5 == 0:
        more |= {"last_error": "it has failed", "last_error_time": int(1e9 * UPTIMES[-1 - number % 3]) + 1}
    return members | {name: value for name, value in more.items() if value}


SESSION = {"address": "200::1", "key": "ab", "bytes_recvd": 5, "bytes_sent": 500, "uptime": 3.7}
RESPONSES: dict[str, Any] = {
    "getPeers": {"peers": [peer(number) for number in range(len(SIZES))]},
    "getSelf": {
        "build_name": "n", "build_version": "0.5.14", "key": "ab", "address": "200::1", "routing_entries": 12345,
        "subnet": "300::/64",
    },
    "getTun": {"enabled": True, "name": "tun0", "mtu": 65535},
    "getMulticastInterfaces": {"multicast_interfaces": [
        {"name": "eth0", "address": "[fe80::1%eth0]:1", "beacon": True, "listen": False, "password": True},
        {"name": "eth1", "address": "-", "beacon": False, "listen": True, "password": False},
    ]},
    "getSessions": {"sessions": [SESSION]},
    "getPaths": {"paths": [
        {"address": "200::1", "key": "ab", "path": [1, 2, 300], "sequence": 7},
        {"address": "200::2", "key": "ac", "path": [], "sequence": 1},
    ]},
    "getTree": {"tree": [{"address": "200::1", "key": "ab", "parent": "ac", "sequence": 7}]},
}  # fmt: skip


def test_tables_are_the_stock_clients(tmp_path: Path) -> None:
    """Of the version with borders to the byte, with and without them; of the one before cell by cell."""
    commands = [Command(name, "Show it", lambda _, found=found: found) for name, found in RESPONSES.items()]
    borders = has_borders()

    async def compare() -> None:
        async with serving(tmp_path / "s", *commands):
            for command in (*RESPONSES, "list"):
                for options in ([], ["-borders=false"]) if borders else ([],):
                    at = f"unix://{tmp_path}/s"
                    theirs = await asyncio.to_thread(asked, tmp_path, (stock(),), at, *options, command)
                    ours = await asyncio.to_thread(asked, tmp_path, OURS, at, *options, command)
                    if borders:
                        assert ours == theirs
                    else:
                        assert (ours[0], cells(ours[1])) == (theirs[0], cells(theirs[1]))

    run(compare(), "asyncio")


@pytest.fixture
def beside(net: Net, tmp_path: Path) -> Iterator[tuple[Daemon, str, str]]:
    """The packaged daemon, and the endpoint and key of a node of ours that is its peer, with traffic between them."""
    first, identity = identities(2)
    daemon = net.daemon(first, listen=("tcp://{}:9000",))
    place = Path(daemon.endpoint.removeprefix("unix://"))
    endpoint = f"unix://{place.with_suffix('.ours')}"
    configuration = tmp_path / "ygg.conf"
    configuration.write_text(json.dumps({
        "PrivateKey": identity.private, "Peers": [f"tcp://{daemon.host.address}:9000"], "AdminListen": endpoint,
        "IfName": "ygg7", "MulticastInterfaces": [], "NodeInfo": {"name": "ours"},
    }))  # fmt: skip
    host = net.host()
    with running(host, configuration, tmp_path):
        wait_until(lambda: identity.key in daemon.peer_keys(), "the link is up")
        wait_until(lambda: kernel.ping(host, daemon.address, 1000), "there is a session")
        yield daemon, endpoint, identity.key


def shape(value: Any) -> Any:
    """Return the types of a JSON value; of a list that of its first."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def same(one: Any, other: Any) -> bool:
    """Tell whether two shapes are one, but for members that may be left out, and for lists that are empty."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) ^ set(other) <= MAY_LACK and all(same(one[name], other[name]) for name in set(one) & set(other))
    if isinstance(one, list) and isinstance(other, list):
        return not one or not other or same(one[0], other[0])
    return bool(one == other)


def test_each_command_of_each_node_by_each_client(beside: tuple[Daemon, str, str], tmp_path: Path) -> None:
    """Responses have the same members and types, clients show the same words, errors have the same texts."""
    daemon, ours, our_key = beside
    remote = {daemon.endpoint: our_key, ours: daemon.key}
    questions: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in SHOWN]
    questions += [(name, ("key",)) for name in (
        "getNodeInfo", "debug_remoteGetSelf", "debug_remoteGetPeers", "debug_remoteGetTree"
    )]  # fmt: skip
    refused: list[tuple[str, dict[str, str]]] = [
        ("nosuch", {}), ("getNodeInfo", {}), ("removePeer", {"uri": "tcp://h:1"}),
    ]  # fmt: skip
    if has_borders():  # the version before adds such peers, and asks for such a key
        refused += [("addPeer", {"uri": "nonsense://h:1"}), ("addPeer", {"uri": "tcp://h:1?priority=300"})]
        refused += [("getNodeInfo", {"key": "abcd"})]
    found: dict[str, dict[str, Any]] = {}
    for endpoint, key in remote.items():
        answers = found[endpoint] = {}
        with BlockingClient(endpoint) as client:
            for name, fields in questions:
                given = dict.fromkeys(fields, key)
                line = [name, *(f"{argument}={value}" for argument, value in given.items())]
                by_stock = asked(tmp_path, (stock(),), endpoint, "-json", *line)
                by_ours = asked(tmp_path, OURS, endpoint, "-json", *line)
                assert (by_stock[0], by_ours[0]) == (0, 0), (by_stock, by_ours)
                response = client.request(name, **given)
                shapes = [shape(response), shape(json.loads(by_stock[1])), shape(json.loads(by_ours[1]))]
                assert same(shapes[0], shapes[1])
                assert same(shapes[1], shapes[2])
                answers[name] = shape(next(iter(response.values())) if given else response)
            for name, arguments in refused:
                line = [name, *(f"{argument}={value}" for argument, value in arguments.items())]
                by_stock = asked(tmp_path, (stock(),), endpoint, *line)
                assert asked(tmp_path, OURS, endpoint, *line) == by_stock
                with pytest.raises(AdminError) as error:
                    client.request(name, **arguments)
                assert by_stock == (1, f"Admin socket returned an error: {error.value}\n")
                answers[f"{name} {arguments}"] = str(error.value).lower()  # the version before had a capital letter
        for name in ("list", "getSelf", "getTree", "getTun", "getMulticastInterfaces"):
            by_stock = asked(tmp_path, (stock(),), endpoint, name)
            assert cells(by_stock[1]) == cells(asked(tmp_path, OURS, endpoint, name)[1])
        assert [row[1] for row in cells(asked(tmp_path, OURS, endpoint, "getPeers")[1])] == ["State", "Up"]
    for name in found[ours]:
        if name.startswith("getNodeInfo {'key'") or name != "getNodeInfo":
            assert same(found[ours][name], found[daemon.endpoint][name]), name


def test_peers_are_added_and_removed_by_each_client(beside: tuple[Daemon, str, str], tmp_path: Path) -> None:
    daemon, ours, _ = beside
    for endpoint in (daemon.endpoint, ours):
        programs: list[Sequence[Path | str]] = [(stock(),), OURS]
        for number, program in enumerate(programs):
            uri = f"uri=tcp://127.0.0.1:{number + 1}"
            assert asked(tmp_path, program, endpoint, "addPeer", uri) == (0, "")
            again = asked(tmp_path, program, endpoint, "addPeer", uri)
            assert again == (1, "Admin socket returned an error: peer is already configured\n")
            assert len(re.findall("127.0.0.1", asked(tmp_path, program, endpoint, "getPeers")[1])) >= 1
            assert asked(tmp_path, program, endpoint, "removePeer", uri) == (0, "")


def test_tasks_ask_both_nodes_at_once(beside: tuple[Daemon, str, str]) -> None:
    async def ask() -> None:
        daemon, ours, our_key = beside
        async with Client(daemon.endpoint) as theirs, Client(ours) as own:
            keys = await asyncio.gather(*(client.request("getSelf") for client in (theirs, own) for _ in range(5)))
        assert [answer["key"] for answer in keys] == [daemon.key] * 5 + [our_key] * 5

    run(ask(), "asyncio")
