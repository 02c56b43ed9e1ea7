"""ygg.daemon: what a configuration asks for is there; what cannot be had is logged, and the rest runs."""

from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import Config, LoopbackNetwork, NativeNetwork
from ygg.admin import Client
from ygg.config.config import MulticastInterface
from ygg.daemon import Daemon, every_transport
from ygg.errors import ConfigError, OperationNotSupported
from ygg.testing import private_key, public_key


def config(number: int = 7, **members: Any) -> Config:
    none: dict[str, Any] = {"admin_listen": "none", "if_name": "none", "multicast_interfaces": []}
    return Config(**none | {"private_key": private_key(number)} | members)


@on_loops
async def test_peers_listeners_and_identity() -> None:
    network = LoopbackNetwork()
    async with network, node(1, network) as peer:
        there = await peer.listen("tcp://127.0.0.1:0")
        urls = [f"tcp://{there.address}?priority=3", f"tcp://{there.address}", "tcp://localhost:1"]
        wanted = config(peers=urls, listen=["tcp://127.0.0.1:0", "tls://127.0.0.1:0"], node_info={"name": "seven"})
        async with Daemon(wanted, network) as daemon:
            core = daemon.core
            assert core.public_key == public_key(7)
            assert [listener.url.scheme for listener in core.listeners] == ["tcp", "tls"]
            await until(lambda: any(link.up for link in core.peers()))
            assert {(link.url, link.persistent) for link in core.peers()} == {
                (f"tcp://{there.address}", True), ("tcp://localhost:1", True),
            }  # fmt: skip
            assert [link.priority for link in core.peers() if link.up] == [3]
            assert (await peer.node_info(core.public_key))["name"] == "seven"
            assert (daemon.interface, daemon.multicast) == ("", None)
        assert network.is_up


@on_loops
async def test_allowed_keys_and_interface_peers() -> None:
    network = LoopbackNetwork()
    async with network, node(1, network) as stranger:
        wanted = config(
            listen=["tcp://127.0.0.1:0"], allowed_public_keys=[public_key(2)],
            interface_peers={"eth7": ["tcp://127.0.0.1:1"]},
        )  # fmt: skip
        async with Daemon(wanted, network) as daemon:
            (link,) = daemon.core.peers()
            assert (link.url, link.source_interface) == ("tcp://127.0.0.1:1", "eth7")
            await stranger.call_peer(str(daemon.core.listeners[0].url))
            await until(lambda: not stranger.peers())


@on_loops
async def test_what_cannot_be_had_is_left_out_and_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    wanted = config(
        listen=["tcp://192.0.2.1:1?password=hunter2", "nonsense hunter2", "gopher://h:1", "tcp://127.0.0.1:0"],
        peers=["nonsense://user:hunter2@h:1", "hunter2", "tcp://h:1?key=00&password=hunter2"],
        interface_peers={"eth7": ["tcp://h:1?maxbackoff=never"]},
    )
    async with LoopbackNetwork() as network, Daemon(wanted, network) as daemon:
        assert len(daemon.core.listeners) == 1
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors[:3] == [
        "Listen: tcp://192.0.2.1:1 is left out: cannot assign requested address",
        "Listen: an entry that is no URI is left out: URL has a character that must be percent-encoded",
        "Listen: gopher://h:1 is left out: link schema unknown: 'gopher' is none of those known "
        "(quic, socks, sockstls, tcp, tls, unix, ws, wss)",
    ]
    assert "InterfacePeers: an entry that is no URI is left out: max backoff duration invalid" in errors
    assert "hunter2" not in caplog.text


@on_loops
async def test_the_admin_socket(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    place = f"unix://{tmp_path}/admin"
    async with LoopbackNetwork() as network:
        async with Daemon(config(admin_listen=place, log_lookups=True), network) as daemon, Client(place) as client:
            assert daemon.admin is not None
            assert (await client.request("getself"))["key"] == public_key(7).hex()
            assert await client.request("getTun") == {"enabled": False}
            assert await client.request("getMulticastInterfaces") == {"multicast_interfaces": []}
            assert await client.request("lookups") == {"infos": []}
            told = await client.request("getConfig")
            assert private_key(7).hex()[:64] not in str(told)
            assert told["config"]["AdminListen"] == place
            assert (await client.request("setJumper", enabled=True))["enabled"]
            found = await client.request("setAutoPeer", countries="germany", minimum_connected=0)
            assert (found["enabled"], found["countries"]) == (False, ["germany"])
            assert (await client.request("getTransport"))["default_network"] == "native"
            assert [record for record in caplog.records if record.levelname == "WARNING"] == []
            async with Daemon(config(8, admin_listen=place), network) as other:
                assert other.admin is None
            (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
            assert told == (
                f"There is no admin socket: another process listens at {place}. AdminListen: none does without."
            )
        for off in ("", "none"):
            async with Daemon(config(admin_listen=off), network) as daemon:
                assert daemon.admin is None
    assert not (tmp_path / "admin").exists()


@pytest.mark.parametrize(
    "members",
    [
        {"multicast_interfaces": [MulticastInterface("[[:nonsense:]]", beacon=True)]},
        {"if_name": "tun\0"}, {"group_password": "\ud800"}, {"peers": ["tcp://h:1?password=\ud800"]},
    ],
)  # fmt: skip
def test_what_no_node_can_be_made_of(members: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Daemon(config(**members), LoopbackNetwork())


@on_loops
async def test_native_network_is_made_and_closed_where_none_is_given(tmp_path: Path) -> None:
    wanted = config(listen=[f"unix://{tmp_path}/ygg", "tcp://127.0.0.1:0"])
    async with Daemon(wanted) as daemon:
        assert isinstance(daemon.network, NativeNetwork)
        assert [listener.url.scheme for listener in daemon.core.listeners] == ["unix", "tcp"]
    assert not daemon.network.is_up


@on_loops
async def test_discovery_follows_the_rules() -> None:
    rules = [MulticastInterface("^nothing-has-this-name$", True, True)]
    async with Daemon(config(multicast_interfaces=rules)) as daemon:
        assert daemon.multicast is not None
        assert daemon.multicast.status() == []


@on_loops
async def test_what_fails_while_starting_leaves_nothing() -> None:
    rules = [MulticastInterface(".*", True, True)]
    async with LoopbackNetwork() as network:
        with pytest.raises(OperationNotSupported):
            async with Daemon(config(multicast_interfaces=rules, listen=["tcp://127.0.0.1:7"]), network):
                pass
        (await network.listen_stream("127.0.0.1", 7)).close()


@on_loops
async def test_no_rights_for_a_device_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("ygg.tun.linux.OSTun", refuse)
    async with LoopbackNetwork() as network, Daemon(config(if_name="auto"), network) as daemon:
        assert daemon.interface == ""
    (warning,) = [message for message in caplog.messages if "TUN" in message]
    assert "Operation not permitted" in warning
    assert "IfName: none does without" in warning


def test_node_info_that_is_too_long_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="NodeInfo"):
        Daemon(config(node_info={"x": "x" * 20000}))


def test_every_scheme_has_a_transport() -> None:
    schemes = every_transport(LoopbackNetwork(), config().certificate).schemes
    assert {"tcp", "tls", "unix", "ws", "wss", "socks", "sockstls"} <= set(schemes)
